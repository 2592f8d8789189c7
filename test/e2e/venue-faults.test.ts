import { Registry } from "prom-client";
import { afterEach, describe, expect, test, vi } from "vitest";
import { MemoryBus } from "#bus/memory-bus.ts";
import { ingestConfig } from "#ingest/config.ts";
import { startIngest } from "#ingest/main.ts";
import type { RunningIngest } from "#ingest/main.ts";
import { ManualClock } from "#test/support/manual-clock.ts";
import { VENUES as VENUES_BY_ID } from "#ingest/venues/registry.ts";
import { BusConsumer, textsOfMarketBook } from "#test/support/scripted-venue-consumer.ts";
import type { ScriptedVenueId } from "#test/support/scripted-venue-dialects.ts";
import { type ScriptedVenue, startScriptedVenue } from "#test/support/scripted-venue.ts";

// The real ingestor against a scripted venue over real sockets; only time is the test's. Not here,
// because nobody can notice them at once: a dropped or reordered update of Coinbase, whose level2
// carries neither numbers nor checksums and relies on the order of TCP. A number that comes twice
// breaks Binance's promise that each update continues the one before, and costs a resync; at Coinbase
// and Kraken a duplicate repeats absolute sizes (and Kraken's checksum still agrees), so it does not.

const BASES = ["BTC", "ETH", "SOL"];
const QUOTE = "USDT";
const VENUES: readonly ScriptedVenueId[] = ["binance", "coinbase", "kraken"];
const SEPARATORS = { binance: "", coinbase: "-", kraken: "/" } as const;
const STEP_MS = 5_000;
const quiet = { debug() {}, info() {}, warn() {}, error() {} };

const running: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const part of running.splice(0).toReversed()) await part.close();
});

/** A venue, an ingestor that follows it, and a consumer that follows the ingestor. */
class Stand {
  readonly clock = new ManualClock();
  readonly bus = new MemoryBus({ clock: this.clock });
  readonly consumer = new BusConsumer(this.bus);
  readonly venue: ScriptedVenue;
  readonly #separator: string;
  #ingest: RunningIngest | undefined;

  constructor(venue: ScriptedVenue, id: ScriptedVenueId) {
    this.venue = venue;
    this.#separator = SEPARATORS[id];
  }

  static async start(id: ScriptedVenueId): Promise<Stand> {
    const stand = await Stand.prepare(id);
    await stand.connect(id);
    return stand;
  }

  /** The venue without the ingestor. */
  static async prepare(id: ScriptedVenueId): Promise<Stand> {
    const nowUs = { read: () => 0 };
    const instruments = BASES.map((base) => ({ base, quote: QUOTE }));
    const venue = await startScriptedVenue({
      venue: id,
      instruments,
      seed: 20,
      nowUs: () => nowUs.read(),
    });
    running.push(venue);
    const stand = new Stand(venue, id);
    nowUs.read = () => stand.clock.nowUs();
    return stand;
  }

  async connect(
    id: ScriptedVenueId,
    expectLive: readonly string[] = BASES,
    silenceMsMax: { book?: number } = {},
  ): Promise<void> {
    const ingest = await startIngest({
      config: ingestConfig({
        venues: [
          {
            id,
            channels: ["book", "trades"],
            bookDepth: 10,
            silenceMsMax,
            endpoints: { webSocket: this.venue.webSocketUrl, rest: this.venue.restUrl },
          },
        ],
        drainTimeoutMs: 0,
      }),
      bus: this.bus,
      clock: this.clock,
      logger: quiet,
      registry: new Registry(),
      random: () => 0.5,
    });
    this.#ingest = ingest;
    running.push(ingest);
    await this.until(() => expectLive.every((base) => this.isSubscribed(base)));
    await this.makeLive(expectLive);
    // A book that breaks soon after its start waits before it is started again; these do not.
    await this.pass({ milliseconds: 65_000, moving: expectLive, heard: "ETH" });
    for (const base of expectLive) await this.untilEqual(base);
    this.consumer.forgetStates();
  }

  /** Sends deltas until every book is live: a book by REST begins with its first delta. */
  async makeLive(bases: readonly string[] = BASES): Promise<void> {
    for (const base of bases) {
      this.venue.sendDelta(this.name(base));
      await this.untilEqual(base);
    }
  }

  name(base: string): string {
    return `${base}${this.#separator}${QUOTE}`;
  }

  isSubscribed(base: string): boolean {
    const name = this.name(base);
    return this.venue.isSubscribed(name, "book") && this.venue.isSubscribed(name, "trades");
  }

