import type { Mantissa } from "../model/decimal.ts";
import { readBools, readOffsets, readSums } from "./column-reader.ts";
import { readBooks, readQuotes, readTrades } from "./hot-readers.ts";
import { BATCH_EVENTS_MAX, EMPTY_BATCH_EVENTS_MAX, SCALE_MAX } from "./limits.ts";
import { MessageScan, assertCount, shapesOf } from "./message-scan.ts";
import type { FieldShape } from "./message-scan.ts";
import { decodeRows } from "./row-reader.ts";
import type { BatchColumns, BatchHeader, BatchRows, DecodedBatch, RowKind } from "./types.ts";
import { WireError } from "./wire-error.ts";

const BATCH_SHAPES = shapesOf({
  varint: [1, 2, 3, 4, 5, 6, 7, 8],
  varints: [9, 10, 11],
  member: [16, 17, 18, 19, 20, 21, 22, 23, 24, 25],
});
/** Of a hot payload, the two scales. */
const SCALE_SHAPES = shapesOf({ varint: [1, 2] });
/** Of a payload of rows, the rows. */
const ELEMENT_SHAPES = shapesOf({ bytes: [1] });

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
  const header = readHeader(scan, end - start);
  let priceScale = 0;
  let sizeScale = 0;
  if (isHot(kind)) {
    const payload = scanPayload(bytes, scan, SCALE_SHAPES);
    priceScale = scaleOf(payload, 1);
    sizeScale = scaleOf(payload, 2);
  }
  return {
    topicId: header.topicId,
    epoch: header.epoch,
    firstSequence: header.firstSequence,
    count: header.count,
    previousSequence: header.previousSequence,
    snapshot: header.snapshot,
    publishedTimeUs: header.publishedTimeUs,
    kind,
    priceScale,
    sizeScale,
  };
}

/**
 * A whole encoded Batch. The result owns everything in it. Throws WireError; with the code
 * `unknown-payload` for one that only a newer schema explains.
 */
export function readBatch(bytes: Uint8Array, start = 0, end: number = bytes.length): DecodedBatch {
  const scan = new MessageScan(bytes, BATCH_SHAPES).scan(start, end);
  const kind = kindOf(scan);
  const header = readHeader(scan, end - start);
  const { count } = header;
  const receivedTimesUs = readReceivedTimes(scan, count);
  const venueTimesUs = readVenueTimes(scan, receivedTimesUs);
  const times = { receivedTimesUs, venueTimesUs };
  switch (kind) {
    case "trades": {
      const columns = readTrades(bytes, scan.ranges(16), count);
      return withColumns(header, times, { kind, columns });
    }
    case "quotes": {
      const columns = readQuotes(bytes, scan.ranges(17), count);
      return withColumns(header, times, { kind, columns });
    }
    case "books": {
      const columns = readBooks(bytes, scan.ranges(18), count);
      return withColumns(header, times, { kind, columns });
    }
    case "candles":
    case "tickers":
    case "fundings":
    case "markPrices":
    case "openInterests":
    case "liquidations":
    case "statuses":
      return { ...header, ...times, ...readRows(kind, scan, { count, ...times }) };
  }
}

type Times = Pick<DecodedBatch, "receivedTimesUs" | "venueTimesUs">;

/** Field by field: copying an object by `...` costs as much as reading twenty trades. */
function withColumns(header: BatchHeader, times: Times, payload: BatchColumns): DecodedBatch {
  return {
    topicId: header.topicId,
    epoch: header.epoch,
    firstSequence: header.firstSequence,
    count: header.count,
    previousSequence: header.previousSequence,
    snapshot: header.snapshot,
    publishedTimeUs: header.publishedTimeUs,
    receivedTimesUs: times.receivedTimesUs,
    venueTimesUs: times.venueTimesUs,
    kind: payload.kind,
    columns: payload.columns,
  } as DecodedBatch;
}

function kindOf(scan: MessageScan): BatchRows["kind"] {
  const kind = KIND_OF_FIELD[scan.member];
  if (kind === undefined) {
    throw new WireError("unknown-payload", "a batch has no payload of a known kind");
  }
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

function readReceivedTimes(scan: MessageScan, count: number): readonly number[] {
  return safeTimes(readSums(scan.packed(9), count, scan.signed(8, "received_time_us")));
}

function readVenueTimes(
  scan: MessageScan,
  receivedTimesUs: readonly number[],
): readonly (number | undefined)[] {
  const times = safeTimes(readOffsets(scan.packed(10), receivedTimesUs));
  const absent = scan.packed(11);
  if (absent === undefined) return times;
  // Another array: one that holds both numbers and undefined would make every later one slow.
  const isAbsent = readBools(absent, times.length);
  return times.map((time, index) => (isAbsent[index] ? undefined : time));
}

function safeTimes(times: readonly Mantissa[]): readonly number[] {
  for (let index = 0; index < times.length; index += 1) {
    if (typeof times[index] === "number") continue;
    throw new WireError("unsafe-integer", "a time is beyond 2^53 microseconds");
  }
  return times as readonly number[];
}

function readRows(
  kind: RowKind,
  scan: MessageScan,
  times: Times & { readonly count: number },
): Extract<BatchRows, { readonly kind: RowKind }> {
  const payload = scan.message(scan.member);
  // Before decoding: the rows are as many as their times, or the batch is refused.
  const elements = new MessageScan(payload, ELEMENT_SHAPES).scan(0, payload.length).ranges(1);
  assertCount(kind, elements.length / 2, times.count);
  const rows = decodeRows(kind, payload, (index) => ({
    venueTimeUs: times.venueTimesUs[index],
    receivedTimeUs: times.receivedTimesUs[index] as number,
  }));
  return { kind, rows } as unknown as Extract<BatchRows, { readonly kind: RowKind }>;
}
