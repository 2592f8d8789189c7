import { FEED_CHANNELS } from "#core/instrument.ts";
import type { Channel } from "#core/instrument.ts";
import type { BookProof, FeedAdapter, ProtocolDates } from "#ingest/feed/feed-adapter.ts";

/** How a venue has a channel. */
export type ChannelSource = "stream" | "rest" | "none";

/** What one venue can do, as data. */
export type VenueCapabilities = {
  readonly venue: string;
  readonly title: string;
  readonly channels: Readonly<Record<string, ChannelSource>>;
  /** What a user should know of a channel, by channel. */
  readonly notes: FeedAdapter["notes"];
  readonly bookStart: FeedAdapter["bookSync"]["snapshot"];
  readonly bookProof: BookProof;
  /** What a reconnect missed is asked for by REST. */
  readonly fillsTrades: boolean;
  readonly documentation: readonly string[];
  /** When the venue spoke this protocol; undefined for the one that it speaks today. */
  readonly spoken: FeedAdapter["spoken"];
};

/** What a venue can do, read off its adapter. */
export function capabilitiesOf(adapter: FeedAdapter): VenueCapabilities {
  const polled = new Set(adapter.polls?.map((poll) => poll.channel));
  const sourceOf = (channel: Channel): ChannelSource => {
    if (!adapter.channels.includes(channel)) return "none";
    return polled.has(channel) ? "rest" : "stream";
  };
  return {
    venue: adapter.venue,
    title: adapter.title,
    channels: Object.fromEntries(FEED_CHANNELS.map((channel) => [channel, sourceOf(channel)])),
    notes: adapter.notes,
    bookStart: adapter.bookSync.snapshot,
    bookProof: adapter.bookProof,
    fillsTrades: adapter.tradesRequest !== undefined,
    documentation: adapter.documentation,
    spoken: adapter.spoken,
  };
}

/** When a venue spoke a protocol: the dates that it names, and what it says of them. */
export function describeSpoken({ from, until, note }: ProtocolDates): string {
  const dates = [
    ...(from === undefined ? [] : [`from ${from}`]),
    ...(until === undefined ? [] : [`until ${until}`]),
  ].join(" ");
  return dates === "" ? note : `${dates}. ${note}`;
}

/** What shows that a book message is missing, in a word or two. */
export function describeOrder({ order }: BookProof): string {
  switch (order) {
    case "sequence":
      return "sequence";
    case "connection-sequence":
      return "sequence of the connection";
    case "checksum":
      return "checksum";
    case "snapshots":
      return "whole book each time";
    case "none":
      return "nothing";
  }
}

/** What shows that a number in a book is wrong, in a word or two. */
export function describeContent({ content, checksumLevels }: BookProof): string {
  if (content === "none") return "nothing";
  return checksumLevels === undefined ? "checksum" : `checksum of the best ${checksumLevels}`;
}
