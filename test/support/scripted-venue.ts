import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocketServer, type WebSocket } from "ws";
import type {
  Dialect,
  DialectConnection,
  Frame,
  MadeTrade,
  ScriptedRequest,
} from "./dialects/dialect.ts";
import type { FeedAdapter } from "#ingest/feed/feed-adapter.ts";
import { VENUES } from "#ingest/venues/registry.ts";
import type { ScriptedState } from "./dialects/dialect.ts";
import { DIALECTS, type ScriptedVenueId } from "./dialects/registry.ts";
import { type MarketBook, ScriptedMarket, type ScriptedTrade } from "./scripted-venue-market.ts";

// A venue on 127.0.0.1 that does what a test tells it to: real sockets, a true book per instrument,
// no timers. What is sent is right by construction (sequences, checksums), unless the test asks for
// a fault.
//
// To add a venue: write its Dialect in dialects/ (pure translations between ScriptedMarket and the
// venue's texts) and add its line to dialects/registry.ts. To add a fault: if it concerns one
// message, give DeltaFault another member and handle it in sendDelta(); if it concerns the
// connection or REST, add a method beside disconnect().

/** Trades of a symbol that REST lists. */
const LISTED_TRADES_MAX = 100;

/** What may go wrong with one book message. The true book changes in any case. */
type DeltaFault =
  | "none"
  /** Never sent. */
  | "drop"
  /** Sent twice. */
  | "duplicate"
  /** Cut off in the middle, in a text frame. */
  | "damage"
  /** With a checksum of another book, where the venue has checksums. */
  | "wrong-checksum";

type ScriptedVenueOptions = {
  readonly venue: ScriptedVenueId;
  /** Their quote asset is the dialect's. */
  readonly bases: readonly string[];
  readonly seed: number;
  /** The venue's clock. */
  readonly nowUs: () => number;
};

/** A REST answer in place of the true one. */
type RestFault = {
  readonly status: number;
  readonly retryAfterSeconds?: number;
  /** Answers this many requests so. */
  readonly times: number;
};

/** A running venue. Everything it sends goes to whoever is subscribed at that moment. */
export type ScriptedVenue = {
  readonly dialect: Dialect;
  readonly webSocketUrl: string;
  readonly restUrl: string;
  /** Paths with query of all REST requests, in order. */
  readonly restRequests: readonly string[];
  /** Frames received from clients, in order. */
  readonly received: readonly string[];
  /** Connections that are open now. */
  readonly connectionCount: number;
  /** The venue's symbol of the market with this base asset. */
  symbolOf(base: string): string;
  /** Tickwire's symbol of the same. */
  tickwireSymbolOf(base: string): string;
  /** How many of the requests were for book snapshots. */
  snapshotRequests(): number;
  /** How often a book's snapshot was sent: on subscribing, or when asked for. */
  bookStarts(symbol: string): number;
  isSubscribed(symbol: string, channel: "book" | "trades"): boolean;
  /** The true book as the venue shows it, as texts with fixed decimals, best first. */
  book(symbol: string): MarketBook;
  /** Sends the next change of a book. */
  sendDelta(symbol: string, fault?: DeltaFault): void;
  /** Sends the next two changes of a book in the wrong order. */
  sendReordered(symbol: string): void;
  /** Sends a trade at the best price, and says which. */
  sendTrade(symbol: string): ScriptedTrade;
  sendHeartbeat(symbol: string): void;
  /**
   * The subscriptions of a symbol hang: nothing more is sent for it until its book is subscribed
   * anew. Everything else goes on, pings are answered.
   */
  hang(symbol: string): void;
  isHanging(symbol: string): boolean;
  /** Drops every connection without a closing handshake. */
  disconnect(): void;
  /** Refuses subscriptions of a symbol from now on. */
  refuse(symbol: string): void;
  /** Lists one more instrument from now on; nobody is told but those who ask. Its symbol. */
  list(base: string): string;
  /** Lists it no more, and sends nothing more of it. */
  delist(symbol: string): void;
  /** Lists an instrument under the name of another base from now on. Its new symbol. */
  rename(symbol: string, base: string): string;
  /** Answers requests for its lists as if nothing were listed, or truly again. */
  listNothing(isEmpty: boolean): void;
  /**
   * Says what one can do with an instrument now, to those who asked for that. False where the venue
   * has no word for it.
   */
  sayState(symbol: string, state: ScriptedState): boolean;
  /** Says that its work on its systems begins or has ended. False where it never does. */
  sayMaintenance(isOver: boolean): boolean;
  /** Answers the next requests for book snapshots with this status. */
  failSnapshots(fault: RestFault): void;
  /** Cuts off the next snapshot of a symbol that a connection gets. */
  damageNextSnapshot(symbol: string): void;
  /** Serves the book as it stands now in the next `times` snapshots, however it moves on. */
  serveStaleSnapshots(symbol: string, times: number): void;
  close(): Promise<void>;
};

