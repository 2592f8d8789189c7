import protobuf from "protobufjs/minimal.js";
import { expect, test } from "vitest";
import { putPaddedVarint, putVarint, takeVarint, varintEnd, varintLength } from "./varint.ts";

const EDGES = [0, 1, 127, 128, 16_383, 16_384, 2 ** 21, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1];

test.each(EDGES)("%d is written as protobuf writes it, and read again", (value) => {
  const bytes = new Uint8Array(16).fill(0xff);
  const end = putVarint(bytes, 3, value);
  const reference = protobuf.Writer.create().uint64(value).finish();
  expect([...bytes.subarray(3, end)]).toEqual([...reference]);
  expect(varintLength(value)).toBe(reference.length);
  expect([takeVarint(bytes, 3), varintEnd]).toEqual([value, end]);
});

test.each(EDGES)("%d in more bytes than it needs is the same number", (value) => {
  const bytes = new Uint8Array(16).fill(0xff);
  putPaddedVarint(bytes, 2, value, 9);
  expect([takeVarint(bytes, 2), varintEnd, bytes[11]]).toEqual([value, 11, 0xff]);
});
