import { FEED_CHANNELS } from "#core/instrument.ts";
import type { TextStyle } from "../output/colours.ts";
import type { Cell } from "../output/table.ts";
import { printLines, printTable } from "../output/terminal.ts";
import { Command } from "commander";
import type { FeedAdapter } from "#ingest/feed/feed-adapter.ts";
import { VENUES } from "#ingest/venues/registry.ts";
import type { VenueId } from "#ingest/venues/venue-ids.ts";
import {
  capabilitiesOf,
  describeContent,
  describeOrder,
  type ChannelSource,
  type VenueCapabilities,
} from "../output/venue-capabilities.ts";
import { venuesDocument } from "../output/venue-document.ts";
import { parseVenueId } from "../process/venue-id.ts";

type VenuesOptions = { readonly json?: boolean; readonly markdown?: boolean };

/** `tickwire venues [VENUE]`: what can be streamed, and from where. */
export function createVenuesCommand(): Command {
  return new Command("venues")
    .description(
      "Lists every venue with its channels and what proves its books; with a VENUE, all that is known of it.",
    )
    .argument("[venue]", "id of one venue", parseVenueId)
    .option("--json", "one JSON object a line")
    .option("--markdown", "the whole of docs/venues.md")
    .addHelpText(
      "after",
      `
A channel is streamed by the venue (yes), asked for by REST (rest), or not there (-).

Examples:
  tickwire venues
  tickwire venues kraken
  tickwire venues --json | jq -r 'select(.channels.liquidations == "stream").venue'`,
    )
    .action((venue: string | undefined, options: VenuesOptions) => {
      if (venue !== undefined || options.json === true || options.markdown === true) {
        printLines(venuesText(venue, options));
      } else {
        printTable(VENUES_HEADER, venueRows());
      }
    });
}

/** The columns of `venueRows`. */
export const VENUES_HEADER = [
  "VENUE",
  ...FEED_CHANNELS.map((channel) => channel.toUpperCase()),
  "BOOK PROVEN BY",
];

/** A row for each venue: which channels it has, and what proves its books. */
export function venueRows(): Cell[][] {
  return Object.values(VENUES).map((adapter: FeedAdapter) => {
    const venue = capabilitiesOf(adapter);
    const channels = FEED_CHANNELS.map((channel) => venue.channels[channel] ?? "none");
    return [
      { text: venue.venue, style: "name" },
      ...channels.map((source) => ({ text: MARKS[source], style: STYLES[source] })),
      proofOf(venue),
    ];
  });
}

/** What is printed of one venue, or of all as JSON or Markdown. */
export function venuesText(venue: string | undefined, options: VenuesOptions): string {
  const { json = false, markdown = false } = options;
  if (markdown) return venuesDocument();
  const adapters: readonly FeedAdapter[] =
    venue === undefined ? Object.values(VENUES) : [VENUES[venue as VenueId]];
  const all = adapters.map(capabilitiesOf);
  if (json) return all.map((each) => `${JSON.stringify(each)}\n`).join("");
  return all.map(describe).join("");
}

const MARKS: Readonly<Record<ChannelSource, string>> = { stream: "yes", rest: "rest", none: "-" };
const STYLES: Readonly<Record<ChannelSource, TextStyle>> = {
  stream: "good",
  rest: "warn",
  none: "dim",
};

function proofOf({ bookProof }: VenueCapabilities): string {
  const order = describeOrder(bookProof);
  const content = describeContent(bookProof);
  if (content === "nothing") return order;
  return bookProof.order === "checksum" ? content : `${order}, ${content}`;
}

function describe(venue: VenueCapabilities): string {
  const lines: (readonly [string, string])[] = [
    ["venue", venue.venue],
    ["protocol", venue.title],
    ...FEED_CHANNELS.map((channel) => {
      const mark = MARKS[venue.channels[channel] ?? "none"];
      const note = venue.notes[channel];
      return [channel, note === undefined ? mark : `${mark}: ${note}`] as const;
    }),
    ["book starts", venue.bookStart],
    ["loss shown by", describeOrder(venue.bookProof)],
    ["content by", describeContent(venue.bookProof)],
    ["", venue.bookProof.note],
    ["trades filled", venue.fillsTrades ? "yes, by REST after a reconnect" : "no"],
    ...venue.documentation.map((url) => ["documentation", url] as const),
  ];
  return lines.map(([name, text]) => `${name.padEnd(16)}${text}\n`).join("");
}
