import { describe, expect, test } from "vitest";
import { parseMantissa } from "@tickwire/proto/model";
import { createPrng } from "#test/support/prng.ts";
import {
  asciiText,
  bytesOf,
  decimal,
  literal,
  skipScalar,
  textEnd,
  wholeNumber,
} from "./frame-bytes.ts";

/** The mantissa and what is left behind it; undefined if it is not taken. */
function readDecimal(text: string, scale: number, decimalsMax = 64) {
  const column = new Float64Array(1);
  const end = decimal(bytesOf(`${text}"}`), 0, { scale, decimalsMax }, column, 0);
  return end < 0 ? undefined : [column[0], `${text}"}`.slice(end)];
}

describe("a decimal", () => {
  test("becomes its mantissa at the scale, with or without a point", () => {
    expect(readDecimal("61800.20", 2)).toEqual([6_180_020, '"}']);
    expect(readDecimal("61800.2", 3)).toEqual([61_800_200, '"}']);
    expect(readDecimal("61800", 2)).toEqual([6_180_000, '"}']);
    expect(readDecimal("0.00000130", 8)).toEqual([130, '"}']);
    expect(readDecimal("0", 5)).toEqual([0, '"}']);
  });

  test("may be padded with zeros beyond the scale, where these mean nothing", () => {
    expect(readDecimal("61837.63000000", 2)).toEqual([6_183_763, '"}']);
    expect(readDecimal("61837.63000000", 2, 2)).toBeUndefined();
    expect(readDecimal("61837.63", 2, 2)).toEqual([6_183_763, '"}']);
  });

  test("is left alone if it is finer than the scale", () => {
    expect(readDecimal("1.501", 2)).toBeUndefined();
    expect(readDecimal("1.5", 0)).toBeUndefined();
  });

  test("of more than nine decimals is exact", () => {
    expect(readDecimal("0.0000026189", 10)).toEqual([26_189, '"}']);
    expect(readDecimal("12.123456789012", 12)).toEqual([12_123_456_789_012, '"}']);
  });

  test("is left alone where a double would not hold it", () => {
    expect(readDecimal("9007199.254740991", 9)).toEqual([Number.MAX_SAFE_INTEGER, '"}']);
    expect(readDecimal("9007199.254740992", 9)).toBeUndefined();
    expect(readDecimal("999999999", 0)).toEqual([999_999_999, '"}']);
    expect(readDecimal("1000000000", 0)).toBeUndefined();
    expect(readDecimal("1", 23)).toBeUndefined();
  });

  test.each(["", "-1", "01", ".5", "5.", "1e5", "+1", " 1", "1.5e3", "x"])("is not %j", (text) => {
    const taken = readDecimal(text, 3);
    // What stands behind a number is for the caller to refuse.
    expect(taken === undefined || taken[1] !== '"}').toBe(true);
  });

  test("is what the exact reader makes of it, for any digits and any scale", () => {
    const prng = createPrng(4);
    const wrong: string[] = [];
    for (let round = 0; round < 20_000; round += 1) {
      const digits = (count: number) =>
        Array.from({ length: count }, () => prng.below(prng.chance(0.3) ? 1 : 10)).join("");
      const fraction = prng.chance(0.2) ? "" : `.${digits(1 + prng.below(14))}`;
      const text = `${digits(1 + prng.below(11))}${fraction}`;
      const scale = prng.below(16);
      const taken = readDecimal(text, scale);
      if (taken === undefined || taken[0] === parseMantissa(text, scale)) continue;
      wrong.push(`${text} at ${scale}: ${taken[0]}`);
    }
    expect(wrong).toEqual([]);
  });
});

describe("a whole number", () => {
  const readWhole = (text: string) => {
    const column = new Float64Array(1);
    const end = wholeNumber(bytesOf(`${text},`), 0, column, 0);
    return end < 0 ? undefined : [column[0], `${text},`.slice(end)];
  };

  test("has up to 15 digits", () => {
    expect(readWhole("0")).toEqual([0, ","]);
    expect(readWhole("123456789")).toEqual([123_456_789, ","]);
    expect(readWhole("1234567890")).toEqual([1_234_567_890, ","]);
    expect(readWhole("999999999999999")).toEqual([999_999_999_999_999, ","]);
    expect(readWhole("1000000000000000")).toBeUndefined();
  });

  test.each(["", "-1", "01", "x"])("is not %j", (text) => {
    expect(readWhole(text)).toBeUndefined();
  });
});

test("a text ends at its quote, and is plain", () => {
  expect(textEnd(bytesOf('BTC"'), 0)).toBe(3);
  for (const text of ["BTC", 'B\\"TC"', 'B\nTC"', 'B\u00e9"']) {
    expect(textEnd(bytesOf(text), 0)).toBeLessThan(0);
  }
});

test("a text of any length is made of its bytes", () => {
  const text = "0123456789abcdefghijklmnopqrstuvwxyz";
  const bytes = bytesOf(`"${text}"`);
  for (let length = 0; length <= text.length; length += 1) {
    expect(asciiText(bytes, 1, 1 + length)).toBe(text.slice(0, length));
  }
});

test("a literal is there whole or not at all", () => {
  expect(literal(bytesOf("abcd"), 1, bytesOf("bc"))).toBe(3);
  expect(literal(bytesOf("abcd"), 1, bytesOf("bd"))).toBeLessThan(0);
  expect(literal(bytesOf("abcd"), 3, bytesOf("de"))).toBeLessThan(0);
  expect(literal(bytesOf("abcd"), -1, bytesOf("a"))).toBeLessThan(0);
});

describe("a value that nobody wants", () => {
  test.each(['"a b"', "true", "false", "null", "0", "-1", "12.50", "-0.0"])("may be %s", (text) => {
    expect(skipScalar(bytesOf(`${text},`), 0)).toBe(text.length);
  });

  test.each(["", "[1]", "{}", "tru", "01", "1.", "-", ".5", '"\\n"', "+1"])("is not %j", (text) => {
    expect(skipScalar(bytesOf(`${text},`), 0)).toBeLessThan(0);
  });
});
