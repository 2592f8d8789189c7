import type { HttpBody, HttpBytes, HttpResponse, HttpStream } from "./transport.ts";

/**
 * Reason phrases of the statuses that the gateway answers with; others go out with an empty phrase.
 */
const REASON_PHRASES: Readonly<Record<number, string>> = {
  200: "OK",
  204: "No Content",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  409: "Conflict",
  413: "Content Too Large",
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

/** What an upgrade to something else than WebSocket version 13 is answered with. */
export function badUpgradeAnswer(): HttpResponse<HttpBytes> {
  const message =
    "this is a WebSocket: Upgrade: websocket and Sec-WebSocket-Version: 13 are needed";
  return errorAnswer(400, "invalid_argument", message, { "sec-websocket-version": "13" });
}

/** What an upgrade above the connection limit is answered with. */
export function tooManyConnectionsAnswer(connectionsMax: number): HttpResponse<HttpBytes> {
  return errorAnswer(
    503,
    "unavailable",
    `the gateway has as many connections as it allows (${connectionsMax}); try again later`,
    { "retry-after": "5" },
  );
}
