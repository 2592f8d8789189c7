import { InstrumentCatalog } from "#core/instrument-catalog.ts";
import { DERIVATIVE_CHANNELS, type Instrument } from "#core/instrument.ts";
import type { MarketEvent } from "#core/market-event.ts";
import type { VenueView } from "#publish/query-responder.ts";
import { StreamedInstruments } from "#publish/streamed-instruments.ts";
import { VenueListings } from "#publish/venue-listings.ts";
import type { VenueConfig } from "../config.ts";
import { bookSyncOf } from "../feed/book-sync-of.ts";
import { FeedSession } from "../feed/connection/feed-session.ts";
import type { FeedDialer } from "../feed/connection/web-socket-dialer.ts";
import type { RestClient } from "../feed/rest/rest-client.ts";
import type { ConnectionPlan, FeedAdapter, FeedSubscription } from "../feed/feed-adapter.ts";
import { streamsOf } from "../feed/connection/refused-requests.ts";
import { BookRefresher } from "../feed/rest/book-refresher.ts";
import { type AddressBudget, AddressBudgets } from "../feed/rest/address-budget.ts";
import { FeedProber } from "../feed/rest/feed-prober.ts";
import { levelsTextOfBook } from "../feed/rest/probed-levels.ts";
import { resolveEndpoints } from "../feed/rest/resolve-endpoints.ts";
import { RestPoller } from "../feed/rest/rest-poller.ts";
import { SnapshotFetcher } from "../feed/rest/snapshot-fetcher.ts";
import { VenueRest } from "../feed/rest/venue-rest.ts";
import type { VenueContext } from "../feed/venue-context.ts";
import { fenceAdapter } from "../feed/venue-fence.ts";
import type { IngestLimits } from "../limits.ts";
import type { MeasuredVenue, SubscriptionHealth } from "../metrics.ts";
import { InstrumentLists } from "./instrument-lists.ts";
import { createVenueCounters } from "./venue-counters.ts";
import type { ClockState } from "./venue-clock.ts";
import { healthOf } from "./subscription-health.ts";
import { VenueDriver } from "./venue-driver.ts";

/** How a venue is reached. */
export type VenueNetwork = { readonly dialer: FeedDialer; readonly restClient: RestClient };

type VenueIngestOptions = Omit<VenueContext, "endpoints" | "catalog" | "bookDepth"> & {
  readonly config: VenueConfig;
  readonly limits: IngestLimits;
  readonly network: VenueNetwork;
  /** What venues count for our address, shared by the venues of the process; own ones if absent. */
  readonly budgets?: AddressBudgets;
  readonly emit: (event: MarketEvent) => void;
  /** What is streamed has changed. */
  readonly onChange: () => void;
};

/**
 * One venue: fetches its instruments, chooses those that are wanted, spreads them over connections,
 * and runs a session for each connection. What fails is tried again after growing waits, for as
 * long as it takes.
 */
export class VenueIngest implements MeasuredVenue {
  readonly venue: string;
  readonly counters = createVenueCounters();
  readonly view: VenueView;
  /** Resolves when the sessions have been started; they may still be connecting. */
  readonly whenStarted: Promise<void>;
  readonly #options: VenueIngestOptions;
  readonly #context: VenueContext;
  readonly #streamed: StreamedInstruments;
  readonly #listings: VenueListings;
  readonly #driver: VenueDriver<FeedSession>;
  readonly #snapshots: SnapshotFetcher;
  readonly #refresher: BookRefresher;
  readonly #address: AddressBudget;
  readonly #prober: FeedProber;
  readonly #sessions: FeedSession[] = [];
  readonly #rest: VenueRest;
  readonly #poller: RestPoller;
  readonly #lists: InstrumentLists;
  /** Instruments that are streamed already, so that a list that comes late adds only new ones. */
  readonly #started = new Set<Instrument>();
  #resolveStarted: () => void = () => {};

