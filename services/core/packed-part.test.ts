import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PackedPart, packedPartMax } from "./packed-part.ts";

const BYTES_MAX = 100;

/** Packs parts one behind the other: what each takes, and how it is read again. */
function packed(parts: readonly Uint8Array[]) {
  const [writer, reader] = [new PackedPart(BYTES_MAX), new PackedPart(BYTES_MAX)];
  const target = new Uint8Array(1_000);
  return parts.map((part) => {
    const { length } = part;
    const end = writer.put(target, 5, Uint8Array.from([1, ...part, 1]), 1, length);
    const isPacked = reader.isPacked(length);
    const readEnd = isPacked ? reader.take(target, 5, length) : 5 + length;
    const read = isPacked ? reader.bytes.slice(0, length) : target.slice(5, end);
    return { taken: end - 5, readEnd, read };
  });
}

const packedLengths = (parts: readonly Uint8Array[]) => packed(parts).map(({ taken }) => taken);

const filled = (length: number, ...begin: number[]) =>
  Uint8Array.from({ length }, (_, at) => begin[at] ?? 7);

describe("a packed part", () => {
  test("is read as it was written, whatever came before it", () => {
    const random = fc.uint8Array({ maxLength: BYTES_MAX + 20 });
    const alike = fc.uint8Array({ minLength: 60, maxLength: 70, max: 1 });
    const parts = fc.array(fc.oneof(random, alike), { maxLength: 30 });
    fc.assert(
      fc.property(parts, (given) => {
        for (const [index, { taken, readEnd, read }] of packed(given).entries()) {
          const part = given[index] as Uint8Array;
          expect(read).toEqual(part);
          expect(readEnd).toBe(5 + taken);
          expect(taken).toBeLessThanOrEqual(packedPartMax(part.length));
        }
      }),
    );
  });

  test("takes the bytes that differ, and a byte for each mask that is another than before", () => {
    // Whole at first: a byte for the masks, two masks, and sixteen bytes.
    const parts = [filled(16), filled(16, 1), filled(16, 2), filled(16, 2), filled(16, 2, 3)];
    // The second mask is empty from then on; one that has a byte too many does as well.
    expect(packedLengths(parts)).toEqual([19, 4, 2, 2, 3]);
  });

  test("that is longer than is remembered lies as it is, and changes nothing", () => {
    const parts = [filled(16), filled(BYTES_MAX + 1, 9), filled(BYTES_MAX, 9), filled(16)];
    expect(packedLengths(parts).slice(0, 2)).toEqual([19, BYTES_MAX + 1]);
    expect(packedLengths([filled(16), filled(BYTES_MAX + 1, 9), filled(16)])[2]).toBe(3);
  });

  test("that is empty takes nothing and changes nothing", () => {
    expect(packedLengths([filled(16), filled(0), filled(16)])).toEqual([19, 0, 3]);
  });
});
