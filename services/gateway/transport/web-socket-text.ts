import { Buffer } from "node:buffer";
import { assert } from "#core/assert.ts";
import { requestFault } from "./request-check.ts";
import type { RequestHeaders } from "./transport.ts";

/** A close frame holds 125 bytes, of which two are the code. */
const REASON_BYTES_MAX = 123;

/** Cuts a close reason to what a close frame holds, between characters. */
export function cutReason(reason: string): string {
  const bytes = Buffer.from(reason, "utf8");
  if (bytes.length <= REASON_BYTES_MAX) return reason;
  let end = REASON_BYTES_MAX;
  // A byte of the form 10xxxxxx continues a character.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.toString("utf8", 0, end);
}

/** The subprotocols of a Sec-WebSocket-Protocol header, in order. */
export function parseSubprotocols(header: string | undefined): string[] {
  if (header === undefined) return [];
  return header
    .split(",")
    .map((token) => token.trim())
    .filter((token) => token !== "");
}

/** @throws InvariantError if the gateway chose a subprotocol that the client did not offer. */
export function assertOffered(chosen: string, offered: readonly string[]): void {
  assert(offered.includes(chosen), "the subprotocol of a connection is one that was offered");
}

/** A nonce of 16 bytes in Base64; the last character before the padding holds two bits. */
const KEY = /^[A-Za-z0-9+/]{21}[AQgw]==$/;

/**
 * Why a request is no opening handshake of RFC 6455, section 4.2.1; undefined if it is one. Values
 * of repeated headers are joined with commas, so a header that may come once is compared whole.
 */
export function upgradeFault(method: string, headers: RequestHeaders): string | undefined {
  const fault = requestFault(method, headers);
  if (fault !== undefined) return fault;
  if (method !== "GET") return "a WebSocket is asked for with GET";
  if (!tokensOf(headers.get("upgrade")).includes("websocket")) {
    return "Upgrade: websocket is needed";
  }
  if (!tokensOf(headers.get("connection")).includes("upgrade")) {
    return "Connection: Upgrade is needed";
  }
  if (headers.get("sec-websocket-version") !== "13") return "Sec-WebSocket-Version: 13 is needed";
  if (!KEY.test(headers.get("sec-websocket-key") ?? "")) {
    return "Sec-WebSocket-Key must be 16 bytes in Base64";
  }
  const length = headers.get("content-length");
  if ((length !== undefined && Number(length) > 0) || headers.has("transfer-encoding")) {
    return "an upgrade has no body";
  }
  const protocols = headers.get("sec-websocket-protocol");
  if (protocols !== undefined && !SUBPROTOCOLS.test(protocols)) {
    return "Sec-WebSocket-Protocol must be a list of tokens";
  }
  return undefined;
}

/** Tokens and commas; empty elements of a list are allowed (RFC 9110, section 5.6.1). */
const SUBPROTOCOLS = /^[ \t,]*[\w!#$%&'*+.^`|~-]+([ \t]*,[ \t]*[\w!#$%&'*+.^`|~-]*)*[ \t]*$/;

function tokensOf(header: string | undefined): string[] {
  return (header ?? "").split(",").map((token) => token.trim().toLowerCase());
}
