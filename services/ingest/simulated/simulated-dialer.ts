import { CHANNELS, type Channel } from "#core/instrument.ts";
import type { CancelTimer, Clock } from "#core/clock.ts";
import type {
  FeedDialer,
  FeedSocket,
  FeedSocketHandlers,
  RestClient,
} from "../feed/connection/web-socket-dialer.ts";
import {
  listSimulatedInstruments,
  type SimulatedCounts,
  type SimulatedInstrument,
} from "./simulated-instruments.ts";
import { OrderArrivals } from "./order-arrivals.ts";
import { type MarketAudience, SimulatedMarket } from "./simulated-market.ts";

/** What can be set about the simulated market. */
type SimulatedSettings = SimulatedCounts & {
  /** The same seed, settings and clock give the same market, frame by frame. */
  readonly seed: number;
  /**
   * What participants do in a second: each changes the book, and about every fifth trades. "max" is
   * a load generator: as many as the process can carry, in every instrument alike.
   */
  readonly eventsPerSecond: number | "max";
  /**
   * "natural": `eventsPerSecond` is the average of the busiest spot instrument, the others are
   * slower, and all have quiet times and bursts. "even": it is the exact rate of every instrument.
   */
  readonly pace: "natural" | "even";
  /** Levels per side. */
  readonly bookLevels: number;
  /** Times the usual volatility; 0 is a market that stands still. */
  readonly volatility: number;
};

type SimulatedVenueOptions = SimulatedSettings & { readonly clock: Clock };

/** The simulated venue: what a dialer and a REST client reach when they are pointed at it. */
export type SimulatedVenue = {
  readonly dialer: FeedDialer;
  readonly rest: RestClient;
  readonly instruments: readonly SimulatedInstrument[];
  /** Steps that were due but left out, because the process cannot carry that many. */
  readonly skippedSteps: number;
  /** Ends every connection and timer. Idempotent. */
  close(): void;
};

/** How often the market moves at a given rate. */
export const TURN_INTERVAL_MS = 10;
/** After a pause (a sleeping machine), the market does not make up for all of it. */
export const STEPS_PER_TURN_MAX = 50_000;
/** What "max" does before it lets the rest of the process run. */
export const LOAD_STEPS_PER_TURN = 2_000;
/**
 * Neither mode keeps the process busy for longer at a stretch: the markets that had no turn then
 * come first in the next one.
 */
export const TURN_BUDGET_US = 10_000;
/** Steps between two looks at the clock. */
export const STEPS_PER_CLOCK_READING = 16;
/** Not 0: on a clock that is driven by hand, time has to pass between two turns. */
export const LOAD_TURN_INTERVAL_MS = 1;
/** Requests of one connection that wait for an answer; one more closes it. */
export const REQUESTS_PENDING_MAX = 1_000;
const SECOND_US = 1_000_000;
const HEARTBEAT_SECONDS = 5;
const POLICY_VIOLATION = 1008;

/** Creates the venue. Nothing runs until somebody dials, or once nobody is connected. */
export function createSimulatedVenue(options: SimulatedVenueOptions): SimulatedVenue {
  return new SimulatedServer(options);
}

/** One instrument's market and who listens to each of its channels. */
class Listing implements MarketAudience {
  readonly market: SimulatedMarket;
  readonly #sockets = new Map<Channel, SimulatedSocket[]>();
  readonly arrivals: OrderArrivals;
  /** Until when this market has moved. */
  movedUs = 0;
  /** When it next says what comes by the clock. */
  nextSecondUs = 0;

  constructor(
    instrument: SimulatedInstrument,
    options: SimulatedVenueOptions & {
      readonly index: number;
      readonly underlying: SimulatedMarket | undefined;
      readonly leader: SimulatedMarket | undefined;
    },
  ) {
    const { bookLevels, volatility, underlying, leader } = options;
    const seed = Math.imul(options.seed, 0x9e3779b1) + options.index;
    this.market = new SimulatedMarket({
      instrument,
      underlying,
      leader,
      seed,
      audience: this,
      bookLevels,
      volatility,
    });
    this.arrivals = new OrderArrivals({ seed: seed ^ 0x5bd1e995, even: options.pace === "even" });
  }

