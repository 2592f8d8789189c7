import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocketServer, type WebSocket } from "ws";
import { type Dialect, DIALECTS, type ScriptedVenueId } from "./scripted-venue-dialects.ts";
import { type MarketBook, ScriptedMarket } from "./scripted-venue-market.ts";

// A venue on 127.0.0.1 that does what a test tells it to: real sockets, a true book per instrument,
// no timers. What is sent is right by construction (sequences, checksums), unless the test asks for
// a fault.
//
// To add a venue: write its Dialect in scripted-venue-dialects.ts (pure translations between
// ScriptedMarket and the venue's texts), add it to DIALECTS and ScriptedVenueId. To add a fault: if
// it concerns one message, give DeltaFault another member and handle it in sendDelta(); if it
// concerns the connection or REST, add a method beside disconnect().

/** What may go wrong with one book message. The true book changes in any case. */
export type DeltaFault =
  | "none"
  /** Never sent. */
  | "drop"
  /** Sent twice. */
  | "duplicate"
  /** Cut off in the middle, in a text frame. */
  | "damage"
  /** With a checksum of another book, where the venue has checksums. */
  | "wrong-checksum";

export type ScriptedVenueOptions = {
  readonly venue: ScriptedVenueId;
  readonly instruments: readonly { readonly base: string; readonly quote: string }[];
  readonly seed: number;
  /** The venue's clock. */
  readonly nowUs: () => number;
};

/** A REST answer in place of the true one. */
export type RestFault = {
  readonly status: number;
  readonly retryAfterSeconds?: number;
  /** Answers this many requests so. */
  readonly times: number;
};

