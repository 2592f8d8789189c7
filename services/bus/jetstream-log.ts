import {
  AckPolicy,
  DeliverPolicy,
  DiscardPolicy,
  jetstream,
  JetStreamApiError,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
  type Consumer,
  type ConsumerConfig,
  type JetStreamClient,
  type JetStreamManager,
  type StreamConfig,
  type StreamInfo,
} from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { assert } from "#core/assert.ts";
import { openNatsConnection, type NatsConnectionOptions } from "./nats-connection.ts";
import { StreamLogError } from "./stream-log.ts";
import type { LogEntry, LogPage, LogReadLimits, LogStart, StreamLog } from "./stream-log.ts";
import { STREAM_NOT_FOUND, streamNameOf, timeUsOf } from "./jetstream-names.ts";
import { venueEventPattern } from "./subject.ts";

/** How a stream keeps what one venue publishes. */
export type StreamSettings = {
  readonly storage: "file" | "memory";
  /** Copies in a cluster. */
  readonly replicas: number;
  /** Of all topics of the venue; beyond it the oldest go. */
  readonly bytesMax: number;
  readonly ageMsMax: number;
};

/** What a server says of a stream. */
export type StreamStanding = StreamSettings & {
  readonly name: string;
  readonly entries: number;
  readonly bytes: number;
  /** When the oldest entry was stored; microseconds since 1970, 0 if there is none. */
  readonly oldestTimeUs: number;
};

type JetStreamLogOptions = NatsConnectionOptions & {
  /** For each question to the server. */
  readonly timeoutMs: number;
};

/** Entries that the server is asked for at once. */
const FETCH_ENTRIES_MAX = 256;
/** The server forgets a reader that has gone without a word after this long. */
const READER_IDLE_NS = 10e9;

/**
 * A log that JetStream keeps: a stream for each venue, read over a connection of its own, so that
 * what is read of the past never stands before what is live. It connects when it is first asked.
 */
export class JetStreamLog implements StreamLog {
  readonly kind = "jetstream";
  readonly #options: JetStreamLogOptions;
  #opening: Promise<Opened> | undefined;
  #isClosed = false;

  constructor(options: JetStreamLogOptions) {
    this.#options = options;
  }

