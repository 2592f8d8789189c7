/** The best bid and offer of one source. Texts are exact; a side with a size of 0 is empty. */
export type SourceQuote = {
  readonly bidPrice: number;
  readonly bidPriceText: string;
  readonly bidSize: number;
  readonly bidSizeText: string;
  readonly askPrice: number;
  readonly askPriceText: string;
  readonly askSize: number;
  readonly askSizeText: string;
};

type Leg = { readonly source: string; readonly price: string; readonly size: string };

/** Something to tell. The size that both sides have is the smaller one of the legs. */
export type Alert = {
  readonly type: "arbitrage.opened" | "arbitrage.closed";
  readonly buy: Leg;
  readonly sell: Leg;
  /** What is left after fees, of the price paid; at the close, the most that it was. */
  readonly gainBasisPoints: number;
};

type ArbitrageOptions = {
  /** Told from so much on, 0 or more. */
  readonly gainBasisPointsMin: number;
  /** What a source takes of each trade. */
  readonly feeBasisPointsOf: (source: string) => number;
  /** One that opens again so soon after it opened is not told again. */
  readonly quietUs: number;
};

type Opportunity = Omit<Alert, "type">;

const BASIS_POINTS = 10_000;

/** Finds where one source bids more than another one asks, and tells when that begins and ends. */
export class ArbitrageWatch {
  readonly #options: ArbitrageOptions;
  readonly #quotes = new Map<string, SourceQuote>();
  #open: Opportunity | undefined;
  #openedUs = Number.NEGATIVE_INFINITY;

  constructor(options: ArbitrageOptions) {
    this.#options = options;
  }

  /** Takes the newest quote of a source. */
  onQuote(source: string, quote: SourceQuote, timeUs: number): Alert | undefined {
    this.#quotes.set(source, quote);
    return this.#judge(timeUs);
  }

  /** Forgets everything: the connection is lost, so that no quote is known to hold. */
  reset(timeUs: number): Alert | undefined {
    this.#quotes.clear();
    return this.#judge(timeUs);
  }

  #judge(timeUs: number): Alert | undefined {
    const best = this.#bestOpportunity();
    const open = this.#open;
    if (best !== undefined && open !== undefined) {
      if (best.gainBasisPoints > open.gainBasisPoints) this.#open = best;
      return undefined;
    }
    if (best !== undefined) {
      if (timeUs - this.#openedUs < this.#options.quietUs) return undefined;
      this.#open = best;
      this.#openedUs = timeUs;
      return { type: "arbitrage.opened", ...best };
    }
    this.#open = undefined;
    return open === undefined ? undefined : { type: "arbitrage.closed", ...open };
  }

  #bestOpportunity(): Opportunity | undefined {
    const { gainBasisPointsMin, feeBasisPointsOf } = this.#options;
    let sell: { source: string; quote: SourceQuote; earned: number } | undefined;
    let buy: { source: string; quote: SourceQuote; paid: number } | undefined;
    for (const [source, quote] of this.#quotes) {
      const fee = feeBasisPointsOf(source) / BASIS_POINTS;
      const earned = quote.bidPrice * (1 - fee);
      const paid = quote.askPrice * (1 + fee);
      if (quote.bidSize > 0 && earned > (sell?.earned ?? 0)) sell = { source, quote, earned };
      if (quote.askSize > 0 && paid < (buy?.paid ?? Infinity)) buy = { source, quote, paid };
    }
    if (sell === undefined || buy === undefined || sell.source === buy.source) return undefined;
    const gain = ((sell.earned - buy.paid) / buy.paid) * BASIS_POINTS;
    if (gain < gainBasisPointsMin) return undefined;
    return {
      buy: { source: buy.source, price: buy.quote.askPriceText, size: buy.quote.askSizeText },
      sell: { source: sell.source, price: sell.quote.bidPriceText, size: sell.quote.bidSizeText },
      gainBasisPoints: Math.round(gain * 100) / 100,
    };
  }
}
