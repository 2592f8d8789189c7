import { expect, test } from "vitest";
import {
  BAD_DECIMAL,
  decimalText,
  isRecord,
  isUpdateId,
  optionalDecimal,
  parseJson,
  present,
  textOf,
} from "./text-fields.ts";

test("damaged JSON is undefined, which JSON itself never is", () => {
  expect(parseJson('{"a":1}')).toEqual({ a: 1 });
  expect(parseJson("null")).toBeNull();
  for (const text of ["", "{", '{"a":', "pong"]) expect(parseJson(text)).toBeUndefined();
});

test("only an object is a record, and only an exact integer is a number of an update", () => {
  expect([{}, [], null, "x", 1].map(isRecord)).toEqual([true, false, false, false, false]);
  expect([0, -1, 2 ** 53, 1.5, "1", undefined].map(isUpdateId)).toEqual([
    true,
    true,
    false,
    false,
    false,
    false,
  ]);
});

test("empty texts and null are no value, and only the text of a decimal is one", () => {
  expect(["", null, "0", 0].map(present)).toEqual([undefined, undefined, "0", 0]);
  expect(["1.50", "1e-7", "", "x", 1].map(decimalText)).toEqual([
    "1.5",
    "0.0000001",
    undefined,
    undefined,
    undefined,
  ]);
});

test.each([
  [undefined, undefined],
  [null, undefined],
  ["", undefined],
  ["1.50", "1.5"],
  ["one", BAD_DECIMAL],
  [5, BAD_DECIMAL],
])("the decimal that may be missing, %j, is %s", (value, decimal) => {
  expect(optionalDecimal(value)).toBe(decimal);
});

test("a text that says something is a string that is not empty", () => {
  expect(["a", "", null, 5, undefined].map(textOf)).toEqual([
    "a",
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});
