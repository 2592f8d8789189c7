import type { Clock } from "#core/clock.ts";
import type { RestRequest } from "../feed-adapter.ts";
import type { RestAnswer, RestClient } from "./rest-client.ts";

type FetchRestClientOptions = {
  readonly clock: Clock;
  /** For the whole request, body included. */
  readonly timeoutMs: number;
  /** A longer answer is an error. */
  readonly bodyBytesMax: number;
};

/** Venues' lists of instruments reach ten megabytes. */
export const FETCH_REST_CLIENT_DEFAULTS = { timeoutMs: 15_000, bodyBytesMax: 64 * 1024 * 1024 };

/**
 * REST over the real network. Redirects are an error: a venue's data comes from the address that
 * was asked.
 */
export function createFetchRestClient(options: FetchRestClientOptions): RestClient {
  const closing = new AbortController();
  return {
    get(request, onResponse, onError) {
      const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(options.timeoutMs)]);
      fetchAnswer(request, signal, options).then(onResponse, (error: unknown) => {
        onError(closing.signal.aborted ? "closed" : describe(error));
      });
    },
    close: () => closing.abort(),
  };
}

async function fetchAnswer(
  request: RestRequest,
  signal: AbortSignal,
  options: FetchRestClientOptions,
): Promise<RestAnswer> {
  const response = await fetch(request.url, {
    signal,
    redirect: "error",
    headers: {
      accept: "application/json",
      ...(request.body === undefined ? {} : { "content-type": "application/json" }),
    },
    method: request.method ?? "GET",
    ...(request.body === undefined ? {} : { body: request.body }),
  });
  const body = await readBody(response, options.bodyBytesMax);
  // By the venue's own clock if it tells it: ours being ahead must not cut a ban short.
  const venueMs = Date.parse(response.headers.get("date") ?? "");
  const nowUs = Number.isNaN(venueMs) ? options.clock.nowUs() : venueMs * 1000;
  const retryAfterMs = parseRetryAfter(response.headers.get("retry-after"), nowUs);
  const answer = { url: request.url, status: response.status, body };
  return retryAfterMs === undefined ? answer : { ...answer, retryAfterMs };
}

async function readBody(response: Response, bodyBytesMax: number): Promise<string> {
  if (response.body === null) return "";
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body as ReadableStream<Uint8Array>) {
    length += chunk.length;
    if (length > bodyBytesMax) {
      throw new Error(`body of at least ${length} bytes exceeds bodyBytesMax ${bodyBytesMax}`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** Reads a Retry-After header: seconds, or an HTTP date. Undefined if it is absent or neither. */
export function parseRetryAfter(value: string | null, nowUs: number): number | undefined {
  if (value === null) return undefined;
  const text = value.trim();
  if (/^\d+(\.\d+)?$/.test(text)) return Math.ceil(Number(text) * 1000);
  const dateMs = Date.parse(text);
  return Number.isNaN(dateMs) ? undefined : Math.max(0, Math.ceil(dateMs - nowUs / 1000));
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error ? `${error.message}: ${cause.message}` : error.message;
}
