import {
  canonicalDecimal,
  decimalScale,
  formatDecimal,
  parseMantissa,
  textScale,
} from "@tickwire/proto/model";
import { describe, expect, test } from "vitest";
import { JsonTape } from "#core/json-tape.ts";
import { isNotMantissa, ScaleTracker } from "#ingest/reading/scale-tracker.ts";
import { createPrng, type Prng } from "#test/support/prng.ts";

// Decimals as venues write them, against whole numbers without limit: nothing is ever rounded.

const TEXTS = 100_000;
const TEXTS_PER_TRACKER = 20;

/** A decimal, and what it means: `value / 10^scale`, by construction. */
type Decimal = { readonly text: string; readonly value: bigint; readonly scale: number };

function digitsOf(prng: Prng, count: number): string {
  let digits = "";
  for (let index = 0; index < count; index++) {
    digits += prng.chance(0.2) ? "0" : String(prng.below(10));
  }
  return digits;
}

/** A length as prices have it, mostly; up to 40 digits and more, sometimes. */
function lengthIn(prng: Prng, usual: number, most: number): number {
  return prng.below(1 + (prng.chance(0.8) ? usual : most));
}

function decimalOf(prng: Prng): Decimal {
  const sign = prng.chance(0.1) ? "-" : "";
  const whole = digitsOf(prng, 1 + lengthIn(prng, 7, 39));
  const fraction = digitsOf(prng, lengthIn(prng, 8, 24));
  const point = fraction === "" ? "" : `.${fraction}`;
  const exponent = prng.chance(0.15) ? prng.below(41) - 20 : 0;
  const plus = exponent > 0 && prng.chance(0.5) ? "+" : "";
  const power = exponent === 0 ? "" : `${prng.pick(["e", "E"])}${plus}${exponent}`;
  const magnitude = BigInt(whole + fraction);
  const value = sign === "" ? magnitude : -magnitude;
  const scale = fraction.length - exponent;
  const text = sign + whole + point + power;
  return scale >= 0
    ? { text, value, scale }
    : { text, value: value * 10n ** BigInt(-scale), scale: 0 };
}

/** The same value with as few digits after the point as it can have. */
function reduced({ value, scale }: Decimal): { value: bigint; scale: number } {
  let [least, places] = [value, scale];
  while (places > 0 && least % 10n === 0n) {
    least /= 10n;
    places -= 1;
  }
  return { value: least, scale: places };
}

/** Plain digits, by the definition of the canonical form. */
function plain(decimal: Decimal): string {
  const { value, scale } = reduced(decimal);
  const negative = value < 0n;
  const digits = String(negative ? -value : value).padStart(scale + 1, "0");
  const whole = digits.slice(0, digits.length - scale);
  const fraction = digits.slice(digits.length - scale);
  return `${negative ? "-" : ""}${whole}${scale > 0 ? `.${fraction}` : ""}`;
}

/** One of them goes wrong at most; a failed expectation for each would take minutes. */
function firstWrong(seed: number, isRight: (decimal: Decimal, prng: Prng) => boolean): string {
  const prng = createPrng(seed);
  for (let index = 0; index < TEXTS; index++) {
    const decimal = decimalOf(prng);
    if (!isRight(decimal, prng)) return decimal.text;
  }
  return "none";
}

