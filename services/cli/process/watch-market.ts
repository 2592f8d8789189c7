import type { BookLevel, LiveBook, Quote, Status, Ticker, Trade } from "@tickwire/client";
import type { WatchedLevel, WatchedRow, WatchedTrade } from "../output/watch-screen.ts";

/** Trades that are kept to be shown; older ones are forgotten. */
const TRADES_KEPT_MAX = 200;

type Row = { -readonly [Field in keyof WatchedRow]: WatchedRow[Field] } & {
  /** What is wrong, by channel. */
  readonly troubles: Map<string, string>;
  /** What may be done with it, where that is not everything. */
  resting: string | undefined;
};

/** What is known of the instruments that are watched, for the screen to show. */
export class WatchMarket {
  /** Events since it was asked last. */
  #events = 0;
  readonly #rows = new Map<string, Row>();
  readonly #trades: WatchedTrade[] = [];
  #book: LiveBook | undefined;
  /** Decimals that the trades had so far: all are written with as many. */
  #priceDigits = 0;
  #sizeDigits = 0;

  constructor(names: readonly string[]) {
    for (const name of names) {
      const row = { name, last: "-", changePercent: undefined, bid: "-", ask: "-", state: "" };
      this.#rows.set(name, { ...row, isBad: false, troubles: new Map(), resting: undefined });
    }
  }

  get rows(): readonly WatchedRow[] {
    return [...this.#rows.values()];
  }

  get trades(): readonly WatchedTrade[] {
    return this.#trades;
  }

  /** How many events came since this was asked last. */
  takeEvents(): number {
    const events = this.#events;
    this.#events = 0;
    return events;
  }

  /** Another instrument is looked at: what was of the one before is forgotten. */
  look(): void {
    this.#book = undefined;
    this.#trades.length = 0;
    this.#priceDigits = 0;
    this.#sizeDigits = 0;
  }

  onTicker(event: Ticker): void {
    const row = this.#rowOf(event);
    if (row === undefined) return;
    const { lastPrice, openPrice } = event;
    if (event.lastPriceText !== undefined) row.last = event.lastPriceText;
    if (lastPrice !== undefined && openPrice !== undefined && openPrice > 0) {
      row.changePercent = (lastPrice / openPrice - 1) * 100;
    }
  }

  onQuote(event: Quote): void {
    const row = this.#rowOf(event);
    if (row === undefined) return;
    row.bid = event.bidPriceText;
    row.ask = event.askPriceText;
  }

  /** What may be done with an instrument comes first, then the first channel that is in trouble. */
  onStatus(event: Status): void {
    const row = this.#rowOf(event);
    if (row === undefined) return;
    const { instrumentState, state, reason, channel } = event;
    if (channel === "status") {
      row.resting = instrumentState === "trading" ? undefined : instrumentState;
    }
    if (state === "live" && reason === "crossed") row.troubles.set(channel, `${channel} crossed`);
    else if (state === "live") row.troubles.delete(channel);
    else row.troubles.set(channel, `${channel} ${state}`);
    const [trouble] = row.troubles.values();
    row.state = row.resting ?? trouble ?? "live";
    row.isBad = row.state !== "live";
  }

  onTrade(event: Trade): void {
    this.#events += 1;
    const row = this.#rows.get(`${event.venue}:${event.symbol}`);
    if (row !== undefined) row.last = event.priceText;
    this.#priceDigits = digitsOf([event.priceText], this.#priceDigits);
    this.#sizeDigits = digitsOf([event.sizeText], this.#sizeDigits);
    this.#trades.unshift({
      time: new Date((event.venueTimeUs ?? event.receivedTimeUs) / 1000)
        .toISOString()
        .slice(11, 19),
      price: padded(event.priceText, this.#priceDigits),
      size: padded(event.sizeText, this.#sizeDigits),
      isBuy: event.aggressorSide === "buyer",
    });
    if (this.#trades.length > TRADES_KEPT_MAX) this.#trades.pop();
  }

  onBook(book: LiveBook): void {
    this.#events += 1;
    this.#book = book;
  }

  /** The best levels of the book that is looked at, with the sizes of both sides at one scale. */
  ladder(levels: number): {
    readonly bids: readonly WatchedLevel[];
    readonly asks: readonly WatchedLevel[];
    readonly bookState: string;
    readonly spread: string;
  } {
    const book = this.#book;
    if (book === undefined) return { bids: [], asks: [], bookState: "no book yet", spread: "-" };
    const [bids, asks] = [book.topBids(levels), book.topAsks(levels)];
    const largest = Math.max(0, ...[...bids, ...asks].map(({ size }) => size));
    const priceDigits = digitsOf([...bids, ...asks].map(({ priceText }) => priceText));
    const sizeDigits = digitsOf([...bids, ...asks].map(({ sizeText }) => sizeText));
    const shown = (level: BookLevel): WatchedLevel => ({
      price: padded(level.priceText, priceDigits),
      size: padded(level.sizeText, sizeDigits),
      share: largest === 0 ? 0 : level.size / largest,
    });
    const { bid, ask } = book.bbo;
    const spread =
      bid === undefined || ask === undefined ? "-" : (ask.price - bid.price).toFixed(priceDigits);
    return { bids: bids.map(shown), asks: asks.map(shown), bookState: book.state, spread };
  }

  #rowOf({ venue, symbol }: { readonly venue: string; readonly symbol: string }): Row | undefined {
    this.#events += 1;
    return this.#rows.get(`${venue}:${symbol}`);
  }
}

/** The most decimals of any text, and no fewer than given. */
function digitsOf(texts: readonly string[], least = 0): number {
  const digits = texts.map((text) =>
    text.includes(".") ? text.length - text.indexOf(".") - 1 : 0,
  );
  return Math.max(least, ...digits);
}

/** `97.70` for `97.7` at two decimals. */
function padded(text: string, digits: number): string {
  if (digits === 0) return text;
  const [whole = "", decimals = ""] = text.split(".");
  return `${whole}.${decimals.padEnd(digits, "0")}`;
}
