import { expect, test } from "vitest";
import { wholeNumber } from "./whole-numbers.ts";

test.each([
  ["0", 0],
  ["17", 17],
  ["9007199254740991", 9_007_199_254_740_991],
  // One more than a double holds exactly.
  ["9007199254740992", undefined],
  ["10000000000000000", undefined],
  ["-1", undefined],
  ["1.0", undefined],
  ["1e3", undefined],
  ["", undefined],
  [17, undefined],
  [null, undefined],
  [undefined, undefined],
])("%j counts %s", (text, number) => {
  expect(wholeNumber(text)).toBe(number);
});
