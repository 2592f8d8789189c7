import { WireError, encodeBatch, readBatch } from "@tickwire/proto/codec";
import { describe, expect, test } from "vitest";
import { FrameReader } from "./frame.ts";

const BATCHES_TAG = 0x12;

function frameOf(...batches: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(batches.flatMap((batch) => [BATCHES_TAG, batch.length, ...batch]));
}

function known(firstSequence: number): Uint8Array {
  const header = { epoch: 1, firstSequence, publishedTimeUs: 1 };
  return encodeBatch(header, { kind: "trades", rows: [] });
}

/** Epoch 1, first_sequence 2, and field 26 of the oneof, of which this schema knows nothing. */
const UNKNOWN = Uint8Array.of(0x10, 1, 0x18, 2, 0xd2, 0x01, 0x02, 0x08, 0x01);

function readFirstSequences(frame: Uint8Array): number[] {
  const sequences: number[] = [];
  const reader = new FrameReader({
    message: () => undefined,
    batch: (bytes, start, end) => sequences.push(readBatch(bytes, start, end).firstSequence),
  });
  reader.read(frame);
  return sequences;
}

describe("a frame of a newer gateway", () => {
  test("a batch of a kind that this client does not know is passed over, the others are not", () => {
    expect(readFirstSequences(frameOf(known(1), UNKNOWN, known(3)))).toEqual([1, 3]);
  });

  test("a damaged batch ends the reading", () => {
    const damaged = Uint8Array.of(0x10);
    expect(() => readFirstSequences(frameOf(known(1), damaged))).toThrow(WireError);
  });
});
