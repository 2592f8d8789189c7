import { CHANNELS, type Channel } from "#core/instrument.ts";
import type { CaptureContents } from "#ingest/capture/replay-options.ts";
import type { VenueConfig } from "#ingest/config.ts";
import type { FeedAdapter } from "#ingest/feed/feed-adapter.ts";
import { VENUES } from "#ingest/venues/registry.ts";
import { DEFAULT_ADDRESS } from "../process/gateway-address.ts";

/** What is streamed, for commands that can be tried on it. */
type Example = {
  readonly venue: string;
  /** `*` where no symbol is known to exist. */
  readonly symbol: string;
  /** Those of the symbol. */
  readonly channels: readonly Channel[];
};

/** The channels that show something soonest come first. */
const SHOWN_FIRST: readonly Channel[] = ["trades", "quotes", "book"];

/** Of a venue that is being connected: it has what its settings ask for. */
export function exampleOfVenue(config: VenueConfig | undefined): Example {
  const venue = config?.id ?? "simulated";
  const adapter: FeedAdapter = VENUES[venue];
  const wanted = config?.instruments[0] ?? (venue === "simulated" ? "BTC-USD" : undefined);
  const symbol = wanted === undefined ? "*" : symbolOf(wanted, adapter);
  return { venue, symbol, channels: config?.channels ?? adapter.channels };
}

/** Of captures: the first stream that has trades, else the first there is. */
export function exampleOfCaptures(captures: readonly CaptureContents[]): Example {
  const streams = captures.flatMap((capture) =>
    capture.streams.map(({ instrument, channels }) => ({ instrument, channels })),
  );
  const stream = streams.find(({ channels }) => channels.includes("trades")) ?? streams[0];
  if (stream === undefined) return { venue: captures[0]?.venue ?? "*", symbol: "*", channels: [] };
  const { venue, symbol } = stream.instrument;
  return { venue, symbol, channels: stream.channels };
}

/** Settings take the venue's own names as well, but topics have Tickwire's. */
function symbolOf(wanted: string, adapter: FeedAdapter): string {
  if (/^[A-Z0-9]+-[A-Z0-9]+(-[A-Z0-9-]+)?$/.test(wanted)) return wanted;
  return adapter.deriveInstrument(wanted)?.symbol ?? "*";
}

/** What to try next, one command a line, as it can be copied. Both addresses end in a slash. */
export function hints(
  where: { readonly url: string; readonly adminUrl: string },
  { venue, symbol, channels }: Example,
): string[] {
  const at = where.url.slice(0, -1);
  const url = at === DEFAULT_ADDRESS ? "" : ` --url ${at}`;
  const shown = [...SHOWN_FIRST, ...CHANNELS].filter((channel) => channels.includes(channel));
  const [first, second = first] = new Set(shown);
  const subscribe = (topic: string) => `  npx tickwire subscribe '${topic}'${url}`;
  const subscriptions =
    first === undefined || second === undefined
      ? []
      : [
          `${subscribe(`${venue}:${symbol}/${first}`)} --count 5`,
          `${subscribe(`${venue}:*/${second}`)} --json --count 5`,
        ];
  return [
    "",
    `open ${at} in a browser, or`,
    "try in another terminal:",
    ...subscriptions,
    `  npx tickwire call ${callOf({ venue, symbol, channels })}${url}`,
    `  curl -s ${at}/tickwire.v1.MarketData/ListInstruments -H 'content-type: application/json' -d '{}'`,
    `  curl -s ${where.adminUrl}metrics   # also /healthz and /readyz`,
    "",
    "Ctrl-C ends it",
  ];
}

function callOf({ venue, symbol, channels }: Example): string {
  if (symbol === "*") return `ListInstruments '{"venue":"${venue}"}'`;
  const of = `"venue":"${venue}","symbol":"${symbol}"`;
  return channels.includes("book") ? `GetSnapshot '{${of},"depth":5}'` : `GetInstrument '{${of}}'`;
}
