import { crc32 as zlibCrc32 } from "node:zlib";
import { CRC32_START, finishCrc32 } from "@tickwire/proto/model";
import { expect, test } from "vitest";
import type { BestLevels } from "#core/tick-levels.ts";
import { createPrng } from "#test/support/prng.ts";
import { FoldedChecksum, FoldedLevels } from "./folded-checksum.ts";

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

test("sums numbers beside those at which one more digit begins", () => {
  const checksum = new FoldedChecksum();
  const powers = Array.from({ length: 16 }, (_, digits) => 10 ** digits);
  const beside = powers.flatMap((power) => [power - 1, power, power + 1, power + 7, power * 1.5]);
  const numbers = [...beside, Number.MAX_SAFE_INTEGER].filter(Number.isSafeInteger);
  const wrong = numbers.filter((number) => {
    const { folded, joined } = sums(checksum, [number]);
    return folded !== joined;
  });
  expect(wrong).toEqual([]);
});

const LEVELS_MAX = 10;

test("sums a side whose levels come, go, move and change", () => {
  const levels = new FoldedLevels(new FoldedChecksum(), LEVELS_MAX);
  const prng = createPrng(4);
  let side: (readonly [number | bigint, number | bigint])[] = [];
  const wrong: unknown[] = [];
  for (let round = 0; round < 5_000; round += 1) {
    side = changed(side, prng);
    const best = side.slice(0, LEVELS_MAX);
    const start = prng.chance(0.9) ? CRC32_START : prng.below(1_000_000);
    const state = prng.chance(0.5)
      ? levels.update(
          start,
          best.map(([price]) => price),
          best.map(([, size]) => size),
        )
      : levels.updateBest(start, sideOf(side));
    // zlib goes on from a sum, where ours goes on from a state.
    const joined = zlibCrc32(best.flat().join(""), finishCrc32(start));
    if (finishCrc32(state) !== joined) wrong.push(best);
  }
  expect(wrong).toEqual([]);
});

test("refuses more levels than it has room for", () => {
  const levels = new FoldedLevels(new FoldedChecksum(), 2);
  const full = levels.update(CRC32_START, [1, 2], [3, 4]);
  expect(finishCrc32(full)).toBe(zlibCrc32("1324"));
  expect(() => levels.update(CRC32_START, [1, 2, 3], [4, 5, 6])).toThrow("no more levels");
});

/** The levels, which are no numbers if one of them is large. */
function sideOf(side: readonly (readonly [number | bigint, number | bigint])[]): BestLevels {
  return {
    readBest(depth, prices, sizes) {
      if (side.some(([, size]) => typeof size === "bigint")) return -1;
      const best = side.slice(0, depth);
      for (const [index, [price, size]] of best.entries()) {
        prices[index] = Number(price);
        sizes[index] = Number(size);
      }
      return best.length;
    },
    levels: (depth) => {
      const best = side.slice(0, depth);
      return { prices: best.map(([price]) => price), sizes: best.map(([, size]) => size) };
    },
  };
}

/** A side after one or more changes, of which most are small. */
function changed(
  side: readonly (readonly [number | bigint, number | bigint])[],
  prng: ReturnType<typeof createPrng>,
): (readonly [number | bigint, number | bigint])[] {
  const next = [...side];
  for (let left = 1 + prng.below(3); left > 0; left -= 1) {
    const at = prng.below(next.length + 1);
    const size = prng.chance(0.02) ? 2n ** 60n : prng.below(10 ** (1 + prng.below(9)));
    const kind = prng.below(8);
    if (kind < 3) next.splice(at, 0, [prng.below(10 ** 7), size]);
    else if (kind < 5) next.splice(at, 1);
    else if (kind < 7 && at < next.length) next[at] = [next[at]![0], size];
    else if (prng.chance(0.1)) next.splice(0, next.length);
  }
  return next.slice(0, 14);
}
