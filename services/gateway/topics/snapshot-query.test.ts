import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import { BusError } from "#bus/bus.ts";
import type { Bus } from "#bus/bus.ts";
import { encodeQueryError, encodeQueryReply, encodeSnapshotReply } from "#wire/bus-codec.ts";
import type { MarketEvent } from "#core/market-event.ts";
import { encodeState } from "#wire/event-codec.ts";
import { idleLine } from "#test/support/idle-line.ts";
import { Turns } from "../turns/turns.ts";
import { QueryGate } from "./query-gate.ts";
import { querySnapshot } from "./snapshot-query.ts";

const NAME = { venue: "fake", symbol: "A-USD", channel: "book" } as const;

function query(answer: () => Promise<Uint8Array>) {
  const asked: unknown[] = [];
  const bus = {
    request: (subject: string, _payload: Uint8Array, options: unknown) => {
      asked.push(subject, options);
      return answer();
    },
  } as unknown as Bus;
  const parts = { bus, gate: new QueryGate(1), limits: { queryTimeoutMs: 70 }, line: idleLine() };
  return { asked, outcome: querySnapshot(parts, NAME, "p-1") };
}

const QUOTES = encodeState({ channel: "quotes", epoch: 4, sequence: 9 }, [], 1);

test("asks the publisher that is followed for the topic, within queryTimeoutMs", async () => {
  const state = encodeState({ channel: "book", epoch: 4, sequence: 9 }, [], 1);
  const reply = encodeQueryReply(encodeSnapshotReply(state));
  const { asked, outcome } = query(() => Promise.resolve(reply));
  const answer = await outcome;
  expect(asked).toEqual(["rq.v2.fake.p-1.snapshot.book.A-USD", { timeoutMs: 70 }]);
  expect(answer).toMatchObject({
    kind: "ok",
    batches: [{ epoch: 4, baseSequence: 9, count: 0, bytes: state[0]!.bytes }],
  });
});

test.each([
  ["CODE_NOT_FOUND", "unknown"],
  ["CODE_UNAVAILABLE", "unavailable"],
  ["CODE_INTERNAL", "unavailable"],
] as const)("a refusal with %s is %s, in the ingestor's words", async (code, kind) => {
  const { outcome } = query(() => Promise.resolve(encodeQueryError({ code, message: "no A-USD" })));
  expect(await outcome).toEqual({ kind, message: "no A-USD" });
});

test.each(["no-responders", "request-timeout", "bus-closed"] as const)(
  "what the bus says (%s) stays inside: a client learns that nobody answers",
  async (code: BusError["code"]) => {
    const { outcome } = query(() => Promise.reject(new BusError(code, "rq.v2.fake: no")));
    const message = "the ingestor of fake does not answer";
    expect(await outcome).toEqual({ kind: "unavailable", message });
  },
);

test.each([
  ["the reply", Uint8Array.of(0xff, 0xff)],
  ["the snapshot in it", encodeQueryReply(Uint8Array.of(0xff, 0xff))],
  ["the batch in that", encodeQueryReply(Uint8Array.of(0x0a, 1, 0xff))],
  ["the list of batches", encodeQueryReply(Uint8Array.of())],
  ["the channel", encodeQueryReply(encodeSnapshotReply(QUOTES))],
])("an answer of which %s is damaged makes the topic unavailable", async (_, bytes) => {
  const { outcome } = query(() => Promise.resolve(bytes));
  const message = "the ingestor of fake gave an answer that cannot be read";
  expect(await outcome).toEqual({ kind: "unavailable", message });
});

test("a venue that nobody publishes has no state, and nobody is asked", async () => {
  const bus = { request: () => Promise.reject(new Error("asked")) } as unknown as Bus;
  const parts = { bus, gate: new QueryGate(1), limits: { queryTimeoutMs: 70 }, line: idleLine() };
  const message = "nobody publishes fake";
  expect(await querySnapshot(parts, NAME, undefined)).toEqual({ kind: "unavailable", message });
});

test("a bug of ours is not taken for an answer", async () => {
  const { outcome } = query(() => Promise.reject(new TypeError("undefined is not a function")));
  await expect(outcome).rejects.toThrow(TypeError);
});

test("a snapshot of very many levels is read in turns, and given whole", async () => {
  const numbers = Array.from({ length: 40_000 }, (_, index) => index + 1);
  const side = { prices: numbers, sizes: numbers };
  const instrument = { venue: "fake", symbol: "A-USD" };
  const times = { venueTimeUs: 1, receivedTimeUs: 1 };
  const book = { kind: "book", instrument, ...times, snapshot: true, priceScale: 0, sizeScale: 0 };
  const event = { ...book, bids: side, asks: side } as unknown as MarketEvent;
  const state = encodeState({ channel: "book", epoch: 4, sequence: 9 }, [event], 1);
  const reply = encodeQueryReply(encodeSnapshotReply(state));
  // Each look at the clock takes longer than any slice.
  let nowUs = 0;
  const ends: (() => void)[] = [];
  const turns = new Turns({
    clock: { nowUs: () => 0, monotonicUs: () => (nowUs += 10_000), after: () => () => {} },
    scheduler: { endOfTurn: (callback) => void ends.push(callback) },
  });
  const bus = { request: () => Promise.resolve(reply) } as unknown as Bus;
  const limits = { queryTimeoutMs: 70 };
  const parts = { bus, gate: new QueryGate(1), limits, line: turns.open() };
  let answer: Awaited<ReturnType<typeof querySnapshot>> | undefined;
  void querySnapshot(parts, NAME, "p-1").then((given) => (answer = given));
  let turnsTaken = 0;
  while (answer === undefined) {
    await nextTurn();
    for (const end of ends.splice(0)) end();
    turnsTaken += 1;
  }
  expect(turnsTaken).toBeGreaterThan(80_000 / 4_096);
  expect(answer).toMatchObject({ kind: "ok", batches: [{ count: 1, bytes: state[0]!.bytes }] });
});
