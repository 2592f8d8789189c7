import { ByteReader, WIRE_BYTES } from "./byte-reader.ts";

const MESSAGES_TAG = (1 << 3) | WIRE_BYTES;
/** Of an element of `ServerFrame.batches`. */
export const BATCHES_TAG = (2 << 3) | WIRE_BYTES;

/** Called with the range of each element; must not keep the bytes unless it owns the frame. */
export type ServerFrameVisitor = {
  /** An encoded ServerMessage. */
  message(start: number, end: number): void;
  /** An encoded Batch. */
  batch(start: number, end: number): void;
};

/**
 * Walks an encoded ServerFrame in wire order, skipping unknown fields. Throws WireError where the
 * frame is cut off or malformed; what the visitor throws passes through.
 */
export function walkServerFrame(bytes: Uint8Array, visitor: ServerFrameVisitor): void {
  const reader = new ByteReader(bytes, 0, bytes.length);
  while (reader.position < reader.end) {
    const tag = reader.tag();
    if (tag !== MESSAGES_TAG && tag !== BATCHES_TAG) {
      reader.skip(tag);
      continue;
    }
    const length = reader.length();
    const start = reader.position;
    reader.position = start + length;
    if (tag === MESSAGES_TAG) visitor.message(start, start + length);
    else visitor.batch(start, start + length);
  }
}
