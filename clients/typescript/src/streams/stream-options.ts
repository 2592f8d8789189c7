/// <reference lib="esnext.disposable" preserve="true" />
import type { TickwireError, TopicRefusal } from "../errors.ts";
import type { NoticeEvent } from "../events/stream-events.ts";
import { assertChoiceOption, assertIntegerOption } from "../host/option-checks.ts";
import { OVERFLOW_POLICIES, type OverflowPolicy } from "./event-buffer.ts";

/** What every subscription may say. A value out of range is thrown as RangeError at once. */
export type SubscribeOptions = {
  /** Ends the subscription cleanly, without an error. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Events closer together than this may be merged by the gateway, which refuses what it does not
   * offer. Default 0: every event.
   */
  readonly conflationIntervalMs?: number | undefined;
  /** Whether to start with the current state. Default true; books always do. */
  readonly snapshot?: boolean | undefined;
  /** Books only: levels per side; the gateway refuses what it does not offer. Default 0: all. */
  readonly depth?: number | undefined;
  /**
   * How the topics go on: starts, resumes, gaps, lag. Called when it happens, ahead of what is
   * buffered.
   */
  readonly onNotice?: ((notice: NoticeEvent) => void) | undefined;
  /**
   * Called for each topic that the gateway refuses. The others go on; when none is left, the
   * subscription ends with TopicRefusedError.
   */
  readonly onRefused?: ((refusal: TopicRefusal) => void) | undefined;
};

/** Options of a `for await` subscription. */
export type StreamOptions = SubscribeOptions & {
  /** Events that wait for the loop at most. Default: the client's. */
  readonly bufferEventsMax?: number | undefined;
  /**
   * What happens to one more. Default: the client's, else `latest` for states and `error` for
   * events.
   */
  readonly overflow?: OverflowPolicy | undefined;
};

/** Options of a callback subscription. */
export type CallbackOptions = SubscribeOptions & {
  /**
   * Called once if the subscription ends by an error. Without it the error goes to the host as
   * uncaught.
   */
  readonly onError?: ((error: TickwireError) => void) | undefined;
};

/** Options of candle subscriptions. */
export type CandleOptions = {
  /**
   * Only candles of this length; a topic without them is refused, `topic-unknown-interval`.
   * Default: all that there are (`candleIntervalsMs` of an instrument).
   */
  readonly intervalMs?: number | undefined;
};

/** A callback subscription. */
export type Subscription = Disposable & {
  /** Unsubscribes; the callback is not called again. Idempotent. */
  close(): void;
  /** Whether it is over, by `close()` or by an error. */
  readonly closed: boolean;
  /** The topics that were refused so far, while others go on. */
  readonly refusals: readonly TopicRefusal[];
};

/** The buffer of a stream, or of those that say nothing. */
export type BufferOptions = {
  readonly bufferEventsMax: number;
  readonly overflow: OverflowPolicy | undefined;
};

/** Options of `connect()` for the client's streams. */
export type StreamDefaults = {
  /** Events that may wait for one loop. Default 10 000. */
  readonly bufferEventsMax?: number | undefined;
  /** What happens to one more. Default: `latest` for states, `error` for events. */
  readonly overflow?: OverflowPolicy | undefined;
};

/** The options, else the defaults. Throws RangeError for one that is out of range. */
export function bufferOptions(
  { bufferEventsMax, overflow }: StreamDefaults,
  defaults: BufferOptions = { bufferEventsMax: 10_000, overflow: undefined },
): BufferOptions {
  const count = { min: 1, max: Number.MAX_SAFE_INTEGER };
  assertIntegerOption("bufferEventsMax", bufferEventsMax, count);
  assertChoiceOption("overflow", overflow, OVERFLOW_POLICIES);
  return {
    bufferEventsMax: bufferEventsMax ?? defaults.bufferEventsMax,
    overflow: overflow ?? defaults.overflow,
  };
}
