import { crc32 as zlibCrc32 } from "node:zlib";
import { CRC32_START, finishCrc32 } from "@tickwire/proto/model";
import { expect, test } from "vitest";
import { createPrng } from "#test/support/prng.ts";
import { FoldedChecksum } from "./folded-checksum.ts";

/** The sum of the digits one behind the other, in two ways. */
function sums(checksum: FoldedChecksum, numbers: readonly (number | bigint)[]) {
  let state = CRC32_START;
  for (const number of numbers) state = checksum.update(state, number);
  return { folded: finishCrc32(state), joined: zlibCrc32(numbers.join("")) };
}

test("sums digits as if they stood in one text", () => {
  const { folded, joined } = sums(new FoldedChecksum(), [187_728, 333_598_535, 1, 0, 187_753]);
  expect(folded).toBe(joined);
});

test("sums numbers of any length, over and over, and beyond the safe ones", () => {
  const checksum = new FoldedChecksum();
  const prng = createPrng(9);
  const wrong: unknown[] = [];
  // More different numbers than are remembered, and some of them again and again.
  for (let round = 0; round < 3_000; round += 1) {
    const numbers = Array.from({ length: 20 }, () => {
      if (prng.chance(0.02)) return 2n ** 60n + BigInt(prng.below(1_000));
      const digits = 1 + prng.below(15);
      return prng.chance(0.5) ? prng.below(50) : Math.floor(prng.next() * 10 ** digits);
    });
    const { folded, joined } = sums(checksum, numbers);
    if (folded !== joined) wrong.push(numbers);
  }
  expect(wrong).toEqual([]);
});

test("tells apart numbers that are remembered in one place", () => {
  expect(numbersWithOneSlot(new FoldedChecksum())).toEqual([]);
});

/** Numbers that differ by 2^32 have one slot. */
function numbersWithOneSlot(checksum: FoldedChecksum): unknown[] {
  const pairs = [5, 77, 123_456].map((number) => [number, number + 2 ** 32, number]);
  return pairs.filter((numbers) => {
    const { folded, joined } = sums(checksum, numbers);
    return folded !== joined;
  });
}
