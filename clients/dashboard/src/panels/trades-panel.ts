import type { Subscription, Trade } from "@tickwire/client";
import type { Market } from "../market/market-rows.ts";
import { decimalsOf, groupDigits, padDecimal } from "../market/number-text.ts";
import { choice, el, panel, setText } from "../page/dom.ts";
import { delayMs, type Context, type Panel } from "./context.ts";

/** At the limit the oldest go. */
const TRADES_MAX = 200;
const ROWS_MAX = 60;
const VALUES = [0, 100, 1_000, 10_000, 100_000, 1_000_000];

type Row = ReturnType<typeof createRow>;

/** The tape: newest first, coloured and named by who took; it stands still under the pointer. */
export class TradesPanel implements Panel {
  readonly element: HTMLElement;
  readonly #context: Context;
  readonly #onTrade: (trade: Trade) => void;
  readonly #least = choice("Least value of a trade", (value) =>
    this.#context.change({ tradeValueMin: Number(value) }),
  );
  readonly #paused = el("span", { class: "badge", hidden: "" }, "paused");
  readonly #tape = el("div", { class: "tape" });
  readonly #rows: Row[] = [];
  #trades: Trade[] = [];
  #market: Market | undefined;
  #subscription: Subscription | undefined;
  #isHeld = false;

  /** `onTrade` is told of each trade as it happens. */
  constructor(context: Context, onTrade: (trade: Trade) => void) {
    this.#context = context;
    this.#onTrade = onTrade;
    const { element, body } = panel("trades", "Trades", this.#paused, this.#least.element);
    const names = el(
      "div",
      { class: "row names" },
      el("span", {}, "Price"),
      el("span", {}, "Size"),
      el("span", {}, "Time"),
    );
    body.append(names, this.#tape);
    this.element = element;
    for (const [name, isHeld] of [
      ["pointerenter", true],
      ["pointerleave", false],
    ] as const) {
      this.#tape.addEventListener(name, () => {
        this.#isHeld = isHeld;
        this.#paused.hidden = !isHeld;
        context.redraw();
      });
    }
  }

  show(market: Market): void {
    this.#subscription?.close();
    this.#market = market;
    this.#trades = [];
    this.#isHeld = false;
    this.#paused.hidden = true;
    if (!market.instrument.channels.includes("trades")) return;
    const { client, nowMs, redraw, meterOf } = this.#context;
    const meter = meterOf(market.instrument.venue);
    this.#subscription = client.onTrades(
      market.topic,
      (trade) => {
        this.#trades.push(trade);
        if (this.#trades.length > 2 * TRADES_MAX) this.#trades = this.#trades.slice(-TRADES_MAX);
        if (!trade.initial && !trade.historical) {
          meter.observe(delayMs(trade, nowMs()));
          this.#onTrade(trade);
        }
        redraw();
      },
      {
        onNotice: ({ type }) => {
          if (type === "gap") meter.gaps += 1;
        },
        onError: () => redraw(),
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
    const { priceIncrementText, sizeIncrementText } = this.#market?.instrument ?? {};
    const decimals = decimalsOf(priceIncrementText);
    const sizeDecimals = decimalsOf(sizeIncrementText);
    const shown = this.#trades
      .filter(({ price, size }) => price * size >= tradeValueMin)
      .slice(-ROWS_MAX)
      .reverse();
    while (this.#rows.length < shown.length) {
      const row = createRow();
      this.#rows.push(row);
      this.#tape.append(row.element);
    }
    for (const [index, row] of this.#rows.entries()) {
      const trade = shown[index];
      row.element.hidden = trade === undefined;
      if (trade === undefined) continue;
      const side = trade.aggressorSide;
      row.element.dataset["side"] = side;
      row.element.title = `${side === "none" ? "aggressor unknown" : `${side} took`}, sequence ${trade.sequence}`;
      const arrow = side === "buyer" ? "▲" : side === "seller" ? "▼" : " ";
      setText(row.price, `${arrow} ${groupDigits(padDecimal(trade.priceText, decimals))}`);
      setText(row.size, padDecimal(trade.sizeText, sizeDecimals));
      setText(row.time, timeText(trade.venueTimeUs ?? trade.receivedTimeUs));
    }
  }
}

function createRow() {
  const price = el("span", { class: "num price" });
  const size = el("span", { class: "num" });
  const time = el("span", { class: "num muted" });
  return { element: el("div", { class: "row" }, price, size, time), price, size, time };
}

function timeText(timeUs: number): string {
  const date = new Date(timeUs / 1_000);
  const two = (value: number): string => String(value).padStart(2, "0");
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}
