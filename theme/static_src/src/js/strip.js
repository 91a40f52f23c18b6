// Moves the ladder strip that the server drew (trading/templatetags/ladder.py): same places, in percent of the width.

import { price } from "./formats.js";

const LEFT = 5;
const WIDTH = 90;

/** Show one `position` message on the strip inside `article`. Geometry only; money is never computed here. */
export function moveStrip(article, data) {
  const strip = article.querySelector("[data-strip]");
  if (!strip) return;
  const says = sentence(strip, data);
  for (const text of strip.querySelectorAll("[data-strip-says]")) text.textContent = says;
  const picture = strip.querySelector("[data-strip-picture]");
  if (!picture) return;
  picture.setAttribute("aria-label", says);
  const at = scaleOf(strip.dataset);
  const [entry, ltp, stop] = [at(strip.dataset.entry), at(data.ltp), at(data.stop)];
  pointTo(picture.querySelector("[data-strip-ltp]"), ltp);
  pointTo(picture.querySelector("[data-strip-stop]"), stop);
  shade(picture.querySelector("[data-strip-band]"), entry, ltp);
  picture.querySelector("[data-strip-risk]").setAttribute("width", `${stop ?? 0}%`);
  const reached = Number(data.k ?? 0);
  picture.querySelectorAll("[data-strip-target]").forEach((dot, index) => {
    dot.dataset.reached = String(index < reached);
  });
  showWords(picture, strip.dataset, data, at);
  const entered = Number(strip.dataset.entered);
  const booked = entered ? Math.max(0, 100 - (100 * data.open) / entered) : 0;
  picture.querySelector("[data-strip-booked]").setAttribute("width", `${booked}%`);
}

function scaleOf({ low, high }) {
  const [from, to] = [Number(low), Number(high)];
  return (value) => {
    if (value === null || value === undefined || value === "") return null;
    const at = LEFT + (WIDTH * (Number(value) - from)) / (to - from);
    return Math.min(Math.max(at, 0), 100).toFixed(2);
  };
}

function pointTo(marker, at) {
  if (at === null) marker.setAttribute("display", "none");
  else {
    marker.removeAttribute("display");
    marker.setAttribute("x", `${at}%`);
  }
}

function shade(band, entry, ltp) {
  if (entry === null || ltp === null) {
    band.setAttribute("width", "0%");
    return;
  }
  band.setAttribute("class", Number(ltp) >= Number(entry) ? "ladder-gain" : "ladder-loss");
  band.setAttribute("x", `${Math.min(entry, ltp)}%`);
  band.setAttribute("width", `${Math.abs(ltp - entry)}%`);
}

function showWords(picture, known, data, at) {
  const stopWord = picture.querySelector("[data-strip-stop-word]");
  stopWord.textContent = data.stop ? `Y${data.y} ${price(data.stop)}` : "";
  const stop = at(data.stop);
  if (stop !== null) {
    stopWord.setAttribute("x", `${stop}%`);
    stopWord.setAttribute("text-anchor", stop < 12 ? "start" : stop > 88 ? "end" : "middle");
  }
  const targets = known.targets.split(" ");
  const next = picture.querySelector("[data-strip-next]");
  const reached = Number(data.k ?? 0);
  next.textContent = reached < targets.length ? `T${reached + 1} ${price(targets[reached])}` : "";
  if (reached < targets.length) next.setAttribute("x", `${at(targets[reached])}%`);
}

/** The strip in words; the server's half is services/views/ladders.py sentence_of. */
function sentence(strip, data) {
  const entered = Math.max(Number(strip.dataset.entered ?? 0), data.open);
  if (!data.stop) return `${data.side}, ${data.open} of ${entered} open, no ladder stands behind it`;
  const [ltp, stop] = [Number(data.ltp), Number(data.stop)];
  const away = ltp > 0 ? `, ${((100 * Math.abs(ltp - stop)) / ltp).toFixed(2)} % away` : "";
  return `${data.side}, T${data.k} of 10 reached, stop Y${data.y} at ${price(data.stop)}${away}, ${data.open} of ${entered} open`;
}
