import type { Position } from "./position-tracker.ts";

/** One topic of a subscribe request, as it goes over the wire. */
export type WireTopicRequest = {
  readonly topic: string;
  readonly depth: number;
  readonly conflationIntervalMs: number;
  readonly snapshot: "SNAPSHOT_MODE_UNSPECIFIED" | "SNAPSHOT_MODE_NONE" | "SNAPSHOT_MODE_WHOLE";
  readonly resume: Position | undefined;
  readonly checksum: boolean;
};

/** What the gateway takes in one request and altogether; 0 means that it does not say. */
export type SubscribeLimits = {
  readonly subscriptionsMax: number;
  readonly frameBytesMax: number;
  readonly topicsPerRequestMax: number;
};

// Tags, lengths, two 64-bit varints and three small numbers; the text comes on top.
const REQUEST_BYTES = 48;
const UTF8_BYTES_MAX = 3;
const FRAME_SHARE = 0.9;

/** Cuts a list of topics into requests that the gateway accepts: [from, to) each, in order. */
export function chunkRequests(
  requests: readonly { readonly topic: string }[],
  limits: SubscribeLimits,
): { from: number; to: number }[] {
  const topicsMax = limits.topicsPerRequestMax || Number.POSITIVE_INFINITY;
  const bytesMax = (limits.frameBytesMax || Number.POSITIVE_INFINITY) * FRAME_SHARE;
  const chunks: { from: number; to: number }[] = [];
  let from = 0;
  let bytes = 0;
  requests.forEach(({ topic }, index) => {
    const own = REQUEST_BYTES + topic.length * UTF8_BYTES_MAX;
    if (index > from && (index - from >= topicsMax || bytes + own > bytesMax)) {
      chunks.push({ from, to: index });
      from = index;
      bytes = 0;
    }
    bytes += own;
  });
  if (requests.length > from) chunks.push({ from, to: requests.length });
  return chunks;
}
