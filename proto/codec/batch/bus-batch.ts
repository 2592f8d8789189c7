import * as BatchField from "../../gen/batch-field.ts";
import * as BaseField from "../../gen/base-field.ts";
import { ByteReader, WIRE_BYTES, safeInteger } from "../byte-reader.ts";
import { putVarint, varintLength } from "../byte-writer.ts";
import { BATCHES_TAG } from "../frame-walker.ts";
import { WireError } from "../wire-error.ts";
import { GENERATIONS, SEQUENCE_RESIDUE_MODULUS, markOf } from "./batch-marks.ts";
import { FieldScan } from "./field-scan.ts";
import { eventsOfTimes, takeMark } from "./times-codec.ts";
import { TOPIC_ID_TAG } from "./topic-id.ts";

/** Field numbers of `tickwire.bus.v1.BusBatch`. */
export const BusBatchField = {
  Batch: 1,
  Count: 2,
  PublishedTimeUs: 3,
  Rebase: 4,
  Base: 7,
} as const;

const CORE_TAG = (BusBatchField.Batch << 3) | WIRE_BYTES;
const BASE_TAG = (BusBatchField.Base << 3) | WIRE_BYTES;

/** Up to here, bytes are copied one by one, which is faster than by a view of them. */
const SHORT_BYTES = 64;

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

const coreScan = new FieldScan(BatchField.SHAPES);

/** What stands in the outer message; -1 where a range is not there. */
type Outer = {
  coreStart: number;
  coreEnd: number;
  baseStart: number;
  baseContentStart: number;
  baseEnd: number;
  count: number;
  publishedTimeUs: number;
  rebase: boolean;
};

/** What a gateway must know of a base. */
type BaseHead = { channel: number; epoch: number; sequence: number; venueTimeUnitUs: number };

/**
 * Reads a BusBatch as far as a gateway must: where its ranges are, and that what a subscriber
 * proves continuity by agrees with itself. The payload stays unread. Throws WireError.
 */
export function readBusBatch(bytes: Uint8Array, start = 0, end: number = bytes.length): BusBatch {
  const outer = readOuter(bytes, start, end);
  const { coreStart, coreEnd, baseStart, baseEnd, count, publishedTimeUs, rebase } = outer;
  const base = readBaseHead(bytes, outer.baseContentStart, baseEnd);
  coreScan.scan(bytes, coreStart, coreEnd);
  const core = coreScan;
  if (core.bytes !== bytes) throw new WireError("malformed", "a column of a batch is in pieces");
  if (core.has(BatchField.TopicId) || core.has(BatchField.Base)) {
    throw new WireError("malformed", "a batch on the bus has a topic id or a base");
  }
  const batch: BusBatch = {
    bytes,
    start,
    end,
    coreStart,
    coreEnd,
    baseStart,
    baseEnd,
    channel: base.channel,
    epoch: base.epoch,
    baseSequence: base.sequence,
    skipped: core.unsigned(BatchField.Skipped, "skipped"),
    count,
    snapshot: core.bool(BatchField.Snapshot),
    publishedTimeUs,
    rebase,
  };
  const events = eventsOfTimes(core.entries(BatchField.Times), base.venueTimeUnitUs);
  if (events !== count) {
    throw new WireError("malformed", `count is ${count}, times is that of ${events} events`);
  }
  checkSequence(core, batch);
  return batch;
}

