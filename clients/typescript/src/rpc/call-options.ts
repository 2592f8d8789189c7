import { assertIntegerOption, TIMER_MS_MAX } from "../host/option-checks.ts";

/** Options of one call. */
export type CallOptions = {
  /** Cancels the call: it rejects with the code `cancelled`, and the gateway is told. */
  readonly signal?: AbortSignal | undefined;
  /**
   * From the call to its end, waiting for a connection included; also sent to the gateway. Default:
   * the client's `callTimeoutMs` for unary methods, none for streaming ones.
   */
  readonly timeoutMs?: number | undefined;
  /** Sent with the call. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
};

/** Options of `connect()` for the client's calls. */
export type CallDefaults = {
  /** Deadline of unary calls that name none. Default 10 000. */
  readonly callTimeoutMs?: number | undefined;
  /** Calls that may wait for a connection or a free slot. Default 1 000; one more is refused. */
  readonly callsQueuedMax?: number | undefined;
};

/** What the calls of a client keep to. */
export type CallLimits = {
  readonly callTimeoutMs: number;
  readonly callsQueuedMax: number;
};

/** The options with their defaults. Throws RangeError for one that is out of range. */
export function callLimits({ callTimeoutMs, callsQueuedMax }: CallDefaults): CallLimits {
  assertIntegerOption("callTimeoutMs", callTimeoutMs, { min: 1, max: TIMER_MS_MAX });
  const count = { min: 0, max: Number.MAX_SAFE_INTEGER };
  assertIntegerOption("callsQueuedMax", callsQueuedMax, count);
  return { callTimeoutMs: callTimeoutMs ?? 10_000, callsQueuedMax: callsQueuedMax ?? 1_000 };
}
