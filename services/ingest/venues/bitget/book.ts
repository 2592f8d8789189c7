// https://bitgetlimited.github.io/apidoc/en/mix/#websocketapi (version 1, with the checksum)
// https://www.bitget.com/docs/uta/websocket/public/Order-Book-Channel (version 3, with numbers)
import { type Mantissa, type OrderBook } from "@tickwire/proto/model";
import { CRC32_START, finishCrc32, updateCrc32 } from "#core/crc32.ts";
import type { BookSequencing } from "../../feed/feed-adapter.ts";
import { LINKED_CHANGES } from "../../reading/book-sequencings.ts";
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
 * CRC-32 over the best 25 levels, `bid price:bid size:ask price:ask size:...` from the best on (a
 * side that has no more levels is left out), each number as the venue writes it. As a signed
 * integer of 32 bits. The venue writes all numbers of a book with the same decimals, which is what
 * the scale tracker of a book keeps.
 */
export function bitgetChecksum(book: OrderBook): number {
  const bids = book.bids(BITGET_CHECKSUM_LEVELS);
  const asks = book.asks(BITGET_CHECKSUM_LEVELS);
  let state = CRC32_START;
  let separator = "";
  for (let index = 0; index < BITGET_CHECKSUM_LEVELS; index += 1) {
    for (const { prices, sizes } of [bids, asks]) {
      const price = prices[index];
      const size = sizes[index];
      if (price === undefined || size === undefined) continue;
      const texts = `${fixedText(price, book.priceScale)}:${fixedText(size, book.sizeScale)}`;
      state = updateCrc32(state, separator + texts);
      separator = ":";
    }
  }
  return finishCrc32(state) | 0;
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
