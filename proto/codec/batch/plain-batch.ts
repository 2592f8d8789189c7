import * as BatchField from "../../gen/batch-field.ts";
import { WIRE_BYTES } from "../byte-reader.ts";
import { putVarint } from "../byte-writer.ts";
import { markOf } from "./batch-marks.ts";
import { closeMessage, openMessage } from "./byte-arena.ts";
import { BusBatchField } from "./bus-batch.ts";
import type { BusBatch } from "./bus-batch.ts";
import type { ChainState } from "./chain-state.ts";
import { columnsRoom, putPayload, putTimeColumn } from "./column-writer.ts";
import type { PendingColumns } from "./pending-columns.ts";
import { PLAIN_BASE_BYTES_MAX, putPlainBase } from "./plain-base.ts";
import { closeColumn } from "./small-codes.ts";
import { NOT_PLAIN, putSmall, putUnsignedField } from "./small-varint.ts";

/** Most bytes around the columns. */
const AROUND_COLUMNS_BYTES = PLAIN_BASE_BYTES_MAX + 64;

/** Columns take about so much of the room that is made for them. */
const FILLED_SHARE = 1 / 3;

const CORE_TAG = (BusBatchField.Batch << 3) | WIRE_BYTES;
const SKIPPED_TAG = BatchField.Skipped << 3;
// A tag from 128 on takes two bytes.
const LAST_SEQUENCE_TAG_LOW = ((BatchField.LastSequence << 3) & 0x7f) | 0x80;
const LAST_SEQUENCE_TAG_HIGH = BatchField.LastSequence >> 4;
const COUNT_TAG = BusBatchField.Count << 3;
const PUBLISHED_TAG = BusBatchField.PublishedTimeUs << 3;
const REBASE_TAG = BusBatchField.Rebase << 3;

/** What the chain's writer says of a batch. */
type PlainBatch = {
  readonly publishedTimeUs: number;
  readonly skipped: number;
  /** Sequence of the last event. */
  readonly last: number;
  readonly rebase: boolean;
  /** True if the batch says its sequence whole. */
  readonly isAnchor: boolean;
};

/**
 * The columns as a batch with the state as its base, which is not moved; undefined if they have to
 * go the general way. They are from 1 to BATCH_EVENTS_MAX events, and fit the chain.
 */
export function encodePlain(
  state: ChainState,
  columns: PendingColumns,
  batch: PlainBatch,
): BusBatch | undefined {
  const { count } = columns;
  const { publishedTimeUs, skipped, rebase } = batch;
  const room = columnsRoom(state, columns);
  const into = openMessage(room + AROUND_COLUMNS_BYTES);
  const { bytes, start } = into;
  const baseEnd = putPlainBase(into, start, state);
  if (baseEnd === NOT_PLAIN) return undefined;
  bytes[baseEnd] = CORE_TAG;
  const width = room * FILLED_SHARE < 0x80 ? 1 : 2;
  const coreOpened = baseEnd + 1 + width;
  const mark = markOf(batch.last, state.generation);
  let at = putTimeColumn(into, coreOpened, state, columns, { mark, publishedTimeUs });
  if (at === NOT_PLAIN) return undefined;
  at = putUnsignedField(into, at, SKIPPED_TAG, skipped);
  if (batch.isAnchor) at = putAnchor(bytes, at, batch.last);
  at = putPayload(into, at, state, columns);
  if (at === NOT_PLAIN) return undefined;
  const coreLength = at - coreOpened;
  const coreEnd = closeColumn(bytes, coreOpened, at, width);
  bytes[coreEnd] = COUNT_TAG;
  at = putSmall(bytes, coreEnd + 1, count);
  at = putUnsignedField(into, at, PUBLISHED_TAG, publishedTimeUs);
  if (at === NOT_PLAIN) return undefined;
  if (rebase) {
    bytes[at] = REBASE_TAG;
    bytes[at + 1] = 1;
    at += 2;
  }
  return {
    bytes: closeMessage(at, into),
    start: 0,
    end: at - start,
    coreStart: coreEnd - start - coreLength,
    coreEnd: coreEnd - start,
    baseStart: 0,
    baseEnd: baseEnd - start,
    channel: state.channel,
    epoch: state.epoch,
    baseSequence: state.sequence,
    skipped,
    count,
    snapshot: false,
    publishedTimeUs,
    rebase,
  };
}

function putAnchor(bytes: Uint8Array, at: number, last: number): number {
  bytes[at] = LAST_SEQUENCE_TAG_LOW;
  bytes[at + 1] = LAST_SEQUENCE_TAG_HIGH;
  return putVarint(bytes, at + 2, last);
}
