import { describe, expect, test } from "vitest";
import { compactText, groupDigits, padDecimal, percentText } from "./number-text.ts";

describe("numbers", () => {
  test("prices get the digits of their increment, and lose none", () => {
    expect([padDecimal("97.7", 2), padDecimal("97", 2), padDecimal("97.705", 2)]).toEqual([
      "97.70",
      "97.00",
      "97.705",
    ]);
    expect(groupDigits("1234567.1234567")).toBe("1,234,567.1234567");
  });

  test("shares have their sign, and nothing has none", () => {
    expect([percentText(0.0123), percentText(-0.5), percentText(-0.00001)]).toEqual([
      "+1.23%",
      "−50.00%",
      "0.00%",
    ]);
    expect(compactText(12_345_678)).toBe("12.35M");
  });
});
