import { BatchWriter } from "@tickwire/proto/codec";
import type { BusBatch } from "@tickwire/proto/codec";
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import { BusError } from "#bus/bus.ts";
import type { Bus } from "#bus/bus.ts";
import { fakeInstrument } from "#test/support/fake-feed.ts";
import {
  decodeHistoryRequest,
  encodeHistoryReply,
  encodeQueryError,
  encodeQueryReply,
} from "#wire/bus-codec.ts";
import { rowsOfEvents } from "#wire/event-codec.ts";
import { Turns } from "../turns/turns.ts";
import { queryHistory } from "./history-query.ts";
import { idleLine } from "#test/support/idle-line.ts";
import { QueryGate } from "../turns/query-gate.ts";

const NAME = { venue: "fake", symbol: "A-USD", channel: "trades" } as const;

/** One trade a batch, from sequence 1 on. */
function published(count: number, epoch = 4): BusBatch[] {
  const writer = new BatchWriter({ kind: "trades", epoch });
  return Array.from({ length: count }, (_, index) => {
    const numbers = { priceMantissa: 105, priceScale: 1, sizeMantissa: 2, sizeScale: 0 };
    const trade = {
      kind: "trade" as const,
      instrument: fakeInstrument("A-USD"),
      venueTimeUs: undefined,
      receivedTimeUs: 7,
      tradeId: `t-${index}`,
      historical: false,
      aggressorSide: "buyer" as const,
      ...numbers,
    };
    return writer.write(rowsOfEvents([trade]), { publishedTimeUs: 9 })[0]!;
  });
}

type Answer = (afterSequence: number) => Uint8Array;

const page = (batches: readonly BusBatch[], sequence: number): Uint8Array => {
  return encodeQueryReply(
    encodeHistoryReply(
      batches.map(({ bytes }) => bytes),
      sequence,
    ),
  );
};

async function ask(answer: Answer, options: { from?: number; wants?: number } = {}) {
  const { from = 0, wants = Infinity } = options;
  const asked: number[] = [];
  const taken: number[] = [];
  const bus = {
    request: async (subject: string, payload: Uint8Array) => {
      expect(subject).toBe("rq.v2.fake.p-1.history.trades.A-USD");
      const { epoch, afterSequence } = decodeHistoryRequest(payload);
      expect(epoch).toBe(4);
      asked.push(afterSequence);
      return answer(afterSequence);
    },
  } as unknown as Bus;
  const parts = { bus, gate: new QueryGate(1), limits: { queryTimeoutMs: 70 }, line: idleLine() };
  await queryHistory(parts, NAME, "p-1", {
    from: { epoch: 4, sequence: from },
    take: (batches) => {
      taken.push(...batches.map(({ baseSequence }) => baseSequence + 1));
      return taken.length < wants;
    },
  });
  return { asked, taken };
}

test("pages follow each other up to where the publisher stands", async () => {
  const batches = published(5);
  const answer: Answer = (after) => page(batches.slice(after, after + 2), 5);
  expect(await ask(answer)).toEqual({ asked: [0, 2, 4], taken: [1, 2, 3, 4, 5] });
  expect(await ask(answer, { from: 3 })).toEqual({ asked: [3], taken: [4, 5] });
  expect(await ask(answer, { wants: 1 })).toEqual({ asked: [0], taken: [1, 2] });
});

test("nothing follows where the publisher stands", async () => {
  expect(await ask(() => page([], 0))).toEqual({ asked: [0], taken: [] });
});

test("an answer of 64 pages is the longest", async () => {
  const batches = published(70);
  const { asked, taken } = await ask((after) => page(batches.slice(after, after + 1), 70));
  expect([asked.length, taken.length]).toEqual([64, 64]);
});

test.each<[string, Answer]>([
  ["a refusal", () => encodeQueryError({ code: "CODE_FAILED_PRECONDITION", message: "gone" })],
  [
    "no answer",
    () => {
      throw new BusError("request-timeout", "late");
    },
  ],
  ["what cannot be read", () => Uint8Array.of(0xff, 0xff)],
  [
    "a batch that cannot be read",
    () => encodeQueryReply(encodeHistoryReply([Uint8Array.of(1)], 1)),
  ],
  ["a hole", () => page(published(3).slice(1), 3)],
  ["another epoch", () => page(published(1, 5), 1)],
])("%s brings nothing, and nothing breaks", async (_what, answer) => {
  expect((await ask(answer)).taken).toEqual([]);
});

test("of many clients who come back, a turn checks a few pages and no more", async () => {
  const batches = published(3);
  const bus = { request: () => Promise.resolve(page(batches, 3)) } as unknown as Bus;
  let nowUs = 0;
  const ends: (() => void)[] = [];
  const turns = new Turns({
    // Each look at the clock takes 100 us.
    clock: { nowUs: () => 0, monotonicUs: () => (nowUs += 100), after: () => () => {} },
    scheduler: { endOfTurn: (callback) => void ends.push(callback) },
  });
  const limits = { queryTimeoutMs: 70 };
  const parts = { bus, gate: new QueryGate(100), limits, line: turns.open() };
  let checked = 0;
  const from = { epoch: 4, sequence: 0 };
  const take = () => (checked += 1) > 0;
  const all = Array.from({ length: 50 }, () => queryHistory(parts, NAME, "p-1", { from, take }));
  const perTurn: number[] = [];
  while (checked < all.length) {
    const before = checked;
    await nextTurn();
    for (const end of ends.splice(0)) end();
    await nextTurn();
    perTurn.push(checked - before);
  }
  expect(Math.max(...perTurn)).toBeLessThanOrEqual(20);
  expect(perTurn.length).toBeGreaterThan(2);
  await Promise.all(all);
});
