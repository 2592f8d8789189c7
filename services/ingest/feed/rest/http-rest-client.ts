import { request as requestHttp } from "node:http";
import type { IncomingMessage } from "node:http";
import { request as requestHttps } from "node:https";
import { pipeline } from "node:stream";
import type { Readable } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib";
import type { Clock } from "#core/clock.ts";
import type { RestRequest } from "../feed-adapter.ts";
import { DIRECT_ROUTE } from "../network/venue-route.ts";
import type { VenueRoute } from "../network/venue-route.ts";
import type { RestAnswer, RestClient } from "./rest-client.ts";

type HttpRestClientOptions = {
  readonly clock: Clock;
  /** For the whole request, body included. */
  readonly timeoutMs: number;
  /** A longer answer is an error, counted after it is decompressed. */
  readonly bodyBytesMax: number;
  /** The way to the venue; straight, if absent. */
  readonly route?: VenueRoute;
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
};

/** Venues' lists of instruments reach ten megabytes. */
export const HTTP_REST_CLIENT_DEFAULTS = { timeoutMs: 15_000, bodyBytesMax: 64 * 1024 * 1024 };

/**
 * REST over the real network. Redirects are an error: a venue's data comes from the address that
 * was asked.
 */
export function createHttpRestClient(options: HttpRestClientOptions): RestClient {
  const closing = new AbortController();
  return {
    get(request, onResponse, onError) {
      const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(options.timeoutMs)]);
      askVenue(request, signal, options).then(onResponse, (error: unknown) => {
        onError(closing.signal.aborted ? "closed" : describe(error, signal, options.timeoutMs));
      });
    },
    close: () => closing.abort(),
  };
}

async function askVenue(
  request: RestRequest,
  signal: AbortSignal,
  options: HttpRestClientOptions,
): Promise<RestAnswer> {
  const response = await send(request, signal, options);
  const { statusCode: status = 0, headers } = response;
  if (status >= 300 && status < 400) {
    response.destroy();
    throw new Error(`the venue redirects with ${status}, which is not followed`);
  }
  const body = await readBody(decompressed(response), options.bodyBytesMax);
  // By the venue's own clock if it tells it: ours being ahead must not cut a ban short.
  const venueMs = Date.parse(headers.date ?? "");
  const nowUs = Number.isNaN(venueMs) ? options.clock.nowUs() : venueMs * 1000;
  const retryAfterMs = parseRetryAfter(headers["retry-after"], nowUs);
  const answer = { url: request.url, status, body };
  return retryAfterMs === undefined ? answer : { ...answer, retryAfterMs };
}

function send(
  { url, method = "GET", body }: RestRequest,
  signal: AbortSignal,
  { route = DIRECT_ROUTE, headers: ownHeaders }: HttpRestClientOptions,
): Promise<IncomingMessage> {
  const start = url.startsWith("https:") ? requestHttps : requestHttp;
  const headers = {
    accept: "application/json",
    "accept-encoding": "gzip, deflate, br",
    ...ownHeaders,
    ...(body === undefined ? {} : { "content-type": "application/json" }),
    ...(body === undefined ? {} : { "content-length": Buffer.byteLength(body) }),
  };
  return new Promise((resolve, reject) => {
    const sent = start(url, { ...route.optionsFor(url), method, headers, signal });
    sent.on("response", resolve);
    sent.on("error", reject);
    sent.end(body);
  });
}

/** The body as the venue meant it. A form that was not asked for is left as it is. */
function decompressed(response: IncomingMessage): Readable {
  const encoding = response.headers["content-encoding"]?.toLowerCase();
  const transform =
    encoding === "gzip" || encoding === "x-gzip"
      ? createGunzip()
      : encoding === "br"
        ? createBrotliDecompress()
        : encoding === "deflate"
          ? createInflate()
          : undefined;
  if (transform === undefined) return response;
  // What goes wrong with either is read from the last one.
  return pipeline(response, transform, () => {});
}

async function readBody(body: Readable, bodyBytesMax: number): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > bodyBytesMax) {
      throw new Error(`body of at least ${length} bytes exceeds bodyBytesMax ${bodyBytesMax}`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** Reads a Retry-After header: seconds, or an HTTP date. Undefined if it is absent or neither. */
export function parseRetryAfter(value: string | undefined, nowUs: number): number | undefined {
  if (value === undefined) return undefined;
  const text = value.trim();
  if (/^\d+(\.\d+)?$/.test(text)) return Math.ceil(Number(text) * 1000);
  const dateMs = Date.parse(text);
  return Number.isNaN(dateMs) ? undefined : Math.max(0, Math.ceil(dateMs - nowUs / 1000));
}

function describe(error: unknown, signal: AbortSignal, timeoutMs: number): string {
  if (signal.aborted) return `timeout: no whole answer within ${timeoutMs} ms`;
  return error instanceof Error ? error.message : String(error);
}