  first(subject: string, place: number): Promise<LogEntry | undefined> {
    const query = { seq: Math.max(1, place), next_by_subj: subject };
    return this.#ask(async ({ manager }) => {
      const found = await manager.direct.getMessage(streamOf(subject), query);
      return found === null ? undefined : entryOf(found.seq, found.timestamp, found.data);
    });
  }

  last(subject: string): Promise<LogEntry | undefined> {
    return this.#ask(async ({ manager }) => {
      const query = { last_by_subj: subject };
      const found = await manager.direct.getMessage(streamOf(subject), query);
      return found === null ? undefined : entryOf(found.seq, found.timestamp, found.data);
    });
  }

  read(subject: string, start: LogStart, limits: LogReadLimits): Promise<LogPage> {
    assert(limits.entriesMax > 0, "at least one entry is asked for");
    return this.#ask(async ({ manager, client }) => {
      const stream = streamOf(subject);
      const config = { filter_subject: subject, ...READER, ...startOf(start) };
      const info = await manager.consumers.add(stream, config);
      try {
        const reader = client.consumers.getConsumerFromInfo(info);
        return await readPage(reader, info.num_pending, limits, this.#options.timeoutMs);
      } finally {
        // The server forgets it by itself if this does not reach it.
        manager.consumers.delete(stream, info.name).catch(() => undefined);
      }
    });
  }

  /** What the server says of the stream of a venue; undefined if there is none. */
  standingOf(venue: string): Promise<StreamStanding | undefined> {
    return this.#ask(async ({ manager }) => {
      const info = await findStream(manager, streamNameOf(venue));
      return info && standingOf(info);
    });
  }

  /**
   * Makes the stream of a venue, or changes it to these settings where it has others. The storage
   * of a stream cannot be changed: one that has another is left as it is, as the answer shows.
   */
  ensure(venue: string, settings: StreamSettings): Promise<StreamStanding> {
    return this.#ask(async ({ manager }) => {
      const name = streamNameOf(venue);
      const wanted = { ...configOf(settings), subjects: [venueEventPattern(venue)] };
      const found = await findStream(manager, name);
      if (found === undefined) return standingOf(await manager.streams.add({ name, ...wanted }));
      const { storage: _storage, ...changeable } = wanted;
      if (hasAll(found.config, changeable)) return standingOf(found);
      return standingOf(await manager.streams.update(name, { ...found.config, ...changeable }));
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const opening = this.#opening;
    this.#opening = undefined;
    try {
      await (await opening)?.connection.close();
    } catch {
      // What could not be opened needs no closing.
    }
  }

  /** Asks over a connection that is there. Rejects with StreamLogError only. */
  async #ask<Answer>(question: (opened: Opened) => Promise<Answer>): Promise<Answer> {
    if (this.#isClosed) throw new StreamLogError("log-closed", "the log is closed");
    try {
      return await question(await this.#open());
    } catch (cause) {
      if (cause instanceof StreamLogError) throw cause;
      if (this.#isClosed) throw new StreamLogError("log-closed", "the log is closed", { cause });
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new StreamLogError("log-unavailable", `JetStream does not answer: ${reason}`, {
        cause,
      });
    }
  }

  #open(): Promise<Opened> {
    if (this.#opening === undefined) {
      const opening = connectTo(this.#options);
      this.#opening = opening;
      const forget = (): void => {
        if (this.#opening === opening) this.#opening = undefined;
      };
      // Whoever asks next tries anew; whoever asks now is told.
      opening.then(({ connection }) => connection.closed().then(forget, forget), forget);
    }
    return this.#opening;
  }
}

type Opened = {
  readonly connection: NatsConnection;
  readonly manager: JetStreamManager;
  readonly client: JetStreamClient;
};

/** A reader leaves no trace in the stream, and costs it no disk. */
const READER: ConsumerConfig = {
  ack_policy: AckPolicy.None,
  deliver_policy: DeliverPolicy.All,
  replay_policy: "instant",
  inactive_threshold: READER_IDLE_NS,
  mem_storage: true,
  num_replicas: 1,
} as ConsumerConfig;

async function connectTo({ timeoutMs, ...options }: JetStreamLogOptions): Promise<Opened> {
  const connection = await openNatsConnection(options, { count: 0 });
  const manager = await jetstreamManager(connection, { checkAPI: false, timeout: timeoutMs });
  return { connection, manager, client: jetstream(connection, { timeout: timeoutMs }) };
}

async function readPage(
  reader: Consumer,
  pending: number,
  { entriesMax, bytesMax }: LogReadLimits,
  timeoutMs: number,
): Promise<LogPage> {
  const entries: LogEntry[] = [];
  let left = pending;
  let bytes = 0;
  while (left > 0 && entries.length < entriesMax && bytes < bytesMax) {
    const wanted = Math.min(left, FETCH_ENTRIES_MAX, entriesMax - entries.length);
    const messages = await reader.fetch({ max_messages: wanted, expires: timeoutMs });
    const before = entries.length;
    for await (const message of messages) {
      const { deliverySequence, timestampNanos } = message.info;
      if (deliverySequence !== entries.length + 1) throw new Error("the server left entries out");
      const storedTimeUs = Math.floor(timestampNanos / 1_000);
      entries.push({ place: message.seq, storedTimeUs, payload: new Uint8Array(message.data) });
      bytes += message.data.byteLength;
    }
    if (entries.length - before < wanted) throw new Error("the server gave less than it has");
    left -= wanted;
  }
  return cutPage(entries, bytesMax, left === 0);
}

/** What came beyond the limit is given up: it is read again from its place. */
function cutPage(entries: readonly LogEntry[], bytesMax: number, isLast: boolean): LogPage {
  let bytes = 0;
  for (const [index, { payload }] of entries.entries()) {
    bytes += payload.byteLength;
    if (index > 0 && bytes > bytesMax) return { entries: entries.slice(0, index), isLast: false };
  }
  return { entries, isLast };
}

function startOf(start: LogStart): Partial<ConsumerConfig> {
  if ("place" in start) {
    const opt_start_seq = Math.max(1, start.place);
    return { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq };
  }
  const opt_start_time = new Date(Math.max(0, Math.floor(start.timeUs / 1_000))).toISOString();
  return { deliver_policy: DeliverPolicy.StartTime, opt_start_time };
}

function entryOf(place: number, timestamp: string, data: Uint8Array): LogEntry {
  return { place, storedTimeUs: timeUsOf(timestamp), payload: new Uint8Array(data) };
}

function streamOf(subject: string): string {
  const [, , venueToken = ""] = subject.split(".");
  return `TICKWIRE_${venueToken}`;
}

async function findStream(
  manager: JetStreamManager,
  name: string,
): Promise<StreamInfo | undefined> {
  try {
    return await manager.streams.info(name);
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === STREAM_NOT_FOUND) return undefined;
    throw error;
  }
}

type Wanted = Omit<StreamConfig, "name"> & { readonly subjects: string[] };

function configOf({ storage, replicas, bytesMax, ageMsMax }: StreamSettings): Wanted {
  return {
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.Old,
    storage: storage === "file" ? StorageType.File : StorageType.Memory,
    num_replicas: replicas,
    max_bytes: bytesMax,
    max_age: ageMsMax * 1_000_000,
    // A reader asks for single entries while it looks for its place, from whichever copy is near.
    allow_direct: true,
  } as Wanted;
}

function hasAll(config: StreamConfig, wanted: Partial<Wanted>): boolean {
  return Object.entries(wanted).every(([key, value]) => {
    const has: unknown = config[key as keyof StreamConfig];
    return JSON.stringify(has) === JSON.stringify(value);
  });
}

function standingOf({ config, state }: StreamInfo): StreamStanding {
  return {
    name: config.name,
    storage: config.storage === StorageType.File ? "file" : "memory",
    replicas: config.num_replicas,
    bytesMax: config.max_bytes,
    ageMsMax: config.max_age / 1_000_000,
    entries: state.messages,
    bytes: state.bytes,
    oldestTimeUs: state.messages === 0 ? 0 : timeUsOf(String(state.first_ts)),
  };
}
