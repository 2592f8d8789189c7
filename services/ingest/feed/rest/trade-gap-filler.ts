import { backoffDelayMs } from "@tickwire/proto/model";
import type { CancelTimer } from "#core/clock.ts";
import type { Instrument } from "#core/instrument.ts";
import type { Trade } from "#core/market-event.ts";
import { TickAt, TradeAt } from "#core/market-tick.ts";
import type { TradeTick } from "#core/market-tick.ts";
import type { TradePosition } from "../feed-adapter.ts";
import type { VenueContext } from "../venue-context.ts";
import type { VenueRest } from "./venue-rest.ts";
import type { RestAnswer } from "./rest-client.ts";

/** Counts that the filler keeps up to date; shared with the metrics. */
export type TradeFillCounters = {
  tradesFilled: number;
  tradeFillsFailed: number;
};

/** What could not be had of a hole. */
export type TradeRemainder = {
  /** The last trade before it. */
  readonly afterTradeId: string;
  /** The first trade behind it; undefined if there is none yet. */
  readonly beforeTradeId: string | undefined;
};

/** Why trades may be missing. */
export type TradeGapReason = "reconnected" | "missing-data";

type TradeGapFillerOptions = VenueContext & {
  readonly rest: VenueRest;
  readonly counters: TradeFillCounters;
  /** The trades of an instrument in an answer, oldest first; what else is in it is not for us. */
  readonly decode: (answer: RestAnswer, instrument: Instrument) => readonly Trade[];
  readonly publish: (trade: Trade) => void;
  /** Said before what is behind the hole goes on. */
  readonly onDone: (
    instrument: Instrument,
    result: {
      readonly reason: TradeGapReason;
      /** Undefined if the hole is closed. */
      readonly remainder: TradeRemainder | undefined;
    },
  ) => void;
};

type Fill = {
  readonly instrument: Instrument;
  readonly reason: TradeGapReason;
  /** Everything up to this trade was published. */
  last: TradePosition;
  /** The latest trades do not reach back: what follows is asked for page by page. */
  isPaging: boolean;
  pages: number;
  /** The trade that the last page was asked to follow. */
  pagedFrom: string | undefined;
  /** Live trades behind the hole. */
  readonly held: Trade[];
  requests: number;
  /** Something was found. */
  hasFilled: boolean;
  cancelTimeout: CancelTimer | undefined;
  cancelRetry: CancelTimer | undefined;
};

/** The last trade of a stream. No object is made of one that is a tick, for there are many. */
class LastTrade {
  #tradeId = "";
  #venueTimeUs: number | undefined;
  /** Of a tick whose id is counted: id and time; NaN where the others have them. */
  readonly #numbers = Float64Array.of(Number.NaN, Number.NaN);

  /** Undefined before the first trade that has an id. */
  get position(): TradePosition | undefined {
    const id = this.#numbers[0]!;
    if (Number.isNaN(id)) {
      const tradeId = this.#tradeId;
      return tradeId === "" ? undefined : { tradeId, venueTimeUs: this.#venueTimeUs };
    }
    const timeUs = this.#numbers[1]!;
    return { tradeId: String(id), venueTimeUs: Number.isNaN(timeUs) ? undefined : timeUs };
  }

  note({ tradeId, venueTimeUs }: TradePosition): void {
    this.#tradeId = tradeId;
    this.#venueTimeUs = venueTimeUs;
    this.#numbers[0] = Number.NaN;
  }

  noteTick(tick: TradeTick): void {
    const id = tick.numbers[TradeAt.Id]!;
    if (Number.isNaN(id)) {
      if (tick.idText !== "") this.note(positionOf(tick.event()));
      return;
    }
    this.#numbers[0] = id;
    this.#numbers[1] = tick.numbers[TickAt.Venue]!;
  }
}

/**
 * Fetches the trades that a connection missed by REST and puts them before the live ones, which
 * wait meanwhile. The hole counts as closed only if the answers reach from the last trade before it
 * to the first one behind it; otherwise what was found is published, and the caller is told that
 * more may be missing.
 */
export class TradeGapFiller {
  readonly #options: TradeGapFillerOptions;
  readonly #last = new Map<Instrument, LastTrade>();
  /** Most trades are of the instrument of the trade before. */
  #lastTick: LastTrade | undefined;
  #lastInstrument: Instrument | undefined;
  readonly #fills = new Map<Instrument, Fill>();

  constructor(options: TradeGapFillerOptions) {
    this.#options = options;
  }

