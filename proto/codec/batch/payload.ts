import type { Mantissa } from "../../model/decimal.ts";
import type { BatchColumns, BatchRows } from "../types.ts";
import type { RecordField } from "./batch-kinds.ts";
import type { ChainState } from "./chain-state.ts";
import type { FieldScan } from "./field-scan.ts";
import type { TimesOf } from "./times-codec.ts";

/** A batch of one event that its reader may write the next one into. */
export type SingleBatch = {
  topicId: number;
  epoch: number;
  firstSequence: number;
  snapshot: boolean;
  publishedTimeUs: number;
  skipped: number;
  readonly receivedTimesUs: number[];
  readonly venueTimesUs: (number | undefined)[];
  readonly columns: object;
};

/**
 * How the events of one channel are read. Each is a value of its own, so that a program that wants
 * some channels only does not load what reads the others.
 */
export type Payload = {
  /** Number of the schema's Channel. */
  readonly channel: number;
  readonly kind: BatchRows["kind"];
  /** Those whose values travel as differences, in the order of their bits and of Base.values. */
  readonly fields: readonly RecordField[];
  /** Of the hot channels. */
  readonly readColumns?: (
    scan: FieldScan,
    state: ChainState,
    count: number,
  ) => BatchColumns["columns"];
  /**
   * Reads a batch of one event in its usual form into one of this channel that was read before.
   * False, with nothing changed, for any other batch.
   */
  readonly readSingle?: (
    bytes: Uint8Array,
    start: number,
    end: number,
    state: ChainState,
    single: SingleBatch,
  ) => boolean;
  /** Of the others. */
  readonly readRows?: (
    scan: FieldScan,
    state: ChainState,
    count: number,
    timesOf: TimesOf,
  ) => readonly object[];
};

/** The payloads that a reader knows, at the numbers of their channels. */
export type Payloads = readonly (Payload | undefined)[];

/** Puts payloads at the numbers of their channels. */
export function payloadTable(payloads: readonly Payload[]): Payloads {
  const table: (Payload | undefined)[] = [];
  for (const payload of payloads) table[payload.channel] = payload;
  // No holes, which would make every look-up slow.
  return Array.from(table);
}

/** The values of each field, one for each event. */
export type ReadRecords = {
  readonly columns: readonly Mantissa[][];
  readonly scales: readonly number[];
};
