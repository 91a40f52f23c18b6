// Writes changed values into the page: at most four times a second, tinting what moved.

import { FORMATS, signOf } from "./formats.js";

const FLUSH_MS = 250;
const pending = new Map();
let timer = 0;

/** Put a value into an element; `data-format` names its format (text when absent). */
export function put(element, value) {
  pending.set(element, value);
  if (!timer) timer = window.setTimeout(flush, FLUSH_MS);
}

/** Write everything that waits, now. */
export function flush() {
  window.clearTimeout(timer);
  timer = 0;
  for (const [element, value] of pending) write(element, value);
  pending.clear();
}

function write(element, value) {
  const format = FORMATS[element.dataset.format] ?? FORMATS.text;
  const text = format(value);
  if (element.dataset.format === "pnl" || element.dataset.format === "percent") element.dataset.sign = signOf(value);
  if (element.textContent === text) return;
  const before = Number(element.dataset.value);
  element.textContent = text;
  element.dataset.value = value ?? "";
  if (element.hasAttribute("data-tint") && !Number.isNaN(before)) tint(element, Number(value) >= before);
}

/** Green and red belong to P&L alone; what else moves tints in the neutral colour. */
function tint(element, isUp) {
  element.classList.remove("tint", "tint-up", "tint-down");
  void element.offsetWidth; // restarts the animation
  element.classList.add(element.classList.contains("pnl") ? (isUp ? "tint-up" : "tint-down") : "tint");
}

/** Fill every element under `root` whose `data-live` is "<prefix>.<field>". */
export function fill(prefix, data, root = document) {
  for (const [field, value] of Object.entries(data ?? {})) {
    for (const element of root.querySelectorAll(`[data-live="${prefix}.${field}"]`)) put(element, value);
  }
}

/** Fill the cells (`data-cell`) of every row whose `data-row` is `key`. */
export function fillRow(key, data) {
  for (const row of document.querySelectorAll(`[data-row="${CSS.escape(key)}"]`)) {
    for (const cell of row.querySelectorAll("[data-cell]")) {
      if (cell.dataset.cell in data) put(cell, data[cell.dataset.cell]);
    }
  }
}
