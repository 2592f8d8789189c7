import type { FeedDialer, FeedSocketHandlers } from "#ingest/feed/connection/web-socket-dialer.ts";
import type { RestRequest } from "#ingest/feed/feed-adapter.ts";
import type { RestAnswer, RestClient } from "#ingest/feed/rest/rest-client.ts";
import type {
  Dialect,
  DialectConnection,
  Frame,
  MadeTrade,
  ScriptedRequest,
  ScriptedState,
} from "./dialects/dialect.ts";
import { levelsAnswer } from "./dialects/levels.ts";
import { refusalFrames, type RefusalKind, separated } from "./dialects/refusals.ts";
import { readSummaries, type SummaryChannel, summaryFrames } from "./dialects/summaries.ts";
import { DIALECTS, type ScriptedVenueId } from "./dialects/registry.ts";
import type { ManualClock } from "./manual-clock.ts";
import { ScriptedMarket } from "./scripted-venue-market.ts";

// A scripted venue without sockets: the clock alone moves it, so that hours of a bad day take
// milliseconds and are the same every time.

/** What becomes of a request to subscribe. */
type RequestFate =
  | "answered"
  /** It never reached the venue. */
  | "request-lost"
  /** The venue serves it, and its answer never came. */
  | "answer-lost"
  /** Refused as a whole, in the venue's words. */
  | `refused-${RefusalKind}`;

/** A channel that is served: every dialect's, and those that follow from a book. */
type Served = "book" | "trades" | SummaryChannel;

type ExchangeOptions = {
  readonly venue: ScriptedVenueId;
  readonly bases: readonly string[];
  readonly seed: number;
  readonly clock: ManualClock;
  readonly webSocketUrl: string;
};

type Connection = DialectConnection & {
  readonly handlers: FeedSocketHandlers;
  readonly subscribed: Set<string>;
  readonly openedUs: number;
  isOpen: boolean;
};

/** Under this dialects remember the last number of a connection. */
const SEQUENCE = "sequence";

/** Among what a connection is subscribed to: the states of instruments. */
const MARKET = "market";

const NOBODY: ReadonlySet<string> = new Set();

/** Between the two ends, in manual time. */
const LATENCY_MS = 5;
const LISTED_TRADES_MAX = 100;

/** The venue's end of everything that an ingestor asks. */
export class ScriptedExchange implements FeedDialer, RestClient {
  readonly dialect: Dialect;
  /** Decides what becomes of each request to subscribe, by its frame. */
  fateOf: (frame: string) => RequestFate = () => "answered";
  /** Of a request whose names the venue answers one by one, which are refused. */
  refusesName: (name: string) => boolean = () => true;
  /** Frames that a client may send in a second over all of its connections; more cut them. */
  messagesPerSecondMax = Infinity;
  /** Connections that may be open at once; more are cut. */
  connectionsMax = Infinity;
  /** How often a client was cut for either. */
  cuts = 0;
  mostConnections = 0;
  readonly #options: ExchangeOptions;
  readonly #markets = new Map<string, ScriptedMarket>();
  readonly #connections = new Set<Connection>();
  readonly #trades = new Map<string, MadeTrade[]>();
  /** By `channel SYMBOL`: on connections that were opened before this it is not served. */
  readonly #mutedUntilUs = new Map<string, number>();
  readonly #sentUs: number[] = [];

  constructor(options: ExchangeOptions) {
    this.#options = options;
    this.dialect = DIALECTS[options.venue];
    for (const base of options.bases) this.list(base);
  }

  /** Lists one more instrument from now on; nobody is told but those who ask. Its symbol. */
  list(base: string): string {
    const { depth, priceScale, sizeScale, quote } = this.dialect;
    const seed = this.#options.seed + this.#markets.size * 7919;
    const market = new ScriptedMarket({ base, quote, seed, depth, priceScale, sizeScale });
    const symbol = this.dialect.venueSymbol(market);
    this.#markets.set(symbol, market);
    return symbol;
  }

  /** Lists it no more, and sends nothing more of it. */
  delist(symbol: string): void {
    this.#market(symbol);
    this.#markets.delete(symbol);
    for (const { subscribed } of this.#connections) {
      for (const channel of ["book", "trades"]) subscribed.delete(`${channel} ${symbol}`);
    }
  }

  /** Tells those who asked for it what one can do with an instrument now, in the venue's words. */
  sayState(symbol: string, state: ScriptedState): void {
    this.#sayToMarket(this.dialect.market?.stateFrame(symbol, state));
  }

  /** Tells them that its work on its systems begins or has ended. */
  sayMaintenance(isOver: boolean): void {
    this.#sayToMarket(this.dialect.market?.maintenanceFrame?.(isOver));
  }

