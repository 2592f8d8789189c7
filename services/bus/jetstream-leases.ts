import {
  jetstream,
  JetStreamApiCodes,
  JetStreamApiError,
  jetstreamManager,
} from "@nats-io/jetstream";
import { type KV, type KvEntry, Kvm } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/transport-node";
import { BusError } from "./bus.ts";
import type { LeaseOffer, LeaseOptions } from "./bus.ts";
import type { KeptLease, LeaseRecord, LeaseStore } from "./lease-store.ts";

/** Every ingestor of a NATS system keeps its leases here. */
const LEASE_BUCKET = "tickwire-leases";

/** More than a record ever has, so that nobody stores anything else here. */
const VALUE_BYTES_MAX = 512;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * Whether JetStream answers to us. `unknown` if nothing does in time: the server may be busy, or
 * forbid it.
 */
export async function findJetStream(
  connection: NatsConnection,
  timeoutMs: number,
): Promise<LeaseOffer["kind"]> {
  try {
    const manager = await jetstreamManager(connection, { timeout: timeoutMs, checkAPI: false });
    await manager.getAccountInfo();
    return "there";
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const isAbsent =
      error.name === "JetStreamNotEnabled" ||
      error.name === "NoRespondersError" ||
      (error instanceof JetStreamApiError &&
        (error.code === JetStreamApiCodes.JetStreamNotEnabledForAccount || error.status === 503));
    return isAbsent ? "absent" : "unknown";
  }
}

/**
 * Leases in a JetStream key-value bucket, which keeps one record for each key and no time to live.
 * The bucket is made when it is missing, also when somebody has deleted it.
 */
export class JetStreamLeases implements LeaseStore {
  readonly #connection: NatsConnection;
  readonly #options: LeaseOptions;
  #bucket: Promise<KV> | undefined;

  constructor(connection: NatsConnection, options: LeaseOptions) {
    this.#connection = connection;
    this.#options = options;
  }

  async read(key: string): Promise<KeptLease | undefined> {
    const entry = await this.#attempt((bucket) => bucket.get(key));
    return entry === null ? undefined : recordOf(entry);
  }

  async write(
    key: string,
    { holder, token }: LeaseRecord,
    { revision }: { readonly revision: number },
  ): Promise<number | "conflict"> {
    const value = encoder.encode(JSON.stringify({ holder, token }));
    const { timeoutMs: timeout } = this.#options;
    return await this.#attempt(async (bucket) => {
      try {
        return await bucket.put(key, value, { previousSeq: revision, timeout });
      } catch (error) {
        if (isConflict(error)) return "conflict";
        throw error;
      }
    });
  }

  /** An attempt is several requests, which together may take no longer than one. */
  async #attempt<Result>(use: (bucket: KV) => Promise<Result>): Promise<Result> {
    this.#bucket ??= this.#open();
    const attempt = this.#bucket.then(use);
    const { timeoutMs } = this.#options;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer in ${timeoutMs} ms`)), timeoutMs);
    });
    try {
      return await Promise.race([attempt, late]);
    } catch (cause) {
      // Whatever went wrong may be that the bucket is not there any more: it is opened anew.
      this.#bucket = undefined;
      if (!(cause instanceof Error)) throw cause;
      const message = `the leases cannot be reached: ${cause.message}`;
      throw new BusError("lease-unavailable", message, { cause });
    } finally {
      clearTimeout(timer);
    }
  }

  async #open(): Promise<KV> {
    const { replicas, timeoutMs } = this.#options;
    const kvm = new Kvm(jetstream(this.#connection, { timeout: timeoutMs }));
    return await kvm.create(LEASE_BUCKET, {
      history: 1,
      replicas,
      maxValueSize: VALUE_BYTES_MAX,
      timeout: timeoutMs,
      description: "Who publishes which partition of a venue",
    });
  }
}

function isConflict(error: unknown): boolean {
  return (
    error instanceof JetStreamApiError &&
    (error.code === JetStreamApiCodes.StreamWrongLastSequence ||
      error.code === JetStreamApiCodes.StreamWrongLastSequenceUnknown)
  );
}

/** A record that nobody of us wrote is one that nobody holds: whoever claims it replaces it. */
function recordOf(entry: KvEntry): KeptLease {
  const { revision } = entry;
  let value: unknown;
  try {
    value = JSON.parse(decoder.decode(entry.value));
  } catch {
    value = undefined;
  }
  const { holder, token } = (value ?? {}) as {
    readonly holder?: unknown;
    readonly token?: unknown;
  };
  const isRecord =
    entry.operation === "PUT" && typeof holder === "string" && Number.isSafeInteger(token);
  return isRecord
    ? { holder, token: token as number, revision }
    : { holder: "", token: 0, revision };
}
