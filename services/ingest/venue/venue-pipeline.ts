import type { OrderBook } from "@tickwire/proto/model";
import { assert } from "#core/assert.ts";
import type { Channel, Instrument } from "#core/instrument.ts";
import { CHANNEL_OF_KIND } from "#core/market-event.ts";
import type { MarketEvent, Quote, TopicState } from "#core/market-event.ts";
import { QuoteAt, TickAt } from "#core/market-tick.ts";
import type { FeedTick, MarketTick, QuoteTick, TradeTick } from "#core/market-tick.ts";
import type { StatusReason } from "#core/status-reason.ts";
import { bookSyncOf } from "../feed/book-sync-of.ts";
import type { RawBook, RejectReason } from "../feed/feed-adapter.ts";
import type { FeedData } from "../feed/feed-sink.ts";
import type { VenueContext } from "../feed/venue-context.ts";
import { BookStage, CROSSED, UNCROSSED } from "./book-stage.ts";
import { CandleClosing } from "./candle-closing.ts";
import { MarketStates, type SaidState } from "./market-states.ts";
import { areTimesSane, isCrossed, rejectionOf, withoutBadTimes } from "./normalizer.ts";
import { StatusBoard } from "./status-board.ts";
import { TradeDeduplicator } from "./trade-deduplicator.ts";
import { VenueClock } from "./venue-clock.ts";
import type { ClockState } from "./venue-clock.ts";
import type { VenueCounters } from "./venue-counters.ts";

/** What a pipeline wants done that it cannot do itself. Whoever drives it sees to it. */
export type PipelineDemand =
  /** The book cannot go on without a new snapshot. Said once until one arrives. */
  { readonly kind: "need-snapshot"; readonly instrument: Instrument; readonly reason: string };

/** How much a pipeline keeps in memory, per instrument. */
type PipelineLimits = {
  /** Book deltas while a snapshot is awaited. */
  readonly bufferedDeltasMax: number;
  /** To recognise a trade that comes twice. */
  readonly recentTradeIdsMax: number;
};

export type VenuePipelineOptions = Pick<VenueContext, "adapter" | "bookDepth"> & {
  readonly limits: PipelineLimits;
  readonly counters: VenueCounters;
  /** What is to be published, in order. */
  readonly emit: (event: MarketEvent) => void;
  /** In place of `emit`, in the same order, for what came as a tick and breaks no rule. */
  readonly emitTick?: (tick: MarketTick) => void;
  readonly demand: (demand: PipelineDemand) => void;
  /** Called when our clock and the venue's begin to differ, or do not any more. */
  readonly onClock?: (state: ClockState, offsetUs: number) => void;
};

/** Something that was not used. */
type Rejection = {
  readonly reason: RejectReason;
  /** With the channel, where it is known what was lost. */
  readonly instrument?: Instrument | undefined;
  readonly channel?: Channel | undefined;
};

/** The health of a subscription, as the one who made it sees it. */
type ChannelState = {
  readonly instrument: Instrument;
  readonly channel: Channel;
  readonly state: TopicState;
  readonly reason: StatusReason;
};

/**
 * From the events of a venue's feed to what is published: the rules of every venue, duplicates of
 * trades, books, and the state of every channel. It holds no connection and reads no clock: the
 * time comes with each input, and everything that follows from it is emitted or demanded before
 * the call returns. So a recording runs through exactly this.
 */
export class VenuePipeline {
  readonly #counters: VenueCounters;
  readonly #emitEvent: (event: MarketEvent) => void;
  readonly #emitTick: (tick: MarketTick) => void;
  readonly #demand: (demand: PipelineDemand) => void;
  readonly #trades: TradeDeduplicator;
  readonly #statuses: StatusBoard;
  readonly #books: BookStage;
  /** Of a venue that does not close its candles itself. */
  readonly #candles: CandleClosing | undefined;
  readonly #clock: VenueClock;
  readonly #states: MarketStates;
  /** Instruments whose last quote was crossed. */
  readonly #crossedQuotes = new Set<Instrument>();
  /** The time of the call that is under way, for what it tells of states. */
  #nowUs = 0;

