import fc from "fast-check";
import { expect, test } from "vitest";
import { LargestItems } from "./state-page.ts";

test("the largest items are kept, in order, and of equal ones those that came first", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: -3, max: 20 }), { maxLength: 60 }),
      fc.integer({ min: 1, max: 10 }),
      (sizes, limit) => {
        const largest = new LargestItems<number>(limit);
        for (const [index, size] of sizes.entries()) largest.offer(index, size);
        const byHand = [...sizes.keys()].toSorted(
          (a, b) => (sizes[b] ?? 0) - (sizes[a] ?? 0) || a - b,
        );
        expect(largest.items).toEqual(byHand.slice(0, limit));
      },
    ),
  );
});
