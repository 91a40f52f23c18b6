// Accounts: how to sign in, and what each one's ledger says.

import { ask, make, option, say } from "./api.js";

const at = (id) => document.getElementById(id);
const rupees = new Intl.NumberFormat("en-IN", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const cards = new Map();

export async function loadAccounts() {
  const { users } = await ask("/users");
  const choices = () => [option("", "all"), ...users.map((one) => option(one.user_id, one.user_id))];
  at("fault-user").replaceChildren(...choices());
  at("log-user").replaceChildren(...choices());
  at("account-list").replaceChildren(...users.map(card));
}

function card(user) {
  const item = make("li");
  const head = make("div", "", "head");
  head.append(make("strong", user.user_id));
  const sums = make("span", "—", "soft");
  head.append(sums);
  const positions = make("div");
  const keys = make("details");
  keys.append(make("summary", "Sign in and keys"), list(user));
  item.append(head, positions, keys);
  cards.set(user.user_id, { sums, positions });
  return item;
}

function list(user) {
  const names = { password: "Password", totp: "One-time code", api_key: "api_key", api_secret: "api_secret" };
  const found = make("dl");
  for (const [name, word] of Object.entries(names)) {
    const value = make("dd");
    const copy = make("button", user[name], "ghost");
    copy.type = "button";
    copy.title = "Copy";
    copy.addEventListener("click", async () => {
      await navigator.clipboard.writeText(user[name]);
      say(`${word} of ${user.user_id} is copied.`);
    });
    value.append(copy);
    found.append(make("dt", word), value);
  }
  return found;
}

export async function showLedger() {
  const { accounts } = await ask("/ledger/summary");
  for (const [userId, one] of Object.entries(accounts)) {
    const card = cards.get(userId);
    if (!card) continue;
    const pnl = money(one.pnl);
    card.sums.replaceChildren(pnl, ` today · ${one.orders} orders, ${one.live} live · cash ₹${rupees.format(one.cash)}`);
    card.positions.replaceChildren(...(one.positions.length ? [table(one.positions)] : []));
  }
}

function money(text) {
  const value = Number(text);
  const sign = value > 0 ? "+" : value < 0 ? "−" : "";
  return make("span", `${sign}₹${rupees.format(Math.abs(value))}`, value > 0 ? "gain" : value < 0 ? "loss" : "");
}

function table(positions) {
  const found = make("table");
  const head = found.createTHead().insertRow();
  for (const [word, kind] of [["Position", ""], ["", ""], ["Quantity", "number"], ["P&L", "number"]]) {
    const cell = make(word ? "th" : "td", word, kind);
    head.append(cell);
  }
  const body = found.createTBody();
  for (const one of positions) {
    const row = body.insertRow();
    row.append(make("td", one.instrument), make("td", one.product), make("td", String(one.net_quantity), "number"));
    const cell = make("td", "", "number");
    cell.append(money(one.pnl));
    row.append(cell);
  }
  return found;
}