  /** Takes the next trade of the stream. True if it is held until the hole before it is closed. */
  take(trade: Trade): boolean {
    const fill = this.#fills.get(trade.instrument);
    if (fill !== undefined && fill.held.length < this.#options.policy.tradeFillHeldMax) {
      fill.held.push(trade);
      return true;
    }
    if (fill !== undefined) this.#giveUp(fill);
    this.#note(trade);
    return false;
  }

  /** The same for one that is a tick. */
  takeTick(tick: TradeTick): boolean {
    if (this.#fills.size > 0) return this.take(tick.event());
    const { instrument } = tick;
    let last = this.#lastTick;
    if (last === undefined || instrument !== this.#lastInstrument) {
      last = this.#lastOf(instrument);
      this.#lastTick = last;
      this.#lastInstrument = instrument;
    }
    last.noteTick(tick);
    return false;
  }

  /**
   * From now on trades of the instrument are held. False if the hole cannot be filled: the venue
   * does not offer it, no trade was seen before it, or another hole is being filled.
   */
  start(instrument: Instrument, reason: TradeGapReason): boolean {
    const { adapter, clock, policy } = this.#options;
    const last = this.#last.get(instrument)?.position;
    if (adapter.tradesRequest === undefined || last === undefined) return false;
    if (this.#fills.has(instrument)) return false;
    const fill: Fill = {
      instrument,
      reason,
      last,
      isPaging: false,
      pages: 0,
      pagedFrom: undefined,
      held: [],
      requests: 0,
      hasFilled: false,
      cancelTimeout: undefined,
      cancelRetry: undefined,
    };
    this.#fills.set(instrument, fill);
    fill.cancelTimeout = clock.after(policy.tradeFillTimeoutMs, () => this.#giveUp(fill));
    // Perhaps refused at once: the caller hears of it after this call.
    fill.cancelRetry = clock.after(0, () => this.#ask(fill));
    return true;
  }

  /**
   * The connection is gone. A hole before which nothing is held stays open until the next one is
   * there.
   */
  interrupt(): void {
    for (const fill of this.#fills.values()) {
      if (fill.held.length > 0) this.#giveUp(fill);
      else this.#end(fill);
    }
  }

  /** Forgets what is under way. Idempotent. */
  close(): void {
    for (const fill of this.#fills.values()) this.#end(fill);
  }

  #ask(fill: Fill): void {
    const { adapter, rest } = this.#options;
    const { instrument, last, isPaging } = fill;
    const { endpoints } = rest;
    const request = isPaging
      ? adapter.tradesPageRequest?.(instrument, { after: last, endpoints })
      : adapter.tradesRequest?.(instrument, { afterTradeId: last.tradeId, endpoints });
    if (request === undefined) {
      this.#giveUp(fill);
      return;
    }
    fill.requests += 1;
    rest.ask(request, {
      onAnswer: (answer) => {
        if (this.#isWanted(fill)) this.#onAnswer(fill, answer);
      },
      onFailure: () => {
        if (this.#isWanted(fill)) this.#askAgain(fill);
      },
    });
  }

  #onAnswer(fill: Fill, answer: RestAnswer): void {
    const trades = this.#options.decode(answer, fill.instrument);
    const firstLive = fill.held.find(({ historical }) => !historical);
    const missed = tradesAfter(trades, fill.last.tradeId);
    if (missed === undefined) {
      // A stream that goes on without a hole proves itself, whatever the answer lacks.
      const isWhole = firstLive !== undefined && isNextId(fill.last.tradeId, firstLive.tradeId);
      if (isWhole) {
        this.#complete(fill);
        return;
      }
      const followers = followersOf(trades, fill.last.tradeId);
      for (const trade of followers) this.#publishFilled(fill, trade);
      if (!this.#askForPage(fill)) this.#giveUp(fill, trades.slice(followers.length));
      return;
    }
    // What the stream delivered too comes from the stream.
    const join = missed.findIndex(({ tradeId }) => tradeId === firstLive?.tradeId);
    for (const trade of join < 0 ? missed : missed.slice(0, join)) this.#publishFilled(fill, trade);
    // While nothing is held, only an answer with nothing new shows that there is no more; and where
    // the venue's numbers say that something is missing, one with nothing at all came too early.
    const mayBeNone = fill.reason === "reconnected" || fill.hasFilled;
    const isJoined =
      firstLive === undefined
        ? missed.length === 0 && mayBeNone
        : join >= 0 || isNextId(fill.last.tradeId, firstLive.tradeId) || holds(trades, firstLive);
    if (isJoined) this.#complete(fill);
    else if (!(fill.isPaging && missed.length > 0)) this.#askAgain(fill);
    else if (!this.#askForPage(fill)) this.#giveUp(fill);
  }

  /** Asks for the page behind the last trade that is known; false if there is none to ask for. */
  #askForPage(fill: Fill): boolean {
    const { adapter, rest, policy } = this.#options;
    const { instrument, last, pages } = fill;
    const { endpoints } = rest;
    const request = adapter.tradesPageRequest?.(instrument, { after: last, endpoints });
    // A page that does not follow what is known is not followed by one that does.
    const isRepeated = fill.isPaging && fill.pagedFrom === last.tradeId;
    if (request === undefined || isRepeated || pages >= policy.tradeFillPagesMax) return false;
    fill.isPaging = true;
    fill.pages += 1;
    fill.pagedFrom = last.tradeId;
    this.#ask(fill);
    return true;
  }

  #askAgain(fill: Fill): void {
    const { clock, policy, random } = this.#options;
    if (fill.requests >= policy.tradeFillRequestsMax) {
      this.#giveUp(fill);
      return;
    }
    const delayMs = backoffDelayMs({
      attempt: fill.requests - 1,
      limits: { baseMs: policy.snapshotBackoffBaseMs, maxMs: policy.snapshotBackoffMsMax },
      random,
    });
    fill.cancelRetry = clock.after(delayMs, () => this.#ask(fill));
  }

  #publishFilled(fill: Fill, trade: Trade): void {
    const { counters, publish } = this.#options;
    counters.tradesFilled += 1;
    fill.last = positionOf(trade);
    fill.hasFilled = true;
    this.#lastOf(fill.instrument).note(fill.last);
    // It is late, but it is the next one of the stream.
    publish(trade.historical ? { ...trade, historical: false } : trade);
  }

  #complete(fill: Fill): void {
    this.#end(fill);
    this.#options.onDone(fill.instrument, { reason: fill.reason, remainder: undefined });
    this.#release(fill);
  }

  /** `behind` was found behind what cannot be had. */
  #giveUp(fill: Fill, behind: readonly Trade[] = []): void {
    this.#end(fill);
    const { counters, onDone } = this.#options;
    const first = behind[0] ?? fill.held.find(({ historical }) => !historical) ?? fill.held[0];
    counters.tradeFillsFailed += 1;
    const remainder = { afterTradeId: fill.last.tradeId, beforeTradeId: first?.tradeId };
    onDone(fill.instrument, { reason: fill.reason, remainder });
    for (const trade of behind) this.#publishFilled(fill, trade);
    this.#release(fill);
  }

  #end(fill: Fill): void {
    fill.cancelTimeout?.();
    fill.cancelRetry?.();
    this.#fills.delete(fill.instrument);
  }

  #release(fill: Fill): void {
    for (const trade of fill.held) {
      this.#note(trade);
      this.#options.publish(trade);
    }
  }

  #note(trade: Trade): void {
    const { instrument, tradeId, historical } = trade;
    if (!historical && tradeId !== "") this.#lastOf(instrument).note(trade);
  }

