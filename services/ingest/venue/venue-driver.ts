import type { Clock } from "#core/clock.ts";
import type { Channel, Instrument } from "#core/instrument.ts";
import type { TopicState } from "#core/market-event.ts";
import type { FeedSubscription, RawBook, RejectReason } from "../feed/feed-adapter.ts";
import type { FeedData, FeedSink } from "../feed/feed-sink.ts";
import { VenuePipeline } from "./venue-pipeline.ts";
import type { PipelineDemand, VenuePipelineOptions } from "./venue-pipeline.ts";

/** The session that carries a book, as far as the book is concerned. */
type BookSession = { resyncBook(instrument: Instrument): void };

type VenueDriverOptions = Omit<VenuePipelineOptions, "demand"> & { readonly clock: Clock };

/**
 * The edge of a venue's pipeline: tells it the time, and takes what it demands to the session that
 * carries the book. Live feeds and recordings are driven by the same one.
 */
export class VenueDriver<Session extends BookSession> implements FeedSink {
  readonly pipeline: VenuePipeline;
  readonly #clock: Clock;
  readonly #bookSessions = new Map<Instrument, Session>();

  constructor(options: VenueDriverOptions) {
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
    reason: string,
  ): void {
    this.pipeline.onChannelState({ instrument, channel, state, reason }, this.#clock.nowUs());
  }

  /** Books whose numbers would not show what was lost are started anew. */
  resyncUnnumbered(reason: string): void {
    this.pipeline.resyncUnnumbered(reason, this.#clock.nowUs());
  }

  #meet(demand: PipelineDemand): void {
    switch (demand.kind) {
      case "need-snapshot":
        this.#bookSessions.get(demand.instrument)?.resyncBook(demand.instrument);
    }
  }
}
