import { readBusBatch, WireError } from "@tickwire/proto/codec";
import type { BusBatch } from "@tickwire/proto/codec";
import { StreamLogError } from "#bus/stream-log.ts";
import type { LogEntry, LogPage, LogReadLimits, LogStart, StreamLog } from "#bus/stream-log.ts";
import { eventSubject } from "#bus/subject.ts";
import type { Clock } from "#core/clock.ts";
import type { Logger } from "#core/logger.ts";
import type { Topic } from "#core/topic.ts";
import { decodeBusBatch } from "#wire/bus-codec.ts";
import { channelNumberOf } from "#wire/codes.ts";
import type { GatewayMetrics } from "../metrics.ts";
import { QueryGate } from "../turns/query-gate.ts";
import { oneStep } from "../turns/turns.ts";
import type { TurnLine } from "../turns/turns.ts";

/** A batch of a topic, and where the log has it. */
export type LoggedBatch = {
  readonly place: number;
  readonly storedTimeUs: number;
  readonly batch: BusBatch;
};

/** Batches of a topic in the order of the log, of whatever epochs. */
type LoggedPage = {
  readonly batches: readonly LoggedBatch[];
  /** Where the next page begins. */
  readonly nextPlace: number;
  /** Nothing followed when the page was read. */
  readonly isLast: boolean;
};

/** Questions to the log that are under way at once. */
const IN_FLIGHT_MAX = 8;
/** A log that failed is not asked again before this long. */
const DOWN_MS = 5_000;
/** Entries that are checked in one step: a step takes about a millisecond. */
const CHECK_BYTES = 32 * 1_024;

/** Entries in a row that are no batches of the topic, before it counts as having none there. */
const UNREADABLE_MAX = 64;

type EventLogParts = {
  readonly log: StreamLog;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Pick<GatewayMetrics, "logReads" | "logUp" | "logBytes">;
};

/**
 * The stream log as a gateway reads it: batches of topics, checked. A log that is slow or away
 * costs whoever asks for the past a bounded time, and nobody else anything.
 *
 * Each method rejects with StreamLogError, and with nothing else.
 */
export class EventLog {
  readonly kind: StreamLog["kind"];
  readonly #parts: EventLogParts;
  readonly #gate = new QueryGate(IN_FLIGHT_MAX);
  /** Until then the log is not asked; undefined while it answers. */
  #downUntilUs: number | undefined;

  constructor(parts: EventLogParts) {
    this.kind = parts.log.kind;
    this.#parts = parts;
    parts.metrics.logUp.set(1);
  }

  /** The first batch of the topic at a place or after it, of which only the head was checked. */
  async first(name: Topic, place: number): Promise<LoggedBatch | undefined> {
    const subject = eventSubject(name);
    let at = place;
    for (let unreadable = 0; unreadable < UNREADABLE_MAX; unreadable += 1) {
      const entry = await this.#ask("first", (log) => log.first(subject, at));
      if (entry === undefined) return undefined;
      const batch = readHead(entry, name);
      if (batch !== undefined) return loggedOf(entry, batch);
      at = entry.place + 1;
    }
    return undefined;
  }

  /** The newest batch of the topic, of which only the head was checked. */
  async last(name: Topic): Promise<LoggedBatch | undefined> {
    const entry = await this.#ask("last", (log) => log.last(eventSubject(name)));
    const batch = entry && readHead(entry, name);
    return entry && batch && loggedOf(entry, batch);
  }

  /** The batches of the topic from a start on that can be read whole. */
  async read(
    name: Topic,
    start: LogStart,
    limits: LogReadLimits,
    line: TurnLine,
  ): Promise<LoggedPage> {
    const page = await this.#ask("read", (log) => log.read(eventSubject(name), start, limits));
    const batches: LoggedBatch[] = [];
    for (let from = 0; from < page.entries.length;) {
      const to = stepEnd(page, from);
      const entries = page.entries.slice(from, to);
      await line.run(oneStep(() => batches.push(...readWhole(entries, name))));
      from = to;
    }
    const bytes = page.entries.reduce((sum, { payload }) => sum + payload.byteLength, 0);
    this.#parts.metrics.logBytes.inc(bytes);
    const nextPlace = (page.entries.at(-1)?.place ?? 0) + 1;
    return { batches, nextPlace, isLast: page.isLast };
  }

  async #ask<Answer>(question: string, ask: (log: StreamLog) => Promise<Answer>): Promise<Answer> {
    const { log, metrics } = this.#parts;
    return this.#gate.run(async () => {
      this.#checkUp();
      try {
        const answer = await ask(log);
        metrics.logReads.inc({ question, outcome: "ok" });
        this.#cameUp();
        return answer;
      } catch (error) {
        metrics.logReads.inc({ question, outcome: "failed" });
        if (error instanceof StreamLogError) this.#wentDown(error);
        throw error;
      }
    });
  }

  /** Whoever waited at the gate while the log failed is told as well. */
  #checkUp(): void {
    if (this.#downUntilUs === undefined) return;
    if (this.#parts.clock.monotonicUs() >= this.#downUntilUs) return;
    throw new StreamLogError("log-unavailable", "the log did not answer a moment ago");
  }

  #cameUp(): void {
    if (this.#downUntilUs === undefined) return;
    this.#downUntilUs = undefined;
    this.#parts.metrics.logUp.set(1);
    this.#parts.logger.info({ kind: this.kind }, "the stream log answers again");
  }

  #wentDown(error: StreamLogError): void {
    const { clock, logger, metrics } = this.#parts;
    const isNews = this.#downUntilUs === undefined;
    this.#downUntilUs = clock.monotonicUs() + DOWN_MS * 1_000;
    metrics.logUp.set(0);
    if (!isNews) return;
    const { code, message, cause } = error;
    logger.warn(
      { kind: this.kind, code, reason: message, cause },
      "the stream log does not answer",
    );
  }
}

function loggedOf({ place, storedTimeUs }: LogEntry, batch: BusBatch): LoggedBatch {
  return { place, storedTimeUs, batch };
}

/** How far a step goes that begins at `from`: one entry at least. */
function stepEnd({ entries }: LogPage, from: number): number {
  let bytes = 0;
  let to = from;
  while (to < entries.length && (to === from || bytes < CHECK_BYTES)) {
    bytes += entries[to]?.payload.byteLength ?? 0;
    to += 1;
  }
  return to;
}

/** What cannot be read is as good as lost: what follows does not go on from what was before. */
function readWhole(entries: readonly LogEntry[], name: Topic): LoggedBatch[] {
  return entries.flatMap((entry) => {
    const batch = attempt(entry, name, decodeBusBatch);
    return batch === undefined ? [] : [loggedOf(entry, batch)];
  });
}

function readHead(entry: LogEntry, name: Topic): BusBatch | undefined {
  return attempt(entry, name, readBusBatch);
}

/** A batch of news of the topic; undefined for whatever else is on its subject. */
function attempt(
  { payload }: LogEntry,
  { channel }: Topic,
  read: (bytes: Uint8Array) => BusBatch,
): BusBatch | undefined {
  let batch: BusBatch;
  try {
    batch = read(payload);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
  const isNews = !batch.snapshot && batch.skipped === 0 && batch.count > 0;
  return isNews && batch.channel === channelNumberOf(channel) ? batch : undefined;
}
