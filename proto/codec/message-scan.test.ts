import { Buffer } from "node:buffer";
import { ClientFrameCodec } from "@tickwire/proto/messages";
import { measureMessage } from "@tickwire/proto/codec";
import { tickwire } from "@tickwire/proto/protobufjs";
import { describe, expect, test } from "vitest";
import { WireError } from "./wire-error.ts";

const { ClientFrame } = tickwire.v1;
const measure = (bytes: Uint8Array, fieldsMax = 1_000) =>
  measureMessage(ClientFrameCodec, bytes, fieldsMax);
const repeated = (count: number, ...bytes: number[]) =>
  Buffer.alloc(count * bytes.length, Buffer.from(bytes));

test("counts fields at every depth, and those of the frame apart", () => {
  const topics = [
    { topic: "a", resume: { epoch: 1, sequence: 2 } },
    { topic: "b", depth: 5 },
  ];
  const bytes = ClientFrame.encode({
    messages: [
      // 1 message, 1 kind, 1 version.
      { hello: { protocolVersion: 1 } },
      // 1 message, 1 kind, 1 id, 2 topics with 2 + 2 + 2 fields.
      { subscribe: { requestId: 1, topics } },
      // 1 message, 1 kind, 1 id, 2 entries of 2 fields.
      { call: { callId: 1, metadata: { one: "1", two: "2" } } },
    ],
  }).finish();
  expect(measure(bytes)).toMatchObject({ fields: 3 + 11 + 9, unknownFields: 0, outerFields: 3 });
});

test("counts what the schema does not know, with groups and what is in them", () => {
  const group = [0x7b, 0x78, 1, 0x7c];
  const bytes = Buffer.from([0x0a, 4, 0x78, 1, 0x78, 2, 0x7d, 0, 0, 0, 0, ...group]);
  expect(measure(bytes)).toMatchObject({ fields: 7, unknownFields: 6, outerFields: 5 });
});

test("a field of another wire type is passed over like the reader does", () => {
  expect(measure(Buffer.from([0x08, 5]))).toMatchObject({ fields: 1 });
});

describe("stops at its limit", () => {
  test.each([
    ["empty messages", repeated(100, 0x0a, 0)],
    ["unknown fields", repeated(100, 0x78, 0)],
    ["groups", Buffer.concat([repeated(50, 0x7b), repeated(50, 0x7c)])],
  ])("of %s", (_, bytes) => {
    expect(measure(bytes, 99)).toBeUndefined();
    expect(measure(bytes, 100)).toMatchObject({ fields: 100 });
    expect(measure(bytes, 101)).toMatchObject({ fields: 100 });
  });

  test("and does not look at what is behind it", () => {
    const garbage = Buffer.alloc(100, 0xff);
    expect(measure(Buffer.concat([repeated(11, 0x0a, 0), garbage]), 10)).toBeUndefined();
    expect(() => measure(Buffer.concat([repeated(9, 0x0a, 0), garbage]), 10)).toThrow(WireError);
  });
});

test.each([
  ["a length beyond the end", Buffer.from([0x0a, 9, 0x12])],
  ["a tag without a field number", Buffer.from([0x00])],
  ["a varint that does not end", Buffer.from([0x78, 0x80])],
])("%s is an error", (_, bytes) => {
  expect(() => measure(bytes)).toThrow(WireError);
});