  starts(): readonly number[] {
    return BASES.map((base) => this.venue.bookStarts(this.name(base)));
  }

  states(base: string): readonly string[] {
    return this.consumer.states(`${base}-${QUOTE}`).map((state) => state.split(" ")[0] ?? "");
  }

  bookEvents(base: string): number {
    return this.consumer.bookEvents(`${base}-${QUOTE}`);
  }

  isEqual(base: string): boolean {
    const truth = textsOfMarketBook(this.venue.book(this.name(base)));
    const rebuilt = this.consumer.book(`${base}-${QUOTE}`);
    return JSON.stringify(rebuilt) === JSON.stringify(truth);
  }

  counters() {
    return this.#ingest?.stats().venues[0]?.counters;
  }

  /** Lets real sockets do their work until something holds; time stands still. */
  async until(holds: () => boolean): Promise<void> {
    const check = (): void => {
      if (!holds()) throw new Error(`still not so: ${String(holds)}`);
    };
    await vi.waitFor(check, { timeout: 10_000, interval: 1 });
  }

  async untilEqual(base: string): Promise<void> {
    await this.until(() => this.isEqual(base));
  }

  /**
   * Moves time in steps too short for a connection to be given up. In each of them every book of
   * `moving` changes, and the one of `heard` is seen by the consumer before time goes on.
   */
  async pass(passing: {
    milliseconds: number;
    moving: readonly string[];
    heard: string;
  }): Promise<void> {
    const { milliseconds, moving, heard } = passing;
    for (let left = milliseconds; left > 0; left -= STEP_MS) {
      this.clock.advance(Math.min(STEP_MS, left));
      for (const base of moving) this.venue.sendDelta(this.name(base));
      await this.untilEqual(heard);
    }
  }

  /** Waits for the resync of BTC, then lets every book go on; what came of it. */
  async outcome(): Promise<Outcome> {
    await this.untilEqual("BTC");
    await this.until(() => this.states("BTC").at(-1) === "live");
    const before = BASES.map((base) => this.bookEvents(base));
    for (const base of BASES) {
      this.venue.sendDelta(this.name(base));
      await this.untilEqual(base);
    }
    return {
      starts: this.starts(),
      deltas: BASES.map((base, index) => this.bookEvents(base) - (before[index] ?? 0)),
      otherStates: [...this.states("ETH"), ...this.states("SOL")],
      missing: this.consumer.missing,
    };
  }
}

type Outcome = {
  /** How often the venue was asked for each book since it is there. */
  readonly starts: readonly number[];
  /** What one more change of each book brought the consumer. */
  readonly deltas: readonly number[];
  readonly otherStates: readonly string[];
  readonly missing: readonly string[];
};

/** BTC was started once more, and nothing else happened to anybody. */
function oneResync(before: readonly number[]): Outcome {
  const [btc = 0, ...others] = before;
  return { starts: [btc + 1, ...others], deltas: [1, 1, 1], otherStates: [], missing: [] };
}

test("binance: a duplicated delta costs one resync of the book that it was about", async () => {
  const stand = await Stand.start("binance");
  const before = stand.starts();
  stand.venue.sendDelta(stand.name("BTC"), "duplicate");
  expect(await stand.outcome()).toEqual(oneResync(before));
  expect(stand.states("BTC")).toEqual(["gap", "resyncing", "live"]);
});

describe.each(["coinbase", "kraken"] as const)("%s, whose updates carry no numbers", (id) => {
  test("a duplicated delta changes nothing and costs no resync", async () => {
    const stand = await Stand.start(id);
    const before = stand.starts();
    stand.venue.sendDelta(stand.name("BTC"), "duplicate");
    stand.venue.sendDelta(stand.name("BTC"));
    await stand.untilEqual("BTC");
    expect(stand.starts()).toEqual(before);
    expect(stand.states("BTC")).toEqual([]);
    expect(stand.consumer.missing).toEqual([]);
  });
});

