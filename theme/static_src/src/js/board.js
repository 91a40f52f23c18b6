// The desk and the operator's board: live positions with their ladder, sentences of what happened, and panels that
// the server draws anew when what they show has changed.

import { moveStrip } from "./strip.js";

const REDRAW_AFTER_MS = 400;
const REDRAW_AT_MOST_EVERY_MS = 1500;
const FEED_KEPT = 50;
const ALL_PARTS = ["state", "rehearsal", "tiles", "positions", "orders", "events", "closed", "clients", "kills", "rehearsals", "alarms", "reconciliation"];

const waiting = new Map();
const drawnAt = new Map();
const shown = {};

document.addEventListener("algo:live", (event) => watch(event.detail));
if (window.algo) watch(window.algo);
document.addEventListener("click", chooseInstrument);

function watch({ live, cells }) {
  live.on("snapshot", (data) => showSnapshot(data, cells));
  live.on("market", showMarket);
  live.on("feed", showFeed);
  live.on("position", (data) => showPosition(data, cells));
  live.on("quote", (data) => cells.fillRow(data.instrument, data));
  live.on("order", () => redraw("orders"));
  live.on("event", showEvent);
  live.on("state", showState);
  live.on("client", showClient);
  live.on("reconciliation", () => redraw("reconciliation"));
}

function showSnapshot(data, cells) {
  for (const row of data.watchlist ?? []) cells.fillRow(row.instrument, row);
  for (const row of data.positions ?? []) if (row.open) showPosition(row, cells);
  // What happened between the page's own drawing and this snapshot, or in a gap, was told to nobody: a position may
  // be gone that still stands here. One look at the server's drawing, also after the first snapshot.
  for (const part of ALL_PARTS) redraw(part);
  showState(data.state);
  shown.phase = data.market?.phase;
}

/** The hour itself changes what the page says: a phase begins, or what was said to come next has come. */
function showMarket(market) {
  const phase = market.phase ?? shown.phase;
  const next = document.querySelector("[data-next-at]")?.dataset.nextAt;
  const hasCome = next && market.time && Date.parse(market.time) >= Date.parse(next);
  if ((shown.phase !== undefined && phase !== shown.phase) || hasCome) {
    for (const part of ["state", "tiles", "positions"]) redraw(part);
  }
  shown.phase = phase;
}

function showFeed({ kind }) {
  const isStale = kind === "bad";
  if (shown.isStale !== undefined && shown.isStale !== isStale) redraw("state");
  shown.isStale = isStale;
}

function showPosition(data, cells) {
  const key = `${data.account}|${data.instrument}`;
  const article = document.querySelector(`[data-position][data-row="${CSS.escape(key)}"]`);
  if (!article !== !data.open || (article && isAnother(article, data))) {
    if (article || data.open) redraw("positions");
    if (!data.open) redraw("closed");
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
    line.dataset.tone = data.tone ?? "";
    const time = document.createElement("time");
    time.dateTime = data.at;
    time.textContent = timeOf(data.at);
    const text = document.createElement("span");
    text.append(data.tag ? linkTo(data) : data.sentence);
    line.append(time, text);
    list.prepend(line);
    while (list.children.length > FEED_KEPT) list.lastElementChild.remove();
    list.parentElement.querySelector(".empty")?.remove();
  }
  if (data.kind === "ALARM") redraw("alarms");
  if (data.kind.startsWith("KILL") || data.kind.startsWith("STATE")) for (const part of ["state", "kills"]) redraw(part);
  if (data.kind.startsWith("SQUARE")) redraw("rehearsal");
}

function linkTo({ tag, sentence }) {
  const link = document.createElement("a");
  link.href = `/orders/${encodeURIComponent(tag)}/`;
  link.textContent = sentence;
  return link;
}

function timeOf(iso) {
  const moment = new Date(iso);
  if (Number.isNaN(moment.getTime())) return "";
  return moment.toLocaleTimeString("en-GB", { timeZone: "Asia/Kolkata", hour12: false });
}

function showState(state) {
  const told = `${state?.state}|${state?.reason}`;
  if (shown.state !== undefined && shown.state !== told) for (const part of ["state", "tiles"]) redraw(part);
  shown.state = told;
}

/** One client of the operator's board: the cells are filled by watch.js, the buttons belong to the state. */
function showClient(client) {
  if (client.state) redraw("clients");
  if (client.event_kind === "ALARM") redraw("alarms");
  if (client.event_kind?.startsWith("SQUARE")) redraw("rehearsals");
  if (client.event_kind?.startsWith("KILL")) redraw("kills");
}

/** A symbol with data-instrument leads to its chart; where a chart stands on this page, it is shown there. */
function chooseInstrument(event) {
  const link = event.target instanceof Element ? event.target.closest("a[data-instrument]") : null;
  const chart = document.querySelector("[data-chart-choice]");
  if (!link || !chart || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  document.dispatchEvent(new CustomEvent("algo:instrument", { detail: link.dataset.instrument }));
  chart.closest("section")?.scrollIntoView({ block: "nearest" });
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
  const query = new URLSearchParams(window.location.search);
  query.set("part", part);
  const reply = await fetch(`?${query}`, { credentials: "same-origin" }).catch(() => null);
  if (!reply?.ok || reply.redirected) return;
  const fresh = new DOMParser().parseFromString(await reply.text(), "text/html").body.firstElementChild;
  const old = document.querySelector(`[data-part="${part}"]`);
  if (!fresh || !old) return;
  const focused = old.contains(document.activeElement) ? nameOf(document.activeElement) : "";
  old.replaceWith(fresh);
  if (focused) [...fresh.querySelectorAll("a, button")].find((element) => nameOf(element) === focused)?.focus();
}

/** What tells a link or button from the others of its panel, so that the keyboard stays where it was. */
function nameOf(element) {
  return element.getAttribute("href") ?? element.getAttribute("aria-label") ?? element.textContent;
}
