import type { HttpBody, HttpBytes, HttpResponse, HttpStream, RefusalLimit } from "./transport.ts";

/**
 * Reason phrases of the statuses that the gateway answers with; others go out with an empty phrase.
 */
const REASON_PHRASES: Readonly<Record<number, string>> = {
  200: "OK",
  204: "No Content",
  304: "Not Modified",
  308: "Permanent Redirect",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  409: "Conflict",
  413: "Content Too Large",
  421: "Misdirected Request",
  415: "Unsupported Media Type",
  426: "Upgrade Required",
  429: "Too Many Requests",
  499: "Client Closed Request",
  500: "Internal Server Error",
  501: "Not Implemented",
  503: "Service Unavailable",
  504: "Gateway Timeout",
};

/** The phrase that follows a status code in an HTTP/1.1 status line. */
export function reasonPhrase(status: number): string {
  return REASON_PHRASES[status] ?? "";
}

/** Whether a body is made while it is sent. */
export function isStream(body: HttpBody): body is HttpStream {
  return typeof body !== "string" && !(body instanceof Uint8Array);
}

/** A JSON answer. `value` must be serializable. */
export function jsonAnswer(
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): HttpResponse<HttpBytes> {
  return {
    status,
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(value),
  };
}

/** An error in the shape of the Connect protocol: a snake_case code and a message. */
export function errorAnswer(
  status: number,
  code: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): HttpResponse<HttpBytes> {
  return jsonAnswer(status, { code, message }, headers);
}

/** A plain-text answer. */
export function textAnswer(status: number, body: string): HttpResponse<HttpBytes> {
  return { status, headers: { "content-type": "text/plain; charset=utf-8" }, body };
}

/** What a body above the limit is answered with. */
export function bodyTooLargeAnswer(requestBytesMax: number): HttpResponse<HttpBytes> {
  return errorAnswer(
    413,
    "resource_exhausted",
    `the request body exceeds requestBytesMax ${requestBytesMax}`,
  );
}

/** What a request is answered with that HTTP/1.1 does not allow. */
export function badRequestAnswer(fault: string): HttpResponse<HttpBytes> {
  return errorAnswer(400, "invalid_argument", fault, { connection: "close" });
}

/** What a request is answered with that asks for no WebSocket of version 13, or asks wrongly. */
export function badUpgradeAnswer(fault: string): HttpResponse<HttpBytes> {
  return errorAnswer(400, "invalid_argument", `this is a WebSocket: ${fault}`, {
    "sec-websocket-version": "13",
  });
}

/** What is answered to whoever exceeds a limit of all or of its address. */
export function limitAnswer(limit: RefusalLimit): HttpResponse<HttpBytes> {
  const { status, code, message } = LIMIT_ANSWERS[limit];
  // Behind a body that is refused the rest of it is still to come, and is read to its end: a close
  // before that would take the answer with it.
  const isBody = limit === "bodyBytesMax" || limit === "bodyBytesPerAddressMax";
  return errorAnswer(status, code, `${message} (${limit})`, {
    ...(status === 408 ? {} : { "retry-after": "5" }),
    ...(isBody ? {} : { connection: "close" }),
  });
}

const OTHERS = "the gateway has as much to do as it allows; try again later";
const YOURS = "this address asks for more than one address may; try again later";
const SLOW = "the request body comes too slowly";

const LIMIT_ANSWERS: Readonly<
  Record<RefusalLimit, { readonly status: number; readonly code: string; readonly message: string }>
> = {
  connectionsMax: {
    status: 503,
    code: "unavailable",
    message: "the gateway has as many connections as it allows; try again later",
  },
  connectionsPerAddressMax: {
    status: 429,
    code: "resource_exhausted",
    message: "this address has as many connections as one address may; close some",
  },
  requestBytesMax: { status: 413, code: "resource_exhausted", message: "the body is too large" },
  bodyBytesMax: { status: 503, code: "unavailable", message: OTHERS },
  bodyBytesPerAddressMax: { status: 429, code: "resource_exhausted", message: YOURS },
  bodyTimeoutMs: { status: 408, code: "deadline_exceeded", message: SLOW },
  bodyBytesPerSecondMin: { status: 408, code: "deadline_exceeded", message: SLOW },
  requestsPerSecondMax: { status: 503, code: "unavailable", message: OTHERS },
  requestsPerSecondPerAddressMax: { status: 429, code: "resource_exhausted", message: YOURS },
};
