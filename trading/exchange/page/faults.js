// Faults: choose one by name, see what is in force, take it out.

import { ask, make, option, order, say } from "./api.js";

const at = (id) => document.getElementById(id);
let presets = [];

export async function loadPresets() {
  presets = (await ask("/faults/presets")).presets;
  at("preset").replaceChildren(...presets.map((one) => option(one.preset, `${one.preset}  ${one.title}`)));
  describe();
}

function describe() {
  const chosen = presets.find((one) => one.preset === at("preset").value);
  at("says").textContent = chosen ? `${chosen.says[0].toUpperCase()}${chosen.says.slice(1)}.` : "";
  at("instrument").required = Boolean(chosen?.needs.includes("instrument"));
  at("fault-user").required = Boolean(chosen?.needs.includes("user_id"));
}

function wish() {
  const body = { preset: at("preset").value };
  if (at("fault-user").value) body.user_id = at("fault-user").value;
  if (at("instrument").value.trim()) body.instrument = at("instrument").value.trim();
  for (const [id, name] of [["prob", "prob"], ["after", "after"], ["count", "n"]]) {
    if (at(id).value !== "") body[name] = Number(at(id).value);
  }
  const span = {};
  if (at("from").value) span.from = at("from").value;
  if (at("to").value) span.until = at("to").value;
  if (Object.keys(span).length) body.at = span;
  return body;
}

async function change(method, path, body, done) {
  const answer = await order(method, path, body, done);
  if (answer) draw(answer);
  return answer !== null;
}

export async function showFaults() {
  draw(await ask("/faults?log=0"));
}

function draw(report) {
  const rules = report.rules;
  const total = Object.values(report.injected).reduce((sum, one) => sum + one, 0);
  at("force-count").textContent = rules.length ? `${total} injected so far` : "";
  at("clear").hidden = rules.length === 0;
  const focused = document.activeElement?.dataset.remove;
  const cards = [...grouped(rules).values()].map(card);
  at("force").replaceChildren(...(cards.length ? cards : [make("li", "Nothing: the exchange behaves.", "empty")]));
  if (focused) at("force").querySelector(`[data-remove="${focused}"]`)?.focus();
}

/** Put the rules of a script together; a rule of its own stands alone. */
function grouped(rules) {
  const groups = new Map();
  for (const rule of rules) {
    const key = rule.script || `rule ${rule.rule_id}`;
    groups.set(key, [...(groups.get(key) ?? []), rule]);
  }
  return groups;
}

function card(group) {
  const { script, rule_id: number } = group[0];
  const name = script || `Rule ${number}`;
  const path = script ? `/faults?script=${encodeURIComponent(script)}` : `/faults/${number}`;
  const item = make("li", "", group.every((one) => one.is_over) ? "is-over" : "");
  const head = make("div", "", "head");
  head.append(make("strong", name), make("span", titleOf(script), "soft"));
  const remove = make("button", "Remove");
  remove.type = "button";
  remove.dataset.remove = path;
  remove.setAttribute("aria-label", `Remove ${name}`);
  remove.addEventListener("click", () => change("DELETE", path, undefined, `${name} is out.`));
  head.append(remove);
  const lines = make("ul");
  lines.append(...group.map((one) => make("li", `${one.action} · ${detailOf(one)} · ${often(one)}`, "soft")));
  item.append(head, lines);
  return item;
}

function titleOf(script = "") {
  return presets.find((one) => one.preset === script.split("-")[0])?.title ?? "";
}

function often(rule) {
  const words = { 0: "not yet", 1: "once", 2: "twice" };
  return `${words[rule.injected] ?? `${rule.injected} times`}${rule.is_over ? ", over" : ""}`;
}

/** Say in words what a rule strikes and when. */
function detailOf(rule) {
  const parts = [rule.match.method ?? "", rule.match.path ?? "", rule.match.user_id ?? "all accounts", rule.match.instrument ?? ""];
  if (rule.at) parts.push(`${rule.at.from ?? ""} to ${rule.at.until ?? "the end"}`);
  if (rule.prob < 1) parts.push(`chance ${rule.prob}`);
  if (rule.n !== null) parts.push(rule.n === 1 ? "once at most" : `${rule.n} times at most`);
  if (rule.after) parts.push(`after ${rule.after}`);
  if (rule.for_s) parts.push(`for ${rule.for_s} s`);
  if (rule.every_s) parts.push(`every ${rule.every_s} s`);
  return parts.filter(Boolean).join(" · ");
}

export function bindFaults() {
  at("preset").addEventListener("change", describe);
  at("fault-form").addEventListener("submit", (event) => {
    event.preventDefault();
    change("POST", "/faults", wish(), `${at("preset").value} is in force.`);
  });
  at("own-form").addEventListener("submit", (event) => {
    event.preventDefault();
    let body;
    try {
      body = JSON.parse(at("own").value);
    } catch (error) {
      say(`The rule must be JSON: ${error.message}`, true);
      return;
    }
    change("POST", "/faults", body, "Your rule is in force.");
  });
  at("clear").addEventListener("click", () => change("DELETE", "/faults", undefined, "No fault is in force."));
}
