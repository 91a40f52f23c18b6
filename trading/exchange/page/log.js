// What was injected, growing: one sentence each, the newest on top.

import { ask, make } from "./api.js";

const at = (id) => document.getElementById(id);
const MOST_LINES = 200;
let last = 0;
let shownFor = "";

/** Give true when something new happened. */
export async function showLog() {
  const user = at("log-user").value;
  if (user !== shownFor) {
    shownFor = user;
    last = 0;
    at("log").replaceChildren();
  }
  const filter = user ? `&user_id=${encodeURIComponent(user)}` : "";
  const found = await ask(`/faults/log?since=${last}&most=${MOST_LINES}${filter}`);
  if (shownFor !== at("log-user").value) return false;
  const total = Object.values(found.injected).reduce((sum, one) => sum + one, 0);
  at("log-count").textContent = total ? `${total} in all` : "";
  const isNew = found.last > last;
  last = found.last;
  if (found.log.length) at("log").querySelector(".empty")?.remove();
  at("log").prepend(...found.log.map(line).reverse());
  while (at("log").children.length > MOST_LINES) at("log").lastElementChild.remove();
  if (!at("log").children.length) at("log").append(make("li", "Nothing yet.", "empty"));
  return isNew;
}

function line(entry) {
  const item = make("li");
  const moment = make("time", entry.at.slice(11, 19));
  moment.dateTime = entry.at;
  const what = [entry.action, entry.method, entry.path, entry.instrument ?? ""].filter(Boolean).join(" ");
  const who = entry.user_id || "all accounts";
  item.append(moment, make("strong", entry.script || `rule ${entry.rule_id}`), ` ${what} · ${who}`);
  if (entry.detail) item.append(make("div", entry.detail, "soft"));
  return item;
}

export function bindLog() {
  at("log-user").addEventListener("change", showLog);
}
