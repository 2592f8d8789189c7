import { expect, test } from "vitest";
import { clockAt } from "./server-clocks.ts";
import { millisecondsTimeUs } from "./text-fields.ts";

const clock = clockAt(["data", "now"], millisecondsTimeUs);

test("the time is read where the keys lead", () => {
  expect(clock('{"data":{"now":"1767323045010"}}')).toBe(1_767_323_045_010_000);
  expect(clockAt([], millisecondsTimeUs)("1767323045010")).toBe(1_767_323_045_010_000);
});

test("an answer without a time there, or with a damaged one, holds none", () => {
  for (const body of ["", "[]", '{"now":"1767323045010"}', '{"data":[]}', '{"data":{"now":"x"}}']) {
    expect(clock(body)).toBeUndefined();
  }
});
