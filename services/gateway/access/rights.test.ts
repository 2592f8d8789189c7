import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { somebody } from "#test/support/principals.ts";

const TRADES = { venue: "binance", symbol: "BTC-USDT", channel: "trades" };

describe("of several grants about a topic", () => {
  test("the first decides, and what it says is not mixed with others", () => {
    const who = somebody([
      { topics: ["*:BTC-*/*"], delayMs: 1_000 },
      { topics: ["*:*/*"], depthMax: 1 },
    ]);
    expect(who.may("subscribe", TRADES)).toEqual({ depthMax: 0, intervalMsMin: 0, delayMs: 1_000 });
    expect(who.may("subscribe", { ...TRADES, symbol: "ETH-USDT" })).toMatchObject({ depthMax: 1 });
  });

  test("one that denies stands before those behind it, and after those before it", () => {
    const denied = { topics: ["binance:BTC-USDT/*"], deny: true };
    expect(somebody([denied, "*:*/*"]).may("subscribe", TRADES)).toBeUndefined();
    expect(somebody(["*:*/trades", denied]).may("subscribe", TRADES)).toBeDefined();
  });

  test("each counts for its own actions", () => {
    const who = somebody([
      { topics: ["*:*/*"], actions: ["query"], delayMs: 60_000 },
      { topics: ["*:*/quotes"], actions: ["subscribe"] },
    ]);
    expect(who.may("query", TRADES)).toMatchObject({ delayMs: 60_000 });
    expect(who.may("subscribe", TRADES)).toBeUndefined();
    expect(who.may("subscribe", { ...TRADES, channel: "quotes" })).toMatchObject({ delayMs: 0 });
  });
});

test("who has no grant has nothing, and may call what he is not denied", () => {
  const who = somebody([]);
  expect(who.may("subscribe", TRADES)).toBeUndefined();
  expect(who.overlapOf("subscribe", { venue: "*", symbol: "*", channel: "*" })).toBe("none");
  expect(who.mayCall("GetServerTime")).toBe(true);
  expect(somebody([], { calls: ["Get*"] }).mayCall("ListInstruments")).toBe(false);
  expect(somebody([], { calls: ["Get*"] }).mayCall("GetTrades")).toBe(true);
});

test("a list that would name what is denied is denied", () => {
  const list = { venue: "binance", symbol: "all", channel: "listings" };
  const secret = { topics: ["binance:SECRET-*/*"], deny: true };
  expect(somebody([secret, "*:*/*"]).may("subscribe", list)).toBeUndefined();
  expect(somebody([secret, "*:*/*"]).may("subscribe", { ...list, venue: "kraken" })).toBeDefined();
  const books = { topics: ["binance:*/book"], deny: true };
  expect(somebody([books, "*:*/*"]).may("subscribe", list)).toBeDefined();
});

test("limits of several roles are the widest, and one without a limit sets none", () => {
  const limits = (connectionsMax?: number) =>
    somebody([], connectionsMax === undefined ? {} : { limits: { connectionsMax } }).limits;
  expect(limits(3)).toEqual({
    connectionsMax: 3,
    subscriptionsMax: undefined,
    requestsPerSecondMax: undefined,
    bandwidthBytesPerSecondMax: undefined,
  });
  expect(limits().connectionsMax).toBeUndefined();
});

test("what is said of a pattern agrees with what is said of every topic of it", () => {
  const part = (...names: string[]) => fc.constantFrom("*", ...names);
  const mask = fc.tuple(part("a", "b", "a*"), part("X", "Y", "X*"), part("trades", "book"));
  const grant = fc.record({
    topics: fc.array(
      mask.map(([v, s, c]) => `${v}:${s}/${c}`),
      { minLength: 1, maxLength: 2 },
    ),
    deny: fc.boolean(),
  });
  const asked = fc.tuple(part("a", "b"), part("X", "Y"), part("trades", "book"));
  fc.assert(
    fc.property(fc.array(grant, { maxLength: 4 }), asked, (grants, [venue, symbol, channel]) => {
      const who = somebody(grants);
      // Names besides those above stand for all that there may be.
      const each = (name: string, all: string[]) => (name === "*" ? all : [name]);
      const answers = each(venue, ["a", "b", "ab", "z"]).flatMap((v) =>
        each(symbol, ["X", "Y", "XY", "Z"]).flatMap((s) =>
          each(channel, ["trades", "book", "quotes"]).map(
            (c) => who.may("subscribe", { venue: v, symbol: s, channel: c }) !== undefined,
          ),
        ),
      );
      const overlap = who.overlapOf("subscribe", { venue, symbol, channel });
      // "some" may be more careful than need be; the other two are exact.
      expect(overlap === "all" && answers.includes(false)).toBe(false);
      expect(overlap === "none" && answers.includes(true)).toBe(false);
    }),
    { numRuns: 3_000 },
  );
});
