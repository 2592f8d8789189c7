import { Buffer } from "node:buffer";
import { assert } from "#core/assert.ts";
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

/** Whether the headers ask for a WebSocket of the version of RFC 6455. */
export function isWebSocketUpgrade(headers: RequestHeaders): boolean {
  return (
    headers.get("upgrade")?.toLowerCase() === "websocket" &&
    headers.get("sec-websocket-version") === "13"
  );
}
