// The requests that both Gate venues have in common, and how their books begin and go on.
import type { Channel } from "#core/instrument.ts";
import type {
  BookSync,
  FeedAdapter,
  FeedSubscribeOptions,
  FeedSubscription,
} from "../../feed/feed-adapter.ts";
import { RANGED_CHANGES } from "../../reading/book-sequencings.ts";
import { streamOf } from "./fields.ts";

/** Levels of the streams that begin with the whole book. */
const STREAM_LEVELS = [50, 400] as const;
const STREAM_LEVELS_MAX = 400;

/**
 * Books that begin with the whole book in the stream. A change without levels only moves the
 * numbers on.
 */
export const GATE_STREAM_SYNC: BookSync = { snapshot: "in-band", sequencing: RANGED_CHANGES };

/** Books that begin with a REST answer. */
export const GATE_REST_SYNC: BookSync = { snapshot: "rest", sequencing: RANGED_CHANGES };

export const GATE_BOOK_PROOF: FeedAdapter["bookProof"] = {
  order: "sequence",
  content: "none",
  note: "Every change continues the number of the one before; a wrong number is not noticed.",
};

/** The least that the stream offers and that holds so many levels. */
function streamLevels(wanted: number): number {
  return STREAM_LEVELS.find((levels) => levels >= wanted) ?? STREAM_LEVELS_MAX;
}

/** What a channel is asked for by: its name, and the payload that names the instrument. */
export type GateStream = {
  readonly name: string;
  payload(venueSymbol: string, options: FeedSubscribeOptions): readonly string[];
};

/** The payload of most channels. */
export const justTheSymbol: GateStream["payload"] = (venueSymbol) => [venueSymbol];

/** The payload of the streams that begin with the whole book. */
export const bookStream: GateStream["payload"] = (venueSymbol, { bookDepth }) => [
  streamOf(venueSymbol, streamLevels(bookDepth)),
];

/**
 * A request for each instrument and channel, so that a bad one costs the others nothing. The venue
 * wants a time in each, and looks at it only where a request is signed; ours carry their number.
 */
export function gateFrames(
  event: "subscribe" | "unsubscribe",
  subscriptions: readonly FeedSubscription[],
  options: FeedSubscribeOptions,
  streamFor: (channel: Channel) => GateStream | undefined,
): readonly string[] {
  const requests = new Map<string, { readonly channel: string; readonly payload: unknown }>();
  for (const { instrument, channel } of subscriptions) {
    const stream = streamFor(channel);
    if (stream === undefined) continue;
    const payload = stream.payload(instrument.venueSymbol, options);
    requests.set(`${stream.name} ${payload.join(" ")}`, { channel: stream.name, payload });
  }
  return [...requests.values()].map(({ channel, payload }, index) => {
    const id = options.requestId + index;
    return JSON.stringify({ time: id, id, channel, event, payload });
  });
}
