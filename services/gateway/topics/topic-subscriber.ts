import type { SharedBatch } from "./shared-batch.ts";
import type { TopicPosition } from "./batch-order.ts";

/**
 * Who receives one topic. Each method is called synchronously and must not throw. An object
 * subscribes to one topic at a time, so it is not told which topic it hears of.
 */
export type TopicSubscriber = {
  deliver(batch: SharedBatch): void;
  /** These events of the topic are missing and will not come. */
  gap(missingFirst: number, missingLast: number): void;
};

/** Why a topic cannot be had now. `message` reaches clients. */
export type TopicFailure = {
  readonly kind: "unknown" | "unavailable";
  readonly message: string;
};

/** How a subscriber starts. */
export type AttachOptions = {
  /** False: news only, where the channel allows it. */
  readonly snapshot: boolean;
  /** What the client received last, if it was subscribed before. */
  readonly resume: TopicPosition | undefined;
};

/** The start of a subscription: what to send first and how it relates to what the client had. */
export type Attached = {
  readonly continuity: "new" | "resumed" | "replaced";
  readonly position: TopicPosition;
  readonly batches: readonly SharedBatch[];
  /** What a resuming client missed and will not get. */
  readonly missing: { readonly first: number; readonly last: number } | undefined;
};
