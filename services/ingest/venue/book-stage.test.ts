import { expect, test } from "vitest";
import { fakeInstrument } from "#test/support/fake-feed.ts";
import type { BookSync, RawBook } from "../feed/feed-adapter.ts";
import { BookStage } from "./book-stage.ts";

const A = fakeInstrument("A");
const B = fakeInstrument("B");

const NUMBERED: BookSync = {
  snapshot: "rest",
  sequencing: {
    isCovered: (delta, id) => (delta.lastUpdateId ?? Infinity) <= id,
    bridges: (delta, id) => delta.firstUpdateId === id + 1,
    follows: (delta, id) => delta.firstUpdateId === id + 1,
  },
};

function create() {
  const log: string[] = [];
  const counters = { gaps: 0, resyncs: 0, checksumsPassed: 0, checksumsFailed: 0 };
  const stage = new BookStage({
    syncOf: () => NUMBERED,
    bufferedDeltasMax: 10,
    counters,
    onEvent: ({ instrument, snapshot }) =>
      log.push(`${instrument.symbol} ${snapshot ? "snapshot" : "delta"}`),
    onDelta: ({ instrument }) => log.push(`${instrument.symbol} delta`),
    onState: ({ instrument, state, reason }, nowUs) =>
      log.push(`${instrument.symbol} ${state} ${reason} at ${nowUs}`),
    onNeedSnapshot: ({ symbol }, reason) => log.push(`${symbol} needs ${reason}`),
  });
  const take = (): string[] => log.splice(0);
  return { stage, counters, take };
}

function book(last: number, options: { readonly snapshot?: boolean; readonly of?: typeof A } = {}) {
  const { snapshot = false, of = A } = options;
  return {
    kind: "raw-book",
    instrument: of,
    venueTimeUs: undefined,
    receivedTimeUs: last,
    snapshot,
    source: snapshot ? "rest" : "in-band",
    firstUpdateId: last,
    lastUpdateId: last,
    previousUpdateId: undefined,
    checksum: undefined,
    priceScale: 0,
    sizeScale: 0,
    bids: { prices: [last], sizes: [1] },
    asks: { prices: [], sizes: [] },
  } satisfies RawBook;
}

test("a book starts with a snapshot, goes on with deltas, and starts anew after a loss", () => {
  const { stage, counters, take } = create();
  stage.handle(book(6), 1);
  expect(take()).toEqual(["A syncing start at 1", "A needs start"]);
  stage.handle(book(5, { snapshot: true }), 2);
  expect(take()).toEqual(["A snapshot", "A live synchronized at 2", "A delta"]);
  stage.handle(book(8), 3);
  expect(take()).toEqual([
    "A gap sequence-gap at 3",
    "A resyncing sequence-gap at 3",
    "A needs sequence-gap",
  ]);
  stage.handle(book(9), 4);
  expect(take()).toEqual([]);
  stage.handle(book(7, { snapshot: true }), 5);
  expect(take()).toEqual(["A snapshot", "A live synchronized at 5", "A delta", "A delta"]);
  expect(counters).toMatchObject({ gaps: 1, resyncs: 1 });
});

test("what breaks one book does not touch another", () => {
  const { stage, take } = create();
  for (const of of [A, B]) {
    stage.handle(book(6, { of }), 1);
    stage.handle(book(5, { snapshot: true, of }), 1);
  }
  take();
  stage.resync(A, "damaged-message", 2);
  stage.handle(book(7, { of: B }), 3);
  expect(take().filter((text) => text.startsWith("B"))).toEqual(["B delta"]);
  expect([stage.isLive(A), stage.isLive(B)]).toEqual([false, true]);
  expect(stage.liveBookOf(A)).toBeUndefined();
  expect(stage.liveBookOf(B)?.bids().prices).toEqual([7, 6, 5]);
});

test("a book that was never seen is neither started anew nor taken down", () => {
  const { stage, take } = create();
  stage.resync(A, "damaged-message", 1);
  stage.reset(A, "disconnected", 1);
  expect(take()).toEqual([]);
  expect(stage.has(A)).toBe(false);
});

test("with its connection a book is gone, and the next message starts it anew", () => {
  const { stage, take } = create();
  stage.handle(book(6), 1);
  stage.handle(book(5, { snapshot: true }), 1);
  take();
  stage.reset(A, "disconnected", 2);
  expect(take()).toEqual(["A down disconnected at 2"]);
  stage.handle(book(9), 3);
  expect(take()).toEqual(["A resyncing disconnected at 3", "A needs disconnected"]);
});

test("books whose numbers show a loss are not started anew when anything may be lost", () => {
  const { stage, take } = create();
  stage.handle(book(6), 1);
  stage.handle(book(5, { snapshot: true }), 1);
  take();
  stage.resyncUnnumbered("damaged-message", 2);
  expect(take()).toEqual([]);
});
