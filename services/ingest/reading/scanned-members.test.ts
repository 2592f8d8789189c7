import { expect, test } from "vitest";
import { bytesOf } from "./frame-bytes.ts";
import { ScannedMembers } from "./scanned-members.ts";

/** What is read of an object, and what is left behind it; undefined if it is not taken. */
function readBy(members: ScannedMembers, text: string, count: number) {
  const bytes = bytesOf(`${text}]`);
  const end = members.read(bytes, 0);
  if (end < 0) return undefined;
  const values = Array.from({ length: count }, (_, wanted) => members.value(bytes, wanted));
  return [values, `${text}]`.slice(end)];
}

test("values of wanted members are found in any order, others are passed over", () => {
  const members = new ScannedMembers(["last", "mark", "on", "none", "absent"]);
  const expected = [["0.001", "-2.50", true, null, undefined], "]"];
  const first = '{"x":{"y":[1,"]",{}],"z":{}},"last":0.001,"mark":"-2.50","on":true,"none":null}';
  const other = '{"none":null,"on":true,"mark":"-2.50","w":[],"last":0.001}';
  for (const text of [first, first, other, first, other]) {
    expect(readBy(members, text, 5)).toEqual(expected);
  }
});

test("what one object had is not there in the next", () => {
  const members = new ScannedMembers(["a", "b"]);
  expect(readBy(members, '{"a":1,"b":2}', 2)).toEqual([["1", "2"], "]"]);
  expect(readBy(members, '{"a":3}', 2)).toEqual([["3", undefined], "]"]);
  expect(readBy(members, '{"b":""}', 2)).toEqual([[undefined, ""], "]"]);
});

test("a text is that of a text or a number", () => {
  const members = new ScannedMembers(["a", "b", "c", "d"]);
  const bytes = bytesOf('{"a":"x","b":12.50,"c":true,"d":null}');
  expect(members.read(bytes, 0)).toBe(bytes.length);
  expect([0, 1, 2, 3].map((wanted) => members.text(bytes, wanted))).toEqual([
    "x",
    "12.50",
    undefined,
    undefined,
  ]);
  expect(members.startOf(0)).toBe(6);
  expect(members.endOf(0)).toBe(7);
});

test.each(["8.428e-05", "1E5", "2.5e+3", "0e0"])("%s is the text of a number", (number) => {
  const members = new ScannedMembers(["a", "b"]);
  expect(readBy(members, `{"a":${number},"b":1}`, 2)).toEqual([[number, "1"], "]"]);
});

test("members of an object within it are read by those that know them", () => {
  const stats = new ScannedMembers(["high", "low"]);
  const members = new ScannedMembers(["last", "stats"], { stats });
  const bytes = bytesOf('{"stats":{"low":1,"high":2},"last":3}');
  expect(members.read(bytes, 0)).toBe(bytes.length);
  expect([stats.text(bytes, 0), stats.text(bytes, 1), members.text(bytes, 0)]).toEqual([
    "2",
    "1",
    "3",
  ]);
  expect(members.startOf(1)).toBe(9);
  expect(members.read(bytesOf('{"last":3}'), 0)).toBe(10);
  expect(members.startOf(1)).toBe(0);
  expect(members.read(bytesOf('{"stats":null}'), 0)).toBeLessThan(0);
});

test.each([
  ["", "nothing"],
  ["{}", "an empty object"],
  ["[]", "an array"],
  ['{"a":1', "an object that does not end"],
  ['{"a":1,}', "a comma too many"],
  ['{"a" :1}', "a space"],
  ['{"a":1 }', "a space before the end"],
  ['{"a":01}', "a number that JSON does not have"],
  ['{"a":1e}', "an exponent without digits"],
  ['{"a":1e-}', "an exponent that is a sign alone"],
  ['{"a":{}}', "an object for a scalar"],
  ['{"a":1,"a":2}', "a wanted member twice"],
  ['{"\\u0061":1}', "an escaped key"],
  ['{"b":"\\n"}', "an escaped value"],
  ['{"b":[1,]}', "a damaged array"],
  ['{"b":{"c"}}', "a damaged object"],
  ['{"b":[[[[[[[[[1]]]]]]]]]}', "more depth than anyone needs"],
  [`{"${"k".repeat(65)}":1}`, "a key of unusual length"],
  [`{${Array.from({ length: 65 }, (_, index) => `"k${index}":0`).join()}}`, "too many members"],
])("leaves %s to others: %s", (text) => {
  const members = new ScannedMembers(["a"]);
  expect(readBy(members, text, 1)).toBeUndefined();
});

test("as many members, as deep and with as long keys as there may be, are read", () => {
  const members = new ScannedMembers(["a"]);
  const many = Array.from({ length: 63 }, (_, index) => `"k${index}":0`).join();
  expect(readBy(members, `{${many},"a":1}`, 1)).toEqual([["1"], "]"]);
  expect(readBy(members, '{"b":[[[[[[[[1]]]]]]]],"a":1}', 1)).toEqual([["1"], "]"]);
  expect(readBy(members, `{"${"k".repeat(63)}":1,"a":1}`, 1)).toEqual([["1"], "]"]);
});