  #sayToMarket(frame: Frame | undefined): void {
    if (frame === undefined) return;
    for (const each of this.#connections) {
      if (each.subscribed.has(MARKET)) this.#deliver(each, [frame]);
    }
  }

  get symbols(): readonly string[] {
    return [...this.#markets.keys()];
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  /** Tickwire's symbol. */
  tickwireSymbolOf(symbol: string): string {
    return this.dialect.symbol(this.#market(symbol));
  }

  /** True if changes of this reach somebody. */
  isServed(symbol: string, channel: Served): boolean {
    return this.#receiversOf(channel, symbol).length > 0;
  }

  /**
   * From now on nothing is sent of a channel, whatever is subscribed: on connections that are
   * opened before this time, or on all of them.
   */
  mute(symbol: string, channel: Served, openedBeforeUs: number = Infinity): void {
    this.#mutedUntilUs.set(`${channel} ${symbol}`, openedBeforeUs);
  }

  sendDelta(symbol: string): void {
    const market = this.#market(symbol);
    const delta = market.step();
    const frames = this.dialect.deltaFrames(symbol, delta, market.book(), this.#nowUs());
    for (const each of this.#receiversOf("book", symbol)) this.#send(each, "book", symbol, frames);
  }

  sendTrade(symbol: string): void {
    const trade = this.#market(symbol).trade();
    const made = this.#trades.get(symbol) ?? [];
    made.push({ ...trade, timeUs: this.#nowUs() });
    this.#trades.set(symbol, made.slice(-LISTED_TRADES_MAX));
    const frames = this.dialect.tradeFrames(symbol, trade, this.#nowUs());
    for (const each of this.#receiversOf("trades", symbol)) {
      this.#send(each, "trades", symbol, frames);
    }
  }

  /** Quotes and tickers, where they are written for the venue. */
  sendSummaries(symbol: string): void {
    const { venue } = this.#options;
    const about = { symbol, book: this.#market(symbol).book(), timeUs: this.#nowUs() };
    for (const [channel, frame] of Object.entries(summaryFrames(venue, about))) {
      for (const each of this.#receiversOf(channel as SummaryChannel, symbol)) {
        this.#deliver(each, [frame]);
      }
    }
  }

  /** Every connection hears that the venue is there. */
  sendHeartbeats(): void {
    const [symbol = ""] = this.symbols;
    for (const connection of this.#connections) {
      connection.handlers.onPing?.();
      const frame = this.dialect.heartbeatFrame?.(symbol, connection, this.#nowUs());
      if (frame !== undefined) this.#deliver(connection, [frame]);
    }
  }

  dial(url: string, handlers: FeedSocketHandlers): ReturnType<FeedDialer["dial"]> {
    const { pathname, search } = new URL(url);
    const connection: Connection = {
      path: pathname + search,
      handlers,
      subscribed: new Set(),
      memory: new Map(),
      openedUs: this.#nowUs(),
      isOpen: true,
    };
    this.#later(() => this.#accept(connection));
    return {
      send: (frame) => this.#later(() => this.#onFrame(connection, frame)),
      ping: () => this.#later(() => connection.isOpen && handlers.onPong?.()),
      close: () => this.#end(connection),
      terminate: () => this.#end(connection),
      bufferedBytes: () => 0,
    };
  }

  get(request: RestRequest, onResponse: (answer: RestAnswer) => void): void {
    const { url: address, method = "GET", body = "" } = request;
    this.#later(() => {
      const url = new URL(address);
      const book = (symbol: string) => this.#markets.get(symbol)?.book();
      const answer =
        levelsAnswer(this.#options.venue, { url, body }, book) ??
        this.dialect.rest(
          {
            method,
            body,
            webSocketUrl: this.#options.webSocketUrl,
            timeUs: this.#nowUs(),
            url,
            trades: (symbol) => this.#trades.get(symbol) ?? [],
          },
          this.#markets,
          book,
        );
      const status = answer === undefined ? 404 : 200;
      const text = typeof answer === "string" ? answer : JSON.stringify(answer ?? {});
      this.#later(() => onResponse({ url: address, status, body: text }));
    });
  }

  #accept(connection: Connection): void {
    if (!connection.isOpen) return;
    if (this.#connections.size >= this.connectionsMax) return this.#cut(connection);
    this.#connections.add(connection);
    this.mostConnections = Math.max(this.mostConnections, this.#connections.size);
    connection.handlers.onOpen();
    this.#deliver(connection, this.dialect.greeting?.(connection, this.#nowUs()) ?? []);
  }

  #onFrame(connection: Connection, frame: string): void {
    if (!connection.isOpen) return;
    const nowUs = this.#nowUs();
    this.#sentUs.push(nowUs);
    while ((this.#sentUs[0] ?? nowUs) <= nowUs - 1e6) this.#sentUs.shift();
    if (this.#sentUs.length > this.messagesPerSecondMax) return this.#cut(connection);
    const { venue } = this.#options;
    // What is refused or lost leaves no trace in the venue.
    const tried = this.#read({ ...connection, memory: new Map(connection.memory) }, frame);
    const asksForSummaries = readSummaries(venue, frame).some(({ kind }) => kind === "subscribe");
    const isSubscribing =
      asksForSummaries || tried.some(({ kind }) => kind === "subscribe" || kind === "snapshot");
    const fate = isSubscribing ? this.fateOf(frame) : "answered";
    if (fate === "request-lost") return;
    if (fate === "refused-passing" || fate === "refused-final") {
      const kind = fate === "refused-final" ? "final" : "passing";
      const { refused, others } = separated(venue, frame, this.refusesName);
      this.#deliver(connection, refusalFrames(venue, refused, kind));
      if (others !== undefined) this.#serve(connection, this.#read(connection, others), "answered");
      return;
    }
    const { memory } = connection;
    const sequence = memory.get(SEQUENCE);
    const read = this.#read(connection, frame);
    // An answer that the venue never made leaves no hole in its numbers.
    if (fate === "answer-lost" && sequence !== undefined) memory.set(SEQUENCE, sequence);
    this.#serve(connection, read, fate);
    for (const { kind, symbol, channels } of readSummaries(venue, frame)) {
      for (const channel of channels) {
        if (kind === "subscribe") connection.subscribed.add(`${channel} ${symbol}`);
        else connection.subscribed.delete(`${channel} ${symbol}`);
      }
    }
  }

  #read(connection: DialectConnection, frame: string): readonly ScriptedRequest[] {
    const timeUs = this.#nowUs();
    return this.dialect.read(frame, {
      connection,
      markets: this.#markets,
      refused: NOBODY,
      timeUs,
    });
  }

  #serve(connection: Connection, requests: readonly ScriptedRequest[], fate: RequestFate): void {
    for (const request of requests) {
      if (request.kind === "answer" && fate === "answer-lost") continue;
      this.#meet(connection, request);
    }
  }

  #meet(connection: Connection, request: ScriptedRequest): void {
    const nowUs = this.#nowUs();
    switch (request.kind) {
      case "answer":
        return this.#deliver(connection, [request.frame]);
      case "snapshot": {
        const { symbol } = request;
        if (!this.#markets.has(symbol) || this.#isMuted("book", symbol, connection)) return;
        return this.#deliver(connection, [request.frame(this.#market(symbol).book(), nowUs)]);
      }
      case "market":
        connection.subscribed.add(MARKET);
        return;
      case "unsubscribe":
        connection.subscribed.delete(`${request.channel} ${request.symbol}`);
        return;
      case "subscribe": {
        const { channel, symbol } = request;
        connection.subscribed.add(`${channel} ${symbol}`);
        if (channel !== "book" || !this.#markets.has(symbol)) return;
        if (this.#isMuted("book", symbol, connection)) return;
        const frames = this.dialect.snapshotFrames(symbol, this.#market(symbol).book(), nowUs);
        this.#send(connection, "book", symbol, frames);
      }
    }
  }

  #receiversOf(channel: Served, symbol: string): readonly Connection[] {
    return [...this.#connections].filter(
      (each) =>
        each.subscribed.has(`${channel} ${symbol}`) && !this.#isMuted(channel, symbol, each),
    );
  }

  #isMuted(channel: Served, symbol: string, connection: Connection): boolean {
    return connection.openedUs < (this.#mutedUntilUs.get(`${channel} ${symbol}`) ?? 0);
  }

  #send(
    connection: Connection,
    channel: "book" | "trades",
    symbol: string,
    frames: readonly Frame[],
  ): void {
    const stamped = frames.map(
      (frame) => this.dialect.stamp?.(frame, symbol, channel, connection) ?? frame,
    );
    this.#deliver(connection, stamped);
  }

  #deliver(connection: Connection, frames: readonly Frame[]): void {
    for (const frame of frames) {
      this.#later(() => {
        if (connection.isOpen) connection.handlers.onFrame(frame);
      });
    }
  }

  #cut(connection: Connection): void {
    this.cuts += 1;
    this.#end(connection);
  }

  #end(connection: Connection): void {
    if (!connection.isOpen) return;
    connection.isOpen = false;
    this.#connections.delete(connection);
    this.#later(() => connection.handlers.onClose(1006, ""));
  }

  #later(run: () => void): void {
    this.#options.clock.after(LATENCY_MS, run);
  }

  #market(symbol: string): ScriptedMarket {
    const market = this.#markets.get(symbol);
    if (market === undefined) throw new Error(`no market ${symbol}`);
    return market;
  }

  #nowUs(): number {
    return this.#options.clock.nowUs();
  }
}
