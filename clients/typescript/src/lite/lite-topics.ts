import type { TickwireError, TopicErrorCode, TopicRefusal } from "../errors.ts";
import type { ClientClock } from "../host/environment.ts";
import type { Position } from "../topics/position-tracker.ts";
import { intervalConflict, type TopicsConsumer, type TopicWish } from "./lite-session.ts";
import { LiteTopic } from "./topic.ts";
import { bytesOf, fieldsOf, messageBytes, messageOf, numberOf, textOf, textsOf } from "./wire.ts";
import type { Fields, Pair } from "./wire.ts";

/** Sends a message of the kind that has this number; does nothing without a connection. */
type Send = (kind: number, ...pairs: readonly Pair[]) => void;

/** What a gateway takes in one request if it does not say. */
const TOPICS_PER_REQUEST = 100;
/** Requests that are remembered; beyond this the oldest is forgotten. */
const REQUESTS_MAX = 1_000;

/** Numbers of the schema's TopicError, from 1. */
const ERROR_CODES =
  "malformed refused already-subscribed limit-exceeded permission-denied unavailable not-subscribed unknown-venue unknown-symbol unknown-channel not-ready unsupported-option".split(
    " ",
  );
const PASSING: readonly string[] = ["topic-unavailable", "topic-not-ready"];
const CONTINUITIES = ["new", "new", "resumed", "replaced"] as const;

// Kinds of the schema's ServerMessage and ClientMessage.
const SUBSCRIBE = 2;
const UNSUBSCRIBE = 3;
const SUBSCRIBE_RESULT = 2;
const NOTICE = 5;
const REQUEST_REFUSED = 31;

// Kinds of Notice.
const LAG = 2;
const GAP = 3;
const ENDED = 4;
const EPOCH = 6;

/** What a client has subscribed, over any number of connections. */
export class LiteTopics {
  readonly #afterBackoff: (attempt: number, callback: () => void) => void;
  readonly #clock: ClientClock;
  readonly #send: Send;
  readonly #topics = new Map<string, LiteTopic>();
  readonly #ofId = new Map<number, LiteTopic>();
  /** What was asked for, and the names that were given up, by request. */
  readonly #requests = new Map<number, readonly LiteTopic[] | string>();
  /** What is asked for at the end of the turn. */
  readonly #unsent = new Set<LiteTopic>();
  #topicsPerRequestMax = 0;
  #nextRequestId = 1;

  /** `afterBackoff` calls back after the wait before an attempt, the first of which is 0. */
  constructor(
    afterBackoff: (attempt: number, callback: () => void) => void,
    clock: ClientClock,
    send: Send,
  ) {
    this.#afterBackoff = afterBackoff;
    this.#clock = clock;
    this.#send = send;
  }

  /** Throws TickwireError `options-conflict` if a topic is subscribed at another interval. */
  attach(
    names: readonly string[],
    { channel, conflationIntervalMs }: TopicWish,
    consumer: TopicsConsumer,
  ): void {
    for (const name of names) {
      const known = this.#topics.get(name);
      if (known === undefined || known.conflationIntervalMs === conflationIntervalMs) continue;
      throw intervalConflict(name, known.conflationIntervalMs);
    }
    for (const name of names) {
      const known = this.#topics.get(name);
      const topic = known ?? new LiteTopic(name, channel, conflationIntervalMs);
      this.#topics.set(name, topic);
      topic.consumers.add(consumer);
      if (known === undefined) this.#ask(topic);
      // Not before the caller holds what it attached.
      else {
        queueMicrotask(() => {
          if (topic.consumers.has(consumer)) topic.catchUp(consumer);
        });
      }
    }
  }

