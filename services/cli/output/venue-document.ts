import { FEED_CHANNELS } from "#core/instrument.ts";
import type { FeedAdapter } from "#ingest/feed/feed-adapter.ts";
import { VENUES } from "#ingest/venues/registry.ts";
import { formatMarkdownTable } from "#config/markdown-table.ts";
import {
  capabilitiesOf,
  describeContent,
  describeOrder,
  describeSpoken,
  type ChannelSource,
  type VenueCapabilities,
} from "./venue-capabilities.ts";

const INTRODUCTION = `# Venues

What each venue has, read off the registry. **yes**: streamed by the venue. **REST**: asked for
again and again. **–**: the venue does not have it in public, or not in a form that may be passed on
(a best bid and offer out of a 24-hour ticker is no quote).

\`tickwire venues\` shows the same, and \`tickwire doctor VENUE\` tries one out.
`;

const PROOF = `
## What proves a book

_Loss_ is what shows that a message was lost, repeated or swapped; _content_ what shows that a
number in a message is wrong. Where either is "nothing", no client of the venue can know: Tickwire then
publishes what it was told. _Start_ says where a book's snapshot comes from: \`in-band\` with the
subscription, \`request\` by a request on the same connection, \`rest\` by a REST request. _Trades
filled_: what a reconnect missed is fetched by REST and proven by trade ids; elsewhere a status says
that there is a gap.
`;

/** The text of docs/venues.md. */
export function venuesDocument(): string {
  const venues = Object.values(VENUES).map((adapter: FeedAdapter) => capabilitiesOf(adapter));
  const channels = formatMarkdownTable([
    ["venue", "protocol", ...FEED_CHANNELS],
    ...venues.map((venue) => [
      `\`${venue.venue}\``,
      venue.title,
      ...FEED_CHANNELS.map((channel) => cellOf(venue.channels[channel] ?? "none")),
    ]),
  ]);
  const proofs = formatMarkdownTable([
    ["venue", "start", "loss", "content", "trades filled"],
    ...venues.map((venue) => [
      `\`${venue.venue}\``,
      `\`${venue.bookStart}\``,
      describeOrder(venue.bookProof),
      describeContent(venue.bookProof),
      venue.fillsTrades ? "yes" : "–",
    ]),
  ]);
  return `${INTRODUCTION}\n${channels}${PROOF}\n${proofs}\n## Notes\n${venues.map(notesOf).join("")}`;
}

function cellOf(source: ChannelSource): string {
  switch (source) {
    case "stream":
      return "yes";
    case "rest":
      return "REST";
    case "none":
      return "–";
  }
}

function notesOf(capabilities: VenueCapabilities): string {
  const { venue, title, notes, bookProof, documentation, spoken } = capabilities;
  const lines = [
    ...(spoken === undefined ? [] : [`- spoken: ${describeSpoken(spoken)}`]),
    ...Object.entries(notes).map(([channel, note]) => `- ${channel}: ${note}`),
    `- proof of the book: ${bookProof.note}`,
    ...documentation.map((url) => `- <${url}>`),
  ];
  return `\n### ${venue}: ${title}\n\n${lines.join("\n")}\n`;
}
