// Numbers as the pages write them. Values arrive as decimal strings, so that no float ever touches money.

const EM_DASH = "—";
const PHASES = {
  pre_market: "Before the market",
  pre_open: "Pre-open",
  open: "Market open",
  continuous: "Market open",
  closing_auction: "Closing auction",
  cas_reference: "Closing auction",
  cas_entry: "Closing auction",
  cas_limit_only: "Closing auction",
  cas_matching: "Closing auction",
  post_close: "Post-close",
  closed: "Market closed",
};

/** Group digits the Indian way: 1234567 -> 12,34,567. */
export function groupIndian(digits) {
  if (digits.length <= 3) return digits;
  const head = digits.slice(0, -3).replace(/\B(?=(\d{2})+$)/g, ",");
  return `${head},${digits.slice(-3)}`;
}

/** Split a decimal string, rounded half up to `places`, the way the server rounds. */
function parts(value, places) {
  const match = /^(-?)(\d+)(?:\.(\d*))?$/.exec(String(value));
  if (!match) return null;
  const kept = (match[3] ?? "").padEnd(places + 1, "0").slice(0, places + 1);
  const rounded = (BigInt(match[2] + kept) + 5n) / 10n;
  const digits = String(rounded).padStart(places + 1, "0");
  const isZero = rounded === 0n;
  return {
    negative: match[1] === "-" && !isZero,
    isZero,
    whole: digits.slice(0, digits.length - places),
    fraction: digits.slice(digits.length - places),
  };
}

/** A price or an amount without a sign of its own: "1234.5" -> "1,234.50"; unknown is an em dash. */
export function price(value, places = 2) {
  const p = parts(value, places);
  if (!p) return EM_DASH;
  return `${p.negative ? "−" : ""}${groupIndian(p.whole)}${places ? `.${p.fraction}` : ""}`;
}

/** Profit and loss: always a sign, never minus zero. */
export function pnl(value) {
  const p = parts(value, 2);
  if (!p) return EM_DASH;
  const sign = p.isZero ? "" : p.negative ? "−" : "+";
  return `${sign}₹${groupIndian(p.whole)}.${p.fraction}`;
}

/** "up", "down" or "flat", judged on the paisa that is shown. */
export function signOf(value) {
  const p = parts(value, 2);
  if (!p || p.isZero) return "flat";
  return p.negative ? "down" : "up";
}

export function percent(value) {
  const p = parts(value, 2);
  if (!p) return "";
  const sign = p.isZero ? "" : p.negative ? "−" : "+";
  return `${sign}${p.whole}.${p.fraction} %`;
}

const AGE_WORDS = [
  [86400, "days"],
  [3600, "h"],
  [60, "min"],
];

/** Seconds as a person says them: "0.4 s", "12 s", "3 min", "5 h", "2 days". */
export function age(seconds) {
  const s = Number(seconds);
  if (!Number.isFinite(s)) return EM_DASH;
  if (s < 10) return `${s.toFixed(1)} s`;
  if (s < 120) return `${Math.round(s)} s`;
  const [size, word] = AGE_WORDS.find(([unit]) => s >= 2 * unit);
  return `${Math.floor(s / size)} ${word}`;
}

/** "2026-11-23T10:42:07.123+05:30" -> "10:42:07". */
export function clockTime(iso) {
  const match = /T(\d{2}:\d{2}:\d{2})/.exec(String(iso));
  return match ? match[1] : EM_DASH;
}

/** An amount: "1234.5" -> "₹1,234.50". */
export function rupees(value) {
  const text = price(value);
  return text === EM_DASH ? text : text.startsWith("−") ? `−₹${text.slice(1)}` : `₹${text}`;
}

export const FORMATS = {
  price,
  rupees,
  pnl,
  percent,
  age,
  time: clockTime,
  whole: (value) => price(value, 0),
  phase: (value) => PHASES[value] ?? String(value ?? EM_DASH),
  text: (value) => (value === null || value === undefined || value === "" ? EM_DASH : String(value)),
};
