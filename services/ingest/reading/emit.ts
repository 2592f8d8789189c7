import type { Channel, Instrument } from "#core/instrument.ts";
import type { FeedEvent, RejectReason } from "../feed/feed-adapter.ts";

/** Takes what a decoder makes, one event at a time and at once. */
export type Emit = (event: FeedEvent) => void;

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

/** Says that the connection is alive, for a message that holds nothing to publish. */
export function heartbeat(emit: Emit): void {
  emit(HEARTBEAT);
}

const HEARTBEAT: FeedEvent = Object.freeze({ kind: "heartbeat" });
