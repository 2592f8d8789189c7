import { ByteReader, WireType } from "../byte-reader.ts";
import { putVarint, varintLength } from "../byte-writer.ts";
import { MessageScan, shapesOf } from "../message-scan.ts";
import { WireError } from "../wire-error.ts";
import { BatchField, SEQUENCE_RESIDUE_MODULUS } from "./batch-fields.ts";
import { readBase } from "./base-codec.ts";
import { BatchScan } from "./batch-scan.ts";
import { eventsOfTimes, residueOf } from "./times-codec.ts";

/** Field numbers of `tickwire.bus.v1.BusBatch`. */
export const BusBatchField = {
  Batch: 1,
  Count: 2,
  PublishedTimeUs: 3,
  Rebase: 4,
  Base: 7,
} as const;

/**
 * A batch as the bus carries it, and where in its bytes the two ranges are that a gateway cuts out.
 */
export type BusBatch = {
  /** The encoded BusBatch, from `start` to `end`. */
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  /** Content of the Batch, without topic id and base. */
  readonly coreStart: number;
  readonly coreEnd: number;
  /** The `base` field of the Batch, with its tag. */
  readonly baseStart: number;
  readonly baseEnd: number;
  /** Number of the schema's Channel. */
  readonly channel: number;
  readonly epoch: number;
  /** The sequence that the batch goes on from; of a snapshot, that of its events. */
  readonly baseSequence: number;
  /** Events conflated away before the first. */
  readonly skipped: number;
  readonly count: number;
  readonly snapshot: boolean;
  readonly publishedTimeUs: number;
  /** Subscribers who stand in the chain need the base too. */
  readonly rebase: boolean;
};

/** Sequence of the last event. */
export function lastSequenceOf(batch: BusBatch): number {
  return batch.snapshot ? batch.baseSequence : batch.baseSequence + batch.skipped + batch.count;
}

const SHAPES = shapesOf({ varint: [2, 3, 4], bytes: [1, 7] });
const coreScan = new BatchScan();

/**
 * Reads a BusBatch as far as a gateway must: where its ranges are, and that what a subscriber
 * proves continuity by agrees with itself. The payload stays unread. Throws WireError.
 */
export function readBusBatch(bytes: Uint8Array, start = 0, end: number = bytes.length): BusBatch {
  const scan = new MessageScan(bytes, SHAPES).scan(start, end);
  const [coreStart, coreEnd] = oneRange(scan, BusBatchField.Batch, "batch");
  const [contentStart, baseEnd] = oneRange(scan, BusBatchField.Base, "base");
  const state = readBase(bytes, contentStart, baseEnd);
  const count = scan.uint32(BusBatchField.Count);
  coreScan.scan(bytes, coreStart, coreEnd);
  const core = coreScan;
  if (core.bytes !== bytes) throw new WireError("malformed", "a column of a batch is in pieces");
  for (const field of [BatchField.TopicId, BatchField.Base]) {
    if (core.has(field)) throw new WireError("malformed", `a batch on the bus has field ${field}`);
  }
  const batch: BusBatch = {
    bytes,
    start,
    end,
    coreStart,
    coreEnd,
    // The tag and the length stand before the content; a shortest tag takes one byte.
    baseStart: contentStart - varintLength(baseEnd - contentStart) - 1,
    baseEnd,
    channel: state.channel,
    epoch: state.epoch,
    baseSequence: state.sequence,
    skipped: core.unsigned(BatchField.Skipped, "skipped"),
    count,
    snapshot: core.bool(BatchField.Snapshot),
    publishedTimeUs: scan.signed(BusBatchField.PublishedTimeUs, "published_time_us"),
    rebase: scan.bool(BusBatchField.Rebase),
  };
  if (bytes[batch.baseStart] !== ((BatchField.Base << 3) | WireType.Bytes)) {
    throw new WireError("malformed", "the base of a batch has a tag or a length of odd form");
  }
  const events = eventsOfTimes(core.entries(BatchField.Times), state.venueTimeUnitUs);
  if (events !== count) {
    throw new WireError("malformed", `count is ${count}, times is that of ${events} events`);
  }
  checkSequence(core, batch);
  return batch;
}

function checkSequence(core: BatchScan, batch: BusBatch): void {
  const last = lastSequenceOf(batch);
  if (!Number.isSafeInteger(last)) {
    throw new WireError("unsafe-integer", `the last sequence is about ${last}, beyond 2^53`);
  }
  const residue = residueOf(core);
  if (residue !== last % SEQUENCE_RESIDUE_MODULUS) {
    throw new WireError("malformed", `residue ${residue} is not that of sequence ${last}`);
  }
  const anchor = core.unsigned(BatchField.LastSequence, "last_sequence");
  if (anchor !== 0 && anchor !== last) {
    throw new WireError("malformed", `last_sequence ${anchor} is not ${last}`);
  }
}

function oneRange(scan: MessageScan, field: number, name: string): readonly [number, number] {
  const ranges = scan.ranges(field);
  if (ranges.length === 2) return ranges as unknown as readonly [number, number];
  throw new WireError("malformed", `a bus message has ${ranges.length / 2} fields ${name}`);
}

const BATCHES_TAG = (2 << 3) | WireType.Bytes;
const TOPIC_ID_TAG = BatchField.TopicId << 3;

/** Bytes of an element of `ServerFrame.batches` made of a batch, with or without its base. */
export function elementLength(batch: BusBatch, topicId: number, withBase: boolean): number {
  const content = contentLength(batch, topicId, withBase);
  return 1 + varintLength(content) + content;
}

function contentLength(batch: BusBatch, topicId: number, withBase: boolean): number {
  const base = withBase ? batch.baseEnd - batch.baseStart : 0;
  return 1 + varintLength(topicId) + base + (batch.coreEnd - batch.coreStart);
}

/**
 * Writes an element of `ServerFrame.batches` into `target`: tag, length, topic id, the base for a
 * subscriber who needs it, the rest. Returns the position after it; room must be there.
 */
export function putElement(
  target: Uint8Array,
  position: number,
  batch: BusBatch,
  { topicId, withBase }: { readonly topicId: number; readonly withBase: boolean },
): number {
  target[position] = BATCHES_TAG;
  let at = putVarint(target, position + 1, contentLength(batch, topicId, withBase));
  target[at] = TOPIC_ID_TAG;
  at = putVarint(target, at + 1, topicId);
  if (withBase) at = putRange(target, at, batch.bytes, batch.baseStart, batch.baseEnd);
  return putRange(target, at, batch.bytes, batch.coreStart, batch.coreEnd);
}

function putRange(
  target: Uint8Array,
  position: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): number {
  target.set(bytes.subarray(start, end), position);
  return position + end - start;
}

/** The topic id of an element's content; 0 if it has none. Throws WireError. */
export function topicIdOf(bytes: Uint8Array, start: number, end: number): number {
  const reader = new ByteReader(bytes, start, end);
  let topicId = 0;
  while (reader.position < end) {
    const tag = reader.tag();
    if (tag !== TOPIC_ID_TAG) {
      reader.skip(tag);
      continue;
    }
    reader.varint64();
    topicId = reader.low;
  }
  return topicId;
}
