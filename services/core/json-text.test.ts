import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { JSON_DEPTH_MAX } from "./json-tape.ts";
import { asJsonArray, asJsonObject, asText, parseJsonText } from "./json-text.ts";

/**
 * What JSON.parse says with every number replaced by `Number`-comparable text, or undefined if it
 * throws.
 */
function oracle(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

/** True if `actual` is `expected` with number texts in place of numbers. */
function isSame(actual: unknown, expected: unknown): boolean {
  if (typeof expected === "number") {
    return typeof actual === "string" && Object.is(Number(actual), expected);
  }
  if (typeof expected !== "object" || expected === null) return actual === expected;
  if (typeof actual !== "object" || actual === null) return false;
  if (Array.isArray(expected) !== Array.isArray(actual)) return false;
  const keys = Object.keys(expected);
  if (keys.join("\n") !== Object.keys(actual).join("\n")) return false;
  const left = actual as Record<string, unknown>;
  const right = expected as Record<string, unknown>;
  return keys.every((key) => isSame(own(left, key), own(right, key)));
}

function own(object: Record<string, unknown>, key: string): unknown {
  return Object.getOwnPropertyDescriptor(object, key)?.value;
}

describe("reading", () => {
  test("keeps every number as it was written", () => {
    const text = '{"price":1877.50,"qty":0.00000000,"tiny":9.121E-7,"id":15413894943188002760}';
    expect(parseJsonText(text)).toEqual({
      price: "1877.50",
      qty: "0.00000000",
      tiny: "9.121E-7",
      id: "15413894943188002760",
    });
  });

  test("agrees with JSON.parse on any value, with any white space", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), fc.nat(4), (value, indent) => {
        const text = JSON.stringify(value, undefined, indent);
        expect(isSame(parseJsonText(text), JSON.parse(text))).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  test("agrees with JSON.parse about what is damaged, one character at a time", () => {
    const characters = '0123456789.-+eE"\\{}[],: \n\tntrufals\u0000\u0001u';
    const damage = fc.nat(characters.length - 1).map((index) => characters.charAt(index));
    fc.assert(
      fc.property(
        fc.jsonValue({ maxDepth: 3 }),
        fc.nat(),
        fc.option(damage, { nil: "" }),
        fc.boolean(),
        (value, position, character, replace) => {
          const whole = JSON.stringify(value);
          const at = position % (whole.length + 1);
          const text = whole.slice(0, at) + character + whole.slice(replace ? at + 1 : at);
          const expected = oracle(text);
          const actual = parseJsonText(text);
          const agrees =
            expected === undefined ? actual === undefined : isSame(actual, expected.value);
          expect(agrees).toBe(true);
        },
      ),
      { numRuns: 5000 },
    );
  });

  test("any text at all gives a value or undefined, as JSON.parse says, and never throws", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 40 }), (text) => {
        expect(parseJsonText(text) === undefined).toBe(oracle(text) === undefined);
      }),
      { numRuns: 3000 },
    );
  });

  test("a frame cut off anywhere is damaged", () => {
    const text =
      '{"channel":"book","data":[{"symbol":"BTC/USD","bids":[{"price":63005.0}],"ok":true}]}';
    for (let length = 0; length < text.length; length++) {
      expect(parseJsonText(text.slice(0, length))).toBeUndefined();
    }
    expect(parseJsonText(text)).toBeDefined();
  });

  test.each([
    "",
    " ",
    "01",
    "1.",
    ".5",
    "+1",
    "-",
    "1e",
    "0x1",
    "NaN",
    "tru",
    '"\\x"',
    "[1,]",
    "{} {}",
  ])("%j is damaged", (text) => {
    expect(parseJsonText(text)).toBeUndefined();
  });

  test("a key named __proto__ is a key like any other", () => {
    const value = parseJsonText('{"__proto__":{"polluted":1}}') as object;
    expect(Object.keys(value)).toEqual(["__proto__"]);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });
});

describe("nesting", () => {
  const nested = (depth: number, open: string, close: string): string =>
    open.repeat(depth) + "1" + close.repeat(depth);

  test.each([
    ["[", "]"],
    ['{"a":', "}"],
  ])("of %s is limited", (open, close) => {
    expect(parseJsonText(nested(JSON_DEPTH_MAX - 1, open, close))).toBeDefined();
    expect(parseJsonText(nested(JSON_DEPTH_MAX, open, close))).toBeDefined();
    expect(parseJsonText(nested(JSON_DEPTH_MAX + 1, open, close))).toBeUndefined();
  });

  test("a bomb of brackets is damaged, not a stack overflow", () => {
    expect(parseJsonText("[".repeat(2_000_000))).toBeUndefined();
    expect(parseJsonText('{"a":'.repeat(500_000))).toBeUndefined();
  });
});

test("narrowing gives the value of the asked kind and undefined for all others", () => {
  const values = [{ a: "1" }, ["1"], "1", true, null, undefined];
  expect(values.map((value) => asJsonObject(value))).toEqual([
    { a: "1" },
    ...Array.from({ length: 5 }, () => undefined),
  ]);
  expect(values.map((value) => asJsonArray(value))[1]).toEqual(["1"]);
  expect(values.filter((value) => asJsonArray(value) !== undefined)).toHaveLength(1);
  expect(values.filter((value) => asText(value) !== undefined)).toEqual(["1"]);
});
