import type { Principal } from "../access/principal.ts";
import type { RpcError } from "../rpc/rpc-error.ts";
import { tooManyRequests } from "../rpc/work-price.ts";
import type { RateLimits } from "./rate-limits.ts";

/** By then, one of the sessions of a principal may ask again. */
export const PRINCIPAL_RETRY_AFTER_MS = 1_000;

/** What decides about a call. */
type AdmissionParts = {
  readonly rates: RateLimits;
  readonly accounts: {
    takeRequests(principal: Principal, requests: number, nowUs: number): boolean;
  };
  readonly requestsPerSecondMax: number;
};

/** What becomes of a call before it is looked at. */
type Admission =
  | { readonly does: "serve" }
  | { readonly does: "refuse"; readonly error: RpcError }
  | { readonly does: "close"; readonly reason: string };

const SERVE: Admission = { does: "serve" };

/** Whether a call is served, by the rate of its session and by that of its principal. */
export function admitCall(
  { rates, accounts, requestsPerSecondMax }: AdmissionParts,
  principal: Principal,
  nowUs: number,
): Admission {
  let rate = requestsPerSecondMax;
  let verdict = rates.judgeCall(nowUs);
  if (verdict.does === "serve") {
    if (accounts.takeRequests(principal, 1, nowUs)) return SERVE;
    rate = principal.limits.requestsPerSecondMax ?? rate;
    verdict = rates.refuse(PRINCIPAL_RETRY_AFTER_MS, nowUs);
  }
  if (verdict.does === "refuse") {
    return { does: "refuse", error: tooManyRequests(rate, verdict.retryAfterMs) };
  }
  return { does: "close", reason: `calls go on above requestsPerSecondMax ${rate} a second` };
}
