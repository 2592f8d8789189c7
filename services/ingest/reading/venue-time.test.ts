import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isBadTime, parseIsoTimeUs, epochTimeUs } from "./venue-time.ts";

const YEAR_2100_MS = Date.UTC(2100, 0, 1);

describe("an ISO time", () => {
  test("is exact to the microsecond", () => {
    expect(parseIsoTimeUs("2021-04-17T16:43:30.244075Z")).toBe(1_618_677_810_244_075);
    expect(parseIsoTimeUs("2021-04-17T16:43:30Z")).toBe(1_618_677_810_000_000);
    expect(parseIsoTimeUs("2021-04-17T16:43:30.2+00:00")).toBe(1_618_677_810_200_000);
  });

  test("is cut off below the microsecond, not rounded", () => {
    expect(parseIsoTimeUs("2023-10-04T16:26:01.806315999Z")).toBe(1_696_436_761_806_315);
  });

  test("agrees with Date on any millisecond", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: YEAR_2100_MS }), (timeMs) => {
        expect(parseIsoTimeUs(new Date(timeMs).toISOString())).toBe(timeMs * 1000);
      }),
    );
  });

  test.each([undefined, null, "", "0001-01-01T00:00:00.000000Z", "1970-01-01T00:00:00Z"])(
    "%j says nothing",
    (text) => {
      expect(parseIsoTimeUs(text)).toBeUndefined();
    },
  );

  test.each([
    "yesterday",
    "2021-04-17",
    "2021-13-01T00:00:00Z",
    "2021-02-29T00:00:00Z",
    "2021-04-31T00:00:00Z",
    "2021-04-17T24:00:00Z",
    "2021-04-17T16:43:30.Z",
    "2021-04-17T16:43:30.12x4Z",
    "2021-04-17T16:43:30.123456",
    "2021-04-17T16:43:30+02:00",
    "2021/04/17T16:43:30Z",
    1_618_677_810,
  ])("%j is damaged", (text) => {
    expect(isBadTime(parseIsoTimeUs(text))).toBe(true);
  });

  test("a leap day is a day", () => {
    expect(parseIsoTimeUs("2024-02-29T00:00:00Z")).toBe(Date.UTC(2024, 1, 29) * 1000);
    expect(isBadTime(parseIsoTimeUs("2100-02-29T00:00:00Z"))).toBe(true);
  });
});

describe("a count since 1970", () => {
  test.each([
    ["1618678133", 1_618_678_133_000_000],
    ["1618678133.365913", 1_618_678_133_365_913],
    ["1618678133.5", 1_618_678_133_500_000],
    ["1618678133.3659139", 1_618_678_133_365_913],
    [1_618_678_133, 1_618_678_133_000_000],
    [1_618_678_133.5, 1_618_678_133_500_000],
    ["1700000000123", 1_700_000_000_123_000],
    ["1700000000123.4567", 1_700_000_000_123_456],
    [1_700_000_000_123, 1_700_000_000_123_000],
    [1_700_000_000_123.5, 1_700_000_000_123_500],
    ["1700000000123456", 1_700_000_000_123_456],
    [1_700_000_000_123_456, 1_700_000_000_123_456],
    ["1700000000123456789", 1_700_000_000_123_456],
    ["1700000000123456789.5", 1_700_000_000_123_456],
  ])("has its unit told by its magnitude: %j", (value, timeUs) => {
    expect(epochTimeUs(value)).toBe(timeUs);
  });

  test("means the same in every unit, as a number and as a text", () => {
    const times = fc.integer({ min: 100_000_000, max: Math.floor(YEAR_2100_MS / 1000) });
    fc.assert(
      fc.property(times, fc.integer({ min: 0, max: 999_999 }), (seconds, microseconds) => {
        const digits = String(microseconds).padStart(6, "0");
        const timeUs = seconds * 1_000_000 + microseconds;
        expect(epochTimeUs(`${seconds}.${digits}`)).toBe(timeUs);
        expect(epochTimeUs(`${seconds}${digits.slice(0, 3)}.${digits.slice(3)}`)).toBe(timeUs);
        expect(epochTimeUs(`${seconds}${digits}`)).toBe(timeUs);
        expect(epochTimeUs(timeUs)).toBe(timeUs);
        expect(epochTimeUs(`${seconds}${digits}987`)).toBe(timeUs);
        expect(epochTimeUs(seconds)).toBe(seconds * 1_000_000);
        expect(epochTimeUs(seconds * 1000)).toBe(seconds * 1_000_000);
      }),
    );
  });

  test("lies between 1973 and 2255 in every unit", () => {
    const least = ["100000000", "100000000000", "100000000000000", "100000000000000000"];
    for (const text of least) {
      expect(epochTimeUs(text)).toBe(100_000_000_000_000);
      expect(epochTimeUs(Number(text))).toBe(100_000_000_000_000);
    }
    expect(epochTimeUs("99999999")).toBeNaN();
    expect(epochTimeUs(99_999_999)).toBeNaN();
    expect(epochTimeUs("9007199254740991")).toBe(Number.MAX_SAFE_INTEGER);
    expect(epochTimeUs("9007199254740992")).toBeNaN();
    expect(epochTimeUs("9007199254740")).toBe(9_007_199_254_740_000);
    expect(epochTimeUs("9007199254741")).toBeNaN();
    expect(epochTimeUs(9_007_199_254_741)).toBeNaN();
    expect(epochTimeUs("9007199255")).toBeNaN();
    expect(epochTimeUs(9_007_199_255)).toBeNaN();
    expect(epochTimeUs("9999999999999999999")).toBeNaN();
  });

  test.each([undefined, null, "", "0", 0, "0.000000"])("%j says nothing", (value) => {
    expect(epochTimeUs(value)).toBeUndefined();
  });

  test.each([
    "x",
    "1618678133.",
    ".5",
    "-1",
    "1e9",
    "12",
    "0.5",
    "01618678133",
    " 1700000000123",
    "1700000000123 ",
    "17000000001234567890",
    "170000000012345678x",
    "1618678133.1.2",
    5,
    -0x18bcfe5687b,
    1.5,
    1e21,
    Number.NaN,
    Infinity,
    true,
    {},
    ["1700000000123"],
  ])("%j is damaged", (value) => {
    expect(epochTimeUs(value)).toBeNaN();
  });
});
