import fc from "fast-check";
import { expect, test } from "vitest";
import { CURSOR_LENGTH_MAX, CursorWriter, readCursor } from "./stream-cursor.ts";

const TOPICS = ["a:B/trades", "a:*/book"];
const POSITION = { epoch: 4_086_346_821_397_563, sequence: 46 };

test("a cursor brings back what was written, whatever the names and numbers", () => {
  const number = fc.nat({ max: Number.MAX_SAFE_INTEGER });
  const position = fc.record({ epoch: number, sequence: number });
  const name = fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 });
  const session = fc.option(
    fc.record({ token: fc.stringMatching(/^[\w-]{1,64}$/), answer: number }),
    { nil: undefined },
  );
  fc.assert(
    fc.property(
      fc.uniqueArray(name, { maxLength: 5 }),
      fc.uniqueArray(fc.tuple(name, position), { selector: ([topic]) => topic, maxLength: 5 }),
      session,
      (topics, entries, given) => {
        const positions = new Map(entries);
        const text = new CursorWriter(topics).write(positions, given);
        expect(text).toMatch(/^[!-~]*$/);
        expect(readCursor(text, topics)).toEqual({
          kind: "cursor",
          cursor: { positions, session: given },
        });
      },
    ),
  );
});

test("a writer says the newest position of each topic, and each epoch once", () => {
  const writer = new CursorWriter(TOPICS);
  writer.write([["a:B/trades", { epoch: 5, sequence: 1 }]]);
  const text = writer.write([
    ["a:B/trades", { epoch: 5, sequence: 2 }],
    ["a:C/book", { epoch: 5, sequence: 9 }],
  ]);
  expect(text.split(":").slice(2)).toEqual(["5", "0;0;2,-a%3AC%2Fbook;0;9"]);
});

test("a cursor of other topics is not taken, nor in another order", () => {
  const text = new CursorWriter(TOPICS).write([["a:B/trades", POSITION]]);
  for (const others of [["a:B/trades"], TOPICS.toReversed(), []]) {
    expect(readCursor(text, others)).toEqual({
      kind: "fault",
      message: "it belongs to other topics",
    });
  }
});

test("a damaged cursor is a fault, or says nothing that was not in a whole one; it never throws", () => {
  const text = new CursorWriter(TOPICS).write(
    [
      ["a:B/trades", POSITION],
      ["a:%C/book", POSITION],
    ],
    { token: "token", answer: 3 },
  );
  fc.assert(
    fc.property(fc.nat({ max: text.length - 1 }), fc.string({ maxLength: 3 }), (at, other) => {
      const damaged = text.slice(0, at) + other + text.slice(at + 1);
      expect(["fault", "cursor"]).toContain(readCursor(damaged, TOPICS).kind);
    }),
  );
  fc.assert(fc.property(fc.string(), (any) => void readCursor(any, TOPICS)));
});

test.each(["1", "2:x::", "", "1::::", "1:%:;:,;,"])("%j is no cursor", (text) => {
  expect(readCursor(text, TOPICS).kind).toBe("fault");
});

test.each([
  ["below", CURSOR_LENGTH_MAX - 1, "it is of no version that this gateway reads"],
  ["at", CURSOR_LENGTH_MAX, "it is of no version that this gateway reads"],
  ["above", CURSOR_LENGTH_MAX + 1, "it has 262145 characters, more than 262144"],
])("a text %s the longest length is judged by it", (_, length, message) => {
  expect(readCursor("9".repeat(length), TOPICS)).toEqual({ kind: "fault", message });
});
