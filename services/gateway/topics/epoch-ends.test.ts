import { expect, test } from "vitest";
import { ENDED_EPOCHS_MAX, EpochEnds } from "./epoch-ends.ts";

test("an epoch ended where it was last heard of, and another that nobody heard of did not", () => {
  const ends = new EpochEnds();
  ends.ended({ epoch: 9_007_199_254_740_991, sequence: 12 });
  ends.ended({ epoch: 3, sequence: 40 });
  expect(ends.endOf(9_007_199_254_740_991)).toEqual({ epoch: 9_007_199_254_740_991, sequence: 12 });
  expect(ends.endOf(3)).toEqual({ epoch: 3, sequence: 40 });
  expect(ends.endOf(4)).toBeUndefined();
});

test("an epoch that was followed twice ended at the later place", () => {
  const ends = new EpochEnds();
  ends.ended({ epoch: 3, sequence: 40 });
  ends.ended({ epoch: 3, sequence: 12 });
  expect(ends.endOf(3)?.sequence).toBe(40);
});

test.each([
  [ENDED_EPOCHS_MAX - 1, 1],
  [ENDED_EPOCHS_MAX, 1],
  [ENDED_EPOCHS_MAX + 1, undefined],
])("of %i epochs the first ended at %s", (count, sequence) => {
  const ends = new EpochEnds();
  for (let epoch = 1; epoch <= count; epoch += 1) ends.ended({ epoch, sequence: 1 });
  expect(ends.endOf(1)?.sequence).toBe(sequence);
  expect(ends.endOf(count)?.sequence).toBe(1);
});
