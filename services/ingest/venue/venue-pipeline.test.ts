import { describe, expect, test } from "vitest";
import { InvariantError } from "#core/assert.ts";
import type { MarketEvent, Trade } from "#core/market-event.ts";
import { createFakeAdapter, fakeInstrument } from "#test/support/fake-feed.ts";
import type { FakeAdapterOptions } from "#test/support/fake-feed.ts";
import type { RawBook } from "../feed/feed-adapter.ts";
import { createVenueCounters } from "./venue-counters.ts";
import { VenuePipeline } from "./venue-pipeline.ts";

const A = fakeInstrument("A");
const B = fakeInstrument("B");
/** After the first of the venue times that are possible at all. */
const START_US = 1_700_000_000_000_000;

function create(options: FakeAdapterOptions = {}) {
  const events: MarketEvent[] = [];
  const demands: string[] = [];
  const counters = createVenueCounters();
  const pipeline = new VenuePipeline({
    adapter: createFakeAdapter(options),
    bookDepth: 10,
    limits: { bufferedDeltasMax: 10, recentTradeIdsMax: 10 },
    counters,
    emit: (event) => events.push(event),
    demand: ({ kind, instrument, reason }) =>
      demands.push(`${kind} ${instrument.symbol} ${reason}`),
  });
  /** `book live synchronized 5` with the time since the start, for each change of state. */
  const states = () =>
    events.flatMap((event) =>
      event.kind === "status"
        ? [`${event.channel} ${event.state} ${event.reason} ${event.sinceTimeUs - START_US}`]
        : [],
    );
  const kinds = () => events.map(({ kind }) => kind).filter((kind) => kind !== "status");
  return { pipeline, counters, events, demands, states, kinds };
}

function book(update: {
  readonly first?: number;
  readonly last: number;
  readonly snapshot?: boolean;
  readonly price?: number;
  readonly instrument?: typeof A;
}): RawBook {
  const { first = update.last, last, snapshot = false, price = 100, instrument = A } = update;
  return {
    kind: "raw-book",
    instrument,
    venueTimeUs: undefined,
    receivedTimeUs: START_US,
    snapshot,
    source: snapshot ? "rest" : "in-band",
    firstUpdateId: first,
    lastUpdateId: last,
    previousUpdateId: undefined,
    checksum: undefined,
    priceScale: 0,
    sizeScale: 0,
    bids: { prices: [price], sizes: [1] },
    asks: { prices: [], sizes: [] },
  };
}

function trade(tradeId: string, rest: Partial<Trade> = {}): Trade {
  return {
    kind: "trade",
    instrument: A,
    venueTimeUs: START_US,
    receivedTimeUs: START_US,
    tradeId,
    historical: false,
    priceMantissa: 100,
    priceScale: 0,
    sizeMantissa: 1,
    sizeScale: 0,
    aggressorSide: "buyer",
    ...rest,
  };
}

describe("a snapshot is demanded", () => {
  test("by the first delta of a book, once, and again when a number is missing", () => {
    const { pipeline, demands, kinds, states } = create();
    pipeline.onData(book({ last: 5 }), START_US);
    pipeline.onData(book({ last: 6 }), START_US + 1);
    expect(demands).toEqual(["need-snapshot A start"]);
    expect(pipeline.onSnapshot(book({ last: 5, snapshot: true }), START_US + 2)).toBe(true);
    expect(kinds()).toEqual(["book", "book"]);
    pipeline.onData(book({ last: 8 }), START_US + 3);
    expect(demands).toEqual(["need-snapshot A start", "need-snapshot A sequence-gap"]);
    expect(states()).toEqual([
      "book syncing start 0",
      "book live synchronized 2",
      "book gap sequence-gap 3",
      "book resyncing sequence-gap 3",
    ]);
  });

  test("by a damaged message, of the book that it belongs to and no other", () => {
    const { pipeline, demands } = create();
    for (const instrument of [A, B]) {
      pipeline.onData(book({ last: 5, instrument }), START_US);
      pipeline.onSnapshot(book({ last: 5, snapshot: true, instrument }), START_US);
    }
    demands.length = 0;
    pipeline.onRejected({ reason: "bad-json", instrument: B, channel: "book" }, START_US);
    expect(demands).toEqual(["need-snapshot B damaged-message"]);
    expect(pipeline.liveBookOf(A)).toBeDefined();
    expect(pipeline.liveBookOf(B)).toBeUndefined();
  });

  test("for a book whose very first message was damaged", () => {
    const { pipeline, demands } = create({ snapshot: "in-band" });
    pipeline.onRejected({ reason: "bad-decimal", instrument: A, channel: "book" }, START_US);
    expect(demands).toEqual(["need-snapshot A damaged-message"]);
  });

  test("for nothing that is damaged elsewhere", () => {
    const { pipeline, demands, counters } = create();
    pipeline.onRejected({ reason: "bad-json" }, START_US);
    pipeline.onRejected({ reason: "bad-decimal", instrument: A, channel: "trades" }, START_US);
    expect(demands).toEqual([]);
    expect(counters.rejected).toEqual({ "bad-json": 1, "bad-decimal": 1 });
  });

  test("for the live books that nothing numbers, when anything may have been lost", () => {
    const { pipeline, demands } = create({ snapshotBySymbol: { A: "in-band", B: "rest" } });
    pipeline.onData({ ...book({ last: 5, snapshot: true }), source: "in-band" }, START_US);
    pipeline.onData(book({ last: 5, instrument: B }), START_US);
    pipeline.onSnapshot(book({ last: 5, snapshot: true, instrument: B }), START_US);
    demands.length = 0;
    pipeline.resyncUnnumbered("damaged-message", START_US);
    expect(demands).toEqual(["need-snapshot A damaged-message"]);
  });
});