function readOuter(bytes: Uint8Array, start: number, end: number): Outer {
  const outer: Outer = {
    coreStart: -1,
    coreEnd: -1,
    baseStart: -1,
    baseContentStart: -1,
    baseEnd: -1,
    count: 0,
    publishedTimeUs: 0,
    rebase: false,
  };
  const reader = new ByteReader(bytes, start, end);
  while (reader.position < end) {
    const tagStart = reader.position;
    const tag = reader.tag();
    if (tag === CORE_TAG) {
      if (outer.coreStart >= 0) throw new WireError("malformed", "a bus message has two batches");
      const length = reader.length();
      outer.coreStart = reader.position;
      outer.coreEnd = reader.position += length;
    } else if (tag === BASE_TAG) {
      if (outer.baseStart >= 0) throw new WireError("malformed", "a bus message has two bases");
      const length = reader.length();
      outer.baseStart = tagStart;
      outer.baseContentStart = reader.position;
      outer.baseEnd = reader.position += length;
    } else if (tag === BusBatchField.Count << 3) outer.count = readInteger(reader, "count");
    else if (tag === BusBatchField.PublishedTimeUs << 3) {
      outer.publishedTimeUs = readInteger(reader, "published_time_us", true);
    } else if (tag === BusBatchField.Rebase << 3) {
      // NaN, which stands for more than a safe integer, is not 0 either.
      outer.rebase = reader.varint() !== 0;
    } else reader.skip(tag);
  }
  if (outer.coreStart < 0 || outer.baseStart < 0) {
    throw new WireError("malformed", "a bus message has no batch or no base");
  }
  return outer;
}

function readBaseHead(bytes: Uint8Array, start: number, end: number): BaseHead {
  const base: BaseHead = { channel: 0, epoch: 0, sequence: 0, venueTimeUnitUs: 0 };
  const reader = new ByteReader(bytes, start, end);
  while (reader.position < end) {
    const tag = reader.tag();
    if (tag === BaseField.Channel << 3) base.channel = readInteger(reader, "channel");
    else if (tag === BaseField.Epoch << 3) base.epoch = readInteger(reader, "epoch");
    else if (tag === BaseField.Sequence << 3) base.sequence = readInteger(reader, "sequence");
    else if (tag === BaseField.VenueTimeUnitUs << 3) {
      base.venueTimeUnitUs = readInteger(reader, "venue_time_unit_us");
    } else reader.skip(tag);
  }
  return base;
}

function readInteger(reader: ByteReader, name: string, isSigned = false): number {
  const { position } = reader;
  const value = reader.varint();
  if (value >= 0) return value;
  const wide = reader.wide(position);
  return safeInteger(name, isSigned ? BigInt.asIntN(64, wide) : wide);
}

function checkSequence(core: FieldScan, batch: BusBatch): void {
  const last = lastSequenceOf(batch);
  if (!Number.isSafeInteger(last)) {
    throw new WireError("unsafe-integer", `the last sequence is about ${last}, beyond 2^53`);
  }
  const mark = takeMark(core);
  const generation = Math.floor(mark / SEQUENCE_RESIDUE_MODULUS);
  // Not so either where the mark is NaN.
  if (!(mark === markOf(last, generation) && generation < GENERATIONS)) {
    throw new WireError("malformed", `times begins with ${mark}, which is not of sequence ${last}`);
  }
  const anchor = core.unsigned(BatchField.LastSequence, "last_sequence");
  if (anchor !== 0 && anchor !== last) {
    throw new WireError("malformed", `last_sequence ${anchor} is not ${last}`);
  }
}

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

/**
 * The element made of `element`, which has no base, and `base`, the range of a BusBatch: for
 * whoever did not keep the batch itself. `element` is one that `putElement` wrote.
 */
export function withBase(element: Uint8Array, base: Uint8Array): Uint8Array {
  const reader = new ByteReader(element, 1, element.length);
  const length = reader.length();
  const contentStart = reader.position;
  reader.tag();
  reader.varint();
  const idEnd = reader.position;
  const contentLengthWithBase = length + base.length;
  const based = new Uint8Array(1 + varintLength(contentLengthWithBase) + contentLengthWithBase);
  based[0] = BATCHES_TAG;
  let at = putVarint(based, 1, contentLengthWithBase);
  at = putRange(based, at, element, contentStart, idEnd);
  based.set(base, at);
  putRange(based, at + base.length, element, idEnd, element.length);
  return based;
}

function putRange(
  target: Uint8Array,
  position: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): number {
  if (end - start > SHORT_BYTES) target.set(bytes.subarray(start, end), position);
  else for (let at = start; at < end; at += 1) target[position + at - start] = bytes[at] as number;
  return position + end - start;
}
