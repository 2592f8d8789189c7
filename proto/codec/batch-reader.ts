import type { Mantissa } from "../model/decimal.ts";
import { readBools, readSigned } from "./column-reader.ts";
import { readBooks, readQuotes, readTrades } from "./hot-readers.ts";
import { BATCH_EVENTS_MAX, EMPTY_BATCH_EVENTS_MAX, SCALE_MAX } from "./limits.ts";
import { FieldShape, MessageScan, assertCount } from "./message-scan.ts";
import { rowCodecOf } from "./row-kinds.ts";
import type { BatchColumns, BatchHeader, BatchRows, DecodedBatch, RowKind } from "./types.ts";
import { WireError } from "./wire-error.ts";

const { Unknown, Varint, Varints, Bytes, Member } = FieldShape;

/** By field number. Of the payload, only the two scales are of interest here. */
const BATCH_SHAPES: readonly FieldShape[] = [
  ...[Unknown, Varint, Varint, Varint, Varint, Varint, Varint, Varint, Varint],
  ...[Varints, Varints, Varints, Unknown, Unknown, Unknown, Unknown],
  ...[Member, Member, Member, Member, Member, Member, Member, Member, Member, Member],
];
const SCALE_SHAPES: readonly FieldShape[] = [Unknown, Varint, Varint];
const ELEMENT_SHAPES: readonly FieldShape[] = [Unknown, Bytes];

const KIND_OF_FIELD: { readonly [field: number]: BatchRows["kind"] } = {
  16: "trades",
  17: "quotes",
  18: "books",
  19: "candles",
  20: "tickers",
  21: "fundings",
  22: "markPrices",
  23: "openInterests",
  24: "liquidations",
  25: "statuses",
};

/** A batch's header, and what its payload is. */
export type BatchSummary = BatchHeader & {
  readonly kind: BatchRows["kind"];
  /** As the batch has them (what travels as text may be finer); 0 for kinds without columns. */
  readonly priceScale: number;
  readonly sizeScale: number;
};

/** The head of an encoded Batch, its columns unread. Throws WireError. */
export function readBatchHeader(
  bytes: Uint8Array,
  start = 0,
  end: number = bytes.length,
): BatchSummary {
  const scan = new MessageScan(bytes, BATCH_SHAPES).scan(start, end);
  const kind = kindOf(scan);
  const header = { ...readHeader(scan, end - start), kind };
  if (!isHot(kind)) return { ...header, priceScale: 0, sizeScale: 0 };
  const payload = scanPayload(bytes, scan, SCALE_SHAPES);
  return { ...header, priceScale: scaleOf(payload, 1), sizeScale: scaleOf(payload, 2) };
}

/** A whole encoded Batch. The result owns everything in it. Throws WireError. */
export function readBatch(bytes: Uint8Array, start = 0, end: number = bytes.length): DecodedBatch {
  const scan = new MessageScan(bytes, BATCH_SHAPES).scan(start, end);
  const kind = kindOf(scan);
  const header = readHeader(scan, end - start);
  const { count } = header;
  const receivedTimesUs = readReceivedTimes(scan, count);
  const venueTimesUs = readVenueTimes(scan, receivedTimesUs);
  const head = {
    topicId: header.topicId,
    epoch: header.epoch,
    firstSequence: header.firstSequence,
    count,
    previousSequence: header.previousSequence,
    snapshot: header.snapshot,
    publishedTimeUs: header.publishedTimeUs,
    receivedTimesUs,
    venueTimesUs,
  };
  switch (kind) {
    case "trades":
      return { ...head, kind, columns: readTrades(bytes, scan.ranges(16), count) };
    case "quotes":
      return { ...head, kind, columns: readQuotes(bytes, scan.ranges(17), count) };
    case "books":
      return { ...head, kind, columns: readBooks(bytes, scan.ranges(18), count) };
    case "candles":
    case "tickers":
    case "fundings":
    case "markPrices":
    case "openInterests":
    case "liquidations":
    case "statuses":
      return { ...head, ...readRows(kind, scan, { count, receivedTimesUs, venueTimesUs }) };
  }
}

