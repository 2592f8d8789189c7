import { LatencyBoard } from "#core/latency-histogram.ts";
import type { LatencyRow } from "#core/latency-histogram.ts";

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
