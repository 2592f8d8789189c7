import { channelFromWire, topicIdOf, walkServerFrame } from "@tickwire/proto/codec";
import type { Channel } from "@tickwire/proto/model";
import { assert } from "#core/assert.ts";
import { CloseCode } from "#wire/codes.ts";
import { decodeServerMessage } from "#wire/frame-codec.ts";
import type { ServerSaying } from "#wire/frame-codec.ts";
import type { TopicPosition } from "../../topics/batch-order.ts";
import { streamEvent } from "./stream-event.ts";
import type { StreamEvent } from "./stream-event.ts";
import { StreamTopic } from "./stream-topic.ts";
import type { ToldBatches } from "./told-batches.ts";

type Value<Kind extends ServerSaying["kind"]> = Extract<ServerSaying, { kind: Kind }>["value"];
type TopicResult = Value<"subscribeResult">["topics"][number];
type Notice = Value<"notice">;

/** What a telling hands on besides events. */
type TellingListener = {
  /** The gateway asks whether the client has everything that was told before. */
  onProbe(number: number): void;
  /** A topic is not to be had now, and may be later. `requestId` and the index say which it was. */
  onPassing(requestId: number, requestIndex: number): void;
  /** A request was not served, because there are too many. */
  onRefused(requestId: number): void;
};

/** What a telling begins with. */
type TellingStart = {
  /** From where the client wants to go on, by topic. */
  readonly resumes: ReadonlyMap<string, TopicPosition>;
  /** Whether the client wants the state of what it has asked for. */
  readonly wantsState: (requestId: number, requestIndex: number) => boolean;
  /** Where the topic is told for others too; undefined if nobody else has it as this client has. */
  readonly sharedOf: (topic: string) => ToldBatches | undefined;
};

const CONTINUITIES = {
  CONTINUITY_UNSPECIFIED: "new",
  CONTINUITY_NEW: "new",
  CONTINUITY_RESUMED: "resumed",
  CONTINUITY_REPLACED: "replaced",
} as const;

/** These have no state that a client would need before their news. */
const STATELESS: ReadonlySet<string> = new Set(["trades", "liquidations"]);
const PASSING: ReadonlySet<string> = new Set(["TOPIC_ERROR_UNAVAILABLE", "TOPIC_ERROR_NOT_READY"]);

/**
 * Tells in JSON what a session says in frames. It stands where a client of the binary protocol
 * stands: what it is given is complete and in order, or says what is missing.
 */
export class FrameTelling {
  readonly #listener: TellingListener;
  readonly #start: TellingStart;
  /** Positions of topics that were not answered yet. */
  readonly #pending: Map<string, TopicPosition>;
  readonly #topics = new Map<number, StreamTopic>();
  readonly #byName = new Map<string, StreamTopic>();

  constructor(start: TellingStart, listener: TellingListener) {
    this.#start = start;
    this.#pending = new Map(start.resumes);
    this.#listener = listener;
  }

  /** From where a client may go on that has everything which was told. */
  *positions(): Generator<readonly [topic: string, position: TopicPosition]> {
    for (const [topic, { position }] of this.#byName) {
      if (position !== undefined) yield [topic, position];
    }
    yield* this.#pending;
  }

  /**
   * Tells a frame, and yields undefined where others may have a turn. Everything that was yielded
   * is covered by the positions of the topics.
   */
  *tell(frame: Uint8Array): Generator<StreamEvent | undefined> {
    const messages: (ServerSaying | undefined)[] = [];
    const batches: { start: number; end: number; topicId: number }[] = [];
    walkServerFrame(frame, {
      message: (start, end) => messages.push(decodeServerMessage(frame.subarray(start, end))),
      batch: (start, end) => {
        batches.push({ start, end, topicId: topicIdOf(frame, start, end) });
      },
    });
    for (const message of messages) {
      if (message !== undefined) yield* this.#tellMessage(message);
    }
    for (const [index, { start, end, topicId }] of batches.entries()) {
      const topic = this.#topics.get(topicId);
      assert(topic !== undefined, "a session sends batches of topics that it has told of");
      // The parts of a state stand one behind the other, in one frame.
      const isLast = batches[index + 1]?.topicId !== topicId;
      yield* topic.tell(frame, { start, end, isLast });
    }
  }

