/** What is counted of a trade; the events of the client have it. */
export type CountedTrade = {
  readonly topic: string;
  readonly price: number;
  readonly priceText: string;
  readonly size: number;
  readonly aggressorSide: "buyer" | "seller" | "none";
};

/** What was traded of one instrument since the summary before. */
export type FlowSummary = {
  readonly topic: string;
  readonly trades: number;
  readonly lastPriceText: string;
  /** Sizes of those who bought at the ask, less those who sold at the bid. */
  readonly netSize: number;
  readonly meanPrice: number;
};

type Sums = { trades: number; lastPriceText: string; net: number; size: number; value: number };

/** Sums trades up, so that a thread has one message to read for thousands of them. */
export class TradeFlow {
  #sums = new Map<string, Sums>();

  add({ topic, price, priceText, size, aggressorSide }: CountedTrade): void {
    let sums = this.#sums.get(topic);
    if (sums === undefined) {
      sums = { trades: 0, lastPriceText: priceText, net: 0, size: 0, value: 0 };
      this.#sums.set(topic, sums);
    }
    sums.trades++;
    sums.lastPriceText = priceText;
    sums.size += size;
    sums.value += size * price;
    if (aggressorSide !== "none") sums.net += aggressorSide === "buyer" ? size : -size;
  }

  /** Gives what came since the last time, the busiest instrument first, and begins anew. */
  take(): FlowSummary[] {
    const summaries = [...this.#sums].map(([topic, sums]) => ({
      topic,
      trades: sums.trades,
      lastPriceText: sums.lastPriceText,
      netSize: sums.net,
      meanPrice: sums.value / sums.size,
    }));
    this.#sums = new Map();
    return summaries.toSorted((one, other) => other.trades - one.trades);
  }
}