describe("a snapshot that was asked for", () => {
  test("and breaks the rules is counted, and changes nothing", () => {
    const { pipeline, demands, counters, kinds } = create();
    pipeline.onData(book({ last: 5 }), START_US);
    const bad = book({ last: 5, snapshot: true, price: -1 });
    expect(pipeline.onSnapshot(bad, START_US)).toBe(false);
    expect(counters.rejected).toEqual({ "non-positive-price": 1 });
    expect(demands).toEqual(["need-snapshot A start"]);
    expect(kinds()).toEqual([]);
  });

  test("is one: a delta in its place is a bug", () => {
    const { pipeline } = create();
    expect(() => pipeline.onSnapshot(book({ last: 5 }), START_US)).toThrow(InvariantError);
  });
});

describe("what a venue did not deliver", () => {
  test("a hole in the trade ids is told on the trades channel, at its time, and counted", () => {
    const { pipeline, counters, states } = create();
    const live = { channel: "trades", state: "live", reason: "data" } as const;
    pipeline.onChannelState({ instrument: A, ...live }, START_US + 1);
    const hole = { reason: "missing-data", instrument: A, channel: "trades" } as const;
    pipeline.onRejected(hole, START_US + 2);
    expect(states()).toEqual([
      "trades live data 1",
      "trades gap missing-data 2",
      "trades live data-resumed 2",
    ]);
    expect(counters.gaps).toBe(1);
    expect(counters.rejected["missing-data"]).toBe(1);
  });

  test("a rejected trade is no hole", () => {
    const { pipeline, counters, states } = create();
    pipeline.onRejected({ reason: "bad-decimal", instrument: A, channel: "trades" }, START_US);
    expect(states()).toEqual([]);
    expect(counters.gaps).toBe(0);
  });
});

test("a lost connection takes the book down; that data flows again does not bring it back", () => {
  const { pipeline, states } = create();
  const channel = { instrument: A, channel: "book" } as const;
  pipeline.onChannelState({ ...channel, state: "live", reason: "data" }, START_US);
  expect(states()).toEqual([]);
  pipeline.onData(book({ last: 5 }), START_US);
  pipeline.onSnapshot(book({ last: 5, snapshot: true }), START_US);
  pipeline.onChannelState({ ...channel, state: "down", reason: "disconnected" }, START_US + 7);
  pipeline.onChannelState({ ...channel, state: "live", reason: "subscribed" }, START_US + 8);
  expect(states().at(-1)).toBe("book down disconnected 7");
  expect(pipeline.liveBookOf(A)).toBeUndefined();
});

test("a trade that comes twice leaves once, history is counted, an impossible time left out", () => {
  const { pipeline, counters, events } = create();
  pipeline.onData(trade("1", { historical: true }), START_US);
  pipeline.onData(trade("2", { venueTimeUs: 0 }), START_US);
  pipeline.onData(trade("1"), START_US);
  pipeline.onData(trade("3", { sizeMantissa: 0 }), START_US);
  const left = events.filter((event) => event.kind === "trade");
  expect(left.map(({ tradeId, venueTimeUs }) => [tradeId, venueTimeUs])).toEqual([
    ["1", START_US],
    ["2", undefined],
  ]);
  expect(counters).toMatchObject({
    events: { trade: 2 },
    duplicateTrades: 1,
    historicalTrades: 1,
    badTimes: 1,
    rejected: { "non-positive-size": 1 },
  });
});

test("the same input gives the same output: nothing but the arguments is read", () => {
  const run = () => {
    const { pipeline, events, demands } = create();
    for (let last = 5; last < 12; last += last === 8 ? 2 : 1) {
      pipeline.onData(book({ last, price: last }), START_US + last);
      if (last === 6) pipeline.onSnapshot(book({ last: 5, snapshot: true }), START_US + last);
    }
    return JSON.stringify([events, demands]);
  };
  expect(run()).toBe(run());
});
