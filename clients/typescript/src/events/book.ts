import type { Mantissa, OrderBook } from "@tickwire/proto/model";
import type { TopicInfo } from "../topics/topic.ts";
import { bookLevel, type BookLevel } from "./event-fields.ts";

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
  return columns.prices.map((price, index) =>
    bookLevel(price, priceScale, columns.sizes[index]!, sizeScale),
  );
}

const NO_LEVELS: readonly BookLevel[] = [];
const NO_BEST: BestLevels = { bid: undefined, ask: undefined };

/** Where a book stands after a change. */
export type BookMark = {
  /** Changes when sequences start anew. */
  readonly epoch: number;
  /** Of the last event that the book has. */
  readonly sequence: number;
  /** When the venue says that the last change happened; undefined if it says nothing. */
  readonly venueTimeUs: number | undefined;
  /** When Tickwire received it from the venue. */
  readonly receivedTimeUs: number;
  /** When Tickwire published the batch it came in. */
  readonly publishedTimeUs: number;
};

/** A book as its maintainer has it; views of it only read. */
export class BookSource {
  readonly book: OrderBook;
  state: BookState = "syncing";
  mark: BookMark | undefined;
  /** Rises with each change, so that views know what they computed before. */
  version = 0;

  constructor(book: OrderBook) {
    this.book = book;
  }

  /** The book changed, or its worth did. */
  update(state: BookState, mark: BookMark | undefined = this.mark): void {
    this.state = state;
    this.mark = mark;
    this.version += 1;
  }
}

/** A book as it was at one moment. Nothing in it ever changes. */
export type BookSnapshot = BookMark & {
  /** Tells it from events and from live books. */
  readonly type: "book-snapshot";
  /** `VENUE:SYMBOL/book`. */
  readonly topic: string;
  /** Lower case, such as `binance`. */
  readonly venue: string;
  /** Tickwire's symbol, unique within the venue. */
  readonly symbol: string;
  /** The venue's own symbol. */
  readonly venueSymbol: string;
  /** What the book was worth. */
  readonly state: BookState;
  /** Bids to the depth asked for, best first; empty unless `live`. */
  readonly bids: readonly BookLevel[];
  /** Asks to the depth asked for, best first; empty unless `live`. */
  readonly asks: readonly BookLevel[];
};

/** Levels of each side that a console shows. */
const INSPECTED_LEVELS = 5;

/**
 * The maintained book of one topic: a live view that always shows the latest state, not a copy of
 * the state it was yielded for. `snapshot()` is such a copy. Arrays that it hands out are never
 * changed afterwards.
 */
export class LiveBook {
  /** Tells it from events. */
  readonly type = "live-book";
  readonly #info: TopicInfo;
  readonly #source: BookSource;
  #version = 0;
  #bids: readonly BookLevel[] | undefined;
  #asks: readonly BookLevel[] | undefined;
  #best: BestLevels | undefined;

  /** For this package: books come from `client.book()`. */
  constructor(info: TopicInfo, source: BookSource) {
    this.#info = info;
    this.#source = source;
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
    return this.#source.state;
  }

  /** Of the last event that the book holds; 0 before the first. */
  get epoch(): number {
    return this.#source.mark?.epoch ?? 0;
  }

  /** Of the last event that the book holds; 0 before the first. */
  get sequence(): number {
    return this.#source.mark?.sequence ?? 0;
  }

  /** Microseconds since 1970; undefined if the venue gave no time for the last event. */
  get venueTimeUs(): number | undefined {
    return this.#source.mark?.venueTimeUs;
  }

  /** When Tickwire received the last event, microseconds since 1970; 0 before the first. */
  get receivedTimeUs(): number {
    return this.#source.mark?.receivedTimeUs ?? 0;
  }

  /** When the last batch was published, microseconds since 1970; 0 before the first. */
  get publishedTimeUs(): number {
    return this.#source.mark?.publishedTimeUs ?? 0;
  }

  /** All bids, best first; empty unless `live`. */
  get bids(): readonly BookLevel[] {
    this.#refresh();
    this.#bids ??= this.topBids();
    return this.#bids;
  }

  /** All asks, best first; empty unless `live`. */
  get asks(): readonly BookLevel[] {
    this.#refresh();
    this.#asks ??= this.topAsks();
    return this.#asks;
  }

  /** Best bid and offer; both undefined unless `live`. */
  get bbo(): BestLevels {
    if (this.#source.state !== "live") return NO_BEST;
    this.#refresh();
    this.#best ??= { bid: this.topBids(1)[0], ask: this.topAsks(1)[0] };
    return this.#best;
  }

  /**
   * True if the best bid is at the best offer or above, as in an auction: the venue's own book is
   * so. False unless `live`.
   */
  get crossed(): boolean {
    const { bid, ask } = this.bbo;
    if (bid === undefined || ask === undefined) return false;
    // The levels of a book share their scales.
    return bid.priceMantissa >= ask.priceMantissa;
  }

  /** The best `depth` bids (all without it), best first. Cheaper than `bids` for a deep book. */
  topBids(depth?: number): readonly BookLevel[] {
    if (this.#source.state !== "live") return NO_LEVELS;
    const { book } = this.#source;
    return bookLevels(book.bids(depth), book.priceScale, book.sizeScale);
  }

  /** The best `depth` asks (all without it), best first. Cheaper than `asks` for a deep book. */
  topAsks(depth?: number): readonly BookLevel[] {
    if (this.#source.state !== "live") return NO_LEVELS;
    const { book } = this.#source;
    return bookLevels(book.asks(depth), book.priceScale, book.sizeScale);
  }

  /** The book as it is now, to keep, compare or hand on: all of it, or the best `depth` levels. */
  snapshot(depth?: number): BookSnapshot {
    const { topic, venue, symbol, venueSymbol, state, epoch, sequence } = this;
    const { venueTimeUs, receivedTimeUs, publishedTimeUs } = this;
    const freeze = (levels: readonly BookLevel[]) => {
      for (const level of levels) Object.freeze(level);
      return Object.freeze(levels);
    };
    return Object.freeze({
      type: "book-snapshot",
      topic,
      venue,
      symbol,
      venueSymbol,
      state,
      epoch,
      sequence,
      venueTimeUs,
      receivedTimeUs,
      publishedTimeUs,
      bids: freeze(this.topBids(depth)),
      asks: freeze(this.topAsks(depth)),
    });
  }

  /** For JSON.stringify: the book as it is now. */
  toJSON(): BookSnapshot {
    return this.snapshot();
  }

  /** What Node's console shows: where the book stands, and its best levels. */
  [Symbol.for("nodejs.util.inspect.custom")](): Record<string, unknown> {
    const { type, topic, state, epoch, sequence } = this;
    const texts = ({ priceText, sizeText }: BookLevel) => `${sizeText} @ ${priceText}`;
    const bids = this.topBids(INSPECTED_LEVELS).map(texts);
    const asks = this.topAsks(INSPECTED_LEVELS).map(texts);
    return { type, topic, state, epoch, sequence, bids, asks };
  }

  /** Drops what was computed from an older state. */
  #refresh(): void {
    if (this.#version === this.#source.version) return;
    this.#version = this.#source.version;
    this.#bids = undefined;
    this.#asks = undefined;
    this.#best = undefined;
  }
}
