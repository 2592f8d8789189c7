import type { Channel, Instrument } from "#core/instrument.ts";
import type { FeedTick } from "#core/market-tick.ts";
import type { FeedEvent, RejectReason } from "../feed/feed-adapter.ts";

/** Takes what a decoder makes, one event at a time and at once. */
export type Emit = (event: FeedEvent) => void;

/** Takes what a scanner reads in place of an event, at once: see `FeedTick`. */
export type TakeTick = (tick: FeedTick) => void;

/** What every event of market data has. The times are microseconds since 1970. */
export type EventSubject = {
  readonly instrument: Instrument;
  /** Undefined where the venue gives no time. */
  readonly venueTimeUs: number | undefined;
  readonly receivedTimeUs: number;
};

/** Counts data that could not be used, and of which nobody knows what it was about. */
export function reject(emit: Emit, reason: RejectReason): void {
  emit({ kind: "rejected", reason });
}

/** Counts data that could not be used, with what was lost by it. */
export function rejectOf(
  emit: Emit,
  reason: RejectReason,
  instrument: Instrument,
  channel: Channel,
): void {
  emit({ kind: "rejected", reason, instrument, channel });
}

/** Hands on a tick, or the event that it stands for where ticks are not taken. */
export function emitTick(tick: FeedTick, emit: Emit, takeTick: TakeTick | undefined): void {
  if (takeTick === undefined) emit(tick.event());
  else takeTick(tick);
}

/** Says that the connection is alive, for a message that holds nothing to publish. */
export function heartbeat(emit: Emit): void {
  emit(HEARTBEAT);
}

const HEARTBEAT: FeedEvent = Object.freeze({ kind: "heartbeat" });
