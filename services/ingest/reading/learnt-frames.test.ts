import { expect, test } from "vitest";
import { InstrumentCatalog } from "#core/instrument-catalog.ts";
import { fakeInstrument } from "#test/support/fake-feed.ts";
import { bytesOf, wholeNumber } from "./frame-bytes.ts";
import {
  FoundValues,
  LEARNT_FORMS_MAX,
  LEARNT_FRAMES_MAX,
  LEARNT_VALUES_MAX,
  LearntFrames,
} from "./learnt-frames.ts";

const NAME_AT = 2;

function create() {
  const catalog = new InstrumentCatalog({ venue: "fake", instrumentsMax: 10 });
  const frames = new LearntFrames<string>(catalog);
  const numbers: number[] = [];
  const column = new Float64Array(1);
  const reader = {
    beginLearnt: () => void (numbers.length = 0),
    readValue: (bytes: Uint8Array, at: number) => {
      const end = wholeNumber(bytes, at, column, 0);
      numbers.push(column[0]!);
      return end;
    },
  };
  /** Every run of digits is a value. */
  const learn = (text: string, meaning = text) => {
    const values = new FoundValues();
    for (const { index, 0: digits } of text.matchAll(/\d+/g)) {
      values.add(index, index + digits.length, 0);
    }
    frames.learn(bytesOf(text), NAME_AT, values, meaning);
  };
  const find = (text: string) => {
    const meaning = frames.find(bytesOf(text), NAME_AT, reader);
    return meaning === undefined ? undefined : [meaning, ...numbers];
  };
  return { catalog, learn, find };
}

test("a frame that came before is known by what stands between its values", () => {
  const { learn, find } = create();
  learn('{"a@x":1,"b":22}', "x");
  expect(find('{"a@x":1,"b":22}')).toEqual(["x", 1, 22]);
  expect(find('{"a@x":345,"b":6}')).toEqual(["x", 345, 6]);
});

test.each([
  '{"a@x":1,"b":22} ',
  '{"a@x":1,"b":22',
  '{"a@x":1,"b":}',
  '{"a@x":1,"c":22}',
  '{"a@x":01,"b":22}',
  '{"a@x":1.5,"b":22}',
  '{"a@y":1,"b":22}',
  '{"a@x',
  "{",
  "",
])("%s is not known", (text) => {
  const { learn, find } = create();
  learn('{"a@x":1,"b":22}');
  expect(find(text)).toBeUndefined();
});

test("as many forms of a stream are known as may be, and no more", () => {
  const { learn, find } = create();
  const forms = Array.from({ length: LEARNT_FORMS_MAX + 1 }, (_, form) => {
    return `{"a":1,${'"b":'.repeat(form)}1}`;
  });
  for (const form of forms) learn(form);
  const known = forms.map((form) => find(form) !== undefined);
  expect(known).toEqual(forms.map((_, index) => index < LEARNT_FORMS_MAX));
});

test.each([
  [LEARNT_VALUES_MAX, true],
  [LEARNT_VALUES_MAX + 1, false],
])("a frame of %i values is known: %s", (count, isKnown) => {
  const { learn, find } = create();
  const text = `{"a":[${"1,".repeat(count - 1)}1]}`;
  learn(text);
  expect(find(text) !== undefined).toBe(isKnown);
});

test("all is learnt anew with one more than may be known", () => {
  const { learn, find } = create();
  const stream = (index: number) => `{"${String.fromCharCode(97 + (index % 26))}${index}"}`;
  const letters = (index: number) => stream(index).replace(/\d/g, (digit) => "klmnopqrst"[+digit]!);
  for (let index = 0; index < LEARNT_FRAMES_MAX; index += 1) learn(letters(index));
  expect([find(letters(0)), find(letters(LEARNT_FRAMES_MAX - 1))]).not.toContain(undefined);
  learn(letters(LEARNT_FRAMES_MAX));
  expect(find(letters(0))).toBeUndefined();
  expect(find(letters(LEARNT_FRAMES_MAX))).toBeDefined();
});

test("nothing is known of a catalog that has changed", () => {
  const { catalog, learn, find } = create();
  learn('{"a":1}');
  catalog.add([fakeInstrument("A")]);
  expect(find('{"a":1}')).toBeUndefined();
});
