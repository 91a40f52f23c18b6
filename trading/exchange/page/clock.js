// The market clock: where it stands and the orders to it.

import { ask, order } from "./api.js";

const at = (id) => document.getElementById(id);
const WORDS = {
  pre_market: "before the market", pre_open: "pre-open", open: "open",
  closing_auction: "closing auction", post_close: "after the close", closed: "closed",
};
let clock = null;

export async function showClock() {
  clock = await ask("/clock");
  at("identity").textContent = clock.exchange_id;
  at("now").textContent = clock.now.slice(11, 19);
  at("now").dateTime = clock.now;
  at("day").textContent = clock.day;
  at("phase").textContent = WORDS[clock.phase] ?? clock.phase;
  at("pace").textContent = paceOf(clock);
  at("hold").textContent = clock.held ? "Resume" : "Hold";
  at("clock-orders").hidden = Boolean(clock.live);
  at("live-note").hidden = !clock.live;
  for (const id of ["hold", "step"]) at(id).disabled = clock.finished;
  if (document.activeElement !== at("speed")) at("speed").value = clock.speed;
  const names = clock.participants.map((one) => `${one.name} (${one.role}, ${one.state})`);
  at("participants").textContent = names.length ? `The market waits for ${names.join(", ")}.` : "";
}

function paceOf(one) {
  if (one.finished) return "the day is over";
  if (one.live) return "live prices";
  if (one.held) return "held";
  return one.speed > 1 ? `up to ${one.speed}×` : "real time";
}

async function send(body, done) {
  await order("POST", "/clock", body, done);
  await showClock();
}

export function bindClock() {
  at("hold").addEventListener("click", () => send(clock?.held ? { resume: true } : { hold: true }));
  at("step").addEventListener("click", () => send({ step: 1 }));
  at("until-form").addEventListener("submit", (event) => {
    event.preventDefault();
    send({ run_until: at("until").value }, `The market goes on until ${at("until").value}.`);
  });
  at("speed-form").addEventListener("submit", (event) => {
    event.preventDefault();
    send({ speed: Number(at("speed").value) });
  });
}