/** Starts a venue on a free port of 127.0.0.1. */
export async function startScriptedVenue(options: ScriptedVenueOptions): Promise<ScriptedVenue> {
  const venue = new Venue(options);
  await venue.listen();
  return venue;
}

type Connection = DialectConnection & {
  readonly socket: WebSocket;
  readonly subscribed: Set<string>;
};

/** A change of a book and its frames, before they are stamped for a connection. */
type Change = { readonly symbol: string; readonly frames: readonly Frame[] };

class Venue implements ScriptedVenue {
  readonly restRequests: string[] = [];
  readonly received: string[] = [];
  readonly dialect: Dialect;
  readonly #nowUs: () => number;
  readonly #seed: number;
  readonly #recordedRequest: FeedAdapter["recordedRequest"];
  readonly #markets = new Map<string, ScriptedMarket>();
  readonly #refused = new Set<string>();
  readonly #hanging = new Set<string>();
  readonly #damagedSnapshots = new Set<string>();
  readonly #starts = new Map<string, number>();
  readonly #trades = new Map<string, MadeTrade[]>();
  readonly #connections = new Set<Connection>();
  readonly #stale = new Map<string, { book: MarketBook; times: number }>();
  readonly #http: Server;
  readonly #webSockets: WebSocketServer;
  #restFault: { fault: RestFault; times: number } | undefined;
  #snapshotRequests = 0;
  #listsNothing = false;

  constructor(options: ScriptedVenueOptions) {
    const dialect = DIALECTS[options.venue];
    this.dialect = dialect;
    this.#nowUs = options.nowUs;
    this.#seed = options.seed;
    this.#recordedRequest = (url) => VENUES[options.venue].recordedRequest(url);
    for (const base of options.bases) this.list(base);
    this.#http = createServer((request, response) => void this.#onRequest(request, response));
    this.#webSockets = new WebSocketServer({ server: this.#http });
    this.#webSockets.on("connection", (socket, request) => this.#onConnection(socket, request));
  }

  list(base: string): string {
    const { dialect } = this;
    const { depth, priceScale, sizeScale, quote, priceMiddle: middle } = dialect;
    const seed = this.#seed + this.#markets.size * 7919;
    const scales = { priceScale, sizeScale, middle };
    const market = new ScriptedMarket({ base, quote, seed, depth, ...scales });
    const symbol = dialect.venueSymbol(market);
    this.#markets.set(symbol, market);
    return symbol;
  }

  delist(symbol: string): void {
    this.#market(symbol);
    this.#markets.delete(symbol);
    for (const { subscribed } of this.#connections) {
      for (const channel of ["book", "trades"]) subscribed.delete(`${channel} ${symbol}`);
    }
  }

  rename(symbol: string, base: string): string {
    this.delist(symbol);
    return this.list(base);
  }

  listNothing(isEmpty: boolean): void {
    this.#listsNothing = isEmpty;
  }

  sayState(symbol: string, state: ScriptedState): boolean {
    return this.#say(this.dialect.market?.stateFrame(symbol, state));
  }

  sayMaintenance(isOver: boolean): boolean {
    return this.#say(this.dialect.market?.maintenanceFrame?.(isOver));
  }

