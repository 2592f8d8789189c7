/** A place in a topic's sequence of events. */
export type TopicPosition = { readonly epoch: number; readonly sequence: number };

/** The head of a batch, as far as order matters. */
export type BatchOrder = {
  readonly epoch: number;
  readonly firstSequence: number;
  readonly count: number;
  /** The last sequence of the batch before; 0 means firstSequence - 1. */
  readonly previousSequence: number;
};

/**
 * What a batch is to somebody who has everything up to a position.
 * - `next`: it continues, or brings at least one event that is new and leaves none out.
 * - `duplicate`: it brings nothing new.
 * - `gap`: events between are missing.
 * - `epoch`: its publisher started anew.
 */
type BatchRelation = "next" | "duplicate" | "gap" | "epoch";

/** What the batch is to somebody who has everything up to `position`. */
export function relationOf(position: TopicPosition, order: BatchOrder): BatchRelation {
  // Epochs rise with the publisher's clock, so a lower one belongs to a publisher that was
  // replaced.
  if (order.epoch < position.epoch) return "duplicate";
  if (order.epoch > position.epoch) return "epoch";
  if (lastSequenceOf(order) <= position.sequence) return "duplicate";
  return continuesFrom(order) > position.sequence ? "gap" : "next";
}

/** The sequence of the batch's last event. */
export function lastSequenceOf(order: Pick<BatchOrder, "firstSequence" | "count">): number {
  return order.firstSequence + (order.count - 1);
}

/** The sequence that a reader must have for the batch to leave nothing out. */
export function continuesFrom(order: BatchOrder): number {
  return order.previousSequence === 0 ? order.firstSequence - 1 : order.previousSequence;
}

/**
 * Whether the numbers of a batch can be true: what comes from the bus is checked once, so that
 * everything behind may rely on it.
 */
export function isPlausible(order: BatchOrder): boolean {
  return (
    order.count >= 1 &&
    order.firstSequence >= 1 &&
    order.previousSequence < order.firstSequence &&
    Number.isSafeInteger(lastSequenceOf(order))
  );
}
