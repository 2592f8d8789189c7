import { expect, test } from "vitest";
import { clockIn, wholeNumber } from "./whole-numbers.ts";

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

test.each([
  ['{"status":"ok","data":1760000000123}', 1_760_000_000_123_000],
  ['{"data" : 1760000000123 }', 1_760_000_000_123_000],
  ['{"data":17600000001234}', undefined],
  ['{"data":1760000000}', undefined],
  ['{"data":"soon"}', undefined],
  ['{"metadata":1760000000123}', undefined],
])("the clock in %s is %s", (body, timeUs) => {
  expect(clockIn("data")(body)).toBe(timeUs);
});
