import { randomUUID } from "node:crypto";
import type { Registry } from "prom-client";
import type { Bus } from "#bus/bus.ts";
import type { Clock } from "#core/clock.ts";
import type { Channel } from "#core/instrument.ts";
import type { IngestConfig, VenueConfig } from "./config.ts";
import { AddressBudgets } from "./feed/rest/address-budget.ts";
import { FEED_POLICY_DEFAULTS } from "./feed/feed-policy.ts";
import type { FeedPolicy } from "./feed/feed-policy.ts";
import type { FeedDialer } from "./feed/connection/web-socket-dialer.ts";
import type { RestClient } from "./feed/rest/rest-client.ts";
import type { Logger } from "#core/logger.ts";
import { createIngestState } from "./ingest-state.ts";
import { registerIngestMetrics } from "./metrics.ts";
import type { MeasuredVenue } from "./metrics.ts";
import type { ServiceState } from "#core/state-page.ts";
import { Announcements } from "#publish/announcements.ts";
import { createPublishLatencies } from "#publish/publish-latency.ts";
import { newPublisherIdentity } from "#publish/publisher-identity.ts";
import { createPublisherCounters, Publisher } from "#publish/publisher.ts";
import type { PublisherCounters } from "#publish/publisher.ts";
import { QueryResponder } from "#publish/query-responder.ts";
import { scheduleTurnEnd } from "./turn-scheduler.ts";
import { VenueIngest } from "./venue/venue-ingest.ts";
import type { VenueNetwork } from "./venue/venue-ingest.ts";
import { openVenueNetwork } from "./venue-network.ts";
import type { OpenVenueNetwork } from "./venue-network.ts";
import type { FeedAdapter } from "./feed/feed-adapter.ts";
import { VENUES } from "./venues/registry.ts";

export type IngestOptions = {
  readonly config: IngestConfig;
  /** Not closed by the ingestor. */
  readonly bus: Bus;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly registry: Registry;
  /** In place of the network, for every venue. */
  readonly dialer?: FeedDialer;
  readonly restClient?: RestClient;
  /** In [0, 1); Math.random by default. */
  readonly random?: () => number;
  readonly policy?: Partial<FeedPolicy>;
  /** Stands between a venue and its network, such as a `CaptureRecorder`. */
  readonly intercept?: (venue: string, network: VenueNetwork) => VenueNetwork;
};

/** What an ingestor has done so far. */
type IngestStats = {
  readonly publisherId: string;
  readonly epoch: number;
  readonly publisher: Readonly<PublisherCounters>;
  readonly venues: readonly MeasuredVenue[];
};

export type RunningIngest = {
  /** Resolves when every venue's instruments are known and its connections are being made. */
  readonly whenStarted: Promise<void>;
  stats(): IngestStats;
  /** What operators see of it. */
  readonly state: ServiceState;
  /** Disconnects, publishes what waits, and gives the bus a bounded time to take it. Idempotent. */
  close(): Promise<void>;
};

/** Starts ingesting. Resolves when queries are answered; venues connect in the background. */
export async function startIngest(options: IngestOptions): Promise<RunningIngest> {
  const { config, bus, clock, logger, registry, random = Math.random } = options;
  const counters = createPublisherCounters();
  const identity = newPublisherIdentity("ingest", randomUUID());
  const { publisherId, epoch } = identity;
  const latencies = createPublishLatencies();
  const shared = { bus, clock, logger };
  const counted = { counters, latencies, limits: config };
  const publisher = new Publisher({ ...shared, ...counted, epoch, schedule: scheduleTurnEnd });
  const networks: OpenVenueNetwork[] = [];
  const policy = { ...FEED_POLICY_DEFAULTS, ...options.policy };
  const budgets = new AddressBudgets({ clock, policy });
  const venues = config.venues.map((venueConfig) => {
    const network = networkOf(venueConfig, options);
    networks.push(network);
    return new VenueIngest({
      config: venueConfig,
      adapter: adapterOf(venueConfig),
      limits: config,
      clock,
      random,
      network: options.intercept?.(venueConfig.id, network) ?? network,
      logger,
      policy,
      budgets,
      emit: (event) => publisher.publish(event),
      onEnded: (instrument) => publisher.retire(instrument),
      onChange: () => announcements.announce(),
    });
  });
  const views = venues.map(({ view }) => view);
  const common = { ...shared, venues: views };
  const responder = new QueryResponder({ ...common, publisherId, publisher });
  const announcements: Announcements = new Announcements({
    ...common,
    identity,
    announceIntervalMs: config.announceIntervalMs,
    takeProgress: () => publisher.takeProgress(),
  });
  registerIngestMetrics({ registry, venues: () => venues, publisher: counters, latencies });
  responder.start();
  announcements.start();
  for (const venue of venues) venue.start();
  logger.info({ venues: venues.map(({ venue }) => venue), epoch }, "ingesting");

  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    for (const venue of venues) venue.close();
    budgets.close();
    for (const network of networks) network.close();
    publisher.flush();
    announcements.close();
    responder.close();
    await drained(bus, clock, config.drainTimeoutMs);
    logger.info({ epoch, events: counters.events }, "ingest stopped");
  };
  return {
    whenStarted: Promise.all(venues.map(({ whenStarted }) => whenStarted)).then(() => {}),
    state: createIngestState({ ...identity, venues, publisher: counters, latencies, clock }),
    stats: () => ({ publisherId, epoch, publisher: counters, venues }),
    close: async () => {
      closing ??= close();
      await closing;
    },
  };
}

/** The venue's own network, or as much of another as the options give. */
function networkOf(config: VenueConfig, options: IngestOptions): OpenVenueNetwork {
  const { clock, dialer, restClient } = options;
  if (dialer !== undefined && restClient !== undefined) {
    return { dialer, restClient, close: () => {} };
  }
  const open = openVenueNetwork(config, clock);
  return {
    dialer: dialer ?? open.dialer,
    restClient: restClient ?? open.restClient,
    close: () => open.close(),
  };
}

/** A bus that is down keeps what it can; waiting for it must not keep the process. */
async function drained(bus: Bus, clock: Clock, timeoutMs: number): Promise<void> {
  let cancel = (): void => {};
  const timeout = new Promise<void>((resolve) => {
    cancel = clock.after(timeoutMs, resolve);
  });
  try {
    await Promise.race([bus.flush(), timeout]);
  } catch {
    // The bus failed: it has told its own listeners, and there is nothing left to wait for.
  } finally {
    cancel();
  }
}

/** The venue's adapter, with what the configuration says of silence in place of its own. */
function adapterOf({ id, silenceMsMax }: VenueConfig): FeedAdapter {
  const adapter: FeedAdapter = VENUES[id];
  if (silenceMsMax === undefined) return adapter;
  const { limits } = adapter;
  const silence = { ...limits.silenceMsMax, ...silenceMsMax };
  // Whoever says how long a channel may be silent wants to hear of it, whatever the venue says.
  const set = Object.keys(silenceMsMax) as Channel[];
  const alwaysSpoken = [...(limits.alwaysSpoken ?? []), ...set];
  return { ...adapter, limits: { ...limits, silenceMsMax: silence, alwaysSpoken } };
}
