import type { Topic } from "#core/topic.ts";
import type { TopicFeed } from "./topic-feed.ts";
import type { TopicPosition } from "./batch-order.ts";
import type { AttachOptions, Attached, TopicFailure, TopicSubscriber } from "./topic-subscriber.ts";

/** How much of a topic a view shows. The only view today is the topic as it was published. */
export type ViewOptions = {
  /** Levels of each side of a book; 0 shows all of them. */
  readonly depth: 0;
  /** Milliseconds between two batches; 0 sends every event. */
  readonly intervalMs: 0;
};

/** Every level and every event. */
export const RAW_VIEW: ViewOptions = { depth: 0, intervalMs: 0 };

/**
 * A topic as its subscribers want it, shared by all who want it the same way. Subscribers of the
 * raw view stand in the feed's own list, so that a batch reaches them without a step in between.
 */
export class TopicView {
  readonly options: ViewOptions;
  readonly #feed: TopicFeed;

  constructor(feed: TopicFeed, options: ViewOptions) {
    this.#feed = feed;
    this.options = options;
  }

  /** The number that stands for the topic in every batch; unique in this gateway, never 0. */
  get id(): number {
    return this.#feed.id;
  }

  get name(): Topic {
    return this.#feed.name;
  }

  /** The topic as clients write it. */
  get topic(): string {
    return this.#feed.topic;
  }

  /** Up to where the gateway has received the topic. */
  get position(): TopicPosition {
    return this.#feed.position;
  }

  /** The sequence of the position, for asking per batch. */
  get sequence(): number {
    return this.#feed.sequence;
  }

  /**
   * Calls back (at once if possible) when `attach` can give a start, or with the reason why it
   * cannot. What follows `from` is fetched before, if it is not here and somebody has it.
   */
  whenReady(callback: (failure: TopicFailure | undefined) => void, from?: TopicPosition): void {
    this.#feed.whenReady(callback, from);
  }

  /** Adds a subscriber. It receives what follows `batches`, which the caller sends first. */
  attach(subscriber: TopicSubscriber, options: AttachOptions): Attached {
    return this.#feed.attach(subscriber, options);
  }

  /** Nothing is delivered to the subscriber afterwards. Idempotent. */
  detach(subscriber: TopicSubscriber): void {
    this.#feed.detach(subscriber);
  }
}
