import type { CandleValues, Subscription } from "@tickwire/client";
import { refusalText } from "../market/access-words.ts";
import { CandleHistory, type CandleSource } from "../market/candle-history.ts";
import { candleLengths, candleMarketOf, type CandleMarket } from "../market/candle-market.ts";
import { CandleSeries, type Bar, type BarPart } from "../market/candle-series.ts";
import { changeSign, type Market } from "../market/market-rows.ts";
import {
  compactText,
  scaleDecimals,
  groupDigits,
  intervalText,
  percentText,
} from "../market/number-text.ts";
import { el, panel, setText } from "../page/dom.ts";
import { ChartView, timeOf } from "./chart-view.ts";
import type { Context, Panel } from "./context.ts";

const PAGE_SIZE = 1_000;
/** Shown where nobody has chosen a length that there is. */
const SHOWN_FIRST_MS = 60_000;
/** A candle that changes is drawn at most so often. */
const CANDLE_INTERVAL_MS = 100;

const SCROLLED_BARS = 5;
const ZOOMED = 1.25;
const KEYS: ReadonlyMap<string, (view: ChartView) => void> = new Map([
  ["ArrowLeft", (view: ChartView) => view.scrollBy(-SCROLLED_BARS)],
  ["ArrowRight", (view: ChartView) => view.scrollBy(SCROLLED_BARS)],
  ["PageUp", (view: ChartView) => view.scrollBy(-SCROLLED_BARS * 10)],
  ["PageDown", (view: ChartView) => view.scrollBy(SCROLLED_BARS * 10)],
  ["+", (view: ChartView) => view.zoom(ZOOMED)],
  ["-", (view: ChartView) => view.zoom(1 / ZOOMED)],
  ["End", (view: ChartView) => view.scrollToNow()],
]);

