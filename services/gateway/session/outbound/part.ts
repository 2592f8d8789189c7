import { encodeServerMessages } from "#wire/frame-codec.ts";
import type { FrameBuffer } from "./frame-buffer.ts";

/** Smaller entries are never cut: what waits behind one waits for no longer than for a piece. */
const CUT_BYTES_MIN = 2 * 1024;
/** The smallest piece, however little may be sent at a time. */
const PART_BYTES_MIN = 1024;
/** What the message around a piece takes at most. */
const HEADER_BYTES = 24;

/** What may be cut up for a client that puts pieces together, and in which of its lanes. */
export const PART_LANES = { replies: 1, topics: 2 } as const;
type PartLane = (typeof PART_LANES)[keyof typeof PART_LANES];

/** Whether an entry is to be cut up because the frame has not the room for it. */
export function mustCut(frame: FrameBuffer, entry: Uint8Array): boolean {
  return entry.byteLength > CUT_BYTES_MIN && entry.byteLength > frame.room;
}

/** Puts the next piece of an entry into the frame; says how many of its bytes that are. */
export function putPart(
  frame: FrameBuffer,
  lane: PartLane,
  entry: Uint8Array,
  from: number,
): number {
  const bytes = Math.max(PART_BYTES_MIN, frame.room - HEADER_BYTES);
  const data = entry.subarray(from, from + bytes);
  const isLast = from + data.byteLength === entry.byteLength;
  frame.putWhole(encodeServerMessages([{ kind: "part", value: { lane, data, isLast } }]));
  return data.byteLength;
}

/** Tells the client to forget what it has of an entry. */
export function voidPart(lane: PartLane): Uint8Array {
  return encodeServerMessages([{ kind: "part", value: { lane, isVoid: true } }]);
}
