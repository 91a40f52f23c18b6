// P&L through the day: an area around zero, the drawdown shaded, the square-offs as vertical lines.

import { DayScale, chartOptions, chartTime, colours, read, say, squareOffs } from "./chart_frame.js";
import { Drawdown, Moments } from "./chart_shapes.js";
import { pnl as pnlWords, price } from "./formats.js";

const EMPTY = "The line begins with the first price of the day.";

/** P&L on an axis: grouped, with its sign, without paise where rupees say enough. */
function onAxis(value) {
  const places = Math.abs(value) >= 100 ? 0 : 2;
  const text = price(value.toFixed(places), places);
  return value > 0 ? `+${text}` : text;
}

export function pnlChart(box) {
  const { createChart, BaselineSeries } = window.LightweightCharts;
  const chart = createChart(box, chartOptions(onAxis));
  const series = chart.addSeries(BaselineSeries, pnlOptions());
  const [scale, drawdown, moments] = [new DayScale(chart, 12), new Drawdown(), new Moments()];
  series.attachPrimitive(drawdown);
  series.attachPrimitive(moments);
  let points = [];
  let marketAt = 0;
  box.dataset.loading = "";

  function draw() {
    drawdown.set(points);
    say(box, points.length ? "" : EMPTY);
    const now = points.at(-1);
    const words = now ? `now ${pnlWords(now.value.toFixed(2))}, deepest drawdown ${pnlWords(drawdown.deepest.toFixed(2))}` : EMPTY;
    box.setAttribute("aria-label", `P&L today: ${words}`);
    const note = box.closest("section")?.querySelector("[data-drawdown]");
    if (note) note.textContent = drawdown.deepest < 0 ? `, drawdown ${pnlWords(drawdown.deepest.toFixed(2))}` : "";
  }

  function add(total) {
    if (total === null || total === undefined || !marketAt) return;
    const time = chartTime(marketAt);
    const last = points.at(-1);
    if (last && time < last.time) return;
    const point = { time, value: Number(total) };
    points = last?.time === time ? [...points.slice(0, -1), point] : [...points, point];
    series.update(point);
    scale.follow(time);
    draw();
  }

  const loaded = read(box).then((data) => {
    scale.set(data?.day ?? null);
    points = (data?.points ?? []).map((point) => ({ time: chartTime(point.at), value: Number(point.total) }));
    series.setData(points);
    moments.set(squareOffs(data?.day));
    scale.showUntil(points.at(-1)?.time ?? 0);
    draw();
    if (!data) say(box, "The P&L line could not be loaded. The figures above go on; open the page again for the line.");
  });
  const noteTime = (market) => {
    if (market?.time) marketAt = Date.parse(market.time) / 1000;
  };
  window.algo?.live.on("market", noteTime);
  window.algo?.live.on("pnl", (pnl) => loaded.then(() => add(pnl.total)));
  window.algo?.live.on("snapshot", (data) => {
    noteTime(data.market);
    loaded.then(() => data.positions?.some((row) => row.bought || row.sold) && add(data.pnl?.total));
  });
  return {
    recolour() {
      chart.applyOptions(chartOptions(onAxis));
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
    priceLineVisible: false,
  };
}