/** Candles and volume: history as far as the gateway has it, and on from there live. */
export class ChartPanel implements Panel {
  readonly element: HTMLElement;
  readonly #context: Context;
  readonly #intervals = el("div", {
    class: "intervals",
    role: "group",
    "aria-label": "Candle length",
  });
  readonly #note = el("span", { class: "chart-note muted", id: "chart-note" });
  readonly #legend = el("div", { class: "legend num" });
  readonly #host: HTMLElement;
  readonly #view: ChartView;
  #market: Market | undefined;
  /** In which lengths its candles can be had. */
  #lengths: readonly number[] = [];
  #series = new CandleSeries({ intervalMs: 60_000 });
  /** Start of the candle that came last. */
  #liveMs = 0;
  #history: CandleHistory | undefined;
  #subscription: Subscription | undefined;
  #decimals = 2;
  #needsAll = false;
  #hasChanged = false;
  #scrollsToNow = false;
  /** What the pointer is on. */
  #pointed: Bar | "empty" | undefined;
  #refused = "";

  constructor(context: Context) {
    this.#context = context;
    const { element, body } = panel("chart", "Chart", this.#intervals);
    const host = el("div", {
      class: "chart-host is-empty",
      tabindex: "0",
      role: "application",
      "aria-label": "Chart: arrow keys scroll, plus and minus zoom, End goes to now",
    });
    host.addEventListener("keydown", (event) => this.#onKey(event));
    this.#host = host;
    body.append(host, el("div", { class: "chart-words" }, this.#legend, this.#note));
    this.element = element;
    this.#view = new ChartView(host, {
      onNearStart: () => void this.#history?.loadOlder(),
      onPoint: (time) => this.#point(time),
    });
  }

  /** Takes the colours of the theme, which are the style sheet's to say. */
  recolour(): void {
    const style = getComputedStyle(this.element);
    this.#view.recolour((name) => style.getPropertyValue(name).trim());
    this.#needsAll = true;
    this.#context.redraw();
  }

  show(market: Market): void {
    this.#subscription?.close();
    this.#history?.close();
    this.#history = undefined;
    this.#market = market;
    this.#pointed = undefined;
    this.#refused = "";
    const { markets } = this.#context;
    this.#lengths = candleLengths(market, markets);
    const shown = this.#shownLength();
    const source = candleMarketOf(market, markets, shown);
    this.#series = new CandleSeries({
      intervalMs: shown,
      ...(source && { partMs: source.partMs }),
    });
    this.#needsAll = true;
    this.#drawIntervals(shown);
    this.#view.begin(shown);
    this.#context.redraw();
    if (source === undefined) this.#refused = "This market has no candles.";
    else this.#follow(source);
  }

  /** More markets are known: candles of the one that is shown may be made by one of them. */
  listChanged(): void {
    const market = this.#market;
    if (market === undefined) return;
    const lengths = candleLengths(market, this.#context.markets);
    if (lengths.join(" ") === this.#lengths.join(" ")) return;
    this.#lengths = lengths;
    const shown = this.#shownLength();
    if (this.#history === undefined || shown !== this.#series.intervalMs) this.show(market);
    else this.#drawIntervals(shown);
  }

  /** The wanted length, or one of those that there are. */
  #shownLength(): number {
    const wanted = this.#context.view().intervalMs;
    if (this.#lengths.includes(wanted)) return wanted;
    return this.#lengths.find((length) => length >= SHOWN_FIRST_MS) ?? SHOWN_FIRST_MS;
  }

  draw(): void {
    const { bars, intervalMs } = this.#series;
    this.#host.classList.toggle("is-empty", bars.length === 0);
    if (this.#needsAll) {
      const { priceIncrementText } = this.#market?.instrument ?? {};
      this.#decimals = scaleDecimals(priceIncrementText, bars.at(-1)?.close);
      const minMove = Number(priceIncrementText ?? 10 ** -this.#decimals);
      this.#view.formatPrices({ decimals: this.#decimals, minMove });
      this.#view.drawAll(bars, intervalMs);
    } else if (this.#hasChanged) this.#view.drawLatest(bars, intervalMs);
    else return;
    this.#needsAll = false;
    this.#hasChanged = false;
    if (this.#scrollsToNow) this.#view.scrollToNow();
    this.#scrollsToNow = false;
    this.element.dataset["bars"] = String(bars.length);
    this.element.dataset["first"] = String(bars[0]?.openTimeMs ?? "");
    this.element.dataset["empty"] = String(this.#view.emptyCount);
    this.element.dataset["last"] = String(bars.at(-1)?.close ?? "");
    this.#drawNote();
    this.#drawLegend();
  }

  /** Live first, so that history, which is asked for afterwards, leaves no hole before it. */
  #follow({ market, partMs }: CandleMarket): void {
    const { client, redraw } = this.#context;
    const { intervalMs } = this.#series;
    // The past is asked for in the longest candles that there are, above all in those shown.
    const isWhole = market.instrument.candleHistoryIntervalsMs.includes(intervalMs);
    const pagesOf =
      (length: number): CandleSource["fetchPage"] =>
      async (request) => {
        const { venue, symbol } = market.instrument;
        const asked = { venue, symbol, intervalMs: length, pageSize: PAGE_SIZE, ...request };
        const { candles, nextPageToken } = await client.rpc.getCandles(asked);
        return { candles: candles.map(barOf), nextPageToken };
      };
    const history = new CandleHistory(
      this.#series,
      {
        fetchPage: pagesOf(isWhole ? intervalMs : partMs),
        ...(isWhole && partMs < intervalMs ? { fetchParts: pagesOf(partMs) } : {}),
        nowMs: this.#context.nowMs,
        afterMs: this.#context.afterMs,
      },
      () => {
        this.#needsAll = true;
        redraw(true);
      },
    );
    this.#history = history;
    this.#subscription = client.onCandles(
      market.topic,
      (candle) => {
        const bar = barOf(candle);
        this.#series.put(bar);
        this.#hasChanged = true;
        if (bar.openTimeMs !== this.#liveMs) history.checkSeam();
        this.#liveMs = bar.openTimeMs;
        redraw();
      },
      {
        intervalMs: partMs,
        conflationIntervalMs: CANDLE_INTERVAL_MS,
        onNotice: (notice) => {
          const isAnew = notice.type === "continuity" && notice.continuity === "replaced";
          if (notice.type === "gap" || isAnew) void history.fillGap();
        },
        onError: (error) => {
          if (error.code === "buffer-overflow") return this.#showAgain();
          this.#refused = refusalText(error);
          this.#hasChanged = true;
          redraw();
        },
      },
    );
    void history.loadLatest().then(() => {
      // Once it is drawn.
      if (this.#history === history) this.#scrollsToNow = true;
      redraw();
    });
  }

  #showAgain(): void {
    if (this.#market !== undefined) this.show(this.#market);
  }

  #drawIntervals(shown: number): void {
    this.#intervals.replaceChildren(
      ...this.#lengths.map((intervalMs) => {
        const attributes = { type: "button", "aria-pressed": String(intervalMs === shown) };
        const button = el("button", attributes, intervalText(intervalMs));
        button.addEventListener("click", () => this.#context.change({ intervalMs }));
        return button;
      }),
    );
  }

  #drawNote(): void {
    const { bars } = this.#series;
    const history = this.#history;
    if (this.#refused !== "") return setText(this.#note, this.#refused);
    if (history?.problem !== undefined)
      return setText(this.#note, `History is not there: ${history.problem}`);
    const said = [bars.length === 1 ? "1 candle" : `${groupDigits(String(bars.length))} candles`];
    if (this.#view.emptyCount > 0) said.push(`${this.#view.emptyCount} missing (shaded)`);
    if (history?.isLoading === true) said.push("loading history …");
    else if (this.#series.isFull) said.push("as many as the chart keeps");
    else if (history?.hasOlder === true) said.push("scroll left for more");
    setText(this.#note, said.join(" · "));
  }

  #onKey(event: KeyboardEvent): void {
    const act = KEYS.get(event.key);
    if (act === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act(this.#view);
  }

  #point(time: number | undefined): void {
    const { bars } = this.#series;
    const bar = bars.findLast(({ openTimeMs }) => timeOf(openTimeMs) === time);
    this.#pointed = time === undefined ? undefined : (bar ?? "empty");
    this.#drawLegend();
  }

  #drawLegend(): void {
    const bar = this.#pointed ?? this.#series.bars.at(-1);
    if (bar === "empty" || bar === undefined) {
      setText(
        this.#legend,
        bar === undefined ? "" : "No candle: no trade, or the feed was interrupted",
      );
      return;
    }
    const price = (value: number): string => groupDigits(value.toFixed(this.#decimals));
    const change = bar.open > 0 ? bar.close / bar.open - 1 : 0;
    const values: readonly (readonly [string, string])[] = [
      ["O", price(bar.open)],
      ["H", price(bar.high)],
      ["L", price(bar.low)],
      ["C", price(bar.close)],
      ["", percentText(change)],
      ["Vol", compactText(bar.volume)],
    ];
    if (this.#legend.children.length !== values.length)
      this.#legend.replaceChildren(
        ...values.map(([name]) => el("span", {}, el("small", {}, name), el("b"))),
      );
    for (const [index, [, value]] of values.entries())
      setText(this.#legend.children[index]!.lastElementChild!, value);
    this.#legend.dataset["sign"] = changeSign(bar.close - bar.open);
  }
}

function barOf({ openTimeUs, open, high, low, close, volume, closed }: CandleValues): BarPart {
  return { openTimeMs: openTimeUs / 1_000, open, high, low, close, volume, isClosed: closed };
}
