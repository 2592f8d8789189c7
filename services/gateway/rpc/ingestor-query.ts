import type { Bus } from "#bus/bus.ts";
import { BusError } from "#bus/bus.ts";
import { querySubject } from "#bus/subject.ts";
import type { Query } from "#bus/subject.ts";
import { MARKET_SYMBOL } from "#core/instrument.ts";
import { foreignMessage } from "#core/visible-text.ts";
import { decodeQueryReply } from "#wire/bus-codec.ts";
import { WireError } from "#wire/frame-codec.ts";
import type { Catalog } from "../catalog/catalog.ts";
import type { VenuePartition } from "../catalog/venue-partition.ts";
import { FairGate } from "./fair-gate.ts";
import { codeOfWire, RpcError } from "./rpc-error.ts";
import type { RpcContext } from "./service-table.ts";

/** What the methods need of the gateway. */
export type MethodParts = {
  readonly bus: Bus;
  readonly catalog: Catalog;
  readonly queryTimeoutMs: number;
  readonly gates: VenueGates;
};

/** Whose question it is, and how long it matters. */
export type Asker = Pick<RpcContext, "line" | "signal">;

/** Which publisher of a venue is asked, where the query names no instrument that would say it. */
type AskedPart = { readonly partition?: VenuePartition };

/** Questions of calls that one venue's ingestor is asked at once. */
const QUERIES_IN_FLIGHT_MAX = 8;
/** Those that may wait for one venue. */
const QUERIES_WAITING_MAX = 4_096;

/** A gate for each venue that somebody asks. */
export class VenueGates {
  readonly #gates = new Map<string, FairGate>();

  /** Asks through the gate of a venue, which is one that the catalog has. */
  async run<Answer>(
    venue: string,
    { line, signal }: Asker,
    ask: () => Promise<Answer>,
  ): Promise<Answer> {
    const gate = this.#gates.get(venue) ?? this.#open(venue);
    try {
      return await gate.run(line, signal, ask);
    } finally {
      if (gate.isIdle) this.#gates.delete(venue);
    }
  }

  #open(venue: string): FairGate {
    const limits = { inFlightMax: QUERIES_IN_FLIGHT_MAX, waitingMax: QUERIES_WAITING_MAX };
    const gate = new FairGate(limits);
    this.#gates.set(venue, gate);
    return gate;
  }
}

/** A query to whoever publishes the venue. */
type VenueQuery = Query extends infer One
  ? One extends Query
    ? Omit<One, "publisherId">
    : never
  : never;

/** By then, an ingestor that was restarted has announced itself again. */
const RETRY_AFTER_MS = 1_000;

/**
 * What `read` makes of an ingestor's answer.
 * @throws RpcError `unavailable` if it can make nothing of it.
 */
export function readAnswer<Answer>(venue: string, read: () => Answer): Answer {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    const message = `the answer of the ingestor of ${venue} cannot be read`;
    const detail = { reason: "INGESTOR_UNAVAILABLE", retryAfterMs: RETRY_AFTER_MS };
    throw new RpcError("unavailable", message, { cause: error, detail });
  }
}

/**
 * Asks the ingestor of a venue and returns its answer's payload.
 * @throws RpcError with the ingestor's own code, or `unavailable` if it does not answer.
 */
export async function queryIngestor(
  parts: MethodParts,
  asker: Asker & AskedPart,
  query: VenueQuery,
  payload: Uint8Array,
): Promise<Uint8Array> {
  const detail = { reason: "INGESTOR_UNAVAILABLE", retryAfterMs: RETRY_AFTER_MS };
  const { catalog } = parts;
  const { partition } = asker;
  const symbol = "symbol" in query ? query.symbol : MARKET_SYMBOL;
  const publisher =
    partition === undefined
      ? catalog.publisherOf(query.venue, symbol)
      : catalog.publisherOfPart(partition);
  if (publisher === undefined) {
    throw new RpcError("unavailable", `nobody publishes ${query.venue}`, { detail });
  }
  let bytes: Uint8Array;
  try {
    const timeoutMs = parts.queryTimeoutMs;
    const subject = querySubject({ ...query, publisherId: publisher.publisherId });
    bytes = await parts.gates.run(query.venue, asker, () =>
      parts.bus.request(subject, payload, { timeoutMs }),
    );
  } catch (error) {
    if (!(error instanceof BusError)) throw error;
    const message = `the ingestor of ${query.venue} does not answer`;
    throw new RpcError("unavailable", message, { cause: error, detail });
  }
  const reply = readAnswer(query.venue, () => decodeQueryReply(bytes));
  if (reply.error?.code === "CODE_NOT_FOUND") {
    // The catalog has it and the ingestor has not: one of the two is about to follow the other.
    const notReady = { ...detail, reason: "NOT_READY" };
    throw new RpcError("unavailable", reply.error.message, { detail: notReady });
  }
  if (reply.error?.code === "CODE_UNAVAILABLE") {
    const passing = { reason: "VENUE_UNAVAILABLE", retryAfterMs: RETRY_AFTER_MS };
    const message = foreignMessage(reply.error.message);
    throw new RpcError("unavailable", message, { detail: passing });
  }
  if (reply.error !== undefined) {
    throw new RpcError(codeOfWire(reply.error.code), foreignMessage(reply.error.message));
  }
  return reply.payload;
}
