import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  canonicalDecimal,
  compareMantissa,
  DECIMAL_DIGITS_MAX,
  decimalScale,
  formatDecimal,
  fromBigInt,
  multiplyDecimals,
  parseMantissa,
  rescaleMantissa,
  textScale,
  toNumber,
  type Mantissa,
} from "./decimal.ts";

const SAFE = Number.MAX_SAFE_INTEGER;

/** The value by schoolbook arithmetic on bigints, independent of the code under test. */
function oracle(text: string, scale: number): bigint | "finer" {
  const [whole = "", fraction = ""] = text.replace("-", "").split(".");
  const kept = fraction.slice(0, scale).padEnd(scale, "0");
  if (/[1-9]/.test(fraction.slice(scale))) return "finer";
  const magnitude = BigInt(whole + kept);
  return text.startsWith("-") ? -magnitude : magnitude;
}

const decimalText = fc
  .tuple(
    fc.boolean(),
    fc.stringMatching(/^\d{1,24}$/),
    fc.option(fc.stringMatching(/^\d{1,20}0{0,3}$/), { nil: undefined }),
  )
  .map(([negative, whole, fraction]) => {
    const sign = negative ? "-" : "";
    return fraction === undefined ? sign + whole : `${sign}${whole}.${fraction}`;
  });

const anyMantissa: fc.Arbitrary<Mantissa> = fc.oneof(
  fc.maxSafeInteger().map((value) => (value === 0 ? 0 : value)),
  fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }).map(fromBigInt),
);

describe("parseMantissa", () => {
  test("reads what venues write, exactly", () => {
    expect(parseMantissa("63121.10000000", 8)).toBe(6312110000000);
    expect(parseMantissa("0.0000001117", 10)).toBe(1117);
    expect(parseMantissa("1127313210.00855204", 8)).toBe(112731321000855204n);
    expect(parseMantissa("9.121E-7", 10)).toBe(9121);
    expect(parseMantissa("1e-05", 8)).toBe(1000);
    expect(parseMantissa("1.5e3", 0)).toBe(1500);
    expect(parseMantissa("-12.50", 2)).toBe(-1250);
    expect(parseMantissa("000.10", 1)).toBe(1);
  });

  test("zero has no sign", () => {
    for (const text of ["0", "-0", "0.000", "-0.00", "0e5", "-0e-9"]) {
      expect(Object.is(parseMantissa(text, 3), 0)).toBe(true);
    }
  });

  test("is a number up to 2^53 - 1 and a bigint from there", () => {
    expect(parseMantissa("9007199254740990", 0)).toBe(SAFE - 1);
    expect(parseMantissa("9007199254740991", 0)).toBe(SAFE);
    expect(parseMantissa("9007199254740992", 0)).toBe(9007199254740992n);
    expect(parseMantissa("-9007199254740991", 0)).toBe(-SAFE);
    expect(parseMantissa("-9007199254740992", 0)).toBe(-9007199254740992n);
    expect(parseMantissa("90071992547409.91", 2)).toBe(SAFE);
    expect(parseMantissa("90071992547409.92", 2)).toBe(9007199254740992n);
    expect(parseMantissa("1", 15)).toBe(1e15);
    expect(parseMantissa("1", 16)).toBe(10n ** 16n);
    expect(parseMantissa("1", 40)).toBe(10n ** 40n);
  });

  test("says Infinity for digits finer than the scale, but not for zeros", () => {
    expect(parseMantissa("1.25", 1)).toBe(Infinity);
    expect(parseMantissa("-1.25", 1)).toBe(Infinity);
    expect(parseMantissa("1.20", 1)).toBe(12);
    expect(parseMantissa("1e-3", 2)).toBe(Infinity);
    expect(parseMantissa("1e-300", 2)).toBe(Infinity);
    expect(parseMantissa("10e-1", 0)).toBe(1);
    expect(parseMantissa("1.00000000000000000000000", 0)).toBe(1);
  });

  test("says NaN for what is not a decimal", () => {
    const texts = ["", "-", ".", "1.", ".5", "+1", " 1", "1 ", "1,000", "0x10", "NaN", "Infinity"];
    for (const text of [...texts, "1.2.3", "1e", "e1", "1.e5", "--1", "1-", "1.-5", "٣"]) {
      expect([text, parseMantissa(text, 8)]).toEqual([text, NaN]);
    }
  });

  test("does not turn a small text into a huge number", () => {
    const max = DECIMAL_DIGITS_MAX;
    expect(parseMantissa(`1e${max - 2}`, 0)).toBe(10n ** BigInt(max - 2));
    expect(parseMantissa(`1e${max - 1}`, 0)).toBe(10n ** BigInt(max - 1));
    expect(parseMantissa(`1e${max}`, 0)).toBeNaN();
    expect(parseMantissa("1e999999999999", 0)).toBeNaN();
    expect(parseMantissa("1".repeat(max - 1), 0)).toBe(BigInt("1".repeat(max - 1)));
    expect(parseMantissa("1".repeat(max), 0)).toBe(BigInt("1".repeat(max)));
    expect(parseMantissa("1".repeat(max + 1), 0)).toBeNaN();
    expect(parseMantissa("0".repeat(max + 1), 0)).toBeNaN();
  });

  test("agrees with schoolbook arithmetic for any decimal and scale", () => {
    fc.assert(
      fc.property(decimalText, fc.nat(30), (text, scale) => {
        const expected = oracle(text, scale);
        const actual = parseMantissa(text, scale);
        expect(actual).toBe(expected === "finer" ? Infinity : fromBigInt(expected));
      }),
      { numRuns: 2_000, seed: 1 },
    );
  });

  test("never throws on any text", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[-+.eE\d]{0,12}$/)), (text) => {
        const value = parseMantissa(text, 4);
        expect(typeof value === "number" || typeof value === "bigint").toBe(true);
        // Number() accepts more forms than we do, but never fewer.
        expect(Number.isNaN(value) || !Number.isNaN(Number(text))).toBe(true);
      }),
      { numRuns: 2_000, seed: 2 },
    );
  });
});

