import { expect, test } from "vitest";
import { firstFlag, stateOfWord } from "./instrument-words.ts";

const WORDS = { open: "trading", stop: "halted" } as const;

test("a word of the venue has a state of ours and stays beside it", () => {
  expect(stateOfWord(WORDS, "stop")).toEqual({ state: "halted", stateWord: "stop" });
});

test.each(["constructor", "__proto__", "toString", "Open"])("nothing is made of %s", (word) => {
  expect(stateOfWord(WORDS, word)).toEqual({ stateWord: word });
});

test.each([undefined, null, "", 5, {}])("%j says nothing", (word) => {
  expect(stateOfWord(WORDS, word)).toEqual({});
});

test("of several flags the first that is true counts, in our order", () => {
  const flags = { auction_mode: "auction", post_only: "post-only" } as const;
  expect(firstFlag({ post_only: true, auction_mode: true }, flags)).toBe("auction_mode");
  expect(firstFlag({ post_only: true, auction_mode: "true" }, flags)).toBe("post_only");
  expect(firstFlag({}, flags)).toBeUndefined();
});
