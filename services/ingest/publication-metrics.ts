import { Counter, Gauge } from "prom-client";
import type { Registry } from "prom-client";
import { shardText } from "#publish/leadership/partition.ts";
import type { VenuePublication } from "#publish/venue-publication.ts";

const STATES = ["probing", "standing-by", "claiming", "leading", "suspended", "closed"] as const;

type Labels = { readonly venue: string; readonly shard: string };

type Reading = {
  readonly name: string;
  readonly help: string;
  readonly read: (publication: VenuePublication) => number | undefined;
};

const GAUGES: readonly Reading[] = [
  {
    name: "tickwire_ingest_leadership_seconds",
    help: "For how long this ingestor has had its state in who publishes the venue.",
    read: ({ leader }) => (leader === undefined ? undefined : leader.stateForMs / 1_000),
  },
  {
    name: "tickwire_ingest_last_takeover_seconds",
    help: "Since this ingestor began to publish the venue; absent if it never did.",
    read: ({ leader }) =>
      leader?.takeoverAgoMs === undefined ? undefined : leader.takeoverAgoMs / 1_000,
  },
  {
    name: "tickwire_ingest_fencing_token",
    help: "Token of the term in which the venue is published, as far as it is known here.",
    read: ({ leader }) => leader?.token,
  },
  {
    name: "tickwire_ingest_peers",
    help: "Other ingestors that publish the venue or stand by for it.",
    read: ({ leader }) => leader?.peers.length,
  },
  {
    name: "tickwire_ingest_kept_events",
    help: "Events of the feed that wait because another ingestor publishes the venue.",
    read: ({ keptEvents }) => keptEvents,
  },
];

const COUNTERS: readonly Reading[] = [
  {
    name: "tickwire_ingest_takeovers_total",
    help: "Terms of the venue that this ingestor began to publish.",
    read: ({ leader }) => leader?.counters.takeovers,
  },
  {
    name: "tickwire_ingest_yields_total",
    help: "Terms that it ended because another ingestor took over.",
    read: ({ leader }) => leader?.counters.yields,
  },
  {
    name: "tickwire_ingest_suspensions_total",
    help: "Times that it stopped publishing until it knew whether another took over.",
    read: ({ leader }) => leader?.counters.suspensions,
  },
  {
    name: "tickwire_ingest_lease_claims_refused_total",
    help: "Claims to publish the venue that another ingestor's lease refused.",
    read: ({ leader }) => leader?.counters.claimsRefused,
  },
  {
    name: "tickwire_ingest_lease_failures_total",
    help: "Requests about the lease of the venue that nobody answered.",
    read: ({ leader }) =>
      leader === undefined
        ? undefined
        : leader.counters.claimsFailed + leader.counters.renewalsFailed,
  },
  {
    name: "tickwire_ingest_followed_events_total",
    help: "Events of the ingestor that publishes the venue, which this one follows.",
    read: ({ followed }) => followed.events,
  },
  {
    name: "tickwire_ingest_followed_holes_total",
    help: "Topics in which events of it were missed that it did not have any more.",
    read: ({ followed }) => followed.holesLeft,
  },
];

/** Registers who publishes what, read when it is asked for. */
export function registerPublicationMetrics(
  registry: Registry,
  publications: readonly VenuePublication[],
): void {
  const state: Gauge<"venue" | "shard" | "state"> = new Gauge({
    name: "tickwire_ingest_leadership",
    help: "1 for the state that this ingestor has in who publishes the venue; 0 for the others.",
    labelNames: ["venue", "shard", "state"],
    registers: [registry],
    collect: () => {
      for (const publication of publications) {
        for (const each of STATES) {
          state.set({ ...labelsOf(publication), state: each }, publication.state === each ? 1 : 0);
        }
      }
    },
  });
  for (const { name, help, read } of GAUGES) {
    const gauge: Gauge<"venue" | "shard"> = new Gauge({
      name,
      help,
      labelNames: ["venue", "shard"],
      registers: [registry],
      collect: () => {
        for (const publication of publications) {
          const value = read(publication);
          if (value !== undefined) gauge.set(labelsOf(publication), value);
        }
      },
    });
  }
  for (const { name, help, read } of COUNTERS) {
    const counter: Counter<"venue" | "shard"> = new Counter({
      name,
      help,
      labelNames: ["venue", "shard"],
      registers: [registry],
      collect: () => {
        counter.reset();
        for (const publication of publications) {
          counter.inc(labelsOf(publication), read(publication) ?? 0);
        }
      },
    });
  }
}

function labelsOf({ partition }: VenuePublication): Labels {
  return { venue: partition.venue, shard: shardText(partition) };
}
