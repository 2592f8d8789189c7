import { Buffer } from "node:buffer";
import { expect, test } from "vitest";
import { RpcError } from "../rpc/rpc-error.ts";
import { encodeEnvelope, readEnvelopes } from "./envelope.ts";

const envelope = (flags: number, length: number, text: string): Buffer =>
  Buffer.concat([Buffer.from([flags, 0, 0, 0, length]), Buffer.from(text)]);

test.each([
  ["plain", 0],
  ["gzipped", 1],
  ["end", 2],
] as const)("a message that is %s has the flags %i and its length before it", (kind, flags) => {
  expect(Buffer.from(encodeEnvelope("é", kind))).toEqual(envelope(flags, 2, "é"));
  expect(encodeEnvelope(Buffer.from("é"), kind)).toEqual(encodeEnvelope("é", kind));
});

test("messages are read one after the other, at most two", () => {
  const body = Buffer.concat([envelope(0, 1, "a"), envelope(1, 0, ""), envelope(0, 1, "c")]);
  const messages = readEnvelopes(body);
  expect(messages.map(({ bytes, gzipped }) => [Buffer.from(bytes).toString(), gzipped])).toEqual([
    ["a", false],
    ["", true],
  ]);
  expect(readEnvelopes(new Uint8Array())).toEqual([]);
});

test("a body that ends too early at any byte is refused", () => {
  const body = envelope(0, 3, "abc");
  for (let length = 1; length < body.length; length += 1) {
    expect(() => readEnvelopes(body.subarray(0, length))).toThrow(RpcError);
  }
});

test.each([2, 3, 4, 255])("the flags %i mean nothing in a request", (flags) => {
  expect(() => readEnvelopes(envelope(flags, 0, ""))).toThrow(/flags/);
});

test("a length beyond the body does not make a message", () => {
  expect(() => readEnvelopes(Buffer.from([0, 0xff, 0xff, 0xff, 0xff, 1]))).toThrow(
    "the body ends after 1 of 4294967295 bytes of a message",
  );
});
