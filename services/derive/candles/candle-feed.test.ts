import { expect, test } from "vitest";
import type { BatchRows } from "@tickwire/proto/codec";
import type { StatusRow, TradeRow } from "@tickwire/proto/model";
import type { Candle as CandleMessage, Trade as TradeMessage } from "@tickwire/proto/service";
import type { Candle, Status } from "#core/market-event.ts";
import type { Topic } from "#core/topic.ts";
import { fakeInstrument } from "#test/support/fake-feed.ts";
import { ManualClock } from "#test/support/manual-clock.ts";
import type { LoggedTrades } from "../reading/logged-trades.ts";
import type { SourceCandles } from "../reading/source-queries.ts";
import type { TopicListener } from "../reading/topic-reading.ts";
import { createBuilderCounters } from "./candle-builder.ts";
import { CandleFeed, HELD_TRADES_MAX } from "./candle-feed.ts";

const SECOND_US = 1_000_000;
const MINUTE_US = 60 * SECOND_US;
/** 2026-01-05 01:30 UTC. */
const START_US = 1_767_571_200_000_000 + 90 * MINUTE_US;
const HOUR_MS = 3_600_000;
const SOURCE = fakeInstrument("A-USD");
const INSTRUMENT = { ...SOURCE, venue: "fake-derived" };

type Options = {
  readonly kept?: readonly TradeMessage[] | undefined;
  readonly minutes?: (fromUs: number, toUs: number) => SourceCandles | undefined;
  readonly native?: readonly number[];
  readonly hasMinutes?: boolean;
  readonly logged?: Pick<LoggedTrades, "read">;
};

async function create(options: Options = {}) {
  const { kept, minutes, native = [60_000], hasMinutes = true, logged } = options;
  const clock = new ManualClock(START_US);
  const listeners = new Map<string, TopicListener>();
  const told: Candle[] = [];
  const statuses: Status[] = [];
  const asked: { fromTimeUs: number; toTimeUs: number }[] = [];
  const feed = new CandleFeed({
    reader: {
      read: ({ channel }: Topic, listener) => {
        listeners.set(channel, listener);
        return { isLive: true, end: () => void listeners.delete(channel) };
      },
    },
    queries: {
      trades: () => Promise.resolve(kept),
      candles: (_source, { fromTimeUs, toTimeUs }) => {
        asked.push({ fromTimeUs, toTimeUs });
        return Promise.resolve(minutes?.(fromTimeUs, toTimeUs));
      },
    },
    logged,
    clock,
    source: SOURCE,
    instrument: INSTRUMENT,
    channels: new Set(["trades", "candles", "status"]),
    intervalsMs: { built: [1_000, HOUR_MS], native },
    hasMinutes,
    graceMs: 1_000,
    counters: createBuilderCounters(),
    emit: (event) => void (event.kind === "candle" ? told.push(event) : statuses.push(event)),
  });
  const settle = async (): Promise<void> => {
    for (let task = 0; task < 10; task += 1) await Promise.resolve();
  };
  const advance = async (seconds: number): Promise<void> => {
    for (let second = 0; second < seconds; second += 1) {
      clock.advance(1_000);
      await settle();
    }
  };
  const news = (channel: string, rows: BatchRows, first = 0): void =>
    listeners.get(channel)?.onNews(rows, first);
  const live = (state: StatusRow["state"], sinceTimeUs: number): void => {
    const times = { venueTimeUs: undefined, receivedTimeUs: sinceTimeUs };
    const row: StatusRow = { ...times, channel: "trades", state, reason: "r", sinceTimeUs };
    news("status", { kind: "statuses", rows: [row] });
  };
  const trade = (...trades: readonly TradeRow[]): void =>
    news("trades", { kind: "trades", rows: trades });
  const lastOf = (intervalMs: number): Candle | undefined => {
    feed.tell(true);
    return told.findLast((candle) => candle.intervalMs === intervalMs);
  };
  listeners.get("trades")?.onStart?.({ epoch: 4, sequence: 100 });
  const loss = (): void => listeners.get("trades")?.onLoss();
  return {
    clock,
    feed,
    told,
    statuses,
    asked,
    settle,
    advance,
    news,
    live,
    trade,
    lastOf,
    loss,
    listeners,
  };
}

function trade(atUs: number, price = 10, historical = false): TradeRow {
  return {
    venueTimeUs: START_US + atUs,
    receivedTimeUs: START_US + atUs,
    priceMantissa: price,
    priceScale: 0,
    sizeMantissa: 1,
    sizeScale: 0,
    aggressorSide: "buyer",
    tradeId: "",
    historical,
  };
}

function keptTrade(sequence: number, atUs: number, price = "10"): TradeMessage {
  return {
    sequence,
    venueTimeUs: START_US + atUs,
    receivedTimeUs: START_US + atUs,
    price,
    size: "1",
    aggressorSide: "AGGRESSOR_SIDE_BUYER",
    tradeId: "",
    historical: false,
  };
}

