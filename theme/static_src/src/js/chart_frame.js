// What both charts share: colours and options of the theme, times of India, the day's minutes, and reading.

const MINUTE_S = 60;
const IST_S = 5.5 * 3600; // the library draws UTC; the market lives in India
const FEWEST_MINUTES = 120;

/** Epoch seconds as the library shall show them: Indian time, to the minute. */
export function chartTime(at) {
  return at - (at % MINUTE_S) + IST_S;
}

export function colours() {
  const style = getComputedStyle(document.documentElement);
  return (name) => style.getPropertyValue(`--${name}`).trim();
}

export function chartOptions(formatPrice) {
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
    localization: { priceFormatter: formatPrice },
    grid: { vertLines: { color: of("line") }, horzLines: { color: of("line") } },
    rightPriceScale: { borderColor: of("line"), minimumWidth: 64 },
    timeScale: { borderColor: of("line"), timeVisible: true, secondsVisible: false },
    crosshair: { mode: 0 },
  };
}

export async function read(box, query = "") {
  const reply = await fetch(box.dataset.url + query, { credentials: "same-origin" }).catch(() => null);
  return reply?.ok ? reply.json().catch(() => null) : null;
}

/** The day's square-offs as `Moments` takes them. */
export function squareOffs(day) {
  return (day?.square_offs ?? []).map(({ at, time }) => ({ time: chartTime(at), text: `square-off ${time}` }));
}

/** Say in words why there is nothing to see; "" takes the words away. The box is no skeleton any more. */
export function say(box, words) {
  let text = box.querySelector(".chart-empty");
  if (!text) {
    text = document.createElement("p");
    text.className = "chart-empty";
    box.append(text);
  }
  delete box.dataset.loading;
  text.textContent = words;
  text.hidden = !words;
}

/** Lay the day's minutes under a chart, so that moments to come have their place too. */
export class DayScale {
  /** `room` is how many minutes to come stand beside the newest one. */
  constructor(chart, room) {
    this.chart = chart;
    this.room = room;
    const { LineSeries } = window.LightweightCharts;
    this.minutes = chart.addSeries(LineSeries, { lastValueVisible: false, priceLineVisible: false, crosshairMarkerVisible: false });
    this.day = null;
    this.range = null;
    chart.timeScale().subscribeVisibleLogicalRangeChange((range) => (this.range = range));
  }

  set(day) {
    this.day = day;
    const times = [];
    for (let at = day?.open ?? 0; at <= (day?.close ?? -1); at += MINUTE_S) times.push({ time: chartTime(at) });
    this.minutes.setData(times);
  }

  indexOf(time) {
    return this.day ? (time - chartTime(this.day.open)) / MINUTE_S : 0;
  }

  /** Show from the opening to a little after `time`, or only the last `most` minutes. */
  showUntil(time, most = Infinity) {
    if (!this.day) {
      this.chart.timeScale().fitContent();
      return;
    }
    const to = Math.max(this.indexOf(time) + this.room, Math.min(FEWEST_MINUTES, most));
    this.show({ from: Math.max(0, to - most), to });
  }

  /** The library applies a range only with its next frame; until then its own answer would be the old one. */
  show(range) {
    this.range = range;
    this.chart.timeScale().setVisibleLogicalRange(range);
  }

  /** Keep the newest minute in sight, unless somebody looks elsewhere. */
  follow(time) {
    const [range, index, step] = [this.range, this.indexOf(time), this.room / 2];
    if (!range || !this.day || index > range.to || range.to - index >= step) return;
    this.show({ from: range.from <= 0 ? range.from : range.from + step, to: range.to + step });
  }
}
