import { setImmediate as turn } from "node:timers/promises";
import { Registry } from "prom-client";
import { afterEach, expect, test } from "vitest";
import type { Check } from "#cli/commands/doctor-checks.ts";
import { examineVenue } from "#cli/commands/doctor-examine.ts";
import { ingestConfig } from "#ingest/config.ts";
import type { FeedAdapter } from "#ingest/feed/feed-adapter.ts";
import type { RunningIngest } from "#ingest/main.ts";
import { VENUES } from "#ingest/venues/registry.ts";
import { SCRIPTED_VENUE_IDS, type ScriptedVenueId } from "#test/support/dialects/registry.ts";
import { ExchangeStand } from "#test/support/scripted-exchange-stand.ts";
import { refusalsOf } from "./venue-faults-list.ts";

// What `tickwire doctor` says of each fault that is planted at a scripted venue.

const quiet = { debug() {}, info() {}, warn() {}, error() {} };
/** Longer than an examination may take. */
const SECONDS_MAX = 90;

const STEPS_PER_SECOND = 20;

const started: RunningIngest[] = [];

afterEach(async () => {
  for (const ingest of started.splice(0)) await ingest.close();
});

/** Examines a scripted venue to which something was done, while its market moves. */
async function examine(
  venue: ScriptedVenueId,
  plant: (parts: { readonly stand: ExchangeStand; readonly target: string }) => void,
): Promise<readonly Check[]> {
  const stand = new ExchangeStand({ venue });
  const { exchange, clock, bus } = stand;
  const [target = ""] = exchange.symbols;
  plant({ stand, target });
  const adapter: FeedAdapter = VENUES[venue];
  const channels = adapter.channels.filter((each) => each === "book" || each === "trades");
  const config = ingestConfig({
    venues: [{ id: venue, channels, bookDepth: 10 }],
    bookRefreshIntervalMs: 0,
    drainTimeoutMs: 0,
  });
  const checks: Check[] = [];
  let isDone = false;
  const [wanted] = config.venues;
  if (wanted === undefined) throw new Error("a venue is configured");
  const examination = examineVenue({
    config,
    venue: wanted,
    network: { dialer: exchange, restClient: exchange },
    bus,
    clock,
    logger: quiet,
    registry: new Registry(),
    seconds: 15,
    add: (check) => checks.push(check),
    onStarted: (ingest) => started.push(ingest),
    isEnding: () => false,
  }).then(() => {
    isDone = true;
  });
  while (!isDone && stand.seconds < SECONDS_MAX) {
    // What the examination waits for comes between two steps.
    for (let step = 0; step < STEPS_PER_SECOND; step += 1) {
      clock.advance(1_000 / STEPS_PER_SECOND);
      await turn();
    }
    for (const symbol of exchange.symbols) {
      exchange.sendDelta(symbol);
      exchange.sendTrade(symbol);
    }
    exchange.sendHeartbeats();
  }
  expect(isDone).toBe(true);
  await examination;
  return checks;
}

const isAbout = (frame: string, symbol: string): boolean =>
  frame.toLowerCase().includes(symbol.toLowerCase());

const failures = (checks: readonly Check[]): string =>
  checks
    .filter(({ verdict }) => verdict === "fail")
    .map(({ name, text }) => `${name}: ${text}`)
    .join("\n");

const REFUSING = SCRIPTED_VENUE_IDS.filter((venue) => refusalsOf(venue).length > 0);

test.each(SCRIPTED_VENUE_IDS)("%s: nothing failed where nothing is planted", async (venue) => {
  expect(failures(await examine(venue, () => {}))).toBe("");
});

test.each(REFUSING)(
  "%s: a market that is refused for good is named with the words",
  async (venue) => {
    const checks = await examine(venue, ({ stand, target }) => {
      stand.exchange.refusesName = (name) => isAbout(name, target);
      stand.exchange.fateOf = (frame) => (isAbout(frame, target) ? "refused-final" : "answered");
    });
    expect(failures(checks)).toMatch(/^trades BTC-\S+: refused by the venue \(.+\)/m);
    expect(failures(checks)).not.toMatch(/^\w+ ETH/m);
  },
);

test.each(REFUSING)(
  "%s: a market that is refused for now is told to be asked for",
  async (venue) => {
    const checks = await examine(venue, ({ stand, target }) => {
      stand.exchange.refusesName = (name) => isAbout(name, target);
      stand.exchange.fateOf = (frame) => (isAbout(frame, target) ? "refused-passing" : "answered");
    });
    expect(failures(checks)).toMatch(
      /^trades BTC-\S+: (refused for the moment \(.+\)|the venue (does not answer|has not answered))/m,
    );
  },
);

test.each(SCRIPTED_VENUE_IDS)("%s: a request without an answer is told", async (venue) => {
  const checks = await examine(venue, ({ stand, target }) => {
    stand.exchange.fateOf = (frame) => (isAbout(frame, target) ? "request-lost" : "answered");
  });
  expect(failures(checks)).toMatch(/^trades BTC-\S+: the venue does not answer the subscription/m);
});

test.each(SCRIPTED_VENUE_IDS)(
  "%s: a market that is confirmed and not served is told",
  async (venue) => {
    const checks = await examine(venue, ({ stand, target }) => {
      for (const channel of ["book", "trades"] as const) stand.exchange.mute(target, channel);
    });
    expect(failures(checks)).toMatch(
      /^book BTC-\S+: .*(sends nothing of it|REST has news|not answer|first data is awaited)/m,
    );
  },
);

test.each(SCRIPTED_VENUE_IDS)("%s: connections that the venue cuts are told", async (venue) => {
  const checks = await examine(venue, ({ stand }) => {
    stand.exchange.messagesPerSecondMax = 0;
  });
  expect(failures(checks)).toMatch(/^connections: \d+ of \d+ open.*lost/m);
});
