import * as BatchField from "../../gen/batch-field.ts";
import { writeBool, writeUint } from "../byte-writer.ts";
import type { ByteWriter } from "../byte-writer.ts";
import { BATCH_EVENTS_MAX } from "../limits.ts";
import type { BatchRows } from "../types.ts";
import { WireError } from "../wire-error.ts";
import { recordFieldsOf } from "./batch-kinds.ts";
import { GENERATIONS, SEQUENCE_ANCHOR_BATCHES, markOf } from "./batch-marks.ts";
import type { BatchKind, NamedField } from "./batch-kinds.ts";
import type { BusBatch } from "./bus-batch.ts";
import { beginMessage, finishMessage } from "./bus-message.ts";
import type { BatchHead } from "./bus-message.ts";
import { emptyChainState } from "./chain-state.ts";
import type { ChainState } from "./chain-state.ts";
import { fitsChain, moveBehind, startChain } from "./column-chain.ts";
import { EventTimes } from "./event-times.ts";
import { gatherPayload, planPrices, planRecords, writePayload } from "./payload-writer.ts";
import type { PendingColumns } from "./pending-columns.ts";
import { pendingOfRows, rowsOfPending } from "./pending-rows.ts";
import { partsOf } from "./batch-parts.ts";
import { encodePlain } from "./plain-batch.ts";
import { writeTimes } from "./times-codec.ts";
import { TradeIdPlan } from "./trade-id-form.ts";

/** Numbers much finer than their scale that travel as text before the scale is raised for them. */
const FINER_TEXTS_MAX = 2;

/** A topic's chain, and where it starts. */
export type ChainInit = {
  readonly kind: BatchKind;
  readonly epoch: number;
  /** Of the last event before the first that will be written; of a snapshot, that of its events. */
  readonly sequence?: number | undefined;
};

/** What is said of events beside them. Integers are safe. */
export type BatchInit = {
  readonly publishedTimeUs: number;
  /** Events conflated away since the batch before. */
  readonly skipped?: number | undefined;
};

// Encoding is synchronous and never re-entered, so one set of scratch serves every topic.
const times = new EventTimes();

/**
 * One chain of batches of one topic: a publisher's, or a view's. What it writes can be read in
 * order by whoever read the batch before, or from any batch on together with its base.
 */
export class BatchWriter {
  readonly #kind: BatchKind;
  /** Of a channel whose values travel as differences. */
  readonly #fields: readonly NamedField[] | undefined;
  readonly #state: ChainState;
  readonly #tradeIds = new TradeIdPlan();
  #isFirst = true;
  #batchesSinceAnchor = 0;
  #finerTexts = 0;

  constructor({ kind, epoch, sequence = 0 }: ChainInit) {
    this.#kind = kind;
    this.#fields = recordFieldsOf(kind);
    checkCount("epoch", epoch);
    checkCount("sequence", sequence);
    this.#state = emptyChainState(kind, epoch, sequence);
  }

