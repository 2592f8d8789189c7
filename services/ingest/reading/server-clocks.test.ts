import { expect, test } from "vitest";
import { clockAt, clockIn } from "./server-clocks.ts";
import { epochTimeUs } from "./venue-time.ts";

const clock = clockAt(["data", "now"], epochTimeUs);

test("the time is read where the keys lead", () => {
  expect(clock('{"data":{"now":"1767323045010"}}')).toBe(1_767_323_045_010_000);
  expect(clockAt([], epochTimeUs)("1767323045010")).toBe(1_767_323_045_010_000);
});

test("an answer without a time there, or with a damaged one, holds none", () => {
  for (const body of ["", "[]", '{"now":"1767323045010"}', '{"data":[]}', '{"data":{"now":"x"}}']) {
    expect(clock(body)).toBeUndefined();
  }
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
