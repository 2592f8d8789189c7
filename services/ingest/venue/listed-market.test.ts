import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fakeInstrument } from "#test/support/fake-feed.ts";
import { ListedMarket } from "./listed-market.ts";

const POLICY = { listShrinkMin: 0.5, listDoubtsMax: 3, pausedListedMsMax: 1_000 };

/** Each list is read a millisecond after the one before. */
function create() {
  const market = new ListedMarket(POLICY);
  let nowUs = 0;
  const read = (
    names: string,
    options: { paused?: string; isWhole?: boolean; list?: number } = {},
  ) => {
    const { paused = "", isWhole = true, list = 0 } = options;
    nowUs += 1000;
    const instruments = names.split("").map(fakeInstrument);
    const verdict = market.take(
      { list, instruments, paused: paused.split("").map(fakeInstrument), isWhole },
      nowUs,
    );
    const gone = verdict.gone.map(({ symbol }) => symbol).join("");
    return `${gone}${verdict.isDoubted ? "?" : ""}`;
  };
  return { market, read, pass: (ms: number) => void (nowUs += ms * 1000) };
}

describe("what a list lacks", () => {
  test("has gone when the list lacks it twice in a row", () => {
    const { read } = create();
    expect(read("ABCD")).toBe("");
    expect(read("ABC")).toBe("?");
    expect(read("ABC")).toBe("D");
    expect(read("ABC")).toBe("");
  });

  test("has not gone if it is there the next time, and starts anew then", () => {
    const { read } = create();
    read("ABCD");
    expect([read("ABC"), read("ABCD"), read("ABC"), read("ABC")]).toEqual(["?", "", "?", "D"]);
  });

  test("has not gone because another list lacks it", () => {
    const { read } = create();
    read("AB");
    expect([read("CD", { list: 1 }), read("CD", { list: 1 }), read("AB")]).toEqual(["", "", ""]);
  });

  test("has not gone because the list was not read to its end", () => {
    const { read, market } = create();
    read("ABCD");
    for (let times = 0; times < 5; times += 1) expect(read("A", { isWhole: false })).toBe("");
    expect(market.size).toBe(4);
  });

  test("has gone at once if the venue says so itself", () => {
    const { read, market } = create();
    read("AB");
    market.forget(fakeInstrument("B"));
    expect([read("A"), market.size]).toEqual(["", 1]);
  });
});

describe("a list that is much smaller than the last one", () => {
  test.each([
    ["empty", ""],
    ["less than half", "A"],
  ])("is believed the third time in a row if it is %s", (_, names) => {
    const { read } = create();
    read("ABCD");
    const missing = ["A", "B", "C", "D"].filter((name) => !names.includes(name)).join("");
    expect([read(names), read(names), read(names)]).toEqual(["?", "?", missing]);
  });

  test("is counted anew after one that is not", () => {
    const { read } = create();
    read("ABCD");
    expect([read(""), read(""), read("ABCD"), read(""), read("")]).toEqual([
      "?",
      "?",
      "",
      "?",
      "?",
    ]);
  });

  test("is one of just half that is missing a few, and no more", () => {
    const { read } = create();
    read("ABCD");
    expect([read("AB"), read("AB")]).toEqual(["?", "CD"]);
  });

  test("brings what is new all the same", () => {
    const { read, market } = create();
    read("ABCD");
    read("Z");
    expect(market.size).toBe(5);
  });
});

describe("what is paused", () => {
  test("is kept for a while by whoever knows it, and is nothing to anybody else", () => {
    const { read, market, pass } = create();
    read("AB");
    expect(read("A", { paused: "BZ" })).toBe("");
    expect(market.size).toBe(2);
    pass(POLICY.pausedListedMsMax);
    expect(read("A", { paused: "BZ" })).toBe("B");
  });

  test("is kept to the last moment of that", () => {
    const { read, pass } = create();
    read("AB");
    read("A", { paused: "B" });
    pass(POLICY.pausedListedMsMax - 1);
    expect(read("A", { paused: "B" })).toBe("");
  });

  test("has all of its time again once it has traded", () => {
    const { read, pass } = create();
    read("AB");
    read("A", { paused: "B" });
    pass(POLICY.pausedListedMsMax);
    read("AB");
    expect(read("A", { paused: "B" })).toBe("");
  });
});

test("nothing that is in the last list has ever gone by it, whatever the lists are", () => {
  const names = fc.uniqueArray(fc.constantFrom("A", "B", "C", "D", "E", "F", "G", "H"), {
    maxLength: 8,
  });
  fc.assert(
    fc.property(fc.array(names, { minLength: 1, maxLength: 20 }), (lists) => {
      const { market, read } = create();
      const known = new Set<string>();
      for (const list of lists) {
        const gone = read(list.join("")).replace("?", "");
        for (const name of list) {
          expect(gone).not.toContain(name);
          known.add(name);
        }
        for (const name of gone) expect(known.delete(name)).toBe(true);
        expect(market.size).toBe(known.size);
      }
    }),
  );
});
