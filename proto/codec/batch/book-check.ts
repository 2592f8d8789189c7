import * as BatchField from "../../gen/batch-field.ts";
import { ByteReader, takeNumber, WIRE_BYTES } from "../byte-reader.ts";
import { putVarint, varintLength } from "../byte-writer.ts";
import { WireError } from "../wire-error.ts";
import { channelNumberOf } from "./batch-kinds.ts";
import { LEVEL_REMOVED } from "./batch-marks.ts";
import { BatchReader } from "./batch-reader.ts";
import { readBusEvents } from "./bus-batch-events.ts";
import type { BusBatch } from "./bus-batch.ts";
import { hasTexts } from "./decimal-text-reader.ts";
import { FieldScan } from "./field-scan.ts";

/** Reading so many takes a fraction of a millisecond. */
const LEVELS_PER_STEP = 4_096;

/** Columns of a book that are read piece by piece. */
const SLICED: ReadonlySet<number> = new Set([
  BatchField.Prices,
  BatchField.Sizes,
  BatchField.LevelCounts,
]);

/**
 * Reads the events of a bus message as `readBusEvents` does, and keeps nothing of them: for whoever
 * only wants to be sure that they can be read. It yields now and then where one event is a book of
 * very many levels: a range of them after the other is put into a batch of its own and read. Throws
 * WireError as `readBusEvents`.
 */
export function* checkBusEvents(
  batch: BusBatch,
  levelsPerStep: number = LEVELS_PER_STEP,
): Generator<undefined, void> {
  const book = largeBookOf(batch, levelsPerStep);
  if (book === undefined) {
    readBusEvents(batch);
    return;
  }
  let levels = 0;
  let hadAsk = false;
  while (book.pricesAt < book.pricesEnd) {
    const { bytes, count } = book.next(levelsPerStep);
    const reading = new BatchReader().read(bytes);
    if (reading.outcome !== "read" || reading.batch.kind !== "books") {
      throw new WireError("malformed", "part of a book cannot be read");
    }
    const { bidCounts, askCounts } = reading.batch.columns;
    if (hadAsk && bidCounts[0] !== 0) {
      throw new WireError("malformed", "a bid stands behind an ask of the same event");
    }
    hadAsk ||= askCounts[0] !== 0;
    levels += count;
    yield;
  }
  book.finish(levels);
}

function largeBookOf(batch: BusBatch, levelsPerStep: number): LargeBook | undefined {
  const isBook = batch.channel === channelNumberOf("books");
  // A level takes a byte at least.
  if (!isBook || batch.count !== 1 || batch.coreEnd - batch.coreStart <= levelsPerStep) {
    return undefined;
  }
  const scan = new FieldScan(BatchField.SHAPES);
  scan.scan(batch.bytes, batch.coreStart, batch.coreEnd);
  const isPlain = scan.start(BatchField.Prices) >= 0 && !hasTexts(scan);
  return isPlain ? new LargeBook(batch, scan) : undefined;
}

/** A book of one event, whose levels are cut into ranges. */
class LargeBook {
  readonly #bytes: Uint8Array;
  /** Base and everything but the levels. */
  readonly #head: Uint8Array;
  readonly #levelCount: number | undefined;
  readonly #levelCountEntries: number;
  readonly pricesEnd: number;
  readonly #sizesEnd: number;
  pricesAt: number;
  #sizesAt: number;

  constructor(batch: BusBatch, scan: FieldScan) {
    const { bytes } = batch;
    this.#bytes = bytes;
    this.#head = headOf(batch);
    this.pricesAt = scan.start(BatchField.Prices);
    this.pricesEnd = scan.end(BatchField.Prices);
    // Where there are no sizes, their range is empty.
    this.#sizesAt = Math.max(0, scan.start(BatchField.Sizes));
    this.#sizesEnd = scan.start(BatchField.Sizes) < 0 ? 0 : scan.end(BatchField.Sizes);
    this.#levelCountEntries = scan.entries(BatchField.LevelCounts);
    const at = scan.start(BatchField.LevelCounts);
    this.#levelCount = at < 0 ? undefined : takeNumber(bytes, at);
  }

  /** A batch of the next levels, and how many they are. */
  next(levelsMax: number): { readonly bytes: Uint8Array; readonly count: number } {
    const bytes = this.#bytes;
    const pricesStart = this.pricesAt;
    let count = 0;
    let sized = 0;
    let at = pricesStart;
    while (at < this.pricesEnd && count < levelsMax) {
      if (((bytes[at] as number) & LEVEL_REMOVED) === 0) sized += 1;
      at = behindVarint(bytes, at, this.pricesEnd);
      count += 1;
    }
    this.pricesAt = at;
    const sizesStart = this.#sizesAt;
    let sizesAt = sizesStart;
    for (let index = 0; index < sized && sizesAt < this.#sizesEnd; index += 1) {
      sizesAt = behindVarint(bytes, sizesAt, this.#sizesEnd);
    }
    this.#sizesAt = sizesAt;
    const columns = [
      { field: BatchField.Prices, content: bytes.subarray(pricesStart, at) },
      { field: BatchField.Sizes, content: bytes.subarray(sizesStart, sizesAt) },
    ];
    return { bytes: joined(this.#head, columns), count };
  }

  /** What holds of all levels together. Throws WireError. */
  finish(levels: number): void {
    if (this.#sizesAt !== this.#sizesEnd) {
      throw new WireError("malformed", "sizes has more entries than prices needs");
    }
    const entries = this.#levelCountEntries;
    if (entries === 0 || (entries === 1 && this.#levelCount === levels)) return;
    throw new WireError("malformed", `level_counts does not add up to ${levels} levels`);
  }
}

function behindVarint(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && (bytes[at] as number) >= 0x80) at += 1;
  if (at < end) return at + 1;
  throw new WireError("truncated", "the last number of a column is cut off");
}

function headOf({ bytes, baseStart, baseEnd, coreStart, coreEnd }: BusBatch): Uint8Array {
  const parts = [bytes.subarray(baseStart, baseEnd)];
  const reader = new ByteReader(bytes, coreStart, coreEnd);
  while (reader.position < coreEnd) {
    const start = reader.position;
    const tag = reader.tag();
    reader.skip(tag);
    if (!SLICED.has(tag >>> 3)) parts.push(bytes.subarray(start, reader.position));
  }
  const head = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    head.set(part, at);
    at += part.length;
  }
  return head;
}

function joined(
  head: Uint8Array,
  columns: readonly { readonly field: number; readonly content: Uint8Array }[],
): Uint8Array {
  const fields = columns.filter(({ content }) => content.length > 0);
  const lengthOf = ({ field, content }: (typeof fields)[number]): number =>
    varintLength((field << 3) | WIRE_BYTES) + varintLength(content.length) + content.length;
  const whole = new Uint8Array(fields.reduce((sum, field) => sum + lengthOf(field), head.length));
  whole.set(head);
  let at = head.length;
  for (const { field, content } of fields) {
    at = putVarint(whole, at, (field << 3) | WIRE_BYTES);
    at = putVarint(whole, at, content.length);
    whole.set(content, at);
    at += content.length;
  }
  return whole;
}
