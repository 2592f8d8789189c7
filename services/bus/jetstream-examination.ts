import {
  DiscardPolicy,
  JetStreamApiError,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
} from "@nats-io/jetstream";
import type { StreamInfo } from "@nats-io/jetstream";
import {
  NoRespondersError,
  PermissionViolationError,
  RequestError,
  TimeoutError,
  type NatsConnection,
} from "@nats-io/transport-node";
import { STREAM_NOT_FOUND, streamNameOf, timeUsOf } from "./jetstream-names.ts";
import { openNatsConnection, type NatsConnectionOptions } from "./nats-connection.ts";
import { venueEventPattern } from "./subject.ts";

/** A stream as its server describes it, with everything that decides what it keeps. */
export type StreamFacts = {
  readonly subjects: readonly string[];
  readonly retention: string;
  readonly discard: string;
  readonly storage: "file" | "memory";
  readonly replicas: number;
  /** -1 is no limit, here and below. */
  readonly bytesMax: number;
  readonly ageMsMax: number;
  readonly entriesMax: number;
  readonly entriesPerSubjectMax: number;
  readonly entryBytesMax: number;
  readonly duplicateWindowMs: number;
  readonly allowsDirect: boolean;
  readonly isSealed: boolean;
  readonly entries: number;
  readonly bytes: number;
  /** When the oldest entry was stored; microseconds since 1970, 0 if there is none. */
  readonly oldestTimeUs: number;
};

/** What can be known of a venue's stream from outside. */
export type StreamExamination = {
  readonly name: string;
  /** What it should take. */
  readonly pattern: string;
  /** Undefined if there is none, or if we may not ask. */
  readonly stream: StreamFacts | undefined;
  /** False where JetStream is not there at all. */
  readonly isServed: boolean;
  /** Subjects that we may not publish on: those that reading needs, and those that making needs. */
  readonly refusedToRead: readonly string[];
  readonly refusedToMake: readonly string[];
};

type ExaminationOptions = NatsConnectionOptions & { readonly timeoutMs: number };

/** Nothing answers for a reader that is not there, if we may ask. */
const SILENCE_MS = 500;

/**
 * Looks at the stream of a venue without changing anything: its settings, and what whoever connects
 * with these options may do with it. Each right is tried with a request that says nothing, which
 * the server answers with an error and does not act on. Rejects with BusError if no server is
 * there.
 */
export async function examineStream(
  options: ExaminationOptions,
  venue: string,
): Promise<StreamExamination> {
  const connection = await openNatsConnection(options, { count: 0 });
  try {
    const { timeoutMs } = options;
    const name = streamNameOf(venue);
    const pattern = venueEventPattern(venue);
    const api = (subject: string): string => `$JS.API.${subject}`;
    const reader = `${name}.tickwire-doctor`;
    const reading = [
      `STREAM.INFO.${name}`,
      `DIRECT.GET.${name}`,
      `DIRECT.GET.${name}.${pattern.replace(">", "trades.X")}`,
      `CONSUMER.CREATE.${name}`,
      `CONSUMER.CREATE.${reader}.${pattern.replace(">", "trades.X")}`,
      `CONSUMER.MSG.NEXT.${reader}`,
      `CONSUMER.DELETE.${reader}`,
    ].map(api);
    const making = [`STREAM.INFO.${name}`, `STREAM.CREATE.${name}`, `STREAM.UPDATE.${name}`].map(
      api,
    );
    const refusedToRead = await refusedOf(connection, reading);
    const refusedToMake = await refusedOf(connection, making);
    const mayAsk = !refusedToRead.includes(api(`STREAM.INFO.${name}`));
    const found = mayAsk ? await findStream(connection, name, timeoutMs) : undefined;
    const isServed = found !== "no-jetstream";
    const stream = typeof found === "object" ? factsOf(found) : undefined;
    return { name, pattern, stream, isServed, refusedToRead, refusedToMake };
  } finally {
    await connection.close();
  }
}

async function refusedOf(
  connection: NatsConnection,
  subjects: readonly string[],
): Promise<readonly string[]> {
  const refused = await Promise.all(subjects.map((subject) => isRefused(connection, subject)));
  return subjects.filter((_, index) => refused[index]);
}

async function isRefused(connection: NatsConnection, subject: string): Promise<boolean> {
  try {
    await connection.request(subject, new Uint8Array(0), { timeout: SILENCE_MS });
    return false;
  } catch (error) {
    if (isPermissionViolation(error)) return true;
    if (error instanceof TimeoutError || isNobodyThere(error)) return false;
    throw error;
  }
}

async function findStream(
  connection: NatsConnection,
  name: string,
  timeout: number,
): Promise<StreamInfo | "no-jetstream" | undefined> {
  const manager = await jetstreamManager(connection, { checkAPI: false, timeout });
  try {
    return await manager.streams.info(name);
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === STREAM_NOT_FOUND) return undefined;
    if (isNobodyThere(error) || error instanceof TimeoutError) return "no-jetstream";
    if (error instanceof JetStreamApiError) return "no-jetstream";
    throw error;
  }
}

function isPermissionViolation(error: unknown): boolean {
  const cause = error instanceof RequestError ? error.cause : undefined;
  return error instanceof PermissionViolationError || cause instanceof PermissionViolationError;
}

function isNobodyThere(error: unknown): boolean {
  if (error instanceof NoRespondersError) return true;
  const { name } = error as Error;
  return (
    name === "JetStreamNotEnabled" || (error instanceof RequestError && error.isNoResponders())
  );
}

function factsOf({ config, state }: StreamInfo): StreamFacts {
  return {
    subjects: config.subjects ?? [],
    retention: config.retention === RetentionPolicy.Limits ? "limits" : config.retention,
    discard: config.discard === DiscardPolicy.Old ? "old" : config.discard,
    storage: config.storage === StorageType.File ? "file" : "memory",
    replicas: config.num_replicas,
    bytesMax: config.max_bytes,
    ageMsMax: config.max_age / 1_000_000,
    entriesMax: config.max_msgs,
    entriesPerSubjectMax: config.max_msgs_per_subject,
    entryBytesMax: config.max_msg_size,
    duplicateWindowMs: (config.duplicate_window ?? 0) / 1_000_000,
    allowsDirect: config.allow_direct,
    isSealed: config.sealed ?? false,
    entries: state.messages,
    bytes: state.bytes,
    oldestTimeUs: state.messages === 0 ? 0 : timeUsOf(String(state.first_ts)),
  };
}
