import { formatDecimal, toNumber, type Mantissa, type OrderBook } from "@tickwire/proto/model";
import type { TopicInfo } from "../topics/topic.ts";
import { withoutBigInts } from "./event-base.ts";

/** One price level, exact and as numbers. */
export class BookLevel {
  /** Nearest double. */
  readonly price: number;
  /** Exact plain decimal. */
  readonly priceText: string;
  /** The price without its point: price = priceMantissa / 10^priceScale, exactly. */
  readonly priceMantissa: Mantissa;
  /** Decimals of the price. */
  readonly priceScale: number;
  /** Nearest double. */
  readonly size: number;
  /** Exact plain decimal. */
  readonly sizeText: string;
  /** The size without its point: size = sizeMantissa / 10^sizeScale, exactly. */
  readonly sizeMantissa: Mantissa;
  /** Decimals of the size. */
  readonly sizeScale: number;

  constructor(
    priceMantissa: Mantissa,
    priceScale: number,
    sizeMantissa: Mantissa,
    sizeScale: number,
  ) {
    this.price = toNumber(priceMantissa, priceScale);
    this.priceText = formatDecimal(priceMantissa, priceScale);
    this.priceMantissa = priceMantissa;
    this.priceScale = priceScale;
    this.size = toNumber(sizeMantissa, sizeScale);
    this.sizeText = formatDecimal(sizeMantissa, sizeScale);
    this.sizeMantissa = sizeMantissa;
    this.sizeScale = sizeScale;
  }

  /** For JSON.stringify, which refuses a bigint: mantissas beyond 2^53 become text. */
  toJSON(): Record<string, unknown> {
    return withoutBigInts(this);
  }
}

/**
 * What a local book is worth. Only a `live` book has levels: `syncing` waits for its first
 * snapshot, `resyncing` lost its place and asks again, `disconnected` waits for the connection.
 */
export type BookState = "syncing" | "live" | "resyncing" | "disconnected";

/** Best bid and offer; a side without orders is undefined. */
export type BestLevels = {
  /** The highest price that is bid. */
  readonly bid: BookLevel | undefined;
  /** The lowest price that is asked. */
  readonly ask: BookLevel | undefined;
};

/** Levels of one side in columns. */
type LevelColumnsView = {
  readonly prices: readonly Mantissa[];
  readonly sizes: readonly Mantissa[];
};

/** Rows from columns, in the same order. */
export function bookLevels(
  columns: LevelColumnsView,
  priceScale: number,
  sizeScale: number,
): BookLevel[] {
  return columns.prices.map(
    (price, index) => new BookLevel(price, priceScale, columns.sizes[index]!, sizeScale),
  );
}

const NO_LEVELS: readonly BookLevel[] = [];
const NO_BEST: BestLevels = { bid: undefined, ask: undefined };

/** What the maintainer of a book writes after a change. */
export type BookMark = {
  readonly epoch: number;
  readonly sequence: number;
  readonly venueTimeUs: number | undefined;
  readonly receivedTimeUs: number;
  readonly publishedTimeUs: number;
};

/**
 * The maintained book of one topic: a view that always shows the latest state, not a copy of the
 * state it was yielded for. Arrays that it hands out are never changed afterwards.
 */
export class LiveBook {
  /** Tells it from events. */
  readonly type = "live-book";
  readonly #info: TopicInfo;
  readonly #book: OrderBook;
  #state: BookState = "syncing";
  #mark: BookMark | undefined;
  #bids: readonly BookLevel[] | undefined;
  #asks: readonly BookLevel[] | undefined;
  #best: BestLevels | undefined;

  /** For this package: books come from `client.book()`. */
  constructor(info: TopicInfo, book: OrderBook) {
    this.#info = info;
    this.#book = book;
  }

  /** `VENUE:SYMBOL/book`. */
  get topic(): string {
    return this.#info.topic;
  }

  /** Lower case, such as `binance`. */
  get venue(): string {
    return this.#info.venue;
  }

  /** Tickwire's symbol, unique within the venue. */
  get symbol(): string {
    return this.#info.symbol;
  }

  /** The venue's own symbol. */
  get venueSymbol(): string {
    return this.#info.venueSymbol;
  }

  /** What the book is worth now. */
  get state(): BookState {
    return this.#state;
  }

  /** Of the last event that the book holds; 0 before the first. */
  get epoch(): number {
    return this.#mark?.epoch ?? 0;
  }

  /** Of the last event that the book holds; 0 before the first. */
  get sequence(): number {
    return this.#mark?.sequence ?? 0;
  }

  /** Microseconds since 1970; undefined if the venue gave no time for the last event. */
  get venueTimeUs(): number | undefined {
    return this.#mark?.venueTimeUs;
  }

  /** When Tickwire received the last event, microseconds since 1970; 0 before the first. */
  get receivedTimeUs(): number {
    return this.#mark?.receivedTimeUs ?? 0;
  }

  /** When the last batch was published, microseconds since 1970; 0 before the first. */
  get publishedTimeUs(): number {
    return this.#mark?.publishedTimeUs ?? 0;
  }

  /** All bids, best first; empty unless `live`. */
  get bids(): readonly BookLevel[] {
    this.#bids ??= this.topBids();
    return this.#bids;
  }

  /** All asks, best first; empty unless `live`. */
  get asks(): readonly BookLevel[] {
    this.#asks ??= this.topAsks();
    return this.#asks;
  }

  /** Best bid and offer; both undefined unless `live`. */
  get bbo(): BestLevels {
    if (this.#state !== "live") return NO_BEST;
    this.#best ??= { bid: this.topBids(1)[0], ask: this.topAsks(1)[0] };
    return this.#best;
  }

  /** The best `depth` bids (all without it), best first. Cheaper than `bids` for a deep book. */
  topBids(depth?: number): readonly BookLevel[] {
    if (this.#state !== "live") return NO_LEVELS;
    return bookLevels(this.#book.bids(depth), this.#book.priceScale, this.#book.sizeScale);
  }

  /** The best `depth` asks (all without it), best first. Cheaper than `asks` for a deep book. */
  topAsks(depth?: number): readonly BookLevel[] {
    if (this.#state !== "live") return NO_LEVELS;
    return bookLevels(this.#book.asks(depth), this.#book.priceScale, this.#book.sizeScale);
  }

  /** The book as plain data with exact decimals as text. */
  toJSON(): Record<string, unknown> {
    return {
      type: this.type,
      venue: this.venue,
      symbol: this.symbol,
      venueSymbol: this.venueSymbol,
      state: this.state,
      epoch: this.epoch,
      sequence: this.sequence,
      ...(this.venueTimeUs === undefined ? {} : { venueTimeUs: this.venueTimeUs }),
      receivedTimeUs: this.receivedTimeUs,
      bids: this.bids.map((level) => level.toJSON()),
      asks: this.asks.map((level) => level.toJSON()),
    };
  }

  /** For this package: the book changed, or its worth did. Drops what was computed from it. */
  update(state: BookState, mark?: BookMark): void {
    this.#state = state;
    if (mark !== undefined) this.#mark = mark;
    this.#bids = undefined;
    this.#asks = undefined;
    this.#best = undefined;
  }
}