describe("scales", () => {
  test("decimalScale does not count trailing zeros, textScale does", () => {
    const cases: [string, number, number][] = [
      ["1.500", 1, 3],
      ["1", 0, 0],
      ["100", 0, 0],
      ["-0.10", 1, 2],
      ["0.00000000", 0, 8],
      ["0.0000001117", 10, 10],
      ["9.121E-7", 10, 10],
      ["9.120E-7", 9, 10],
      ["1.5e1", 0, 0],
      ["1e3", 0, 0],
      ["1e-8", 8, 8],
      ["-", 0, 0],
      ["abc", 0, 0],
    ];
    for (const [text, decimal, written] of cases) {
      expect([text, decimalScale(text), textScale(text)]).toEqual([text, decimal, written]);
    }
  });

  test("decimalScale is the smallest scale that holds the value, textScale always does", () => {
    fc.assert(
      fc.property(decimalText, (text) => {
        const scale = decimalScale(text);
        expect(parseMantissa(text, scale)).not.toBe(Infinity);
        expect(scale === 0 || parseMantissa(text, scale - 1) === Infinity).toBe(true);
        expect(textScale(text)).toBeGreaterThanOrEqual(scale);
      }),
      { numRuns: 1_000, seed: 3 },
    );
  });
});

describe("formatDecimal and canonicalDecimal", () => {
  test("write plain text without exponent or trailing zeros", () => {
    expect(formatDecimal(0, 8)).toBe("0");
    expect(formatDecimal(1117, 10)).toBe("0.0000001117");
    expect(formatDecimal(-1250, 2)).toBe("-12.5");
    expect(formatDecimal(1200, 2)).toBe("12");
    expect(formatDecimal(1200, 0)).toBe("1200");
    expect(formatDecimal(112731321000855204n, 8)).toBe("1127313210.00855204");
    expect(canonicalDecimal("9.121E-7")).toBe("0.0000009121");
    expect(canonicalDecimal("0012.50")).toBe("12.5");
    expect(canonicalDecimal("1.5e3")).toBe("1500");
    expect(canonicalDecimal("-0.0")).toBe("0");
    expect(canonicalDecimal("1.")).toBeUndefined();
    expect(canonicalDecimal("nan")).toBeUndefined();
  });

  test("parse and format are inverse for any mantissa and scale", () => {
    fc.assert(
      fc.property(anyMantissa, fc.nat(40), (mantissa, scale) => {
        const text = formatDecimal(mantissa, scale);
        expect(text).toMatch(/^-?(0|[1-9]\d*)(\.\d*[1-9])?$/);
        expect(parseMantissa(text, scale)).toBe(mantissa);
        expect(canonicalDecimal(text)).toBe(text);
      }),
      { numRuns: 2_000, seed: 4 },
    );
  });

  test("equal values have equal canonical texts", () => {
    fc.assert(
      fc.property(decimalText, (text) => {
        const scale = textScale(text);
        const expected = formatDecimal(parseMantissa(text, scale), scale);
        expect(canonicalDecimal(text)).toBe(expected);
        const padded = text.includes(".") ? `${text}00` : `${text}.00`;
        expect(canonicalDecimal(padded)).toBe(expected);
        expect(canonicalDecimal(`${text}e0`)).toBe(expected);
      }),
      { numRuns: 1_000, seed: 5 },
    );
  });
});

