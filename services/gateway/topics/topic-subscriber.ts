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
  /** The topic goes on in another epoch. */
  epochChanged(change: EpochChange): void;
};

/** A topic passes from one epoch to another. */
export type EpochChange = {
  /** The last event of the old one that anybody heard of: what was not delivered is missing. */
  readonly ended: TopicPosition;
  /** What follows comes after this position. */
  readonly start: TopicPosition;
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
  /**
   * The client has the position of a book, and other levels than the view shows: it needs the whole
   * state even where its position can be resumed.
   */
  readonly whole?: boolean;
};

/** A topic went on in another epoch while the client was away. */
export type NextEpoch = {
  readonly change: EpochChange;
  /** What to send behind the change. */
  readonly batches: readonly SharedBatch[];
  /** Events after `change.start` that the client does not get. */
  readonly missing: { readonly first: number; readonly last: number } | undefined;
};

/** The start of a subscription: what to send first and how it relates to what the client had. */
export type Attached = {
  readonly continuity: "new" | "resumed" | "replaced";
  readonly position: TopicPosition;
  readonly batches: readonly SharedBatch[];
  /** What a resuming client missed and will not get. */
  readonly missing: { readonly first: number; readonly last: number } | undefined;
  /**
   * Where the epoch that the client comes from ended; undefined if it is this one, or nobody here
   * knows.
   */
  readonly ended: TopicPosition | undefined;
  /**
   * With `resumed`: `batches` end the epoch that the client comes from, and the topic goes on in
   * another one behind them.
   */
  readonly next?: NextEpoch | undefined;
};
