import { describe, expect, test } from "vitest";
import { DECIMAL_PLACES_MAX, isNotMantissa, ScaleTracker } from "./scale-tracker.ts";

describe("one text at a time", () => {
  test("zeros that a venue pads with do not count", () => {
    const tracker = new ScaleTracker();
    expect(tracker.price("61737.63000000")).toBe(6_173_763);
    expect(tracker.priceScale).toBe(2);
    expect(tracker.size("6195.00000000")).toBe(6195);
    expect(tracker.sizeScale).toBe(0);
  });

  test("the scale grows when a finer text comes and never shrinks", () => {
    const tracker = new ScaleTracker();
    expect(tracker.price("10")).toBe(10);
    expect(tracker.price("10.125")).toBe(10_125);
    expect(tracker.price("10")).toBe(10_000);
    expect(tracker.priceScale).toBe(3);
    expect(tracker.sizeScale).toBe(0);
  });

  test("trailing zeros count where they are kept", () => {
    const tracker = new ScaleTracker({ keepTrailingZeros: true });
    expect(tracker.price("0.10")).toBe(10);
    expect(tracker.priceScale).toBe(2);
    expect(tracker.price("0.1000")).toBe(1000);
    expect(tracker.priceScale).toBe(4);
    expect(tracker.size("1.00000000")).toBe(100_000_000);
  });

  test("mantissas beyond 2^53 are exact", () => {
    const tracker = new ScaleTracker();
    expect(tracker.size("1127313210.00855204")).toBe(112_731_321_000_855_204n);
    expect(tracker.sizeScale).toBe(8);
  });

  test.each([undefined, null, 5, {}, [], "", "-", ".", "abc", "1,5", "1.2.3", "0x10", " 1", "NaN"])(
    "%j is not a decimal and leaves the scales alone",
    (text) => {
      for (const keepTrailingZeros of [false, true]) {
        const tracker = new ScaleTracker({ keepTrailingZeros });
        expect(isNotMantissa(tracker.price(text))).toBe(true);
        expect(isNotMantissa(tracker.size(text))).toBe(true);
        expect([tracker.priceScale, tracker.sizeScale]).toEqual([0, 0]);
      }
    },
  );

  test("digits after the point are limited", () => {
    for (const [places, fits] of [
      [DECIMAL_PLACES_MAX - 1, true],
      [DECIMAL_PLACES_MAX, true],
      [DECIMAL_PLACES_MAX + 1, false],
    ] as const) {
      const tracker = new ScaleTracker();
      const price = tracker.price(`0.${"0".repeat(places - 1)}1`);
      expect(isNotMantissa(price)).toBe(!fits);
      expect(tracker.priceScale).toBe(fits ? places : 0);
    }
  });
});

describe("a book message", () => {
  test("has one scale for all its levels, also when a late level is the finest", () => {
    const tracker = new ScaleTracker();
    const columns = tracker.book(
      [
        ["10", "1"],
        ["9.5", "2"],
      ],
      [["10.25", "0.001"]],
    );
    expect(columns).toEqual({
      bids: { prices: [1000, 950], sizes: [1000, 2000] },
      asks: { prices: [1025], sizes: [1] },
    });
    expect([tracker.priceScale, tracker.sizeScale]).toEqual([2, 3]);
  });

  test("may have empty sides and levels with more than two elements", () => {
    const tracker = new ScaleTracker();
    expect(tracker.book([["1", "2", "1700000000.5", "r"]], [])).toEqual({
      bids: { prices: [1], sizes: [2] },
      asks: { prices: [], sizes: [] },
    });
  });

  test.each([
    [[["1", "x"]], "bad-decimal"],
    [[[1, "1"]], "bad-decimal"],
    [[["1"]], "bad-decimal"],
    [["1"], "missing-field"],
    [[["0", "1"]], "non-positive-price"],
    [[["-1", "1"]], "non-positive-price"],
    [[["1", "-1"]], "negative-size"],
  ] as const)("%j is refused whole: %s", (levels, reason) => {
    const tracker = new ScaleTracker();
    expect(tracker.book(levels, [])).toBe(reason);
    expect(tracker.book([["1", "1"]], levels)).toBe(reason);
  });
});
