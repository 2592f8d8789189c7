import type { Clock } from "#core/clock.ts";
import { LatencyWindow } from "#core/latency-window.ts";
import type { StatePage, StateQuery, StateRows } from "#core/state-page.ts";
import type { Catalog } from "../catalog/catalog.ts";
import type { GatewayMetrics } from "../metrics.ts";
import type { Hub } from "../topics/hub.ts";
import type { TurnLine, Work } from "../turns/turns.ts";
import type { TopicRates } from "./topic-page.ts";

const LATENCY_PARTS = ["publishToReceive", "receiveToSocket", "socketToClient"] as const;

type VenuePageParts = {
  readonly catalog: Catalog;
  readonly hub: Pick<Hub, "each">;
  readonly metrics: Pick<GatewayMetrics, "latencies">;
  readonly clock: Clock;
  readonly line: TurnLine;
  readonly rates: TopicRates;
};

/** What the topics of one venue come to. */
type TopicSums = { topics: number; live: number; sessions: number; eventsPerSecond: number };

/**
 * `venues`: whom the gateway follows for each, what its topics come to, and how long its batches
 * took in the last seconds.
 */
export function venuePage(parts: VenuePageParts): StatePage {
  const { catalog, hub, clock, line, rates } = parts;
  const latenciesOf = venueLatencies(parts);
  function* page({ limit, after, parameters }: StateQuery): Work<StateRows> {
    const nowUs = clock.monotonicUs();
    const only = parameters.get("venue");
    const sums = new Map<string, TopicSums>();
    for (const { feed, holds } of hub.each()) {
      if (line.isOver) yield;
      const sum = sums.get(feed.name.venue) ?? emptySums(sums, feed.name.venue);
      sum.topics += 1;
      sum.sessions += holds;
      if (feed.state === "live") sum.live += 1;
      sum.eventsPerSecond += rates.of(feed, { value: feed.sequence, run: feed.epoch }, nowUs) ?? 0;
    }
    const rows: object[] = [];
    for (const venue of catalog.venues) {
      if (venue <= after || (only !== undefined && venue !== only)) continue;
      if (rows.length === limit) return { rows, next: lastVenueOf(rows) };
      if (line.isOver) yield;
      const { topics, live, sessions, eventsPerSecond } = sums.get(venue) ?? NO_TOPICS;
      rows.push({
        venue,
        ...followedOf(catalog, venue),
        instruments: catalog.sizeOf(venue),
        topics,
        topicsLive: live,
        sessions,
        eventsPerSecond: Math.round(eventsPerSecond * 10) / 10,
        latency: latenciesOf(venue, nowUs),
      });
    }
    return { rows, next: "" };
  }
  return { parameters: new Map([["venue", "any"]]), answer: (query) => line.run(page(query)) };
}

const NO_TOPICS: TopicSums = { topics: 0, live: 0, sessions: 0, eventsPerSecond: 0 };

function emptySums(sums: Map<string, TopicSums>, venue: string): TopicSums {
  const sum = { ...NO_TOPICS };
  sums.set(venue, sum);
  return sum;
}

function lastVenueOf(rows: readonly object[]): string {
  return (rows.at(-1) as { readonly venue: string }).venue;
}

/** Who publishes each part of a venue: one row, or one for each shard. */
function followedOf(catalog: Catalog, venue: string) {
  const publishers = catalog.partitionsOf(venue).map((partition) => {
    const { shardIndex, shardCount } = partition;
    const lostSinceTimeUs = catalog.partLostSinceUs(partition) ?? null;
    const publisher = catalog.publisherOfPart(partition);
    return {
      shard: shardCount === 0 ? null : `${shardIndex}/${shardCount}`,
      state: lostSinceTimeUs === null ? "followed" : "lost",
      lostSinceTimeUs,
      publisher: publisher?.publisherId ?? null,
      epoch: publisher?.epoch ?? null,
    };
  });
  const isLost = publishers.some(({ state }) => state === "lost");
  return { state: isLost ? "lost" : "followed", publishers };
}

/** The percentiles of each part of the way, of all channels of a venue together. */
function venueLatencies({ metrics }: Pick<VenuePageParts, "metrics">) {
  const windows = new Map<string, LatencyWindow>();
  return (venue: string, nowUs: number) => {
    const rows = [...metrics.latencies.rows()].filter(({ labels }) => labels.venue === venue);
    const read = LATENCY_PARTS.map((part) => {
      const key = `${venue} ${part}`;
      const window = windows.get(key) ?? new LatencyWindow();
      windows.set(key, window);
      const histograms = rows.map(({ latency }) => latency[part]);
      return [part, window.read(histograms, nowUs) ?? null] as const;
    });
    return Object.fromEntries(read);
  };
}
