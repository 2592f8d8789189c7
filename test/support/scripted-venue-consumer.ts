import { canonicalDecimal, formatDecimal, OrderBook } from "@tickwire/proto/model";
import { readBusBatch, readBusEvents, rowsOf } from "@tickwire/proto/codec";
import type { BookRow, StatusRow, TradeRow } from "@tickwire/proto/codec";
import type { ListingRow } from "@tickwire/proto/model";
import type { Bus } from "#bus/bus.ts";
import { parseEventSubject } from "#bus/subject.ts";
import type { MarketBook } from "./scripted-venue-market.ts";

/** Both sides as canonical decimals, best first; two books are equal if these are. */
type BookTexts = { readonly bids: readonly string[]; readonly asks: readonly string[] };

/** A state that a client was told. */
export type ToldStatus = {
  readonly instrumentState: string | undefined;
  readonly state: string;
  readonly reason: string;
  readonly sinceTimeUs: number;
};

/** The texts of a venue's true book. */
export function textsOfMarketBook(book: MarketBook): BookTexts {
  const side = (levels: readonly (readonly [string, string])[]): string[] =>
    levels.map(([price, size]) => `${canonicalDecimal(price)} ${canonicalDecimal(size)}`);
  return { bids: side(book.bids), asks: side(book.asks) };
}

/**
 * What somebody who follows a venue on the bus knows: rebuilt books, the states that they went
 * through, and whether anything was missing. It trusts nothing but sequences.
 */
export class BusConsumer {
  /** Sequences that did not follow, as sentences; empty if nothing is missing. */
  readonly missing: string[] = [];
  /** What became of instruments, as `change symbol reason`. */
  readonly listings: string[] = [];
  /** When each of them was published. */
  readonly listingTimesUs: number[] = [];
  readonly #books = new Map<string, OrderBook>();
  readonly #sequences = new Map<string, number>();
  readonly #states = new Map<string, string[]>();
  readonly #lastStates = new Map<string, string>();
  readonly #statuses = new Map<string, ToldStatus[]>();
  readonly #trades = new Map<string, string[]>();
  readonly #tradeGaps = new Map<string, number>();
  readonly #bookEvents = new Map<string, { snapshots: number; deltas: number }>();

  constructor(bus: Bus) {
    bus.subscribe("md.v2.>", (message) => this.#onMessage(message.subject, message.payload));
  }

  /** The rebuilt book; empty if there is none. */
  book(symbol: string): BookTexts {
    const book = this.#books.get(symbol) ?? new OrderBook();
    const side = (levels: ReturnType<OrderBook["bids"]>): string[] =>
      levels.prices.map((price, index) => {
        const size = levels.sizes[index] ?? 0;
        return `${formatDecimal(price, book.priceScale)} ${formatDecimal(size, book.sizeScale)}`;
      });
    return { bids: side(book.bids()), asks: side(book.asks()) };
  }

  /** States of a symbol's book since the last `forgetStates()`, each with its reason. */
  states(symbol: string): readonly string[] {
    return this.#states.get(symbol) ?? [];
  }

  /** The last state ever of a symbol's book, with its reason; empty if there was none. */
  state(symbol: string): string {
    return this.#lastStates.get(symbol) ?? "";
  }

  /** Everything that was told of a channel, in order. */
  statuses(symbol: string, channel: string): readonly ToldStatus[] {
    return this.#statuses.get(`${symbol}/${channel}`) ?? [];
  }

  forgetStates(): void {
    this.#states.clear();
  }

  snapshots(symbol: string): number {
    return this.#bookEvents.get(symbol)?.snapshots ?? 0;
  }

  /** Snapshots and deltas of a symbol's book. */
  bookEvents(symbol: string): number {
    const counts = this.#bookEvents.get(symbol);
    return counts === undefined ? 0 : counts.snapshots + counts.deltas;
  }

  /** Trades of a symbol in the order of their arrival, as `price size aggressor side`. */
  trades(symbol: string): readonly string[] {
    return this.#trades.get(symbol) ?? [];
  }

  /** How often it was said that trades of a symbol may be missing. */
  tradeGaps(symbol: string): number {
    return this.#tradeGaps.get(symbol) ?? 0;
  }

  #onMessage(subject: string, payload: Uint8Array): void {
    const topic = parseEventSubject(subject);
    if (topic === undefined) {
      this.missing.push(`${subject} is no topic`);
      return;
    }
    const batch = readBusEvents(readBusBatch(payload));
    const expected = (this.#sequences.get(subject) ?? 0) + 1;
    if (batch.firstSequence !== expected) {
      this.missing.push(`${subject}: ${batch.firstSequence} came in place of ${expected}`);
    }
    this.#sequences.set(subject, batch.firstSequence + batch.count - 1);
    const { kind, rows } = rowsOf(batch);
    if (kind === "books") for (const row of rows) this.#onBook(topic.symbol, row);
    if (kind === "trades") for (const row of rows) this.#onTrade(topic.symbol, row);
    if (kind === "listings") for (const row of rows) this.#onListing(row);
    if (kind === "statuses") for (const row of rows) this.#onStatus(topic.symbol, row);
  }

  #onListing({ change, symbol, reason, receivedTimeUs }: ListingRow): void {
    this.listingTimesUs.push(receivedTimeUs);
    this.listings.push(`${change} ${symbol} ${reason}`);
  }

  #onBook(symbol: string, row: BookRow): void {
    let book = this.#books.get(symbol);
    if (book === undefined) {
      book = new OrderBook();
      this.#books.set(symbol, book);
    }
    const counts = this.#bookEvents.get(symbol) ?? { snapshots: 0, deltas: 0 };
    this.#bookEvents.set(symbol, counts);
    if (row.snapshot) {
      counts.snapshots += 1;
      book.applySnapshot(row);
    } else {
      counts.deltas += 1;
      book.applyDelta(row);
    }
  }

  #onTrade(symbol: string, row: TradeRow): void {
    const trades = this.#trades.get(symbol) ?? [];
    const price = formatDecimal(row.priceMantissa, row.priceScale);
    const size = formatDecimal(row.sizeMantissa, row.sizeScale);
    trades.push(`${price} ${size} ${row.aggressorSide}`);
    this.#trades.set(symbol, trades);
  }

  #onStatus(symbol: string, row: StatusRow): void {
    const { channel, state, reason, sinceTimeUs, instrumentState } = row;
    const told = this.#statuses.get(`${symbol}/${channel}`) ?? [];
    told.push({ state, reason, sinceTimeUs, instrumentState });
    this.#statuses.set(`${symbol}/${channel}`, told);
    if (row.channel === "trades" && row.state === "gap") {
      this.#tradeGaps.set(symbol, this.tradeGaps(symbol) + 1);
    }
    if (row.channel !== "book") return;
    const states = this.#states.get(symbol) ?? [];
    states.push(`${row.state} ${row.reason}`);
    this.#lastStates.set(symbol, `${row.state} ${row.reason}`);
    this.#states.set(symbol, states);
  }
}
