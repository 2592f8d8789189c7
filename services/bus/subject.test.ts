import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CHANNELS } from "#core/instrument.ts";
import {
  escapeToken,
  eventSubject,
  isSubject,
  isSubjectPattern,
  matchesTokens,
  parseEventSubject,
  parseQuerySubject,
  queryPattern,
  querySubject,
  SUBJECT_LENGTH_MAX,
  unescapeToken,
  type Query,
} from "./subject.ts";

const wellFormed = fc
  .string({ unit: "binary", minLength: 1, maxLength: 30 })
  .filter((text) => !/\p{Cs}/u.test(text));
const symbol = wellFormed.filter((text) => !/[\s:/*\p{Cc}\p{Cf}\p{Cs}]/u.test(text));
const venue = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,12}$/);
const channel = fc.constantFrom(...CHANNELS);

describe("tokens", () => {
  test("plain text stays as it is, the rest becomes the hex of its UTF-8 bytes", () => {
    expect(escapeToken("BTC-USDT_1")).toBe("BTC-USDT_1");
    expect(escapeToken("a.b")).toBe("a=2Eb");
    expect(escapeToken("*")).toBe("=2A");
    expect(escapeToken("=41")).toBe("=3D41");
    expect(escapeToken("币")).toBe("=E5=B8=81");
    expect(() => escapeToken("")).toThrow("empty");
    expect(() => escapeToken("\ud800")).toThrow("surrogate");
  });

  test("any text comes back, as a token that NATS takes", () => {
    fc.assert(
      fc.property(wellFormed, (text) => {
        const token = escapeToken(text);
        expect(isSubject(token)).toBe(true);
        expect(token).not.toContain(".");
        expect(unescapeToken(token)).toBe(text);
      }),
      { numRuns: 1_000, seed: 1 },
    );
    expect(unescapeToken(escapeToken("\ufeffBOM"))).toBe("\ufeffBOM");
  });

  test("there is one token for a text: other spellings are nobody's", () => {
    for (const token of ["", "=", "=4", "=41", "=2e", "a=2Eb=", "=FF", "=E5=B8", "a b", "ä", "*"]) {
      expect([token, unescapeToken(token)]).toEqual([token, undefined]);
    }
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Fa=0-9]{1,9}$/), (token) => {
        const text = unescapeToken(token);
        expect(text === undefined || escapeToken(text) === token).toBe(true);
      }),
      { numRuns: 1_000, seed: 2 },
    );
  });
});

describe("event subjects", () => {
  test("have the documented form", () => {
    expect(eventSubject({ venue: "binance", channel: "mark-price", symbol: "BTC-USDT" })).toBe(
      "md.v2.binance.mark-price.BTC-USDT",
    );
  });

  test("different topics have different subjects, and each leads back to its topic", () => {
    const topic = fc.record({ venue, channel, symbol });
    fc.assert(
      fc.property(topic, topic, (a, b) => {
        expect(parseEventSubject(eventSubject(a))).toEqual(a);
        const same = a.venue === b.venue && a.channel === b.channel && a.symbol === b.symbol;
        expect(eventSubject(a) === eventSubject(b)).toBe(same);
      }),
      { numRuns: 1_000, seed: 3 },
    );
  });

  test("what is not one is not read", () => {
    for (const subject of [
      "",
      "md.v2.binance.trades",
      "md.v2.binance.trades.A.B",
      "md.v1.binance.trades.A",
      "rq.v2.binance.trades.A",
      "md.v2.binance.nonsense.A",
      "md.v2.Binance.trades.A",
      "md.v2.binance.trades.",
      "md.v2.binance.trades.=41",
      // A line break, an escape character, a direction override, and what separates topics.
      "md.v2.binance.trades.A=0AB",
      "md.v2.binance.trades.=1B",
      "md.v2.binance.trades.=E2=80=AE",
      "md.v2.binance.trades.A=3AB",
      "md.v2.binance.trades.=2A",
      `md.v2.binance.trades.${"X".repeat(257)}`,
    ]) {
      expect([subject, parseEventSubject(subject)]).toEqual([subject, undefined]);
    }
  });
});

describe("query subjects", () => {
  const publisherId = fc.stringMatching(/^[A-Za-z0-9_-]{1,100}$/);
  const query: fc.Arbitrary<Query> = fc.oneof(
    fc.record({
      venue,
      publisherId,
      query: fc.constantFrom("snapshot", "history"),
      channel,
      symbol,
    }),
    fc.record({ venue, publisherId, query: fc.constantFrom("trades", "candles"), symbol }),
    fc.record({ venue, publisherId, query: fc.constantFrom("statuses", "catalog", "ping") }),
  );

  test("have the documented form", () => {
    const symbol = "BTC-USDT";
    const to = { venue: "a", publisherId: "p-1" };
    expect(querySubject({ ...to, query: "snapshot", channel: "book", symbol })).toBe(
      "rq.v2.a.p-1.snapshot.book.BTC-USDT",
    );
    expect(querySubject({ ...to, query: "trades", symbol })).toBe("rq.v2.a.p-1.trades.BTC-USDT");
    expect(querySubject({ ...to, query: "candles", symbol })).toBe("rq.v2.a.p-1.candles.BTC-USDT");
    expect(querySubject({ ...to, query: "statuses" })).toBe("rq.v2.a.p-1.statuses");
    expect(querySubject({ ...to, query: "catalog" })).toBe("rq.v2.a.p-1.catalog");
    expect(querySubject({ ...to, query: "ping" })).toBe("rq.v2.a.p-1.ping");
  });

  test("each leads back to its query and matches its publisher's pattern alone", () => {
    fc.assert(
      fc.property(query, (asked) => {
        const subject = querySubject(asked);
        expect(parseQuerySubject(subject)).toEqual(asked);
        const isHeard = (publisher: string): boolean => {
          const pattern = queryPattern({ venue: asked.venue, publisherId: publisher });
          return matchesTokens(pattern.split("."), subject.split("."));
        };
        expect(isHeard(asked.publisherId)).toBe(true);
        expect(isHeard(`${asked.publisherId}x`)).toBe(false);
      }),
      { numRuns: 1_000, seed: 4 },
    );
  });

  test("what is not one is not read", () => {
    for (const subject of [
      "rq.v2.a.p",
      "rq.v2.a.p.catalog.x",
      "rq.v2.a.p.trades",
      "rq.v2.a.p.trades.",
      "rq.v2.a.p.trades.x.y",
      "rq.v2.a.p.snapshot.book",
      "rq.v2.a.p.snapshot.nonsense.x",
      "rq.v2.a.p.other",
      "rq.v1.a.p.catalog",
      "md.v2.a.p.catalog",
      "rq.v2.a.catalog",
      "rq.v2.a..catalog",
      "rq.v2.a.=41.catalog",
      `rq.v2.a.${"p".repeat(101)}.catalog`,
    ]) {
      expect([subject, parseQuerySubject(subject)]).toEqual([subject, undefined]);
    }
  });
});

describe("subjects and patterns", () => {
  test("have a longest length", () => {
    for (const [length, valid] of [
      [SUBJECT_LENGTH_MAX - 1, true],
      [SUBJECT_LENGTH_MAX, true],
      [SUBJECT_LENGTH_MAX + 1, false],
    ] as const) {
      expect(isSubject("a".repeat(length))).toBe(valid);
      expect(isSubjectPattern("a".repeat(length))).toBe(valid);
    }
  });

  test("a pattern of wildcards is one, a subject never has any", () => {
    for (const pattern of ["*", ">", "a.*", "*.a", "a.>", "*.>", "a.*.b"]) {
      expect([pattern, isSubjectPattern(pattern), isSubject(pattern)]).toEqual([
        pattern,
        true,
        false,
      ]);
    }
  });

  test("matching agrees with a regular expression", () => {
    const token = fc.constantFrom("a", "b", "c");
    const patternToken = fc.constantFrom("a", "b", "*");
    const tokens = fc.array(token, { minLength: 1, maxLength: 5 });
    const patterns = fc
      .tuple(fc.array(patternToken, { minLength: 1, maxLength: 4 }), fc.boolean())
      .map(([head, open]) => (open ? [...head, ">"] : head));
    fc.assert(
      fc.property(patterns, tokens, (pattern, subject) => {
        const source = pattern
          .map((part) => (part === "*" ? "[^.]+" : part === ">" ? ".+" : part))
          .join("\\.");
        const expected = new RegExp(`^${source}$`).test(subject.join("."));
        expect(matchesTokens(pattern, subject)).toBe(expected);
      }),
      { numRuns: 1_000, seed: 5 },
    );
  });
});
