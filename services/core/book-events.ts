import {
  rescaleMantissa,
  type Mantissa,
  type OrderBook,
  type TruncatedPrices,
} from "@tickwire/proto/model";
import type { RawBook } from "./book-sync.ts";
import type { Instrument } from "./instrument.ts";
import type { BookEvent, LevelColumns } from "./market-event.ts";

/** A book and the instrument that it belongs to. */
type InstrumentBook = { readonly instrument: Instrument; readonly book: OrderBook };

/** The whole book as an event; it copies the levels. */
export function bookSnapshot(
  { instrument, book }: InstrumentBook,
  times: { readonly venueTimeUs: number | undefined; readonly receivedTimeUs: number },
): BookEvent {
  return {
    kind: "book",
    instrument,
    venueTimeUs: times.venueTimeUs,
    receivedTimeUs: times.receivedTimeUs,
    snapshot: true,
    priceScale: book.priceScale,
    sizeScale: book.sizeScale,
    bids: book.bids(),
    asks: book.asks(),
  };
}

/**
 * A delta that was applied to the book, as an event. It also removes the levels that were truncated
 * from the book afterwards, so that a consumer's book equals ours. Shares the delta's columns where
 * nothing was truncated.
 */
export function bookDelta(
  { instrument, book }: InstrumentBook,
  delta: RawBook,
  truncated: TruncatedPrices,
): BookEvent {
  const isWhole = truncated.bids.length === 0 && truncated.asks.length === 0;
  const { priceScale, sizeScale } = isWhole ? delta : book;
  return {
    kind: "book",
    instrument,
    venueTimeUs: delta.venueTimeUs,
    receivedTimeUs: delta.receivedTimeUs,
    snapshot: false,
    priceScale,
    sizeScale,
    bids: isWhole ? delta.bids : withRemovals(delta.bids, truncated.bids, delta, book),
    asks: isWhole ? delta.asks : withRemovals(delta.asks, truncated.asks, delta, book),
  };
}

type Scales = { readonly priceScale: number; readonly sizeScale: number };

/** The columns at the book's scales, with the levels that were truncated away as removals. */
function withRemovals(
  columns: LevelColumns,
  truncated: readonly Mantissa[],
  from: Scales,
  to: Scales,
): LevelColumns {
  const prices = columns.prices.map((price) =>
    rescaleMantissa(price, from.priceScale, to.priceScale),
  );
  const sizes = columns.sizes.map((size) => rescaleMantissa(size, from.sizeScale, to.sizeScale));
  for (const price of truncated) {
    // The level may have come with this very delta; then it never existed for the consumer.
    const index = prices.lastIndexOf(price);
    if (index >= 0) sizes[index] = 0;
    else {
      prices.push(price);
      sizes.push(0);
    }
  }
  return { prices, sizes };
}
