// What the library does not draw by itself: vertical lines at moments, names of levels, and the shade of a drawdown.
// Each is a series primitive of lightweight-charts.

import { colours } from "./chart_frame.js";

const FONT = "600 10px Inter, system-ui, sans-serif";
const LINE_HEIGHT = 12;
const TITLE_WIDTH = 44; // where the library writes the titles of its own price lines

class Shape {
  constructor(order) {
    this.order = order;
    this.items = [];
  }

  attached({ chart, series, requestUpdate }) {
    Object.assign(this, { chart, series, requestUpdate });
  }

  set(items) {
    this.items = items;
    this.requestUpdate?.();
  }

  updateAllViews() {}

  paneViews() {
    return [{ zOrder: () => this.order, renderer: () => ({ draw: (target) => this.drawOn(target) }) }];
  }

  drawOn(target) {
    target.useMediaCoordinateSpace(({ context, mediaSize }) => {
      context.save();
      this.draw(context, mediaSize);
      context.restore();
    });
  }

  x(time) {
    return this.chart.timeScale().timeToCoordinate(time);
  }
}

/** Moments as vertical lines: {time, text}. One that lies further right than the chart reaches is named at its edge. */
export class Moments extends Shape {
  constructor() {
    super("bottom");
  }

  draw(context, { width, height }) {
    const of = colours();
    Object.assign(context, { strokeStyle: of("warn"), fillStyle: of("warn"), font: FONT, textBaseline: "top" });
    context.setLineDash([4, 4]);
    let row = 0;
    for (const { time, text } of this.items) {
      const x = this.x(time);
      const isAhead = x === null || x > width;
      if (!isAhead && x < 0) continue;
      const y = 3 + LINE_HEIGHT * row++;
      if (isAhead) {
        context.textAlign = "right";
        context.fillText(`${text} ▸`, width - 4, y);
        continue;
      }
      context.beginPath();
      context.moveTo(Math.round(x) + 0.5, 0);
      context.lineTo(Math.round(x) + 0.5, height);
      context.stroke();
      context.textAlign = x > width / 2 ? "right" : "left";
      context.fillText(text, x + (x > width / 2 ? -4 : 4), y);
    }
  }
}

/** Names of levels left of the price axis: {price, text, colour}; where two would touch, the first one stays. */
export class LevelNames extends Shape {
  constructor() {
    super("normal");
  }

  draw(context, { height, width }) {
    Object.assign(context, { font: FONT, textBaseline: "middle", textAlign: "right" });
    const taken = [];
    for (const { price, text, colour } of this.items) {
      const y = this.series.priceToCoordinate(price);
      if (y === null || y < 18 || y > height - 6 || taken.some((other) => Math.abs(other - y) < LINE_HEIGHT)) continue;
      taken.push(y);
      context.fillStyle = colour;
      context.fillText(text, width - TITLE_WIDTH, y - 6);
    }
  }
}

/** The shade between the highest P&L so far (never below zero) and the P&L: {time, value} in order. */
export class Drawdown extends Shape {
  constructor() {
    super("bottom");
  }

  /** The deepest fall from a peak, zero or negative. */
  get deepest() {
    let [peak, worst] = [0, 0];
    for (const { value } of this.items) {
      peak = Math.max(peak, value);
      worst = Math.min(worst, value - peak);
    }
    return worst;
  }

  draw(context) {
    const placed = this.items.map(({ time, value }) => ({ x: this.x(time), value })).filter(({ x }) => x !== null);
    if (placed.length < 2) return;
    let peak = 0;
    context.beginPath();
    const back = [];
    for (const { x, value } of placed) {
      peak = Math.max(peak, value);
      context.lineTo(x, this.series.priceToCoordinate(peak));
      back.unshift([x, this.series.priceToCoordinate(value)]);
    }
    for (const [x, y] of back) context.lineTo(x, y);
    context.closePath();
    context.fillStyle = colours()("down-soft");
    context.fill();
  }
}
