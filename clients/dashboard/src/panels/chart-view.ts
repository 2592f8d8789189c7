import { CandlestickSeries, ColorType, createChart, HistogramSeries } from "lightweight-charts";
import type { IChartApi, ISeriesApi, MouseEventParams, UTCTimestamp } from "lightweight-charts";
import { emptyStarts, type Bar } from "../market/candle-series.ts";
import { groupDigits } from "../market/number-text.ts";

/** Bars left of the screen at which older ones are wanted. */
const BARS_AHEAD = 80;
/** Of bars that come one after the other, more than this many at once are drawn as a whole. */
const UPDATES_MAX = 50;

type Colours = (name: string) => string;
type Listeners = {
  /** The reader has scrolled near to the oldest bar. */
  readonly onNearStart: () => void;
  /** Where the pointer is, as the library counts time; undefined where it is not. */
  readonly onPoint: (time: number | undefined) => void;
};

/** Candles with their volume; where candles are missing, a band says so. */
export class ChartView {
  readonly #chart: IChartApi;
  readonly #candles: ISeriesApi<"Candlestick">;
  readonly #volumes: ISeriesApi<"Histogram">;
  readonly #holes: ISeriesApi<"Histogram">;
  #volumeColours: readonly [up: string, down: string] = ["", ""];
  #holeColour = "";
  /** The last bar that is drawn. */
  #drawnMs: number | undefined;
  #emptyCount = 0;

