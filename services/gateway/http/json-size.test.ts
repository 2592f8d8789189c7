import { Buffer } from "node:buffer";
import fc from "fast-check";
import { expect, test } from "vitest";
import { hasJsonValuesAtMost } from "./json-size.ts";

const has = (text: string, valuesMax: number) => hasJsonValuesAtMost(Buffer.from(text), valuesMax);

test.each([
  ["1", 1],
  ["[]", 2],
  ["[[[]]]", 4],
  ['{"a":1,"b":[2,3]}', 5],
  ['"a,[{\\",[{"', 1],
  ['["\\\\",1]', 3],
])("%s counts as %d", (text, values) => {
  expect([has(text, values - 1), has(text, values), has(text, values + 1)]).toEqual([
    false,
    true,
    true,
  ]);
});

/** Values that JSON.parse makes of a text. */
function valuesOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return 1;
  return Object.values(value).reduce((sum: number, each) => sum + valuesOf(each), 1);
}

test("every text has as many values as JSON.parse makes of it, what is empty counted twice", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const counted = valuesOf(value) + emptyOnes(value);
      const text = JSON.stringify(value);
      expect([has(text, counted - 1), has(text, counted)]).toEqual([false, true]);
    }),
  );
});

function emptyOnes(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  const inner = Object.values(value);
  return inner.reduce((sum: number, each) => sum + emptyOnes(each), inner.length === 0 ? 1 : 0);
}
