import { setImmediate as turn } from "node:timers/promises";
import { Registry } from "prom-client";
import { MemoryBus } from "#bus/memory-bus.ts";
import type { Channel } from "#core/instrument.ts";
import { ingestConfig } from "#ingest/config.ts";
import type { FeedAdapter } from "#ingest/feed/feed-adapter.ts";
import { type RunningIngest, startIngest } from "#ingest/main.ts";
import { VENUES } from "#ingest/venues/registry.ts";
import { hasSummaries } from "./dialects/summaries.ts";
import type { ScriptedVenueId } from "./dialects/registry.ts";
import { ManualClock } from "./manual-clock.ts";
import { ScriptedExchange } from "./scripted-exchange.ts";
import { BusConsumer, type ToldStatus } from "./scripted-venue-consumer.ts";

const quiet = { debug() {}, info() {}, warn() {}, error() {} };

/** Real turns of the event loop that let everything that was published arrive. */
const TURNS = 4;

type StandOptions = {
  readonly venue: ScriptedVenueId;
  readonly bases?: readonly string[];
  readonly seed?: number;
  readonly random?: () => number;
  /** Quotes and tickers too, where they are written for the venue. */
  readonly withSummaries?: boolean;
};

/** A scripted exchange, the real ingestor behind it, and what it tells: all in manual time. */
export class ExchangeStand {
  readonly clock = new ManualClock();
  readonly bus = new MemoryBus({ clock: this.clock });
  readonly consumer = new BusConsumer(this.bus);
  readonly exchange: ScriptedExchange;
  /** What is streamed. */
  readonly channels: readonly ("book" | "trades" | "quotes" | "ticker")[];
  readonly #venue: ScriptedVenueId;
  readonly #random: () => number;
  readonly #startUs = this.clock.nowUs();
  #ingest: RunningIngest | undefined;

  constructor(options: StandOptions) {
    const { venue, bases = ["BTC", "ETH"], seed = 7, random = () => 0.5 } = options;
    const hasAll = options.withSummaries === true && hasSummaries(venue);
    this.channels = hasAll ? ["book", "trades", "quotes", "ticker"] : ["book", "trades"];
    this.#venue = venue;
    this.#random = random;
    const { webSocket } = VENUES[venue].endpoints;
    const { clock } = this;
    this.exchange = new ScriptedExchange({ venue, bases, seed, clock, webSocketUrl: webSocket });
  }

  async start(): Promise<void> {
    const adapter: FeedAdapter = VENUES[this.#venue];
    const channels = this.channels.filter((each) => adapter.channels.includes(each));
    this.#ingest = await startIngest({
      config: ingestConfig({
        venues: [{ id: this.#venue, channels, bookDepth: 10 }],
        bookRefreshIntervalMs: 0,
        drainTimeoutMs: 0,
      }),
      bus: this.bus,
      clock: this.clock,
      logger: quiet,
      registry: new Registry(),
      dialer: this.exchange,
      restClient: this.exchange,
      random: this.#random,
    });
  }

  /** Seconds since the start. */
  get seconds(): number {
    return (this.clock.nowUs() - this.#startUs) / 1e6;
  }

  /** Lets time pass, step by step, and something happen in each. */
  async pass(
    time: { readonly seconds: number; readonly stepSeconds: number },
    eachStep: () => void = () => {},
  ): Promise<void> {
    const { seconds, stepSeconds } = time;
    for (let second = 0; second < seconds; second += stepSeconds) {
      this.clock.advance(stepSeconds * 1_000);
      eachStep();
      this.exchange.sendHeartbeats();
      // What was published goes out at the end of a turn.
      for (let each = 0; each < TURNS; each += 1) await turn();
    }
  }

  /** What was told of a channel, with the seconds since the start. */
  told(
    tickwireSymbol: string,
    channel: Channel,
  ): readonly (ToldStatus & { readonly second: number })[] {
    return this.consumer
      .statuses(tickwireSymbol, channel)
      .map((status) => ({ ...status, second: (status.sinceTimeUs - this.#startUs) / 1e6 }));
  }

  /** What came of an instrument in the venue's list, with the seconds since the start. */
  toldListings(tickwireSymbol: string): readonly { text: string; second: number }[] {
    const { listings, listingTimesUs } = this.consumer;
    return listings.flatMap((text, index) => {
      const [change = "", symbol, reason = ""] = text.split(" ");
      const second = ((listingTimesUs[index] ?? 0) - this.#startUs) / 1e6;
      return symbol === tickwireSymbol ? [{ text: `${change} (${reason})`, second }] : [];
    });
  }

  /** What one could do with an instrument since when, each change of it. */
  toldInstrumentStates(tickwireSymbol: string): readonly { text: string; second: number }[] {
    const states = this.told(tickwireSymbol, "status").flatMap(({ instrumentState, second }) =>
      instrumentState === undefined ? [] : [{ text: instrumentState, second }],
    );
    return states.filter(({ text }, index) => states[index - 1]?.text !== text);
  }

  counters() {
    return this.#ingest?.stats().venues[0]?.counters;
  }

  async close(): Promise<void> {
    await this.#ingest?.close();
  }
}
