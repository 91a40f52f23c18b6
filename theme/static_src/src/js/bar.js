// The bar at the top: market clock, feed age, today's P&L, state chip, kill switch.

import { fill, put } from "./cells.js";
import { age } from "./formats.js";

const FEED_OK_S = 3;
const FEED_LATE_S = 10;

export function watchBar(live) {
  live.on("snapshot", (data) => {
    for (const part of ["market", "pnl", "feed", "state"]) show(part, data?.[part]);
  });
  for (const part of ["market", "pnl", "feed", "state"]) live.on(part, (data) => show(part, data));
  live.on("connection", showConnection);
}

function show(part, data) {
  if (!data) return;
  fill(part, data);
  if (part === "feed") showFeed(data);
  if (part === "state") showState(data);
}

function showFeed(feed) {
  const known = feed.age_s !== null && feed.age_s !== undefined;
  const seconds = Number(feed.age_s);
  const kind = !known ? "off" : seconds <= FEED_OK_S ? "ok" : seconds <= FEED_LATE_S ? "warn" : "bad";
  for (const dot of document.querySelectorAll("[data-feed-dot]")) dot.dataset.kind = kind;
  document.body.toggleAttribute("data-feed-stale", kind === "bad");
}

function showState(state) {
  for (const chip of document.querySelectorAll("[data-state-chip]")) {
    chip.dataset.state = state.state;
    chip.textContent = state.state;
    chip.title = state.reason ?? "";
  }
  for (const button of document.querySelectorAll("[data-kill]")) button.disabled = state.state === "HALTED";
}

function showConnection(connection) {
  const isOpen = connection.state === "open";
  document.body.dataset.connection = connection.state;
  for (const bar of document.querySelectorAll("[data-connection-bar]")) {
    bar.hidden = isOpen;
    if (!isOpen) {
      const since = connection.age_s ? ` since ${age(connection.age_s)}` : "";
      put(bar, `Figures stand still: no connection to the server${since}. Orders and stops go on without this page.`);
    }
  }
}
