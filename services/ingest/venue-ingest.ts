import { backoffDelayMs } from "#core/backoff.ts";
import type { CancelTimer, Clock } from "#core/clock.ts";
import { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { Channel, Instrument } from "#core/instrument.ts";
import type { MarketEvent } from "#core/market-event.ts";
import type { VenueConfig } from "./config.ts";
import { BookRefresher } from "./feed/book-refresher.ts";
import type {
  FeedAdapter,
  FeedEndpoints,
  FeedSubscription,
  RestRequest,
} from "./feed/feed-adapter.ts";
import type { FeedPolicy } from "./feed/feed-policy.ts";
import { FeedSession } from "./feed/feed-session.ts";
import { RequestPacer } from "./feed/request-pacer.ts";
import { SnapshotFetcher } from "./feed/snapshot-fetcher.ts";
import type { FeedDialer, RestAnswer, RestClient } from "./feed/web-socket-dialer.ts";
import type { IngestLimits } from "./limits.ts";
import type { Logger } from "./logger.ts";
import type { MeasuredVenue } from "./metrics.ts";
import type { VenueView } from "./query-responder.ts";
import { StreamedInstruments } from "./streamed-instruments.ts";
import { createVenueCounters } from "./venue-counters.ts";
import { VenuePipeline } from "./venue-pipeline.ts";

/** Channels that only derivatives have. */
const DERIVATIVE_CHANNELS: ReadonlySet<Channel> = new Set<Channel>([
  "funding",
  "mark-price",
  "open-interest",
  "liquidations",
]);

export type VenueIngestOptions = {
  readonly config: VenueConfig;
  readonly adapter: FeedAdapter;
  readonly limits: IngestLimits;
  readonly policy: FeedPolicy;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly dialer: FeedDialer;
  readonly restClient: RestClient;
  readonly logger: Logger;
  readonly emit: (event: MarketEvent) => void;
  /** What is streamed has changed. */
  readonly onChange: () => void;
};

/**
 * One venue: fetches its instruments, chooses those that are wanted, spreads them over connections
 * and runs a session for each. What fails is tried again, for as long as it takes, with growing
 * waits.
 */
export class VenueIngest implements MeasuredVenue {
  readonly venue: string;
  readonly counters = createVenueCounters();
  readonly view: VenueView;
  /** Resolves when the sessions have been started; they may still be connecting. */
  readonly whenStarted: Promise<void>;
  readonly #options: VenueIngestOptions;
  readonly #catalog: InstrumentCatalog;
  readonly #endpoints: FeedEndpoints;
  readonly #streamed: StreamedInstruments;
  readonly #pipeline: VenuePipeline;
  readonly #snapshots: SnapshotFetcher;
  readonly #refresher: BookRefresher;
  readonly #connectPacer: RequestPacer;
  readonly #sessions: FeedSession[] = [];
  #resolveStarted: () => void = () => {};
  /** Lists of instruments that are still to be asked for. */
  readonly #lists: RestRequest[] = [];
  #attempt = 0;
  #cancelRetry: CancelTimer | undefined;
  #closed = false;

  constructor(options: VenueIngestOptions) {
    this.#options = options;
    const { adapter, clock, random, policy, limits, logger, restClient, config } = options;
    this.venue = adapter.venue;
    this.#endpoints = {
      webSocket: config.endpoints.webSocket ?? adapter.endpoints.webSocket,
      rest: config.endpoints.rest ?? adapter.endpoints.rest,
    };
    this.#catalog = new InstrumentCatalog({
      venue: adapter.venue,
      instrumentsMax: limits.instrumentsMax,
    });
    this.#streamed = new StreamedInstruments(options.onChange);
    this.#connectPacer = new RequestPacer({
      limit: adapter.limits.connects,
      clock,
      waitingMax: policy.connectsWaitingMax,
    });
    const counters = this.counters;
    const endpoints = this.#endpoints;
    this.#snapshots = new SnapshotFetcher({
      adapter,
      endpoints,
      restClient,
      clock,
      random,
      policy,
      logger,
      counters,
    });
    const { bufferedDeltasMax, recentTradeIdsMax } = limits;
    this.#pipeline = new VenuePipeline({
      adapter,
      clock,
      counters,
      bufferedDeltasMax,
      recentTradeIdsMax,
      emit: options.emit,
    });
    this.#refresher = new BookRefresher({
      adapter,
      endpoints,
      restClient,
      clock,
      random,
      policy,
      logger,
      counters,
      snapshots: this.#snapshots,
      intervalMs: limits.bookRefreshIntervalMs,
      books: this.#pipeline.books,
      deliver: (instrument, answer) =>
        this.#pipeline.bookSessionOf(instrument)?.deliverSnapshot(instrument, answer),
    });
    this.view = {
      venue: this.venue,
      streamed: this.#streamed,
      liveBookOf: (instrument) => this.#pipeline.books.liveBookOf(instrument),
    };
    this.whenStarted = new Promise((resolve) => {
      this.#resolveStarted = resolve;
    });
  }

  get connections(): number {
    return this.#sessions.length;
  }

  get connectionsOpen(): number {
    return this.#sessions.filter((session) => session.isOpen).length;
  }

  get instruments(): number {
    return this.#streamed.all().length;
  }

  get snapshotsPending(): number {
    return this.#snapshots.pendingCount;
  }

  /** Begins with the list of instruments; everything after that goes by itself. */
  start(): void {
    this.#lists.push(...this.#options.adapter.instrumentsRequests(this.#endpoints));
    this.#listNext();
  }

  /** Disconnects for good. Idempotent. */
  close(): void {
    this.#closed = true;
    this.#cancelRetry?.();
    for (const session of this.#sessions) session.close();
    this.#refresher.close();
    this.#snapshots.close();
    this.#connectPacer.close();
    this.#options.restClient.close?.();
    this.#resolveStarted();
  }

  /** One list after the other; the sessions start when none is left. */
  #listNext(): void {
    const { restClient } = this.#options;
    const request = this.#lists[0];
    if (request === undefined) {
      this.#startSessions();
      return;
    }
    this.#snapshots.pacer.submit(request.weight, () => {
      restClient.get(
        request,
        (answer) => this.#onInstruments(request, answer),
        (reason) => this.#retry(reason),
      );
    });
  }

  #onInstruments(request: RestRequest, answer: RestAnswer): void {
    if (this.#closed) return;
    const { adapter, logger } = this.#options;
    this.#snapshots.noteLimits(answer);
    const list =
      answer.status === 200 ? adapter.parseInstruments(answer.body, request.url) : undefined;
    if (list === undefined) {
      this.#retry(`status ${answer.status}`);
      return;
    }
    const { added, rejected } = this.#catalog.add(list.instruments);
    const { venue } = this;
    logger.info({ venue, added, rejected, skipped: list.skipped }, "instruments listed");
    this.#lists.shift();
    const next = adapter.nextInstrumentsRequest?.(request, answer.body);
    if (next !== undefined) this.#lists.unshift(next);
    this.#attempt = 0;
    this.#listNext();
  }

  #retry(reason: string): void {
    if (this.#closed) return;
    const { clock, policy, random, logger } = this.#options;
    logger.warn({ venue: this.venue, reason }, "instruments could not be listed");
    const delayMs = backoffDelayMs({
      attempt: this.#attempt,
      limits: { baseMs: policy.reconnectBackoffBaseMs, maxMs: policy.reconnectBackoffMsMax },
      random,
    });
    this.#attempt += 1;
    this.#cancelRetry = clock.after(delayMs, () => this.#listNext());
  }

  #startSessions(): void {
    const { adapter } = this.#options;
    const subscriptions = this.#subscriptions();
    for (const plan of adapter.planConnections(subscriptions, this.#endpoints)) {
      const { clock, random, dialer, policy, logger, config } = this.#options;
      const session = new FeedSession({
        adapter,
        plan,
        clock,
        random,
        dialer,
        policy,
        logger,
        bookDepth: config.bookDepth,
        catalog: this.#catalog,
        connectPacer: this.#connectPacer,
        snapshots: this.#snapshots,
        counters: this.counters,
        sink: this.#pipeline,
      });
      this.#pipeline.assignBooks(session, plan.subscriptions);
      this.#sessions.push(session);
    }
    this.#streamed.add(subscriptions);
    this.#refreshBooks(subscriptions);
    for (const session of this.#sessions) session.start();
    this.#resolveStarted();
  }

  #refreshBooks(subscriptions: readonly FeedSubscription[]): void {
    const { adapter, limits } = this.#options;
    if (adapter.bookSync.snapshot !== "rest" || limits.bookRefreshIntervalMs === 0) return;
    for (const { instrument, channel } of subscriptions) {
      if (channel === "book") this.#refresher.add(instrument);
    }
  }

  #subscriptions(): FeedSubscription[] {
    const { adapter, config } = this.#options;
    const channels = (config.channels ?? adapter.channels).filter((channel) =>
      adapter.channels.includes(channel),
    );
    return this.#wantedInstruments().flatMap((instrument) =>
      channels
        .filter((channel) => instrument.kind !== "spot" || !DERIVATIVE_CHANNELS.has(channel))
        .map((channel) => ({ instrument, channel })),
    );
  }

  #wantedInstruments(): readonly Instrument[] {
    const { config, logger } = this.#options;
    if (config.instruments.length === 0) return this.#catalog.all();
    const wanted = new Set<Instrument>();
    for (const name of config.instruments) {
      const bySymbol = this.#catalog.bySymbol(name);
      const found = bySymbol === undefined ? this.#catalog.allByVenueSymbol(name) : [bySymbol];
      for (const instrument of found) wanted.add(instrument);
      if (found.length === 0)
        logger.error({ venue: this.venue, instrument: name }, "the venue lists no such instrument");
    }
    return [...wanted];
  }
}
