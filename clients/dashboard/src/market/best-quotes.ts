/** The best prices of one instrument, as the comparison of venues needs them. */
type VenueQuote = {
  readonly topic: string;
  readonly bidPrice: number | undefined;
  readonly askPrice: number | undefined;
};

type BestQuotes = {
  /** Topics whose price is the best; several where they are equal. */
  readonly bidTopics: ReadonlySet<string>;
  readonly askTopics: ReadonlySet<string>;
  readonly bidPrice: number | undefined;
  readonly askPrice: number | undefined;
  /**
   * What is left of the price, as a share, of who buys at the best ask and sells at the best bid,
   * after the fee of each; only positive values are worth anything.
   */
  readonly profitShare: number | undefined;
};

/** The best bid and offer over several quotes. `feeShare` is what each of both trades costs. */
export function bestQuotes(quotes: readonly VenueQuote[], feeShare: number): BestQuotes {
  const bids = quotes.flatMap(({ bidPrice }) => bidPrice ?? []);
  const asks = quotes.flatMap(({ askPrice }) => askPrice ?? []);
  const bidPrice = bids.length === 0 ? undefined : Math.max(...bids);
  const askPrice = asks.length === 0 ? undefined : Math.min(...asks);
  const topicsOf = (isBest: (quote: VenueQuote) => boolean) =>
    new Set(quotes.filter(isBest).map(({ topic }) => topic));
  return {
    bidTopics: topicsOf((quote) => quote.bidPrice !== undefined && quote.bidPrice === bidPrice),
    askTopics: topicsOf((quote) => quote.askPrice !== undefined && quote.askPrice === askPrice),
    bidPrice,
    askPrice,
    profitShare:
      bidPrice === undefined || askPrice === undefined || askPrice <= 0
        ? undefined
        : (bidPrice * (1 - feeShare)) / (askPrice * (1 + feeShare)) - 1,
  };
}
