import { expect, test } from "vitest";
import { formatTime } from "./event-text.ts";

test("times have microseconds, also before 1970", () => {
  expect(formatTime(1_618_678_132_385_815)).toBe("2021-04-17T16:48:52.385815Z");
  expect(formatTime(-1)).toBe("1969-12-31T23:59:59.999999Z");
});

test.each([
  [8_640_000_000_000_000_000, "+275760-09-13T00:00:00.000"],
  [9_000_000_000_000_000_000, "9000000000000000000us"],
  [-9_000_000_000_000_000_000, "-9000000000000000000us"],
  [NaN, "NaNus"],
])("a time that no calendar has is said as it is: %d", (timeUs, text) => {
  expect(formatTime(timeUs)).toContain(text);
});