  constructor(options: VenuePipelineOptions) {
    const { adapter, limits, counters, emit, demand } = options;
    this.#counters = counters;
    this.#emitEvent = emit;
    this.#emitTick = options.emitTick ?? ((tick) => emit(tick.event()));
    this.#demand = demand;
    this.#trades = new TradeDeduplicator({ idsMax: limits.recentTradeIdsMax });
    this.#statuses = new StatusBoard((status) => this.#emit(status));
    this.#candles = adapter.candlesEndUnsaid === true ? new CandleClosing() : undefined;
    this.#clock = new VenueClock(options.onClock ?? (() => {}));
    this.#states = new MarketStates({
      onState: (instrument, { state, word }) =>
        this.#statuses.setInstrument({ instrument, state, word, nowUs: this.#nowUs }),
    });
    this.#books = new BookStage({
      syncOf: (instrument) => bookSyncOf(adapter, instrument, options),
      bufferedDeltasMax: limits.bufferedDeltasMax,
      counters,
      onEvent: (event) => this.#emit(event),
      onDelta: (delta) => {
        counters.events.book += 1;
        this.#emitTick(delta);
      },
      onState: ({ instrument, state, reason }, nowUs) =>
        this.#statuses.set({ instrument, channel: "book", state, reason, nowUs }),
      onNeedSnapshot: (instrument, reason) => demand({ kind: "need-snapshot", instrument, reason }),
    });
  }

  /** How far the venue's clock is ahead of ours, in microseconds; undefined while nothing tells. */
  get clockOffsetUs(): number | undefined {
    return this.#clock.offsetUs;
  }

  /** Takes the next event of the feed, in order of arrival. */
  onData(event: FeedData, nowUs: number): void {
    const reason = rejectionOf(event);
    if (reason === undefined) {
      this.#accept(event, nowUs);
      return;
    }
    const channel = event.kind === "raw-book" ? "book" : CHANNEL_OF_KIND[event.kind];
    this.onRejected({ reason, instrument: event.instrument, channel }, nowUs);
  }

  /** The same for a tick, which was received now. */
  onTick(tick: FeedTick): void {
    const { numbers } = tick;
    const venueTimeUs = numbers[TickAt.Venue]!;
    const receivedTimeUs = numbers[TickAt.Received]!;
    if (!Number.isNaN(venueTimeUs) && !this.#clock.judge(venueTimeUs, receivedTimeUs, true)) {
      // The data is good all the same; a time is never invented.
      this.#counters.badTimes += 1;
      const isSane = this.#clock.judge(venueTimeUs, receivedTimeUs, false);
      if (!isSane) numbers[TickAt.Venue] = Number.NaN;
    }
    switch (tick.kind) {
      case "trade":
        return this.#passTrade(tick);
      case "quote":
        return this.#passQuote(tick);
      case "book":
        return this.#books.handleTick(tick, receivedTimeUs);
    }
  }

  /**
   * Takes a book snapshot that was asked for. False if it breaks the rules: it is then only
   * counted, because a live book is not worse for it, and whoever asked asks again.
   */
  onSnapshot(snapshot: RawBook, nowUs: number): boolean {
    assert(snapshot.snapshot, "what is taken as a snapshot is one");
    const reason = rejectionOf(snapshot);
    if (reason === undefined) this.#accept(snapshot, nowUs);
    else this.#count(reason, "book");
    return reason === undefined;
  }

  /** The changes of a book come from now on: its snapshot is demanded before the first of them. */
  onBookConfirmed(instrument: Instrument, nowUs: number): void {
    this.#books.begin(instrument, nowUs);
  }

  /** No change of a book comes, in a recording: its snapshot is taken if it has one. */
  onBookQuiet(instrument: Instrument, nowUs: number): void {
    this.#books.beginQuiet(instrument, nowUs);
  }

  /** Takes note of something that was not used, and of what that costs. */
  onRejected(rejection: Rejection, nowUs: number): void {
    const { reason, instrument, channel } = rejection;
    this.#count(reason, channel ?? "");
    // A part of a book is missing now, which a venue without sequences would never tell.
    if (instrument !== undefined && channel === "book") {
      if (this.#books.has(instrument)) this.#books.resync(instrument, "damaged-message", nowUs);
      // The first snapshot itself was damaged: no builder is there yet to ask for another one.
      else {
        const state = { channel: "book", state: "resyncing", reason: "damaged-message" } as const;
        this.#statuses.set({ instrument, ...state, nowUs });
        this.#demand({ kind: "need-snapshot", instrument, reason: "damaged-message" });
      }
    } else if (instrument !== undefined && channel === "trades" && reason === "missing-data") {
      // Trades cannot be had again from the stream: say that some are missing, and go on.
      this.#counters.gaps += 1;
      this.#counters.tradeGaps += 1;
      const hole = { instrument, channel, nowUs };
      this.#statuses.set({ ...hole, state: "gap", reason: "missing-data" });
      this.#statuses.set({ ...hole, state: "live", reason: "data-resumed" });
    }
  }

  /** True while a candle is open that time alone will close. */
  get hasOpenCandles(): boolean {
    return this.#candles !== undefined && this.#candles.openCount > 0;
  }

  /** Closes the candles that are over. */
  closeCandles(nowUs: number): void {
    this.#candles?.close(nowUs, (candle) => this.#emit(candle));
  }

  /** Takes what a subscription's health has become. */
  onChannelState(change: ChannelState, nowUs: number): void {
    const { instrument, channel, state, reason } = change;
    if (channel === "book") {
      // Whether a book is in sync is its builder's to say.
      if (state === "live" && !this.#books.isLive(instrument)) return;
      if (state === "down") this.#books.reset(instrument, reason, nowUs);
    }
    if (channel === "candles" && state !== "live") this.#candles?.forget(instrument);
    // Whatever its next quote is, is news then.
    if (channel === "quotes" && state !== "live") this.#crossedQuotes.delete(instrument);
    this.#statuses.set({ instrument, channel, state, reason, nowUs });
  }

  /** The venue said this of one instrument. True if another state holds than before. */
  setInstrumentState(instrument: Instrument, said: SaidState, nowUs: number): boolean {
    this.#nowUs = nowUs;
    return this.#states.setOwn(instrument, said);
  }

  /**
   * The venue said this of itself. False if it is no news; else each instrument that is followed is
   * to be settled.
   */
  setVenueState(said: SaidState): boolean {
    return this.#states.setVenue(said);
  }

  /** Tells what holds for an instrument now. True if another state holds than before. */
  settleState(instrument: Instrument, nowUs: number): boolean {
    this.#nowUs = nowUs;
    return this.#states.settle(instrument);
  }

  /** Those of which anything was told. */
  followed(): Iterable<Instrument> {
    return this.#statuses.instruments();
  }

  /** Nothing more comes of an instrument: its channels are down for good, and it is forgotten. */
  end(instrument: Instrument, reason: StatusReason, nowUs: number): void {
    this.#statuses.end(instrument, reason, nowUs);
    this.#states.forget(instrument);
    this.#books.forget(instrument);
    this.#trades.forget(instrument);
    this.#candles?.forget(instrument);
    this.#crossedQuotes.delete(instrument);
  }

  /** Anything may have been lost: books whose numbers would not show it are started anew. */
  resyncUnnumbered(reason: StatusReason, nowUs: number): void {
    this.#books.resyncUnnumbered(reason, nowUs);
  }

  /** The book as it stands after the last event; undefined unless it is known to be right. */
  liveBookOf(instrument: Instrument): OrderBook | undefined {
    return this.#books.liveBookOf(instrument);
  }

  /**
   * From now on a REST snapshot replaces the live book without a break. False if the book is not
   * live.
   */
  beginRefresh(instrument: Instrument): boolean {
    return this.#books.beginRefresh(instrument);
  }

  /** True from `beginRefresh` until a snapshot was taken or the refresh ended otherwise. */
  isRefreshing(instrument: Instrument): boolean {
    return this.#books.isRefreshing(instrument);
  }

  /** No snapshot came: the live book goes on as it is. */
  endRefresh(instrument: Instrument): void {
    this.#books.endRefresh(instrument);
  }

  #accept(event: FeedData, nowUs: number): void {
    if (areTimesSane(event, this.#clock)) {
      this.#pass(event, nowUs);
      return;
    }
    // The data is good all the same; a time is never invented.
    this.#counters.badTimes += 1;
    this.#pass(withoutBadTimes(event, this.#clock), nowUs);
  }

  #pass(event: FeedData, nowUs: number): void {
    if (event.kind === "raw-book") {
      this.#books.handle(event, nowUs);
    } else if (event.kind === "trade" && !this.#trades.isNew(event)) {
      this.#counters.duplicateTrades += 1;
    } else if (event.kind === "candle" && this.#candles !== undefined) {
      const candle = this.#candles.take(event);
      if (candle !== undefined) this.#emit(candle);
    } else {
      if (event.kind === "trade" && event.historical) this.#counters.historicalTrades += 1;
      else if (event.kind === "quote") this.#markCrossing(event, nowUs);
      this.#emit(event);
    }
  }

  #passTrade(tick: TradeTick): void {
    if (!this.#trades.isNewTick(tick)) {
      this.#counters.duplicateTrades += 1;
      return;
    }
    this.#counters.events.trade += 1;
    this.#emitTick(tick);
  }

  #passQuote(tick: QuoteTick): void {
    const { numbers } = tick;
    if (numbers[QuoteAt.Bid]! > numbers[QuoteAt.Ask]! || this.#crossedQuotes.size > 0) {
      this.#pass(tick.event(), numbers[TickAt.Received]!);
      return;
    }
    this.#counters.events.quote += 1;
    this.#emitTick(tick);
  }

  /** A crossed quote is delivered as it is: the one before would stand as if it were true. */
  #markCrossing(quote: Quote, nowUs: number): void {
    const { instrument } = quote;
    const about = { instrument, channel: "quotes", state: "live", nowUs } as const;
    if (isCrossed(quote)) {
      this.#counters.crossedQuotes += 1;
      this.#crossedQuotes.add(instrument);
      this.#statuses.set({ ...about, reason: CROSSED });
    } else if (this.#crossedQuotes.size > 0 && this.#crossedQuotes.delete(instrument)) {
      this.#statuses.set({ ...about, reason: UNCROSSED });
    }
  }

  #count(reason: RejectReason, channel: Channel | ""): void {
    const { rejected, rejectedOf } = this.#counters;
    rejected[reason] = (rejected[reason] ?? 0) + 1;
    let reasons = rejectedOf.get(channel);
    if (reasons === undefined) {
      reasons = {};
      rejectedOf.set(channel, reasons);
    }
    reasons[reason] = (reasons[reason] ?? 0) + 1;
  }

  #emit(event: MarketEvent): void {
    this.#counters.events[event.kind] += 1;
    this.#emitEvent(event);
  }
}
