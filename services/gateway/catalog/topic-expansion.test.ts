import type { Instrument } from "@tickwire/proto/service";
import { describe, expect, test } from "vitest";
import { CHANNELS } from "#core/instrument.ts";
import { formatTopic } from "#core/topic.ts";
import { expandTopic, topicsOf } from "./topic-expansion.ts";

type InstrumentIndex = Parameters<typeof expandTopic>[0];

/** All of it, as long as it takes. */
function expansionOf(index: InstrumentIndex, text: string, topicsMax: number) {
  const work = expandTopic(index, text, { topicsMax, line: { isOver: true } });
  for (let step = work.next(); ; step = work.next()) if (step.done === true) return step.value;
}

/** Venues call `A-USD` by `A/USD:x`. */
function instrument(venue: string, symbol: string): Instrument {
  const channels = ["CHANNEL_TRADES", "CHANNEL_BOOK"];
  const venueSymbol = `${symbol.replace("-", "/")}:x`;
  return { venue, symbol, venueSymbol, channels } as unknown as Instrument;
}

/** A catalog of these symbols at each venue, each with trades, a book and its status. */
function catalog(
  symbols: { readonly [venue: string]: readonly string[] },
  notReady: readonly string[] = [],
): InstrumentIndex {
  const of = (venue: string) => (symbols[venue] ?? []).map((symbol) => instrument(venue, symbol));
  const known = (venue: string, symbol: string) => of(venue).find((one) => one.symbol === symbol);
  return {
    venues: Object.keys(symbols),
    instrument: known,
    find: (venue, symbol) =>
      known(venue, symbol) ?? of(venue).find((one) => one.venueSymbol === symbol),
    instrumentsOf: of,
    standingOf: (venue) =>
      notReady.includes(venue) ? "not-ready" : venue in symbols ? "listed" : "unknown",
  };
}

const TWO_VENUES = catalog({ one: ["A-USD", "B-USD"], two: ["A-USD"] });

function expand(text: string, topicsMax = 100, index = TWO_VENUES) {
  const expansion = expansionOf(index, text, topicsMax);
  if (expansion.kind === "topics") return expansion.topics.map(formatTopic);
  return expansion.kind === "nothing" ? expansion.why.kind : expansion.kind;
}

describe("a topic", () => {
  test("stands for itself, costs nothing more and does not grow", () => {
    expect(expansionOf(TWO_VENUES, "one:A-USD/book", 1)).toEqual({
      kind: "topics",
      cost: 0,
      topics: [{ venue: "one", symbol: "A-USD", channel: "book" }],
      pattern: undefined,
    });
  });

  test.each([
    ["one:C-USD/book", "unknown-symbol"],
    ["three:A-USD/book", "unknown-venue"],
    ["one:A-USD/candles", "unknown-channel"],
    ["one:A-USD/nothing", "unknown-channel"],
    ["late:A-USD/book", "not-ready"],
  ])("%s stands for nothing: %s", (text, kind) => {
    const index = catalog({ one: ["A-USD"], late: [] }, ["late"]);
    expect(expansionOf(index, text, 1)).toMatchObject({ kind: "nothing", cost: 0, why: { kind } });
  });

  test("with the venue's own symbol stands for the topic with Tickwire's", () => {
    expect(expand("one:A/USD:x/book")).toEqual(["one:A-USD/book"]);
  });

  test.each([
    "",
    "one",
    "one:A-USD",
    "one/A-USD:book",
    "ONE:A-USD/book",
    "one:A-USD/",
    "one:A*/book",
  ])("%j is malformed", (text) => {
    expect(expand(text)).toBe("malformed");
  });

  test("of a channel that is not there names those that are", () => {
    const why = (text: string) => {
      const expansion = expansionOf(TWO_VENUES, text, 1);
      return expansion.kind === "nothing" ? expansion.why : undefined;
    };
    const channels = ["trades", "book", "status"];
    expect(why("one:A-USD/candles")).toMatchObject({ of: "one:A-USD", channels });
    expect(why("one:*/candles")).toMatchObject({ of: "one", channels });
    expect(why("*:*/candles")).toMatchObject({ channels });
    expect(why("one:A-USD/foo")).toMatchObject({ of: "Tickwire", channels: CHANNELS });
  });
});

