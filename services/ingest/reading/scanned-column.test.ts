import { describe, expect, test } from "vitest";
import { decimalScale, type Mantissa, parseMantissa, textScale } from "@tickwire/proto/model";
import { createPrng } from "#test/support/prng.ts";
import { bytesOf, DECIMAL_PLACES_MAX, FINER, scientific } from "./frame-bytes.ts";
import { ScannedColumn } from "./scanned-column.ts";

type Way = "as a large one" | "in one pass";

/** What one way of reading makes of a decimal: its mantissa, the scale it needs, or nothing. */
function readIn(way: Way, text: string, scale: number, decimalsMax = DECIMAL_PLACES_MAX) {
  const column = new ScannedColumn();
  column.begin(scale);
  const bytes = bytesOf(`${text}]`);
  const form = { scale, decimalsMax };
  const end =
    way === "in one pass"
      ? scientific(bytes, 0, form, column.values, 0)
      : column.readLarge(bytes, 0, form, 0);
  if (end === FINER) return { needs: column.values[0] };
  return end === text.length ? column.list(1)[0] : undefined;
}

/** The same by the readers of texts. */
function expectedOf(text: string, scale: number): Mantissa | { needs: number } {
  const mantissa = parseMantissa(text, scale);
  return mantissa === Infinity ? { needs: decimalScale(text) } : mantissa;
}

describe.each(["as a large one", "in one pass"] as const)("a decimal read %s", (way) => {
  test("may have an exponent", () => {
    expect(readIn(way, "9.121E-7", 12)).toBe(912_100);
    expect(readIn(way, "1.11e7", 2)).toBe(1_110_000_000);
    expect(readIn(way, "2.50E+1", 0)).toBe(25);
    expect(readIn(way, "0.0E-12", 3)).toBe(0);
    expect(readIn(way, "61800.20", 2)).toBe(6_180_020);
  });

  test("says what scale it needs", () => {
    expect(readIn(way, "9.121E-7", 9)).toEqual({ needs: 10 });
    expect(readIn(way, "9.120E-7", 3)).toEqual({ needs: 9 });
    expect(readIn(way, "1.5", 0)).toEqual({ needs: 1 });
  });

  test.each(["", "-1", "01", "01E2", ".5", "5.", "1.E2", "1E", "1E-", "1E1234", "+1", "x"])(
    "is not %j",
    (text) => {
      expect(readIn(way, text, 3)).toBeUndefined();
    },
  );

  test("is what the readers of texts make of it, or is left to them", () => {
    const prng = createPrng(11);
    const wrong: string[] = [];
    let taken = 0;
    for (let round = 0; round < 20_000; round += 1) {
      const digits = (count: number) =>
        Array.from({ length: count }, () => prng.below(prng.chance(0.3) ? 1 : 10)).join("");
      const whole = prng.chance(0.3) ? "0" : `${1 + prng.below(9)}${digits(prng.below(12))}`;
      const fraction = prng.chance(0.2) ? "" : `.${digits(1 + prng.below(14))}`;
      const exponent = prng.chance(0.5) ? "" : `E${prng.chance(0.5) ? "-" : ""}${prng.below(12)}`;
      const text = `${whole}${fraction}${exponent}`;
      const scale = prng.below(16);
      const read = readIn(way, text, scale);
      if (read === undefined) continue;
      taken += 1;
      const expected = expectedOf(text, scale);
      const isEqual =
        typeof read === "object" || typeof expected === "object"
          ? JSON.stringify(read) === JSON.stringify(expected)
          : read === expected;
      if (!isEqual) wrong.push(`${text} at ${scale}`);
    }
    expect(wrong).toEqual([]);
    expect(taken).toBeGreaterThan(10_000);
  });
});

test("what a double does not hold is a bigint", () => {
  expect(readIn("as a large one", "9007199.254740991", 9)).toBe(Number.MAX_SAFE_INTEGER);
  expect(readIn("as a large one", "9007199.254740992", 9)).toBe(9_007_199_254_740_992n);
  expect(readIn("as a large one", "4.99401976014E7", 18)).toBe(49_940_197_601_400_000_000_000_000n);
  expect(readIn("as a large one", "123456789012345678901234567890", 0)).toBe(
    123_456_789_012_345_678_901_234_567_890n,
  );
  expect(readIn("as a large one", "1234567890123456789012345678901", 0)).toBeUndefined();
});

test("zeros at the end count where a venue writes all its decimals", () => {
  expect(readIn("as a large one", "1.500", 2, 2)).toEqual({ needs: textScale("1.500") });
  expect(readIn("as a large one", "1.500", 3, 3)).toBe(1_500);
});

test("values grow with the scale, also beyond what a double holds", () => {
  const column = new ScannedColumn();
  column.begin(2);
  const form = { scale: 2, decimalsMax: DECIMAL_PLACES_MAX };
  for (const [index, text] of ["0.05", "61800.25", "123456789012345.5"].entries()) {
    column.readLarge(bytesOf(`${text}]`), 0, form, index);
  }
  column.rescale(12, 3);
  expect(column.list(3)).toEqual([
    50_000_000_000,
    61_800_250_000_000_000n,
    123_456_789_012_345_500_000_000_000n,
  ]);
  column.begin(0);
  expect(column.list(2)).not.toContain(61_800_250_000_000_000n);
});