  has(channel: Channel): boolean {
    return (this.#sockets.get(channel)?.length ?? 0) > 0;
  }

  send(channel: Channel, frame: string): void {
    const sockets = this.#sockets.get(channel);
    if (sockets === undefined) return;
    for (const socket of sockets) socket.deliver(frame);
  }

  /** False if it listened already. */
  add(channel: Channel, socket: SimulatedSocket): boolean {
    const sockets = this.#sockets.get(channel) ?? [];
    if (sockets.includes(socket)) return false;
    this.#sockets.set(channel, [...sockets, socket]);
    return true;
  }

  remove(channel: Channel, socket: SimulatedSocket): void {
    const sockets = this.#sockets.get(channel) ?? [];
    this.#sockets.set(
      channel,
      sockets.filter((other) => other !== socket),
    );
  }
}

class SimulatedServer implements SimulatedVenue {
  readonly instruments: readonly SimulatedInstrument[];
  readonly dialer: FeedDialer;
  readonly rest: RestClient;
  skippedSteps = 0;
  readonly #options: SimulatedVenueOptions;
  readonly #listings = new Map<string, Listing>();
  /** The same, in the order in which they move; `#first` begins the next turn. */
  readonly #order: readonly Listing[];
  #first = 0;
  readonly #sockets = new Set<SimulatedSocket>();
  #closed = false;
  #nextHeartbeatUs = 0;
  #cancelTurn: CancelTimer | undefined;

