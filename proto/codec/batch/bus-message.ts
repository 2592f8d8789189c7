import { ByteWriter, writeBool, writeInt, writeUint } from "../byte-writer.ts";
import { writeBase } from "./base-writer.ts";
import { BusBatchField } from "./bus-batch.ts";
import type { BusBatch } from "./bus-batch.ts";
import { sharedCopy } from "./byte-arena.ts";
import type { ChainState } from "./chain-state.ts";

/** What a batch says beside its events. */
export type BatchHead = {
  readonly publishedTimeUs: number;
  readonly skipped: number;
  readonly snapshot: boolean;
};

// Encoding is synchronous and never re-entered, so one set of scratch serves every topic.
const writer = new ByteWriter();
/** Of the message that is being written: where its parts are. */
let baseEnd = 0;
let coreStart = 0;

/**
 * Begins a message with the state as its base; the content of its core is to be written next, into
 * the writer that is returned. A message that is not finished is overwritten by the next one.
 */
export function beginMessage(state: ChainState): ByteWriter {
  writer.reset();
  writeBase(writer, state);
  baseEnd = writer.position;
  coreStart = writer.open(BusBatchField.Batch);
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
  writer.close(coreStart);
  const coreEnd = writer.position;
  writeUint(writer, BusBatchField.Count, count);
  writeInt(writer, BusBatchField.PublishedTimeUs, publishedTimeUs);
  writeBool(writer, BusBatchField.Rebase, rebase);
  const bytes = sharedCopy(writer.bytes, writer.position);
  return {
    bytes,
    start: 0,
    end: bytes.length,
    coreStart: coreEnd - coreLength,
    coreEnd,
    baseStart: 0,
    baseEnd,
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
