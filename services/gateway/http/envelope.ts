// Envelopes of streams: https://connectrpc.com/docs/protocol/#streaming-request
import { Buffer } from "node:buffer";
import { RpcError } from "../rpc/rpc-error.ts";

/** Flags and length. */
const HEAD_BYTES = 5;
const FLAG_GZIPPED = 1;
const FLAG_END = 2;

/** What a request is split into at most: more messages than any method takes say enough. */
const ENVELOPES_MAX = 2;

/** A message of a stream as bytes. */
export function encodeEnvelope(
  message: Uint8Array | string,
  kind: "plain" | "gzipped" | "end",
): Uint8Array {
  const length = Buffer.byteLength(message);
  const envelope = Buffer.allocUnsafe(HEAD_BYTES + length);
  envelope[0] = kind === "plain" ? 0 : kind === "gzipped" ? FLAG_GZIPPED : FLAG_END;
  envelope.writeUInt32BE(length, 1);
  if (typeof message === "string") envelope.write(message, HEAD_BYTES);
  else envelope.set(message, HEAD_BYTES);
  return envelope;
}

/** The first messages of a request's body, as views. Throws RpcError if the body is not whole. */
export function readEnvelopes(body: Uint8Array): { bytes: Uint8Array; gzipped: boolean }[] {
  const messages = [];
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  for (let at = 0; at < body.byteLength && messages.length < ENVELOPES_MAX;) {
    if (at + HEAD_BYTES > body.byteLength) throw incomplete(HEAD_BYTES, body.byteLength - at);
    const flags = view.getUint8(at);
    const length = view.getUint32(at + 1);
    at += HEAD_BYTES;
    if (flags > FLAG_GZIPPED) {
      const message = `a message of a request has the flags ${flags}, which mean nothing there`;
      throw new RpcError("invalid_argument", message);
    }
    if (at + length > body.byteLength) throw incomplete(length, body.byteLength - at);
    messages.push({ bytes: body.subarray(at, at + length), gzipped: flags === FLAG_GZIPPED });
    at += length;
  }
  return messages;
}

function incomplete(expectedBytes: number, actualBytes: number): RpcError {
  const message = `the body ends after ${actualBytes} of ${expectedBytes} bytes of a message`;
  return new RpcError("invalid_argument", message);
}