  constructor(options: VenueIngestOptions) {
    this.#options = options;
    const { clock, random, policy, logger, limits, config, network } = options;
    this.venue = options.adapter.venue;
    const adapter = fenceAdapter(options.adapter, (where, error) => this.#onFault(where, error));
    const catalog = new InstrumentCatalog({
      venue: this.venue,
      instrumentsMax: limits.instrumentsMax,
    });
    const endpoints = resolveEndpoints(adapter, config.endpoints);
    const { bookDepth } = config;
    const context: VenueContext = {
      adapter,
      endpoints,
      catalog,
      bookDepth,
      clock,
      random,
      policy,
      logger,
    };
    this.#context = context;
    const { counters } = this;
    const { restClient } = network;
    this.#listings = new VenueListings({ venue: this.venue, clock, emit: options.emit });
    this.#streamed = new StreamedInstruments({
      onChange: options.onChange,
      onListing: (change) => this.#listings.tell(change),
    });
    this.#streamed.expectMore();
    const budgets = options.budgets ?? new AddressBudgets({ clock, policy });
    this.#address = budgets.of(adapter, endpoints);
    const { rest: pacer } = this.#address;
    this.#snapshots = new SnapshotFetcher({ ...context, restClient, counters, pacer });
    this.#rest = new VenueRest({ endpoints, restClient, snapshots: this.#snapshots });
    this.#driver = new VenueDriver({
      ...context,
      limits,
      counters,
      emit: options.emit,
      onClock: (state, offsetUs) => this.#onClock(state, offsetUs),
    });
    this.#refresher = new BookRefresher({
      ...context,
      restClient,
      counters,
      snapshots: this.#snapshots,
      intervalMs: limits.bookRefreshIntervalMs,
      books: this.#driver.pipeline,
      deliver: (instrument, answer) =>
        this.#driver.bookSessionOf(instrument)?.deliverSnapshot(instrument, answer),
    });
    this.#prober = this.#createProber();
    this.#poller = new RestPoller({
      ...context,
      rest: this.#rest,
      decoder: adapter.createDecoder(context),
      counters,
      sink: this.#driver,
    });
    this.#lists = this.#createLists();
    this.view = {
      venue: this.venue,
      streamed: this.#streamed,
      listings: this.#listings,
      liveBookOf: (instrument) => this.#driver.pipeline.liveBookOf(instrument),
    };
    this.whenStarted = new Promise((resolve) => {
      this.#resolveStarted = resolve;
    });
  }

  /** How far the venue's clock is ahead of ours, in seconds; undefined while nothing tells. */
  get clockOffsetSeconds(): number | undefined {
    const { clockOffsetUs } = this.#driver.pipeline;
    return clockOffsetUs === undefined ? undefined : clockOffsetUs / 1e6;
  }

  get connections(): number {
    return this.#sessions.length;
  }

  get connectionsOpen(): number {
    return this.#sessions.filter((session) => session.isOpen).length;
  }

  get instruments(): number {
    return this.#streamed.size;
  }

  /** How each subscription does that a connection carries. */
  get subscriptions(): readonly SubscriptionHealth[] {
    const nowUs = this.#context.clock.monotonicUs();
    return this.#sessions.flatMap(({ subscriptions }) =>
      subscriptions.map((watched) => healthOf(watched, nowUs)),
    );
  }

  get snapshotsPending(): number {
    return this.#snapshots.pendingCount;
  }

  /** Begins with the lists of instruments; everything after that goes by itself. */
  start(): void {
    this.#lists.start();
  }

  /** Disconnects for good. Idempotent. */
  close(): void {
    this.#lists.close();
    this.#listings.close();
    for (const session of this.#sessions) session.close();
    this.#driver.close();
    this.#poller.close();
    this.#refresher.close();
    this.#snapshots.close();
    this.#prober.close();
    this.#options.network.restClient.close?.();
    this.#resolveStarted();
  }

  #onClock(state: ClockState, offsetUs: number): void {
    const { logger } = this.#options;
    const fields = { venue: this.venue, offsetSeconds: offsetUs / 1e6 };
    if (state === "right") logger.info(fields, "our clock and the venue's agree again");
    else if (state === "behind") logger.warn(fields, "our clock is behind the venue's");
    else logger.warn(fields, "our clock is ahead of the venue's, or its events are late");
  }

  #onFault(where: string, error: unknown): void {
    const { venue } = this;
    this.#options.logger.error({ venue, where, err: error }, "a venue's message broke its decoder");
  }

  #createProber(): FeedProber {
    const { pipeline } = this.#driver;
    return new FeedProber({
      ...this.#context,
      rest: this.#rest,
      decoder: this.#context.adapter.createDecoder(this.#context),
      counters: this.counters,
      onRejected: (reason) => this.#driver.onRejected(reason),
      ownLevels: (instrument, levelsMax) => {
        const book = pipeline.liveBookOf(instrument);
        return book && levelsTextOfBook(book, levelsMax);
      },
    });
  }

  #createLists(): InstrumentLists {
    const { logger, catalog } = this.#context;
    return new InstrumentLists({
      ...this.#context,
      rest: this.#rest,
      onPage: ({ instruments, skipped }) => {
        const { added, rejected } = catalog.add(instruments);
        logger.info({ venue: this.venue, added, rejected, skipped }, "instruments listed");
      },
      onReady: ({ complete }) => {
        this.#startSessions();
        if (!complete) return;
        this.#streamed.completed();
        this.#reportUnlisted();
      },
    });
  }

  /** Starts what is listed and not started yet. */
  #startSessions(): void {
    const { adapter, endpoints } = this.#context;
    const wanted = this.#subscriptions();
    const plans = this.#withinAddress(adapter.planConnections(wanted, endpoints));
    const planned = plans.flatMap(({ subscriptions }) => subscriptions);
    const started = plans.map((plan) => this.#createSession(plan));
    this.#streamed.add(planned, candleIntervalsOf(this.#options.adapter));
    this.#refreshBooks(planned);
    for (const session of started) session.start();
    this.#poll(wanted, planned);
    this.#resolveStarted();
  }

  /** Leaves out what the venue would not take from our address, and says so. */
  #withinAddress(plans: readonly ConnectionPlan[]): readonly ConnectionPlan[] {
    const { adapter, bookDepth, logger } = this.#context;
    if (adapter.limits.address?.subscriptionsMax === undefined) return plans;
    return plans.map((plan) => {
      const streams = streamsOf(plan.subscriptions, { adapter, bookDepth });
      const taken = this.#address.takeSubscriptions(streams.length);
      const left = streams.slice(taken).flat();
      if (left.length === 0) return plan;
      const fields = { venue: this.venue, subscriptions: left.length };
      logger.error(fields, "the venue takes no more subscriptions from one address");
      for (const { instrument, channel } of left) {
        this.#driver.onChannelState(instrument, channel, "down", "address-limit");
      }
      return { ...plan, subscriptions: streams.slice(0, taken).flat() };
    });
  }

  #createSession(plan: ConnectionPlan): FeedSession {
    const { dialer } = this.#options.network;
    const session = new FeedSession({
      ...this.#context,
      plan,
      network: {
        dialer,
        address: this.#address,
        snapshots: this.#snapshots,
        rest: this.#rest,
      },
      counters: this.counters,
      sink: this.#driver,
      prober: this.#prober,
    });
    this.#driver.assignBooks(session, plan.subscriptions);
    this.#sessions.push(session);
    return session;
  }

  #refreshBooks(subscriptions: readonly FeedSubscription[]): void {
    const { adapter, limits, config } = this.#options;
    if (limits.bookRefreshIntervalMs === 0) return;
    for (const { instrument, channel } of subscriptions) {
      if (channel !== "book") continue;
      if (bookSyncOf(adapter, instrument, config).snapshot === "rest") {
        this.#refresher.add(instrument);
      }
    }
  }

  /** Polls what is wanted and no connection carries, where the venue has it by REST. */
  #poll(wanted: readonly FeedSubscription[], planned: readonly FeedSubscription[]): void {
    const isPlanned = new StreamedInstruments();
    isPlanned.add(planned);
    for (const poll of this.#options.adapter.polls ?? []) {
      const polled = wanted.filter(
        ({ instrument, channel }) =>
          channel === poll.channel && !isPlanned.has(instrument, channel),
      );
      if (polled.length === 0) continue;
      this.#streamed.add(polled, candleIntervalsOf(this.#options.adapter));
      this.#poller.add(poll, polled);
    }
  }

  #subscriptions(): FeedSubscription[] {
    const { adapter, config } = this.#options;
    const channels = (config.channels ?? adapter.channels).filter((channel) =>
      adapter.channels.includes(channel),
    );
    const instruments = this.#wantedInstruments().filter((each) => !this.#started.has(each));
    for (const instrument of instruments) this.#started.add(instrument);
    return instruments.flatMap((instrument) =>
      channels
        .filter((channel) => instrument.kind !== "spot" || !DERIVATIVE_CHANNELS.has(channel))
        .map((channel) => ({ instrument, channel })),
    );
  }

  #wantedInstruments(): readonly Instrument[] {
    const { instruments } = this.#options.config;
    if (instruments.length === 0) return this.#context.catalog.all();
    return [...new Set(instruments.flatMap((name) => this.#named(name)))];
  }

  #reportUnlisted(): void {
    const { config, logger } = this.#options;
    for (const name of config.instruments) {
      if (this.#named(name).length > 0) continue;
      logger.error({ venue: this.venue, instrument: name }, "the venue lists no such instrument");
    }
  }

  #named(name: string): readonly Instrument[] {
    const bySymbol = this.#context.catalog.bySymbol(name);
    return bySymbol === undefined ? this.#context.catalog.allByVenueSymbol(name) : [bySymbol];
  }
}

const CANDLE_INTERVALS_MS_DEFAULT: readonly number[] = [60_000];

function candleIntervalsOf({ candleIntervalsMs }: FeedAdapter): readonly number[] {
  return candleIntervalsMs ?? CANDLE_INTERVALS_MS_DEFAULT;
}
