import { randomUUID } from "node:crypto";
import type { Registry } from "prom-client";
import type { Bus } from "#bus/bus.ts";
import type { StreamLog } from "#bus/stream-log.ts";
import { immediateScheduler } from "#gateway/turns/scheduler.ts";
import { ByteBudget } from "#core/byte-budget.ts";
import type { CandlePast } from "#core/candle-past.ts";
import type { Clock } from "#core/clock.ts";
import type { Logger } from "#core/logger.ts";
import type { ServiceState } from "#core/state-page.ts";
import { openClaims } from "#publish/leadership/open-claims.ts";
import { createPublishLatencies } from "#publish/publish-latency.ts";
import { PUBLISH_LIMITS_DEFAULTS } from "#publish/publish-limits.ts";
import { createPublisherCounters } from "#publish/publisher.ts";
import { CandleDesk } from "./candles/candle-desk.ts";
import type { DeriveConfig } from "./config.ts";
import { ConsolidatedDesk } from "./consolidated/consolidated-desk.ts";
import { createDeriveState } from "./derive-state.ts";
import { CONSOLIDATED_VENUE } from "./derived-names.ts";
import { registerDeriveMetrics } from "./metrics.ts";
import { DerivedVenue } from "./publishing/derived-venue.ts";
import type { PublishingParts } from "./publishing/derived-venue.ts";
import { MarketReader } from "./reading/market-reader.ts";
import { SourceQueries } from "./reading/source-queries.ts";

type DeriveOptions = {
  readonly config: DeriveConfig;
  /** Not closed by the deriver. */
  readonly bus: Bus;
  /** What outlived its publishers: with it, candles under way are whole after a restart. */
  readonly log?: StreamLog | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly registry: Registry;
  /** In [0, 1); Math.random by default. */
  readonly random?: () => number;
};

/** A deriver that reads and publishes. */
export type RunningDerive = {
  readonly publisherId: string;
  /** Whether anything that could be derived of has been found. */
  readonly hasSources: boolean;
  /** What operators see of it. */
  readonly state: ServiceState;
  /** Publishes what waits, and leaves. Idempotent. */
  close(): Promise<void>;
};

/** Starts to derive. What there is to derive of is found on the bus, now and later. */
export async function startDerive(options: DeriveOptions): Promise<RunningDerive> {
  const { config, bus, clock, logger, registry, random = Math.random } = options;
  const publisherId = `derive-${randomUUID()}`;
  const counters = createPublisherCounters();
  const latencies = createPublishLatencies();
  const { heartbeatMs, lease: mode, leaseReplicas: replicas } = config.standby;
  const isClosed = (): boolean => false;
  const claims = { bus, clock, logger, publisherId, mode, replicas, heartbeatMs, isClosed };
  const claimsOf = bus.kind === "memory" ? undefined : await openClaims(claims);
  const publishing: PublishingParts = {
    bus,
    clock,
    logger,
    publisherId,
    newUuid: randomUUID,
    counters,
    latencies,
    historyBudget: new ByteBudget({ bytesMax: config.historyTotalBytesMax }),
    limits: { ...PUBLISH_LIMITS_DEFAULTS, ...config },
    announceIntervalMs: config.announceIntervalMs,
    heartbeatMs,
    schedule: (callback) => immediateScheduler.endOfTurn(callback),
    claimsOf,
    shard: config.shard,
  };
  const reader = new MarketReader({ bus, clock, logger, random, limits: config, log: options.log });
  const candles = openCandles(options, { reader, publishing });
  const consolidated = openConsolidated(options, { reader, publishing });
  const parts = { publisherId, counters, reader, candles, consolidated };
  registerDeriveMetrics(registry, parts);
  candles?.start();
  consolidated.start();
  logger.info({ publisherId, candles: config.candles.enabled }, "deriving");
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    reader.close();
    candles?.close();
    consolidated.close();
    await bus.flush().catch(() => undefined);
    logger.info({ publisherId, events: counters.events }, "derive stopped");
  };
  return {
    publisherId,
    get hasSources() {
      return (candles?.instruments ?? 0) + consolidated.instruments > 0;
    },
    state: createDeriveState(parts),
    close: () => (closing ??= close()),
  };
}

type DeskParts = {
  readonly reader: MarketReader;
  readonly publishing: PublishingParts;
};

function openCandles(
  { config, bus, clock, logger }: DeriveOptions,
  { reader, publishing }: DeskParts,
): CandleDesk | undefined {
  if (!config.candles.enabled) return undefined;
  const { queryTimeoutMs } = config;
  const publisherOf = (venue: string, symbol: string) => reader.publisherOf(venue, symbol);
  const queries = new SourceQueries({ bus, queryTimeoutMs, publisherOf });
  const openVenue = (venue: string, candlePast: CandlePast): DerivedVenue => {
    return new DerivedVenue({ ...publishing, venue, candlePast });
  };
  return new CandleDesk({ reader, queries, clock, logger, config: config.candles, openVenue });
}

function openConsolidated(
  { config, clock, logger }: DeriveOptions,
  { reader, publishing }: DeskParts,
): ConsolidatedDesk {
  const { consolidated: definitions, sharedPairsMax } = config;
  const desk = { reader, clock, logger, definitions, sharedPairsMax };
  return new ConsolidatedDesk(desk, (liveBookOf) => {
    return new DerivedVenue({ ...publishing, venue: CONSOLIDATED_VENUE, liveBookOf });
  });
}
