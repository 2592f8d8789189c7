import { Registry } from "prom-client";
import type { Instrument } from "@tickwire/proto/service";
import type { Bus } from "#bus/bus.ts";
import type { StreamLog } from "#bus/stream-log.ts";
import { ByteBudget } from "#core/byte-budget.ts";
import type { Clock } from "#core/clock.ts";
import type { Logger } from "#core/logger.ts";
import type { Topic } from "#core/topic.ts";
import { Catalog } from "#gateway/catalog/catalog.ts";
import type { CatalogEvent } from "#gateway/catalog/catalog.ts";
import type { VenuePartition } from "#gateway/catalog/venue-partition.ts";
import { EventLog } from "#gateway/history/event-log.ts";
import { createGatewayMetrics } from "#gateway/metrics.ts";
import { Hub } from "#gateway/topics/hub.ts";
import { immediateScheduler } from "#gateway/turns/scheduler.ts";
import { TurnLine, Turns } from "#gateway/turns/turns.ts";
import { LoggedTrades } from "./logged-trades.ts";
import { TopicReading } from "./topic-reading.ts";
import type { TopicListener } from "./topic-reading.ts";

type MarketReaderParts = {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly logger: Logger;
  /** In [0, 1). */
  readonly random: () => number;
  readonly limits: ReaderLimits;
  /** Closed by whoever opened it. */
  readonly log: StreamLog | undefined;
};

/** How much of the market is read at most. */
type ReaderLimits = {
  readonly instrumentsMax: number;
  readonly topicsMax: number;
  readonly queryTimeoutMs: number;
};

/** What is kept of a topic's past, to fill what the bus lost; nobody comes back to it. */
const RING = { ringBytesMax: 262_144, ringBatchesMax: 512 };
const QUERIES_IN_FLIGHT_MAX = 32;
const DISCOVERY_MS = 2_000;

/** What changed in the list of a venue. */
export type ListChange = Extract<CatalogEvent, { readonly kind: "changed" }>;

/**
 * What is on the bus, read as a gateway reads it: the venues that are announced with their
 * instruments, each topic from its state on without a hole that is not told, whoever publishes it.
 */
export class MarketReader {
  readonly #parts: MarketReaderParts;
  readonly #catalog: Catalog;
  readonly #hub: Hub;
  /** What the stream log has of trades; undefined if there is none. */
  readonly logged: LoggedTrades | undefined;
  readonly #stop: (() => void)[] = [];
  readonly #readings = new Set<TopicReading>();
  readonly #listeners = new Set<(change: ListChange) => void>();
  #isConnected = true;

  constructor(parts: MarketReaderParts) {
    this.#parts = parts;
    const { bus, clock, logger, random, limits, log } = parts;
    const scheduler = immediateScheduler;
    const turns = new Turns({ clock, scheduler });
    // What a deriver shows of itself are its own figures, not those of a gateway.
    const metrics = createGatewayMetrics(new Registry());
    const shared = { bus, clock, logger, metrics, turns };
    this.#catalog = new Catalog({
      ...shared,
      limits: { ...limits, readyVenuesMin: 1, discoveryMs: DISCOVERY_MS },
    });
    this.logged =
      log &&
      new LoggedTrades({
        log: new EventLog({ log, clock, logger, metrics }),
        line: new TurnLine(turns),
      });
    this.#hub = new Hub({
      ...shared,
      scheduler,
      catalog: this.#catalog,
      random,
      resume: { log: undefined, budget: new ByteBudget({ bytesMax: 0 }), resumeBytesMax: 0 },
      limits: {
        ...limits,
        ...RING,
        queriesInFlightMax: QUERIES_IN_FLIGHT_MAX,
        topicLingerMs: 0,
        delayBytesMax: 0,
        viewsMax: limits.topicsMax,
      },
    });
    this.#stop.push(
      this.#catalog.onEvent((event) => this.#onCatalog(event)),
      bus.onEvent(({ kind }) => {
        if (kind === "disconnected" || kind === "closed") this.#onBusDown();
        if (kind === "connected" || kind === "reconnected") this.#onBusUp();
      }),
    );
  }

  /** Topics that are read. */
  get topics(): number {
    return this.#readings.size;
  }

  /** Of these the ones of which nothing passes unread: the others wait for their state. */
  get topicsLive(): number {
    let live = 0;
    for (const reading of this.#readings) if (reading.isLive) live += 1;
    return live;
  }

  /** Calls back with everything that there is and with what changes, until it is stopped. */
  onList(listener: (change: ListChange) => void): void {
    this.#listeners.add(listener);
    for (const venue of this.#catalog.venues) {
      const all = new Map(
        Array.from(this.#catalog.instrumentsOf(venue), (each) => [each.symbol, each]),
      );
      if (all.size > 0) listener({ kind: "changed", venue, added: all, removed: [] });
    }
  }

  /** The instrument as its publisher lists it now. */
  instrument(venue: string, symbol: string): Instrument | undefined {
    return this.#catalog.instrument(venue, symbol);
  }

  /** Who publishes a topic now. */
  publisherOf(venue: string, symbol: string): string | undefined {
    return this.#catalog.publisherOf(venue, symbol)?.publisherId;
  }

  /** Reads a topic until the reading is ended. */
  read(name: Topic, listener: TopicListener): { readonly isLive: boolean; end(): void } {
    const { clock } = this.#parts;
    const reading = new TopicReading({ hub: this.#hub, clock, name, listener });
    this.#readings.add(reading);
    return {
      get isLive() {
        return reading.isLive;
      },
      end: () => {
        if (!this.#readings.delete(reading)) return;
        reading.close();
      },
    };
  }

  /** Reads nothing more. Idempotent. */
  close(): void {
    for (const stop of this.#stop.splice(0)) stop();
    for (const reading of this.#readings) reading.close();
    this.#readings.clear();
    this.#listeners.clear();
    this.#catalog.close();
    this.#hub.close();
  }

  #onCatalog(event: CatalogEvent): void {
    if (event.kind === "changed") for (const listener of this.#listeners) listener(event);
    else this.#hub.onCatalogEvent(event);
  }

  #onBusDown(): void {
    if (!this.#isConnected) return;
    this.#isConnected = false;
    this.#catalog.busDown();
    const nowUs = this.#parts.clock.nowUs();
    for (const partition of this.#partitions()) this.#hub.venueDown(partition, "bus-down", nowUs);
  }

  #onBusUp(): void {
    if (this.#isConnected) return;
    this.#isConnected = true;
    this.#catalog.busUp();
    for (const partition of this.#partitions()) {
      const lostSinceUs = this.#catalog.partLostSinceUs(partition);
      if (lostSinceUs === undefined) this.#hub.venueBack(partition);
      else this.#hub.venueDown(partition, "ingestor-lost", lostSinceUs);
    }
  }

  #partitions(): VenuePartition[] {
    return this.#catalog.venues.flatMap((venue) => this.#catalog.partitionsOf(venue));
  }
}