describe("arithmetic", () => {
  test("toNumber is the nearest double", () => {
    fc.assert(
      fc.property(anyMantissa, fc.nat(40), (mantissa, scale) => {
        expect(toNumber(mantissa, scale)).toBe(Number(formatDecimal(mantissa, scale)));
      }),
      { numRuns: 2_000, seed: 6 },
    );
  });

  test("rescaling keeps the value", () => {
    fc.assert(
      fc.property(anyMantissa, fc.nat(20), fc.nat(25), (mantissa, scale, growth) => {
        const rescaled = rescaleMantissa(mantissa, scale, scale + growth);
        expect(BigInt(rescaled)).toBe(BigInt(mantissa) * 10n ** BigInt(growth));
        expect(typeof rescaled).toBe(typeof fromBigInt(BigInt(rescaled)));
      }),
      { numRuns: 1_000, seed: 7 },
    );
  });

  test("comparison is exact across types", () => {
    expect(compareMantissa(SAFE, 9007199254740992n)).toBeLessThan(0);
    expect(compareMantissa(9007199254740993n, 9007199254740992n)).toBeGreaterThan(0);
    fc.assert(
      fc.property(anyMantissa, anyMantissa, (a, b) => {
        const [x, y] = [BigInt(a), BigInt(b)];
        expect(Math.sign(compareMantissa(a, b))).toBe(x < y ? -1 : x > y ? 1 : 0);
      }),
      { numRuns: 1_000, seed: 8 },
    );
  });
});

describe("products", () => {
  test("are those of whole numbers, with the point where it belongs", () => {
    const decimal = fc.tuple(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), fc.nat(20));
    fc.assert(
      fc.property(decimal, decimal, ([a, aScale], [b, bScale]) => {
        const text = (value: bigint, scale: number): string =>
          formatDecimal(fromBigInt(value), scale);
        const product = multiplyDecimals(text(a, aScale), text(b, bScale));
        expect(product).toBe(text(a * b, aScale + bScale));
      }),
    );
  });

  test.each([
    ["1e3", "2e-3", "2"],
    ["-0.5", "0.2", "-0.1"],
    ["0", "-7", "0"],
  ])("%s times %s is %s", (a, b, product) => {
    expect(multiplyDecimals(a, b)).toBe(product);
  });

  test("are undefined for what is no decimal and for what would be too long", () => {
    expect(multiplyDecimals("x", "1")).toBeUndefined();
    expect(multiplyDecimals("1", "")).toBeUndefined();
    const half = "1" + "0".repeat(DECIMAL_DIGITS_MAX / 2);
    expect(multiplyDecimals(half, half)).toBeUndefined();
    expect(multiplyDecimals(half, half.slice(1).replace(/^0/, "1"))?.length).toBe(
      DECIMAL_DIGITS_MAX,
    );
  });
});