describe(`of ${TEXTS} decimals, with exponents and with 40 digits and more`, () => {
  test("every one has the mantissa that it means, at its own scale and at finer ones", () => {
    const wrong = firstWrong(1, ({ text, value, scale }, prng) => {
      const finer = scale + prng.below(4);
      const mantissa = parseMantissa(text, finer);
      const expected = value * 10n ** BigInt(finer - scale);
      if (isNotMantissa(mantissa) || mantissa === Infinity) return false;
      const isNumber = typeof mantissa === "number";
      const isSafe = expected <= Number.MAX_SAFE_INTEGER && expected >= -Number.MAX_SAFE_INTEGER;
      return BigInt(mantissa) === expected && isNumber === isSafe;
    });
    expect(wrong).toBe("none");
  });

  test("every one is said to be too fine for a scale that would round it", () => {
    const wrong = firstWrong(2, (decimal) => {
      const { scale } = reduced(decimal);
      return scale === 0 || parseMantissa(decimal.text, scale - 1) === Infinity;
    });
    expect(wrong).toBe("none");
  });

  test("every one is written plainly, and the same from its mantissa", () => {
    const wrong = firstWrong(3, (decimal) => {
      const { text, scale } = decimal;
      const expected = plain(decimal);
      const mantissa = parseMantissa(text, scale);
      return (
        canonicalDecimal(text) === expected &&
        canonicalDecimal(expected) === expected &&
        formatDecimal(mantissa, scale) === expected
      );
    });
    expect(wrong).toBe("none");
  });

  test("every one has the scale that its digits need", () => {
    const wrong = firstWrong(4, (decimal) => {
      const { text, value, scale } = decimal;
      if (value === 0n) return decimalScale(text) === 0;
      return decimalScale(text) === reduced(decimal).scale && textScale(text) === scale;
    });
    expect(wrong).toBe("none");
  });

  test.each([true, false])("books keep them exactly (zeros at the end kept: %s)", (keep) => {
    const prng = createPrng(5);
    let wrong = "none";
    for (let done = 0; done < TEXTS && wrong === "none"; done += 2 * TEXTS_PER_TRACKER) {
      const tracker = new ScaleTracker({ keepTrailingZeros: keep });
      const levels = Array.from({ length: TEXTS_PER_TRACKER }, () => [
        positive(decimalOf(prng)),
        positive(decimalOf(prng)),
      ]);
      const sides = [levels.slice(0, 10), levels.slice(10)];
      const texts = sides.map((side) => side.map((level) => level.map(({ text }) => text)));
      const columns = tracker.book(texts[0] ?? [], texts[1] ?? []);
      if (typeof columns === "string") {
        wrong = columns;
        break;
      }
      for (const [side, { prices, sizes }] of [columns.bids, columns.asks].entries()) {
        for (const [index, [price, size]] of (sides[side] ?? []).entries()) {
          if (!isExactly(prices[index], tracker.priceScale, price)) wrong = price?.text ?? "";
          if (!isExactly(sizes[index], tracker.sizeScale, size)) wrong = size?.text ?? "";
        }
      }
    }
    expect(wrong).toBe("none");
  });

  test("numbers in frames are kept as exactly as texts", () => {
    const tape = new JsonTape();
    const tracker = new ScaleTracker();
    const wrong = firstWrong(6, (decimal) => {
      const { text, value, scale } = positive(decimal);
      const number = text.replace(/^0+(?=\d)/, "");
      tape.scan(`{"p":${number},"q":"${number}"}`);
      const price = tracker.priceAt(tape, tape.get(0, "p"));
      const size = tracker.sizeAt(tape, tape.get(0, "q"));
      const meant = { text, value, scale };
      return (
        isExactly(price, tracker.priceScale, meant) && isExactly(size, tracker.sizeScale, meant)
      );
    });
    expect(wrong).toBe("none");
  });

  test("what is no decimal is nothing, wherever one character is damaged", () => {
    const wrong = firstWrong(7, ({ text }, prng) => {
      const at = prng.below(text.length + 1);
      const damaged =
        text.slice(0, at) + prng.pick([" ", ",", "x", "--", "..", "e", "é", "_"]) + text.slice(at);
      if (/^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(damaged)) return true;
      const mantissa = parseMantissa(damaged, 60);
      return canonicalDecimal(damaged) === undefined && isNotMantissa(mantissa);
    });
    expect(wrong).toBe("none");
  });
});

function positive({ text, value, scale }: Decimal): Decimal {
  if (value === 0n) return { text: "1", value: 1n, scale: 0 };
  return { text: text.replace(/^-/, ""), value: value < 0n ? -value : value, scale };
}

function isExactly(
  mantissa: number | bigint | undefined,
  scale: number,
  decimal: Decimal | undefined,
): boolean {
  if (mantissa === undefined || decimal === undefined || isNotMantissa(mantissa)) return false;
  const finest = Math.max(scale, decimal.scale);
  const found = BigInt(mantissa) * 10n ** BigInt(finest - scale);
  return found === decimal.value * 10n ** BigInt(finest - decimal.scale);
}