  /** The consumer is over; what nobody else wants is given up. */
  detach(names: readonly string[], consumer: TopicsConsumer): void {
    for (const name of names) {
      const topic = this.#topics.get(name);
      if (topic?.consumers.delete(consumer) !== true || topic.consumers.size > 0) continue;
      this.#topics.delete(name);
      if (!this.#unsent.delete(topic)) this.#giveUp(topic);
    }
  }

  /** A connection is ready. */
  connected(topicsPerRequestMax: number): void {
    this.#topicsPerRequestMax = topicsPerRequestMax || TOPICS_PER_REQUEST;
    for (const topic of this.#topics.values()) this.#ask(topic);
  }

  /** The connection is gone. */
  disconnected(): void {
    this.#topicsPerRequestMax = 0;
    this.#requests.clear();
    this.#unsent.clear();
    this.#ofId.clear();
    for (const topic of this.#topics.values()) topic.suspend();
  }

  /** Nothing follows. */
  close(error: TickwireError | undefined): void {
    for (const consumer of this.#consumers()) consumer.end(error);
    this.disconnected();
  }

  /** All of them, each once. */
  #consumers(): Set<TopicsConsumer> {
    const all = [...this.#topics.values()].flatMap(({ consumers }) => [...consumers]);
    return new Set(all as TopicsConsumer[]);
  }

  /** An encoded Batch. */
  batch(bytes: Uint8Array): void {
    const fields = fieldsOf(bytes);
    const topic = this.#ofId.get(numberOf(fields, 1));
    const problem = topic?.receive(fields);
    if (problem !== undefined) this.#resync(topic!, problem);
  }

  /** What the gateway says, by the number of its kind. */
  message(kind: number, message: Fields): void {
    if (kind === SUBSCRIBE_RESULT) this.#subscribeResult(message);
    else if (kind === NOTICE) this.#notice(message);
    else if (kind === REQUEST_REFUSED) this.#requestRefused(message);
  }

  /** An answer to a request. */
  #subscribeResult(result: Fields): void {
    const requestId = numberOf(result, 1);
    const asked = this.#requests.get(requestId) ?? "";
    if (typeof asked === "string") return;
    // A part of an answer says that more follows.
    if (numberOf(result, 3) === 0) this.#requests.delete(requestId);
    for (const bytes of bytesOf(result, 2)) {
      const answer = fieldsOf(bytes);
      const topic = asked[numberOf(answer, 1)];
      // Whoever has left has said so behind the request.
      if (topic === undefined || this.#topics.get(topic.name) !== topic) continue;
      const error = numberOf(answer, 3);
      if (error === 0) this.#start(topic, answer);
      else this.#refused(topic, error, answer);
    }
  }

  /** The gateway did not serve a request. */
  #requestRefused(refusal: Fields): void {
    const requestId = numberOf(refusal, 2);
    const asked = this.#requests.get(requestId) ?? [];
    this.#requests.delete(requestId);
    this.#clock.after(numberOf(refusal, 5), () => {
      if (typeof asked !== "string") for (const topic of asked) this.#askAgain(topic);
      else if (!this.#topics.has(asked)) this.#unsubscribe(asked);
    });
  }

  /** What the gateway says of itself. */
  #notice(notice: Fields): void {
    const kind = numberOf(notice, 1);
    const message = textOf(notice, 2);
    const topic = this.#ofId.get(numberOf(notice, 3));
    const position = positionIn(notice, 8);
    const [missingFirst, missingLast] = [numberOf(notice, 4), numberOf(notice, 5)];
    if (kind === LAG) {
      const lag = {
        type: "lag" as const,
        message,
        lagMs: numberOf(notice, 7),
        owedBytes: numberOf(notice, 9),
      };
      for (const consumer of topic?.consumers ?? this.#consumers()) consumer.notice(lag);
    } else if (topic === undefined) return;
    else if (kind === GAP) topic.announceMissing(missingFirst, missingLast);
    else if (kind === EPOCH && position !== undefined) {
      topic.changeEpoch(position, missingLast, numberOf(notice, 16) !== 0);
    } else if (kind === ENDED) {
      topic.tellContinuity("ended", message);
      this.#refuse(topic, {
        code: "topic-unknown-symbol",
        message: message || "ended",
        alternatives: [],
      });
    }
  }

