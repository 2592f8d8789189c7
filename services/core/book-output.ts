import type { BookEvent, TopicState } from "./market-event.ts";
import type { DeltaTick } from "./market-tick.ts";
import type { StatusReason } from "./status-reason.ts";

/** Why a snapshot is needed or a gap was found: a reason of the state, or one of these. */
export type BookReason =
  | StatusReason
  /** A delta is missing among those that were buffered. */
  | "buffer-gap"
  /** The snapshot ends before the oldest buffered delta begins. */
  | "snapshot-too-old";

/** What a builder says about its book. */
export type BookOutput =
  /**
   * To be published. After the first snapshot event, each leaves a consumer's book equal to ours.
   */
  | { readonly kind: "event"; readonly event: BookEvent }
  /** The same for a change that came as a tick. */
  | { readonly kind: "delta"; readonly delta: DeltaTick }
  /**
   * Fetch a snapshot by REST, or subscribe anew where it comes in band. Said once until one
   * arrives.
   */
  | { readonly kind: "need-snapshot"; readonly reason: BookReason }
  /**
   * The book goes on, but a snapshot in the stream is wanted all the same: it will show whether
   * something was lost.
   */
  | { readonly kind: "doubt"; readonly reason: BookReason }
  | { readonly kind: "state"; readonly state: TopicState; readonly reason: StatusReason }
  | { readonly kind: "checksum"; readonly ok: boolean }
  /** Something was lost; said once per episode, which ends when the book is live again. */
  | { readonly kind: "gap"; readonly reason: BookReason };

/** What a builder did not use. Counts since the start. */
export type BookBuilderCounts = {
  /** Deltas before an in-band snapshot, which contains them. */
  beforeSnapshot: number;
  /** Deltas that were contained already. */
  duplicates: number;
  /** Deltas that fell out of the full buffer. */
  overflowed: number;
  /** Snapshots older than the buffered deltas. */
  staleSnapshots: number;
  /** Snapshots that nobody had asked for. */
  ignoredSnapshots: number;
};
