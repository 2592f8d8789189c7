import type { Instrument } from "@tickwire/proto/service";
import { describe, expect, test } from "vitest";
import { formatTopic, parseTopicPattern } from "#core/topic.ts";
import { channelsOf } from "./channel-names.ts";
import { expandTopic, topicsOf } from "./topic-expansion.ts";
import type { Expansion } from "./topic-expansion.ts";

type InstrumentIndex = Parameters<typeof expandTopic>[0];

/** All of it, as long as it takes. */
function expansionOf(index: InstrumentIndex, text: string, topicsMax: number): Expansion {
  const work = expandTopic(index, text, { topicsMax, line: { isOver: true } });
  for (let step = work.next(); ; step = work.next()) if (step.done === true) return step.value;
}

function instrument(venue: string, symbol: string): Instrument {
  const channels = ["CHANNEL_TRADES", "CHANNEL_BOOK"];
  return { venue, symbol, venueSymbol: symbol, channels } as unknown as Instrument;
}

/** A catalog of these symbols at each venue, each with trades, a book and its status. */
function catalog(symbols: { readonly [venue: string]: readonly string[] }): InstrumentIndex {
  const of = (venue: string) => (symbols[venue] ?? []).map((symbol) => instrument(venue, symbol));
  const find = (venue: string, symbol: string) => of(venue).find((each) => each.symbol === symbol);
  return {
    venues: Object.keys(symbols),
    instrument: find,
    instrumentsOf: of,
    hasTopic: (venue, symbol, channel) => {
      const known = find(venue, symbol);
      return known !== undefined && channelsOf(known).includes(channel);
    },
  };
}

const TWO_VENUES = catalog({ one: ["A-USD", "B-USD"], two: ["A-USD"] });

function expand(text: string, topicsMax = 100, index = TWO_VENUES) {
  const expansion = expansionOf(index, text, topicsMax);
  return expansion.kind === "topics" ? expansion.topics.map(formatTopic) : expansion.kind;
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

  test.each(["one:C-USD/book", "three:A-USD/book", "one:A-USD/candles"])(
    "%s is unknown",
    (text) => {
      expect(expansionOf(TWO_VENUES, text, 1)).toEqual({ kind: "unknown", cost: 0 });
    },
  );

  test.each(["", "one", "one:A-USD", "one:A-USD/nothing", "ONE:A-USD/book"])(
    "%j is malformed",
    (text) => {
      expect(expand(text)).toBe("malformed");
    },
  );
});

describe("a pattern", () => {
  test.each([
    ["one:*/book", ["one:A-USD/book", "one:B-USD/book"]],
    ["*:A-USD/trades", ["one:A-USD/trades", "two:A-USD/trades"]],
    ["one:A-USD/*", ["one:A-USD/trades", "one:A-USD/book", "one:A-USD/status"]],
    ["two:*/*", ["two:A-USD/trades", "two:A-USD/book", "two:A-USD/status"]],
  ])("%s stands for what matches", (text, topics) => {
    expect(expand(text)).toEqual(topics);
  });

  test.each(["three:*/book", "*:C-USD/book", "one:*/candles"])("%s matches nothing now", (text) => {
    expect(expand(text)).toBe("unknown");
  });

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
      return expansion.kind === "unknown" ? expansion.cost : Number.NaN;
    };
    const costs = [49, 50, 149].map(cost);
    expect(costs).toEqual([0, 1, 2]);
  });
});

test("a pattern takes from a new instrument only what it stands for", () => {
  const pattern = parseTopicPattern("one:*/book")!;
  expect(topicsOf(instrument("one", "C-USD"), pattern).map(formatTopic)).toEqual([
    "one:C-USD/book",
  ]);
  expect(topicsOf(instrument("two", "C-USD"), pattern)).toEqual([]);
});
