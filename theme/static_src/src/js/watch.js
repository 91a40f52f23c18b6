// Watchlist lines with live prices, the search dialog's keys, and the operator's client rows.

import { fillRow } from "./cells.js";

export function bindSearch() {
  const dialog = document.querySelector("[data-search-dialog]");
  if (!dialog) return;
  const hits = () => [...dialog.querySelectorAll("a.hit")];
  dialog.addEventListener("keydown", (event) => {
    const found = hits();
    const place = found.indexOf(document.activeElement);
    if (event.key === "Enter" && event.target instanceof HTMLInputElement && found.length) {
      event.preventDefault();
      found[0].click();
    } else if (event.key === "ArrowDown" && found.length) {
      event.preventDefault();
      found[Math.min(place + 1, found.length - 1)].focus();
    } else if (event.key === "ArrowUp" && place >= 0) {
      event.preventDefault();
      (place === 0 ? dialog.querySelector("input") : found[place - 1]).focus();
    }
  });
}

export function watchLines(live) {
  live.on("quote", showQuote);
  live.on("snapshot", (data) => {
    for (const line of data?.watchlist ?? []) showPrice(line);
    for (const client of data?.clients ?? []) showClient(client);
  });
  live.on("client", showClient);
}

/** A price that has just come: the line is not old any more. */
function showQuote(quote) {
  for (const row of showPrice(quote)) {
    row.querySelector(".watch-line-price")?.classList.remove("stale");
    row.querySelector("[data-age-note]")?.remove();
  }
}

/** The last known price, however old; gives the lines that show it. */
function showPrice(quote) {
  if (!quote?.instrument || quote.ltp === null || quote.ltp === undefined) return [];
  fillRow(quote.instrument, quote);
  const rows = [...document.querySelectorAll(`.watch-line[data-row="${CSS.escape(quote.instrument)}"]`)];
  for (const row of rows) movePointer(row.querySelector("[data-range-now]"), quote);
  return rows;
}

/** Where the price stands in the day's range; only a drawing, so plain numbers do. */
function movePointer(pointer, { ltp, low, high }) {
  const span = Number(high) - Number(low);
  if (!pointer || !(span > 0)) return;
  const place = Math.min(Math.max((Number(ltp) - Number(low)) / span, 0), 1) * 98;
  pointer.setAttribute("x", place.toFixed(1));
  pointer.removeAttribute("visibility");
}

function showClient(client) {
  const key = `client:${client.id}`;
  const cells = { ...client };
  if (client.last_action) {
    cells.last = client.last_action.text;
    cells.last_time = client.last_action.time;
  }
  fillRow(key, cells);
  for (const chip of document.querySelectorAll(`[data-row="${CSS.escape(key)}"] [data-client-state]`)) {
    if (client.state) chip.dataset.state = chip.textContent = client.state;
  }
}
