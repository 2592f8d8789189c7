import type { Tick } from "./tick.ts";
import type { Units } from "./units.ts";

export type Side = "bid" | "ask";

/** Something of ours was traded. */
export type Fill = { readonly side: Side; readonly price: Units; readonly size: Units };

type Order = {
  readonly price: Units;
  left: Units;
  /** What stood at this price before us, and is traded before us. */
  ahead: Units;
};

/**
 * Fills our orders as the market's own trades would have: through our price, or at it once all that
 * stood there before us was traded. Our orders move nobody, and arrive at once.
 */
export class PaperExchange {
  readonly #orders: Partial<Record<Side, Order>> = {};
  #quote: (Tick & { readonly kind: "quote" }) | undefined;

  /** The price of our order on a side. */
  priceOf(side: Side): Units | undefined {
    return this.#orders[side]?.price;
  }

  /** The last mid price, times two so that it is whole. */
  get doubleMid(): Units | undefined {
    return this.#quote === undefined ? undefined : this.#quote.bid + this.#quote.ask;
  }

  /** The price that an order gets: who would trade at once stands back a step. */
  passivePrice(side: Side, price: Units): Units {
    const quote = this.#quote;
    if (quote === undefined) return price;
    return side === "bid" ? Math.min(price, quote.ask - 1) : Math.max(price, quote.bid + 1);
  }

  /** Puts an order in place of the one on that side. */
  place(side: Side, price: Units, size: Units): void {
    this.#orders[side] = { price, left: size, ahead: this.#standingAt(side, price) };
  }

  cancel(side: Side): void {
    delete this.#orders[side];
  }

  /** Takes what happens in the market, and says what of ours was traded. */
  onTick(tick: Tick): readonly Fill[] {
    if (tick.kind === "quote") {
      this.#quote = tick;
      return [];
    }
    const fills: Fill[] = [];
    if (tick.aggressor !== "buyer") this.#match("bid", tick, fills);
    if (tick.aggressor !== "seller") this.#match("ask", tick, fills);
    return fills;
  }

  #match(side: Side, trade: Tick & { readonly kind: "trade" }, fills: Fill[]): void {
    const order = this.#orders[side];
    if (order === undefined) return;
    const through = side === "bid" ? order.price - trade.price : trade.price - order.price;
    if (through < 0) return;
    const ahead = through > 0 ? 0 : Math.min(order.ahead, trade.size);
    order.ahead -= ahead;
    const size = Math.min(order.left, trade.size - ahead);
    if (size <= 0) return;
    order.left -= size;
    fills.push({ side, price: order.price, size });
    if (order.left === 0) this.cancel(side);
  }

  #standingAt(side: Side, price: Units): Units {
    const quote = this.#quote;
    if (quote === undefined) return 0;
    if (side === "bid") return price === quote.bid ? quote.bidSize : 0;
    return price === quote.ask ? quote.askSize : 0;
  }
}
