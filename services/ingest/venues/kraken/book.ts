// How both versions of Kraken's spot feed start and prove a book.
// https://docs.kraken.com/exchange/guides/websockets/book-checksum-v2
import type { OrderBook } from "@tickwire/proto/model";
import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { Instrument } from "#core/instrument.ts";
import type { BestOfSides, ChangedLevels } from "#core/tick-levels.ts";
import { CRC32_START, finishCrc32 } from "@tickwire/proto/model";
import type { BookProof, BookSync } from "../../feed/feed-adapter.ts";
import { FoldedChecksum, FoldedLevels } from "../../reading/folded-checksum.ts";
import { InstrumentStates } from "../../reading/instrument-states.ts";
import { ScaleTracker } from "../../reading/scale-tracker.ts";
import { SymbolTable } from "../../reading/symbol-table.ts";

/** Levels per side that can be subscribed; others are refused. */
const KRAKEN_BOOK_DEPTHS: readonly number[] = [10, 25, 100, 500, 1000];

/** Levels of each side that a checksum covers. */
const CHECKSUM_DEPTH = 10;

/** A checksum with every message, over the best ten levels of each side. */
export const KRAKEN_BOOK_PROOF: BookProof = {
  order: "checksum",
  content: "checksum",
  checksumLevels: 10,
  note: "A fault below the best ten levels is noticed when it comes into them.",
};

/** Snapshots come with the subscription; checksums are the only way to notice a loss. */
export const KRAKEN_BOOK_SYNC: BookSync = { snapshot: "in-band", checksum: krakenChecksum };

/**
 * CRC-32 over the best ten asks, then the best ten bids: price, then size, each as the venue writes
 * it without the point and without leading zeros. That is the mantissa at the scale of the venue's
 * texts, which the scale tracker of a book keeps including trailing zeros.
 */
export function krakenChecksum(
  book: OrderBook,
  _instrument?: Instrument,
  _sent?: number,
  change?: ChangedLevels,
  best?: BestOfSides,
): number {
  const sides = sidesOf(book);
  let state = CRC32_START;
  if (change !== undefined && sides.asks.isBeside(change.asks, -1)) state = sides.asks.again(state);
  else if (best !== undefined) state = sides.asks.updateBest(state, best.asks);
  else {
    const { prices, sizes } = book.asks(CHECKSUM_DEPTH);
    state = sides.asks.update(state, prices, sizes);
  }
  if (change !== undefined && sides.bids.isBeside(change.bids, 1)) state = sides.bids.again(state);
  else if (best !== undefined) state = sides.bids.updateBest(state, best.bids);
  else {
    const { prices, sizes } = book.bids(CHECKSUM_DEPTH);
    state = sides.bids.update(state, prices, sizes);
  }
  return finishCrc32(state);
}

/** One for all books: it remembers the best levels of some hundred of them. */
const digits = new FoldedChecksum();

type SummedSides = { readonly asks: FoldedLevels; readonly bids: FoldedLevels };

/** What is remembered of each book, for as long as there is one. */
const sidesOfBooks = new WeakMap<OrderBook, SummedSides>();

function sidesOf(book: OrderBook): SummedSides {
  const known = sidesOfBooks.get(book);
  if (known !== undefined) return known;
  const sides = {
    asks: new FoldedLevels(digits, CHECKSUM_DEPTH),
    bids: new FoldedLevels(digits, CHECKSUM_DEPTH),
  };
  sidesOfBooks.set(book, sides);
  return sides;
}

/** The smallest depth on offer that holds `wanted` levels, or the largest there is. */
export function nearestBookDepth(wanted: number): number {
  return KRAKEN_BOOK_DEPTHS.find((depth) => depth >= wanted) ?? 1000;
}

/** The scales of one instrument. */
class KrakenScales {
  /** Of trades and quotes, which are written with varying precision. */
  readonly ticks: ScaleTracker = new ScaleTracker();
  /** Of the book, whose texts all have the pair's precision. */
  book: ScaleTracker = newBookScales();

  /**
   * A snapshot defines the precision anew, so that one damaged text cannot spoil checksums for
   * good.
   */
  startBook(scales: ScaleTracker = newBookScales()): void {
    this.book = scales;
  }
}

/** The scales of a book of which nothing was read yet. */
export function newBookScales(): ScaleTracker {
  return new ScaleTracker({ keepTrailingZeros: true });
}

/** What a decoder of either version keeps of a pair. */
export type KrakenPair = {
  readonly instrument: Instrument;
  readonly scales: KrakenScales;
  /**
   * Its book is of the decoder's connection, and may have lost something in a frame that cannot be
   * read at all.
   */
  hasBook: boolean;
};

/** The pairs of one connection. */
export class KrakenPairs {
  /** By their names, for a scanner. */
  readonly symbols: SymbolTable<KrakenPair>;
  readonly #pairs = new InstrumentStates<KrakenPair>((instrument) => {
    const pair = { instrument, scales: new KrakenScales(), hasBook: false };
    this.symbols.add(instrument, pair);
    return pair;
  });

  constructor(catalog: InstrumentCatalog) {
    this.symbols = new SymbolTable(catalog);
  }

  of(instrument: Instrument): KrakenPair {
    return this.#pairs.of(instrument);
  }

  *withBooks(): Iterable<Instrument> {
    for (const { instrument, hasBook } of this.#pairs.all()) if (hasBook) yield instrument;
  }
}
