import { VARINT_BYTES_MAX, writeBool, writeInt, writeUint } from "../byte-writer.ts";
import { writeBase } from "./base-writer.ts";
import { BusBatchField } from "./bus-batch.ts";
import type { BusBatch } from "./bus-batch.ts";
import { closeShared, openShared, sharedCopy } from "./byte-arena.ts";
import type { ChainState } from "./chain-state.ts";
import { ColumnByteWriter } from "./column-bytes.ts";
import { TIME_MIN, putSmall, putTime } from "./small-varint.ts";

/** What a batch says beside its events. */
export type BatchHead = {
  readonly publishedTimeUs: number;
  readonly skipped: number;
  readonly snapshot: boolean;
};

/** Room for columns of which nobody says how long they will be. */
export const LONG_MESSAGE = Infinity;

/** Most bytes around the columns, where no trade ids have a prefix: what is longer grows. */
const AROUND_COLUMNS_BYTES = 250;

/** Columns take about so much of the room that is made for them. */
const FILLED_SHARE = 1 / 3;

// Encoding is synchronous and never re-entered, so one set of scratch serves every topic.
const longWriter = new ColumnByteWriter();
const sharedWriter = new ColumnByteWriter();
/** Of the message that is being written: its writer, and where its parts are. */
let writer = longWriter;
let start = 0;
let baseEnd = 0;
let coreStart = 0;
let coreLengthBytes = 1;

/**
 * Begins a message with the state as its base; the content of its core is to be written next, into
 * the writer that is returned, in which there is room for so many bytes. A message that is not
 * finished is overwritten by the next one.
 */
export function beginMessage(state: ChainState, columnsRoom: number): ColumnByteWriter {
  const isShared = openShared(sharedWriter, columnsRoom + AROUND_COLUMNS_BYTES);
  writer = isShared ? sharedWriter : longWriter;
  if (!isShared) writer.reset();
  start = writer.position;
  writeBase(writer, state);
  baseEnd = writer.position;
  coreLengthBytes = columnsRoom * FILLED_SHARE < 0x80 || columnsRoom === LONG_MESSAGE ? 1 : 2;
  coreStart = writer.open(BusBatchField.Batch, coreLengthBytes);
  if (columnsRoom !== LONG_MESSAGE) writer.reserve(columnsRoom);
  writer.renewView();
  return writer;
}

/** Ends the message whose core is written. */
export function finishMessage(
  { channel, epoch }: ChainState,
  { publishedTimeUs, skipped, snapshot }: BatchHead,
  written: {
    /** Of the last event before the first of the batch. */
    readonly baseSequence: number;
    readonly count: number;
    readonly rebase: boolean;
  },
): BusBatch {
  const { baseSequence, count, rebase } = written;
  const coreLength = writer.position - coreStart;
  writer.close(coreStart, coreLengthBytes);
  const coreEnd = writer.position - start;
  if (count > 0 && publishedTimeUs >= TIME_MIN) writeUsualTail(count, publishedTimeUs);
  else {
    writeUint(writer, BusBatchField.Count, count);
    writeInt(writer, BusBatchField.PublishedTimeUs, publishedTimeUs);
  }
  if (rebase) writeBool(writer, BusBatchField.Rebase, true);
  const bytes =
    writer === sharedWriter ? closeShared(writer) : sharedCopy(writer.bytes, writer.position);
  return {
    bytes,
    start: 0,
    end: bytes.length,
    coreStart: coreEnd - coreLength,
    coreEnd,
    baseStart: 0,
    baseEnd: baseEnd - start,
    channel,
    epoch,
    baseSequence,
    skipped,
    count,
    snapshot,
    publishedTimeUs,
    rebase,
  };
}

/** The count and the time of publishing, of a year like ours. */
function writeUsualTail(count: number, publishedTimeUs: number): void {
  writer.reserve(2 * VARINT_BYTES_MAX);
  const { bytes, position } = writer;
  bytes[position] = BusBatchField.Count << 3;
  const counted = putSmall(bytes, position + 1, count);
  bytes[counted] = BusBatchField.PublishedTimeUs << 3;
  writer.position = putTime(bytes, counted + 1, publishedTimeUs);
}
