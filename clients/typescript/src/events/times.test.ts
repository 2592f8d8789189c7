import { expect, test } from "vitest";
import { dateOfUs, isoOfUs, usOfDate } from "./times.ts";

test("a time is a Date to the millisecond, rounded down, and text to the microsecond", () => {
  const timeUs = 1_767_225_600_000_999;
  expect(dateOfUs(timeUs).toISOString()).toBe("2026-01-01T00:00:00.000Z");
  expect(isoOfUs(timeUs)).toBe("2026-01-01T00:00:00.000999Z");
  expect(usOfDate(dateOfUs(timeUs))).toBe(1_767_225_600_000_000);
});

test("a time before 1970 is no different", () => {
  expect(dateOfUs(-1).getTime()).toBe(-1);
  expect(isoOfUs(-1)).toBe("1969-12-31T23:59:59.999999Z");
});

test("no time is no Date", () => {
  expect(dateOfUs(undefined)).toBeUndefined();
});
