// The page of the control port: asks every second, as long as somebody looks.

import { say } from "./api.js";
import { loadAccounts, showLedger } from "./accounts.js";
import { bindClock, showClock } from "./clock.js";
import { bindFaults, loadPresets, showFaults } from "./faults.js";
import { bindLog, showLog } from "./log.js";

const EVERY_MS = 1000;
let isLost = false;

async function look() {
  if (!document.hidden) {
    try {
      await showClock();
      if (await showLog()) await showFaults();
      await showLedger();
      if (isLost) say("");
      isLost = false;
    } catch {
      if (!isLost) say("The exchange does not answer. What is shown is old.", true);
      isLost = true;
    }
    document.body.classList.toggle("is-stale", isLost);
  }
  setTimeout(look, EVERY_MS);
}

function bindTheme() {
  const kept = localStorage.getItem("theme");
  if (kept) document.documentElement.dataset.theme = kept;
  document.getElementById("theme").addEventListener("click", () => {
    const isLight = getComputedStyle(document.documentElement).colorScheme === "light"
      || (!document.documentElement.dataset.theme && matchMedia("(prefers-color-scheme: light)").matches);
    const wanted = isLight ? "dark" : "light";
    document.documentElement.dataset.theme = wanted;
    localStorage.setItem("theme", wanted);
  });
}

function bindKeys() {
  const keys = { h: "hold", s: "step", f: "preset" };
  document.addEventListener("keydown", (event) => {
    const isTyping = event.target.closest("input, select, textarea");
    const id = keys[event.key];
    if (!id || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const element = document.getElementById(id);
    if (id === "preset") element.focus();
    else element.click();
  });
}

bindTheme();
bindKeys();
bindClock();
bindFaults();
bindLog();
try {
  await loadAccounts();
  await loadPresets();
  await showFaults();
} catch {
  say("The exchange does not answer. Open this page again when it runs.", true);
}
look();
