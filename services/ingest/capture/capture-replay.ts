import type { Clock } from "#core/clock.ts";
import { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { Instrument } from "#core/instrument.ts";
import { CHANNEL_OF_KIND } from "#core/market-event.ts";
import type { MarketEvent } from "#core/market-event.ts";
import type { MarketTick } from "#core/market-tick.ts";
import type { FeedAdapter, FeedDecoder, RestPurpose, RestResponse } from "../feed/feed-adapter.ts";
import type { VenueContext } from "../feed/venue-context.ts";
import { fenceAdapter } from "../feed/venue-fence.ts";
import { FEED_POLICY_DEFAULTS } from "../feed/feed-policy.ts";
import { FeedSession } from "../feed/connection/feed-session.ts";
import { AddressBudget } from "../feed/rest/address-budget.ts";
import { SnapshotFetcher } from "../feed/rest/snapshot-fetcher.ts";
import { deliverText } from "../feed/connection/web-socket-dialer.ts";
import type { FeedSocketHandlers } from "../feed/connection/web-socket-dialer.ts";
import { INGEST_LIMITS_DEFAULTS } from "../limits.ts";
import type { Logger } from "#core/logger.ts";
import { createVenueCounters } from "../venue/venue-counters.ts";
import type { VenueCounters } from "../venue/venue-counters.ts";
import { VenueDriver } from "../venue/venue-driver.ts";
import type { CaptureRecord } from "./capture-format.ts";
import { CaptureNetwork } from "./capture-network.ts";
import { purposeOfRecorded } from "./recorded-purpose.ts";
import { VirtualClock } from "./virtual-clock.ts";

/** Connects are the recording's, not ours, so nothing paces them. */
const UNPACED = { count: 1_000_000_000, intervalMs: 1 };

type Connection = {
  readonly session: FeedSession;
  readonly url: string;
  handlers: FeedSocketHandlers | undefined;
};

/** A book snapshot that came before the first connection. */
type EarlySnapshot = { readonly instrument: Instrument; readonly response: RestResponse };

/**
 * Feeds the lines of one capture to the driver, adapter, normalizer and books that a live feed goes
 * through. Time is the recording's: before each line, the timers that were due by then fire.
 *
 * An `open` line becomes a session, or resumes the session of the same address that lost its
 * connection. A REST answer goes to whoever asked for that snapshot, or to the book itself if
 * nobody did; what a REST answer tells of other channels goes on like the data of a connection.
 * What was subscribed shows in the data.
 */
export class CaptureReplay {
  readonly catalog: InstrumentCatalog;
  readonly counters: VenueCounters;
  readonly driver: VenueDriver<FeedSession>;
  readonly #adapter: FeedAdapter;
  readonly #context: VenueContext;
  readonly #clock = new VirtualClock({ nowUs: 0 });
  readonly #network: CaptureNetwork;
  readonly #snapshots: SnapshotFetcher;
  readonly #address: AddressBudget;
  readonly #sessions: FeedSession[] = [];
  readonly #connections = new Map<number, Connection>();
  /** For answers that belong to no connection. */
  #restDecoder: FeedDecoder | undefined;
  /** Snapshots that came before the first connection. */
  #earlySnapshots: EarlySnapshot[] = [];
  /** Something between the last line and the next could not be read. */
  #skipped = false;

  constructor(options: {
    readonly adapter: FeedAdapter;
    readonly bookDepth: number;
    readonly logger: Logger;
    readonly emit: (event: MarketEvent) => void;
    /** See `VenuePipeline`. */
    readonly emitTick?: (tick: MarketTick) => void;
  }) {
    const { bookDepth, logger, emit, emitTick } = options;
    const { venue } = options.adapter;
    const adapter = fenceAdapter(options.adapter, (where, err) =>
      logger.error({ venue, where, err }, "a recorded message broke its decoder"),
    );
    this.#adapter = adapter;
    this.counters = createVenueCounters();
    const clock = this.#clock;
    this.catalog = new InstrumentCatalog({
      venue: adapter.venue,
      instrumentsMax: INGEST_LIMITS_DEFAULTS.instrumentsMax,
      derive: (venueSymbol, venueMarket) => adapter.deriveInstrument(venueSymbol, venueMarket),
    });
    this.#network = new CaptureNetwork({
      recordedRequest: (url) => adapter.recordedRequest(url),
    });
    const context: VenueContext = {
      adapter,
      endpoints: adapter.endpoints,
      catalog: this.catalog,
      bookDepth,
      clock,
      random: () => 0.5,
      policy: FEED_POLICY_DEFAULTS,
      logger,
    };
    this.#context = context;
    const { counters } = this;
    const limits = { ...adapter.limits, connects: UNPACED, address: {} };
    this.#address = new AddressBudget({ limits, clock, policy: context.policy });
    const { rest: pacer } = this.#address;
    this.#snapshots = new SnapshotFetcher({
      ...context,
      restClient: this.#network,
      counters,
      pacer,
    });
    this.driver = new VenueDriver({
      ...context,
      limits: INGEST_LIMITS_DEFAULTS,
      counters,
      emit,
      ...(emitTick === undefined ? {} : { emitTick }),
    });
  }

  /** The recording's time. */
  get clock(): Clock {
    return this.#clock;
  }

  /** A line of the recording could not be read. */
  skip(): void {
    this.#skipped = true;
  }

  /** Takes the next line of the recording. */
  take(line: CaptureRecord): void {
    this.#clock.advanceTo(line.atUs);
    if (this.#skipped) this.#onSkipped();
    switch (line.kind) {
      case "received":
        this.#receive(line);
        return;
      case "open":
        this.#open(line.connection, line.url);
        return;
      case "sent":
        this.#connections.get(line.connection)?.session.noteSent(line.text);
        return;
      case "http":
        this.#onRestAnswer({ url: line.url, status: line.status, body: line.body });
        return;
      case "close":
        this.#close(line.connection, line.code);
    }
  }

  /** Takes the next line, which is a frame of text, as the bytes that its socket had. */
  takeText({ atUs, connection }: { atUs: number; connection: number }, bytes: Uint8Array): void {
    this.#clock.advanceTo(atUs);
    if (this.#skipped) this.#onSkipped();
    const { handlers } = this.#connections.get(connection) ?? this.#open(connection, "");
    if (handlers !== undefined) deliverText(handlers, bytes);
  }

  /** Ends every session. */
  close(): void {
    for (const session of this.#sessions) session.close();
    this.driver.close();
    this.#snapshots.close();
    this.#address.close();
  }

  /**
   * Any book that nothing numbers may lack what the line held. At the end of a recording that was
   * cut off, nothing is behind the line and so nothing is missing.
   */
  #onSkipped(): void {
    this.#skipped = false;
    this.driver.resyncUnnumbered("damaged-message");
  }

  #receive({ connection, frame }: Extract<CaptureRecord, { kind: "received" }>): void {
    const { handlers } = this.#connections.get(connection) ?? this.#open(connection, "");
    if (handlers === undefined) return;
    // A live feed has its frames as bytes too.
    if (typeof frame === "string") deliverText(handlers, Buffer.from(frame));
    else handlers.onFrame(frame);
  }

  #open(id: number, url: string): Connection {
    // A recording that was cut in the middle reuses the number without closing it first.
    if (this.#connections.has(id)) this.#close(id, 1006);
    const session = this.#sessionFor(url);
    session.connectNow();
    const connection = { session, url, handlers: this.#network.takeDial(session.plan.url) };
    this.#connections.set(id, connection);
    connection.handlers?.onOpen();
    const early = this.#earlySnapshots;
    this.#earlySnapshots = [];
    for (const { instrument, response } of early) this.#deliverUnasked(instrument, response);
    return connection;
  }

  /** The session that lost its connection to this address, or a new one. */
  #sessionFor(url: string): FeedSession {
    const inUse = new Set([...this.#connections.values()].map(({ session }) => session));
    const address = this.#addressOf(url);
    const waiting = this.#sessions.find(
      (session) => this.#addressOf(session.plan.url) === address && !inUse.has(session),
    );
    if (waiting !== undefined) return waiting;
    const session: FeedSession = new FeedSession({
      ...this.#context,
      plan: { url, subscriptions: [] },
      network: {
        dialer: this.#network,
        address: this.#address,
        snapshots: this.#snapshots,
      },
      counters: this.counters,
      sink: this.driver,
      onLearnt: (subscription) => this.driver.assignBooks(session, [subscription]),
      recorded: true,
    });
    this.#sessions.push(session);
    session.start();
    return session;
  }

  /** Where the venue hands out addresses, each holds what is different for every connection. */
  #addressOf(url: string): string {
    const isHandedOut = this.#adapter.connectRequest !== undefined;
    return isHandedOut ? (url.split("?", 1)[0] ?? url) : url;
  }

  #close(id: number, code: number): void {
    const connection = this.#connections.get(id);
    this.#connections.delete(id);
    connection?.handlers?.onClose(code, "recorded");
  }

  #onRestAnswer(response: RestResponse): void {
    const request = this.#adapter.recordedRequest(response.url);
    if (request?.kind === "instruments") {
      const list =
        response.status === 200
          ? this.#adapter.parseInstruments(response.body, response.url)
          : undefined;
      if (list !== undefined) this.catalog.add(list.instruments);
      return;
    }
    if (this.#network.answer(response) || response.status !== 200) return;
    if (request === undefined) {
      if (!this.#isAboutConnections(response)) this.driver.onRejected("unknown-message");
      return;
    }
    const purpose = purposeOfRecorded(request, this.catalog);
    if (purpose === undefined) this.driver.onRejected("unknown-instrument");
    else if (purpose.kind === "book-snapshot") this.#deliverUnasked(purpose.instrument, response);
    else this.#decodeRest(purpose, response);
  }

  /** An answer that says where to connect or what time it is, not what the market does. */
  #isAboutConnections({ url, body }: RestResponse): boolean {
    const adapter = this.#adapter;
    if (adapter.serverTimeRequest?.(adapter.endpoints).url === url) return true;
    const plan = { url, subscriptions: [] };
    return adapter.parseConnection?.(body, { plan, connectionId: "replay" }) !== undefined;
  }

  /** A polled channel, or trades that the recording's client asked for. */
  #decodeRest(purpose: RestPurpose, { body }: RestResponse): void {
    const { driver } = this;
    this.#restDecoder ??= this.#adapter.createDecoder(this.#context);
    this.#restDecoder.decodeRest({ purpose, body }, this.#clock.nowUs(), (event) => {
      if (event.kind === "rejected") {
        driver.onRejected(event.reason, event.instrument, event.channel);
      } else if (event.kind === "trade") {
        // Where in the stream they belong is not recorded.
        driver.onData(event.historical ? event : { ...event, historical: true });
      } else if ("receivedTimeUs" in event && event.kind !== "raw-book") {
        driver.onChannelState(event.instrument, CHANNEL_OF_KIND[event.kind], "live", "data");
        driver.onData(event);
      }
    });
  }

  #deliverUnasked(instrument: Instrument, response: RestResponse): void {
    const session =
      this.driver.bookSessionOf(instrument) ?? this.#sessions.find((each) => each.isOpen);
    if (session === undefined) this.#earlySnapshots.push({ instrument, response });
    else session.deliverSnapshot(instrument, response);
  }
}
