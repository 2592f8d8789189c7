import { expect, test } from "vitest";
import { EnvelopeReader } from "./envelope-reader.ts";

function envelope(flags: number, bytes: readonly number[]): number[] {
  return [flags, 0, 0, 0, bytes.length, ...bytes];
}

const END = [...new TextEncoder().encode('{"code":4000,"reason":"bye"}')];
const BODY = [
  ...envelope(0, [1, 2, 3]),
  ...envelope(0, []),
  ...envelope(0, [4]),
  ...envelope(2, END),
];

function readIn(pieces: readonly (readonly number[])[]): unknown[] {
  const told: unknown[] = [];
  const reader = new EnvelopeReader({
    frame: (bytes) => told.push([...bytes]),
    end: (code, reason) => told.push({ code, reason }),
  });
  for (const piece of pieces) reader.read(Uint8Array.from(piece));
  return told;
}

const TOLD = [[1, 2, 3], [4], { code: 4000, reason: "bye" }];

test("frames come out of a body as a whole, and signs of life do not", () => {
  expect(readIn([BODY])).toEqual(TOLD);
});

test("wherever a body is cut into pieces, the same comes out", () => {
  for (let at = 0; at <= BODY.length; at += 1) {
    expect(readIn([BODY.slice(0, at), BODY.slice(at)])).toEqual(TOLD);
  }
  expect(readIn(BODY.map((byte) => [byte]))).toEqual(TOLD);
});

test.each([
  ["a page of a proxy", [...new TextEncoder().encode("<html>")]],
  ["flags that mean nothing", envelope(1, [1])],
  ["more than 64 MiB at once", [0, 4, 0, 0, 1]],
])("%s is no stream of a gateway", (_, bytes) => {
  expect(() => readIn([bytes])).toThrow("no stream of a gateway");
});
