import type { Channel, Instrument } from "#core/instrument.ts";
import type { TopicState } from "#core/market-event.ts";
import type { FeedTick } from "#core/market-tick.ts";
import type { StatusReason } from "#core/status-reason.ts";
import type { FeedEvent, RawBook, RejectReason } from "./feed-adapter.ts";

/** The events that carry market data. */
export type FeedData = Extract<
  FeedEvent,
  { readonly instrument: Instrument; receivedTimeUs: number }
>;

/** What tells of the market rather than of prices. */
export type MarketStateEvent = Extract<
  FeedEvent,
  { readonly kind: "instrument-state" | "venue-state" | "list-changed" }
>;

/** Where the events of a feed go. Called synchronously, in the order of the frames. */
export type FeedSink = {
  /** `nowUs` is given for an event that was held back since it was received. */
  onData(event: FeedData, nowUs?: number): void;
  /** The same for a tick, which was received now. */
  onTick(tick: FeedTick): void;
  /**
   * A book snapshot that was asked for. False if it cannot be used: it is then only counted, and
   * whoever asked may ask again.
   */
  onSnapshot(snapshot: RawBook): boolean;
  /** The changes of this book come from now on, and its beginning is to be asked for. */
  onBookConfirmed(instrument: Instrument): void;
  /** No change of this book has come for a while; nobody can be asked for its beginning. */
  onBookQuiet(instrument: Instrument): void;
  /** What can be done with an instrument, or with all of them, is another than before. */
  onMarketState(event: MarketStateEvent): void;
  onRejected(reason: RejectReason, instrument?: Instrument, channel?: Channel): void;
  /**
   * A subscription's health changed. For a book, `live` means that data flows, not that it is in
   * sync.
   */
  onChannelState(
    instrument: Instrument,
    channel: Channel,
    state: TopicState,
    reason: StatusReason,
  ): void;
};
