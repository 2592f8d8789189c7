import type { Clock } from "#core/clock.ts";
import { LatencyWindow } from "#core/latency-window.ts";
import { SampledRates } from "#core/sampled-rates.ts";
import type { ServiceState, StatePage, StateQuery, StateRows } from "#core/state-page.ts";
import type { PublishLatencies } from "#publish/publish-latency.ts";
import type { PublisherCounters } from "#publish/publisher.ts";
import { shardText } from "#publish/leadership/partition.ts";
import type { VenuePublication } from "#publish/venue-publication.ts";
import { scheduleTurnEnd } from "./turn-scheduler.ts";
import type { MeasuredVenue, SubscriptionHealth } from "./metrics.ts";

type IngestStateParts = {
  readonly publisherId: string;
  readonly venues: readonly MeasuredVenue[];
  /** Who publishes each venue, in the order of the venues. */
  readonly publications: readonly VenuePublication[];
  readonly counters: Readonly<PublisherCounters>;
  readonly latencies: PublishLatencies;
  readonly clock: Clock;
  /** Calls back at the end of the event loop's turn; so it does unless a test says otherwise. */
  readonly schedule?: (callback: () => void) => void;
};

const LATENCY_PARTS = ["venueToReceived", "receivedToPublished"] as const;

/** Subscriptions that are looked at in one turn of the event loop. */
const LOOKS_PER_TURN = 2_000;

/** What operators see of an ingestor. */
export function createIngestState(parts: IngestStateParts): ServiceState {
  const { publisherId, venues, publications, counters } = parts;
  const pages = new Map<string, StatePage>([
    ["publishers", publisherPage(parts)],
    ["feeds", feedPage(parts)],
  ]);
  const summary = (): Promise<object> => {
    const { events, batches, bytes, historyBytes } = counters;
    const leading = publications.filter(({ state }) => state === "leading").length;
    const counts = { events, batches, bytes, historyBytes };
    return Promise.resolve({ publisherId, venues: venues.length, leading, ...counts });
  };
  return { name: "ingest", summary, pages };
}

/** `publishers`: each venue that this process publishes, and how it does. */
function publisherPage({ venues, publications, latencies, clock }: IngestStateParts): StatePage {
  const rates = new SampledRates<MeasuredVenue>();
  const windows = new Map<string, LatencyWindow>();
  const latencyOf = (venue: string, nowUs: number) => {
    const rows = [...latencies.rows()].filter(({ labels }) => labels.venue === venue);
    const read = LATENCY_PARTS.map((part) => {
      const key = `${venue} ${part}`;
      const window = windows.get(key) ?? new LatencyWindow();
      windows.set(key, window);
      return [
        part,
        window.read(
          rows.map(({ latency }) => latency[part]),
          nowUs,
        ) ?? null,
      ] as const;
    });
    return Object.fromEntries(read);
  };
  const rowOf = (measured: MeasuredVenue, nowUs: number) => {
    const { venue, counters, connections, connectionsOpen, instruments } = measured;
    const publication = publications[venues.indexOf(measured)];
    const events = Object.values(counters.events).reduce((sum, count) => sum + count, 0);
    const rate = rates.of(measured, { value: events, run: 0 }, nowUs);
    return {
      venue,
      ...publicationRow(publication),
      connections,
      connectionsOpen,
      instruments,
      snapshotsPending: measured.snapshotsPending,
      events,
      eventsPerSecond: rate === undefined ? null : Math.round(rate * 10) / 10,
      gaps: counters.gaps,
      resyncs: counters.resyncs,
      rejected: Object.values(counters.rejected).reduce((sum, count) => sum + count, 0),
      disconnects: counters.disconnects,
      clockOffsetMs: offsetMs(measured.clockOffsetSeconds),
      latency: latencyOf(venue, nowUs),
    };
  };
  const answer = ({ limit, after, parameters }: StateQuery): Promise<StateRows> => {
    const nowUs = clock.monotonicUs();
    const only = parameters.get("venue");
    const wanted = venues
      .filter(({ venue }) => venue > after && (only === undefined || venue === only))
      .toSorted((a, b) => (a.venue < b.venue ? -1 : 1));
    const shown = wanted.slice(0, limit);
    const next = wanted.length > shown.length ? (shown.at(-1)?.venue ?? "") : "";
    return Promise.resolve({ rows: shown.map((venue) => rowOf(venue, nowUs)), next });
  };
  return { parameters: new Map([["venue", "any"]]), answer };
}

function publicationRow(publication: VenuePublication | undefined) {
  const { leader, partition, publisher, state } = publication ?? {};
  return {
    shard: partition === undefined ? "" : shardText(partition),
    role: state ?? "leading",
    roleForMs: leader === undefined ? null : Math.floor(leader.stateForMs),
    peers: leader?.peers.length ?? 0,
    epoch: publisher?.epoch ?? 0,
  };
}

function offsetMs(seconds: number | undefined): number | null {
  return seconds === undefined ? null : Math.round(seconds * 1_000);
}

/** `feeds`: what is subscribed at the venues, with the trouble that there is. */
function feedPage({ venues, schedule = scheduleTurnEnd }: IngestStateParts): StatePage {
  const answer = async ({ limit, after, parameters }: StateQuery): Promise<StateRows> => {
    const [venueIndex = 0, first = 0] = after === "" ? [] : after.split(":").map(Number);
    const rows: object[] = [];
    let looks = 0;
    for (const [venueAt, measured] of venues.entries()) {
      const { venue } = measured;
      if (venueAt < venueIndex || !isWanted(parameters.get("venue"), venue)) continue;
      let at = -1;
      for (const health of measured.eachSubscription()) {
        at += 1;
        looks += 1;
        if (looks % LOOKS_PER_TURN === 0) await new Promise<void>((resolve) => schedule(resolve));
        if (venueAt === venueIndex && at < first) continue;
        if (!matches(health, parameters)) continue;
        if (rows.length === limit) return { rows, next: `${venueAt}:${at}` };
        rows.push({ venue, ...health });
      }
    }
    return { rows, next: "" };
  };
  const parameters = new Map<string, readonly string[] | "any">([
    ["venue", "any"],
    ["symbol", "any"],
    ["channel", "any"],
    ["state", "any"],
    ["trouble", ["yes"]],
  ]);
  return { parameters, answer };
}

function matches(health: SubscriptionHealth, parameters: StateQuery["parameters"]): boolean {
  const { symbol, channel, state, trouble } = health;
  return (
    (parameters.get("trouble") === undefined || trouble !== "") &&
    isWanted(parameters.get("symbol"), symbol) &&
    isWanted(parameters.get("channel"), channel) &&
    isWanted(parameters.get("state"), state)
  );
}

function isWanted(wanted: string | undefined, value: string): boolean {
  return wanted === undefined || wanted === value;
}
