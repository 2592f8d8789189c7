import { bookRowsOf, lastSequenceOf, readBusEvents } from "@tickwire/proto/codec";
import type { BusBatch } from "@tickwire/proto/codec";
import type { LogStart } from "#bus/stream-log.ts";
import type { Topic } from "#core/topic.ts";
import type { TurnLine } from "../turns/turns.ts";
import type { EventLog, LoggedBatch } from "./event-log.ts";
import { findPosition } from "./log-search.ts";
import type { EventPosition } from "./log-search.ts";

/** What a replay has next of a topic. */
type ReplayStep = {
  readonly batch: BusBatch;
  /** The batch does not go on from the one before: how it begins, and what is missing before it. */
  readonly break: ReplayBreak | undefined;
};

/** A place at which batches do not go on from those before. */
export type ReplayBreak = EventPosition & {
  /** Events of the epoch; undefined if none are known to be missing. */
  readonly missing: { readonly first: number; readonly last: number } | undefined;
};

type ReplayRange = {
  /** Batches that were published before it are left out. */
  readonly fromTimeUs: number;
  /** Batches that were published at this time or after it are left out; 0 if none are. */
  readonly toTimeUs: number;
};

type TopicReplayParts = {
  readonly log: EventLog;
  readonly name: Topic;
  readonly line: TurnLine;
};

/** What is read at once of one topic. */
const PAGE = { entriesMax: 256, bytesMax: 128 * 1_024 };
/** How much earlier than by the clocks of log and publisher reading begins. */
const CLOCK_SLACK_US = 1_000_000;
/** How far before its beginning a replay of a book looks for a whole one: so long, then further. */
const LOOK_BACK_US = [60e6, 600e6, 3_600e6, 21_600e6];
/** What is read of the log for that at most. */
const LOOK_BACK_BYTES_MAX = 32 * 1_024 * 1_024;
/** Epochs of one topic that are remembered as over. */
const ENDED_EPOCHS_MAX = 64;

/**
 * The batches of one topic in the order of the log, from a time or a position on. Whatever does not
 * go on from what was before is said with the batch. An epoch that another has followed is over:
 * what its publisher still writes is left out.
 *
 * Reading rejects with StreamLogError, and with nothing else.
 */
export class TopicReplay {
  readonly name: Topic;
  readonly #log: EventLog;
  readonly #line: TurnLine;
  readonly #range: ReplayRange;
  readonly #ended = new Set<number>();
  #start: LogStart;
  #page: readonly LoggedBatch[] = [];
  #index = 0;
  #isLastPage = false;
  #position: EventPosition | undefined;
  /** Changes are left out until a whole book comes. */
  #wantsWhole: boolean;

  private constructor(
    { log, name, line }: TopicReplayParts,
    start: LogStart,
    range: ReplayRange,
    position: EventPosition | undefined,
  ) {
    this.name = name;
    this.#log = log;
    this.#line = line;
    this.#start = start;
    this.#range = range;
    this.#position = position;
    this.#wantsWhole = position === undefined && name.channel === "book";
  }

  /** From the first batch of a range of time on; of a book, from a whole one before it. */
  static async ofTime(parts: TopicReplayParts, range: ReplayRange): Promise<TopicReplay> {
    const { log, name } = parts;
    if (range.fromTimeUs === 0) return new TopicReplay(parts, { place: 0 }, range, undefined);
    const newest = await log.last(name);
    const skewUs = newest === undefined ? 0 : newest.storedTimeUs - newest.batch.publishedTimeUs;
    // Another clock may have stamped what is older: too early costs some reading, too late events.
    const start = { timeUs: Math.max(0, range.fromTimeUs + Math.min(0, skewUs) - CLOCK_SLACK_US) };
    if (name.channel !== "book") return new TopicReplay(parts, start, range, undefined);
    const whole = await findWholeBook(parts, start.timeUs, range.fromTimeUs);
    if (whole === undefined) return new TopicReplay(parts, start, range, undefined);
    const from = { ...range, fromTimeUs: whole.publishedTimeUs };
    return new TopicReplay(parts, { place: whole.place }, from, undefined);
  }

  /** From what follows a position on; undefined if that is not in the log. */
  static async ofPosition(
    parts: TopicReplayParts,
    position: EventPosition,
    range: ReplayRange,
  ): Promise<TopicReplay | undefined> {
    const place = await findPosition(parts.log, parts.name, position);
    if (place === undefined) return undefined;
    return new TopicReplay(parts, { place }, range, position);
  }

