import { Registry } from "prom-client";
import { vi } from "vitest";
import { MemoryBus } from "#bus/memory-bus.ts";
import { ingestConfig } from "#ingest/config.ts";
import type { FeedAdapter } from "#ingest/feed/feed-adapter.ts";
import { startIngest } from "#ingest/main.ts";
import type { RunningIngest } from "#ingest/main.ts";
import { VENUES } from "#ingest/venues/registry.ts";
import type { ScriptedVenueId } from "./dialects/registry.ts";
import { ManualClock } from "./manual-clock.ts";
import { BusConsumer, textsOfMarketBook } from "./scripted-venue-consumer.ts";
import { type ScriptedVenue, startScriptedVenue } from "./scripted-venue.ts";

/** The base assets of the instruments of every stand. */
export const BASES: readonly string[] = ["BTC", "ETH", "SOL"];
/** Too short for a connection to be given up. */
export const STEP_MS = 5_000;

/** Real milliseconds without success after which time goes on, and by how much. */
const PATIENCE_MS = 40;
const NUDGE_MS = 500;
const WAIT_MS_MAX = 10_000;
const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const running: { close(): Promise<void> }[] = [];

/** Stops everything that stands have started. For `afterEach`. */
export async function closeStands(): Promise<void> {
  for (const part of running.splice(0).toReversed()) await part.close();
}

/** What came of a fault, and of one more change of every book after it. */
export type Outcome = {
  /** How often each book was started since before the fault. */
  readonly starts: readonly number[];
  /** States that each book went through. */
  readonly states: readonly (readonly string[])[];
  readonly missing: readonly string[];
};

/**
 * A scripted venue, the real ingestor that follows it over real sockets, and a consumer that
 * follows the ingestor on the bus. Only time is the test's.
 */
export class Stand {
  readonly clock = new ManualClock();
  readonly bus = new MemoryBus({ clock: this.clock });
  readonly consumer = new BusConsumer(this.bus);
  readonly venue: ScriptedVenue;
  readonly adapter: FeedAdapter;
  readonly #id: ScriptedVenueId;
  readonly #symbols = new Map<string, string>();
  #ingest: RunningIngest | undefined;

  private constructor(venue: ScriptedVenue, id: ScriptedVenueId) {
    this.venue = venue;
    this.adapter = VENUES[id];
    this.#id = id;
    for (const base of BASES) this.#symbols.set(base, venue.tickwireSymbolOf(base));
  }

  /** A stand whose ingestor reads the venue's lists again so often. */
  static async startListing(id: ScriptedVenueId, intervalMs: number): Promise<Stand> {
    const stand = await Stand.prepare(id);
    await stand.connect(BASES, {}, intervalMs);
    return stand;
  }

  static async start(id: ScriptedVenueId): Promise<Stand> {
    const stand = await Stand.prepare(id);
    await stand.connect();
    return stand;
  }

  /** The venue without the ingestor. */
  static async prepare(id: ScriptedVenueId): Promise<Stand> {
    const time = { nowUs: () => 0 };
    const venue = await startScriptedVenue({
      venue: id,
      bases: BASES,
      seed: 20,
      nowUs: () => time.nowUs(),
    });
    running.push(venue);
    const stand = new Stand(venue, id);
    time.nowUs = () => stand.clock.nowUs();
    return stand;
  }

