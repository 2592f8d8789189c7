import type { Instrument, Ticker } from "@tickwire/client";

export const SORTS = ["name", "change", "volume", "spread"] as const;
export type Sort = (typeof SORTS)[number];

/** What the list knows of one instrument. */
export type Market = {
  /** `VENUE:SYMBOL`. */
  readonly topic: string;
  readonly instrument: Instrument;
  /** What the search looks at, in lower case. */
  readonly searchText: string;
  ticker: Ticker | undefined;
};

type RowsRequest = {
  readonly search: string;
  readonly sort: Sort;
  readonly venue: string;
  readonly favourites: ReadonlySet<string>;
  readonly onlyFavourites: boolean;
};

export function marketOf(instrument: Instrument): Market {
  const { venue, symbol, venueSymbol, base, quote } = instrument;
  const topic = `${venue}:${symbol}`;
  const searchText = `${topic} ${venueSymbol} ${base}/${quote} ${base}${quote}`.toLowerCase();
  return { topic, instrument, searchText, ticker: undefined };
}

/** What the style sheet calls a change: `up`, `down` or nothing. */
export function changeSign(change: number | undefined): "up" | "down" | "" {
  return change === undefined || change === 0 ? "" : change > 0 ? "up" : "down";
}

/** The share by which the last price is above the opening one. */
export function changeOf(ticker: Ticker | undefined): number | undefined {
  const { lastPrice, openPrice } = ticker ?? {};
  if (lastPrice === undefined || openPrice === undefined || openPrice <= 0) return undefined;
  return lastPrice / openPrice - 1;
}

/** The distance of the best prices as a share of their middle. */
export function spreadOf(ticker: Ticker | undefined): number | undefined {
  const { bidPrice, askPrice } = ticker ?? {};
  if (bidPrice === undefined || askPrice === undefined || bidPrice + askPrice <= 0)
    return undefined;
  return (2 * (askPrice - bidPrice)) / (askPrice + bidPrice);
}

/** What was traded in the quote asset, as far as the ticker says or lets compute it. */
export function turnoverOf(ticker: Ticker | undefined): number | undefined {
  if (ticker === undefined) return undefined;
  const { quoteVolume, volume, lastPrice } = ticker;
  if (quoteVolume !== undefined) return quoteVolume;
  return volume === undefined || lastPrice === undefined ? undefined : volume * lastPrice;
}

/** The markets of a request, favourites first, in its order; what is not known yet comes last. */
export function marketRows(markets: readonly Market[], request: RowsRequest): Market[] {
  const { favourites, onlyFavourites, venue } = request;
  const words = request.search.toLowerCase().split(/\s+/).filter(Boolean);
  const found = markets.filter(
    ({ topic, instrument, searchText }) =>
      (venue === "" || instrument.venue === venue) &&
      (!onlyFavourites || favourites.has(topic)) &&
      words.every((word) => searchText.includes(word)),
  );
  const valueOf = SORT_VALUES[request.sort];
  return found
    .map((market) => ({
      market,
      isFavourite: favourites.has(market.topic) ? 0 : 1,
      value: valueOf(market) ?? Number.POSITIVE_INFINITY,
    }))
    .sort(
      (a, b) =>
        a.isFavourite - b.isFavourite ||
        (a.value === b.value ? 0 : a.value - b.value) ||
        (a.market.topic < b.market.topic ? -1 : 1),
    )
    .map(({ market }) => market);
}

/** Smaller comes first. */
const SORT_VALUES: Readonly<Record<Sort, (market: Market) => number | undefined>> = {
  name: () => 0,
  change: ({ ticker }) => negated(changeOf(ticker)),
  volume: ({ ticker }) => negated(turnoverOf(ticker)),
  spread: ({ ticker }) => spreadOf(ticker),
};

function negated(value: number | undefined): number | undefined {
  return value === undefined ? undefined : -value;
}

/** The rows that a scrolled list shows, with some beyond each edge. */
export function visibleRange(list: {
  readonly scrollTop: number;
  readonly height: number;
  readonly rowHeight: number;
  readonly count: number;
}): { readonly first: number; readonly end: number } {
  const beyond = 6;
  const first = Math.max(0, Math.floor(list.scrollTop / list.rowHeight) - beyond);
  const shown = Math.ceil(list.height / list.rowHeight) + 2 * beyond;
  return { first: Math.min(first, list.count), end: Math.min(list.count, first + shown) };
}
