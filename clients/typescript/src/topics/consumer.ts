import type { LiveBook } from "../events/book.ts";
import { TopicRefusedError, type TickwireError, type TopicRefusal } from "../errors.ts";
import type { MarketEvent } from "../events/market-event.ts";
import type { NoticeEvent } from "../events/stream-events.ts";
import { isPattern, type TopicInfo } from "./topic.ts";

/** A topic that exists, and has not what a consumer wants of it. */
type TopicMisfit = Pick<TopicRefusal, "code" | "message" | "alternatives">;

/** What a consumer does with what it is given. None of these may throw. */
export type ConsumerHandlers = {
  readonly event?: ((event: MarketEvent) => void) | undefined;
  readonly book?: ((book: LiveBook) => void) | undefined;
  readonly notice?: ((notice: NoticeEvent) => void) | undefined;
  /** Why a topic that the gateway serves is not what is wanted; undefined if it is. */
  readonly misfit?: ((info: TopicInfo) => TopicMisfit | undefined) | undefined;
  /** Called for each refused topic. */
  readonly refused?: ((refusal: TopicRefusal) => void) | undefined;
  /** Called once; undefined is a clean end. */
  readonly end: (error: TickwireError | undefined) => void;
};

/** Refusals that are kept: a pattern may be refused topics again and again while it grows. */
const REFUSALS_MAX = 1_000;

/** One iterator or callback with its topics. It lives as long as one of them is not refused. */
export class Consumer {
  /** What is done with what it is given now. */
  handlers: ConsumerHandlers;
  readonly #openTopics: Set<string>;
  readonly #refusals: TopicRefusal[] = [];
  #detach: () => void = () => undefined;
  #closed = false;

  constructor(topics: readonly string[], handlers: ConsumerHandlers) {
    this.#openTopics = new Set(topics);
    this.handlers = handlers;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** It is told nothing but its end until the result is called. */
  mute(): () => void {
    const { handlers } = this;
    this.handlers = { end: handlers.end };
    return () => {
      this.handlers = handlers;
    };
  }

  /** `detach` is called once when the consumer is over. */
  onClose(detach: () => void): void {
    if (this.#closed) detach();
    else this.#detach = detach;
  }

  /** The topics that were refused so far, at most the first REFUSALS_MAX. */
  get refusals(): readonly TopicRefusal[] {
    return this.#refusals;
  }

  /** One of its topics, or one that matches its pattern, was refused or ended. */
  refuse(requested: string, refusal: TopicRefusal): void {
    if (this.#closed) return;
    if (this.#refusals.length < REFUSALS_MAX) this.#refusals.push(refusal);
    this.handlers.refused?.(refusal);
    if (requested === refusal.topic) this.#openTopics.delete(requested);
    if (this.#openTopics.size === 0) this.close(new TopicRefusedError(this.#refusals));
    else this.handlers.notice?.({ type: "refused", ...refusal });
  }

  /** Refuses a topic, which it gets by that name or pattern, if it has not what is wanted of it. */
  check(requested: string, info: TopicInfo): void {
    const misfit = this.handlers.misfit?.(info);
    if (misfit === undefined) return;
    const topic = isPattern(requested) ? info.topic : requested;
    this.refuse(requested, { topic, ...misfit });
  }

  /** Ends it. Idempotent. */
  close(error: TickwireError | undefined): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#detach();
    this.handlers.end(error);
  }
}
