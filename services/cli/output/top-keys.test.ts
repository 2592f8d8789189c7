import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { pressKey, splitKeys, TOP_INPUT } from "./top-keys.ts";
import type { TopInput } from "./top-keys.ts";

const press = (keys: readonly string[], start: TopInput = TOP_INPUT) => {
  let input = start;
  const actions: string[] = [];
  for (const key of keys) {
    const pressed = pressKey(input, key);
    input = pressed.input;
    actions.push(pressed.action);
  }
  return { input, actions };
};

test("what comes in one piece is taken as the keys that it is of", () => {
  const sent = "/a\u{1F600}\r\u001b[A\u001b[5~\u001bOP\u001b\u001bx";
  const keys = [
    "/",
    "a",
    "\u{1F600}",
    "\r",
    "\u001b[A",
    "\u001b[5~",
    "\u001bOP",
    "\u001b",
    "\u001b",
    "x",
  ];
  expect(splitKeys(sent)).toEqual(keys);
  expect(splitKeys("")).toEqual([]);
});

describe("a key", () => {
  test.each(["q", "\u0003"])("%j quits", (key) => {
    expect(press([key]).actions).toEqual(["quit"]);
  });

  test("sorts by one thing after the other, and begins anew", () => {
    const sorts = [1, 2, 3, 4].map((times) => press(Array(times).fill("s")).input.sessionSort);
    expect(sorts).toEqual(["owed", "topics", "opened", "lag"]);
    const topics = [1, 2, 3, 4].map((times) => press(Array(times).fill("t")).input.topicSort);
    expect(topics).toEqual(["sessions", "bytes", "followed", "rate"]);
    expect(press(["s", "t"]).actions).toEqual(["read", "read"]);
  });

  test("shows one table after the other, and all again", () => {
    const tables = [1, 2, 7].map((times) => press(Array(times).fill("\t")).input.table);
    expect(tables).toEqual(["venues", "publishers", "all"]);
  });

  test("stops, and goes on with what is new", () => {
    const { input, actions } = press([" "]);
    expect([input.stopped, actions]).toEqual([true, ["show"]]);
    expect(press([" "], input)).toMatchObject({ input: { stopped: false }, actions: ["read"] });
  });

  test.each(["x", "\u001b[A", ""])("%j does nothing", (key) => {
    expect(press([key])).toEqual({ input: TOP_INPUT, actions: ["show"] });
  });
});

describe("a filter", () => {
  test("is typed, mended and taken", () => {
    const { input, actions } = press(["/", "k", "r", "x", "\u007f", "aken", "\r"]);
    expect(input).toMatchObject({ filter: "kraken", typing: undefined });
    expect(actions.at(-1)).toBe("read");
  });

  test("that is not taken leaves the one before, which Escape then ends", () => {
    const first = press(["/", "kraken", "\r", "/", "q", "\u001b"]).input;
    expect(first).toMatchObject({ filter: "kraken", typing: undefined });
    expect(press(["\u001b"], first).input.filter).toBe("");
  });

  test.each([
    [299, 299],
    [300, 300],
    [301, 300],
  ])("of %i characters has %i", (typed, kept) => {
    expect(press(["/", ...Array<string>(typed).fill("x"), "\r"]).input.filter).toHaveLength(kept);
  });

  test("takes no character that a terminal obeys, whatever is pressed", () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: "binary", maxLength: 4 }), { maxLength: 30 }),
        (keys) => {
          const { input } = press(["/", ...keys]);
          expect(`${input.filter}${input.typing ?? ""}`).not.toMatch(/\p{Cc}/u);
        },
      ),
    );
  });
});
