import type { ListSeat } from "./fan-out.ts";
import type { SharedBatch } from "./shared-batch.ts";
import type { TopicPosition } from "./batch-order.ts";

/**
 * Who receives one topic. Each method is called synchronously and must not throw. An object
 * subscribes to one topic at a time, so it is not told which topic it hears of.
 */
export type TopicSubscriber = {
  /** True if the batches that follow may be put into its list instead, until `unlisted`. */
  deliver(batch: SharedBatch): boolean | void;
  /** Its list; absent for one that is called with every batch. */
  readonly seat?: ListSeat | undefined;
  /** It is called with the next batch again. It has had everything up to this sequence. */
  unlisted?(sequence: number): void;
  /** These events of the topic are missing and will not come. */
  gap(missingFirst: number, missingLast: number): void;
  /** The topic goes on in another epoch. */
  epochChanged(change: EpochChange): void;
  /** Where it stands in the list that it was added to last. Owned by Subscribers. */
  place?: number;
  /**
   * A row of a table that stands for it, and makes another object like this whenever it is asked.
   * Absent for one that is always the same object.
   */
  readonly row?: number;
  readonly table?: SubscriberTable;
  /** What the book that it has comes to, for one who asked: elements of ServerFrame.messages. */
  checksum?(message: Uint8Array): void;
};

/** Where subscribers are rows. */
export type SubscriberTable = {
  /** The subscriber of a row that is in use. */
  at(row: number): TopicSubscriber;
};

/** A topic passes from one epoch to another. */
export type EpochChange = {
  /** The last event of the old one that anybody heard of: what was not delivered is missing. */
  readonly ended: TopicPosition;
  /** What follows comes after this position. */
  readonly start: TopicPosition;
  /** Nothing lies between the two, which have the same sequence: the state stays what it was. */
  readonly continues: boolean;
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
  /** Of a book: the subscriber is told now and then what its levels come to. */
  readonly checksum?: boolean;
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
   * What follows `batches` in the epoch that came after that of `position`; undefined if all is of
   * one epoch.
   */
  readonly next?: NextEpoch | undefined;
};
