import { describe, expect, test } from "vitest";
import {
  compactText,
  groupDigits,
  padDecimal,
  percentText,
  scaleDecimals,
  ShownDecimals,
} from "./number-text.ts";

describe("numbers", () => {
  test("prices get the digits of their increment, and lose none", () => {
    expect([padDecimal("97.7", 2), padDecimal("97", 2), padDecimal("97.705", 2)]).toEqual([
      "97.70",
      "97.00",
      "97.705",
    ]);
    expect(groupDigits("1234567.1234567")).toBe("1,234,567.1234567");
  });

  test.each([
    ["0.01", 1e-8, 2],
    [undefined, undefined, 2],
    [undefined, 1_234_567, 2],
    [undefined, 100, 2],
    [undefined, 99.9, 3],
    [undefined, -0.5, 5],
    [undefined, 0.000_012_3, 9],
    [undefined, 1e-8, 12],
    [undefined, 1e-9, 12],
  ])(
    "prices with the increment %s, of about %s, have %d digits on a scale",
    (text, price, digits) => {
      expect(scaleDecimals(text, price)).toBe(digits);
    },
  );

  test.each([
    ["0.000001", "0.000001"],
    ["0.0000001", "0.0₆1"],
    ["-0.0000000095", "-0.0₈95"],
    ["0.0000000000012300", "0.0₁₁12300"],
    ["0.00000000", "0.00000000"],
    ["1.0000000001", "1.0000000001"],
  ])("%s is written %s", (text, written) => {
    expect(groupDigits(text)).toBe(written);
  });

  test("shares have their sign, and nothing has none", () => {
    expect([percentText(0.0123), percentText(-0.5), percentText(-0.00001)]).toEqual([
      "+1.23%",
      "−50.00%",
      "0.00%",
    ]);
    expect(compactText(12_345_678)).toBe("12.35M");
  });

  test("where no increment is known, numbers get the digits of the longest one", () => {
    const decimals = new ShownDecimals();
    expect([decimals.of(undefined), decimals.incrementText(undefined)]).toEqual([0, "1"]);
    for (const text of ["61834", "61834.01", "61834.1"]) decimals.see(text);
    expect([decimals.of(undefined), decimals.incrementText(undefined)]).toEqual([2, "0.01"]);
    expect([decimals.of("0.0001"), decimals.incrementText("0.5")]).toEqual([4, "0.5"]);
    decimals.see("0.00000000000000001");
    expect(decimals.of(undefined)).toBe(12);
  });
});