function minute(openTimeUs: number): CandleMessage {
  return {
    intervalMs: 60_000,
    openTimeUs,
    open: "5",
    high: "20",
    low: "4",
    close: "6",
    volume: "2",
    quoteVolume: "12",
    tradeCount: 2,
    closed: true,
    built: undefined,
    incomplete: undefined,
  };
}

/** All minutes of the range. */
const wholeMinutes = (fromUs: number, toUs: number): SourceCandles => ({
  candles: Array.from({ length: (toUs - fromUs) / MINUTE_US }, (_, index) =>
    minute(fromUs + index * MINUTE_US),
  ),
  nextPageToken: "",
  keptFromTimeUs: fromUs,
});

test("trades that are kept are counted before those that came meanwhile, each once", async () => {
  const kept = [keptTrade(98, -3 * SECOND_US, "7"), keptTrade(100, -2 * SECOND_US, "8")];
  // One that the stream brings as well.
  const {
    live,
    trade: stream,
    settle,
    lastOf,
  } = await create({
    kept: [...kept, keptTrade(101, SECOND_US / 2)],
  });
  live("live", START_US - 60 * SECOND_US);
  stream(trade(SECOND_US / 2));
  await settle();
  expect(lastOf(HOUR_MS)).toMatchObject({
    open: "7",
    close: "10",
    volume: "3",
    tradeCount: 3,
    incomplete: true,
  });
});

test("an hour that had begun is made whole by the venue's own minutes", async () => {
  const {
    asked,
    live,
    trade: stream,
    settle,
    advance,
    lastOf,
  } = await create({
    kept: [keptTrade(100, -2 * SECOND_US)],
    minutes: wholeMinutes,
  });
  live("live", START_US - 60 * SECOND_US);
  await settle();
  stream(trade(10 * SECOND_US, 9));
  expect(lastOf(HOUR_MS)).toMatchObject({ incomplete: true, volume: "2" });
  await advance(20);
  // From the hour's beginning to the first whole minute of which every trade is known.
  expect(asked).toEqual([{ fromTimeUs: START_US - 30 * MINUTE_US, toTimeUs: START_US }]);
  expect(lastOf(HOUR_MS)).toMatchObject({
    incomplete: false,
    open: "5",
    high: "20",
    low: "4",
    close: "9",
    volume: "61",
    tradeCount: 61,
  });
});

test("a part of the venue's minutes mends nothing", async () => {
  const {
    live,
    settle,
    advance,
    trade: stream,
    lastOf,
    asked,
  } = await create({
    kept: [],
    minutes: (fromUs, toUs) => ({ ...wholeMinutes(fromUs, toUs), keptFromTimeUs: fromUs + 1 }),
  });
  live("live", START_US);
  await settle();
  stream(trade(70 * SECOND_US));
  await advance(200);
  expect(asked).toHaveLength(3);
  expect(lastOf(HOUR_MS)).toMatchObject({ incomplete: true, volume: "1" });
});

test("candles about a loss are marked, and those behind it are not", async () => {
  const { live, settle, trade: stream, told, feed, loss, clock } = await create({ kept: [] });
  live("live", START_US);
  await settle();
  stream(trade(10 * SECOND_US), trade(12 * SECOND_US));
  clock.advance(14_000);
  loss();
  stream(trade(15 * SECOND_US), trade(17 * SECOND_US));
  clock.advance(10_000);
  feed.tell(true);
  const seconds = told.filter(({ intervalMs }) => intervalMs === 1_000);
  const marks = new Map(
    seconds.map((each) => [(each.openTimeUs - START_US) / SECOND_US, each.incomplete]),
  );
  expect(Object.fromEntries(marks)).toEqual({ 10: false, 12: true, 15: true, 17: false });
});

test("while the venue's trades are not live, what comes is marked", async () => {
  const { live, settle, trade: stream, told, feed, clock } = await create({ kept: [] });
  live("live", START_US);
  await settle();
  stream(trade(10 * SECOND_US));
  clock.advance(11_000);
  live("down", START_US + 11 * SECOND_US);
  clock.advance(9_000);
  live("live", START_US + 20 * SECOND_US);
  stream(trade(21 * SECOND_US), trade(23 * SECOND_US));
  clock.advance(10_000);
  feed.tell(true);
  const marks = told
    .filter(({ intervalMs, closed }) => intervalMs === 1_000 && closed)
    .map((each) => [(each.openTimeUs - START_US) / SECOND_US, each.incomplete]);
  expect(marks).toEqual([
    [10, true],
    [21, true],
    [23, false],
  ]);
});

test("old trades that a venue sends on subscribing are not counted", async () => {
  const { live, settle, trade: stream, lastOf } = await create({ kept: [] });
  live("live", START_US);
  await settle();
  stream(trade(SECOND_US, 3, true), trade(2 * SECOND_US, 4));
  expect(lastOf(HOUR_MS)).toMatchObject({ low: "4", tradeCount: 1 });
});

