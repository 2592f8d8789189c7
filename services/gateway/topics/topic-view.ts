import type { Topic } from "#core/topic.ts";
import type { TopicPosition } from "./batch-order.ts";
import type { SharedBatch } from "./shared-batch.ts";
import type { AttachOptions, Attached, TopicFailure, TopicSubscriber } from "./topic-subscriber.ts";
import type { ViewOptions } from "./view-options.ts";

/** A topic as its subscribers want it, shared by all who want it the same way. */
export type TopicView = {
  readonly options: ViewOptions;
  /**
   * The number that stands for the topic in every batch, the same in all of its views; unique in
   * this gateway, never 0.
   */
  readonly id: number;
  readonly name: Topic;
  /** The topic as clients write it. */
  readonly topic: string;
  /** Up to where the view has sent the topic to its subscribers. */
  readonly position: TopicPosition;
  /** The sequence of the position, for asking per batch. */
  readonly sequence: number;
  /** Bytes of news that each of its subscribers got since it was made. */
  readonly sentBytes: number;
  /**
   * Calls back (at once if possible) when `attach` can give a start, or with the reason why it
   * cannot. What follows `from` is fetched before, if it is not here and somebody has it.
   */
  whenReady(callback: (failure: TopicFailure | undefined) => void, from?: TopicPosition): void;
  /** Adds a subscriber. It receives what follows `batches`, which the caller sends first. */
  attach(subscriber: TopicSubscriber, options: AttachOptions): Attached;
  /** Nothing is delivered to the subscriber afterwards. Idempotent. */
  detach(subscriber: TopicSubscriber): void;
  /** The subscriber is called with the next batch, and hears how far it came. Idempotent. */
  unlist(subscriber: TopicSubscriber): void;
  /**
   * One batch that brings a subscriber from `from` to `to`, where the view is, as one event that
   * stands for all between; undefined if there is none. For topics whose latest event does.
   */
  catchUp(from: number, to: number): SharedBatch | undefined;
  /** Sends at once what the view holds back, so that its subscribers stand where the topic does. */
  settle(): void;
};
