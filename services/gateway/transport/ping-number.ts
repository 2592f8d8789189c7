import { Buffer } from "node:buffer";

const BYTES = 4;

/** What a ping of this number carries, which its pong repeats. */
export function pingPayload(number: number): Buffer {
  const payload = Buffer.alloc(BYTES);
  payload.writeUInt32BE(number);
  return payload;
}

/** The number of the ping that a pong answers; undefined for a pong to something else. */
export function pongNumber(payload: Uint8Array): number | undefined {
  if (payload.byteLength !== BYTES) return undefined;
  return new DataView(payload.buffer, payload.byteOffset, BYTES).getUint32(0);
}
