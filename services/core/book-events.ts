import { compareMantissa, rescaleMantissa } from "@tickwire/proto/model";
import type { Mantissa, OrderBook, TruncatedPrices } from "@tickwire/proto/model";
import type { RawBook } from "./book-sync.ts";
import type { Instrument } from "./instrument.ts";
import type { BookEvent, LevelColumns } from "./market-event.ts";

/** The whole book as an event, at the time of the last message that is in it. */
export function snapshotEvent(options: {
  readonly book: OrderBook;
  readonly instrument: Instrument;
  readonly last: RawBook;
  readonly receivedTimeUs: number;
}): BookEvent {
  const { book, instrument, last, receivedTimeUs } = options;
  return {
    kind: "book",
    instrument,
    venueTimeUs: last.venueTimeUs,
    receivedTimeUs,
    snapshot: true,
    priceScale: book.priceScale,
    sizeScale: book.sizeScale,
    bids: book.bids(),
    asks: book.asks(),
  };
}

/**
 * A delta that was applied to the book, as an event; what the book was cut by afterwards is removed
 * with it. Shares the delta's columns where nothing was cut.
 */
export function deltaEvent(
  delta: RawBook,
  truncated: TruncatedPrices,
  book: { readonly priceScale: number; readonly sizeScale: number },
): BookEvent {
  const isWhole = truncated.bids.length === 0 && truncated.asks.length === 0;
  const { priceScale, sizeScale } = isWhole ? delta : book;
  const { instrument, venueTimeUs, receivedTimeUs, bids, asks } = delta;
  return {
    kind: "book",
    instrument,
    venueTimeUs,
    receivedTimeUs,
    snapshot: false,
    priceScale,
    sizeScale,
    bids: isWhole ? bids : withRemovals(bids, truncated.bids, delta, book),
    asks: isWhole ? asks : withRemovals(asks, truncated.asks, delta, book),
  };
}

/** True if the best bid of a snapshot, in any order of levels, is at its best ask or above. */
export function isCrossedSnapshot({ bids, asks }: RawBook): boolean {
  let bid: Mantissa | undefined;
  for (const [index, price] of bids.prices.entries()) {
    if (bids.sizes[index] === 0) continue;
    if (bid === undefined || compareMantissa(price, bid) > 0) bid = price;
  }
  if (bid === undefined) return false;
  const best = bid;
  return asks.prices.some(
    (price, index) => asks.sizes[index] !== 0 && compareMantissa(price, best) <= 0,
  );
}

/** True for a checksum that came by itself, which tells consumers nothing. */
export function isProofAlone({ checksum, lastUpdateId, bids, asks }: RawBook): boolean {
  if (checksum === undefined || lastUpdateId !== undefined) return false;
  return bids.prices.length === 0 && asks.prices.length === 0;
}

type Scales = { readonly priceScale: number; readonly sizeScale: number };

/** The columns at the book's scales, with the levels that were cut away as removals. */
function withRemovals(
  columns: LevelColumns,
  truncated: readonly Mantissa[],
  from: Scales,
  to: Scales,
): LevelColumns {
  const prices = rescaled(columns.prices, from.priceScale, to.priceScale);
  const sizes = rescaled(columns.sizes, from.sizeScale, to.sizeScale);
  for (let place = 0; place < truncated.length; place += 1) {
    const price = truncated[place]!;
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

/** A copy at another scale, which is mostly the same one. */
function rescaled(values: readonly Mantissa[], fromScale: number, toScale: number): Mantissa[] {
  if (fromScale === toScale) return values.slice();
  return values.map((value) => rescaleMantissa(value, fromScale, toScale));
}