  #lastOf(instrument: Instrument): LastTrade {
    let last = this.#last.get(instrument);
    if (last === undefined) {
      last = new LastTrade();
      this.#last.set(instrument, last);
    }
    return last;
  }

  #isWanted(fill: Fill): boolean {
    return this.#fills.get(fill.instrument) === fill;
  }
}

/**
 * The trades behind the one with this id; undefined if nothing proves that they directly follow it.
 * Proof is the trade itself among them, or numbers without a hole that begin right after it.
 */
function tradesAfter(trades: readonly Trade[], lastId: string): readonly Trade[] | undefined {
  const index = trades.findLastIndex(({ tradeId }) => tradeId === lastId);
  if (index >= 0) return trades.slice(index + 1);
  const isWhole = trades.length > 0 && followersOf(trades, lastId).length === trades.length;
  return isWhole ? trades : undefined;
}

/** The first trades of an answer, as far as their numbers follow the one with this id. */
function followersOf(trades: readonly Trade[], lastId: string): readonly Trade[] {
  let previousId = lastId;
  const end = trades.findIndex(({ tradeId }) => {
    const follows = isNextId(previousId, tradeId);
    previousId = tradeId;
    return !follows;
  });
  return end < 0 ? trades : trades.slice(0, end);
}

function positionOf({ tradeId, venueTimeUs }: Trade): TradePosition {
  return { tradeId, venueTimeUs };
}

/** Longer ones are no numbers that count anything. */
const NUMBER = /^\d{1,40}$/;

function holds(trades: readonly Trade[], wanted: Trade): boolean {
  return trades.some(({ tradeId }) => tradeId === wanted.tradeId);
}

function isNextId(id: string, nextId: string): boolean {
  return NUMBER.test(id) && NUMBER.test(nextId) && BigInt(id) + 1n === BigInt(nextId);
}
