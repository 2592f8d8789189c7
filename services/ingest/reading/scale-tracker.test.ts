import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { JsonTape } from "#core/json-tape.ts";
import { isNotMantissa, ScaleTracker } from "./scale-tracker.ts";
import { DECIMAL_PLACES_MAX } from "./frame-bytes.ts";

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

test("the levels of signed prices may be at zero and below, as texts and in a scanned frame", () => {
  const columns = {
    bids: { prices: [18, 0, -1, -390], sizes: [1, 2, 3, 0] },
    asks: { prices: [-5], sizes: [4] },
  };
  const bids = [
    ["0.18", "1"],
    ["0", "2"],
    ["-0.01", "3"],
    ["-3.9", "0"],
  ];
  const asks = [["-0.05", "4"]];
  expect(new ScaleTracker({ signedPrices: true }).book(bids, asks)).toEqual(columns);
  const tape = new JsonTape();
  expect(
    tape.scan('{"b":[[0.18,1],[0.0,2],[-0.01,3],["-3.9",0]],"a":[[-5e-2,4]],"z":[[1,-1]]}'),
  ).toBe(true);
  const sides = { bids: tape.get(0, "b"), asks: tape.get(0, "a") };
  const scales = new ScaleTracker({ signedPrices: true });
  expect(scales.bookFromTape(tape, sides)).toEqual(columns);
  expect(scales.bookFromTape(tape, { ...sides, asks: tape.get(0, "z") })).toBe("negative-size");
});

describe("levels of a scanned frame", () => {
  const levels = fc.array(
    fc.tuple(
      fc.stringMatching(/^[1-9]\d{0,8}(\.\d{1,12})?(e-?\d)?$/),
      fc.stringMatching(/^(0|[1-9]\d{0,20})(\.\d{1,20})?$/),
    ),
    { maxLength: 8 },
  );

  test.each([
    ["numbers in arrays", ([p, s]: readonly string[]) => `[${p},${s},"x"]`, { price: 0, size: 1 }],
    ["strings in arrays", ([p, s]: readonly string[]) => `["${p}","${s}"]`, { price: 0, size: 1 }],
    [
      "numbers in objects",
      ([p, s]: readonly string[]) => `{"q":${s},"p":${p}}`,
      { price: "p", size: "q" },
    ],
  ] as const)("give what their texts give: %s", (_name, textOf, layout) => {
    const tape = new JsonTape();
    fc.assert(
      fc.property(levels, levels, fc.boolean(), (bids, asks, keepTrailingZeros) => {
        const side = (all: readonly (readonly string[])[]): string => all.map(textOf).join(",");
        expect(tape.scan(`{"b":[${side(bids)}],"a":[${side(asks)}]}`)).toBe(true);
        const plain = new ScaleTracker({ keepTrailingZeros });
        const scanned = new ScaleTracker({ keepTrailingZeros });
        const sides = { bids: tape.get(0, "b"), asks: tape.get(0, "a") };
        expect(scanned.bookFromTape(tape, sides, layout)).toEqual(plain.book(bids, asks));
        expect(scanned.priceScale).toBe(plain.priceScale);
        expect(scanned.sizeScale).toBe(plain.sizeScale);
      }),
      { numRuns: 500 },
    );
  });

  test.each([
    ['{"b":[[1,2],[1]],"a":[]}', "bad-decimal"],
    ['{"b":[[1,2],3],"a":[]}', "missing-field"],
    ['{"b":{"1":2},"a":[]}', "missing-field"],
    ['{"b":[[0,2]],"a":[]}', "non-positive-price"],
    ['{"b":[[1,-2]],"a":[]}', "negative-size"],
    ['{"b":[[1,"x"]],"a":[]}', "bad-decimal"],
    ['{"b":[[1,true]],"a":[]}', "bad-decimal"],
  ])("%s is rejected as %s", (text, reason) => {
    const tape = new JsonTape();
    expect(tape.scan(text)).toBe(true);
    const sides = { bids: tape.get(0, "b"), asks: tape.get(0, "a") };
    expect(new ScaleTracker().bookFromTape(tape, sides)).toBe(reason);
  });

  test("a side that is not there has no levels", () => {
    const tape = new JsonTape();
    expect(tape.scan('{"b":[[1,2]]}')).toBe(true);
    const sides = { bids: tape.get(0, "b"), asks: tape.get(0, "a") };
    expect(new ScaleTracker().bookFromTape(tape, sides)).toEqual({
      bids: { prices: [1], sizes: [2] },
      asks: { prices: [], sizes: [] },
    });
  });
});
