// The one small module of every page. Reading works without it.

import * as cells from "./cells.js";
import * as formats from "./formats.js";
import { watchAlarms } from "./alarms.js";
import { watchBar } from "./bar.js";
import { bindKeys } from "./keyboard.js";
import { Live } from "./live.js";
import { addSecretToggles } from "./secrets.js";
import { bindSearch, watchLines } from "./watch.js";

bindKeys();
bindSearch();
addSecretToggles();
document.addEventListener("htmx:afterSwap", (event) => addSecretToggles(event.target));

const path = document.body.dataset.livePath;
if (path) {
  const live = new Live(path);
  watchBar(live);
  watchLines(live);
  watchAlarms(live);
  // Pages with more to show (charts, ladder strips) add their handlers to this.
  window.algo = { live, cells, formats };
  document.dispatchEvent(new CustomEvent("algo:live", { detail: window.algo }));
  live.start();
}