  /**
   * The state of a topic as batches of their own, mostly one: their events all stand at the topic's
   * sequence, and the news after them needs its base.
   */
  static snapshot(topic: ChainInit, rows: BatchRows, init: BatchInit): BusBatch[] {
    const head = { ...headOf(init), snapshot: true };
    return partsOf(rows).map((part) => new BatchWriter(topic).#write(part, head));
  }

  /** Sequence of the last event written. */
  get sequence(): number {
    return this.#state.sequence;
  }

  /**
   * The events as batches: mostly one, more where a batch must end (a book replaced, historical
   * trades, a field that the venue says no longer). Their bytes are nobody's to change. Throws
   * WireError (`unsafe-integer`, `malformed`) for what no row may hold, and RangeError for rows of
   * another channel. Of several batches, those before the refused one count as written: their
   * readers see a loss.
   */
  write(rows: BatchRows, init: BatchInit): BusBatch[] {
    const head = headOf(init);
    if (rows.rows.length === 1) return [this.#write(rows, head)];
    const parts = partsOf(rows);
    if (parts.length === 1) return [this.#write(rows, head)];
    const rest = { ...head, skipped: 0 };
    return parts.map((part, index) => this.#write(part, index === 0 ? head : rest));
  }

  /**
   * The same for events that are columns already, which always fit one batch: there are 1 to
   * BATCH_EVENTS_MAX of them. They are read and not kept. Its bytes are those that `write` makes of
   * the same events as rows.
   */
  writeColumns(columns: PendingColumns, init: BatchInit): BusBatch {
    checkInit(init);
    return (
      this.#writePlain(columns, init) ?? this.#writeGeneral(rowsOfPending(columns), headOf(init))
    );
  }

  /** A batch without events, which says where the topic stands. */
  writePosition(init: BatchInit): BusBatch {
    const rows = { kind: this.#kind, rows: [] } as BatchRows;
    return this.#write(rows, headOf(init));
  }

  #write(rows: BatchRows, head: BatchHead): BusBatch {
    const columns = head.snapshot ? undefined : pendingOfRows(rows);
    const plain = columns === undefined ? undefined : this.#writePlain(columns, head);
    return plain ?? this.#writeGeneral(rows, head);
  }

  #writeGeneral(rows: BatchRows, head: BatchHead): BusBatch {
    if (rows.kind !== this.#kind) {
      throw new RangeError(`${rows.kind} in a chain of ${this.#kind}`);
    }
    const count = rows.rows.length;
    if (count > BATCH_EVENTS_MAX) {
      const problem = `${count} events exceed BATCH_EVENTS_MAX ${BATCH_EVENTS_MAX}`;
      throw new WireError("malformed", problem);
    }
    const { sequence } = this.#state;
    const last = head.snapshot ? sequence : sequence + head.skipped + count;
    checkCount("sequence", last);
    times.gather(rows.rows);
    if (count === 0) return this.#encode(rows, head, { last, rebase: false });
    // From here on the chain moves: what a row may not hold has been refused.
    gatherPayload(rows);
    const rebase = this.#plan(rows);
    if (rebase && !this.#isFirst) {
      this.#state.generation = (this.#state.generation + 1) % GENERATIONS;
    }
    this.#isFirst = false;
    return this.#encode(rows, head, { last, rebase });
  }

  /** Decides units, scales and forms; true if the base has to say something new. */
  #plan(rows: BatchRows): boolean {
    const state = this.#state;
    const isFirst = this.#isFirst;
    const plan = { isFirst, mayText: !isFirst && this.#finerTexts < FINER_TEXTS_MAX };
    const isTimesNew = planTimes(state, rows.rows.length, isFirst);
    let isPayloadNew = false;
    let isFormNew = false;
    if (rows.kind === "trades") {
      isPayloadNew = planPrices(state, false, plan);
      isFormNew = this.#tradeIds.plan(state, rows.rows);
    } else if (rows.kind === "books") {
      isPayloadNew = planPrices(state, true, plan);
    } else if (this.#fields !== undefined) {
      isPayloadNew = planRecords(state, this.#fields, rows.rows[0] as object, plan);
    }
    return isFirst || isTimesNew || isPayloadNew || isFormNew;
  }

  /** Undefined, and nothing has moved, if the columns have to go the general way. */
  #writePlain(
    columns: PendingColumns,
    { publishedTimeUs, skipped = 0 }: BatchInit,
  ): BusBatch | undefined {
    const state = this.#state;
    const { count, kind } = columns;
    const last = state.sequence + skipped + count;
    if (kind !== this.#kind || count === 0 || count > BATCH_EVENTS_MAX) return undefined;
    if (!Number.isSafeInteger(last)) return undefined;
    const rebase = this.#isFirst;
    if (rebase) startChain(state, columns);
    const isAnchor = this.#batchesSinceAnchor + 1 >= SEQUENCE_ANCHOR_BATCHES;
    const batch = fitsChain(state, columns)
      ? encodePlain(state, columns, { publishedTimeUs, skipped, last, rebase, isAnchor })
      : undefined;
    if (batch === undefined) {
      if (rebase) Object.assign(state, emptyChainState(kind, state.epoch, state.sequence));
      return undefined;
    }
    this.#isFirst = false;
    state.sequence = last;
    moveBehind(state, columns);
    this.#batchesSinceAnchor = isAnchor ? 0 : this.#batchesSinceAnchor + 1;
    if (kind === "trades") this.#tradeIds.passed(count);
    return batch;
  }

  #encode(
    rows: BatchRows,
    head: BatchHead,
    { last, rebase }: { readonly last: number; readonly rebase: boolean },
  ): BusBatch {
    const state = this.#state;
    const baseSequence = state.sequence;
    const { publishedTimeUs, skipped } = head;
    const count = rows.rows.length;
    // The base in it is the state before the events, which the columns then move.
    const writer = beginMessage(state);
    state.sequence = last;
    const mark = markOf(last, state.generation);
    writeTimes(writer, state, times, { count, mark, publishedTimeUs });
    writeUint(writer, BatchField.Skipped, skipped);
    this.#writeAnchor(writer, last);
    writeBool(writer, BatchField.Snapshot, head.snapshot);
    if (count > 0) {
      this.#finerTexts += writePayload(writer, state, rows, this.#tradeIds.numbers);
    }
    return finishMessage(state, head, { baseSequence, count, rebase });
  }

  #writeAnchor(writer: ByteWriter, last: number): void {
    this.#batchesSinceAnchor += 1;
    if (this.#batchesSinceAnchor < SEQUENCE_ANCHOR_BATCHES) return;
    this.#batchesSinceAnchor = 0;
    writeUint(writer, BatchField.LastSequence, last);
  }
}

function headOf(init: BatchInit): BatchHead {
  checkInit(init);
  const { publishedTimeUs, skipped = 0 } = init;
  return { publishedTimeUs, skipped, snapshot: false };
}

function checkInit({ publishedTimeUs, skipped = 0 }: BatchInit): void {
  if (!Number.isSafeInteger(publishedTimeUs)) {
    throw new WireError("unsafe-integer", `publishedTimeUs is ${publishedTimeUs}`);
  }
  checkCount("skipped", skipped);
}

function checkCount(name: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 0) return;
  throw new WireError("unsafe-integer", `${name} is ${value}`);
}

/** Decides the unit of venue times; true if the base has to say another one. */
function planTimes(state: ChainState, count: number, isFirst: boolean): boolean {
  if (isFirst) state.receivedTimeUs = times.received[0] as number;
  if (state.venueTimeUnitUs === 1) return false;
  let first = -1;
  let isWhole = true;
  for (let index = 0; index < count; index += 1) {
    const venue = times.venue[index] as number;
    // NaN stands for no time.
    if (venue !== venue) continue;
    if (first < 0) first = index;
    if (venue % 1_000 !== 0) isWhole = false;
  }
  if (first < 0 || (isWhole && state.venueTimeUnitUs === 1_000)) return false;
  if (state.venueTimeUnitUs === 0) {
    state.venueTimeUs = times.venue[first] as number;
    state.venueReceivedTimeUs = times.received[first] as number;
  }
  state.venueTimeUnitUs = isWhole ? 1_000 : 1;
  return true;
}
