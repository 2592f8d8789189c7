import { parseMantissa } from "@tickwire/proto/model";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  JSON_DEPTH_MAX,
  JsonKind,
  JsonTape,
  MISSING,
  TAPE_CHARACTERS_KEPT_MAX,
} from "./json-tape.ts";

function scanned(text: string): JsonTape {
  const tape = new JsonTape();
  expect(tape.scan(text)).toBe(true);
  return tape;
}

/** The nodes of a container's children, in order. */
function children(tape: JsonTape, container: number): number[] {
  const nodes: number[] = [];
  for (let node = tape.first(container); node !== MISSING; node = tape.next(node)) nodes.push(node);
  return nodes;
}

/** True if the node says what JSON.parse says, with numbers as texts. */
function isSame(tape: JsonTape, node: number, value: unknown): boolean {
  if (typeof value === "string") return tape.text(node) === value && tape.equals(node, value);
  if (typeof value === "number") return Object.is(tape.number(node), value);
  if (value === true) return tape.kind(node) === JsonKind.True;
  if (value === false) return tape.kind(node) === JsonKind.False;
  if (value === null) return tape.kind(node) === JsonKind.Null;
  if (Array.isArray(value)) {
    const elements = children(tape, node);
    return (
      tape.isArray(node) &&
      elements.length === value.length &&
      value.every((element, index) => isSame(tape, tape.at(node, index), element))
    );
  }
  const entries = Object.entries(value as object);
  return (
    tape.isObject(node) &&
    tape.length(node) === entries.length &&
    children(tape, node).every((member) => Object.hasOwn(value as object, tape.key(member))) &&
    entries.every(([key, member]) => isSame(tape, tape.get(node, key), member))
  );
}

describe("walking", () => {
  test("finds by key and by index what JSON.parse finds", () => {
    const tape = new JsonTape();
    const value = fc.jsonValue({ maxDepth: 5 });
    fc.assert(
      fc.property(value, fc.nat(3), (json, indent) => {
        const text = JSON.stringify(json, undefined, indent);
        expect(tape.scan(text)).toBe(true);
        expect(isSame(tape, 0, JSON.parse(text))).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  test("of equal keys the last one counts", () => {
    const tape = scanned('{"a":1,"b":2,"a":3}');
    expect(tape.text(tape.get(0, "a"))).toBe("3");
  });

  test("nothing is found in what is not there", () => {
    const tape = scanned('{"text":"x","list":[1]}');
    const missing = tape.get(0, "nothing");
    expect(missing).toBe(MISSING);
    expect([tape.get(missing, "a"), tape.at(missing, 0), tape.first(missing)]).toEqual([
      MISSING,
      MISSING,
      MISSING,
    ]);
    expect([tape.next(missing), tape.at(tape.get(0, "list"), 1)]).toEqual([MISSING, MISSING]);
    expect([tape.text(missing), tape.value(missing), tape.key(0)]).toEqual([
      undefined,
      undefined,
      "",
    ]);
    expect([tape.number(tape.get(0, "text")), tape.mantissa(missing, 2)]).toEqual([NaN, NaN]);
    expect(tape.get(tape.get(0, "text"), "x")).toBe(MISSING);
  });

  test("keys and texts with escapes or other alphabets are told apart", () => {
    const tape = scanned('{"caf\\u00e9":1,"café2":"ā","\\"":3,"a\\u0000":4,"汉":"字"}');
    expect(tape.text(tape.get(0, "café"))).toBe("1");
    expect(tape.text(tape.get(0, "café2"))).toBe("ā");
    expect(tape.text(tape.get(0, '"'))).toBe("3");
    expect(tape.text(tape.get(0, "a\0"))).toBe("4");
    expect(tape.equals(tape.get(0, "汉"), "字")).toBe(true);
    expect(tape.equals(tape.get(0, "汉"), "子")).toBe(false);
  });
});

describe("numbers", () => {
  const digits = fc.stringMatching(/^-?\d{1,25}(\.\d{1,20})?([eE][+-]?\d)?$/);
  const anything = fc.oneof(digits, fc.constantFrom("", "-", ".", "1.", ".5", "1e", "0x1", " 1"));

  test("a mantissa is that of the text, whether it is a number or a string", () => {
    const tape = new JsonTape();
    fc.assert(
      fc.property(anything, fc.nat(20), (text, scale) => {
        expect(tape.scan(JSON.stringify([text]))).toBe(true);
        expect(tape.mantissa(tape.first(0), scale)).toEqual(parseMantissa(text, scale));
        fc.pre(tape.scan(`[${text}]`) && text.trim() !== "");
        expect(tape.mantissa(tape.first(0), scale)).toEqual(parseMantissa(text.trim(), scale));
      }),
      { numRuns: 5000 },
    );
  });

  test.each([
    ["1", 0],
    ["-1.50", 2],
    ["0.000", 3],
    ["1e-7", -1],
    ["1.2x", -1],
    // Without a digit after the point it is no decimal, which is for the mantissa to say.
    ["", 0],
    [".", 0],
    ["1.", 0],
  ])("%j is written with %i decimals", (text, decimals) => {
    const tape = scanned(JSON.stringify([text]));
    expect(tape.decimals(tape.first(0))).toBe(decimals);
  });
});

describe("limits", () => {
  const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);

  test.each([JSON_DEPTH_MAX - 1, JSON_DEPTH_MAX])("%i levels are read", (depth) => {
    expect(new JsonTape().scan(nested(depth))).toBe(true);
  });

  test("one level more is damage", () => {
    expect(new JsonTape().scan(nested(JSON_DEPTH_MAX + 1))).toBe(false);
  });

  test.each([-1, 0, 1])(
    "a text of the kept length %i is read, and so is a short one after",
    (by) => {
      const tape = new JsonTape();
      const text = "x".repeat(TAPE_CHARACTERS_KEPT_MAX + by - 2);
      expect(tape.scan(JSON.stringify(text))).toBe(true);
      expect(tape.text(0)).toBe(text);
      expect(tape.scan("[1,2]")).toBe(true);
      expect(tape.value(0)).toEqual(["1", "2"]);
    },
  );

  test("a text of many values is read whole", () => {
    const values = Array.from({ length: 100_000 }, (_, index) => String(index));
    expect(scanned(`[${values.join(",")}]`).value(0)).toEqual(values);
  });

  test("what a longer text left behind is not read", () => {
    const tape = new JsonTape();
    expect(tape.scan('["abcdefgh","\\u1234"]')).toBe(true);
    for (const text of ['["abc', '"\\', '"\\u12', "tru", "[1", "1.", '{"a"', '{"a":'])
      expect([text, tape.scan(text)]).toEqual([text, false]);
  });
});