  *#tellMessage(message: ServerSaying): Generator<StreamEvent | undefined> {
    // What a text stream never asks for is never answered.
    if (message.kind === "welcome") {
      const { sessionId, serverVersion, serverTimeUs } = message.value;
      yield streamEvent("welcome", { type: "welcome", sessionId, serverVersion, serverTimeUs });
    } else if (message.kind === "subscribeResult") {
      const { requestId, topics } = message.value;
      for (const result of topics) yield* this.#tellResult(requestId, result);
    } else if (message.kind === "notice") {
      yield* this.#tellNotice(message.value);
    } else if (message.kind === "requestRefused") {
      this.#listener.onRefused(message.value.requestId);
    } else if (message.kind === "probe") {
      this.#listener.onProbe(message.value.number);
    }
  }

  *#tellResult(requestId: number, result: TopicResult): Generator<StreamEvent | undefined> {
    if (result.error !== "TOPIC_ERROR_UNSPECIFIED") {
      // A pattern names also what the client has by name.
      if (this.#byName.has(result.topic)) return;
      const isPassing = PASSING.has(result.error);
      if (!isPassing) this.#pending.delete(result.topic);
      if (isPassing) this.#listener.onPassing(requestId, result.requestIndex);
      yield refusedEvent(result, isPassing);
      return;
    }
    const { topic, topicId, venue, symbol, venueSymbol, position } = result;
    const channel = channelFromWire(result.channel) as Channel;
    assert(position !== undefined, "what is granted has a position");
    const { ended, depth, conflationIntervalMs, candleIntervalsMs } = result;
    const candles = candleIntervalsMs.length === 0 ? {} : { candleIntervalsMs };
    const batches = this.#start.sharedOf(topic);
    const wantsState = this.#start.wantsState(requestId, result.requestIndex);
    const start = {
      position,
      continuity: CONTINUITIES[result.continuity],
      ended,
      asked: this.#start.resumes.get(topic),
      startsBare: STATELESS.has(channel) || (!wantsState && channel !== "book"),
      shared: batches && { batches, topicId, view: `${depth} ${conflationIntervalMs}` },
      view: { depth, conflationIntervalMs, ...candles },
    };
    const created = new StreamTopic({ topic, venue, symbol, venueSymbol, channel }, start);
    this.#topics.set(topicId, created);
    this.#byName.set(topic, created);
    this.#pending.delete(topic);
    yield* created.begin(start);
  }

  *#tellNotice(notice: Notice): Generator<StreamEvent | undefined> {
    const { kind, message, topicId, missingFirst, missingLast, position } = notice;
    const topic = this.#topics.get(topicId);
    if (topic !== undefined && kind === "NOTICE_KIND_GAP") {
      yield* topic.miss(missingFirst, missingLast);
    } else if (topic !== undefined && kind === "NOTICE_KIND_EPOCH" && position !== undefined) {
      yield* topic.changeEpoch(position, { first: missingFirst, last: missingLast });
    } else if (topic !== undefined && kind === "NOTICE_KIND_TOPIC_ENDED") {
      this.#topics.delete(topicId);
      this.#byName.delete(topic.names.topic);
      yield topic.end(message);
    } else {
      if (kind === "NOTICE_KIND_CONFLATION") topic?.leaveOthers();
      yield sessionNotice(notice);
    }
  }
}

/** A notice about the session; its name is that of its kind, such as `going-away`. */
function sessionNotice({ kind, message, lagMs, owedBytes, reconnectWindowMs }: Notice) {
  const type = kind.slice("NOTICE_KIND_".length).toLowerCase().replaceAll("_", "-");
  if (kind === "NOTICE_KIND_LAG") return streamEvent(type, { type, message, lagMs, owedBytes });
  if (kind === "NOTICE_KIND_GOING_AWAY") {
    return streamEvent(type, { type, message, reconnectWindowMs });
  }
  return streamEvent(type, { type, message });
}

function refusedEvent(result: TopicResult, retries: boolean): StreamEvent {
  const { topic, error, errorMessage: message, alternatives } = result;
  const word = error === "TOPIC_ERROR_UNKNOWN" ? "refused" : error.slice("TOPIC_ERROR_".length);
  const code = `topic-${word.toLowerCase().replaceAll("_", "-")}`;
  return streamEvent("refused", { type: "refused", topic, code, message, alternatives, retries });
}

/** The end of a stream, as the client is told. */
export function closeEvent(code: number, message: string): StreamEvent {
  const name = Object.entries(CloseCode).find(([, value]) => value === code)?.[0] ?? "Closed";
  const reason = name.replaceAll(/(?<=.)[A-Z]/g, (letter) => `-${letter}`).toLowerCase();
  // Below 4500 a client comes back; see codes.proto.
  const reconnect = code < 4_500;
  return streamEvent("close", { type: "close", code, reason, message, reconnect });
}
