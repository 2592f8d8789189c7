import type { VenueHealth } from "@tickwire/proto/service";
import type { Clock } from "#core/clock.ts";
import { LatencyWindow } from "#core/latency-window.ts";
import { SampledRates } from "#core/sampled-rates.ts";
import type { PublishLatencies } from "#publish/publish-latency.ts";

/** What is counted of a derived venue. */
type DerivedCounts = { readonly instruments: number; readonly events: number };

type DerivedHealthParts = {
  readonly venue: string;
  readonly publisherId: string;
  readonly counts: DerivedCounts;
  readonly latencies: PublishLatencies;
  readonly clock: Clock;
};

/**
 * How a derived venue does as a whole, as clients are told. It has no connection to lose and no
 * messages to reject: what its sources lack is said of each topic.
 */
export function derivedHealthMeter(parts: DerivedHealthParts): () => VenueHealth {
  const { venue, publisherId, counts, latencies, clock } = parts;
  const rates = new SampledRates();
  const published = new LatencyWindow();
  return () => {
    const nowUs = clock.monotonicUs();
    const { instruments, events } = counts;
    const rate = rates.of(counts, { value: events, run: 0 }, nowUs);
    const own = [...latencies.rows()].filter(({ labels }) => labels.venue === venue);
    return {
      venue,
      publisherId,
      connections: 0,
      connectionsOpen: 0,
      instruments,
      events,
      eventsPerMinute: rate === undefined ? undefined : Math.round(rate * 60),
      gaps: 0,
      resyncs: 0,
      rejected: 0,
      venueToReceived: undefined,
      receivedToPublished: published.read(
        own.map(({ latency }) => latency.receivedToPublished),
        nowUs,
      ),
      publishedToGateway: undefined,
      state: "TOPIC_STATE_LIVE",
      reason: "",
      sinceTimeUs: undefined,
    };
  };
}
