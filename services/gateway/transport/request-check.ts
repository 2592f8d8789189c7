import type { RequestHeaders } from "./transport.ts";

/** Why a request is not one that HTTP/1.1 allows; undefined if it is. */
export function requestFault(method: string, headers: RequestHeaders): string | undefined {
  const host = headers.get("host");
  if (host === undefined) return "a request needs a Host header";
  // Values of a repeated header are joined with commas, which no host contains.
  if (!/^(\[[\dA-Fa-f:.]+\]|[\w.~!$&'()*+;=%-]*)(:\d*)?$/.test(host)) {
    return "there must be one Host header with a host and maybe a port";
  }
  const length = headers.get("content-length");
  const encoding = headers.get("transfer-encoding");
  if (length !== undefined && encoding !== undefined) {
    return "Content-Length and Transfer-Encoding exclude each other";
  }
  if (length !== undefined && !/^\d{1,15}$/.test(length)) {
    return "there must be one Content-Length, a number";
  }
  if (encoding !== undefined && encoding.toLowerCase() !== "chunked") {
    return "the only Transfer-Encoding is chunked";
  }
  if (method === "TRACE" || method === "CONNECT") return `${method} is not served`;
  return undefined;
}
