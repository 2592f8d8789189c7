import type { CancelTimer, Clock } from "#core/clock.ts";
import type { TurnLine, Work } from "../turns/turns.ts";
import type { TopicFailure } from "../topics/topic-subscriber.ts";
import type { TopicRefusal } from "./topic-results.ts";
import type { TopicSubscription } from "./topic-subscription.ts";

/** What is ready waits this long for what is not, so that most requests have one result. */
const PART_WAIT_MS = 100;

/** A topic whose view is to be held for a request. */
type WantInit = Pick<HeldTopic, "requestIndex" | "topic" | "subscription" | "order">;

/**
 * A topic whose view is held, and what became of it. Where many clients come at once there are
 * very many of these, which live longer than it takes the collector to call them old: so one is
 * one object.
 */
export class HeldTopic {
  readonly kind = "held";
  readonly requestIndex: number;
  readonly topic: string;
  readonly subscription: TopicSubscription;
  /** Of the request that wants it: requests are numbered as they come. */
  readonly order: number;
  /** Set when the view turned out not to be had, or was given up meanwhile. */
  refusal: TopicRefusal | undefined = undefined;
  /** Nothing is waited for any more. */
  isSettled = false;
  /** The answer that waits for it, and its place there. */
  #answer: SubscribeAnswer | undefined;
  #index = 0;

  constructor({ requestIndex, topic, subscription, order }: WantInit) {
    this.requestIndex = requestIndex;
    this.topic = topic;
    this.subscription = subscription;
    this.order = order;
  }

  /** The answer waits for it from now on. */
  waitIn(answer: SubscribeAnswer, index: number): void {
    this.#answer = answer;
    this.#index = index;
  }

  /** It is ready, or not to be had. */
  settle(refusal: TopicRefusal | undefined): void {
    if (this.isSettled) return;
    this.refusal ??= refusal;
    this.isSettled = true;
    this.#answer?.settle(this.#index);
  }

  /** Ends the wait, even before the answer has begun to wait for it. */
  giveUp(refusal: TopicRefusal): void {
    if (this.#answer === undefined || this.isSettled) this.refusal ??= refusal;
    else this.settle(refusal);
  }
}

/** One topic that a request wants: refused already, or held and getting ready. */
export type WantedTopic =
  | HeldTopic
  | {
      readonly kind: "refused";
      readonly requestIndex: number;
      readonly topic: string;
      readonly refusal: TopicRefusal;
    };

type SubscribeAnswerParts = {
  readonly clock: Clock;
  readonly wanted: readonly WantedTopic[];
  /** Says what became of some of the topics, in the order of the request. */
  readonly say: (settled: readonly WantedTopic[]) => void;
};

/**
 * The answer to one subscribe request. It is one result if every view is ready soon; otherwise what
 * is ready is said, and the rest when it is known, so that a venue that does not answer holds
 * nobody else up: neither the topics of other venues nor the requests behind this one.
 */
export class SubscribeAnswer {
  readonly #parts: SubscribeAnswerParts;
  /** Indices into `wanted` that are settled and not said. */
  #settled: number[] = [];
  #waiting = 0;
  #hasTurn = false;
  #cancelTimer: CancelTimer | undefined;
  #onSayable: () => void = () => undefined;

  constructor(parts: SubscribeAnswerParts) {
    this.#parts = parts;
  }

  /** Waits for the views. `onSayable` is called once, when a first result may be given. */
  *begin(onSayable: () => void, line: TurnLine): Work {
    this.#onSayable = onSayable;
    this.#waiting = 1;
    for (const [index, want] of this.#parts.wanted.entries()) {
      if (want.kind === "refused") {
        this.#settled.push(index);
        continue;
      }
      if (line.isOver) yield;
      this.#waiting += 1;
      want.waitIn(this, index);
      // Given up before it was waited for.
      if (want.refusal !== undefined) want.settle(want.refusal);
      else want.subscription.whenReady((failure) => want.settle(failure && refusalOf(failure)));
    }
    this.#waiting -= 1;
    this.#proceed();
  }

  /** Every answer before this one was given: says what is settled, and from now on the rest. */
  turnCame(): void {
    this.#hasTurn = true;
    this.#sayNow();
  }

  /** Nothing is said any more: the session is over. */
  close(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#settled = [];
  }

  /** What stands at this place is waited for no more. Each calls it once. */
  settle(index: number): void {
    this.#settled.push(index);
    this.#waiting -= 1;
    this.#proceed();
  }

  #proceed(): void {
    if (this.#waiting === 0) this.#sayable();
    else this.#cancelTimer ??= this.#parts.clock.after(PART_WAIT_MS, () => this.#sayable());
  }

  #sayable(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    if (this.#hasTurn) this.#sayNow();
    else this.#onSayable();
  }

  #sayNow(): void {
    const settled = this.#settled.sort((one, other) => one - other);
    this.#settled = [];
    const { wanted, say } = this.#parts;
    if (settled.length > 0 || wanted.length === 0)
      say(settled.flatMap((index) => wanted[index] ?? []));
  }
}

function refusalOf({ kind, message }: TopicFailure): TopicRefusal {
  // The catalog has it and its ingestor has not: one is about to follow the other.
  const error = kind === "unknown" ? "TOPIC_ERROR_NOT_READY" : "TOPIC_ERROR_UNAVAILABLE";
  return { error, message };
}
