// The bar at the top: market clock, feed age, today's P&L, state chip, kill switch.

import { fill, put } from "./cells.js";
import { age } from "./formats.js";

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
  if (part === "pnl") showOpen(data);
}

/** How old prices are judged is the server's word (services/glance.py): ok, warn, bad, off. */
function showFeed({ kind }) {
  for (const element of document.querySelectorAll("[data-feed-kind]")) element.dataset.feedKind = kind ?? "off";
  document.body.dataset.prices = kind ?? "off";
}

/** Only a P&L with something open in it grows old with the prices. */
function showOpen({ unrealised }) {
  document.body.toggleAttribute("data-has-open", unrealised === null || Number(unrealised) !== 0);
}

function showState(state) {
  for (const chip of document.querySelectorAll("[data-state-chip]")) {
    chip.dataset.state = state.state;
    chip.textContent = state.state;
    chip.title = state.reason ?? "";
  }
  for (const button of document.querySelectorAll("[data-kill]")) {
    const says = button.querySelector("[data-kill-says]");
    const words = says?.dataset[`on${state.state[0]}${state.state.slice(1).toLowerCase()}`];
    if (words) says.textContent = words;
  }
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
