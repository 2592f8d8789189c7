import type { Bus } from "#bus/bus.ts";
import type { Clock } from "#core/clock.ts";
import { parseShard } from "#core/shard.ts";
import type { Logger } from "#core/logger.ts";
import type { ByteBudget } from "#core/byte-budget.ts";
import type { PublishLatencies } from "#publish/publish-latency.ts";
import type { Partition } from "#publish/leadership/partition.ts";
import { Publisher } from "#publish/publisher.ts";
import type { PublisherCounters } from "#publish/publisher.ts";
import { VenuePublication } from "#publish/venue-publication.ts";
import type { IngestConfig, VenueConfig } from "./config.ts";
import type { FeedAdapter } from "./feed/feed-adapter.ts";
import type { FeedPolicy } from "./feed/feed-policy.ts";
import type { AddressBudgets } from "./feed/rest/address-budget.ts";
import { isOwnMarket } from "./venue-network.ts";
import { scheduleTurnEnd } from "./turn-scheduler.ts";
import { VenueIngest } from "./venue/venue-ingest.ts";
import type { VenueNetwork } from "./venue/venue-ingest.ts";

/** A venue's feed, and what becomes of it. */
export type PublishedVenue = {
  readonly ingest: VenueIngest;
  readonly publication: VenuePublication;
};

type PublishVenueParts = {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly venueConfig: VenueConfig;
  readonly config: IngestConfig;
  readonly publisherId: string;
  /** A random UUID. */
  readonly newUuid: () => string;
  /** What all publishers of the process share. */
  readonly publishing: {
    readonly counters: PublisherCounters;
    readonly latencies: PublishLatencies;
    readonly historyBudget: ByteBudget;
  };
  readonly announced: {
    announce(venue: string): void;
    leave(venue: string): void;
  };
  readonly feed: {
    readonly adapter: FeedAdapter;
    readonly random: () => number;
    readonly network: VenueNetwork;
    readonly policy: FeedPolicy;
    readonly budgets: AddressBudgets;
  };
};

/** Connects a venue's feed with what publishes it. Neither has begun. */
export function publishVenue(parts: PublishVenueParts): PublishedVenue {
  const { bus, clock, logger, venueConfig, config, publisherId, publishing, announced } = parts;
  const { id: venue } = venueConfig;
  const publisher: Publisher = new Publisher({
    bus,
    clock,
    logger,
    ...publishing,
    epoch: 0,
    limits: config,
    schedule: scheduleTurnEnd,
    maySend: () => publication.maySend(),
  });
  const ingest = new VenueIngest({
    ...parts.feed,
    config: venueConfig,
    limits: config,
    clock,
    logger,
    publisher,
    emit: (event) => publication.emit(event),
    emitTick: (tick) => publication.emitTick(tick),
    onEnded: (instrument) => publication.retire(instrument),
    onChange: () => announced.announce(venue),
  });
  const { view } = ingest;
  const publication: VenuePublication = new VenuePublication({
    bus,
    clock,
    logger,
    publisherId,
    partition: partitionOf(venueConfig),
    publisher,
    streamed: view.streamed,
    market: view.listings.market,
    liveBookOf: view.liveBookOf,
    isOneVenue: !isOwnMarket(venueConfig),
    heartbeatMs: config.standby.heartbeatMs,
    newUuid: parts.newUuid,
    listener: {
      onTerm: () => announced.announce(venue),
      onTermOver: () => announced.leave(venue),
    },
  });
  return { ingest, publication };
}

function partitionOf({ id: venue, shard: text = "" }: VenueConfig): Partition {
  const shard = parseShard(text);
  return { venue, shardIndex: shard?.index ?? 0, shardCount: shard?.count ?? 0 };
}
