// Today's candles of one instrument, with the levels of its ladder, our fills, and the square-off as a vertical line.

import { DayScale, chartOptions, chartTime, colours, read, say, squareOffs } from "./chart_frame.js";
import { LevelNames, Moments } from "./chart_shapes.js";
import { price } from "./formats.js";

const [SOLID, DOTTED, DASHED] = [0, 1, 2];
const PIXELS_A_MINUTE = 4;
const ROOM_MINUTES = 24; // right of the newest candle, where the names of the levels stand
const RELOADS_AFTER_MS = 1500;

const onAxis = (value) => price(value.toFixed(2));

export function priceChart(box) {
  const { createChart, CandlestickSeries, createSeriesMarkers } = window.LightweightCharts;
  const chart = createChart(box, chartOptions(onAxis));
  let inSight = [];
  const series = chart.addSeries(CandlestickSeries, { ...candleOptions(), autoscaleInfoProvider: (own) => widened(own(), inSight) });
  const markers = createSeriesMarkers(series, []);
  const [scale, names, moments] = [new DayScale(chart, ROOM_MINUTES), new LevelNames(), new Moments()];
  series.attachPrimitive(names);
  series.attachPrimitive(moments);
  const choice = box.closest("section")?.querySelector("[data-chart-choice]");
  let lines = [];
  let candle = null;
  let shown = "";
  let told = "";
  let reloads = 0;

  async function show(instrument, { isAgain = false } = {}) {
    shown = instrument;
    if (!isAgain) box.dataset.loading = "";
    const data = instrument ? await read(box, `?instrument=${encodeURIComponent(instrument)}`) : null;
    if (shown !== instrument) return;
    const range = scale.range;
    const rows = (data?.candles ?? []).map(toCandle);
    scale.set(data?.day ?? null);
    series.setData(rows);
    candle = rows.at(-1) ?? null;
    markers.setMarkers(rows.length ? data.fills.map(toMarker) : []);
    moments.set(squareOffs(data?.day));
    redraw(data?.position ?? null, data?.entries ?? null);
    say(box, rows.length ? "" : emptyWords(instrument, data));
    box.setAttribute("aria-label", instrument ? `Price of ${instrument} today, with levels and fills` : "Price");
    if (isAgain && range) scale.show(range);
    else scale.showUntil(candle?.time ?? 0, Math.max(60, Math.round(box.clientWidth / PIXELS_A_MINUTE)));
  }

  function redraw(position, entries) {
    for (const line of lines) series.removePriceLine(line);
    const levels = position?.levels ? levelsOf(position) : entriesOf(entries);
    told = toldOf(position);
    lines = levels.map(({ price: at, colour, style, title }) =>
      series.createPriceLine({ price: at, title, color: colour, lineStyle: style, lineWidth: 1, axisLabelVisible: title !== "" }),
    );
    inSight = levels.filter((level) => level.isNear).map((level) => level.price);
    names.set(levels.filter((level) => level.name).map(({ price: at, name, colour }) => ({ price: at, text: name, colour })));
  }

  function reload() {
    window.clearTimeout(reloads);
    reloads = window.setTimeout(() => show(shown, { isAgain: true }), RELOADS_AFTER_MS);
  }

  window.algo?.live.on("quote", (quote) => {
    if (quote.instrument !== shown || box.dataset.loading !== undefined) return;
    const before = candle?.time;
    candle = nextCandle(candle, quote);
    series.update(candle);
    if (candle.time !== before) scale.follow(candle.time);
    say(box, "");
  });
  window.algo?.live.on("position", (data) => {
    nameOption(choice, data);
    if (data.instrument !== shown || toldOf(data) === told) return;
    if (data.open && data.levels) redraw(data, null);
    reload(); // the fills behind it, and both entry levels once it is flat
  });
  choice?.addEventListener("change", () => show(choice.value));
  document.addEventListener("algo:instrument", (event) => {
    if (!choice || ![...choice.options].some((option) => option.value === event.detail)) return;
    choice.value = event.detail;
    show(event.detail);
  });
  show(choice?.value ?? "");
  return {
    recolour() {
      chart.applyOptions(chartOptions(onAxis));
      series.applyOptions(candleOptions());
      if (shown) show(shown, { isAgain: true });
    },
  };
}