  constructor(host: HTMLElement, { onNearStart, onPoint }: Listeners) {
    this.#chart = createChart(host, {
      autoSize: true,
      layout: { attributionLogo: false, fontSize: 11 },
      timeScale: { timeVisible: true, secondsVisible: false, rightOffset: 6, barSpacing: 8 },
      crosshair: { mode: 0 },
      // Wide enough for most prices, so that the scale does not grow under the reader's eyes.
      rightPriceScale: { minimumWidth: 86 },
    });
    this.#holes = this.#addHistogram("holes", { top: 0, bottom: 0 });
    this.#volumes = this.#addHistogram("volume", { top: 0.84, bottom: 0 });
    this.#candles = this.#chart.addSeries(CandlestickSeries, { priceLineVisible: true });
    this.#candles.priceScale().applyOptions({ scaleMargins: { top: 0.14, bottom: 0.2 } });
    this.#chart.timeScale().subscribeVisibleLogicalRangeChange((range) => {
      if (range !== null && range.from < BARS_AHEAD) onNearStart();
    });
    this.#chart.subscribeCrosshairMove(({ time }: MouseEventParams) =>
      onPoint(typeof time === "number" ? time : undefined),
    );
  }

  /** Places between the first and the last bar that have none. */
  get emptyCount(): number {
    return this.#emptyCount;
  }

  /** Takes the colours of the theme. What is drawn has to be drawn anew. */
  recolour(colour: Colours): void {
    const line = { color: colour("--line-soft") };
    const cross = { color: colour("--muted"), labelBackgroundColor: colour("--raised-2") };
    this.#chart.applyOptions({
      layout: {
        background: { type: ColorType.Solid, color: colour("--panel") },
        textColor: colour("--muted"),
        fontFamily: colour("--font"),
      },
      grid: { vertLines: line, horzLines: line },
      crosshair: { vertLine: cross, horzLine: cross },
      rightPriceScale: { borderColor: colour("--line") },
      timeScale: { borderColor: colour("--line") },
    });
    const [up, down] = [colour("--up"), colour("--down")];
    this.#candles.applyOptions({
      upColor: up,
      downColor: down,
      wickUpColor: up,
      wickDownColor: down,
      borderVisible: false,
    });
    this.#volumeColours = [colour("--up-soft"), colour("--down-soft")];
    this.#holeColour = colour("--hole");
  }

  /** How prices are written. */
  formatPrices(prices: { readonly decimals: number; readonly minMove: number }): void {
    const { decimals, minMove } = prices;
    this.#candles.applyOptions({
      priceFormat: {
        type: "custom",
        minMove,
        formatter: (price: number) => groupDigits(price.toFixed(decimals)),
      },
    });
  }

  /** Another market begins, or bars of another length. */
  begin(intervalMs: number): void {
    this.#chart.timeScale().applyOptions({
      timeVisible: intervalMs < 86_400_000,
      secondsVisible: intervalMs < 60_000,
    });
    this.#chart.priceScale("right").applyOptions({ autoScale: true });
    this.#drawnMs = undefined;
  }

  drawAll(bars: readonly Bar[], intervalMs: number): void {
    const empty = emptyStarts(bars, intervalMs).map(timeOf);
    const byTime = (a: { time: unknown }, b: { time: unknown }): number =>
      Number(a.time) - Number(b.time);
    const spaces = empty.map((time) => ({ time }));
    this.#candles.setData([...bars.map(candleOf), ...spaces].sort(byTime));
    this.#volumes.setData(bars.map((bar) => this.#volumeOf(bar)));
    this.#holes.setData(empty.map((time) => this.#holeOf(time)));
    this.#emptyCount = empty.length;
    this.#drawnMs = bars.at(-1)?.openTimeMs;
  }

  /** Draws the bars from the one that was drawn last on, or everything after a jump. */
  drawLatest(bars: readonly Bar[], intervalMs: number): void {
    const fresh: Bar[] = [];
    for (let index = bars.length - 1; index >= 0; index -= 1) {
      const bar = bars[index]!;
      if (this.#drawnMs === undefined || bar.openTimeMs < this.#drawnMs) break;
      if (fresh.length > UPDATES_MAX) break;
      fresh.unshift(bar);
    }
    if (fresh[0]?.openTimeMs !== this.#drawnMs || fresh.length > UPDATES_MAX) {
      this.drawAll(bars, intervalMs);
      return;
    }
    const empty = emptyStarts(fresh, intervalMs);
    if (empty.length > 0) {
      this.drawAll(bars, intervalMs);
      return;
    }
    for (const bar of fresh) {
      this.#candles.update(candleOf(bar));
      this.#volumes.update(this.#volumeOf(bar));
    }
    this.#drawnMs = fresh.at(-1)?.openTimeMs;
  }

  /** Goes by so many bars: to later ones, or, below 0, to earlier ones. */
  scrollBy(bars: number): void {
    const scale = this.#chart.timeScale();
    scale.scrollToPosition(scale.scrollPosition() + bars, false);
  }

  /** Makes bars wider, or, below 1, narrower. */
  zoom(factor: number): void {
    const scale = this.#chart.timeScale();
    const { barSpacing } = scale.options();
    scale.applyOptions({ barSpacing: Math.max(1, Math.min(60, barSpacing * factor)) });
  }

  scrollToNow(): void {
    this.#chart.timeScale().scrollToRealTime();
  }

  #addHistogram(
    priceScaleId: string,
    scaleMargins: { readonly top: number; readonly bottom: number },
  ): ISeriesApi<"Histogram"> {
    const series = this.#chart.addSeries(HistogramSeries, {
      priceScaleId,
      priceFormat: { type: "volume" },
      lastValueVisible: false,
      priceLineVisible: false,
    });
    this.#chart.priceScale(priceScaleId).applyOptions({ scaleMargins });
    return series;
  }

  #volumeOf(bar: Bar) {
    const color = this.#volumeColours[bar.close >= bar.open ? 0 : 1];
    return { time: timeOf(bar.openTimeMs), value: bar.volume, color };
  }

  #holeOf(time: UTCTimestamp) {
    return { time, value: 1, color: this.#holeColour };
  }
}

function candleOf({ openTimeMs, open, high, low, close }: Bar) {
  return { time: timeOf(openTimeMs), open, high, low, close };
}

/** The library draws every time as UTC, so that local time is a matter of shifting. */
export function timeOf(openTimeMs: number): UTCTimestamp {
  const offsetMs = new Date(openTimeMs).getTimezoneOffset() * 60_000;
  return ((openTimeMs - offsetMs) / 1_000) as UTCTimestamp;
}
