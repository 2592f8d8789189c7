import type { BatchRows, BookRow, CandleRow, StatusRow } from "@tickwire/proto/codec";
import type { ListingRow, OrderBook } from "@tickwire/proto/model";
import type { Channel } from "#core/instrument.ts";
import { createOrderBook } from "#core/order-book.ts";
import { batchKindOf } from "#wire/event-codec.ts";

/** A row of any kind. */
export type AnyRow = BatchRows["rows"][number];

/**
 * What a topic's events come to: what a reader who begins here has to know. Trades and liquidations
 * come to nothing.
 */
export class TopicState {
  readonly #channel: Channel;
  #book: OrderBook | undefined;
  #last: AnyRow | undefined;
  /** Candles by interval, statuses by channel, listings by symbol. */
  #byKey = new Map<string, AnyRow>();

  constructor(channel: Channel) {
    this.#channel = channel;
  }

  /** The book as it stands; undefined before the first whole one, and of other channels. */
  get book(): OrderBook | undefined {
    return this.#book;
  }

  /** Forgets everything: what follows does not go on from it. */
  clear(): void {
    this.#book = undefined;
    this.#last = undefined;
    this.#byKey.clear();
  }

  /** Takes the next event. A change of a book that is not known changes nothing. */
  apply(row: AnyRow): void {
    switch (this.#channel) {
      case "trades":
      case "liquidations":
        return;
      case "book":
        this.#applyBook(row as BookRow);
        return;
      case "candles":
        this.#applyCandle(row as CandleRow);
        return;
      case "status":
        this.#byKey.set((row as StatusRow).channel, row);
        return;
      case "listings":
        this.#applyListing(row as ListingRow);
        return;
      case "quotes":
      case "ticker":
      case "funding":
      case "mark-price":
      case "open-interest":
        this.#last = row;
        return;
    }
  }

  /** The state as events; undefined if there is nothing to say. */
  rows(): BatchRows | undefined {
    const rows = this.#allRows();
    if (rows.length === 0) return undefined;
    return { kind: batchKindOf(this.#channel), rows } as BatchRows;
  }

  #allRows(): readonly AnyRow[] {
    if (this.#channel !== "book") {
      return this.#last === undefined ? [...this.#byKey.values()] : [this.#last];
    }
    const [book, last] = [this.#book, this.#last as BookRow | undefined];
    if (book === undefined || last === undefined) return [];
    const { priceScale, sizeScale } = book;
    const levels = { priceScale, sizeScale, bids: book.bids(), asks: book.asks() };
    const { venueTimeUs, receivedTimeUs } = last;
    return [{ venueTimeUs, receivedTimeUs, ...levels, snapshot: true }];
  }

  #applyBook(row: BookRow): void {
    if (row.snapshot) {
      this.#book = createOrderBook();
      this.#book.applySnapshot(row);
    } else if (this.#book === undefined) {
      return;
    } else {
      this.#book.applyDelta(row);
    }
    this.#last = row;
  }

  /** The latest of each interval is kept. */
  #applyCandle(row: CandleRow): void {
    const key = String(row.intervalMs);
    const known = this.#byKey.get(key) as CandleRow | undefined;
    if (known === undefined || known.openTimeUs <= row.openTimeUs) this.#byKey.set(key, row);
  }

  #applyListing(row: ListingRow): void {
    if (row.change === "removed") this.#byKey.delete(row.symbol);
    else this.#byKey.set(row.symbol, { ...row, change: "added" });
  }
}