test("the venue's own candles pass, and say that they are its own", async () => {
  const { news, told } = await create();
  const times = { venueTimeUs: 7, receivedTimeUs: 8 };
  const row = { ...times, ...minute(START_US) };
  news("candles", { kind: "candles", rows: [row, { ...row, intervalMs: 300_000 }] });
  expect(told).toMatchObject([{ instrument: INSTRUMENT, intervalMs: 60_000, built: false }]);
});

test.each([-1, 0, 1])("so many trades wait for those before them (limit %i)", async (more) => {
  let answer = (): void => undefined;
  const waiting = new Promise<undefined>((resolve) => (answer = () => resolve(undefined)));
  const made = await create();
  const { feed, listeners, settle } = made;
  feed.close();
  const clock = new ManualClock(START_US);
  const parts = {
    reader: {
      read: ({ channel }: Topic, listener: TopicListener) => {
        listeners.set(channel, listener);
        return { isLive: true, end: () => undefined };
      },
    },
    queries: { trades: () => waiting, candles: () => Promise.resolve(undefined) },
    logged: undefined,
    clock,
    source: SOURCE,
    instrument: INSTRUMENT,
    channels: new Set(["trades"] as const),
    intervalsMs: { built: [HOUR_MS], native: [] },
    hasMinutes: false,
    graceMs: 0,
    counters: createBuilderCounters(),
    emit: () => undefined,
  };
  const waits = new CandleFeed(parts);
  listeners.get("trades")?.onStart?.({ epoch: 4, sequence: 0 });
  const rows = Array.from({ length: HELD_TRADES_MAX + more }, () => trade(SECOND_US));
  listeners.get("trades")?.onNews({ kind: "trades", rows }, 0);
  expect(parts.counters.trades).toBe(more > 0 ? HELD_TRADES_MAX + more : 0);
  answer();
  await settle();
  expect(parts.counters.trades).toBe(HELD_TRADES_MAX + more);
  waits.close();
});

/** A log that has these trades, and says since when they are all. */
function loggedOf(sinceUs: number | undefined, ...trades: readonly TradeRow[]) {
  const wanted: { fromUs: number; until: { epoch: number; sequence: number } }[] = [];
  const logged: Pick<LoggedTrades, "read"> = {
    read: (_topic, { fromUs, until, take }) => {
      wanted.push({ fromUs, until });
      take(trades);
      return Promise.resolve(sinceUs);
    },
  };
  return { logged, wanted };
}

test("after a restart candles under way are whole by what the stream log has", async () => {
  const hourUs = START_US - 30 * MINUTE_US;
  const { logged, wanted } = loggedOf(hourUs, trade(-20 * MINUTE_US, 30), trade(-MINUTE_US, 20));
  const kept = [keptTrade(100, -100_000, "10")];
  const { settle, live, lastOf, told } = await create({ kept, logged, hasMinutes: false });
  live("live", hourUs - MINUTE_US);
  await settle();
  expect(wanted).toEqual([{ fromUs: hourUs, until: { epoch: 4, sequence: 99 } }]);
  expect(lastOf(HOUR_MS)).toMatchObject({ tradeCount: 3, high: "30", incomplete: false });
  // Candles that were over long before are not told anew.
  const seconds = told.filter(({ intervalMs }) => intervalMs === 1_000);
  expect(seconds.map(({ tradeCount }) => tradeCount)).toEqual([1]);
});

test("where venues tell their minutes, the log is read for short candles alone", async () => {
  const { logged, wanted } = loggedOf(undefined);
  await create({ kept: [keptTrade(100, 5_000)], logged, native: [] });
  for (let task = 0; task < 10; task += 1) await Promise.resolve();
  expect(wanted[0]?.fromUs).toBe(START_US - 2 * SECOND_US);
});

test("what the log does not have whole leaves the mark, as does a loss while it is read", async () => {
  const partly = loggedOf(START_US - 10 * MINUTE_US, trade(-9 * MINUTE_US));
  const one = await create({ logged: partly.logged, hasMinutes: false });
  one.live("live", START_US - 40 * MINUTE_US);
  await one.settle();
  expect(one.lastOf(HOUR_MS)).toMatchObject({ incomplete: true });
  const whole = loggedOf(START_US - 30 * MINUTE_US, trade(-9 * MINUTE_US));
  const other = await create({ logged: whole.logged, hasMinutes: false });
  other.live("live", START_US - 40 * MINUTE_US);
  other.loss();
  await other.settle();
  expect(other.lastOf(HOUR_MS)).toMatchObject({ incomplete: true });
});

test("what is said of the trades is said of their candles", async () => {
  const { live, statuses, settle } = await create();
  live("live", START_US);
  live("gap", START_US + SECOND_US);
  await settle();
  expect(statuses.map(({ channel, state, sinceTimeUs }) => [channel, state, sinceTimeUs])).toEqual([
    ["candles", "live", START_US],
    ["candles", "gap", START_US + SECOND_US],
  ]);
});
