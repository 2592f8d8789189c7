import fc from "fast-check";
import { expect, test } from "vitest";
import { takeEntry, takeNumber, varintEnd } from "./byte-reader.ts";
import { putVarint } from "./byte-writer.ts";

const EDGES = [0, 7, 14, 21, 28, 35, 49].flatMap((bits) => [2 ** bits - 1, 2 ** bits]);
const numbers = fc.oneof(fc.constantFrom(...EDGES), fc.nat(2 ** 31 - 1));

test("an entry is the number that was written, wherever the buffer ends behind it", () => {
  const alike = fc.property(
    numbers,
    fc.nat(3),
    fc.array(fc.nat(255), { maxLength: 5 }),
    (number, start, behind) => {
      const room = new Uint8Array(24);
      const end = putVarint(room, start, number);
      room.set(behind, end);
      const bytes = room.slice(0, end + behind.length);
      expect([takeEntry(bytes, start), varintEnd]).toEqual([number, end]);
      expect([takeNumber(bytes, start), varintEnd]).toEqual([number, end]);
    },
  );
  fc.assert(alike);
});

test("an entry that is beyond 2^53 or cut off is no number", () => {
  const long = Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 255, 255, 1);
  expect(takeEntry(long, 0)).toBeNaN();
  expect(takeEntry(Uint8Array.of(128, 128, 128, 128), 0)).toBeNaN();
});
