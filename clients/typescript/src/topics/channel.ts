import type { DecodedBatch, Payloads } from "@tickwire/proto/codec";
import type { Consumer } from "./consumer.ts";
import type { TopicEvent, TopicStage } from "./topic-machine.ts";
import type { Channel, TopicInfo } from "./topic.ts";

/** What the content of a topic knows of its topic, and may ask of it. */
export type TopicHost = {
  readonly info: TopicInfo;
  readonly stage: TopicStage;
  /** Who is told now. */
  readonly consumers: readonly Consumer[];
  step(event: TopicEvent): void;
  /** Something cannot be shown: the topic is asked for again. */
  loseContinuity(event: "change", reason: string): void;
};

/** What becomes of the batches of one topic, and what of them is kept for who joins later. */
export type TopicContent = {
  /** Whether events stand for themselves: no whole state has to come before them. */
  readonly isWhole: boolean;
  /** Takes over the events of a batch from index `from` on, and hands them on. */
  deliver(batch: DecodedBatch, from: number): void;
  /** Gives a consumer that joins a running topic the state that the others already have. */
  catchUp(consumer: Consumer): void;
  /** The topic starts anew: what was kept is of before. */
  forget(): void;
  /** Of a book: what its levels come to. */
  checksum?(): number;
  /** The worth of the topic changed. */
  show(stage: TopicStage): void;
};

/**
 * One channel as a client reads it. Each is a value of its own, so that a client that has some
 * channels only does not load the code of the others.
 */
export type ChannelPart = {
  readonly name: Channel;
  /** The one of this channel, at its number: a topic has no batches of another channel. */
  readonly payloads: Payloads;
  /** The content of a new topic. */
  open(host: TopicHost): TopicContent;
};