function kindOf(scan: MessageScan): BatchRows["kind"] {
  const kind = KIND_OF_FIELD[scan.member];
  if (kind === undefined)
    throw new WireError("malformed", "a batch has no payload of a known kind");
  return kind;
}

function isHot(kind: BatchRows["kind"]): kind is BatchColumns["kind"] {
  return kind === "trades" || kind === "quotes" || kind === "books";
}

function scanPayload(
  bytes: Uint8Array,
  scan: MessageScan,
  shapes: readonly FieldShape[],
): MessageScan {
  const payload = new MessageScan(bytes, shapes);
  const ranges = scan.ranges(scan.member);
  for (let index = 0; index < ranges.length; index += 2) {
    payload.scan(ranges[index] as number, ranges[index + 1] as number);
  }
  return payload;
}

function scaleOf(payload: MessageScan, field: number): number {
  const scale = payload.uint32(field);
  if (scale <= SCALE_MAX) return scale;
  throw new WireError("malformed", `scale ${scale} exceeds ${SCALE_MAX}`);
}

function readHeader(scan: MessageScan, byteLength: number): BatchHeader {
  const count = scan.uint32(4);
  if (count > BATCH_EVENTS_MAX || (count > EMPTY_BATCH_EVENTS_MAX && count > byteLength)) {
    throw new WireError("malformed", `${count} events in ${byteLength} bytes`);
  }
  return {
    topicId: scan.uint32(1),
    epoch: scan.unsigned(2, "epoch"),
    firstSequence: scan.unsigned(3, "first_sequence"),
    count,
    previousSequence: scan.unsigned(5, "previous_sequence"),
    snapshot: scan.bool(6),
    publishedTimeUs: scan.signed(7, "published_time_us"),
  };
}

function readReceivedTimes(scan: MessageScan, count: number): number[] {
  const base = scan.signed(8, "received_time_us");
  const times = readSigned(scan.packed(9), count, true);
  for (let index = 0; index < count; index += 1) {
    times[index] = safeSum(base, times[index] as Mantissa);
  }
  return times as number[];
}

function readVenueTimes(
  scan: MessageScan,
  receivedTimesUs: readonly number[],
): (number | undefined)[] {
  const count = receivedTimesUs.length;
  const times: (Mantissa | undefined)[] = readSigned(scan.packed(10), count, false);
  for (let index = 0; index < count; index += 1) {
    times[index] = safeSum(receivedTimesUs[index] as number, times[index] as Mantissa);
  }
  const absent = scan.packed(11);
  if (absent !== undefined) {
    for (const [index, isAbsent] of readBools(absent, count).entries()) {
      if (isAbsent) times[index] = undefined;
    }
  }
  return times as (number | undefined)[];
}

function safeSum(base: number, offset: Mantissa): number {
  const sum = typeof offset === "number" ? base + offset : NaN;
  if (Number.isSafeInteger(sum)) return sum;
  throw new WireError("unsafe-integer", "a time is beyond 2^53 microseconds");
}

function readRows(
  kind: RowKind,
  scan: MessageScan,
  times: Pick<DecodedBatch, "count" | "receivedTimesUs" | "venueTimesUs">,
): Extract<BatchRows, { readonly kind: RowKind }> {
  const payload = scan.message(scan.member);
  // Before decoding: the rows are as many as their times, or the batch is refused.
  const elements = new MessageScan(payload, ELEMENT_SHAPES).scan(0, payload.length).ranges(1);
  assertCount(kind, elements.length / 2, times.count);
  const rows = rowCodecOf(kind).decode(payload, (index) => ({
    venueTimeUs: times.venueTimesUs[index],
    receivedTimeUs: times.receivedTimesUs[index] as number,
  }));
  return { kind, rows } as Extract<BatchRows, { readonly kind: RowKind }>;
}
