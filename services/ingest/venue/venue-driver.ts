import type { CancelTimer, Clock } from "#core/clock.ts";
import type { Channel, Instrument } from "#core/instrument.ts";
import type { TopicState } from "#core/market-event.ts";
import type { FeedTick } from "#core/market-tick.ts";
import type { StatusReason } from "#core/status-reason.ts";
import type { FeedSubscription, RawBook, RejectReason } from "../feed/feed-adapter.ts";
import type { FeedData, FeedSink, MarketStateEvent } from "../feed/feed-sink.ts";
import type { SaidState } from "./market-states.ts";
import { VenuePipeline } from "./venue-pipeline.ts";
import type { PipelineDemand, VenuePipelineOptions } from "./venue-pipeline.ts";

/** The session that carries a book, as far as the book is concerned. */
type BookSession = { resyncBook(instrument: Instrument): void };

/** Between two looks for candles that are over. */
const CANDLES_LOOK_MS = 1_000;

/** Telling one instrument's state takes some microseconds: so many take about a millisecond. */
const STATES_PER_TURN_MAX = 250;

type VenueDriverOptions = Omit<VenuePipelineOptions, "demand"> & {
  readonly clock: Clock;
  /** Another state holds for these than before; it is told already. */
  readonly onStates?: (instruments: readonly Instrument[]) => void;
  /** The venue said that these have ended. */
  readonly onDelisted?: (instrument: Instrument) => void;
  /** The venue said that its list is another than it was. */
  readonly onListChanged?: () => void;
};

/**
 * The edge of a venue's pipeline: tells it the time, and takes what it demands to the session that
 * carries the book. Live feeds and recordings are driven by the same one.
 */
export class VenueDriver<Session extends BookSession> implements FeedSink {
  readonly pipeline: VenuePipeline;
  readonly #clock: Clock;
  readonly #bookSessions = new Map<Instrument, Session>();
  readonly #options: VenueDriverOptions;
  #cancelCandles: CancelTimer | undefined;
  #cancelStates: CancelTimer | undefined;

  constructor(options: VenueDriverOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.pipeline = new VenuePipeline({ ...options, demand: (demand) => this.#meet(demand) });
  }

  /** Tells which session carries the books among the subscriptions. */
  assignBooks(session: Session, subscriptions: readonly FeedSubscription[]): void {
    for (const { instrument, channel } of subscriptions) {
      if (channel === "book") this.#bookSessions.set(instrument, session);
    }
  }

  /** The session that carries an instrument's book. */
  bookSessionOf(instrument: Instrument): Session | undefined {
    return this.#bookSessions.get(instrument);
  }

  /** An event that is passed on at once was received now. */
  onData(event: FeedData, nowUs: number = event.receivedTimeUs): void {
    this.pipeline.onData(event, nowUs);
    if (event.kind === "candle") this.#watchCandles();
  }

  onTick(tick: FeedTick): void {
    this.pipeline.onTick(tick);
  }

  onSnapshot(snapshot: RawBook): boolean {
    return this.pipeline.onSnapshot(snapshot, this.#clock.nowUs());
  }

  onBookConfirmed(instrument: Instrument): void {
    this.pipeline.onBookConfirmed(instrument, this.#clock.nowUs());
  }

  onBookQuiet(instrument: Instrument): void {
    this.pipeline.onBookQuiet(instrument, this.#clock.nowUs());
  }

  onRejected(reason: RejectReason, instrument?: Instrument, channel?: Channel): void {
    this.pipeline.onRejected({ reason, instrument, channel }, this.#clock.nowUs());
  }

  onChannelState(
    instrument: Instrument,
    channel: Channel,
    state: TopicState,
    reason: StatusReason,
  ): void {
    this.pipeline.onChannelState({ instrument, channel, state, reason }, this.#clock.nowUs());
  }

  /** Books whose numbers would not show what was lost are started anew. */
  resyncUnnumbered(reason: StatusReason): void {
    this.pipeline.resyncUnnumbered(reason, this.#clock.nowUs());
  }

  onMarketState(event: MarketStateEvent): void {
    switch (event.kind) {
      case "instrument-state":
        this.setState(event.instrument, event);
        return;
      case "venue-state":
        if (this.pipeline.setVenueState(event)) this.#settle([...this.pipeline.followed()]);
        return;
      case "list-changed":
        this.#options.onListChanged?.();
    }
  }

  /** The venue said this of one instrument. */
  setState(instrument: Instrument, said: SaidState): void {
    const { onDelisted, onStates } = this.#options;
    if (said.state === "delisted" && onDelisted !== undefined) {
      onDelisted(instrument);
    } else if (this.pipeline.setInstrumentState(instrument, said, this.#clock.nowUs())) {
      onStates?.([instrument]);
    }
  }

  /** What holds for the venue as a whole holds for an instrument that has just come, too. */
  settleState(instrument: Instrument): void {
    this.pipeline.settleState(instrument, this.#clock.nowUs());
  }

  /** Nothing more comes of an instrument. */
  end(instrument: Instrument, reason: StatusReason): void {
    this.pipeline.end(instrument, reason, this.#clock.nowUs());
    this.#bookSessions.delete(instrument);
  }

  /** Ends what goes by time. Idempotent. */
  close(): void {
    this.#cancelStates?.();
    this.#cancelCandles?.();
    this.#cancelCandles = undefined;
  }

  /** Looks for candles that are over, for as long as any is open. */
  #watchCandles(): void {
    if (this.#cancelCandles !== undefined || !this.pipeline.hasOpenCandles) return;
    this.#cancelCandles = this.#clock.after(CANDLES_LOOK_MS, () => {
      this.#cancelCandles = undefined;
      this.pipeline.closeCandles(this.#clock.nowUs());
      this.#watchCandles();
    });
  }

  /** Over several turns of the event loop, because a venue has thousands of instruments. */
  #settle(waiting: Instrument[]): void {
    this.#cancelStates?.();
    const nowUs = this.#clock.nowUs();
    const changed = waiting
      .splice(0, STATES_PER_TURN_MAX)
      .filter((instrument) => this.pipeline.settleState(instrument, nowUs));
    if (changed.length > 0) this.#options.onStates?.(changed);
    if (waiting.length === 0) return;
    this.#cancelStates = this.#clock.after(0, () => this.#settle(waiting));
  }

  #meet(demand: PipelineDemand): void {
    switch (demand.kind) {
      case "need-snapshot":
        this.#bookSessions.get(demand.instrument)?.resyncBook(demand.instrument);
    }
  }
}
