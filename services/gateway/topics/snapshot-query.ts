import { WireError } from "@tickwire/proto/codec";
import type { BusBatch } from "@tickwire/proto/codec";
import { BusError } from "#bus/bus.ts";
import type { Bus } from "#bus/bus.ts";
import { querySubject } from "#bus/subject.ts";
import type { Topic } from "#core/topic.ts";
import { foreignMessage } from "#core/visible-text.ts";
import { decodeQueryReply, decodeSnapshotReply, decodeSnapshotSteps } from "#wire/bus-codec.ts";
import { channelNumberOf } from "#wire/codes.ts";
import type { TurnLine, Work } from "../turns/turns.ts";
import type { QueryGate } from "./query-gate.ts";
import type { TopicFailure } from "./topic-subscriber.ts";

/** The state as the publisher encoded it, or why there is none. */
type SnapshotAnswer =
  | { readonly kind: "ok"; readonly batches: [BusBatch, ...BusBatch[]] }
  | TopicFailure;

export type SnapshotQueryParts = {
  readonly bus: Bus;
  readonly gate: QueryGate;
  readonly limits: { readonly queryTimeoutMs: number };
  /** For what takes long to read. */
  readonly line: TurnLine;
};

/** Smaller snapshots are read at once. */
const PROMPT_BYTES_MAX = 64 * 1024;

const EMPTY = new Uint8Array(0);

/**
 * Asks a publisher for the state of a topic, when the gate lets the question through. Rejects only
 * if we have a bug: what the bus and the ingestor do wrong is an answer.
 */
export async function querySnapshot(
  parts: SnapshotQueryParts,
  name: Topic,
  publisherId: string | undefined,
): Promise<SnapshotAnswer> {
  const { bus, gate, limits, line } = parts;
  if (publisherId === undefined) {
    return { kind: "unavailable", message: `nobody publishes ${name.venue}` };
  }
  try {
    const subject = querySubject({ ...name, publisherId, query: "snapshot" });
    const bytes = await gate.run(() =>
      bus.request(subject, EMPTY, { timeoutMs: limits.queryTimeoutMs }),
    );
    const reply = decodeQueryReply(bytes);
    if (reply.error !== undefined) {
      const kind = reply.error.code === "CODE_NOT_FOUND" ? "unknown" : "unavailable";
      return { kind, message: foreignMessage(reply.error.message) };
    }
    const batches = await readSnapshot(reply.payload, line);
    if (batches[0].channel !== channelNumberOf(name.channel)) {
      throw new WireError("malformed", "the snapshot is one of another channel");
    }
    return { kind: "ok", batches };
  } catch (error) {
    return { kind: "unavailable", message: reasonOf(error, name.venue) };
  }
}

async function readSnapshot(
  bytes: Uint8Array,
  line: TurnLine,
): Promise<ReturnType<typeof decodeSnapshotReply>> {
  if (bytes.byteLength <= PROMPT_BYTES_MAX) return decodeSnapshotReply(bytes);
  function* read(): Work<ReturnType<typeof decodeSnapshotReply>> {
    const steps = decodeSnapshotSteps(bytes);
    for (;;) {
      const step = steps.next();
      if (step.done === true) return step.value;
      if (line.isOver) yield;
    }
  }
  return line.run(read());
}

/** Clients read this: it names the venue, not the subjects and limits of the bus behind it. */
function reasonOf(error: unknown, venue: string): string {
  if (error instanceof BusError) return `the ingestor of ${venue} does not answer`;
  if (error instanceof WireError) {
    return `the ingestor of ${venue} gave an answer that cannot be read`;
  }
  throw error;
}
