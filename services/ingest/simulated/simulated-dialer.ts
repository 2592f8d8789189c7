import { CHANNELS, type Channel } from "#core/instrument.ts";
import type { CancelTimer, Clock } from "#core/clock.ts";
import type {
  FeedDialer,
  FeedSocket,
  FeedSocketHandlers,
} from "../feed/connection/web-socket-dialer.ts";
import type { RestClient } from "../feed/rest/rest-client.ts";
import { isRecord, parseJson } from "../reading/text-fields.ts";
import { ListedMarkets } from "./listed-markets.ts";
import { MarketCalendar } from "./market-calendar.ts";
import { MINUTES_MAX, type MinuteCandle } from "./market-statistics.ts";
import { SimulatedFaults } from "./simulated-faults.ts";
import type { SimulatedInstrument } from "./simulated-instruments.ts";
import type { SimulatedListing } from "./simulated-listing.ts";
import { SimulatedPast } from "./simulated-past.ts";
import { createSimulatedRest } from "./simulated-rest.ts";
import type { SimulatedSettings } from "./simulated-settings.ts";
import { SimulatedSocket } from "./simulated-socket.ts";

type SimulatedVenueOptions = SimulatedSettings & { readonly clock: Clock };

/** The simulated venue: what a dialer and a REST client reach when they are pointed at it. */
export type SimulatedVenue = {
  readonly dialer: FeedDialer;
  readonly rest: RestClient;
  /** What is listed now. */
  readonly instruments: readonly SimulatedInstrument[];
  /** The faults that were asked for, and how often each has happened. */
  readonly faults: SimulatedFaults;
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
/** What is subscribed to hear of the states of all instruments. */
const ALL_INSTRUMENTS = "*";
const STATES = "states";

/** Creates the venue. Nothing runs until somebody dials, or once nobody is connected. */
export function createSimulatedVenue(options: SimulatedVenueOptions): SimulatedVenue {
  return new SimulatedServer(options);
}

class SimulatedServer implements SimulatedVenue {
  readonly dialer: FeedDialer;
  readonly rest: RestClient;
  readonly faults: SimulatedFaults;
  skippedSteps = 0;
  readonly #options: SimulatedVenueOptions;
  readonly #past: SimulatedPast;
  readonly #markets: ListedMarkets;
  readonly #calendar: MarketCalendar;
  /** Place of the market that begins the next turn. */
  #first = 0;
  readonly #sockets = new Set<SimulatedSocket>();
  /** Those that want to know what can be done with each instrument. */
  readonly #stateSockets = new Set<SimulatedSocket>();
  #closed = false;
  #hasStarted = false;
  #nextHeartbeatUs = 0;
  #cancelTurn: CancelTimer | undefined;

  constructor(options: SimulatedVenueOptions) {
    this.#options = options;
    this.faults = new SimulatedFaults(options.chaos, options.seed);
    this.#past = new SimulatedPast(options);
    const { faults } = this;
    const nowUs = (): number => options.clock.nowUs();
    this.#markets = new ListedMarkets(options, { faults, past: this.#past, nowUs });
    this.#calendar = new MarketCalendar(options);
    this.dialer = { dial: (_url, handlers) => this.#accept(handlers) };
    this.rest = createSimulatedRest({
      clock: options.clock,
      markets: this.#markets,
      minuteOf: (symbol, minute) => this.#minuteOf(symbol, minute),
    });
  }

  get instruments(): readonly SimulatedInstrument[] {
    return this.#markets.instruments;
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
    for (const entry of request.channels) this.#answer(socket, request.op, entry);
  }

  #answer(socket: SimulatedSocket, op: Request["op"], entry: unknown): void {
    const [s, c] = Array.isArray(entry) ? entry.map(String) : ["undefined", "undefined"];
    const [symbol = "undefined", name = "undefined"] = [s, c];
    if (symbol === ALL_INSTRUMENTS && name === STATES) {
      this.#followStates(socket, op);
      return;
    }
    const listing = this.#markets.get(symbol);
    const known = CHANNELS.find((each) => each === name);
    if (op === "subscribe") {
      if (listing !== undefined && known !== undefined && listing.offers(known)) {
        this.#subscribe(socket, listing, known);
        return;
      }
    } else if (known !== undefined) {
      socket.forgetOrder(symbol, known);
      // What has been taken off the list has no subscriptions any more.
      listing?.remove(known, socket);
      socket.deliver(JSON.stringify({ e: "unsubscribed", s: symbol, c: known }));
      return;
    }
    const refusal = { e: "error", reason: "unknown-channel", s: symbol, c: name };
    socket.deliver(JSON.stringify(refusal));
  }

  #followStates(socket: SimulatedSocket, op: Request["op"]): void {
    if (op === "unsubscribe") this.#stateSockets.delete(socket);
    else this.#stateSockets.add(socket);
    socket.deliver(JSON.stringify({ e: `${op}d`, s: ALL_INSTRUMENTS, c: STATES }));
    if (op === "unsubscribe") return;
    for (const { market } of this.#markets.order) {
      if (market.isHalted) socket.deliver(this.#stateFrame(market.instrument.symbol, "halted"));
    }
  }

  /** Called by a socket when it is over. */
  onEnded(socket: SimulatedSocket): void {
    if (!this.#sockets.delete(socket)) return;
    this.#stateSockets.delete(socket);
    for (const listing of this.#markets.order) {
      for (const channel of CHANNELS) listing.remove(channel, socket);
    }
    if (this.#sockets.size === 0) this.#stopTurns();
  }

  /** As the market lived through it, where it did and remembers. */
  #minuteOf(symbol: string, minute: number): MinuteCandle | undefined {
    const market = this.#markets.get(symbol)?.market;
    if (market === undefined) return undefined;
    const openTimeUs = minute * MINUTE_US;
    const keptSinceUs = this.#options.clock.nowUs() - (MINUTES_MAX - 1) * MINUTE_US;
    const livedSinceUs = Math.max(market.firstTimeUs ?? Infinity, keptSinceUs);
    if (openTimeUs >= livedSinceUs) return market.minuteAt(openTimeUs);
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
      for (const listing of this.#markets.order) {
        listing.movedUs = monotonicUs;
        listing.nextSecondUs = secondAfter(nowUs);
      }
      if (!this.#hasStarted) {
        this.#hasStarted = true;
        this.#calendar.start(monotonicUs);
        this.faults.start(monotonicUs);
      }
      this.#scheduleTurn();
    }
    return socket;
  }

  #subscribe(socket: SimulatedSocket, listing: SimulatedListing, channel: Channel): void {
    const s = listing.market.instrument.symbol;
    listing.add(channel, socket);
    socket.forgetOrder(s, channel);
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
    this.#keepCalendar(nowUs, monotonicUs);
    this.#breakThings(monotonicUs);
    const { order } = this.#markets;
    const count = order.length;
    for (let moved = 0; moved < count; moved += 1) {
      const listing = order[this.#first % count] as SimulatedListing;
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
    if (monotonicUs >= listing.silentUntilUs) listing.silence(false);
    if (market.isHalted && monotonicUs >= listing.haltedUntilUs) {
      market.halt(false);
      this.#tellState(market.instrument.symbol, "trading");
    }
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

  /** Halts, lists and takes off the list what is due. */
  #keepCalendar(nowUs: number, monotonicUs: number): void {
    const calendar = this.#calendar;
    for (let event = calendar.next(monotonicUs); event; event = calendar.next(monotonicUs)) {
      if (event === "halt") this.#halt(monotonicUs);
      else if (calendar.isDelisting()) this.#delist();
      else this.#list(nowUs, monotonicUs);
    }
  }

  /** The first market is the one that the others follow, and goes on. */
  #halt(monotonicUs: number): void {
    const { order } = this.#markets;
    if (order.length < 2) return;
    const chosen = order[1 + this.#calendar.choose(order.length - 1)];
    if (chosen === undefined || chosen.market.isHalted) return;
    chosen.haltedUntilUs = monotonicUs + this.#calendar.haltMs() * 1000;
    chosen.market.halt(true);
    this.#tellState(chosen.market.instrument.symbol, "halted");
  }

  #list(nowUs: number, monotonicUs: number): void {
    const listing = this.#markets.listOne();
    if (listing === undefined) return;
    listing.movedUs = monotonicUs;
    listing.nextSecondUs = secondAfter(nowUs);
    this.#tellState(listing.market.instrument.symbol, "trading");
  }

  #delist(): void {
    const listing = this.#markets.delistOne();
    if (listing !== undefined) this.#tellState(listing.market.instrument.symbol, "delisted");
  }

  #tellState(symbol: string, state: StateWord): void {
    const frame = this.#stateFrame(symbol, state);
    for (const socket of this.#stateSockets) socket.deliver(frame);
  }

  #stateFrame(symbol: string, state: StateWord): string {
    return JSON.stringify({ e: "state", s: symbol, state, t: this.#options.clock.nowUs() });
  }

  /** The faults that come by the clock. */
  #breakThings(monotonicUs: number): void {
    const { order } = this.#markets;
    const silent = order[this.faults.silenceNow(monotonicUs, order.length) ?? -1];
    if (silent !== undefined) {
      silent.silentUntilUs = monotonicUs + this.faults.silenceMs * 1000;
      silent.silence(true);
    }
    const cut = this.faults.cutNow(monotonicUs, this.#sockets.size);
    if (cut !== undefined) [...this.#sockets][cut]?.terminate();
  }

  #stepsDue(listing: SimulatedListing, elapsedUs: number): number {
    const { eventsPerSecond, pace } = this.#options;
    if (eventsPerSecond === "max")
      return Math.ceil(LOAD_STEPS_PER_TURN / this.#markets.order.length);
    const fair = Math.ceil(STEPS_PER_TURN_MAX / this.#markets.order.length);
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

/** What can be done with an instrument, in the venue's words. */
type StateWord = "trading" | "halted" | "delisted";

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
