import type { Clock } from "#core/clock.ts";
import type { GatewayMetrics } from "../metrics.ts";
import { RpcError, toRpcError } from "./rpc-error.ts";
import type { BoundMethod } from "./service-table.ts";

/** What it takes to account for calls. */
export type CallAccount = {
  readonly clock: Clock;
  readonly metrics: GatewayMetrics;
  /** A method failed with an error that nobody foresaw. */
  onInternalError(method: string, error: unknown): void;
};

/**
 * Counts a call that is over, whatever carried it: it went well if there is no failure. An error
 * that is no RpcError was foreseen by nobody, so the operator is told of it.
 */
export function accountFor(
  account: CallAccount,
  call: {
    readonly method: BoundMethod;
    readonly carrier: "socket" | "http";
    readonly startedUs: number;
  },
  failure: { readonly error: unknown } | undefined,
): void {
  const { clock, metrics } = account;
  const { method, carrier, startedUs } = call;
  const code = failure === undefined ? "ok" : toRpcError(failure.error).code;
  if (failure !== undefined && !(failure.error instanceof RpcError)) {
    account.onInternalError(method.fullName, failure.error);
  }
  metrics.calls.inc({ method: method.name, carrier, code });
  metrics.callSeconds.observe({ method: method.name }, (clock.monotonicUs() - startedUs) / 1e6);
}
