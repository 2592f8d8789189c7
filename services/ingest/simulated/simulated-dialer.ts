import { CHANNELS, type Channel } from "#core/instrument.ts";
import type { CancelTimer, Clock } from "#core/clock.ts";
import type {
  FeedDialer,
  FeedSocket,
  FeedSocketHandlers,
} from "../feed/connection/web-socket-dialer.ts";
import type { RestClient } from "../feed/rest/rest-client.ts";
import { isRecord, parseJson } from "../reading/text-fields.ts";
import { listSimulatedInstruments, type SimulatedInstrument } from "./simulated-instruments.ts";
import { SimulatedListing } from "./simulated-listing.ts";
import { MINUTES_MAX, type MinuteCandle } from "./market-statistics.ts";
import { SimulatedPast } from "./simulated-past.ts";
import { createSimulatedRest } from "./simulated-rest.ts";
import type { SimulatedSettings } from "./simulated-settings.ts";
import { SimulatedSocket } from "./simulated-socket.ts";

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
const SECOND_US = 1_000_000;
const MINUTE_US = 60 * SECOND_US;
const HEARTBEAT_SECONDS = 5;

/** Creates the venue. Nothing runs until somebody dials, or once nobody is connected. */
export function createSimulatedVenue(options: SimulatedVenueOptions): SimulatedVenue {
  return new SimulatedServer(options);
}

class SimulatedServer implements SimulatedVenue {
  readonly instruments: readonly SimulatedInstrument[];
  readonly dialer: FeedDialer;
  readonly rest: RestClient;
  skippedSteps = 0;
  readonly #past: SimulatedPast;
  readonly #options: SimulatedVenueOptions;
  readonly #listings = new Map<string, SimulatedListing>();
  /** The same, in the order in which they move; `#first` begins the next turn. */
  readonly #order: readonly SimulatedListing[];
  #first = 0;
  readonly #sockets = new Set<SimulatedSocket>();
  #closed = false;
  #nextHeartbeatUs = 0;
  #cancelTurn: CancelTimer | undefined;

  constructor(options: SimulatedVenueOptions) {
    this.#options = options;
    this.instruments = listSimulatedInstruments(options);
    this.#past = new SimulatedPast({ ...options, instruments: this.instruments });
    const nowUs = options.clock.nowUs();
    for (const [index, instrument] of this.instruments.entries()) {
      const underlying = this.#listings.get(instrument.underlying ?? "")?.market;
      const leader = this.#listings.get(this.instruments[0]?.symbol ?? "")?.market;
      const openTicks = this.#past.priceTicks(instrument.symbol, nowUs);
      const place = { index, openTicks, underlying, leader };
      const listing = new SimulatedListing(instrument, { ...options, ...place });
      this.#listings.set(instrument.symbol, listing);
    }
    this.#order = [...this.#listings.values()];
    this.dialer = { dial: (_url, handlers) => this.#accept(handlers) };
    this.rest = createSimulatedRest({
      clock: options.clock,
      instruments: this.instruments,
      minuteOf: (symbol, minute) => this.#minuteOf(symbol, minute),
    });
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
      if (listing === undefined || known === undefined || !listing.offers(known)) {
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

  /** As the market lived through it, where it did and remembers. */
  #minuteOf(symbol: string, minute: number): MinuteCandle | undefined {
    const market = this.#listings.get(symbol)?.market;
    const openTimeUs = minute * MINUTE_US;
    const keptSinceUs = this.#options.clock.nowUs() - (MINUTES_MAX - 1) * MINUTE_US;
    const livedSinceUs = Math.max(market?.firstTimeUs ?? Infinity, keptSinceUs);
    if (openTimeUs >= livedSinceUs) return market?.minuteAt(openTimeUs);
    return this.#past.minute(symbol, minute);
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
      const monotonicUs = clock.monotonicUs();
      this.#nextHeartbeatUs = monotonicUs + HEARTBEAT_SECONDS * SECOND_US;
      for (const listing of this.#order) {
        listing.movedUs = monotonicUs;
        listing.nextSecondUs = secondAfter(nowUs);
      }
      this.#scheduleTurn();
    }
    return socket;
  }

  #subscribe(socket: SimulatedSocket, listing: SimulatedListing, channel: Channel): void {
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
    const monotonicUs = clock.monotonicUs();
    const deadlineUs = monotonicUs + TURN_BUDGET_US;
    const count = this.#order.length;
    for (let moved = 0; moved < count; moved += 1) {
      const listing = this.#order[this.#first] as SimulatedListing;
      this.#first = (this.#first + 1) % count;
      this.#move(listing, { nowUs, monotonicUs, deadlineUs });
      if (clock.monotonicUs() >= deadlineUs) break;
    }
    if (monotonicUs >= this.#nextHeartbeatUs) {
      this.#nextHeartbeatUs = monotonicUs + HEARTBEAT_SECONDS * SECOND_US;
      for (const socket of this.#sockets) socket.deliver(`{"e":"heartbeat","t":${nowUs}}`);
    }
    // A listener may have dialled again within this turn.
    if (this.#sockets.size > 0 && this.#cancelTurn === undefined) this.#scheduleTurn();
  }

  /**
   * Brings one market from where it was to now. As much happens as time has passed, whatever the
   * wall clock was set to meanwhile; the events have that clock's times.
   */
  #move(listing: SimulatedListing, { nowUs, monotonicUs, deadlineUs }: Turn): void {
    const { clock, eventsPerSecond } = this.#options;
    const { market } = listing;
    const elapsedUs = monotonicUs - listing.movedUs;
    const movedUs = nowUs - elapsedUs;
    const due = this.#stepsDue(listing, elapsedUs);
    for (let step = 1; step <= due; step += 1) {
      // Spread over the time since it last moved, so that the market does not move in jerks.
      market.step(movedUs + Math.floor((elapsedUs * step) / due));
      if (step % STEPS_PER_CLOCK_READING !== 0 || clock.monotonicUs() < deadlineUs) continue;
      if (eventsPerSecond !== "max") this.skippedSteps += due - step;
      break;
    }
    listing.movedUs = monotonicUs;
    const wasSetBack = listing.nextSecondUs > nowUs + SECOND_US;
    if (nowUs < listing.nextSecondUs && !wasSetBack) return;
    listing.nextSecondUs = secondAfter(nowUs);
    market.second(nowUs);
  }

  #stepsDue(listing: SimulatedListing, elapsedUs: number): number {
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

/** When one turn of the markets is, and until when it may last. */
type Turn = {
  readonly nowUs: number;
  readonly monotonicUs: number;
  readonly deadlineUs: number;
};

/** The next whole second after this instant. */
function secondAfter(timeUs: number): number {
  return timeUs - (timeUs % SECOND_US) + SECOND_US;
}

type Request = { readonly op: "subscribe" | "unsubscribe"; readonly channels: readonly unknown[] };

function parseRequest(frame: string): Request | undefined {
  const parsed = parseJson(frame);
  if (!isRecord(parsed)) return undefined;
  const { op, channels } = parsed;
  if ((op !== "subscribe" && op !== "unsubscribe") || !Array.isArray(channels)) return undefined;
  return { op, channels };
}
