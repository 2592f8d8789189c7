import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isLike, matchesGrant, overlapOf, parseGrantPattern } from "./grant-pattern.ts";

const parse = (text: string) => {
  const pattern = parseGrantPattern(text);
  if (pattern === undefined) throw new Error(`${text} is no pattern`);
  return pattern;
};
const topic = (text: string) => {
  const [, venue = "", symbol = "", channel = ""] = /^(.*?):(.*)\/(.*)$/.exec(text) ?? [];
  return { venue, symbol, channel };
};

describe("a grant of", () => {
  test.each([
    ["*:*/trades", "binance:BTC-USDT/trades", true],
    ["*:*/trades", "binance:BTC-USDT/book", false],
    ["binance:*/*", "binance:BTC-USDT/book", true],
    ["binance:*/*", "binance-usdm:BTC-USDT-PERP/book", false],
    ["binance*:*/*", "binance-usdm:BTC-USDT-PERP/book", true],
    ["binance:BTC-*/quotes", "binance:BTC-USDT/quotes", true],
    ["binance:BTC-*/quotes", "binance:WBTC-USDT/quotes", false],
    ["binance:*-PERP/*", "binance:BTC-USDT-PERP/funding", true],
    ["binance:*-PERP/*", "binance:BTC-USDT/trades", false],
    ["binance:BTC-USDT/trades", "binance:btc-usdt/trades", false],
    ["Binance:*/*", "binance:BTC-USDT/trades", false],
    ["binance:BTC*USD*PERP/*", "binance:BTC-USDT-PERP/book", true],
    ["binance:B*C*B/*", "binance:BCB/book", true],
    ["binance:B*B/*", "binance:B/book", false],
  ])("%s is about %s: %s", (grant, text, expected) => {
    expect(matchesGrant(parse(grant), topic(text))).toBe(expected);
  });

  test.each([
    "",
    "binance",
    "binance:BTC",
    ":BTC/trades",
    "a:/trades",
    "a:b/",
    "a:b c/trades",
    "a/b:c",
  ])("%j is none", (text) => expect(parseGrantPattern(text)).toBeUndefined());
});

describe("of what is asked for, a grant covers", () => {
  test.each([
    ["*:*/*", "*:*/*", "all"],
    ["binance:*/*", "*:*/*", "some"],
    ["binance:*/*", "kraken:*/*", "none"],
    ["binance:*/trades", "binance:*/trades", "all"],
    ["binance:BTC-*/trades", "binance:*/trades", "some"],
    ["binance:BTC-*/trades", "binance:BTC-USDT/*", "some"],
    ["binance:BTC-*/*", "binance:BTC-USDT/*", "all"],
    ["binance:*/book", "*:*/trades", "none"],
  ])("%s of %s: %s", (grant, asked, expected) => {
    expect(overlapOf(parse(grant), topic(asked))).toBe(expected);
  });
});

test("a mask is what it says, whatever the characters", () => {
  const letters = fc.string({ unit: fc.constantFrom("a", "b", "-", "."), maxLength: 8 });
  const masks = fc.string({
    unit: fc.constantFrom("a", "b", "-", ".", "*"),
    minLength: 1,
    maxLength: 8,
  });
  fc.assert(
    fc.property(masks, letters, (mask, name) => {
      // Here the characters are few and short enough for a regular expression to be safe.
      const parts = mask.split("*").map((part) => part.replaceAll(".", "\\."));
      expect(isLike(mask, name)).toBe(new RegExp(`^${parts.join(".*")}$`, "s").test(name));
    }),
    { numRuns: 2_000 },
  );
});

test("a mask of many stars takes no longer than it is", () => {
  const mask = `${"a*".repeat(120)}b`;
  expect(isLike(mask, "a".repeat(250))).toBe(false);
});
