// The desk: live positions with their ladder, watchlist prices, and panels drawn anew by the server when their rows change.

import { moveStrip } from "./strip.js";

const REDRAW_AFTER_MS = 400;
const REDRAW_AT_MOST_EVERY_MS = 1500;
const FEED_KEPT = 50;

const waiting = new Map();
const drawnAt = new Map();
const shownState = {};

document.addEventListener("algo:live", (event) => watch(event.detail));
if (window.algo) watch(window.algo);

function watch({ live, cells }) {
  live.on("snapshot", (data) => showSnapshot(data, cells));
  live.on("position", (data) => showPosition(data, cells));
  live.on("quote", (data) => cells.fillRow(data.instrument, data));
  live.on("order", () => redraw("orders"));
  live.on("event", showEvent);
  live.on("state", showState);
}

function showSnapshot(data, cells) {
  for (const row of data.watchlist ?? []) cells.fillRow(row.instrument, row);
  for (const row of data.positions ?? []) if (row.open) showPosition(row, cells);
  // What happened between the page's own drawing and this snapshot, or in a gap, was told to nobody: a position may
  // be gone that still stands here. One look at the server's drawing, also after the first snapshot.
  for (const part of ["state", "tiles", "positions", "orders", "events"]) redraw(part);
  showState(data.state);
}

function showPosition(data, cells) {
  const key = `${data.account}|${data.instrument}`;
  const article = document.querySelector(`[data-position][data-row="${CSS.escape(key)}"]`);
  if (!article !== !data.open || (article && isAnother(article, data))) {
    if (article || data.open) redraw("positions");
    return;
  }
  if (!article) return;
  const strip = article.querySelector("[data-strip]");
  if (Number(strip?.dataset.entered ?? 0) < data.open) redraw("positions");
  cells.fillRow(key, data);
  if (strip) moveStrip(article, data);
}

/** True when what is shown is not what is open: another side, or levels that came only now. */
function isAnother(article, data) {
  const strip = article.querySelector("[data-strip]");
  if (!strip?.dataset.side) return Boolean(data.levels);
  return strip.dataset.side !== data.side;
}

function showEvent(data) {
  for (const list of document.querySelectorAll("[data-feed]")) {
    const line = document.createElement("li");
    const time = document.createElement("time");
    time.textContent = timeOf(data.at);
    const text = document.createElement(data.tag ? "a" : "span");
    if (data.tag) text.href = `/orders/${encodeURIComponent(data.tag)}/`;
    text.textContent = data.sentence;
    line.append(time, text);
    list.prepend(line);
    while (list.children.length > FEED_KEPT) list.lastElementChild.remove();
    list.parentElement.querySelector(".empty")?.remove();
  }
  if (data.kind.startsWith("KILL") || data.kind.startsWith("STATE")) redraw("state");
}

function timeOf(iso) {
  const moment = new Date(iso);
  if (Number.isNaN(moment.getTime())) return "";
  return moment.toLocaleTimeString("en-GB", { timeZone: "Asia/Kolkata", hour12: false });
}

function showState(state) {
  const told = `${state?.state}|${state?.reason}`;
  if (shownState.told !== undefined && shownState.told !== told) redraw("state");
  shownState.told = told;
}

/** Ask the server for one panel again: soon, but no more often than it can be read. */
function redraw(part) {
  if (waiting.has(part) || !document.querySelector(`[data-part="${part}"]`)) return;
  const since = performance.now() - (drawnAt.get(part) ?? -Infinity);
  const wait = Math.max(REDRAW_AFTER_MS, REDRAW_AT_MOST_EVERY_MS - since);
  waiting.set(part, window.setTimeout(() => draw(part), wait));
}

async function draw(part) {
  waiting.delete(part);
  drawnAt.set(part, performance.now());
  const reply = await fetch(`?part=${part}`, { credentials: "same-origin" }).catch(() => null);
  if (!reply?.ok || reply.redirected) return;
  const fresh = new DOMParser().parseFromString(await reply.text(), "text/html").body.firstElementChild;
  const old = document.querySelector(`[data-part="${part}"]`);
  if (fresh && old && !old.contains(document.activeElement)) old.replaceWith(fresh);
  else if (fresh && old) redraw(part);
}
