// https://bitgetlimited.github.io/apidoc/en/mix/#websocketapi (version 1, with the checksum)
// https://www.bitget.com/docs/uta/websocket/public/Order-Book-Channel (version 3, with numbers)
import { formatDecimal, type Mantissa, type OrderBook } from "@tickwire/proto/model";
import type { Instrument } from "#core/instrument.ts";
import type { BookSequencing } from "../../feed/feed-adapter.ts";
import { LINKED_CHANGES } from "../../reading/book-sequencings.ts";
import { ChecksumInTurns } from "../../reading/checksum-in-turns.ts";
import { ScaleTracker } from "../../reading/scale-tracker.ts";

/** Levels of each side that a checksum covers. */
export const BITGET_CHECKSUM_LEVELS = 25;

/**
 * The number of a snapshot lies between both numbers of the first update that follows it; from
 * there on each update names the number of the one before.
 */
export const BITGET_SEQUENCING: BookSequencing = {
  ...LINKED_CHANGES,
  bridges: (delta, snapshotUpdateId) =>
    (delta.previousUpdateId ?? Infinity) <= snapshotUpdateId &&
    snapshotUpdateId <= (delta.lastUpdateId ?? -Infinity),
};

/**
 * Over price and size of each level as the venue writes them: with the same decimals in all numbers
 * of a book, which is what the scale tracker of a book keeps.
 */
export function bitgetChecksum(book: OrderBook): number {
  return paddedSums.of(book, BITGET_CHECKSUM_LEVELS);
}

const paddedSums = new ChecksumInTurns(levelText);
const trimmedSums = new ChecksumInTurns(trimmedLevelText);

function levelText(book: OrderBook, price: Mantissa, size: Mantissa): string {
  return `${fixedText(price, book.priceScale)}:${fixedText(size, book.sizeScale)}`;
}

/**
 * The same for version 3, which writes numbers without zeros at their end (`10.5`), and once wrote
 * them with: the one of the two that was sent, if it is one.
 */
export function bitgetEitherChecksum(book: OrderBook, _: Instrument, sent: number): number {
  const padded = bitgetChecksum(book);
  return padded === sent ? padded : trimmedSums.of(book, BITGET_CHECKSUM_LEVELS);
}

function trimmedLevelText(book: OrderBook, price: Mantissa, size: Mantissa): string {
  return `${formatDecimal(price, book.priceScale)}:${formatDecimal(size, book.sizeScale)}`;
}

/** Plain text with all decimals of the scale. */
function fixedText(mantissa: Mantissa, scale: number): string {
  const digits = String(mantissa);
  if (scale === 0) return digits;
  const padded = digits.padStart(scale + 1, "0");
  return `${padded.slice(0, -scale)}.${padded.slice(-scale)}`;
}

/** One book of one connection. */
export class BitgetBook {
  readonly numbers = new BookNumbers();
  #scales = exactScales();

  /** The scales that its levels have. */
  get scales(): ScaleTracker {
    return this.#scales;
  }

  /**
   * A snapshot comes, which defines the precision anew: so one damaged text cannot spoil checksums
   * for good.
   */
  begin(): void {
    this.#scales = exactScales();
  }
}

function exactScales(): ScaleTracker {
  return new ScaleTracker({ keepTrailingZeros: true });
}

/** Where a message stands among those of its book. */
export type BookPosition = {
  readonly lastUpdateId: number;
  readonly previousUpdateId: number | undefined;
};

/**
 * The numbers of one book, which may be beyond 2^53, as their distance from where they began: that
 * is exact as a number. Numbers that go back, or too far, begin again behind the last one, so that
 * they never look like what was there before. Only up to the first update that follows a snapshot
 * may lower numbers come: those of updates that the snapshot contains.
 */
export class BookNumbers {
  #base = 0n;
  #last = 1;
  #isBridged = false;

  /** A snapshot: everything before it is forgotten. */
  start(sequence: bigint): BookPosition {
    this.#base = sequence - 1n;
    this.#last = 1;
    this.#isBridged = false;
    return { lastUpdateId: 1, previousUpdateId: undefined };
  }

  /** An update, with the number that it names of the one before it; 0 if it names none. */
  proceed(sequence: bigint, previous: bigint): BookPosition {
    const lastUpdateId = Number(sequence - this.#base);
    // After a restart the venue names no message before.
    const previousUpdateId = previous === 0n ? undefined : Number(previous - this.#base);
    const isBack = lastUpdateId < this.#last;
    if (isBack && !this.#isBridged && previous !== 0n) return { lastUpdateId, previousUpdateId };
    this.#isBridged = true;
    if (isBack || !Number.isSafeInteger(lastUpdateId)) {
      this.#last += 2;
      this.#base = sequence - BigInt(this.#last);
      return { lastUpdateId: this.#last, previousUpdateId: undefined };
    }
    this.#last = lastUpdateId;
    return { lastUpdateId, previousUpdateId };
  }
}
