import { BatchWriter, type BatchRows, type BusBatch } from "@tickwire/proto/codec";
import { batchKindOf } from "#wire/event-codec.ts";
import type { RecordedNotice, RecordedTopic } from "../format/entry.ts";
import { TopicState, type AnyRow } from "../format/topic-state.ts";

/** An event of a topic as a client has it. */
export type IncomingEvent = {
  readonly row: AnyRow;
  readonly epoch: number;
  readonly sequence: number;
  /** Part of the state at a start, and no news. */
  readonly initial: boolean;
  readonly publishedTimeUs: number;
};

/** Ranges of lost events that are told apart; beyond it the oldest is forgotten. */
const LOST_RANGES_MAX = 16;

/** Events that go into one batch of a recording at most. */
const RUN_EVENTS_MAX = 4_096;

type Run = Omit<IncomingEvent, "row" | "sequence"> & {
  readonly firstSequence: number;
  readonly rows: AnyRow[];
};

/**
 * One topic of a recording: gathers events that follow each other and came together, and knows the
 * topic's state, so that a file can begin with it.
 */
export class TopicRecorder {
  readonly topic: RecordedTopic;
  /** The file that has the topic's state; 0 for none. */
  heldInFile = 0;
  readonly #state: TopicState;
  #position: { readonly epoch: number; readonly sequence: number } | undefined;
  #run: Run | undefined;
  #lost: Extract<RecordedNotice, { kind: "gap" }>[] = [];

  constructor(topic: RecordedTopic) {
    this.topic = topic;
    this.#state = new TopicState(topic.channel);
  }

  /** Whether events wait that are in no batch yet. */
  get hasRun(): boolean {
    return this.#run !== undefined;
  }

  /** Whether the next event is no part of the run that waits, which has to be ended before. */
  breaksRun(event: IncomingEvent): boolean {
    const run = this.#run;
    if (run === undefined) return false;
    const count = run.rows.length;
    const expected = run.initial ? run.firstSequence : run.firstSequence + count;
    return (
      event.epoch !== run.epoch ||
      event.initial !== run.initial ||
      event.publishedTimeUs !== run.publishedTimeUs ||
      event.sequence !== expected ||
      count >= RUN_EVENTS_MAX
    );
  }

  /** Adds an event to the run. */
  take({ row, sequence, ...rest }: IncomingEvent): void {
    this.#run ??= { ...rest, firstSequence: sequence, rows: [] };
    this.#run.rows.push(row);
  }

  /** Ends the run and gives it as batches: its events are part of the state now. */
  endRun(): readonly BusBatch[] {
    const run = this.#settle();
    if (run === undefined) return [];
    const { rows, epoch, firstSequence, initial, publishedTimeUs } = run;
    const kind = batchKindOf(this.topic.channel);
    const batchRows = { kind, rows } as BatchRows;
    const init = { publishedTimeUs };
    if (initial)
      return BatchWriter.snapshot({ kind, epoch, sequence: firstSequence }, batchRows, init);
    return new BatchWriter({ kind, epoch, sequence: firstSequence - 1 }).write(batchRows, init);
  }

  /** Ends the run without writing it down: its events are lost. Returns how many those are. */
  loseRun(): number {
    const run = this.#settle();
    if (run === undefined) return 0;
    this.heldInFile = 0;
    // A state is repeated by the next one that is held.
    if (run.initial) return 0;
    const count = run.rows.length;
    const [missingFirst, missingLast] = [run.firstSequence, run.firstSequence + count - 1];
    const range = this.#lost.at(-1);
    if (range?.epoch === run.epoch && range.missingLast === missingFirst - 1) {
      this.#lost[this.#lost.length - 1] = { ...range, missingLast };
      return count;
    }
    if (this.#lost.length >= LOST_RANGES_MAX) this.#lost.shift();
    const reason = "recorder-overrun";
    this.#lost.push({ kind: "gap", epoch: run.epoch, missingFirst, missingLast, reason });
    return count;
  }

  /** What was lost since this was asked before. */
  takeLost(): readonly RecordedNotice[] {
    const lost = this.#lost;
    if (lost.length > 0) this.#lost = [];
    return lost;
  }

  /** The state as it is behind the last run that ended; none of it before there was one. */
  heldState(publishedTimeUs: number): readonly BusBatch[] {
    const rows = this.#state.rows();
    const position = this.#position;
    if (rows === undefined || position === undefined) return [];
    return BatchWriter.snapshot({ kind: rows.kind, ...position }, rows, { publishedTimeUs });
  }

  /** The run that waits, which is part of the state from here on. */
  #settle(): Run | undefined {
    const run = this.#run;
    if (run === undefined) return undefined;
    this.#run = undefined;
    const { rows, epoch, firstSequence, initial } = run;
    const isSameState =
      this.#position?.epoch === epoch && this.#position.sequence === firstSequence;
    if (initial && !isSameState) this.#state.clear();
    for (const row of rows) this.#state.apply(row);
    const sequence = initial ? firstSequence : firstSequence + rows.length - 1;
    this.#position = { epoch, sequence };
    return run;
  }
}
