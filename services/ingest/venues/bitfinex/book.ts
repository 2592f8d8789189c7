// https://docs.bitfinex.com/reference/ws-public-books
// https://docs.bitfinex.com/reference/ws-public-raw-books
// https://docs.bitfinex.com/docs/ws-websocket-checksum
import { formatDecimal, type Mantissa, type OrderBook } from "@tickwire/proto/model";
import { type JsonTape, MISSING } from "#core/json-tape.ts";
import type { RejectReason } from "../../feed/feed-adapter.ts";
import { ChecksumInTurns } from "../../reading/checksum-in-turns.ts";
import { type BookColumns, isNotMantissa, type ScaleTracker } from "../../reading/scale-tracker.ts";

/** Levels of each side that the checksum covers. */
export const CHECKSUM_LEVELS = 25;

/** A level by itself, or the list of them that a snapshot is. */
type Levels = { readonly payload: number; readonly snapshot: boolean };

/**
 * Levels `[price, count, amount]`: bids have positive amounts, asks negative ones, and a count of 0
 * removes the level. All are at the tracker's scales after the call; a reason instead of columns if
 * any is damaged.
 */
export function readLevels(
  tape: JsonTape,
  tracker: ScaleTracker,
  levels: Levels,
): BookColumns | RejectReason {
  const { priceScale, sizeScale } = tracker;
  const columns = readOnce(tape, tracker, levels);
  const grew = priceScale !== tracker.priceScale || sizeScale !== tracker.sizeScale;
  return grew && typeof columns !== "string" ? readOnce(tape, tracker, levels) : columns;
}

function readOnce(
  tape: JsonTape,
  tracker: ScaleTracker,
  { payload, snapshot }: Levels,
): BookColumns | RejectReason {
  const bids = { prices: [] as Mantissa[], sizes: [] as Mantissa[] };
  const asks = { prices: [] as Mantissa[], sizes: [] as Mantissa[] };
  let level = snapshot ? tape.first(payload) : payload;
  while (level !== MISSING) {
    const price = tracker.priceAt(tape, tape.at(level, 0));
    const count = tape.number(tape.at(level, 1));
    const amount = tracker.sizeAt(tape, tape.at(level, 2));
    if (!Number.isSafeInteger(count) || count < 0) return "missing-field";
    if (isNotMantissa(price) || isNotMantissa(amount)) return "bad-decimal";
    if (price <= 0) return "non-positive-price";
    if (amount === 0) return "non-positive-size";
    const side = amount > 0 ? bids : asks;
    side.prices.push(price);
    side.sizes.push(count === 0 ? 0 : amount > 0 ? amount : -amount);
    level = snapshot ? tape.next(level) : MISSING;
  }
  return { bids, asks };
}

/**
 * Over price and amount of each level; asks have negative amounts. Numbers are written as
 * JavaScript prints them, small ones with an exponent.
 */
export function bitfinexChecksum(book: OrderBook): number {
  return sums.of(book, CHECKSUM_LEVELS);
}

const sums = new ChecksumInTurns(levelText);

function levelText(book: OrderBook, price: Mantissa, size: Mantissa, isBid: boolean): string {
  const amount = printed(formatDecimal(size, book.sizeScale));
  return `${printed(formatDecimal(price, book.priceScale))}:${isBid ? "" : "-"}${amount}`;
}

/** As JavaScript prints the number. The venue's numbers are doubles, so this is their own text. */
function printed(decimal: string): string {
  return String(Number(decimal));
}
