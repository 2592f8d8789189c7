import { assert } from "#core/assert.ts";
import type { Clock } from "#core/clock.ts";
import type { Bus, BusSubscription } from "./bus.ts";
import { StreamLogError } from "./stream-log.ts";
import type { LogEntry, LogPage, LogReadLimits, LogStart, StreamLog } from "./stream-log.ts";
import { EVENT_PATTERN } from "./subject.ts";

/** How much a log in memory keeps; beyond it the oldest go. */
type MemoryLogLimits = {
  /** Payloads of all subjects together. */
  readonly bytesMax: number;
  /** Payloads of one subject. */
  readonly subjectBytesMax: number;
  readonly ageMsMax: number;
};

/** Counts that the log keeps up to date; shared with the metrics. */
type MemoryLogCounters = {
  entries: number;
  bytes: number;
  /** Entries that made room for newer ones before they were too old. */
  evicted: number;
};

type MemoryLogOptions = {
  readonly bus: Pick<Bus, "subscribe">;
  readonly clock: Pick<Clock, "nowUs" | "monotonicUs">;
  readonly limits: MemoryLogLimits;
};

/** What an entry costs besides its payload, in about so many bytes. */
const ENTRY_BYTES = 128;
/** Dropped entries at the head of a queue that are worth moving the rest for. */
const COMPACT_ENTRIES_MIN = 1_024;

type Kept = LogEntry & { readonly takenUs: number };

/** Entries in order, of which the oldest go. */
class Queue<Entry> {
  #entries: (Entry | undefined)[] = [];
  #head = 0;

  get length(): number {
    return this.#entries.length - this.#head;
  }

  at(index: number): Entry | undefined {
    return this.#entries[this.#head + index];
  }

  push(entry: Entry): void {
    this.#entries.push(entry);
  }

  shift(): void {
    this.#entries[this.#head] = undefined;
    this.#head += 1;
    if (this.#head < COMPACT_ENTRIES_MIN || this.#head * 2 < this.#entries.length) return;
    this.#entries.splice(0, this.#head);
    this.#head = 0;
  }
}

class SubjectLog {
  readonly entries = new Queue<Kept>();
  bytes = 0;

  /** The index of the first entry for which `isThere` holds; it does for all behind it. */
  firstIndex(isThere: (entry: Kept) => boolean): number {
    let low = 0;
    let high = this.entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isThere(this.entries.at(middle) as Kept)) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/**
 * A log in the memory of this process, which takes every event from the bus: for one process, or
 * for a gateway whose operator runs no JetStream. Bytes are those of the bus, shared.
 *
 * Invariants, asserted where they could break:
 * 1. places rise (`#take`);
 * 2. the bytes of all subjects are what `counters` says, and within the limits (`#trim`);
 * 3. the oldest entry of all is the oldest of its subject (`#dropOldest`).
 */
export class MemoryLog implements StreamLog {
  readonly kind = "memory";
  readonly counters: MemoryLogCounters = { entries: 0, bytes: 0, evicted: 0 };
  readonly #clock: MemoryLogOptions["clock"];
  readonly #limits: MemoryLogLimits;
  readonly #subscription: BusSubscription;
  readonly #subjects = new Map<string, SubjectLog>();
  /** The subject of each entry that was taken, in order, whether it is still kept or not. */
  readonly #order = new Queue<{ readonly place: number; readonly subject: string }>();
  #place = 0;
  #closed = false;

  constructor({ bus, clock, limits }: MemoryLogOptions) {
    assert(limits.subjectBytesMax <= limits.bytesMax, "one subject has a part of the memory");
    this.#clock = clock;
    this.#limits = limits;
    this.#subscription = bus.subscribe(EVENT_PATTERN, ({ subject, payload }) => {
      this.#take(subject, payload);
    });
  }

  async first(subject: string, place: number): Promise<LogEntry | undefined> {
    this.#checkOpen();
    const log = this.#agedLog(subject);
    return log?.entries.at(log.firstIndex((entry) => entry.place >= place));
  }

  async last(subject: string): Promise<LogEntry | undefined> {
    this.#checkOpen();
    const log = this.#agedLog(subject);
    return log?.entries.at(log.entries.length - 1);
  }

