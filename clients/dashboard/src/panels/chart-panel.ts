import type { Candle, CandleValues, Subscription } from "@tickwire/client";
import { CandlestickSeries, ColorType, createChart, HistogramSeries } from "lightweight-charts";
import type { IChartApi, ISeriesApi, UTCTimestamp } from "lightweight-charts";
import { CandleSeries, emptyStarts, type Bar } from "../market/candle-series.ts";
import type { Market } from "../market/market-rows.ts";
import { decimalsOf, intervalText } from "../market/number-text.ts";
import { el, panel, setText } from "../page/dom.ts";
import type { Context, Panel } from "./context.ts";

const PAGE_SIZE = 1_000;
/** Lengths that are made of a venue's own candles where it has a part of them. */
const LENGTHS_MS = [60_000, 300_000, 900_000, 3_600_000, 14_400_000, 86_400_000];
/** Bars left of the screen at which the page before is asked for. */
const BARS_AHEAD = 50;

/** Candles and volume: history as far as the gateway has it, and on from there live. */
export class ChartPanel implements Panel {
  readonly element: HTMLElement;
  readonly #context: Context;
  readonly #intervals = el("div", {
    class: "intervals",
    role: "group",
    "aria-label": "Candle length",
  });
  readonly #note = el("span", { class: "muted", id: "chart-note" });
  readonly #chart: IChartApi;
  readonly #candles: ISeriesApi<"Candlestick">;
  readonly #volumes: ISeriesApi<"Histogram">;
  #market: Market | undefined;
  #series = new CandleSeries(60_000);
  #subscription: Subscription | undefined;
  /** What is asked for; an answer to anything else comes too late. */
  #request = Symbol("chart");
  #pageToken: string | undefined;
  #isLoading = false;
  #needsAll = false;
  #changed: Bar | undefined;

  constructor(context: Context) {
    this.#context = context;
    const { element, body } = panel("chart", "Chart", this.#intervals, this.#note);
    const host = el("div", { class: "chart-host" });
    body.append(host);
    this.element = element;
    this.#chart = createChart(host, {
      autoSize: true,
      layout: { attributionLogo: false, fontSize: 11 },
      timeScale: { timeVisible: true, secondsVisible: false, rightOffset: 4, barSpacing: 9 },
      crosshair: { mode: 0 },
    });
    this.#candles = this.#chart.addSeries(CandlestickSeries, { priceLineVisible: true });
    this.#volumes = this.#chart.addSeries(HistogramSeries, {
      priceScaleId: "volume",
      priceFormat: { type: "volume" },
      lastValueVisible: false,
      priceLineVisible: false,
    });
    this.#chart.priceScale("volume").applyOptions({ scaleMargins: { top: 0.82, bottom: 0 } });
    this.#candles.priceScale().applyOptions({ scaleMargins: { top: 0.08, bottom: 0.22 } });
    this.#chart.timeScale().subscribeVisibleLogicalRangeChange((range) => {
      if (range !== null && range.from < BARS_AHEAD) void this.#loadOlder();
    });
  }

  /** Takes the colours of the theme, which are the style sheet's to say. */
  recolour(): void {
    const style = getComputedStyle(this.element);
    const colour = (name: string): string => style.getPropertyValue(name).trim();
    const [up, down] = [colour("--up"), colour("--down")];
    const line = { color: colour("--line-soft") };
    this.#chart.applyOptions({
      layout: {
        background: { type: ColorType.Solid, color: colour("--panel") },
        textColor: colour("--muted"),
      },
      grid: { vertLines: line, horzLines: line },
      rightPriceScale: { borderColor: colour("--line") },
      timeScale: { borderColor: colour("--line") },
    });
    this.#candles.applyOptions({
      upColor: up,
      downColor: down,
      wickUpColor: up,
      wickDownColor: down,
      borderVisible: false,
    });
    this.#needsAll = true;
    this.#context.redraw();
  }

  show(market: Market): void {
    this.#subscription?.close();
    this.#market = market;
    const native = market.instrument.candleIntervalsMs;
    const lengths = lengthsOf(native);
    const wanted = this.#context.view().intervalMs;
    const shown = lengths.includes(wanted) ? wanted : (lengths[0] ?? 60_000);
    this.#series = new CandleSeries(shown);
    this.#pageToken = undefined;
    this.#request = Symbol("chart");
    this.#needsAll = true;
    this.#drawIntervals(lengths, shown);
    const decimals = decimalsOf(market.instrument.priceIncrementText) ?? 2;
    this.#candles.applyOptions({
      priceFormat: {
        type: "price",
        precision: decimals,
        minMove: Number(market.instrument.priceIncrementText ?? 0.01),
      },
    });
    const part = partOf(shown, native);
    setText(this.#note, part === undefined ? "This market has no candles." : "loading history …");
    this.#context.redraw();
    if (part === undefined) return;
    // Live first, so that history, which is asked for afterwards, leaves no hole before it.
    this.#subscription = this.#context.client.onCandles(
      market.topic,
      (candle) => this.#onCandle(candle),
      {
        intervalMs: part,
        onNotice: ({ type }) => {
          // What is missing is filled from history as far as the gateway has it.
          if (type === "gap") void this.#loadLatest(part);
        },
        onError: ({ message }) => setText(this.#note, message),
      },
    );
    void this.#loadLatest(part);
  }

  draw(): void {
    if (this.#needsAll) {
      this.#drawAll();
      return;
    }
    const bar = this.#changed;
    this.#changed = undefined;
    if (bar === undefined) return;
    if (bar.openTimeMs !== this.#series.bars.at(-1)?.openTimeMs) {
      this.#drawAll();
      return;
    }
    this.#candles.update(candleOf(bar));
    this.#volumes.update(this.#volumeOf(bar));
    this.#mark(bar);
  }

  #onCandle(candle: Candle): void {
    const before = this.#series.bars.length;
    const bar = this.#series.put(barOf(candle));
    // Two bars in one frame, or a new one after a hole, are drawn with everything.
    if (this.#changed !== undefined && this.#changed.openTimeMs !== bar.openTimeMs)
      this.#needsAll = true;
    if (this.#series.bars.length > before) this.#needsAll = true;
    this.#changed = bar;
    this.#context.redraw();
  }

  /** Failures are shown in the panel's heading; the live candles go on without history. */
  async #loadLatest(part: number): Promise<void> {
    await this.#load(part, undefined);
    this.#chart.timeScale().scrollToRealTime();
  }

  async #loadOlder(): Promise<void> {
    const token = this.#pageToken;
    if (token === undefined || this.#market === undefined) return;
    const part = partOf(this.#series.intervalMs, this.#market.instrument.candleIntervalsMs);
    if (part !== undefined) await this.#load(part, token);
  }

  async #load(part: number, pageToken: string | undefined): Promise<void> {
    const market = this.#market;
    if (market === undefined || (this.#isLoading && pageToken !== undefined)) return;
    const request = this.#request;
    const { venue, symbol } = market.instrument;
    this.#isLoading = true;
    try {
      const page = await this.#context.client.rpc.getCandles({
        venue,
        symbol,
        intervalMs: part,
        pageSize: PAGE_SIZE,
        ...(pageToken === undefined ? {} : { pageToken }),
      });
      if (request !== this.#request) return;
      this.#series.putHistory(page.candles.map(barOf));
      this.#pageToken = page.nextPageToken;
      this.#needsAll = true;
      this.#context.redraw();
    } catch (error) {
      if (request === this.#request)
        setText(this.#note, `History is not there: ${(error as Error).message}`);
      this.#pageToken = undefined;
    } finally {
      this.#isLoading = false;
    }
  }

  #drawIntervals(lengths: readonly number[], shown: number): void {
    this.#intervals.replaceChildren(
      ...lengths.map((intervalMs) => {
        const attributes = { type: "button", "aria-pressed": String(intervalMs === shown) };
        const button = el("button", attributes, intervalText(intervalMs));
        button.addEventListener("click", () => this.#context.change({ intervalMs }));
        return button;
      }),
    );
  }

  #drawAll(): void {
    this.#needsAll = false;
    this.#changed = undefined;
    const { bars, intervalMs } = this.#series;
    const empty = emptyStarts(bars, intervalMs).map((start) => ({ time: timeOf(start) }));
    const byTime = (a: { time: unknown }, b: { time: unknown }): number =>
      Number(a.time) - Number(b.time);
    this.#candles.setData([...bars.map(candleOf), ...empty].sort(byTime));
    this.#volumes.setData(bars.map((bar) => this.#volumeOf(bar)));
    const last = bars.at(-1);
    if (last !== undefined) this.#mark(last);
  }

  #mark(last: Bar): void {
    const { bars } = this.#series;
    this.element.dataset["bars"] = String(bars.length);
    this.element.dataset["last"] = String(last.close);
    const hole = emptyStarts(bars, this.#series.intervalMs).length;
    const said = [bars.length === 1 ? "1 candle" : `${bars.length} candles`];
    if (hole > 0) said.push(`${hole} empty`);
    if (this.#pageToken !== undefined) said.push("more to the left");
    setText(this.#note, said.join(", "));
  }

  #volumeOf(bar: Bar) {
    const style = getComputedStyle(this.element);
    const name = bar.close >= bar.open ? "--up-soft" : "--down-soft";
    return {
      time: timeOf(bar.openTimeMs),
      value: bar.volume,
      color: style.getPropertyValue(name).trim(),
    };
  }
}

/** The venue's own lengths, and those that can be made of them. */
function lengthsOf(native: readonly number[]): number[] {
  const made = LENGTHS_MS.filter((length) => partOf(length, native) !== undefined);
  return [...new Set([...native, ...made])].sort((a, b) => a - b).slice(0, 12);
}

/** The longest of the venue's lengths that fits a whole number of times. */
function partOf(length: number, native: readonly number[]): number | undefined {
  const fitting = native.filter((part) => part <= length && length % part === 0);
  return fitting.length === 0 ? undefined : Math.max(...fitting);
}

function barOf({ openTimeUs, open, high, low, close, volume }: CandleValues): Bar {
  return { openTimeMs: openTimeUs / 1_000, open, high, low, close, volume };
}

function candleOf({ openTimeMs, open, high, low, close }: Bar) {
  return { time: timeOf(openTimeMs), open, high, low, close };
}

/** The library draws every time as UTC, so that local time is a matter of shifting. */
function timeOf(openTimeMs: number): UTCTimestamp {
  const offsetMs = new Date(openTimeMs).getTimezoneOffset() * 60_000;
  return ((openTimeMs - offsetMs) / 1_000) as UTCTimestamp;
}
