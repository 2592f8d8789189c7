import { setImmediate as nextTurn } from "node:timers/promises";
import { GetSnapshotRequestCodec } from "@tickwire/proto/service";
import type { GetSnapshotResponse } from "@tickwire/proto/service";
import { expect, test } from "vitest";
import type { Bus } from "#bus/bus.ts";
import type { MarketEvent } from "#core/market-event.ts";
import { encodeQueryReply, encodeSnapshotReply } from "#wire/bus-codec.ts";
import { encodeState } from "#wire/event-codec.ts";
import { ManualClock } from "#test/support/manual-clock.ts";
import { ANYBODY, somebody } from "#test/support/principals.ts";
import { Registry } from "prom-client";
import { createAccessMetrics } from "../access/access-metrics.ts";
import { Looks } from "../access/looks.ts";
import type { Catalog } from "../catalog/catalog.ts";
import { Turns } from "../turns/turns.ts";
import { getSnapshot } from "./get-snapshot.ts";
import { VenueGates } from "./ingestor-query.ts";

const INSTRUMENT = { venue: "v", symbol: "A-USD", channels: ["CHANNEL_BOOK"] };

/** The answer for a book of so many levels a side, what it cost, and the turns that it took. */
async function ask(
  levels: number,
  depth = 0,
  principal = ANYBODY,
  looks: Pick<Looks, "take"> = { take: () => 0 },
) {
  const numbers = Array.from({ length: levels }, (_, index) => index + 1);
  const side = { prices: numbers, sizes: numbers };
  const times = { venueTimeUs: 1, receivedTimeUs: 2 };
  const scales = { priceScale: 1, sizeScale: 0 };
  const book = { kind: "book", ...times, ...scales, snapshot: true, bids: side, asks: side };
  const at = { channel: "book", epoch: 4, sequence: 9 } as const;
  const state = encodeState(at, [book as unknown as MarketEvent], 1);
  const parts = {
    catalog: {
      find: () => INSTRUMENT,
      publisherOf: () => ({ publisherId: "p", epoch: 4 }),
    } as unknown as Catalog,
    bus: {
      request: () => Promise.resolve(encodeQueryReply(encodeSnapshotReply(state))),
    } as unknown as Bus,
    queryTimeoutMs: 1,
    gates: new VenueGates(),
    looks,
  };
  let nowUs = 0;
  const ends: (() => void)[] = [];
  const turns = new Turns({
    // Each look at the clock takes longer than a slice.
    clock: { nowUs: () => 0, monotonicUs: () => (nowUs += 300), after: () => () => {} },
    scheduler: { endOfTurn: (callback) => void ends.push(callback) },
  });
  let spent = 0;
  const spend = (requests: number): void => void (spent += requests);
  const { signal } = new AbortController();
  const request = { ...GetSnapshotRequestCodec.decode(new Uint8Array(0)), venue: "v", depth };
  let answer: GetSnapshotResponse | undefined;
  const context = { line: turns.open(), spend, signal, principal };
  const asking = getSnapshot(parts, { ...request, symbol: "A-USD" }, context);
  let refusal: unknown;
  asking.then(
    (it) => (answer = it),
    (error: unknown) => (refusal = error),
  );
  let taken = 0;
  while (answer === undefined) {
    await nextTurn();
    for (const end of ends.splice(0)) end();
    if (refusal !== undefined) throw refusal;
    taken += 1;
  }
  return { answer, spent, taken };
}

test("a book has the levels that are asked for, best first", async () => {
  const { answer } = await ask(5, 2);
  expect(answer.book).toMatchObject({
    sequence: 9,
    bids: [
      { price: "0.1", size: "1" },
      { price: "0.2", size: "2" },
    ],
  });
  expect((await ask(5)).answer.book?.asks).toHaveLength(5);
});

test.each([
  [100, 0, 1],
  [249, 0, 1],
  [250, 0, 2],
  [10_000, 0, 41],
  [10_000, 10, 1],
  [30_000, 0, 101],
])("a book of %d levels a side at depth %d costs %d requests more", async (levels, depth, cost) => {
  expect((await ask(levels, depth)).spent).toBe(cost);
});

test("a book of very many levels is written in turns", async () => {
  const [small, large] = [await ask(100), await ask(20_000)];
  expect(large.answer.book?.bids).toHaveLength(20_000);
  expect(large.taken - small.taken).toBeGreaterThan(20);
});

test("a book is no deeper than the client may have it, and not to be had by whoever gets it later", async () => {
  const { answer } = await ask(50, 0, somebody([{ topics: ["*:*/book"], depthMax: 7 }]));
  expect(answer.book?.bids).toHaveLength(7);
  expect(
    (await ask(50, 3, somebody([{ topics: ["*:*/book"], depthMax: 7 }]))).answer.book?.bids,
  ).toHaveLength(3);
  const signal = new AbortController().signal;
  const late = somebody([{ topics: ["*:*/book"], delayMs: 1 }]);
  const parts = { catalog: { find: () => INSTRUMENT } } as never;
  const context = { signal, principal: late } as never;
  const request = { venue: "v", symbol: "A-USD", depth: 0 };
  await expect(getSnapshot(parts, request, context)).rejects.toMatchObject({
    code: "permission_denied",
  });
});

test("a book that comes at an interval is not seen more often by asking again and again", async () => {
  const clock = new ManualClock();
  const looks = new Looks({ clock, metrics: createAccessMetrics(new Registry()) });
  const slow = somebody([{ topics: ["*:*/book"], intervalMsMin: 500 }]);
  for (let count = 0; count < 4; count += 1) await ask(3, 0, slow, looks);
  await expect(ask(3, 0, slow, looks)).rejects.toMatchObject({
    code: "resource_exhausted",
    detail: { reason: "INTERVAL", retryAfterMs: 500 },
  });
  clock.advance(500);
  expect((await ask(3, 0, slow, looks)).answer.book?.sequence).toBe(9);
  // Whoever may have every event asks as often as his requests allow.
  for (let count = 0; count < 10; count += 1) await ask(3, 0, ANYBODY, looks);
});
