import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Instrument } from "#core/instrument.ts";
import type { Trade } from "#core/market-event.ts";
import {
  EventMatcher,
  OVERLAP_MS_MIN,
  PENDING_AGE_MS_MAX,
  PendingBudget,
} from "./event-matcher.ts";

const instrument = { venue: "fake", symbol: "A-USD" } as Instrument;

function trade(tradeId: string, part: Partial<Trade> = {}): Trade {
  return {
    kind: "trade",
    instrument,
    venueTimeUs: 1,
    receivedTimeUs: 2,
    priceMantissa: 15,
    priceScale: 1,
    sizeMantissa: 2,
    sizeScale: 0,
    aggressorSide: "buyer",
    tradeId,
    historical: false,
    ...part,
  } as Trade;
}

function create(limits?: { pendingMax: number; aheadMax: number }, eventsMax = 1_000) {
  const budget = new PendingBudget({ eventsMax });
  return { budget, matcher: new EventMatcher(budget, limits) };
}

const idsOf = (matcher: EventMatcher) =>
  matcher.takePending().map((event) => (event as Trade).tradeId);

test("what is left is what the leader did not publish, in the order in which it came", () => {
  const { matcher, budget } = create();
  for (const id of ["1", "2", "3", "4"]) matcher.own(trade(id), Number(id), true);
  for (const id of ["2", "1"]) matcher.published(trade(id), 5);
  expect(idsOf(matcher)).toEqual(["3", "4"]);
  expect(budget.events).toBe(0);
});

test("whichever feed is ahead, nothing is missing and nothing comes twice", () => {
  const feeds = fc.tuple(fc.nat(30), fc.nat(30), fc.array(fc.boolean(), { maxLength: 80 }));
  fc.assert(
    fc.property(feeds, ([own, published, turns]) => {
      const { matcher } = create();
      let [ours, theirs] = [0, 0];
      const step = (isOurs: boolean): void => {
        if (isOurs && ours < own) matcher.own(trade(String((ours += 1))), 1, true);
        if (!isOurs && theirs < published) matcher.published(trade(String((theirs += 1))), 1);
      };
      for (const isOurs of turns) step(isOurs);
      while (ours < own) step(true);
      while (theirs < published) step(false);
      const pending = idsOf(matcher).map(Number);
      // What was published, then what is pending, then what our feed brings later.
      const after: number[] = [];
      for (let id = own + 1; id <= 31; id += 1) {
        if (!matcher.isRepeated(trade(String(id)), 1)) after.push(id);
      }
      const all = [...Array.from({ length: published }, (_, index) => index + 1), ...pending];
      expect([...all, ...after]).toEqual(Array.from({ length: 31 }, (_, index) => index + 1));
    }),
  );
});

test("without an id the content tells, whatever scale a decimal came with, and how often", () => {
  const { matcher } = create();
  for (let count = 0; count < 3; count += 1) matcher.own(trade(""), 1, true);
  matcher.published(trade("", { priceMantissa: 150, priceScale: 2 }), 2);
  matcher.published(trade("", { priceMantissa: 151, priceScale: 2 }), 2);
  expect([matcher.pendingCount, matcher.aheadCount]).toEqual([2, 1]);
});

test("what our feed brings late, of before the leader is heard, was published unheard", () => {
  const { matcher, budget } = create();
  const at = (id: number) => trade(String(id), { venueTimeUs: id * 100 });
  matcher.own(at(5), 1, true);
  matcher.begin(10);
  matcher.own(at(7), 11, true);
  matcher.own(at(12), 12, true);
  matcher.published(at(11), 13);
  matcher.own(at(8), 14, true);
  matcher.own(at(11), 15, true);
  matcher.own(at(13), 16, true);
  expect(budget.events).toBe(2);
  expect(idsOf(matcher)).toEqual(["12", "13"]);
});

