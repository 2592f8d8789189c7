import { RpcError } from "./rpc-error.ts";

/** Reading and writing so many rows of an answer takes about as long as serving one request. */
export const ROWS_PER_REQUEST = 500;

/** Looking at so many instruments that are not asked for does, too. */
export const EXAMINED_PER_REQUEST = 10_000;

/** Inflating and reading so many bytes of a request does, too. */
export const BYTES_PER_REQUEST = 16 * 1024;

/** By then, an ordinary client may ask again. */
const RETRY_AFTER_MS = 1_000;

/** A call above the rate of its client, which has been told how long to wait. */
export function tooManyRequests(requestsPerSecondMax: number, retryAfterMs: number): RpcError {
  const message = `more than requestsPerSecondMax ${requestsPerSecondMax} requests a second`;
  return new RpcError("resource_exhausted", message, {
    detail: { reason: "RATE_LIMITED", retryAfterMs },
  });
}

/** A call that its client cannot pay for now, besides the request that it is. */
export function tooExpensive(requestsPerSecondMax: number): RpcError {
  const message =
    "large answers count as several requests, and " +
    `no more than requestsPerSecondMax ${requestsPerSecondMax} a second are served`;
  const detail = { reason: "RATE_LIMITED", retryAfterMs: RETRY_AFTER_MS };
  return new RpcError("resource_exhausted", message, { detail });
}
