import { expect, test } from "vitest";
import type { Candle } from "#core/market-event.ts";
import { fakeInstrument } from "#test/support/fake-feed.ts";
import { ByteBudget } from "#core/byte-budget.ts";
import { PUBLISH_LIMITS_DEFAULTS } from "./publish-limits.ts";
import { TopicRecord } from "./topic-record.ts";

const instrument = fakeInstrument("A");

function candle(openTimeUs: number, close: string, intervalMs = 60_000): Candle {
  return {
    kind: "candle",
    instrument,
    venueTimeUs: undefined,
    receivedTimeUs: 1,
    intervalMs,
    openTimeUs,
    open: "1",
    high: "1",
    low: "1",
    close,
    volume: "1",
    closed: false,
    quoteVolume: undefined,
    tradeCount: undefined,
  };
}

function record(recentCandlesMax = 3): TopicRecord {
  const limits = { ...PUBLISH_LIMITS_DEFAULTS, recentTradesMax: 3, recentCandlesMax };
  const budget = new ByteBudget({ bytesMax: 0 });
  const topic = { instrument, channel: "candles", subject: "s", epoch: 1 } as const;
  return new TopicRecord({ ...topic, limits, budget });
}

function rowsOf<Row>({ length, at }: { length: number; at: (index: number) => Row }): Row[] {
  return Array.from({ length }, (_, index) => at(index));
}

test("a candle that comes again replaces what was known of it", () => {
  const topic = record();
  for (const each of [candle(1, "a"), candle(1, "b"), candle(2, "c")]) topic.keep(each);
  const closes = rowsOf(topic.candles(60_000)).map(({ close }) => close);
  expect(closes).toEqual(["b", "c"]);
});

test("candles are in the order of their start, whatever order they come in", () => {
  const topic = record();
  for (const start of [2, 1, 3]) topic.keep(candle(start, "x"));
  const starts = rowsOf(topic.candles(60_000)).map((each) => each.openTimeUs);
  expect(starts).toEqual([1, 2, 3]);
});

test("one that is older than all that may be kept is not kept, nor counted", () => {
  const topic = record();
  for (const start of [5, 4, 3, 2, 6, 1]) topic.keep(candle(start, "x"));
  const starts = rowsOf(topic.candles(60_000)).map((each) => each.openTimeUs);
  expect(starts).toEqual([4, 5, 6]);
});

test("only the last candles are kept, and intervals do not mix", () => {
  const topic = record();
  for (const start of [1, 2, 3, 4]) topic.keep(candle(start, "x"));
  topic.keep(candle(3, "y", 1_000));
  const starts = rowsOf(topic.candles(60_000)).map((each) => each.openTimeUs);
  expect(starts).toEqual([2, 3, 4]);
  expect(topic.candles(5_000)).toHaveLength(0);
  expect(
    topic
      .latestCandles()
      .map(({ close }) => close)
      .toSorted(),
  ).toEqual(["x", "y"]);
});
