import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isBadTime, parseIsoTimeUs, parseSecondsTimeUs } from "./venue-time.ts";

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

describe("seconds with a fraction", () => {
  test("are exact to the microsecond", () => {
    expect(parseSecondsTimeUs("1618678133.365913")).toBe(1_618_678_133_365_913);
    expect(parseSecondsTimeUs("1618678133")).toBe(1_618_678_133_000_000);
    expect(parseSecondsTimeUs("1618678133.5")).toBe(1_618_678_133_500_000);
    expect(parseSecondsTimeUs("1618678133.3659139")).toBe(1_618_678_133_365_913);
  });

  test.each([undefined, null, "", "0", "0.000000"])("%j says nothing", (text) => {
    expect(parseSecondsTimeUs(text)).toBeUndefined();
  });

  test.each(["x", "1618678133.", ".5", "-1", "1e9", "99999999999", 5])("%j is damaged", (text) => {
    expect(isBadTime(parseSecondsTimeUs(text))).toBe(true);
  });
});
