import { InstrumentCatalog } from "#core/instrument-catalog.ts";
import { DERIVATIVE_CHANNELS, type Instrument } from "#core/instrument.ts";
import type { MarketEvent } from "#core/market-event.ts";
import type { MarketTick } from "#core/market-tick.ts";
import type { Publisher } from "#publish/publisher.ts";
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
import { CandleArchive } from "../feed/rest/candle-archive.ts";
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
import type { SaidState } from "./market-states.ts";
import { createVenueCounters } from "./venue-counters.ts";
import type { ClockState } from "./venue-clock.ts";
import { healthOf } from "./subscription-health.ts";
import { VenueDriver } from "./venue-driver.ts";
import { VenueMarket } from "./venue-market.ts";
import type { EndReason } from "./venue-market.ts";
import { VenueShard } from "./venue-shard.ts";
import { VenueSessions } from "./venue-sessions.ts";
import type { SessionOfPlan } from "./venue-sessions.ts";

/** How a venue is reached. */
export type VenueNetwork = { readonly dialer: FeedDialer; readonly restClient: RestClient };

type VenueIngestOptions = Omit<VenueContext, "endpoints" | "catalog" | "bookDepth"> & {
  readonly config: VenueConfig;
  readonly limits: IngestLimits;
  readonly network: VenueNetwork;
  /** What venues count for our address, shared by the venues of the process; own ones if absent. */
  readonly budgets?: AddressBudgets;
  /** What answers are given from. */
  readonly publisher: Publisher;
  readonly emit: (event: MarketEvent) => void;
  /** See `VenuePipeline`. */
  readonly emitTick?: (tick: MarketTick) => void;
  /** Everything about this instrument has been emitted. */
  readonly onEnded?: (instrument: Instrument) => void;
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
  readonly #shard: VenueShard;
  readonly #streamed: StreamedInstruments;
  readonly #listings: VenueListings;
  readonly #driver: VenueDriver<FeedSession>;
  readonly #snapshots: SnapshotFetcher;
  readonly #refresher: BookRefresher;
  readonly #address: AddressBudget;
  readonly #ownBudgets: AddressBudgets | undefined;
  readonly #prober: FeedProber;
  readonly #sessions: VenueSessions;
  readonly #rest: VenueRest;
  readonly #poller: RestPoller;
  readonly #archive: CandleArchive | undefined;
  readonly #market: VenueMarket;
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
    const tools = { clock, random, policy, logger };
    const context: VenueContext = { adapter, endpoints, catalog, bookDepth, ...tools };
    this.#context = context;
    const { counters } = this;
    const { restClient } = network;
    this.#listings = new VenueListings({ venue: this.venue, clock, emit: options.emit });
    this.#shard = new VenueShard({
      shard: config.shard,
      onListing: (change) => this.#listings.tell(change),
    });
    this.#streamed = new StreamedInstruments({
      onChange: options.onChange,
      onListing: (change) => this.#shard.tell(change),
    });
    this.#streamed.expectMore();
    const budgets = options.budgets ?? new AddressBudgets(context);
    this.#ownBudgets = options.budgets === undefined ? budgets : undefined;
    this.#address = budgets.of(adapter, endpoints);
    const pacer = this.#address.rest;
    this.#snapshots = new SnapshotFetcher({ ...context, restClient, counters, pacer });
    this.#rest = new VenueRest({ endpoints, restClient, snapshots: this.#snapshots });
    this.#driver = new VenueDriver({
      ...context,
      limits,
      counters,
      emit: options.emit,
      ...(options.emitTick === undefined ? {} : { emitTick: options.emitTick }),
      onClock: (state, offsetUs) => this.#onClock(state, offsetUs),
      onStates: (instruments) => this.#streamed.update(instruments, "state"),
      onDelisted: (instrument) => this.#market.end(instrument),
      onListChanged: () => this.#market.listAgain(),
    });
    this.#sessions = this.#createSessions();
    this.#refresher = this.#createRefresher();
    this.#prober = this.#createProber();
    this.#poller = new RestPoller({
      ...context,
      rest: this.#rest,
      decoder: adapter.createDecoder(context),
      counters,
      sink: this.#driver,
    });
    this.#market = this.#createMarket();
    this.#archive = this.#createArchive();
    this.view = {
      venue: this.venue,
      streamed: this.#streamed,
      listings: this.#listings,
      publisher: options.publisher,
      liveBookOf: (instrument) => this.#driver.pipeline.liveBookOf(instrument),
      candlePast: this.#archive,
    };
    this.whenStarted = this.#makeStarted();
  }

  /** How far the venue's clock is ahead of ours, in seconds; undefined while nothing tells. */
  get clockOffsetSeconds(): number | undefined {
    const { clockOffsetUs } = this.#driver.pipeline;
    return clockOffsetUs === undefined ? undefined : clockOffsetUs / 1e6;
  }

  get connections(): number {
    return this.#sessions.all.length;
  }

  get connectionsOpen(): number {
    return this.#sessions.all.filter((session) => session.isOpen).length;
  }

  get instruments(): number {
    return this.#streamed.size;
  }

  /** How each subscription does that a connection carries. */
  *eachSubscription(): Iterable<SubscriptionHealth> {
    const nowUs = this.#context.clock.monotonicUs();
    for (const { subscriptions } of this.#sessions.all) {
      for (const watched of subscriptions) yield healthOf(watched, nowUs);
    }
  }

  get subscriptions(): readonly SubscriptionHealth[] {
    return [...this.eachSubscription()];
  }

  get snapshotsPending(): number {
    return this.#snapshots.pendingCount;
  }

  /** Begins with the lists of instruments; everything after that goes by itself. */
  start(): void {
    this.#market.start();
  }

  /** Disconnects for good. Idempotent. */
  close(): void {
    this.#market.close();
    this.#listings.close();
    this.#sessions.close();
    this.#driver.close();
    this.#poller.close();
    this.#refresher.close();
    this.#snapshots.close();
    this.#prober.close();
    this.#archive?.close();
    this.#ownBudgets?.close();
    this.#options.network.restClient.close?.();
    this.#resolveStarted();
  }

  #makeStarted(): Promise<void> {
    return new Promise((resolve) => {
      this.#resolveStarted = resolve;
    });
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

  #createSessions(): VenueSessions {
    return new VenueSessions({
      ...this.#context,
      createSession: (plan, carrying) => this.#createSession(plan, carrying),
      within: (plans) => this.#withinAddress(plans),
      onAssigned: (session, subscriptions) => this.#driver.assignBooks(session, subscriptions),
      onFreed: (subscriptions) => this.#onFreed(subscriptions),
    });
  }

  #createRefresher(): BookRefresher {
    const { limits, network } = this.#options;
    return new BookRefresher({
      ...this.#context,
      restClient: network.restClient,
      counters: this.counters,
      snapshots: this.#snapshots,
      intervalMs: limits.bookRefreshIntervalMs,
      books: this.#driver.pipeline,
      deliver: (instrument, answer) =>
        this.#driver.bookSessionOf(instrument)?.deliverSnapshot(instrument, answer),
    });
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

  #createArchive(): CandleArchive | undefined {
    const { candleHistory: history } = this.#context.adapter;
    if (history === undefined) return undefined;
    const { clock } = this.#context;
    return new CandleArchive({
      ...this.#context,
      history,
      rest: this.#rest,
      counters: this.counters,
      venueNowUs: () => clock.nowUs() + (this.#driver.pipeline.clockOffsetUs ?? 0),
    });
  }

  #createMarket(): VenueMarket {
    const { config, limits } = this.#options;
    const { instrumentsIntervalMs = limits.instrumentsIntervalMs ?? 0 } = config;
    return new VenueMarket({
      ...this.#context,
      rest: this.#rest,
      counters: this.counters,
      intervalMs: instrumentsIntervalMs,
      onState: (instrument, said) => this.#onState(instrument, said),
      onUpdated: (instruments) => {
        this.#streamed.update(instruments, "details");
        this.#shard.update(instruments, "details");
      },
      onGone: (instruments, reason) => this.#onGone(instruments, reason),
      onListed: ({ complete }) => {
        this.#startSessions();
        if (!complete || this.#streamed.complete) return;
        this.#streamed.completed();
        this.#reportUnlisted();
      },
    });
  }

  /** Starts what is listed and not started yet. */
  #startSessions(): void {
    const wanted = this.#subscriptions();
    let planned: readonly FeedSubscription[] = [];
    // Until everything was listed once, what comes late gets connections of its own.
    const mayJoin = this.#streamed.complete;
    this.#sessions.start(wanted, { mayJoin }, (subscriptions) => {
      planned = subscriptions;
      this.#streamed.add(planned, candleIntervalsOf(this.#options.adapter));
      this.#refreshBooks(planned);
    });
    this.#poll(wanted, planned);
    for (const instrument of instrumentsOf(wanted)) this.#beginState(instrument);
    this.#resolveStarted();
  }

  /** What the list said of it is told now that it is followed. */
  #beginState(instrument: Instrument): void {
    const { state, stateWord: word } = instrument;
    if (state === undefined) this.#driver.settleState(instrument);
    else this.#driver.setState(instrument, { state, word });
  }

  #onState(instrument: Instrument, said: SaidState): void {
    if (this.#started.has(instrument)) this.#driver.setState(instrument, said);
    else Object.assign(instrument, { state: said.state, stateWord: said.word });
  }

  /** They have ended: whoever follows them is told, and nothing more is asked for them. */
  #onGone(instruments: readonly Instrument[], reason: EndReason): void {
    const { logger, onEnded } = this.#options;
    const symbols = instruments.slice(0, SYMBOLS_LOGGED_MAX).map(({ symbol }) => symbol);
    const fields = { venue: this.venue, count: instruments.length, symbols };
    logger.info({ ...fields, reason }, "instruments have ended");
    const started = instruments.filter((instrument) => this.#started.delete(instrument));
    this.#sessions.stop(started);
    for (const instrument of started) {
      this.#refresher.remove(instrument);
      this.#poller.remove(instrument);
      this.#driver.end(instrument, reason);
    }
    this.#streamed.remove(started, reason);
    this.#shard.remove(instruments, reason);
    for (const instrument of started) onEnded?.(instrument);
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

  #onFreed(subscriptions: readonly FeedSubscription[]): void {
    const { adapter, bookDepth } = this.#context;
    if (adapter.limits.address?.subscriptionsMax === undefined) return;
    const { length } = streamsOf(subscriptions, { adapter, bookDepth });
    this.#address.giveBackSubscriptions(length);
  }

  #createSession(plan: ConnectionPlan, carrying: Parameters<SessionOfPlan>[1]): FeedSession {
    const { dialer } = this.#options.network;
    return new FeedSession({
      ...this.#context,
      ...carrying,
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
    const isNew = (each: Instrument) => !this.#started.has(each) && !this.#shard.knows(each);
    const instruments = this.#wantedInstruments().filter(isNew);
    const ours = instruments.filter((each) => this.#shard.has(each));
    for (const instrument of ours) this.#started.add(instrument);
    const subscriptionsOf = (instrument: Instrument): FeedSubscription[] =>
      channels
        .filter((channel) => instrument.kind !== "spot" || !DERIVATIVE_CHANNELS.has(channel))
        .map((channel) => ({ instrument, channel }));
    const others = instruments.filter((each) => !this.#started.has(each));
    this.#shard.add(others.flatMap(subscriptionsOf));
    return ours.flatMap(subscriptionsOf);
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

/** Of instruments that ended together. */
const SYMBOLS_LOGGED_MAX = 10;

function instrumentsOf(subscriptions: readonly FeedSubscription[]): ReadonlySet<Instrument> {
  return new Set(subscriptions.map(({ instrument }) => instrument));
}

const CANDLE_INTERVALS_MS_DEFAULT: readonly number[] = [60_000];

function candleIntervalsOf({ candleIntervalsMs }: FeedAdapter): readonly number[] {
  return candleIntervalsMs ?? CANDLE_INTERVALS_MS_DEFAULT;
}
