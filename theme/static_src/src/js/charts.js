// Price and P&L charts by lightweight-charts (window.LightweightCharts), loaded only on pages that show them.

import { pnlChart } from "./pnl_chart.js";
import { priceChart } from "./price_chart.js";

const charts = [
  ...[...document.querySelectorAll('[data-chart="pnl"]')].map(pnlChart),
  ...[...document.querySelectorAll('[data-chart="price"]')].map(priceChart),
];
new MutationObserver(() => charts.forEach((chart) => chart.recolour())).observe(document.documentElement, {
  attributeFilter: ["data-theme"],
});
