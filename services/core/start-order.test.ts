import fc from "fast-check";
import { expect, test } from "vitest";
import { placeOfStart } from "./start-order.ts";

test("a start is found where a walk from the end finds it, or its place", () => {
  const starts = fc.uniqueArray(fc.integer({ min: 0, max: 60 }), { maxLength: 40 });
  fc.assert(
    fc.property(starts, fc.integer({ min: -1, max: 61 }), (list, wanted) => {
      const candles = list.toSorted((a, b) => a - b).map((openTimeUs) => ({ openTimeUs }));
      const before = candles.filter(({ openTimeUs }) => openTimeUs < wanted);
      expect(placeOfStart(candles, wanted)).toBe(before.length);
    }),
  );
});

test("it looks at few of many, for old ones and new ones alike", () => {
  let looks = 0;
  const candles = Array.from({ length: 4_096 }, (_, index) => ({
    get openTimeUs() {
      looks += 1;
      return index * 60;
    },
  }));
  expect(placeOfStart(candles, 120)).toBe(2);
  expect(looks).toBeLessThan(30);
  looks = 0;
  expect(placeOfStart(candles, 4_096 * 60)).toBe(4_096);
  expect(looks).toBe(1);
});
