import { Buffer } from "node:buffer";
import { reasonPhrase } from "../http-answer.ts";
import { addHeader } from "../request-headers.ts";
import type { HttpBytes, HttpResponse } from "../transport.ts";
import type { UwsRequest, UwsResponse } from "../uws-module.ts";

/** Header names in lower case. Must be called before the request's callback returns. */
export function readHeaders(request: UwsRequest): Map<string, string> {
  const headers = new Map<string, string>();
  request.forEach((name, value) => addHeader(headers, name, value));
  return headers;
}

/** Bytes of an IPv4 address. */
const IPV4_BYTES = 4;

/** The address of the socket's other end. */
export function socketAddressOf(response: UwsResponse): string {
  // Of a text, the library makes three times as much work.
  const bytes = new Uint8Array(response.getRemoteAddress());
  if (bytes.length === IPV4_BYTES) return `${bytes[0]}.${bytes[1]}.${bytes[2]}.${bytes[3]}`;
  return Buffer.from(response.getRemoteAddressAsText()).toString("latin1");
}

/** Writes a whole answer; `response` must not be touched after it. */
export function writeAnswer(
  response: UwsResponse,
  answer: HttpResponse<HttpBytes>,
  withoutBody: boolean,
): void {
  const closes = answer.headers["connection"] === "close";
  response.cork(() => {
    writeHead(response, answer);
    if (withoutBody) response.endWithoutBody(Buffer.byteLength(answer.body), closes);
    else response.end(answer.body, closes);
  });
}

export function writeHead(response: UwsResponse, answer: HttpResponse): void {
  response.writeStatus(`${answer.status} ${reasonPhrase(answer.status)}`);
  for (const [name, value] of Object.entries(answer.headers)) {
    // uWebSockets.js writes this one itself when it is told to close.
    if (name !== "connection") response.writeHeader(name, value);
  }
}