describe("it is proven", () => {
  test("when both feeds were whole for long enough before the leader's last word, not before", () => {
    const { matcher } = create();
    expect(matcher.isProven(1e9)).toBe(false);
    matcher.live(100);
    expect(matcher.isProven(100 + OVERLAP_MS_MIN - 1)).toBe(false);
    expect(matcher.isProven(100 + OVERLAP_MS_MIN)).toBe(true);
  });

  test.each([
    ["41", "40", true],
    ["41", "41", true],
    ["41", "90", true],
    ["42", "40", false],
    // Longer than any number of a computer, and with a zero in front.
    ["100000000000000000000000002", "0100000000000000000000000001", true],
    ["100000000000000000000000003", "100000000000000000000000001", false],
    ["a41", "a40", false],
    ["", "40", false],
  ])("by ids: our feed begins with %s, and the leader ended with %s: %s", (first, last, is) => {
    const { matcher } = create();
    matcher.own(trade("7"), 1, true);
    matcher.live(100);
    expect(matcher.isProven(101, trade(last))).toBe(false);
    matcher.own(trade(first), 101, true);
    matcher.own(trade("99999999999999999999999999999"), 102, true);
    expect(matcher.isProven(102, trade(last))).toBe(is);
    expect(matcher.isProven(102)).toBe(false);
    // What a venue repeats of the past says nothing of where our feed began.
    matcher.interrupted();
    matcher.live(103);
    matcher.own(trade("1", { historical: true }), 104, true);
    expect(matcher.isProven(104, trade(last))).toBe(false);
  });

  test("not across a hole in our feed, or in what was heard of the leader", () => {
    const { matcher } = create();
    matcher.live(100);
    matcher.begin(5_000);
    expect(matcher.isProven(5_000 + OVERLAP_MS_MIN - 1)).toBe(false);
    expect(matcher.isProven(5_000 + OVERLAP_MS_MIN)).toBe(true);
    matcher.interrupted();
    expect(matcher.isProven(1e9)).toBe(false);
  });

  test("not while an event cannot be told from another", () => {
    const { matcher } = create();
    matcher.live(100);
    matcher.own(trade("", { venueTimeUs: undefined }), 9_000, true);
    expect(matcher.isProven(9_000 + OVERLAP_MS_MIN - 1)).toBe(false);
    expect(matcher.pendingCount).toBe(0);
  });
});

test("old trades that a venue repeats are taken only where nobody leads", () => {
  const { matcher } = create();
  matcher.own(trade("1", { historical: true }), 1, true);
  expect(matcher.pendingCount).toBe(0);
  matcher.own(trade("1", { historical: true }), 1, false);
  expect(matcher.pendingCount).toBe(1);
});

test.each([
  { count: 2, kept: 2, dropped: 0 },
  { count: 3, kept: 3, dropped: 0 },
  { count: 4, kept: 3, dropped: 1 },
])("of $count events $kept are kept where 3 may be, and the rest is counted", (round) => {
  for (const { matcher } of [create({ pendingMax: 3, aheadMax: 3 }), create(undefined, 3)]) {
    matcher.live(0);
    for (let id = 1; id <= round.count; id += 1) matcher.own(trade(String(id)), 10_000, true);
    expect([matcher.pendingCount, matcher.takeDropped()]).toEqual([round.kept, round.dropped]);
    expect(matcher.takeDropped()).toBe(0);
    expect(matcher.isProven(10_000)).toBe(round.dropped === 0);
  }
});

test("what the leader has not published for long it does not have, if it was heard since", () => {
  const { matcher, budget } = create();
  matcher.own(trade("1"), 0, true);
  matcher.own(trade("2"), PENDING_AGE_MS_MAX, true);
  matcher.published(trade("8"), PENDING_AGE_MS_MAX);
  matcher.own(trade("3"), PENDING_AGE_MS_MAX * 2, true);
  expect(matcher.pendingCount).toBe(3);
  matcher.published(trade("9"), PENDING_AGE_MS_MAX + 1);
  matcher.own(trade("4"), PENDING_AGE_MS_MAX * 2, true);
  expect([matcher.pendingCount, matcher.takeDropped(), budget.events]).toEqual([3, 1, 3]);
  matcher.close();
  expect(budget.events).toBe(0);
});

test("what came while the leader could not be heard is kept, however long that was", () => {
  const { matcher } = create();
  matcher.live(0);
  matcher.begin(0);
  matcher.own(trade("1"), 1_000, true);
  matcher.published(trade("1"), 1_001);
  // The bus is gone, and the leader with it, until long after.
  matcher.own(trade("2"), 2_000, true);
  matcher.own(trade("3"), 2_000 + PENDING_AGE_MS_MAX * 2, true);
  expect(matcher.isProven(1_001, trade("1"))).toBe(true);
  expect(matcher.takePending().map((event) => (event as Trade).tradeId)).toEqual(["2", "3"]);
});
