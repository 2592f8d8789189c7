import type { GatewayLatency } from "#gateway/metrics.ts";
import { SharedBatch, SharedTopic } from "#gateway/topics/shared-batch.ts";

type BatchOptions = {
  /** Length of the form that goes on from the batch before, all of `fill`. */
  readonly bytes?: number;
  readonly fill?: number;
  readonly topicId?: number;
  readonly events?: number;
  readonly isState?: boolean;
  readonly receivedAtUs?: number;
  readonly latency?: GatewayLatency;
};

/** A batch whose bytes say nothing, for whoever hands batches on without reading them. */
export function sharedBatch(first: number, last = first, options: BatchOptions = {}): SharedBatch {
  const { bytes = 10, fill = 0, topicId = 1, isState = false, latency } = options;
  const { events = last - first + 1, receivedAtUs = 0 } = options;
  const topic = new SharedTopic(topicId, { venue: "fake", channel: "book" }, latency);
  const sequences = { skipped: 0, firstSequence: first, lastSequence: last };
  const extent = { events, ...sequences, isState, endsChain: isState, receivedAtUs };
  const place = topic.placeFor(bytes, 0);
  place.chunk.bytes.fill(fill, place.start, place.start + bytes);
  return new SharedBatch(topic, extent, place);
}

/** The place in its topic of a batch of the events from `first` to `last`. */
export function orderOf(first: number, last = first, epoch = 1, baseSequence = first - 1) {
  return { epoch, baseSequence, skipped: first - 1 - baseSequence, count: last - first + 1 };
}