  /** From the batch on that holds what follows a position; undefined if that is gone. */
  static async around(
    parts: TopicReplayParts,
    position: EventPosition,
  ): Promise<TopicReplay | undefined> {
    const place = await findPosition(parts.log, parts.name, position);
    const range = { fromTimeUs: 0, toTimeUs: 0 };
    return place === undefined ? undefined : new TopicReplay(parts, { place }, range, undefined);
  }

  /** When the next batch was published; undefined if there is none. */
  async nextTimeUs(): Promise<number | undefined> {
    return (await this.#peek())?.batch.publishedTimeUs;
  }

  /** The next batch, which `nextTimeUs` was asked for. */
  take(): ReplayStep {
    const { batch } = this.#page[this.#index] as LoggedBatch;
    this.#index += 1;
    const { epoch, baseSequence: sequence } = batch;
    const before = this.#position;
    this.#position = { epoch, sequence: lastSequenceOf(batch) };
    if (before?.epoch === epoch && before.sequence === sequence) return { batch, break: undefined };
    if (before !== undefined && before.epoch !== epoch) this.#end(before.epoch);
    // An epoch that goes on from another one has its sequences too.
    const goesOn = before?.epoch === epoch || before?.sequence === sequence;
    const first = goesOn ? before.sequence + 1 : 1;
    // Nobody has asked for what was before the beginning.
    const isMissing = before !== undefined && sequence >= first;
    const missing = isMissing ? { first, last: sequence } : undefined;
    return { batch, break: { epoch, sequence, missing } };
  }

  #end(epoch: number): void {
    this.#ended.add(epoch);
    const [oldest] = this.#ended;
    if (this.#ended.size > ENDED_EPOCHS_MAX && oldest !== undefined) this.#ended.delete(oldest);
  }

  async #peek(): Promise<LoggedBatch | undefined> {
    for (;;) {
      const next = this.#page[this.#index];
      if (next === undefined) {
        if (this.#isLastPage) return undefined;
        await this.#read();
      } else if (this.#isOver(next)) {
        return undefined;
      } else if (this.#isWanted(next)) {
        return next;
      } else {
        this.#index += 1;
      }
    }
  }

  #isOver({ batch }: LoggedBatch): boolean {
    const { toTimeUs } = this.#range;
    return toTimeUs !== 0 && batch.publishedTimeUs >= toTimeUs;
  }

  #isWanted({ batch }: LoggedBatch): boolean {
    if (batch.publishedTimeUs < this.#range.fromTimeUs || this.#ended.has(batch.epoch)) {
      return false;
    }
    const before = this.#position;
    if (before?.epoch === batch.epoch && batch.baseSequence < before.sequence) return false;
    const isNext = before?.epoch === batch.epoch && batch.baseSequence === before.sequence;
    // A change after a hole is no change of the book that whoever reads has.
    if (this.name.channel === "book" && before !== undefined && !isNext) this.#wantsWhole = true;
    if (!this.#wantsWhole) return true;
    if (!isWholeBook(batch)) return false;
    this.#wantsWhole = false;
    return true;
  }

  async #read(): Promise<void> {
    const page = await this.#log.read(this.name, this.#start, PAGE, this.#line);
    this.#page = page.batches;
    this.#index = 0;
    this.#isLastPage = page.isLast;
    this.#start = { place: page.nextPlace };
  }
}

/** Whether the batch replaces the whole book: it is of one event then. */
function isWholeBook(batch: BusBatch): boolean {
  if (batch.count !== 1) return false;
  const events = readBusEvents(batch);
  return events.kind === "books" && bookRowsOf(events)[0]?.snapshot === true;
}

/** The last whole book that was published before a time, as far as is looked for it. */
async function findWholeBook(
  { log, name, line }: TopicReplayParts,
  startTimeUs: number,
  beforeTimeUs: number,
): Promise<{ readonly place: number; readonly publishedTimeUs: number } | undefined> {
  let bytes = 0;
  for (const backUs of LOOK_BACK_US) {
    let start: LogStart = { timeUs: Math.max(0, startTimeUs - backUs) };
    let found: { readonly place: number; readonly publishedTimeUs: number } | undefined;
    for (let isOver = false; !isOver && bytes < LOOK_BACK_BYTES_MAX;) {
      const page = await log.read(name, start, PAGE, line);
      for (const { place, batch } of page.batches) {
        bytes += batch.bytes.byteLength;
        isOver ||= batch.publishedTimeUs >= beforeTimeUs;
        const { publishedTimeUs } = batch;
        if (!isOver && isWholeBook(batch)) found = { place, publishedTimeUs };
      }
      isOver ||= page.isLast;
      start = { place: page.nextPlace };
    }
    if (found !== undefined) return found;
  }
  return undefined;
}