  async read(subject: string, start: LogStart, limits: LogReadLimits): Promise<LogPage> {
    this.#checkOpen();
    const log = this.#agedLog(subject);
    if (log === undefined) return { entries: [], isLast: true };
    const isThere =
      "place" in start
        ? (entry: Kept) => entry.place >= start.place
        : (entry: Kept) => entry.storedTimeUs >= start.timeUs;
    const entries: LogEntry[] = [];
    let bytes = 0;
    let index = log.firstIndex(isThere);
    for (; index < log.entries.length && entries.length < limits.entriesMax; index += 1) {
      const entry = log.entries.at(index) as Kept;
      bytes += entry.payload.byteLength;
      if (entries.length > 0 && bytes > limits.bytesMax) break;
      entries.push(entry);
    }
    return { entries, isLast: index >= log.entries.length };
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#subscription.unsubscribe();
    this.#subjects.clear();
  }

  #take(subject: string, payload: Uint8Array): void {
    const { bytesMax, subjectBytesMax } = this.#limits;
    const bytes = payload.byteLength + ENTRY_BYTES;
    // What is larger than all that may be kept of its subject leaves a hole, as readers see.
    if (bytes > subjectBytesMax) return;
    let log = this.#subjects.get(subject);
    if (log === undefined) this.#subjects.set(subject, (log = new SubjectLog()));
    this.#place += 1;
    const place = this.#place;
    const storedTimeUs = this.#clock.nowUs();
    const before = log.entries.at(log.entries.length - 1);
    assert(before === undefined || before.place < place, "the places of a log rise");
    // A clock that was set back must not make what came later older than what came before.
    const time = Math.max(storedTimeUs, before?.storedTimeUs ?? 0);
    const takenUs = this.#clock.monotonicUs();
    log.entries.push({ place, storedTimeUs: time, payload, takenUs });
    log.bytes += bytes;
    this.#order.push({ place, subject });
    this.counters.entries += 1;
    this.counters.bytes += bytes;
    while (log.bytes > subjectBytesMax) this.#dropFrom(log, subject, true);
    this.#dropAged(takenUs);
    while (this.counters.bytes > bytesMax) this.#dropOldest(true);
  }

  /** Drops what is too old, of all subjects: the oldest come first. */
  #dropAged(nowUs: number): void {
    const bornUs = nowUs - this.#limits.ageMsMax * 1_000;
    for (let oldest = this.#order.at(0); oldest !== undefined; oldest = this.#order.at(0)) {
      const entry = this.#subjects.get(oldest.subject)?.entries.at(0);
      if (entry?.place === oldest.place && entry.takenUs >= bornUs) return;
      this.#dropOldest(false);
    }
  }

  /** Drops the entry that was taken first, if it is still here. */
  #dropOldest(isEvicted: boolean): void {
    const oldest = this.#order.at(0);
    assert(oldest !== undefined, "a log that holds bytes has an oldest entry");
    this.#order.shift();
    const log = this.#subjects.get(oldest.subject);
    const entry = log?.entries.at(0);
    if (log === undefined || entry === undefined || entry.place > oldest.place) return;
    assert(entry.place === oldest.place, "the oldest entry of all is the oldest of its subject");
    this.#dropFrom(log, oldest.subject, isEvicted);
  }

  #dropFrom(log: SubjectLog, subject: string, isEvicted: boolean): void {
    const entry = log.entries.at(0);
    assert(entry !== undefined, "an entry that is dropped is there");
    const bytes = entry.payload.byteLength + ENTRY_BYTES;
    log.entries.shift();
    log.bytes -= bytes;
    this.counters.entries -= 1;
    this.counters.bytes -= bytes;
    if (isEvicted) this.counters.evicted += 1;
    assert(this.counters.bytes >= 0, "a log counts no more bytes than its entries have");
    if (log.entries.length === 0) this.#subjects.delete(subject);
  }

  /** The log of a subject without what is too old by now. */
  #agedLog(subject: string): SubjectLog | undefined {
    this.#dropAged(this.#clock.monotonicUs());
    return this.#subjects.get(subject);
  }

  #checkOpen(): void {
    if (this.#closed) throw new StreamLogError("log-closed", "the log is closed");
  }
}