  #say(frame: Frame | undefined): boolean {
    if (frame === undefined) return false;
    for (const connection of this.#connections) {
      if (connection.subscribed.has("market")) send(connection, [frame]);
    }
    return true;
  }

  async listen(): Promise<void> {
    this.#http.listen(0, "127.0.0.1");
    await once(this.#http, "listening");
  }

  get restUrl(): string {
    return this.#url("http") + (this.dialect.restPath ?? "");
  }

  get webSocketUrl(): string {
    return this.#url("ws") + this.dialect.webSocketPath;
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  symbolOf(base: string): string {
    for (const [symbol, market] of this.#markets) if (market.base === base) return symbol;
    throw new Error(`no market of ${base}`);
  }

  tickwireSymbolOf(base: string): string {
    return this.dialect.symbol(this.#market(this.symbolOf(base)));
  }

  snapshotRequests(): number {
    return this.#snapshotRequests;
  }

  bookStarts(symbol: string): number {
    return this.#starts.get(symbol) ?? 0;
  }

  isSubscribed(symbol: string, channel: "book" | "trades"): boolean {
    return [...this.#connections].some(({ subscribed }) => subscribed.has(`${channel} ${symbol}`));
  }

  book(symbol: string): MarketBook {
    return this.#market(symbol).book();
  }

  sendDelta(symbol: string, fault: DeltaFault = "none"): void {
    const change = this.#nextChange(symbol, fault);
    for (const connection of this.#connectionsOf("book", symbol)) {
      const frames = this.#stamped(change, connection);
      const [first, ...others] = frames;
      if (fault === "drop" || first === undefined) continue;
      if (fault === "duplicate") send(connection, frames);
      send(connection, fault === "damage" ? [cutOff(first), ...others] : frames);
    }
  }

  sendReordered(symbol: string): void {
    const first = this.#nextChange(symbol, "none");
    const second = this.#nextChange(symbol, "none");
    for (const connection of this.#connectionsOf("book", symbol)) {
      const early = this.#stamped(first, connection);
      send(connection, this.#stamped(second, connection));
      send(connection, early);
    }
  }

  sendTrade(symbol: string): ScriptedTrade {
    const trade = this.#market(symbol).trade();
    const made = this.#trades.get(symbol) ?? [];
    made.push({ ...trade, timeUs: this.#nowUs() });
    this.#trades.set(symbol, made.slice(-LISTED_TRADES_MAX));
    const frames = this.dialect.tradeFrames(symbol, trade, this.#nowUs());
    for (const connection of this.#connectionsOf("trades", symbol)) {
      send(
        connection,
        frames.map((frame) => this.#stamp(frame, symbol, "trades", connection)),
      );
    }
    return trade;
  }

  sendHeartbeat(symbol: string): void {
    for (const connection of this.#connections) {
      const frame = this.dialect.heartbeatFrame?.(symbol, connection, this.#nowUs());
      if (frame !== undefined) send(connection, [frame]);
    }
  }

  hang(symbol: string): void {
    this.#hanging.add(symbol);
  }

  isHanging(symbol: string): boolean {
    return this.#hanging.has(symbol);
  }

  disconnect(): void {
    for (const { socket } of this.#connections) socket.terminate();
  }

  refuse(symbol: string): void {
    this.#refused.add(symbol);
  }

  failSnapshots(fault: RestFault): void {
    this.#restFault = { fault, times: fault.times };
  }

  damageNextSnapshot(symbol: string): void {
    this.#damagedSnapshots.add(symbol);
  }

  serveStaleSnapshots(symbol: string, times: number): void {
    this.#stale.set(symbol, { book: this.book(symbol), times });
  }

  async close(): Promise<void> {
    this.disconnect();
    this.#webSockets.close();
    this.#http.closeAllConnections();
    this.#http.close();
    await once(this.#http, "close");
  }

  #url(scheme: "http" | "ws"): string {
    return `${scheme}://127.0.0.1:${(this.#http.address() as AddressInfo).port}`;
  }

  #market(symbol: string): ScriptedMarket {
    const market = this.#markets.get(symbol);
    if (market === undefined) throw new Error(`no market ${symbol}`);
    return market;
  }

  #nextChange(symbol: string, fault: DeltaFault): Change {
    const market = this.#market(symbol);
    const delta = market.step();
    const frames = this.dialect.deltaFrames(symbol, delta, market.book(), this.#nowUs());
    if (fault !== "wrong-checksum") return { symbol, frames };
    const wrong = this.dialect.withWrongChecksum?.(frames);
    if (wrong === undefined) throw new Error("this venue has no checksums");
    return { symbol, frames: wrong };
  }

  #connectionsOf(channel: "book" | "trades", symbol: string): Connection[] {
    if (this.#hanging.has(symbol)) return [];
    return [...this.#connections].filter((each) => each.subscribed.has(`${channel} ${symbol}`));
  }

  #stamped({ symbol, frames }: Change, connection: Connection): Frame[] {
    return frames.map((frame) => this.#stamp(frame, symbol, "book", connection));
  }

  #stamp(frame: Frame, symbol: string, channel: "book" | "trades", connection: Connection): Frame {
    return this.dialect.stamp?.(frame, symbol, channel, connection) ?? frame;
  }

  #onConnection(socket: WebSocket, request: IncomingMessage): void {
    const path = request.url ?? "/";
    const connection: Connection = { socket, path, subscribed: new Set(), memory: new Map() };
    this.#connections.add(connection);
    socket.on("close", () => this.#connections.delete(connection));
    socket.on("error", () => socket.terminate());
    socket.on("message", (data) => {
      const frame = (data as Buffer).toString("utf8");
      this.received.push(frame);
      this.#onFrame(connection, frame);
    });
    send(connection, this.dialect.greeting?.(connection, this.#nowUs()) ?? []);
  }

  #onFrame(connection: Connection, frame: string): void {
    const requests = this.dialect.read(frame, {
      connection,
      markets: this.#markets,
      refused: this.#refused,
      timeUs: this.#nowUs(),
    });
    for (const request of requests) this.#onScriptedRequest(connection, request);
  }

  #onScriptedRequest(connection: Connection, request: ScriptedRequest): void {
    switch (request.kind) {
      case "answer":
        send(connection, [request.frame]);
        return;
      case "market":
        connection.subscribed.add("market");
        return;
      case "snapshot": {
        const book = this.#snapshotOf(request.symbol);
        if (book === undefined) return;
        this.#sendSnapshot(connection, request.symbol, [request.frame(book, this.#nowUs())]);
        return;
      }
      case "unsubscribe":
        connection.subscribed.delete(`${request.channel} ${request.symbol}`);
        return;
      case "subscribe":
        this.#subscribe(connection, request.channel, request.symbol);
    }
  }

  #subscribe(connection: Connection, channel: "book" | "trades", symbol: string): void {
    connection.subscribed.add(`${channel} ${symbol}`);
    if (channel !== "book" || !this.#markets.has(symbol)) return;
    this.#hanging.delete(symbol);
    const frames = this.dialect
      .snapshotFrames(symbol, this.book(symbol), this.#nowUs())
      .map((frame) => this.#stamp(frame, symbol, "book", connection));
    if (frames.length === 0) return;
    this.#countStart(symbol);
    this.#sendSnapshot(connection, symbol, frames);
  }

  #sendSnapshot(connection: Connection, symbol: string, frames: readonly Frame[]): void {
    const [first, ...others] = frames;
    if (first === undefined) return;
    const damaged = this.#damagedSnapshots.delete(symbol);
    send(connection, damaged ? [cutOff(first), ...others] : frames);
  }

  async #onRequest(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", this.#url("http"));
    this.restRequests.push(request.url ?? "/");
    const body = await bodyOf(request);
    if (body === undefined) return;
    if (this.dialect.isSnapshotPath(url)) {
      this.#snapshotRequests += 1;
      if (this.#failed(response)) return;
    }
    const { method = "GET" } = request;
    const webSocketUrl = this.webSocketUrl;
    const isList = this.#recordedRequest(url.href)?.kind === "instruments";
    const markets = isList && this.#listsNothing ? new Map<string, never>() : this.#markets;
    const answer = this.dialect.rest(
      {
        method,
        url,
        body,
        webSocketUrl,
        timeUs: this.#nowUs(),
        trades: (symbol) => this.#trades.get(symbol) ?? [],
      },
      markets,
      (symbol) => this.#snapshotOf(symbol),
    );
    if (answer === undefined) response.writeHead(404).end("{}");
    else {
      response
        .writeHead(200, { "content-type": "application/json" })
        .end(typeof answer === "string" ? answer : JSON.stringify(answer));
    }
  }

  /** Answers in place of the venue, if that was asked for. */
  #failed(response: ServerResponse): boolean {
    if (this.#restFault === undefined || this.#restFault.times === 0) return false;
    this.#restFault.times -= 1;
    const { status, retryAfterSeconds } = this.#restFault.fault;
    if (retryAfterSeconds !== undefined) response.setHeader("retry-after", retryAfterSeconds);
    response.writeHead(status).end("{}");
    return true;
  }

  #snapshotOf(symbol: string): MarketBook | undefined {
    const market = this.#markets.get(symbol);
    if (market === undefined) return undefined;
    this.#countStart(symbol);
    const stale = this.#stale.get(symbol);
    if (stale === undefined || stale.times === 0) return market.book();
    stale.times -= 1;
    return stale.book;
  }

  #countStart(symbol: string): void {
    this.#starts.set(symbol, this.bookStarts(symbol) + 1);
  }
}

function send({ socket }: Connection, frames: readonly Frame[]): void {
  for (const frame of frames) socket.send(frame);
}

/** The text of a request; undefined if the client went away. */
async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  let body = "";
  try {
    for await (const chunk of request) body += String(chunk);
  } catch {
    return undefined;
  }
  return body;
}

/** A frame without its end. */
function cutOff(frame: Frame): Frame {
  return frame.slice(0, Math.ceil(frame.length * 0.8));
}