/** A running venue. Everything it sends goes to whoever is subscribed at that moment. */
export type ScriptedVenue = {
  readonly webSocketUrl: string;
  readonly restUrl: string;
  /** Paths with query of all GETs, in order. */
  readonly restRequests: readonly string[];
  /** Frames received from clients, in order. */
  readonly received: readonly string[];
  /** Connections that are open now. */
  readonly connectionCount: number;
  /** How often a book was subscribed, or its snapshot fetched where the venue gives it by REST. */
  bookStarts(symbol: string): number;
  isSubscribed(symbol: string, channel: "book" | "trades"): boolean;
  /** The true book as the venue shows it, as texts with fixed decimals, best first. */
  book(symbol: string): MarketBook;
  /** Sends the next change of a book. */
  sendDelta(symbol: string, fault?: DeltaFault): void;
  /** Sends the next two changes of a book in the wrong order. */
  sendReordered(symbol: string): void;
  sendTrade(symbol: string): void;
  sendHeartbeat(symbol: string): void;
  /**
   * The subscriptions of a symbol hang: nothing more is sent for it until its book is subscribed
   * anew. Everything else goes on, pings are answered.
   */
  hang(symbol: string): void;
  /** Drops every connection without a closing handshake. */
  disconnect(): void;
  /** Refuses subscriptions of a symbol from now on. */
  refuse(symbol: string): void;
  /** Answers the next requests for book snapshots with this status. */
  failSnapshots(fault: RestFault): void;
  /** Cuts off the next in-band snapshot of a symbol. */
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

type Connection = { readonly socket: WebSocket; readonly subscribed: Set<string> };

class Venue implements ScriptedVenue {
  readonly restRequests: string[] = [];
  readonly received: string[] = [];
  readonly #dialect: Dialect;
  readonly #nowUs: () => number;
  readonly #markets = new Map<string, ScriptedMarket>();
  readonly #refused = new Set<string>();
  readonly #hanging = new Set<string>();
  readonly #damagedSnapshots = new Set<string>();
  readonly #starts = new Map<string, number>();
  readonly #connections = new Set<Connection>();
  readonly #stale = new Map<string, { book: MarketBook; times: number }>();
  readonly #http: Server;
  readonly #webSockets: WebSocketServer;
  #restFault: { fault: RestFault; times: number } | undefined;

  constructor(options: ScriptedVenueOptions) {
    this.#dialect = DIALECTS[options.venue];
    this.#nowUs = options.nowUs;
    const { depth, priceScale } = this.#dialect;
    for (const [index, names] of options.instruments.entries()) {
      const seed = options.seed + index * 7919;
      const market = new ScriptedMarket({ ...names, seed, depth, priceScale });
      this.#markets.set(this.#dialect.venueSymbol(market), market);
    }
    this.#http = createServer((request, response) => this.#onRequest(request, response));
    this.#webSockets = new WebSocketServer({ server: this.#http });
    this.#webSockets.on("connection", (socket) => this.#onConnection(socket));
  }

  async listen(): Promise<void> {
    this.#http.listen(0, "127.0.0.1");
    await once(this.#http, "listening");
  }

  get restUrl(): string {
    return `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}`;
  }

  get webSocketUrl(): string {
    return this.restUrl.replace("http", "ws") + this.#dialect.webSocketPath;
  }

  get connectionCount(): number {
    return this.#connections.size;
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
    const frame = this.#nextDelta(symbol);
    switch (fault) {
      case "none":
        this.#send("book", symbol, frame);
        return;
      case "drop":
        return;
      case "duplicate":
        this.#send("book", symbol, frame);
        this.#send("book", symbol, frame);
        return;
      case "damage":
        this.#send("book", symbol, cutOff(frame));
        return;
      case "wrong-checksum": {
        const wrong = this.#dialect.withWrongChecksum(frame);
        if (wrong === undefined) throw new Error("this venue has no checksums");
        this.#send("book", symbol, wrong);
      }
    }
  }

  sendReordered(symbol: string): void {
    const first = this.#nextDelta(symbol);
    const second = this.#nextDelta(symbol);
    this.#send("book", symbol, second);
    this.#send("book", symbol, first);
  }

  sendTrade(symbol: string): void {
    const trade = this.#market(symbol).trade();
    this.#send("trades", symbol, this.#dialect.tradeFrame(symbol, trade, this.#nowUs()));
  }

  sendHeartbeat(symbol: string): void {
    const frame = this.#dialect.heartbeatFrame(symbol, this.#nowUs());
    if (frame === undefined) return;
    for (const { socket } of this.#connections) socket.send(frame);
  }

  hang(symbol: string): void {
    this.#hanging.add(symbol);
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

  #market(symbol: string): ScriptedMarket {
    const market = this.#markets.get(symbol);
    if (market === undefined) throw new Error(`no market ${symbol}`);
    return market;
  }

  #nextDelta(symbol: string): string {
    const market = this.#market(symbol);
    const delta = market.step();
    return this.#dialect.deltaFrame(symbol, delta, market.book(), this.#nowUs());
  }

  #send(channel: "book" | "trades", symbol: string, frame: string): void {
    if (this.#hanging.has(symbol)) return;
    for (const { socket, subscribed } of this.#connections) {
      if (subscribed.has(`${channel} ${symbol}`)) socket.send(frame);
    }
  }

  #onConnection(socket: WebSocket): void {
    const connection: Connection = { socket, subscribed: new Set() };
    this.#connections.add(connection);
    socket.on("close", () => this.#connections.delete(connection));
    socket.on("error", () => socket.terminate());
    socket.on("message", (data) => {
      const frame = (data as Buffer).toString("utf8");
      this.received.push(frame);
      this.#onFrame(connection, frame);
    });
  }

  #onFrame(connection: Connection, frame: string): void {
    const { subscribed } = connection;
    const context = { markets: this.#markets, refused: this.#refused, subscribed };
    for (const request of this.#dialect.read(frame, context)) {
      if (request.kind === "answer") {
        connection.socket.send(request.text);
        continue;
      }
      const { kind, channel, symbol } = request;
      const key = `${channel} ${symbol}`;
      if (kind === "unsubscribe") connection.subscribed.delete(key);
      else this.#subscribe(connection, key, channel, symbol);
    }
  }

  #subscribe(connection: Connection, key: string, channel: string, symbol: string): void {
    connection.subscribed.add(key);
    if (channel !== "book" || !this.#markets.has(symbol)) return;
    this.#hanging.delete(symbol);
    const snapshot = this.#dialect.snapshotFrame(symbol, this.book(symbol), this.#nowUs());
    if (snapshot === undefined) return;
    this.#countStart(symbol);
    const damaged = this.#damagedSnapshots.delete(symbol);
    connection.socket.send(damaged ? cutOff(snapshot) : snapshot);
  }

  #onRequest(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? "/", this.restUrl);
    this.restRequests.push(request.url ?? "/");
    const isSnapshot = this.#dialect.isSnapshotPath(url.pathname);
    if (isSnapshot && this.#restFault !== undefined && this.#restFault.times > 0) {
      this.#restFault.times -= 1;
      const { status, retryAfterSeconds } = this.#restFault.fault;
      if (retryAfterSeconds !== undefined) response.setHeader("retry-after", retryAfterSeconds);
      response.writeHead(status).end("{}");
      return;
    }
    const body = this.#dialect.rest(url, this.#markets, (symbol) => this.#snapshotOf(symbol));
    if (body === undefined) response.writeHead(404).end("{}");
    else response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
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

/** A frame without its end. */
function cutOff(frame: string): string {
  return frame.slice(0, Math.ceil(frame.length * 0.8));
}
