/// <reference lib="esnext.disposable" preserve="true" />
import type { TickwireError, TopicRefusal } from "../errors.ts";
import type { NoticeEvent } from "../events/stream-events.ts";
import { assertChoiceOption, assertIntegerOption, UINT32_MAX } from "../host/option-checks.ts";
import { CONFLATION_INTERVAL_MS_MAX } from "../topics/view-wish.ts";
import { OVERFLOW_POLICIES, type OverflowPolicy } from "./event-buffer.ts";

/** What every subscription may say. A value out of range is thrown as RangeError at once. */
export type SubscribeOptions = {
  /** Ends the subscription cleanly, without an error. */
  readonly signal?: AbortSignal | undefined;
  /**
   * The gateway sends at most once in so long: net changes of books, the latest of states, all
   * trades together. Rounded up to 50, 100, 250, 500, 1000, 2000, 5000 or 10000. Default 0: every
   * event.
   */
  readonly conflationIntervalMs?: number | undefined;
  /** Whether to start with the current state. Default true; books always do. */
  readonly snapshot?: boolean | undefined;
  /** Books only: levels per side, rounded up to 1, 5, 10, 20, 50, 100, 500 or 1000. 0: all. */
  readonly depth?: number | undefined;
  /**
   * Books only: the gateway says about once a second what the levels come to, and this client
   * compares. A book that comes to something else is asked for anew, which is told as a continuity
   * `resyncing` with the reason `checksum-mismatch`. Default false.
   */
  readonly checksum?: boolean | undefined;
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

/** What `update()` changes; what is left out stays. */
export type ViewOptions = Pick<SubscribeOptions, "depth" | "conflationIntervalMs">;

/** A callback subscription. */
export type Subscription = Disposable & {
  /**
   * Shows its topics in another way from now on, without a gap, to everybody on this client who has
   * them. Throws RangeError for a value out of range.
   */
  update(options: ViewOptions): void;
  /** Unsubscribes; the callback is not called again. Idempotent. */
  close(): void;
  /** Whether it is over, by `close()` or by an error. */
  readonly closed: boolean;
  /** The topics that were refused so far, while others go on. */
  readonly refusals: readonly TopicRefusal[];
};

const INTERVAL_RANGE = { min: 0, max: CONFLATION_INTERVAL_MS_MAX };

/** Throws RangeError for a view that no gateway has. */
export function assertViewOptions({ depth, conflationIntervalMs }: ViewOptions): void {
  assertIntegerOption("depth", depth, { min: 0, max: UINT32_MAX });
  assertIntegerOption("conflationIntervalMs", conflationIntervalMs, INTERVAL_RANGE);
}

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
  /**
   * While the browser's tab is hidden, the gateway sends at most once in so long; the client is
   * whole again at once when it is shown. 0 does nothing. Default 1000.
   */
  readonly hiddenIntervalMs?: number | undefined;
};

/** The options, else the defaults. Throws RangeError for one that is out of range. */
export function bufferOptions(
  { bufferEventsMax, overflow, hiddenIntervalMs }: StreamDefaults,
  defaults: BufferOptions = { bufferEventsMax: 10_000, overflow: undefined },
): BufferOptions {
  assertIntegerOption("hiddenIntervalMs", hiddenIntervalMs, INTERVAL_RANGE);
  const count = { min: 1, max: Number.MAX_SAFE_INTEGER };
  assertIntegerOption("bufferEventsMax", bufferEventsMax, count);
  assertChoiceOption("overflow", overflow, OVERFLOW_POLICIES);
  return {
    bufferEventsMax: bufferEventsMax ?? defaults.bufferEventsMax,
    overflow: overflow ?? defaults.overflow,
  };
}
