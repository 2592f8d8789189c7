/** A place in a topic's sequence of events. */
export type TopicPosition = { readonly epoch: number; readonly sequence: number };

/** The head of a batch, as far as order matters. */
export type BatchOrder = {
  readonly epoch: number;
  /** The sequence that a reader must have for the batch to leave nothing out. */
  readonly baseSequence: number;
  /** Events that were conflated away before the first. */
  readonly skipped: number;
  readonly count: number;
};

/** Apart from the batch, whose bytes are not ours to keep. */
export function orderOf({ epoch, baseSequence, skipped, count }: BatchOrder): BatchOrder {
  return { epoch, baseSequence, skipped, count };
}

/**
 * What a batch is to somebody who has everything up to a position.
 * - `next`: it continues, or brings at least one event that is new and leaves none out.
 * - `duplicate`: it brings nothing new.
 * - `gap`: events between are missing.
 * - `epoch`: it is of another run of a publisher, or of another publisher. Epochs are identities:
 *   which of two counts is nothing that they could say themselves.
 */
type BatchRelation = "next" | "duplicate" | "gap" | "epoch";

/** What the batch is to somebody who has everything up to `position`. */
export function relationOf(position: TopicPosition, order: BatchOrder): BatchRelation {
  if (order.epoch !== position.epoch) return "epoch";
  if (lastSequenceOf(order) <= position.sequence) return "duplicate";
  return order.baseSequence > position.sequence ? "gap" : "next";
}

/** The sequence of the batch's last event. */
export function lastSequenceOf(order: Omit<BatchOrder, "epoch">): number {
  return order.baseSequence + order.skipped + order.count;
}
