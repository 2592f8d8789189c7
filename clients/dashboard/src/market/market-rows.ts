import type { Instrument, Ticker } from "@tickwire/client";
import { isDerivedVenue, sourceTopicOf } from "./derived-venues.ts";

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

/** Quote assets of the market that is shown where nobody has chosen one, the best one first. */
const FIRST_QUOTES = ["USD", "USDT", "USDC", "EUR"];

/** Which of them to begin with: bitcoin against dollars, on the spot, if there is such a one. */
export function firstMarket(markets: Iterable<Market>): Market | undefined {
  let found: Market | undefined;
  for (const market of markets) {
    if (found === undefined || firstRank(market) < firstRank(found)) found = market;
  }
  return found;
}

function firstRank({ instrument: { venue, base, quote, kind } }: Market): number {
  const quoteRank = FIRST_QUOTES.indexOf(quote);
  const ofQuote = quoteRank < 0 ? FIRST_QUOTES.length : quoteRank;
  const ofVenue = isDerivedVenue(venue) ? 40 : 0;
  return ofVenue + (base === "BTC" ? 0 : 20) + (kind === "spot" ? 0 : 10) + ofQuote;
}

/** What the style sheet calls a change: `up`, `down` or nothing. */
export function changeSign(change: number | undefined): "up" | "down" | "" {
  return change === undefined || change === 0 ? "" : change > 0 ? "up" : "down";
}

/** The share by which the last price is above the opening one. */
export function changeOf(
  ticker: Ticker | undefined,
  lastPrice = ticker?.lastPrice,
): number | undefined {
  const openPrice = ticker?.openPrice;
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

type OrderedMarket = { readonly market: Market; isFavourite: number; value: number };

/**
 * The markets that were searched for, favourites first, in an order that follows their prices; what
 * is not known yet comes last. Sorting anew what is nearly in order costs little, so that 10,000 of
 * them do not hold up a frame.
 */
export class MarketOrder {
  #found: OrderedMarket[] = [];
  #request: RowsRequest | undefined;
  #markets: readonly Market[] = [];
  #total = 0;

  get markets(): readonly Market[] {
    return this.#markets;
  }

  /** How many there would be if nothing were searched for. */
  get total(): number {
    return this.#total;
  }

  /**
   * Searches all of them. Candles that are made of a market's trades are no market beside it: its
   * chart has them. They are found where somebody asks for them.
   */
  find(markets: ReadonlyMap<string, Market>, request: RowsRequest): void {
    const { favourites, onlyFavourites, venue } = request;
    const words = request.search.toLowerCase().split(/\s+/).filter(Boolean);
    this.#found = [];
    this.#total = 0;
    const isWanted = venue !== "" || words.some((word) => word.includes("derived"));
    for (const market of markets.values()) {
      const { topic, instrument, searchText } = market;
      const source = isWanted || favourites.has(topic) ? undefined : sourceTopicOf(instrument);
      if (source !== undefined && markets.has(source)) continue;
      this.#total += 1;
      if (venue !== "" && instrument.venue !== venue) continue;
      if (onlyFavourites && !favourites.has(topic)) continue;
      if (!words.every((word) => searchText.includes(word))) continue;
      this.#found.push({ market, isFavourite: 0, value: 0 });
    }
    this.#request = request;
    this.sort();
  }

  /** Puts what was found before into the order of now. */
  sort(): void {
    if (this.#request === undefined) return;
    const { favourites, sort } = this.#request;
    const valueOf = SORT_VALUES[sort];
    for (const one of this.#found) {
      one.isFavourite = favourites.has(one.market.topic) ? 0 : 1;
      one.value = valueOf(one.market) ?? Number.POSITIVE_INFINITY;
    }
    this.#found.sort(compareMarkets);
    this.#markets = this.#found.map(({ market }) => market);
  }
}

function compareMarkets(a: OrderedMarket, b: OrderedMarket): number {
  if (a.isFavourite !== b.isFavourite) return a.isFavourite - b.isFavourite;
  if (a.value !== b.value) return a.value - b.value;
  return a.market.topic < b.market.topic ? -1 : 1;
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
