import { assertIntegerOption, TIMER_MS_MAX } from "../host/option-checks.ts";
import type { CallInterceptor } from "./call-chain.ts";

/** Options of `connect()` for the client's calls. */
export type CallDefaults = {
  /** Deadline of unary calls that name none. Default 10 000. */
  readonly callTimeoutMs?: number | undefined;
  /** Calls that may wait for a connection or a free slot. Default 1 000; one more is refused. */
  readonly callsQueuedMax?: number | undefined;
  /** See and change every call on its way; the first is the outermost. Default none. */
  readonly interceptors?: readonly CallInterceptor[] | undefined;
};

/** What the calls of a client keep to. */
export type CallLimits = {
  readonly callTimeoutMs: number;
  readonly callsQueuedMax: number;
  readonly interceptors: readonly CallInterceptor[];
};

/** The options with their defaults. Throws RangeError for one that is out of range. */
export function callLimits({
  callTimeoutMs,
  callsQueuedMax,
  interceptors = [],
}: CallDefaults): CallLimits {
  assertIntegerOption("callTimeoutMs", callTimeoutMs, { min: 1, max: TIMER_MS_MAX });
  const count = { min: 0, max: Number.MAX_SAFE_INTEGER };
  assertIntegerOption("callsQueuedMax", callsQueuedMax, count);
  return {
    callTimeoutMs: callTimeoutMs ?? 10_000,
    callsQueuedMax: callsQueuedMax ?? 1_000,
    interceptors: [...interceptors],
  };
}
