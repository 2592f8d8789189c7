// What the versions of Bitget's public feed share.
// https://bitgetlimited.github.io/apidoc/en/mix/#websocketapi (version 1, with the checksum)
// https://www.bitget.com/docs/uta/quick-start (version 3)
import { type Mantissa, type OrderBook } from "@tickwire/proto/model";
import { CRC32_START, finishCrc32, updateCrc32 } from "#core/crc32.ts";
import type { Instrument } from "#core/instrument.ts";
import type { FeedAdapter } from "../../feed/feed-adapter.ts";
import { ScaleTracker } from "../../reading/scale-tracker.ts";

/** Levels of each side that a checksum covers. */
export const BITGET_CHECKSUM_LEVELS = 25;

/**
 * The text `ping`; without it the venue ends a connection after two minutes, however much it sends.
 */
export const BITGET_KEEP_ALIVE: NonNullable<FeedAdapter["keepAlive"]> = {
  intervalMs: 25_000,
  frame: () => "ping",
};

/** What is asked for in one frame may have 4,096 bytes; an argument has about a hundred. */
export function bitgetFrames(
  op: "subscribe" | "unsubscribe",
  args: readonly Readonly<Record<string, string>>[],
  argumentsPerFrameMax: number,
): readonly string[] {
  const frames: string[] = [];
  for (let start = 0; start < args.length; start += argumentsPerFrameMax) {
    frames.push(JSON.stringify({ op, args: args.slice(start, start + argumentsPerFrameMax) }));
  }
  return frames;
}

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

/** The scales of the instruments of one connection, made as instruments turn up. */
export class BitgetScales {
  readonly #ticks = new Map<Instrument, ScaleTracker>();
  readonly #books = new Map<Instrument, ScaleTracker>();

  /** Of trades and quotes. */
  ticks(instrument: Instrument): ScaleTracker {
    let tracker = this.#ticks.get(instrument);
    if (tracker === undefined) {
      tracker = new ScaleTracker();
      this.#ticks.set(instrument, tracker);
    }
    return tracker;
  }

  /**
   * Of the book. A snapshot defines the precision anew, so that one damaged text cannot spoil
   * checksums for good.
   */
  book(instrument: Instrument, snapshot: boolean): ScaleTracker {
    let tracker = snapshot ? undefined : this.#books.get(instrument);
    if (tracker === undefined) {
      tracker = new ScaleTracker({ keepTrailingZeros: true });
      this.#books.set(instrument, tracker);
    }
    return tracker;
  }

  /** Every instrument that a book message came for. */
  get books(): Iterable<Instrument> {
    return this.#books.keys();
  }
}
