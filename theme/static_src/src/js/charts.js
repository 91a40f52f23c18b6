// Price and P&L charts by lightweight-charts (window.LightweightCharts), loaded only on pages that show them.

const IST_S = 5.5 * 3600; // the library draws UTC; the market lives in India
const MINUTE_S = 60;

const charts = [];

start();
new MutationObserver(() => charts.forEach((chart) => chart.recolour())).observe(document.documentElement, {
  attributeFilter: ["data-theme"],
});

function start() {
  for (const box of document.querySelectorAll('[data-chart="pnl"]')) charts.push(pnlChart(box));
  for (const box of document.querySelectorAll('[data-chart="price"]')) charts.push(priceChart(box));
}

function colours() {
  const style = getComputedStyle(document.documentElement);
  return (name) => style.getPropertyValue(`--${name}`).trim();
}

function options() {
  const of = colours();
  return {
    autoSize: true,
    layout: {
      background: { color: "transparent" },
      textColor: of("ink-3"),
      fontFamily: "Inter, system-ui, sans-serif",
      fontSize: 11,
      attributionLogo: false, // the credit with its link stands beneath the chart
    },
    grid: { vertLines: { color: of("line") }, horzLines: { color: of("line") } },
    rightPriceScale: { borderColor: of("line") },
    timeScale: { borderColor: of("line"), timeVisible: true, secondsVisible: false },
    crosshair: { mode: 0 },
  };
}

async function read(box, query = "") {
  const reply = await fetch(box.dataset.url + query, { credentials: "same-origin" }).catch(() => null);
  return reply?.ok ? reply.json() : null;
}

function say(box, words) {
  let text = box.querySelector(".chart-empty");
  if (!text) {
    text = document.createElement("p");
    text.className = "chart-empty";
    box.append(text);
  }
  text.textContent = words;
  text.hidden = !words;
}

function pnlChart(box) {
  const { createChart, BaselineSeries } = window.LightweightCharts;
  const chart = createChart(box, options());
  const series = chart.addSeries(BaselineSeries, pnlOptions());
  let newest = 0;
  let marketAt = 0;
  read(box).then((data) => {
    const points = (data?.points ?? []).map((point) => ({ time: point.at + IST_S, value: Number(point.total) }));
    series.setData(points);
    newest = points.at(-1)?.time ?? 0;
    say(box, !data ? "The P&L line could not be loaded." : points.length ? "" : "The line begins with the first price of the day.");
    chart.timeScale().fitContent();
  });
  window.algo?.live.on("market", (market) => (marketAt = Date.parse(market.time) / 1000));
  window.algo?.live.on("pnl", (pnl) => {
    const time = marketAt - (marketAt % MINUTE_S) + IST_S;
    if (!marketAt || pnl.total === null || time < newest) return;
    newest = time;
    series.update({ time, value: Number(pnl.total) });
    say(box, "");
  });
  return {
    recolour() {
      chart.applyOptions(options());
      series.applyOptions(pnlOptions());
    },
  };
}

function pnlOptions() {
  const of = colours();
  return {
    baseValue: { type: "price", price: 0 },
    topLineColor: of("up"),
    topFillColor1: of("up-soft"),
    topFillColor2: "transparent",
    bottomLineColor: of("down"),
    bottomFillColor1: "transparent",
    bottomFillColor2: of("down-soft"),
    lineWidth: 2,
    priceFormat: { type: "price", precision: 2, minMove: 0.01 },
  };
}

function priceChart(box) {
  const { createChart, CandlestickSeries, createSeriesMarkers } = window.LightweightCharts;
  const chart = createChart(box, options());
  const series = chart.addSeries(CandlestickSeries, candleOptions());
  const markers = createSeriesMarkers(series, []);
  const choice = box.closest("section")?.querySelector("[data-chart-choice]");
  let lines = [];
  let candle = null;
  let shown = "";

  async function show(instrument) {
    shown = instrument;
    const data = instrument ? await read(box, `?instrument=${encodeURIComponent(instrument)}`) : null;
    if (shown !== instrument) return;
    for (const line of lines) series.removePriceLine(line);
    lines = [];
    const rows = (data?.candles ?? []).map(toCandle);
    series.setData(rows);
    candle = rows.at(-1) ?? null;
    markers.setMarkers(rows.length ? data.fills.map(toMarker) : []);
    if (data?.position?.levels) lines = drawLevels(series, data.position);
    say(box, rows.length ? "" : !instrument ? "Watch an instrument to see its candles." : (data?.why || "No candle yet today."));
    chart.timeScale().fitContent();
  }

  window.algo?.live.on("quote", (quote) => {
    if (quote.instrument !== shown) return;
    candle = nextCandle(candle, quote);
    series.update(candle);
    say(box, "");
  });
  choice?.addEventListener("change", () => show(choice.value));
  show(choice?.value ?? "");
  return {
    recolour() {
      chart.applyOptions(options());
      series.applyOptions(candleOptions());
    },
  };
}

function candleOptions() {
  const of = colours();
  const [up, down] = [of("up"), of("down")];
  return { upColor: up, downColor: down, wickUpColor: up, wickDownColor: down, borderVisible: false };
}

function toCandle(row) {
  const number = (name) => Number(row[name]);
  return { time: row.time + IST_S, open: number("open"), high: number("high"), low: number("low"), close: number("close") };
}

function nextCandle(candle, quote) {
  const at = Math.floor(quote.at_ms / 1000);
  const time = at - (at % MINUTE_S) + IST_S;
  const value = Number(quote.ltp);
  if (!candle || time > candle.time) return { time, open: value, high: value, low: value, close: value };
  return { ...candle, high: Math.max(candle.high, value), low: Math.min(candle.low, value), close: value };
}

function toMarker(fill) {
  const of = colours();
  const isBuy = fill.side === "BUY";
  return {
    time: fill.time - (fill.time % MINUTE_S) + IST_S,
    position: isBuy ? "belowBar" : "aboveBar",
    shape: isBuy ? "arrowUp" : "arrowDown",
    color: of(isBuy ? "buy" : "sell"),
    text: String(fill.quantity),
  };
}

/** Entry, targets (reached ones dimmed) and the stop in force as lines across the chart. */
function drawLevels(series, position) {
  const of = colours();
  const line = (price, title, color, lineStyle) =>
    series.createPriceLine({ price: Number(price), title, color, lineStyle, lineWidth: 1, axisLabelVisible: title !== "" });
  const targets = position.levels.targets.map((price, index) => {
    const isReached = index < position.k;
    return line(price, index === position.k ? `T${index + 1}` : "", isReached ? of("line-strong") : of("up"), 2);
  });
  const drawn = [line(position.levels.entry, "entry", of("ink-2"), 0), ...targets];
  if (position.stop) drawn.push(line(position.stop, `Y${position.y}`, of("down"), 0));
  return drawn;
}
