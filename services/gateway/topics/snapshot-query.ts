import { WireError } from "@tickwire/proto/codec";
import type { BusBatch } from "@tickwire/proto/codec";
import { BusError } from "#bus/bus.ts";
import type { Bus } from "#bus/bus.ts";
import { querySubject } from "#bus/subject.ts";
import type { Topic } from "#core/topic.ts";
import { foreignMessage } from "#core/visible-text.ts";
import {
  decodeQueryReply,
  decodeSnapshotReply,
  decodeSnapshotSteps,
  encodeSnapshotRequest,
} from "#wire/bus-codec.ts";
import { channelNumberOf } from "#wire/codes.ts";
import type { TurnLine, Work } from "../turns/turns.ts";
import type { QueryGate } from "../turns/query-gate.ts";
import type { TopicPosition } from "./batch-order.ts";
import type { TopicFailure } from "./topic-subscriber.ts";

/** The state as the publisher encoded it, or why there is none. */
type SnapshotAnswer =
  | {
      readonly kind: "ok";
      readonly batches: readonly [BusBatch, ...BusBatch[]];
      /** The position of an earlier epoch that the topic goes on from, with the same sequences. */
      readonly continues: TopicPosition | undefined;
    }
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

/** Pages of one state; a publisher puts up to five hundred events in each. */
export const STATE_PAGES_MAX = 500;

/** Of all pages of one state: several times the list of the largest venue. */
export const STATE_BYTES_MAX = 64 * 1_024 * 1_024;

/** How often a state is read from its beginning when it changes before its last page. */
export const STATE_ROUNDS_MAX = 4;

/**
 * Asks a publisher for the state of a topic, when the gate lets the question through. Rejects only
 * if we have a bug: what the bus and the ingestor do wrong is an answer.
 */
export async function querySnapshot(
  parts: SnapshotQueryParts,
  name: Topic,
  publisherId: string | undefined,
): Promise<SnapshotAnswer> {
  if (publisherId === undefined) {
    return { kind: "unavailable", message: `nobody publishes ${name.venue}` };
  }
  const subject = querySubject({ ...name, publisherId, query: "snapshot" });
  try {
    for (let rounds = 0; rounds < STATE_ROUNDS_MAX; rounds += 1) {
      const answer = await readPages(parts, name, subject);
      if (answer !== "moved") return answer;
    }
  } catch (error) {
    return { kind: "unavailable", message: reasonOf(error, name.venue) };
  }
  const message = `${name.channel} of ${name.venue} changed ${STATE_ROUNDS_MAX} times while it was read`;
  return { kind: "unavailable", message };
}

/** All pages of a state at one position, mostly one; "moved" if the topic went on between them. */
async function readPages(
  { bus, gate, limits, line }: SnapshotQueryParts,
  name: Topic,
  subject: string,
): Promise<SnapshotAnswer | "moved"> {
  const batches: BusBatch[] = [];
  let skippedEvents = 0;
  let stateBytes = 0;
  for (let pages = 0; pages < STATE_PAGES_MAX; pages += 1) {
    const request = encodeSnapshotRequest({ paged: true, skippedEvents });
    const bytes = await gate.run(() =>
      bus.request(subject, request, { timeoutMs: limits.queryTimeoutMs }),
    );
    const reply = decodeQueryReply(bytes);
    if (reply.error !== undefined) {
      const kind = reply.error.code === "CODE_NOT_FOUND" ? "unknown" : "unavailable";
      return { kind, message: foreignMessage(reply.error.message) };
    }
    stateBytes += reply.payload.byteLength;
    if (stateBytes > STATE_BYTES_MAX) {
      const problem = `a snapshot of ${stateBytes} bytes exceeds STATE_BYTES_MAX ${STATE_BYTES_MAX}`;
      throw new WireError("malformed", problem);
    }
    const page = await readSnapshot(reply.payload, line);
    const [head] = page.batches;
    if (head.channel !== channelNumberOf(name.channel)) {
      throw new WireError("malformed", "the snapshot is one of another channel");
    }
    const [first = head] = batches;
    if (head.epoch !== first.epoch || head.baseSequence !== first.baseSequence) return "moved";
    if (head.count === 0 && (pages > 0 || page.more)) {
      throw new WireError("malformed", "a page of a snapshot has no events");
    }
    batches.push(...page.batches);
    const { continues } = page;
    if (!page.more) return { kind: "ok", batches: [first, ...batches.slice(1)], continues };
    for (const { count } of page.batches) skippedEvents += count;
  }
  throw new WireError(
    "malformed",
    `a snapshot has more pages than STATE_PAGES_MAX ${STATE_PAGES_MAX}`,
  );
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
