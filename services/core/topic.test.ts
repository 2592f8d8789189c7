import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CHANNELS } from "./instrument.ts";
import {
  formatTopic,
  isPattern,
  matchesPattern,
  parseTopic,
  parseTopicPattern,
  TOPIC_LENGTH_MAX,
  type Topic,
} from "./topic.ts";

const topics: fc.Arbitrary<Topic> = fc.record({
  venue: fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,12}$/),
  symbol: fc
    .string({ unit: "grapheme", minLength: 1, maxLength: 20 })
    .filter((text) => !/[\s:/*\p{Cc}\p{Cf}\p{Cs}]/u.test(text)),
  channel: fc.constantFrom(...CHANNELS),
});

describe("topics", () => {
  test("are read as they are written", () => {
    expect(parseTopic("binance-usdm:BTC-USDT-PERP/mark-price")).toEqual({
      venue: "binance-usdm",
      symbol: "BTC-USDT-PERP",
      channel: "mark-price",
    });
  });

  test("format and parse are inverse", () => {
    fc.assert(
      fc.property(topics, (topic) => {
        expect(parseTopic(formatTopic(topic))).toEqual(topic);
      }),
      { numRuns: 500, seed: 1 },
    );
  });

  test("what is not one is not read", () => {
    for (const text of [
      "",
      "binance",
      "binance:BTC-USDT",
      "binance/BTC-USDT/trades",
      "binance:/trades",
      ":BTC-USDT/trades",
      "binance:BTC-USDT/",
      "binance:BTC-USDT/Trades",
      "binance:BTC-USDT/nonsense",
      "Binance:BTC-USDT/trades",
      "binance:BTC USDT/trades",
      "binance:BTC-USDT/trades ",
      "binance:BTC-USDT/trades/x",
      "binance:a:b/trades",
      "binance:*/trades",
      "binance:B*/trades",
      "*:BTC-USDT/trades",
      "binance:BTC-USDT/*",
      "binance:\u0000/trades",
      "binance:\ud800/trades",
      "binance:\u202eCTB/trades",
      "binance:BTC\u200b-USDT/trades",
    ]) {
      expect([text, parseTopic(text)]).toEqual([text, undefined]);
    }
  });

  test.each([-1, 0, 1])("the longest text is the limit %i", (beyond) => {
    const frame = "binance:/trades".length;
    const text = `binance:${"X".repeat(TOPIC_LENGTH_MAX - frame + beyond)}/trades`;
    expect(parseTopic(text) !== undefined).toBe(beyond <= 0);
  });
});

describe("patterns", () => {
  test("each part may be a star, alone", () => {
    for (const text of ["*:BTC-USDT/trades", "binance:*/trades", "binance:BTC-USDT/*", "*:*/*"]) {
      const pattern = parseTopicPattern(text);
      expect(pattern !== undefined && isPattern(pattern)).toBe(true);
      expect(pattern && formatTopic(pattern)).toBe(text);
    }
    expect(parseTopicPattern("bin*:BTC-USDT/trades")).toBeUndefined();
    expect(parseTopicPattern("binance:BTC-*/trades")).toBeUndefined();
  });

  test("match what agrees in every part that is not a star", () => {
    fc.assert(
      fc.property(topics, topics, fc.nat(7), (topic, other, mask) => {
        const pattern = {
          venue: mask & 1 ? "*" : topic.venue,
          symbol: mask & 2 ? "*" : topic.symbol,
          channel: mask & 4 ? ("*" as const) : topic.channel,
        };
        expect(matchesPattern(pattern, topic)).toBe(true);
        const agrees =
          (pattern.venue === "*" || other.venue === topic.venue) &&
          (pattern.symbol === "*" || other.symbol === topic.symbol) &&
          (pattern.channel === "*" || other.channel === topic.channel);
        expect(matchesPattern(pattern, other)).toBe(agrees);
      }),
      { numRuns: 500, seed: 2 },
    );
  });
});
