import type { VenueHealth } from "@tickwire/proto/service";
import type { Clock } from "#core/clock.ts";
import { LatencyWindow } from "#core/latency-window.ts";
import { SampledRates } from "#core/sampled-rates.ts";
import type { PublishLatencies } from "#publish/publish-latency.ts";
import type { MeasuredVenue } from "../metrics.ts";
import { unservedVenues } from "./subscription-health.ts";

/** How a venue does as a whole, and why it does not as it should. */
type Standing = Pick<VenueHealth, "state" | "reason">;

type VenueHealthParts = {
  readonly venue: MeasuredVenue;
  readonly publisherId: string;
  readonly latencies: PublishLatencies;
  readonly clock: Clock;
};

/**
 * How a venue does, as clients are told. Rates and percentiles are of the time since it was asked
 * for before, so everybody who asks has the same.
 */
export function venueHealthMeter(parts: VenueHealthParts): () => VenueHealth {
  const { venue: measured, publisherId, latencies, clock } = parts;
  const rates = new SampledRates();
  const [received, published] = [new LatencyWindow(), new LatencyWindow()];
  return () => {
    const { venue, counters, connections, connectionsOpen, instruments } = measured;
    const nowUs = clock.monotonicUs();
    const events = Object.values(counters.events).reduce((sum, count) => sum + count, 0);
    const rate = rates.of(measured, { value: events, run: 0 }, nowUs);
    const rows = [...latencies.rows()].filter(({ labels }) => labels.venue === venue);
    const own = rows.map(({ latency }) => latency);
    return {
      venue,
      publisherId,
      connections,
      connectionsOpen,
      instruments,
      events,
      eventsPerMinute: rate === undefined ? undefined : Math.round(rate * 60),
      gaps: counters.gaps,
      resyncs: counters.resyncs,
      rejected: Object.values(counters.rejected).reduce((sum, count) => sum + count, 0),
      venueToReceived: received.read(
        own.map((each) => each.venueToReceived),
        nowUs,
      ),
      receivedToPublished: published.read(
        own.map((each) => each.receivedToPublished),
        nowUs,
      ),
      publishedToGateway: undefined,
      ...standingOf(measured),
      sinceTimeUs: undefined,
    };
  };
}

/** Single instruments that are not served make no difference; clients see those by themselves. */
function standingOf(measured: MeasuredVenue): Standing {
  const { connections, connectionsOpen, instruments } = measured;
  if (instruments === 0) return { state: "TOPIC_STATE_SYNCING", reason: "starting" };
  if (connections > 0 && connectionsOpen === 0) {
    return { state: "TOPIC_STATE_DOWN", reason: "disconnected" };
  }
  if (connectionsOpen < connections) {
    return { state: "TOPIC_STATE_RESYNCING", reason: "reconnecting" };
  }
  if (unservedVenues([measured]).length > 0) {
    return { state: "TOPIC_STATE_STALE", reason: "subscriptions-unserved" };
  }
  return { state: "TOPIC_STATE_LIVE", reason: "" };
}
