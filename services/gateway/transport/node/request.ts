import { Buffer } from "node:buffer";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { reasonPhrase } from "../http-answer.ts";
import { addHeader } from "../request-headers.ts";
import type { HttpBytes, HttpResponse } from "../transport.ts";

/**
 * Header names in lower case. Taken from the raw lines, because node:http keeps only the first of
 * some headers that are repeated.
 */
export function readHeaders(request: IncomingMessage): Map<string, string> {
  const headers = new Map<string, string>();
  const { rawHeaders } = request;
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    addHeader(headers, (rawHeaders[index] ?? "").toLowerCase(), rawHeaders[index + 1] ?? "");
  }
  return headers;
}

/** Splits a request target at its first question mark. */
export function splitUrl(url: string | undefined): { path: string; query: string } {
  const text = url ?? "/";
  const mark = text.indexOf("?");
  if (mark < 0) return { path: text, query: "" };
  return { path: text.slice(0, mark), query: text.slice(mark + 1) };
}

/** Answers an upgrade that is refused; node:http gives it a bare socket. */
export function refuseUpgrade(socket: Duplex, answer: HttpResponse<HttpBytes>): void {
  const headers = {
    ...answer.headers,
    "content-length": String(Buffer.byteLength(answer.body)),
    connection: "close",
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  // A client that never closes its side must not hold the socket.
  socket.once("finish", () => socket.destroy());
  socket.write(`HTTP/1.1 ${answer.status} ${reasonPhrase(answer.status)}\r\n${lines.join("")}\r\n`);
  socket.end(answer.body);
}
