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
import { tracedRestClient } from "./feed/rest/traced-rest-client.ts";
import type { Tracing } from "#core/tracing.ts";
import type { RestClient } from "./feed/rest/rest-client.ts";
import type { Logger } from "#core/logger.ts";
import { createIngestState } from "./ingest-state.ts";
import { registerIngestMetrics } from "./metrics.ts";
import type { MeasuredVenue } from "./metrics.ts";
import type { ServiceState } from "#core/state-page.ts";
import { registerPublicationMetrics } from "./publication-metrics.ts";
import { Announcements } from "#publish/announcements.ts";
import type { AnnouncedVenue } from "#publish/announcements.ts";
import { createPublishLatencies } from "#publish/publish-latency.ts";
import { ByteBudget } from "#core/byte-budget.ts";
import { openClaims } from "#publish/leadership/open-claims.ts";
import { createPublisherCounters } from "#publish/publisher.ts";
import type { PublisherCounters } from "#publish/publisher.ts";
import { QueryResponder } from "#publish/query-responder.ts";
import { publishVenue } from "./published-venue.ts";
import type { PublishedVenue } from "./published-venue.ts";
import { venueHealthMeter } from "./venue/venue-health.ts";
import type { VenueNetwork } from "./venue/venue-ingest.ts";
import type { VenuePublication } from "#publish/venue-publication.ts";
import { registerFaultMetrics } from "./fault-metrics.ts";
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
  /** Where spans go; absent if nothing is traced. The bus traces its own requests. */
  readonly tracing?: Tracing | undefined;
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
  readonly publications: readonly VenuePublication[];
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
  const publisherId = `ingest-${randomUUID()}`;
  const latencies = createPublishLatencies();
  const shared = { bus, clock, logger };
  const historyBudget = new ByteBudget({ bytesMax: config.historyTotalBytesMax });
  const networks: OpenVenueNetwork[] = [];
  const policy = { ...FEED_POLICY_DEFAULTS, ...options.policy };
  const budgets = new AddressBudgets({ clock, policy });
  const announced = {
    announce: (venue: string) => announcements.announce(venue),
    leave: (venue: string) => announcements.leave(venue),
  };
  const published = config.venues.map((venueConfig) => {
    const own = networkOf(venueConfig, options);
    networks.push(own);
    const network = options.intercept?.(venueConfig.id, own) ?? own;
    return publishVenue({
      ...shared,
      venueConfig,
      config,
      publisherId,
      newUuid: randomUUID,
      publishing: { counters, latencies, historyBudget },
      announced,
      feed: { adapter: adapterOf(venueConfig), random, network, policy, budgets },
    });
  });
  const venues = published.map(({ ingest }) => ingest);
  const publications = published.map(({ publication }) => publication);
  const common = { ...shared, publisherId };
  const views = venues.map((venue) => ({
    ...venue.view,
    health: venueHealthMeter({ venue, publisherId, latencies, clock }),
  }));
  const responder = new QueryResponder({ ...common, venues: views });
  const { announceIntervalMs } = config;
  const announcing = { ...common, announceIntervalMs, venues: published.map(announcedVenue) };
  const announcements: Announcements = new Announcements(announcing);
  const measured = { registry, venues: () => venues, publisher: counters, latencies };
  registerMetrics({ ...measured, publications, networks });
  responder.start();
  announcements.start();
  let closing: Promise<void> | undefined;
  const begun = beginPublishing(publications, { ...common, config, isClosed: () => !!closing });
  for (const venue of venues) venue.start();
  logger.info({ venues: venues.map(({ venue }) => venue), publisherId }, "ingesting");

  const close = async (): Promise<void> => {
    for (const venue of venues) venue.close();
    budgets.close();
    for (const network of networks) network.close();
    for (const publication of publications) publication.close();
    announcements.close();
    responder.close();
    for (const publication of publications) publication.leave();
    await begun;
    await drained(bus, clock, config.drainTimeoutMs);
    logger.info({ publisherId, events: counters.events }, "ingest stopped");
  };
  return {
    whenStarted: Promise.all(venues.map(({ whenStarted }) => whenStarted)).then(() => {}),
    state: createIngestState({ publisherId, venues, publications, latencies, clock, counters }),
    stats: () => ({ publisherId, publications, publisher: counters, venues }),
    close: async () => {
      closing ??= close();
      await closing;
    },
  };
}

function registerMetrics(
  measured: Parameters<typeof registerIngestMetrics>[0] & {
    readonly publications: readonly VenuePublication[];
    readonly networks: readonly OpenVenueNetwork[];
  },
): void {
  const { registry, publications, networks } = measured;
  registerIngestMetrics(measured);
  registerPublicationMetrics(registry, publications);
  registerFaultMetrics(registry, () => networks.flatMap(({ faults }) => faults ?? []));
}

/** What is said of a venue on the bus. */
function announcedVenue({ ingest, publication }: PublishedVenue): AnnouncedVenue {
  const { venue, view } = ingest;
  const { partition, publisher } = publication;
  return {
    venue,
    streamed: view.streamed,
    publisher,
    get fencingToken() {
      return publication.fencingToken;
    },
    shard: partition,
  };
}

/** Takes part with the other ingestors on the bus, or publishes at once where there are none. */
async function beginPublishing(
  publications: readonly VenuePublication[],
  parts: {
    readonly config: IngestConfig;
    readonly bus: Bus;
    readonly clock: Clock;
    readonly logger: Logger;
    readonly publisherId: string;
    readonly isClosed: () => boolean;
  },
): Promise<void> {
  const { config, bus } = parts;
  if (bus.kind === "memory") {
    for (const publication of publications) publication.startAlone();
    return;
  }
  const { lease: mode, leaseReplicas: replicas, heartbeatMs } = config.standby;
  const claimsOf = await openClaims({ ...parts, mode, replicas, heartbeatMs });
  if (parts.isClosed()) return;
  for (const publication of publications) publication.start(claimsOf(publication.partition));
}

/** The venue's own network, or as much of another as the options give. */
function networkOf(config: VenueConfig, options: IngestOptions): OpenVenueNetwork {
  const { clock, dialer, restClient, tracing } = options;
  if (dialer !== undefined && restClient !== undefined) {
    return { dialer, restClient, close: () => {} };
  }
  const open = openVenueNetwork(config, clock);
  const rest = restClient ?? open.restClient;
  return {
    ...open,
    dialer: dialer ?? open.dialer,
    restClient: tracing === undefined ? rest : tracedRestClient(rest, tracing, config.id),
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
