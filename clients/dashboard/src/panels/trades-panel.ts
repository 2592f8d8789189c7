import type { Subscription, Trade } from "@tickwire/client";
import { refusalText } from "../market/access-words.ts";
import type { Market } from "../market/market-rows.ts";
import { groupDigits, padDecimal, ShownDecimals } from "../market/number-text.ts";
import { choice, el, panel, setText, watchSize } from "../page/dom.ts";
import type { Context, Panel } from "./context.ts";

/** At the limit the oldest go. */
const TRADES_MAX = 200;
const ROWS_MAX = 80;
const ROW_HEIGHT = 20;
const VALUES = [0, 100, 1_000, 10_000, 100_000, 1_000_000];

type Row = ReturnType<typeof createRow>;

/**
 * The tape: newest first, coloured and named by who took. It stands still under the pointer, or
 * when it is told to.
 */
export class TradesPanel implements Panel {
  readonly element: HTMLElement;
  readonly #context: Context;
  readonly #onTrade: (trade: Trade) => void;
  readonly #least = choice("Least value of a trade", (value) =>
    this.#context.change({ tradeValueMin: Number(value) }),
  );
  readonly #badge = el("span", { class: "badge", hidden: "" });
  readonly #tape = el("div", { class: "tape" });
  readonly #rows: Row[] = [];
  readonly #size: { readonly height: number };
  #decimals = { price: new ShownDecimals(), size: new ShownDecimals() };
  #padded = "";
  #trades: Trade[] = [];
  #market: Market | undefined;
  #subscription: Subscription | undefined;
  #isHeld = false;
  #refused = "";

  /** `onTrade` is told of each trade as it happens. */
  constructor(context: Context, onTrade: (trade: Trade) => void) {
    this.#context = context;
    this.#onTrade = onTrade;
    const { element, body } = panel("trades", "Trades", this.#badge, this.#least.element);
    const names = el(
      "div",
      { class: "row names" },
      el("span", {}, "Price"),
      el("span", {}, "Size"),
      el("span", {}, "Time"),
    );
    body.append(names, this.#tape);
    this.element = element;
    this.#size = watchSize(this.#tape, () => context.redraw(true));
    for (const [name, isHeld] of [
      ["pointerenter", true],
      ["pointerleave", false],
    ] as const) {
      this.#tape.addEventListener(name, () => this.#hold(isHeld));
    }
  }

  /** The last one of the market that is shown; undefined before it came. */
  get lastTrade(): Trade | undefined {
    return this.#trades.at(-1);
  }

  /** Holds the tape, or lets it go on. */
  toggleHold(): void {
    this.#hold(!this.#isHeld);
  }

  show(market: Market): void {
    this.#subscription?.close();
    this.#market = market;
    this.#trades = [];
    this.#decimals = { price: new ShownDecimals(), size: new ShownDecimals() };
    this.#isHeld = false;
    this.#refused = "";
    if (!market.instrument.channels.includes("trades")) this.#refused = "this market has no trades";
    this.#say(this.#refused);
    if (this.#refused !== "") return;
    const { client, ageMs, redraw, meterOf } = this.#context;
    const meter = meterOf(market.instrument.venue);
    this.#subscription = client.onTrades(
      market.topic,
      (trade) => {
        this.#trades.push(trade);
        if (this.#trades.length > 2 * TRADES_MAX) this.#trades = this.#trades.slice(-TRADES_MAX);
        if (!trade.initial && !trade.historical) {
          meter.observe(ageMs(trade));
          this.#onTrade(trade);
        }
        redraw();
      },
      {
        onNotice: ({ type }) => {
          if (type === "gap") meter.gaps += 1;
        },
        onError: (error) => {
          if (error.code === "buffer-overflow") return this.show(market);
          this.#refused = refusalText(error);
          this.#say(this.#refused);
        },
      },
    );
  }

  draw(): void {
    const { tradeValueMin } = this.#context.view();
    this.#least.set(
      VALUES.map(
        (value) =>
          [String(value), value === 0 ? "all sizes" : `≥ ${groupDigits(String(value))}`] as const,
      ),
      String(tradeValueMin),
    );
    if (this.#isHeld) return;
    const fit = Math.min(ROWS_MAX, Math.ceil(this.#size.height / ROW_HEIGHT));
    const shown: Trade[] = [];
    for (let index = this.#trades.length - 1; index >= 0 && shown.length < fit; index -= 1) {
      const trade = this.#trades[index]!;
      if (trade.price * trade.size < tradeValueMin) continue;
      shown.push(trade);
      this.#decimals.price.see(trade.priceText);
      this.#decimals.size.see(trade.sizeText);
    }
    this.#padAnew();
    while (this.#rows.length < shown.length) {
      const row = createRow();
      this.#rows.push(row);
      this.#tape.append(row.element);
    }
    for (const [index, row] of this.#rows.entries()) this.#fill(row, shown[index]);
  }

  /** A longer number than before was seen: the others get as many digits. */
  #padAnew(): void {
    const { priceIncrementText, sizeIncrementText } = this.#market?.instrument ?? {};
    const { price, size } = this.#decimals;
    const padded = `${price.of(priceIncrementText)} ${size.of(sizeIncrementText)}`;
    if (padded === this.#padded) return;
    this.#padded = padded;
    for (const row of this.#rows) row.trade = undefined;
  }

  #hold(isHeld: boolean): void {
    this.#isHeld = isHeld;
    this.#say(isHeld ? "paused" : this.#refused);
    this.#context.redraw(true);
  }

  #say(text: string): void {
    setText(this.#badge, text);
    this.#badge.hidden = text === "";
  }

  /** Rows stay where they are and are written anew, so that nothing on the page moves. */
  #fill(row: Row, trade: Trade | undefined): void {
    if (row.trade === trade) return;
    row.trade = trade;
    row.element.hidden = trade === undefined;
    if (trade === undefined) return;
    const { priceIncrementText, sizeIncrementText } = this.#market?.instrument ?? {};
    const { aggressorSide: side } = trade;
    row.element.dataset["side"] = side;
    row.element.title = `${side === "none" ? "aggressor unknown" : `${side} took`}, sequence ${trade.sequence}`;
    const arrow = side === "buyer" ? "▲" : side === "seller" ? "▼" : " ";
    const price = groupDigits(
      padDecimal(trade.priceText, this.#decimals.price.of(priceIncrementText)),
    );
    setText(row.price, `${arrow} ${price}`);
    setText(row.size, padDecimal(trade.sizeText, this.#decimals.size.of(sizeIncrementText)));
    setText(row.time, timeText(trade.venueTimeUs ?? trade.receivedTimeUs));
  }
}

function createRow() {
  const price = el("span", { class: "num price" });
  const size = el("span", { class: "num" });
  const time = el("span", { class: "num muted" });
  const element = el("div", { class: "row", hidden: "" }, price, size, time);
  return { element, price, size, time, trade: undefined as Trade | undefined };
}

function timeText(timeUs: number): string {
  const date = new Date(timeUs / 1_000);
  const two = (value: number): string => String(value).padStart(2, "0");
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}
