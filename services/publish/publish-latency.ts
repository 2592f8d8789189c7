import type { PendingColumns } from "@tickwire/proto/codec";
import { LatencyBoard } from "#core/latency-histogram.ts";
import type { LatencyRow } from "#core/latency-histogram.ts";
import type { MarketEvent } from "#core/market-event.ts";

const PARTS = ["venueToReceived", "receivedToPublished"] as const;
type Part = (typeof PARTS)[number];

/** How long the events of one channel took to come here, and to leave. */
export type PublishLatency = LatencyRow<Part>;

/** What a publisher counts of each channel: from the venue to us, and from there to the bus. */
export type PublishLatencies = LatencyBoard<Part>;

/** With nothing counted. */
export function createPublishLatencies(): PublishLatencies {
  return new LatencyBoard(PARTS);
}

/**
 * Counts a batch of events. The first has waited longest for its batch; the last one tells how old
 * the venue's news is. Old trades sent on subscribe are no news.
 */
export function observeEvents(
  latency: PublishLatency | undefined,
  events: readonly MarketEvent[],
  publishedTimeUs: number,
): void {
  const first = events[0];
  const last = events.at(-1);
  if (latency === undefined || first === undefined || last === undefined) return;
  latency.receivedToPublished.observe(publishedTimeUs - first.receivedTimeUs);
  if (last.venueTimeUs === undefined || (last.kind === "trade" && last.historical)) return;
  latency.venueToReceived.observe(last.receivedTimeUs - last.venueTimeUs);
}

/** The same of ticks, which are never old. */
export function observeTicks(
  latency: PublishLatency | undefined,
  { receivedTimesUs, venueTimesUs, count }: PendingColumns,
  publishedTimeUs: number,
): void {
  if (latency === undefined) return;
  latency.receivedToPublished.observe(publishedTimeUs - receivedTimesUs[0]!);
  const venueTimeUs = venueTimesUs[count - 1]!;
  if (Number.isNaN(venueTimeUs)) return;
  latency.venueToReceived.observe(receivedTimesUs[count - 1]! - venueTimeUs);
}
