import { expect, test } from "vitest";
import { JsonTape } from "#core/json-tape.ts";
import {
  decimalFieldOf,
  elementsOf,
  epochTimeUsAt,
  optionalDecimalOf,
  sequenceAt,
} from "./tape-fields.ts";
import { BAD_DECIMAL } from "./text-fields.ts";

function tapeOf(text: string): JsonTape {
  const tape = new JsonTape();
  if (!tape.scan(text)) throw new Error(`${text} is no JSON`);
  return tape;
}

test.each([
  ["{}", undefined, undefined],
  ['{"price":null}', undefined, undefined],
  ['{"price":1.50}', "1.50", "1.5"],
  ['{"price":"1e-2"}', "1e-2", "0.01"],
  ['{"price":""}', "", BAD_DECIMAL],
  ['{"price":"one"}', "one", BAD_DECIMAL],
  ['{"price":[1]}', BAD_DECIMAL, BAD_DECIMAL],
  ['{"price":true}', BAD_DECIMAL, BAD_DECIMAL],
])("the price of %s has the text %s and the value %s", (json, text, value) => {
  const tape = tapeOf(json);
  expect(decimalFieldOf(tape, 0, "price")).toBe(text);
  expect(optionalDecimalOf(tape, 0, "price")).toBe(value);
});

test("the elements of a list come in order; what is no list has none", () => {
  const tape = tapeOf('["a",{"b":1},[2]]');
  expect(elementsOf(tape, 0).map((node) => tape.value(node))).toEqual(["a", { b: "1" }, ["2"]]);
  expect(elementsOf(tapeOf("[]"), 0)).toEqual([]);
});

test("times are milliseconds as a number or as its text, sequences whole numbers", () => {
  const timeOf = (json: string): number | undefined => epochTimeUsAt(tapeOf(json), 0);
  expect(timeOf("1700000000123")).toBe(1_700_000_000_123_000);
  expect(timeOf('"1700000000123"')).toBe(1_700_000_000_123_000);
  expect(timeOf("null")).toBeUndefined();
  expect(timeOf("5")).toBeNaN();
  const sequenceOf = (json: string): number | undefined => sequenceAt(tapeOf(json), 0);
  expect(["0", "17", "-1", "1.5", "{}", "9007199254740993"].map(sequenceOf)).toEqual([
    0,
    17,
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});
