import fc from "fast-check";
import { expect, test } from "vitest";
import { priceText } from "./price-texts.ts";

/** The decimal as digits are moved by hand. */
function written(mantissa: bigint, scale: number): string {
  const sign = mantissa < 0n ? "-" : "";
  const digits = String(mantissa < 0n ? -mantissa : mantissa).padStart(scale + 1, "0");
  const whole = digits.slice(0, digits.length - scale);
  const fraction = digits.slice(digits.length - scale).replace(/0+$/, "");
  return sign + whole + (fraction === "" ? "" : `.${fraction}`);
}

test("a price is written as it is, whatever was written before it", () => {
  const scale = fc.integer({ min: 0, max: 12 });
  // Near each other, so that they meet in their places.
  const near = fc.integer({ min: -1_000, max: 1_000 });
  const any = fc.maxSafeInteger();
  const wide = fc.bigInt({ min: 2n ** 53n, max: 2n ** 63n });
  const prices = fc.array(fc.tuple(fc.oneof(near, any, wide), scale), { minLength: 1 });
  fc.assert(
    fc.property(prices, (list) => {
      for (const [mantissa, places] of [...list, ...list]) {
        expect(priceText(mantissa, places)).toBe(written(BigInt(mantissa), places));
      }
    }),
  );
});

test("prices that share a place do not share a text", () => {
  expect(priceText(1, 2)).toBe("0.01");
  expect(priceText(257, 2)).toBe("2.57");
  expect(priceText(1, 2)).toBe("0.01");
  expect(priceText(1, 3)).toBe("0.001");
  expect(priceText(0, 0)).toBe("0");
});