  /** Starts the ingestor and waits until these books are live, and old enough to be trusted. */
  async connect(
    expectLive: readonly string[] = BASES,
    silenceMsMax: { readonly book?: number } = {},
    instrumentsIntervalMs = 600_000,
  ): Promise<void> {
    const { webSocketUrl: webSocket, restUrl: rest } = this.venue;
    const { derivativesWebSocket, derivativesRest } = this.adapter.endpoints;
    const endpoints = {
      webSocket,
      rest,
      ...(derivativesWebSocket === undefined ? {} : { derivativesWebSocket: webSocket }),
      ...(derivativesRest === undefined ? {} : { derivativesRest: rest }),
    };
    const channels = this.adapter.channels.filter((each) => each === "book" || each === "trades");
    const ingest = await startIngest({
      config: ingestConfig({
        venues: [{ id: this.#id, channels, bookDepth: 10, silenceMsMax, endpoints }],
        bookRefreshIntervalMs: 0,
        instrumentsIntervalMs,
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

  /** Follows one more instrument of the venue. */
  follow(base: string): void {
    this.#symbols.set(base, this.venue.tickwireSymbolOf(base));
  }

  /** The venue's symbol. */
  name(base: string): string {
    return this.venue.symbolOf(base);
  }

  /** Tickwire's symbol. */
  symbol(base: string): string {
    return this.#symbols.get(base) ?? "";
  }

  isSubscribed(base: string): boolean {
    const name = this.name(base);
    return this.venue.isSubscribed(name, "book") && this.venue.isSubscribed(name, "trades");
  }

  /** True if this venue answers when it is asked for the best levels of a book. */
  isProbed(base: string): boolean {
    const { adapter } = this;
    const instrument = adapter.deriveInstrument(this.name(base));
    const request = instrument && adapter.bookProbe?.request(instrument, adapter.endpoints);
    return request !== undefined && this.venue.dialect.isSnapshotPath(new URL(request.url));
  }

  starts(): readonly number[] {
    return BASES.map((base) => this.venue.bookStarts(this.name(base)));
  }

  /** States of a book since it was made live, without their reasons. */
  states(base: string): readonly string[] {
    return this.consumer.states(this.symbol(base)).map((state) => state.split(" ")[0] ?? "");
  }

  isLive(base: string): boolean {
    return this.consumer.state(this.symbol(base)).startsWith("live ");
  }

  isEqual(base: string): boolean {
    const truth = textsOfMarketBook(this.venue.book(this.name(base)));
    const rebuilt = this.consumer.book(this.symbol(base));
    return JSON.stringify(rebuilt) === JSON.stringify(truth);
  }

  counters() {
    return this.#ingest?.stats().venues[0]?.counters;
  }

  /**
   * Lets real sockets do their work until something holds. Time stands still while they do, and
   * goes on a little when nothing happens, for what waits for the venue's pace.
   */
  async until(holds: () => boolean): Promise<void> {
    let since = performance.now();
    const check = (): void => {
      if (holds()) return;
      if (performance.now() - since > PATIENCE_MS) {
        this.clock.advance(NUDGE_MS);
        since = performance.now();
      }
      throw new Error(`still not so: ${String(holds)}`);
    };
    await vi.waitFor(check, { timeout: WAIT_MS_MAX, interval: 1 });
  }

  /** The same without moving time, for what must not need any. */
  async untilWithoutTime(holds: () => boolean): Promise<void> {
    const check = (): void => {
      if (!holds()) throw new Error(`still not so: ${String(holds)}`);
    };
    await vi.waitFor(check, { timeout: WAIT_MS_MAX, interval: 1 });
  }

  async untilEqual(base: string): Promise<void> {
    await this.until(() => this.isEqual(base));
  }

  /**
   * Moves time in steps. In each of them every book of `moving` changes and the venue shows signs
   * of life, and the book of `heard` is seen by the consumer before time goes on.
   */
  async pass(passing: {
    milliseconds: number;
    moving: readonly string[];
    heard: string;
  }): Promise<void> {
    const { milliseconds, moving, heard } = passing;
    for (let left = milliseconds; left > 0; left -= STEP_MS) {
      this.clock.advance(Math.min(STEP_MS, left));
      for (const base of moving) {
        this.venue.sendDelta(this.name(base));
        this.venue.sendTrade(this.name(base));
      }
      this.venue.sendHeartbeat(this.name(heard));
      await this.untilWithoutTime(() => this.isEqual(heard));
    }
  }

  /** Waits until every book is live and right, also after one more change of each. */
  async outcome(before: readonly number[]): Promise<Outcome> {
    for (const round of [0, 1]) {
      for (const base of BASES) {
        if (round > 0) this.venue.sendDelta(this.name(base));
        await this.until(() => this.isLive(base) && this.isEqual(base));
      }
    }
    return {
      starts: this.starts().map((count, index) => count - (before[index] ?? 0)),
      states: BASES.map((base) => this.states(base)),
      missing: this.consumer.missing,
    };
  }
}
