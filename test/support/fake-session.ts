import type { MarketEvent, Status } from "#core/market-event.ts";
import type { FeedPolicy } from "#ingest/feed/feed-policy.ts";
import { FEED_POLICY_DEFAULTS } from "#ingest/feed/feed-policy.ts";
import { FeedSession } from "#ingest/feed/connection/feed-session.ts";
import { AddressBudget } from "#ingest/feed/rest/address-budget.ts";
import { FeedProber } from "#ingest/feed/rest/feed-prober.ts";
import { levelsTextOfBook } from "#ingest/feed/rest/probed-levels.ts";
import { SnapshotFetcher } from "#ingest/feed/rest/snapshot-fetcher.ts";
import { VenueRest } from "#ingest/feed/rest/venue-rest.ts";
import type { VenueContext } from "#ingest/feed/venue-context.ts";
import { createVenueCounters } from "#ingest/venue/venue-counters.ts";
import { VenueDriver } from "#ingest/venue/venue-driver.ts";
import {
  createFakeAdapter,
  FakeDialer,
  FakeRest,
  fakeCatalog,
  fakeSubscriptions,
} from "./fake-feed.ts";
import type { FakeAdapterOptions } from "./fake-feed.ts";
import { ManualClock } from "./manual-clock.ts";

export type FakeSessionOptions = FakeAdapterOptions & {
  /** Such as `["BTC-USD/book"]`. */
  readonly topics: readonly string[];
  /** Sessions to start; each has all topics. */
  readonly sessions?: number;
  /** The other address of every session. */
  readonly fallbackUrl?: string;
  readonly policy?: Partial<FeedPolicy>;
  /** Always this; 0.5 by default. */
  readonly random?: number;
};

/** A session with everything that it runs on, and the pipeline that it feeds. */
export function startFakeSession(options: FakeSessionOptions) {
  const clock = new ManualClock();
  const dialer = new FakeDialer();
  const rest = new FakeRest();
  const adapter = createFakeAdapter(options);
  const policy = { ...FEED_POLICY_DEFAULTS, ...options.policy };
  const symbols = new Set(options.topics.map((topic) => topic.split("/")[0] ?? ""));
  const catalog = fakeCatalog([...symbols]);
  const counters = createVenueCounters();
  const events: MarketEvent[] = [];
  const context: VenueContext = {
    adapter,
    endpoints: adapter.endpoints,
    catalog,
    bookDepth: 100,
    clock,
    random: () => options.random ?? 0.5,
    policy,
    logger: { debug() {}, info() {}, warn() {}, error() {} },
  };
  const limits = { bufferedDeltasMax: 100, recentTradeIdsMax: 100 };
  const driver = new VenueDriver<FeedSession>({
    ...context,
    limits,
    counters,
    emit: (event) => events.push(event),
  });
  const address = new AddressBudget({ limits: adapter.limits, clock, policy });
  const { rest: pacer } = address;
  const snapshots = new SnapshotFetcher({ ...context, restClient: rest, counters, pacer });
  const venueRest = new VenueRest({ endpoints: adapter.endpoints, restClient: rest, snapshots });
  const prober = new FeedProber({
    ...context,
    rest: venueRest,
    decoder: adapter.createDecoder(context),
    counters,
    onRejected: (reason) => driver.onRejected(reason),
    ownLevels: (instrument, levelsMax) => {
      const book = driver.pipeline.liveBookOf(instrument);
      return book && levelsTextOfBook(book, levelsMax);
    },
  });
  const subscriptions = fakeSubscriptions(catalog, options.topics);
  const sessions = Array.from({ length: options.sessions ?? 1 }, () => {
    const session = new FeedSession({
      ...context,
      plan: {
        url: adapter.endpoints.webSocket,
        ...(options.fallbackUrl === undefined ? {} : { fallbackUrl: options.fallbackUrl }),
        subscriptions,
      },
      network: { dialer, address, snapshots, rest: venueRest },
      counters,
      sink: driver,
      prober,
    });
    driver.assignBooks(session, subscriptions);
    session.start();
    return session;
  });
  /** `BTC-USD/book live synchronized` for each change of state, in order. */
  const statuses = (): string[] =>
    events
      .filter((event): event is Status => event.kind === "status")
      .map((s) => `${s.instrument.symbol}/${s.channel} ${s.state} ${s.reason}`);
  const ofKind = <Kind extends MarketEvent["kind"]>(kind: Kind) =>
    events.filter((event): event is Extract<MarketEvent, { kind: Kind }> => event.kind === kind);
  const first = sessions[0];
  if (first === undefined) throw new Error("no session");
  return {
    clock,
    dialer,
    rest,
    counters,
    events,
    context,
    driver,
    pipeline: driver.pipeline,
    catalog,
    statuses,
    ofKind,
    session: first,
    sessions,
    snapshots,
  };
}