describe.each(VENUES)("%s", (id) => {
  test("damaged JSON costs one resync of the book that it was about", async () => {
    const stand = await Stand.start(id);
    const before = stand.starts();
    stand.venue.sendDelta(stand.name("BTC"), "damage");
    // Binance's numbers show the hole with the next delta; the others are traced by what is left of
    // the frame.
    if (id === "binance") stand.venue.sendDelta(stand.name("BTC"));
    expect(await stand.outcome()).toEqual(oneResync(before));
    expect(stand.states("BTC")).toEqual(["gap", "resyncing", "live"]);
    expect(stand.counters()?.rejected["bad-json"]).toBe(1);
  });

  test("a subscription that hangs while pings are answered is stale, and renewed by itself", async () => {
    const stand = await Stand.start(id);
    const before = stand.starts();
    const silenceMs = VENUES_BY_ID[id].limits.silenceMsMax.book ?? 0;
    const others = { moving: ["ETH", "SOL"], heard: "SOL" };
    stand.venue.hang(stand.name("BTC"));
    stand.venue.sendDelta(stand.name("BTC"));
    await stand.pass({ milliseconds: silenceMs - STEP_MS, ...others });
    expect(stand.states("BTC")).toEqual([]);
    await stand.pass({ milliseconds: silenceMs / 2, ...others });
    expect(stand.states("BTC")).toEqual(["stale"]);
    const frames = stand.venue.received.length;
    await stand.pass({ milliseconds: silenceMs, ...others });
    await stand.until(() => stand.venue.received.length >= frames + 2);
    stand.venue.sendDelta(stand.name("BTC"));
    expect(await stand.outcome()).toEqual(oneResync(before));
    expect(stand.venue.connectionCount).toBe(1);
  });

  test("how long a book may be silent can be set", async () => {
    const stand = await Stand.prepare(id);
    await stand.connect(id, BASES, { book: 20_000 });
    const others = { moving: ["ETH", "SOL"], heard: "SOL" };
    stand.venue.hang(stand.name("BTC"));
    stand.venue.sendDelta(stand.name("BTC"));
    await stand.pass({ milliseconds: 20_000 - STEP_MS, ...others });
    expect(stand.states("BTC")).toEqual([]);
    await stand.pass({ milliseconds: 2 * STEP_MS, ...others });
    expect(stand.states("BTC")).toEqual(["stale"]);
  });

  test("a lost connection takes its books down and starts each of them once", async () => {
    const stand = await Stand.start(id);
    const before = stand.starts();
    stand.venue.disconnect();
    await stand.until(() => BASES.every((base) => stand.states(base).at(-1) === "down"));
    stand.clock.advance(1_000);
    await stand.until(() => BASES.every((base) => stand.isSubscribed(base)));
    await stand.makeLive();
    await stand.until(() => BASES.every((base) => stand.states(base).at(-1) === "live"));
    expect(stand.starts()).toEqual(before.map((count) => count + 1));
    for (const base of BASES) {
      expect([stand.states(base)[0], stand.states(base).at(-1)]).toEqual(["down", "live"]);
      expect(stand.states(base)).not.toContain("gap");
    }
    expect(stand.consumer.missing).toEqual([]);
  });
});

describe.each(["binance", "kraken"] as const)("%s, whose books can be proven", (id) => {
  test("a dropped delta costs one resync of its book", async () => {
    const stand = await Stand.start(id);
    const before = stand.starts();
    stand.venue.sendDelta(stand.name("BTC"), "drop");
    stand.venue.sendDelta(stand.name("BTC"));
    expect(await stand.outcome()).toEqual(oneResync(before));
    expect(stand.states("BTC")).toEqual(["gap", "resyncing", "live"]);
    expect(stand.counters()).toMatchObject({ gaps: 1, resyncs: 1 });
  });

  test("two deltas in the wrong order cost one resync", async () => {
    const stand = await Stand.start(id);
    const before = stand.starts();
    stand.venue.sendReordered(stand.name("BTC"));
    expect(await stand.outcome()).toEqual(oneResync(before));
    expect(stand.states("BTC")).toEqual(["gap", "resyncing", "live"]);
    expect(stand.counters()).toMatchObject({ gaps: 1, resyncs: 1 });
  });
});

describe("kraken", () => {
  test("a wrong checksum costs one resync", async () => {
    const stand = await Stand.start("kraken");
    const before = stand.starts();
    stand.venue.sendDelta(stand.name("BTC"), "wrong-checksum");
    expect(await stand.outcome()).toEqual(oneResync(before));
    expect(stand.states("BTC")).toEqual(["gap", "resyncing", "live"]);
    expect(stand.counters()).toMatchObject({ checksumsFailed: 1, gaps: 1, resyncs: 1 });
  });
});

