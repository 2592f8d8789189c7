import { afterEach, expect, test } from "vitest";
import type { FeedAdapter } from "#ingest/feed/feed-adapter.ts";
import { VENUES } from "#ingest/venues/registry.ts";
import { SCRIPTED_VENUE_IDS, type ScriptedVenueId } from "#test/support/dialects/registry.ts";
import { type ScriptedVenue, startScriptedVenue } from "#test/support/scripted-venue.ts";
import { type CliResult, killAll, runCli, startCli } from "./cli-process.ts";

// The real program against a scripted venue over real sockets, both on the machine's clock.

const venues: ScriptedVenue[] = [];
afterEach(async () => {
  await killAll();
  for (const venue of venues.splice(0)) await venue.close();
});

/** How often the scripted market moves while the doctor looks. */
const MOVE_INTERVAL_MS = 20;

type Examination = {
  readonly bases?: readonly string[];
  /** What happens to the venue besides its moving, each time. */
  readonly meanwhile?: (venue: ScriptedVenue, step: number) => void;
};

/** Lets the doctor look at a venue with two markets that move all the time. */
async function examine(id: ScriptedVenueId, examination: Examination = {}): Promise<CliResult> {
  const { bases = ["BTC", "ETH"], meanwhile } = examination;
  const nowUs = (): number => Date.now() * 1000;
  const venue = await startScriptedVenue({ venue: id, bases, seed: 4, nowUs });
  venues.push(venue);
  const endpoints = {
    webSocket: venue.webSocketUrl,
    rest: venue.restUrl,
    derivativesWebSocket: venue.webSocketUrl,
    derivativesRest: venue.restUrl,
  };
  const entry = { id, channels: ["book", "trades"], bookDepth: 10, endpoints };
  const settings = `ingest.venues=${JSON.stringify([entry])}`;
  const cli = startCli(["doctor", id, "--duration", "1", "--set", settings]);
  let step = 0;
  const timer = setInterval(() => {
    step += 1;
    for (const base of bases) {
      const symbol = venue.symbolOf(base);
      if (meanwhile !== undefined && base === bases[0]) meanwhile(venue, step);
      venue.sendDelta(symbol);
      venue.sendTrade(symbol);
    }
  }, MOVE_INTERVAL_MS);
  try {
    return await cli.ended;
  } finally {
    clearInterval(timer);
  }
}

test.each(SCRIPTED_VENUE_IDS)("%s, in good health, has no failure", async (id) => {
  const { status, stdout, stderr } = await examine(id);
  const adapter: FeedAdapter = VENUES[id];
  const clock = adapter.serverTimeRequest === undefined ? "the venue does not" : "ours is";
  expect(stdout).toMatch(new RegExp(`^ok +clock +${clock}`, "m"));
  expect(stdout).toMatch(/^ok +list \S+ +2 instruments, 0 left out/m);
  expect(stdout).toMatch(/^ok +connections +(\d+) of \1 open/m);
  for (const base of ["BTC", "ETH"]) {
    const symbol = venues[0]?.tickwireSymbolOf(base) ?? "";
    expect(stdout).toMatch(new RegExp(`^ok +book ${symbol} +in sync after`, "m"));
  }
  expect(stdout).toMatch(/^ok +proof +0 gaps, 0 resyncs, checksums \d+ passed, 0 failed$/m);
  expect(stdout).toMatch(/^ok +trades +\d+ events$/m);
  expect(stdout).toMatch(/ 0 failed$/m);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
});

test("wrong checksums are a failure", async () => {
  const { status, stdout } = await examine("kraken", {
    meanwhile: (venue, step) => {
      if (step % 10 === 0) venue.sendDelta(venue.symbolOf("BTC"), "wrong-checksum");
    },
  });
  expect(stdout).toMatch(/^fail +proof +[1-9]\d* gaps, .* [1-9]\d* failed$/m);
  expect(status).toBe(1);
});

test("a refused subscription is a failure, and the other book is told of all the same", async () => {
  const { status, stdout } = await examine("kraken", {
    meanwhile: (venue, step) => {
      if (step === 1) venue.refuse(venue.symbolOf("ETH"));
    },
  });
  expect(stdout).toMatch(/^fail +book ETH-\w+ +not in sync: down \(refused\)$/m);
  expect(stdout).toMatch(/^ok +book BTC-\w+ +in sync/m);
  expect(status).toBe(1);
});

test("a venue that cannot be reached is a failure", async () => {
  const endpoints = { webSocket: "ws://127.0.0.1:9", rest: "http://127.0.0.1:9" };
  const settings = `ingest.venues=${JSON.stringify([{ id: "kraken", endpoints }])}`;
  const { status, stdout } = await runCli(["doctor", "kraken", "--set", settings]);
  expect(stdout).toMatch(/^fail +list .*(ECONNREFUSED|bad port|fetch failed)/m);
  expect(status).toBe(1);
});

test("a report can be data", async () => {
  const { status, stdout } = await runCli(["doctor", "simulated", "--duration", "1", "--json"]);
  const checks = stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { verdict: string; name: string; text: string });
  expect(new Set(checks.map(({ verdict }) => verdict))).not.toContain("fail");
  expect(checks.map(({ name }) => name)).toContain("proof");
  expect(status).toBe(0);
});