describe("a pattern", () => {
  test.each([
    ["one:*/book", ["one:A-USD/book", "one:B-USD/book"]],
    ["*:A-USD/trades", ["one:A-USD/trades", "two:A-USD/trades"]],
    ["one:A-USD/*", ["one:A-USD/trades", "one:A-USD/book", "one:A-USD/status"]],
    ["one:A/USD:x/*", ["one:A-USD/trades", "one:A-USD/book", "one:A-USD/status"]],
    ["two:*/*", ["two:A-USD/trades", "two:A-USD/book", "two:A-USD/status"]],
  ])("%s stands for what matches", (text, topics) => {
    expect(expand(text)).toEqual(topics);
  });

  test("of one instrument goes on under Tickwire's symbol", () => {
    expect(expansionOf(TWO_VENUES, "one:A/USD:x/*", 100)).toMatchObject({
      pattern: { venue: "one", symbol: "A-USD", channel: "*" },
    });
  });

  test.each([
    ["three:*/book", "unknown-venue"],
    ["*:C-USD/book", "unknown-symbol"],
    ["*:A/USD:x/book", "unknown-symbol"],
    ["one:*/candles", "unknown-channel"],
    ["*:A-USD/candles", "unknown-channel"],
    ["*:*/candles", "unknown-channel"],
  ])("%s stands for nothing now: %s", (text, kind) => {
    expect(expand(text)).toBe(kind);
  });

  test.each(["late:*/book", "*:C-USD/book", "*:*/candles"])(
    "%s may stand for something when every list is there",
    (text) => {
      expect(expand(text, 100, catalog({ one: ["A-USD"], late: [] }, ["late"]))).toBe("not-ready");
      expect(expand(text, 100, catalog({}, ["*", "late"]))).toBe("not-ready");
    },
  );

  test.each([
    [2, 2],
    [3, 3],
    [4, 3],
  ])("is cut to %i topics: %i of 3", (topicsMax, topics) => {
    expect(expand("one:A-USD/*", topicsMax)).toHaveLength(topics);
  });

  test("costs the topics that it stands for", () => {
    expect(expansionOf(TWO_VENUES, "*:*/*", 100)).toMatchObject({ cost: 9 });
    expect(expansionOf(TWO_VENUES, "*:*/*", 4)).toMatchObject({ cost: 4 });
  });

  test("that matches little costs the search: one topic for 50 instruments", () => {
    const symbols = (count: number) => Array.from({ length: count }, (_, index) => `S${index}-USD`);
    const cost = (count: number) => {
      const index = catalog({ one: symbols(count) });
      const expansion = expansionOf(index, "one:*/candles", 100);
      return expansion.kind === "nothing" ? expansion.cost : Number.NaN;
    };
    const costs = [49, 50, 149].map(cost);
    expect(costs).toEqual([0, 1, 2]);
  });
});

test("a pattern takes from a new instrument only what it stands for", () => {
  const pattern = { venue: "one", symbol: "*", channel: "book" } as const;
  expect(topicsOf(instrument("one", "C-USD"), pattern).map(formatTopic)).toEqual([
    "one:C-USD/book",
  ]);
  expect(topicsOf(instrument("two", "C-USD"), pattern)).toEqual([]);
});

describe("the list of a venue", () => {
  test("is one topic, by the name of the market or any", () => {
    expect(expand("one:all/listings")).toEqual(["one:all/listings"]);
    expect(expand("one:*/listings")).toEqual(["one:all/listings"]);
    expect(expand("*:*/listings")).toEqual(["one:all/listings", "two:all/listings"]);
  });

  test("grows where venues may come, and is among the channels of no instrument", () => {
    expect(expansionOf(TWO_VENUES, "*:*/listings", 9)).toMatchObject({
      pattern: { venue: "*", symbol: "*", channel: "listings" },
    });
    expect(expansionOf(TWO_VENUES, "one:all/listings", 9)).toMatchObject({ pattern: undefined });
    expect(expand("one:A-USD/listings")).toBe("unknown-channel");
    expect(expand("one:*/*")).not.toContain("one:all/listings");
  });

  test("is there once the venue has listed everything", () => {
    const index = catalog({ one: ["A-USD"], two: ["A-USD"] }, ["one"]);
    expect(expand("one:*/listings", 9, index)).toBe("not-ready");
    expect(expand("*:*/listings", 9, index)).toEqual(["two:all/listings"]);
    expect(expand("three:*/listings", 9, index)).toBe("unknown-venue");
  });
});