  constructor(options: SimulatedVenueOptions) {
    this.#options = options;
    this.instruments = listSimulatedInstruments(options);
    for (const [index, instrument] of this.instruments.entries()) {
      const underlying = this.#listings.get(instrument.underlying ?? "")?.market;
      const leader = this.#listings.get(this.instruments[0]?.symbol ?? "")?.market;
      const listing = new Listing(instrument, { ...options, index, underlying, leader });
      this.#listings.set(instrument.symbol, listing);
    }
    this.#order = [...this.#listings.values()];
    this.dialer = { dial: (_url, handlers) => this.#accept(handlers) };
    this.rest = createSimulatedRest(options.clock, this.instruments);
  }

  close(): void {
    this.#closed = true;
    this.rest.close?.();
    for (const socket of this.#sockets) socket.end(1001, "going away");
    this.#stopTurns();
  }

  /** Answers one request of a socket. Anything that is not one is answered by an error. */
  onRequest(socket: SimulatedSocket, frame: string): void {
    const request = parseRequest(frame);
    if (request === undefined) {
      socket.deliver('{"e":"error","reason":"bad-request"}');
      return;
    }
    for (const entry of request.channels) {
      const [symbol, channel] = Array.isArray(entry) ? (entry as unknown[]) : [];
      const listing = this.#listings.get(String(symbol));
      const known = CHANNELS.find((each) => each === channel);
      if (listing === undefined || known === undefined || !offers(listing, known)) {
        const [s, c] = [String(symbol), String(channel)];
        socket.deliver(JSON.stringify({ e: "error", reason: "unknown-channel", s, c }));
      } else if (request.op === "subscribe") {
        this.#subscribe(socket, listing, known);
      } else {
        listing.remove(known, socket);
        const s = listing.market.instrument.symbol;
        socket.deliver(JSON.stringify({ e: "unsubscribed", s, c: known }));
      }
    }
  }

  /** Called by a socket when it is over. */
  onEnded(socket: SimulatedSocket): void {
    if (!this.#sockets.delete(socket)) return;
    for (const listing of this.#listings.values()) {
      for (const channel of CHANNELS) listing.remove(channel, socket);
    }
    if (this.#sockets.size === 0) this.#stopTurns();
  }

  #accept(handlers: FeedSocketHandlers): FeedSocket {
    const { clock } = this.#options;
    const socket = new SimulatedSocket(clock, handlers, this);
    if (this.#closed) {
      socket.end(1001, "going away");
      return socket;
    }
    this.#sockets.add(socket);
    socket.open();
    if (this.#cancelTurn === undefined) {
      const nowUs = clock.nowUs();
      this.#nextHeartbeatUs = secondAfter(nowUs) + (HEARTBEAT_SECONDS - 1) * SECOND_US;
      for (const listing of this.#order) {
        listing.movedUs = nowUs;
        listing.nextSecondUs = secondAfter(nowUs);
      }
      this.#scheduleTurn();
    }
    return socket;
  }

  #subscribe(socket: SimulatedSocket, listing: Listing, channel: Channel): void {
    const s = listing.market.instrument.symbol;
    listing.add(channel, socket);
    socket.deliver(JSON.stringify({ e: "subscribed", s, c: channel }));
    const first = listing.market.firstFrame(channel, this.#options.clock.nowUs());
    if (first !== undefined) socket.deliver(first);
  }

  #scheduleTurn(): void {
    const delayMs =
      this.#options.eventsPerSecond === "max" ? LOAD_TURN_INTERVAL_MS : TURN_INTERVAL_MS;
    this.#cancelTurn = this.#options.clock.after(delayMs, () => this.#turn());
  }

  #stopTurns(): void {
    this.#cancelTurn?.();
    this.#cancelTurn = undefined;
  }

  #turn(): void {
    this.#cancelTurn = undefined;
    const { clock } = this.#options;
    const nowUs = clock.nowUs();
    const deadlineUs = nowUs + TURN_BUDGET_US;
    const count = this.#order.length;
    for (let moved = 0; moved < count; moved += 1) {
      const listing = this.#order[this.#first] as Listing;
      this.#first = (this.#first + 1) % count;
      this.#move(listing, nowUs, deadlineUs);
      if (clock.nowUs() >= deadlineUs) break;
    }
    if (nowUs >= this.#nextHeartbeatUs) {
      this.#nextHeartbeatUs = secondAfter(nowUs) + (HEARTBEAT_SECONDS - 1) * SECOND_US;
      for (const socket of this.#sockets) socket.deliver(`{"e":"heartbeat","t":${nowUs}}`);
    }
    // A listener may have dialled again within this turn.
    if (this.#sockets.size > 0 && this.#cancelTurn === undefined) this.#scheduleTurn();
  }

  /** Brings one market from where it was to `nowUs`. */
  #move(listing: Listing, nowUs: number, deadlineUs: number): void {
    const { clock, eventsPerSecond } = this.#options;
    const { market, movedUs } = listing;
    const elapsedUs = Math.max(0, nowUs - movedUs);
    const due = this.#stepsDue(listing, elapsedUs);
    for (let step = 1; step <= due; step += 1) {
      // Spread over the time since it last moved, so that the market does not move in jerks.
      market.step(movedUs + Math.floor((elapsedUs * step) / due));
      if (step % STEPS_PER_CLOCK_READING !== 0 || clock.nowUs() < deadlineUs) continue;
      if (eventsPerSecond !== "max") this.skippedSteps += due - step;
      break;
    }
    listing.movedUs = Math.max(nowUs, movedUs);
    if (nowUs < listing.nextSecondUs) return;
    listing.nextSecondUs = secondAfter(nowUs);
    market.second(nowUs);
  }

  #stepsDue(listing: Listing, elapsedUs: number): number {
    const { eventsPerSecond, pace } = this.#options;
    if (eventsPerSecond === "max") return Math.ceil(LOAD_STEPS_PER_TURN / this.#order.length);
    const fair = Math.ceil(STEPS_PER_TURN_MAX / this.#order.length);
    const { market, arrivals } = listing;
    const factor = pace === "even" ? 1 : market.instrument.pace * market.activity;
    let due = arrivals.due((eventsPerSecond * factor * elapsedUs) / SECOND_US);
    if (due > fair) {
      this.skippedSteps += due - fair;
      due = fair;
    }
    return due;
  }
}

/** The next whole second after this instant. */
function secondAfter(timeUs: number): number {
  return timeUs - (timeUs % SECOND_US) + SECOND_US;
}

/**
 * One connection to the simulated venue. Everything it reports is reported later, as from a
 * network.
 */
class SimulatedSocket implements FeedSocket {
  readonly #clock: Clock;
  readonly #handlers: FeedSocketHandlers;
  readonly #server: SimulatedServer;
  readonly #requests: string[] = [];
  #ended = false;

  constructor(clock: Clock, handlers: FeedSocketHandlers, server: SimulatedServer) {
    this.#clock = clock;
    this.#handlers = handlers;
    this.#server = server;
  }

  open(): void {
    this.#clock.after(0, () => {
      if (!this.#ended) this.#handlers.onOpen();
    });
  }

  deliver(frame: string): void {
    if (!this.#ended) this.#handlers.onFrame(frame);
  }

  send(frame: string): void {
    if (this.#ended) return;
    if (this.#requests.length >= REQUESTS_PENDING_MAX) {
      this.end(POLICY_VIOLATION, "too many requests");
      return;
    }
    this.#requests.push(frame);
    this.#clock.after(0, () => {
      const request = this.#requests.shift();
      if (!this.#ended && request !== undefined) this.#server.onRequest(this, request);
    });
  }

  ping(): void {
    this.#clock.after(0, () => {
      if (!this.#ended) this.#handlers.onPong?.();
    });
  }

  close(): void {
    this.end(1000, "");
  }

  terminate(): void {
    this.end(1006, "");
  }

  bufferedBytes(): number {
    return 0;
  }

  /** Nothing is delivered any more; `onClose` follows. */
  end(code: number, reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#server.onEnded(this);
    this.#clock.after(0, () => this.#handlers.onClose(code, reason));
  }
}

/** Spot instruments have no derivative's channels. */
function offers(listing: Listing, channel: Channel): boolean {
  const derivative = ["mark-price", "funding", "open-interest", "liquidations"].includes(channel);
  if (channel === "status") return false;
  return !derivative || listing.market.instrument.kind === "perpetual";
}

type Request = { readonly op: "subscribe" | "unsubscribe"; readonly channels: readonly unknown[] };

function parseRequest(frame: string): Request | undefined {
  let parsed: { op?: unknown; channels?: unknown } | null;
  try {
    parsed = JSON.parse(frame) as { op?: unknown; channels?: unknown } | null;
  } catch {
    return undefined;
  }
  const { op, channels } = parsed ?? {};
  if ((op !== "subscribe" && op !== "unsubscribe") || !Array.isArray(channels)) return undefined;
  return { op, channels };
}

/** The list of instruments, by the way that other venues' lists come. */
function createSimulatedRest(
  clock: Clock,
  instruments: readonly SimulatedInstrument[],
): RestClient {
  const body = JSON.stringify({ instruments });
  const pending = new Set<(reason: string) => void>();
  let closed = false;
  return {
    get(request, onResponse, onError): void {
      pending.add(onError);
      clock.after(0, () => {
        if (!pending.delete(onError)) return;
        if (closed) return onError("closed");
        if (!request.url.endsWith("/instruments")) {
          return onResponse({ url: request.url, status: 404, body: "" });
        }
        onResponse({ url: request.url, status: 200, body });
      });
    },
    close(): void {
      closed = true;
      for (const onError of pending) onError("closed");
      pending.clear();
    },
  };
}
