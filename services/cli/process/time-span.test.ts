import { expect, test } from "vitest";
import { parseEndMs, parseSpanMs } from "./time-span.ts";

const NOW_MS = Date.parse("2026-11-26T00:00:00Z");

test.each([
  ["1s", 1_000],
  ["15m", 900_000],
  ["12h", 43_200_000],
  ["90d", 7_776_000_000],
  ["999999d", 86_399_913_600_000],
])("the span %s has %d ms", (text, ms) => {
  expect(parseSpanMs(text)).toBe(ms);
  expect(parseEndMs(text, NOW_MS)).toBe(NOW_MS + ms);
});

test.each(["", "0s", "0d", "1", "1w", "-1d", "1.5h", "1000000d", " 1d", "1d1h", "1e3s"])(
  "%j is no span",
  (text) => {
    expect(() => parseSpanMs(text)).toThrow("write 15m or 12h");
    expect(() => parseEndMs(text, NOW_MS)).toThrow(/^"?.*is (no time|over already)/);
  },
);

test.each([
  ["2027-01-31", "2027-01-31T00:00:00.000Z"],
  ["2027-01-31T12:30Z", "2027-01-31T12:30:00.000Z"],
  ["2027-01-31T12:30:01.5+02:00", "2027-01-31T10:30:01.500Z"],
  ["2028-02-29", "2028-02-29T00:00:00.000Z"],
])("%s is the time %s", (text, time) => {
  expect(new Date(parseEndMs(text, NOW_MS)).toISOString()).toBe(time);
});

test.each([
  "2027-02-30",
  "2027-13-01",
  "2027",
  "1",
  "tomorrow",
  "2027-01-31T12:30:00",
  "31.1.2027",
])("%s is no time", (text) => expect(() => parseEndMs(text, NOW_MS)).toThrow("is no time"));

test("what is over already is no end, and one moment later is", () => {
  expect(() => parseEndMs("2026-11-26", NOW_MS)).toThrow("is over already");
  expect(() => parseEndMs("2020-01-01", NOW_MS)).toThrow("is over already");
  expect(parseEndMs("2026-11-26T00:00:00.001Z", NOW_MS)).toBe(NOW_MS + 1);
});
