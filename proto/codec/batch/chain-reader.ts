import * as BatchField from "../../gen/batch-field.ts";
import type { DecodedBatch } from "../types.ts";
import { malformed, unsafeInteger } from "../wire-error.ts";
import { readBase } from "./base-reader.ts";
import { GENERATIONS, SEQUENCE_RESIDUE_MODULUS, markOf } from "./batch-marks.ts";
import type { ChainState } from "./chain-state.ts";
import { FieldScan } from "./field-scan.ts";
import type { Payloads, SingleBatch } from "./payload.ts";
import { eventsOfTimes, readTimes, takeMark, timesOf } from "./times-codec.ts";

/** What became of the bytes of a batch. */
export type BatchReading =
  | { readonly outcome: "read"; readonly batch: DecodedBatch }
  /**
   * Batches of the chain were lost, or none was there to go on from. Nothing of this one can be
   * used, and nothing will be until one comes with a base.
   */
  | { readonly outcome: "lost"; readonly reason: LossReason }
  /** A channel that only a newer schema explains. The topic now stands at `lastSequence`. */
  | { readonly outcome: "unknown-channel"; readonly epoch: number; readonly lastSequence: number };

/** Why a batch cannot be used. */
export type LossReason =
  /** It has no base, and no batch with a base was read before. */
  | "no-base"
  /** It does not follow the batch that was read before it. */
  | "sequence-residue"
  /** The same, found where a batch says its sequence whole. */
  | "last-sequence";

/** A batch of one event that was read, and the next one may be read into. */
type Single = {
  readonly channel: number;
  readonly batch: SingleBatch;
  readonly reading: BatchReading;
};

// Reading is synchronous and never re-entered.
const scan = new FieldScan(BatchField.SHAPES);

/** The chain of one topic of one connection, as its reader keeps it. */
export class ChainReader {
  readonly #payloads: Payloads;
  readonly #reusesSingles: boolean;
  #state: ChainState | undefined;
  #single: Single | undefined;

  /**
   * `payloads` are the channels that can be read. With `reusesSingles`, what `read` returns for a
   * batch of one event is good until the next call only, which may write into it: what it is made
   * of is most of what such a batch costs.
   */
  constructor(payloads: Payloads, { reusesSingles = false } = {}) {
    this.#payloads = payloads;
    this.#reusesSingles = reusesSingles;
  }

  /** True if the next batch may come without a base. */
  get isChained(): boolean {
    return this.#state !== undefined;
  }

  /** Forgets the chain: nothing is read until a batch comes with a base. */
  reset(): void {
    this.#state = undefined;
  }

  /**
   * Reads a whole encoded Batch. Throws WireError for bytes that are none; the chain is then
   * forgotten, as it is where the reading says that something was lost.
   */
  read(bytes: Uint8Array, start = 0, end: number = bytes.length): BatchReading {
    const before = this.#state;
    const single = this.#single;
    if (before !== undefined && before.channel === single?.channel) {
      const { readSingle } = this.#payloads[single.channel]!;
      if (readSingle?.(bytes, start, end, before, single.batch) === true) return single.reading;
    }
    this.#state = undefined;
    scan.scan(bytes, start, end);
    const hasBase = scan.has(BatchField.Base);
    const state = hasBase ? this.#readBase() : before;
    if (state === undefined) return { outcome: "lost", reason: "no-base" };
    const snapshot = scan.bool(BatchField.Snapshot);
    if (snapshot && !hasBase) throw malformed("a snapshot has no base");
    const count = countOf(state);
    const skipped = scan.unsigned(BatchField.Skipped, "skipped");
    const baseSequence = state.sequence;
    const last = snapshot ? baseSequence : baseSequence + skipped + count;
    // Before any sum is made: on the wrong chain it might be anything.
    const reason = count < 0 ? "sequence-residue" : lossOf(state, last, hasBase);
    if (reason !== undefined) {
      if (hasBase) throw malformed(`a batch contradicts its base: ${reason}`);
      return { outcome: "lost", reason };
    }
    if (!Number.isSafeInteger(last)) {
      throw unsafeInteger("the last sequence", last);
    }
    const times = readTimes(scan, state, count);
    state.sequence = last;
    const payload = this.#payloads[state.channel];
    if (payload === undefined) {
      // Its columns mean something that this code cannot run: the next base is waited for.
      return { outcome: "unknown-channel", epoch: state.epoch, lastSequence: last };
    }
    // One object, field by field: putting it together of others costs as much as twenty trades.
    const batch = {
      topicId: scan.uint32(BatchField.TopicId),
      epoch: state.epoch,
      firstSequence: snapshot ? baseSequence : baseSequence + skipped + 1,
      count,
      snapshot,
      publishedTimeUs: times.publishedTimeUs,
      skipped,
      receivedTimesUs: times.receivedTimesUs,
      venueTimesUs: times.venueTimesUs,
      kind: payload.kind,
      columns: payload.readColumns?.(scan, state, count),
      rows: payload.readRows?.(scan, state, count, timesOf(times)),
    };
    // What follows a snapshot starts from a base of its own.
    if (!snapshot) this.#state = state;
    const reading = { outcome: "read", batch: batch as unknown as DecodedBatch } as const;
    if (count === 1 && this.#reusesSingles && batch.columns !== undefined) {
      this.#single = { channel: state.channel, batch: batch as SingleBatch, reading };
    }
    return reading;
  }

  #readBase(): ChainState {
    const start = scan.start(BatchField.Base);
    // One that is there and empty is where nothing is.
    const end = start < 0 ? 0 : scan.end(BatchField.Base);
    return readBase(scan.bytes, Math.max(0, start), end, this.#payloads);
  }
}

/** Events of the batch; -1 if `times` does not fit the chain. */
function countOf(state: ChainState): number {
  const entries = scan.entries(BatchField.Times);
  if (entries === 0) throw malformed("a batch has no times");
  return eventsOfTimes(entries, state.venueTimeUnitUs);
}

/** A batch with a base begins its generation; others are of that of the base before them. */
function lossOf(state: ChainState, last: number, hasBase: boolean): LossReason | undefined {
  const mark = takeMark(scan);
  if (hasBase) state.generation = Math.floor(mark / SEQUENCE_RESIDUE_MODULUS);
  const isOfChain = mark === markOf(last, state.generation) && state.generation < GENERATIONS;
  if (!isOfChain) return "sequence-residue";
  const anchor = scan.unsigned(BatchField.LastSequence, "last_sequence");
  return anchor === 0 || anchor === last ? undefined : "last-sequence";
}
