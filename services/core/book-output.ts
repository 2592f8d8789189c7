import type { BookEvent, TopicState } from "./market-event.ts";

/**
 * Why a snapshot is needed, a gap was found or the state changed; also any reason that the driver
 * gives.
 */
export type BookReason =
  | "start"
  | "synchronized"
  | "sequence-gap"
  /** A delta is missing among those that were buffered. */
  | "buffer-gap"
  /** The snapshot ends before the oldest buffered delta begins. */
  | "snapshot-too-old"
  | "checksum-mismatch"
  /** Bids at or above asks, where the venue gives nothing else that could show a loss. */
  | "crossed-book"
  /** A number that was there before. */
  | "sequence-repeated"
  /** The venue's numbers went back for good. */
  | "sequence-reset";

/** What a builder says about its book. */
export type BookOutput =
  /**
   * To be published. After the first snapshot event, each leaves a consumer's book equal to ours.
   */
  | { readonly kind: "event"; readonly event: BookEvent }
  /**
   * Fetch a snapshot by REST, or subscribe anew where it comes in band. Said once until one
   * arrives.
   */
  | { readonly kind: "need-snapshot"; readonly reason: string }
  /**
   * The book goes on, but a snapshot in the stream is wanted all the same: it will show whether
   * something was lost.
   */
  | { readonly kind: "doubt"; readonly reason: string }
  | { readonly kind: "state"; readonly state: TopicState; readonly reason: string }
  | { readonly kind: "checksum"; readonly ok: boolean }
  /** Something was lost; said once per episode, which ends when the book is live again. */
  | { readonly kind: "gap"; readonly reason: string };