describe.each(["coinbase", "kraken"] as const)("%s, which refuses by name", (id) => {
  test("a refused symbol is down and costs the others nothing", async () => {
    const stand = await Stand.prepare(id);
    stand.venue.refuse(stand.name("SOL"));
    const live = ["BTC", "ETH"];
    await stand.connect(id, live);
    await stand.makeLive(live);
    expect(stand.isSubscribed("SOL")).toBe(false);
    expect(stand.consumer.state("SOL-USDT")).toBe("down refused");
    expect(stand.counters()?.refusals).toBeGreaterThan(0);
    expect(stand.consumer.missing).toEqual([]);
  });
});

describe.each(["coinbase", "kraken"] as const)("%s, whose books begin in-band", (id) => {
  test("a damaged first snapshot is asked for again", async () => {
    const stand = await Stand.prepare(id);
    stand.venue.damageNextSnapshot(stand.name("BTC"));
    await stand.connect(id);
    expect(stand.starts()).toEqual([2, 1, 1]);
    expect(stand.consumer.state("BTC-USDT")).toBe("live synchronized");
    expect(stand.consumer.missing).toEqual([]);
  });

  test("a damaged snapshot in a resync is asked for again", async () => {
    const stand = await Stand.start(id);
    stand.venue.damageNextSnapshot(stand.name("BTC"));
    stand.venue.sendDelta(stand.name("BTC"), "damage");
    await stand.until(() => stand.counters()?.rejected["bad-json"] === 2);
    await stand.pass({ milliseconds: 20_000, moving: ["ETH", "SOL"], heard: "SOL" });
    expect(await stand.outcome()).toEqual(oneResync([2, 1, 1]));
    expect(stand.states("BTC")).toEqual(["gap", "resyncing", "live"]);
  });
});

describe("Binance's REST", () => {
  /** Breaks the book of BTC, with the snapshots that follow answered by this. */
  async function breakBook(fault: { status: number; retryAfterSeconds?: number }): Promise<Stand> {
    const stand = await Stand.start("binance");
    stand.venue.failSnapshots({ ...fault, times: 1 });
    stand.venue.sendDelta(stand.name("BTC"), "drop");
    stand.venue.sendDelta(stand.name("BTC"));
    return stand;
  }

  const snapshotRequests = (stand: Stand): number =>
    stand.venue.restRequests.filter((path) => path.startsWith("/api/v3/depth")).length;

  test.each([
    { status: 429, retryAfterSeconds: 7, pauseMs: 7_000 },
    { status: 418, retryAfterSeconds: 180, pauseMs: 180_000 },
    { status: 418, pauseMs: 120_000 },
  ])("answers $status, and nothing is asked before $pauseMs ms are over", async (limit) => {
    const { pauseMs, ...fault } = limit;
    const stand = await breakBook(fault);
    const before = stand.starts();
    const name = fault.status === 418 ? "banned" : "rateLimited";
    await stand.until(() => stand.counters()?.[name] === 1);
    const asked = snapshotRequests(stand);
    // Another book breaks meanwhile: it has to wait as well.
    stand.venue.sendDelta(stand.name("ETH"), "drop");
    stand.venue.sendDelta(stand.name("ETH"));
    await stand.until(() => stand.states("ETH").at(-1) === "resyncing");
    await stand.pass({ milliseconds: pauseMs - 1, moving: BASES, heard: "SOL" });
    expect(snapshotRequests(stand)).toBe(asked);
    expect(stand.states("BTC")).toEqual(["gap", "resyncing"]);
    stand.clock.advance(1);
    await stand.untilEqual("BTC");
    await stand.untilEqual("ETH");
    expect(snapshotRequests(stand)).toBe(asked + 2);
    const [btc = 0, eth = 0, sol = 0] = before;
    expect(stand.starts()).toEqual([btc + 1, eth + 1, sol]);
    expect([stand.states("BTC").at(-1), stand.states("SOL")]).toEqual(["live", []]);
    expect(stand.consumer.missing).toEqual([]);
  });

  test("serves a snapshot from before the hole: it is not used, and asked for again", async () => {
    const stand = await Stand.start("binance");
    stand.venue.serveStaleSnapshots(stand.name("BTC"), 1);
    stand.venue.sendDelta(stand.name("BTC"), "drop");
    stand.venue.sendDelta(stand.name("BTC"));
    await stand.until(() => stand.counters()?.snapshotsDelivered === BASES.length + 1);
    expect(stand.isEqual("BTC")).toBe(false);
    stand.clock.advance(1_000);
    await stand.untilEqual("BTC");
    expect(stand.states("BTC")).toEqual(["gap", "resyncing", "live"]);
    expect(stand.counters()).toMatchObject({ gaps: 1, resyncs: 1 });
    expect(stand.consumer.missing).toEqual([]);
  });
});