/** Say in the list of instruments which ones are open. */
function nameOption(choice, { instrument, open }) {
  const option = [...(choice?.options ?? [])].find(({ value }) => value === instrument);
  if (option) option.textContent = option.textContent.trim().replace(/ \(open\)$/, "") + (open ? " (open)" : "");
}

function emptyWords(instrument, data) {
  if (!instrument) return "Watch an instrument to see its candles.";
  return data ? data.why || "No candle yet today." : "The candles could not be loaded. Stops and orders do not depend on them.";
}

/** What of a position the lines show: when it changes they are drawn anew. */
function toldOf(position) {
  return position?.open ? [position.side, position.k, position.stop, position.levels?.entry].join("|") : "";
}

function candleOptions() {
  const of = colours();
  const [up, down] = [of("up"), of("down")];
  return { upColor: up, downColor: down, wickUpColor: up, wickDownColor: down, borderVisible: false };
}

/** Widen the price axis to the levels that matter now, but never so far that the candles become a line. */
function widened(info, inSight) {
  if (!info?.priceRange) return info;
  const { minValue, maxValue } = info.priceRange;
  const room = 2 * (maxValue - minValue);
  const near = inSight.filter((level) => level > minValue - room && level < maxValue + room);
  return { ...info, priceRange: { minValue: Math.min(minValue, ...near), maxValue: Math.max(maxValue, ...near) } };
}

function toCandle(row) {
  const number = (name) => Number(row[name]);
  return { time: chartTime(row.time), open: number("open"), high: number("high"), low: number("low"), close: number("close") };
}

function nextCandle(candle, quote) {
  const time = chartTime(Math.floor(quote.at_ms / 1000));
  const value = Number(quote.ltp);
  if (!candle || time > candle.time) return { time, open: value, high: value, low: value, close: value };
  return { ...candle, high: Math.max(candle.high, value), low: Math.min(candle.low, value), close: value };
}

function toMarker(fill) {
  const of = colours();
  const isBuy = fill.side === "BUY";
  return {
    time: chartTime(fill.time),
    position: isBuy ? "belowBar" : "aboveBar",
    shape: isBuy ? "arrowUp" : "arrowDown",
    color: of(isBuy ? "buy" : "sell"),
    text: String(fill.quantity),
  };
}

/** Entry, T1..T10 and Y1..Y10: what is reached or passed is dimmed, the stop in force is solid. */
function levelsOf({ levels, k, y, stop }) {
  const of = colours();
  const targets = levels.targets.map((at, index) => ({
    price: Number(at),
    name: `T${index + 1}`,
    title: index === k ? `T${index + 1}` : "",
    colour: index < k ? of("ink-3") : of("up"),
    style: DASHED,
    isNear: index === k,
  }));
  const drawn = [{ price: Number(levels.entry), name: "", title: "entry", colour: of("ink-2"), style: SOLID, isNear: true }, ...targets];
  levels.stops.forEach((at, index) => {
    const same = drawn.find((level) => level.price === Number(at));
    if (index + 1 === y && stop) return;
    if (same) same.name = same.name ? `${same.name} Y${index + 1}` : "";
    else drawn.push({ price: Number(at), name: `Y${index + 1}`, title: "", colour: of("ink-3"), style: DOTTED, isNear: false });
  });
  if (stop) drawn.push({ price: Number(stop), name: "", title: `Y${y}`, colour: of("down"), style: SOLID, isNear: true });
  return drawn;
}

/** While nothing is open: where the ladder would enter. */
function entriesOf(entries) {
  if (!entries) return [];
  const of = colours();
  const line = (at, title, colour) => ({ price: Number(at), name: "", title, colour: of(colour), style: DASHED, isNear: true });
  return [line(entries.long, "buy", "buy"), line(entries.short, "sell", "sell")];
}
