import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  foreignMessage,
  QUOTED_CHARACTERS_MAX,
  quotedText,
  visibleJson,
  visibleLines,
  visibleText,
} from "./visible-text.ts";

/** CSI, OSC, single C1 controls, bidirectional ones, invisible ones, new lines, lone surrogates. */
const HOSTILE = [
  "\u001b[2J",
  "\u001b]0;title\u0007",
  "\u009b31m",
  "\u009d8;;http://x\u009c",
  "\u202egnp.exe",
  "\u2066x\u2069",
  "\u200b\u200f\u2060\ufeff\u061c",
  "a\nb\rc\u2028d\u2029e\u0085f",
  "\u007f\b\t\u0000",
  "\ud800",
  "\udfff!",
  "\u{e0041}",
];
/** Written apart from the code: by Unicode's own classes, controls, formats, separators, halves. */
const OBEYED = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\p{Bidi_Control}\u200b\u2060\ufeff\u{e0000}-\u{e007f}]/u;

const hostileTexts = fc
  .array(fc.oneof(fc.constantFrom(...HOSTILE), fc.string({ unit: "binary", maxLength: 8 })), {
    maxLength: 30,
  })
  .map((parts) => parts.join(""));

describe("visible text", () => {
  test.each(HOSTILE)("%j has nothing that a terminal obeys", (text) => {
    expect(text).toMatch(OBEYED);
    expect(visibleText(text)).not.toMatch(OBEYED);
  });

  test("holds for any text, and ordinary text of any script stays as it is", () => {
    fc.assert(
      fc.property(hostileTexts, (text) => {
        expect(visibleText(text)).not.toMatch(OBEYED);
        const isPlain = !OBEYED.test(text) && !/\p{Cf}/u.test(text);
        expect(isPlain ? visibleText(text) : text).toBe(text);
      }),
      { numRuns: 1000, seed: 1 },
    );
    for (const text of ["BTC-USD", "币安人生-USDT", "naïve — “quoted” 🚀", "Zażółć gęślą"]) {
      expect(visibleText(text)).toBe(text);
    }
  });

  test("shows what was there", () => {
    expect(visibleText("a\u001b[31mb\nc\u{e0041}")).toBe("a\\u001b[31mb\\u000ac\\udb40\\udc41");
  });

  test("of several lines keeps their ends only", () => {
    expect(visibleLines("one\ntwo\u001b\r\n")).toBe("one\ntwo\\u001b\\u000d\n");
  });
});

test("visible JSON means the same, on one line and on several", () => {
  fc.assert(
    fc.property(hostileTexts, fc.constantFrom(undefined, 2), (text, indent) => {
      const value = { [text]: [text, 1] };
      const json = visibleJson(JSON.stringify(value, undefined, indent));
      expect(JSON.parse(json)).toEqual(value);
      expect(json.replaceAll("\n", "")).not.toMatch(OBEYED);
    }),
    { numRuns: 1000, seed: 2 },
  );
});

test.each([-1, 0, 1])("a quotation has at most its limit (limit %i)", (beyond) => {
  const text = "X".repeat(QUOTED_CHARACTERS_MAX + beyond);
  const expected = beyond > 0 ? `${"X".repeat(QUOTED_CHARACTERS_MAX)}…` : text;
  expect(quotedText(text)).toBe(expected);
});

test("a message of another process keeps 300 characters, all of them visible", () => {
  expect(foreignMessage("x".repeat(300))).toBe("x".repeat(300));
  expect(foreignMessage("x".repeat(301))).toBe(`${"x".repeat(300)}…`);
  expect(foreignMessage("\u001b[2Jno\u202e")).toBe("\\u001b[2Jno\\u202e");
});
