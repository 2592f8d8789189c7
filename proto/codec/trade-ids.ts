import { VARINT_BYTES_MAX, putBigVarint } from "./byte-writer.ts";
import type { ByteWriter } from "./byte-writer.ts";
import { deltaScratch, writeSigned } from "./column-writer.ts";
import type { TradeRow } from "./types.ts";

/** Digits that a double holds whatever they are. */
const SMALL_ID_DIGITS_MAX = 15;
const DIGIT_0 = 48;
const DIGIT_9 = 57;

const CANONICAL_ID = /^(?:0|[1-9][0-9]{0,18})$/;
const ID_MAX = 2n ** 63n;

/**
 * The trade ids: as differences where every one is a canonical decimal integer below 2^63, as texts
 * otherwise, and not at all where no trade has one.
 */
export function writeTradeIds(writer: ByteWriter, rows: readonly TradeRow[]): void {
  if (writeSmallIds(writer, rows) || writeLargeIds(writer, rows)) return;
  if (rows.every((row) => row.tradeId === "")) return;
  for (const row of rows) writer.stringField(7, row.tradeId);
}

/** False if it wrote nothing, because an id is not a small integer or all are "0". */
function writeSmallIds(writer: ByteWriter, rows: readonly TradeRow[]): boolean {
  const count = rows.length;
  const deltas = deltaScratch(count);
  let previous = 0;
  for (let index = 0; index < count; index += 1) {
    const id = smallId((rows[index] as TradeRow).tradeId);
    if (id < 0) return false;
    deltas[index] = id - previous;
    previous = id;
  }
  return writeSigned(writer, 6, deltas, count);
}

/** -1 if the text is not a canonical integer, or not a small one. */
function smallId(text: string): number {
  const { length } = text;
  if (length === 0 || length > SMALL_ID_DIGITS_MAX) return -1;
  let id = 0;
  for (let index = 0; index < length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit < DIGIT_0 || unit > DIGIT_9) return -1;
    id = id * 10 + (unit - DIGIT_0);
  }
  return length > 1 && text.charCodeAt(0) === DIGIT_0 ? -1 : id;
}

function writeLargeIds(writer: ByteWriter, rows: readonly TradeRow[]): boolean {
  if (rows.length === 0 || !rows.every((row) => CANONICAL_ID.test(row.tradeId))) return false;
  const ids = rows.map((row) => BigInt(row.tradeId));
  if (ids.some((id) => id >= ID_MAX)) return false;
  // Written even where all are 0: an empty column says that there are no ids.
  const start = writer.open(6);
  writer.reserve(ids.length * VARINT_BYTES_MAX);
  let previous = 0n;
  for (const id of ids) {
    const delta = id - previous;
    const zigzag = delta < 0n ? -2n * delta - 1n : 2n * delta;
    writer.position = putBigVarint(writer.bytes, writer.position, zigzag);
    previous = id;
  }
  writer.close(start);
  return true;
}
