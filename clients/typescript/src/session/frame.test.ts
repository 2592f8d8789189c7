import { WireError } from "@tickwire/proto/codec";
import { describe, expect, test } from "vitest";
import { encodeFrame } from "../../test/fake-gateway.ts";
import { FrameReader } from "./frame.ts";

const BATCHES_TAG = 0x12;

function element(...content: readonly number[]): Uint8Array {
  return Uint8Array.of(BATCHES_TAG, content.length, ...content);
}

/** What is handed on of a frame, in order. */
function partsOf(frame: Uint8Array): string[] {
  const parts: string[] = [];
  const reader = new FrameReader({
    message: ({ kind }) => parts.push(kind),
    batch: (bytes, start, end) => parts.push([...bytes.subarray(start, end)].join(" ")),
  });
  reader.read(frame);
  return parts;
}

describe("a frame", () => {
  test("hands on its messages before its batches, whatever stands first", () => {
    const pong = encodeFrame({ messages: [{ pong: { nonce: 1 } }] });
    const frame = Buffer.concat([element(8, 1), pong, element(8, 2)]);
    expect(partsOf(frame)).toEqual(["pong", "8 1", "8 2"]);
  });

  test("that is cut off ends the reading", () => {
    const cut = element(8, 1).subarray(0, -1);
    expect(() => partsOf(cut)).toThrow(WireError);
  });

  test("of which a handler throws hands on nothing more", () => {
    const seen: number[] = [];
    const reader = new FrameReader({
      message: () => undefined,
      batch: (_bytes, start) => {
        seen.push(start);
        throw new WireError("malformed", "no topic id");
      },
    });
    expect(() => reader.read(Buffer.concat([element(8, 1), element(8, 2)]))).toThrow(WireError);
    expect(seen).toEqual([2]);
  });
});