  #start(topic: LiteTopic, answer: Fields): void {
    topic.id = numberOf(answer, 5);
    this.#ofId.set(topic.id, topic);
    topic.start({
      names: {
        topic: textOf(answer, 2),
        venue: textOf(answer, 6),
        symbol: textOf(answer, 7),
        venueSymbol: textOf(answer, 8),
      },
      position: positionIn(answer, 10),
      continuity: CONTINUITIES[numberOf(answer, 11)] ?? "new",
      ended: positionIn(answer, 15),
      recovered: numberOf(answer, 17),
    });
  }

  #refused(topic: LiteTopic, error: number, answer: Fields): void {
    const code = `topic-${ERROR_CODES[error - 1] ?? "refused"}` as TopicErrorCode;
    const message = textOf(answer, 4) || code;
    // What one gateway has served, another may come to know.
    const isHere = code === "topic-already-subscribed";
    // By another name: giving it up would take it from both.
    const isTwice = isHere && this.#ofId.has(numberOf(answer, 5));
    if (isHere && !isTwice) this.#giveUp(topic);
    const mayPass = (isHere && !isTwice) || PASSING.includes(code);
    if (mayPass || (topic.position !== undefined && code.startsWith("topic-unknown-"))) {
      topic.tellContinuity("unavailable", message);
      this.#askLater(topic);
    } else this.#refuse(topic, { code, message, alternatives: textsOf(answer, 14) });
  }

  #refuse(topic: LiteTopic, refusal: Omit<TopicRefusal, "topic">): void {
    const { name } = topic;
    this.#ofId.delete(topic.id);
    this.#topics.delete(name);
    for (const consumer of topic.consumers) {
      (consumer as TopicsConsumer).refuse(name, { topic: name, ...refusal });
    }
  }

  /** Something is missing: the topic is given up, and asked for again from its position. */
  #resync(topic: LiteTopic, reason: string): void {
    this.#giveUp(topic);
    topic.suspend();
    topic.tellContinuity("resyncing", reason);
    if (topic.troubles === 0) this.#ask(topic);
    else this.#askLater(topic);
    topic.troubles += 1;
  }

  #giveUp(topic: LiteTopic): void {
    this.#ofId.delete(topic.id);
    // The name that it has on the gateway, where it was asked for by the venue's own symbol.
    this.#unsubscribe(topic.names.topic);
  }

  #unsubscribe(name: string): void {
    const requestId = this.#remember(name);
    this.#send(UNSUBSCRIBE, [1, requestId], [2, name]);
  }

  /** The number of a request, of which the gateway may still say something. */
  #remember(asked: readonly LiteTopic[] | string): number {
    const requestId = this.#nextRequestId++;
    this.#requests.set(requestId, asked);
    // The oldest: its answer was lost, or it is an unsubscribe, whose answer nobody needs.
    if (this.#requests.size > REQUESTS_MAX) this.#requests.delete([...this.#requests.keys()][0]!);
    return requestId;
  }

  #askLater(topic: LiteTopic): void {
    this.#afterBackoff(topic.troubles++, () => this.#askAgain(topic));
  }

  /** Somebody still wants it, and the gateway does not serve it. */
  #askAgain(topic: LiteTopic): void {
    if (this.#topics.get(topic.name) === topic && topic.id === 0) this.#ask(topic);
  }

  #ask(topic: LiteTopic): void {
    if (this.#topicsPerRequestMax === 0) return;
    // Everything that is asked for in one turn goes in one request.
    if (this.#unsent.size === 0) queueMicrotask(() => this.flush());
    this.#unsent.add(topic);
  }

  /** Asks for what is wanted since the last time. */
  flush(): void {
    const topics = [...this.#unsent];
    this.#unsent.clear();
    for (let from = 0; from < topics.length; from += this.#topicsPerRequestMax) {
      const asked = topics.slice(from, from + this.#topicsPerRequestMax);
      const requestId = this.#remember(asked);
      const wishes = asked.map(({ name, conflationIntervalMs, position }) => {
        const resume = position && messageBytes([1, position.epoch], [2, position.sequence]);
        return [2, messageBytes([1, name], [3, conflationIntervalMs], [5, resume])] as const;
      });
      this.#send(SUBSCRIBE, [1, requestId], ...wishes);
    }
  }
}

function positionIn(message: Fields, field: number): Position | undefined {
  const position = messageOf(message, field);
  return position && { epoch: numberOf(position, 1), sequence: numberOf(position, 2) };
}
