import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import { BusError } from "#bus/bus.ts";
import type { Bus } from "#bus/bus.ts";
import {
  decodeQueryReply,
  decodeSnapshotRequest,
  encodeQueryError,
  encodeQueryReply,
  encodeSnapshotReply,
} from "#wire/bus-codec.ts";
import type { MarketEvent, Status } from "#core/market-event.ts";
import { encodeState } from "#wire/event-codec.ts";
import { idleLine } from "#test/support/idle-line.ts";
import { Turns } from "../turns/turns.ts";
import { QueryGate } from "../turns/query-gate.ts";
import {
  querySnapshot,
  STATE_BYTES_MAX,
  STATE_PAGES_MAX,
  STATE_ROUNDS_MAX,
} from "./snapshot-query.ts";

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

const STATUSES = { venue: "fake", symbol: "A-USD", channel: "status" } as const;

function statePage(sequence: number, { more = false, count = 2, epoch = 4 } = {}): Uint8Array {
  const status: Status = {
    kind: "status",
    instrument: { venue: "fake", symbol: "A-USD" } as Status["instrument"],
    venueTimeUs: undefined,
    receivedTimeUs: 1,
    channel: "book",
    state: "live",
    reason: "data",
    sinceTimeUs: 1,
  };
  const position = { channel: "status", epoch, sequence } as const;
  const events = Array.from({ length: count }, () => status);
  return encodeQueryReply(encodeSnapshotReply(encodeState(position, events, 1), { more }));
}

/** A publisher that answers by what was asked before, and what it was asked. */
function paged(answer: (asked: number, skippedEvents: number) => Uint8Array) {
  const skips: number[] = [];
  const request = (_subject: string, payload: Uint8Array) => {
    const { paged: isPaged, skippedEvents } = decodeSnapshotRequest(payload);
    expect(isPaged).toBe(true);
    skips.push(skippedEvents);
    return Promise.resolve(answer(skips.length, skippedEvents));
  };
  const bus = { request } as unknown as Bus;
  const parts = { bus, gate: new QueryGate(1), limits: { queryTimeoutMs: 70 }, line: idleLine() };
  return { skips, outcome: querySnapshot(parts, STATUSES, "p-1") };
}

function countOf(answer: Awaited<ReturnType<typeof querySnapshot>>): number | undefined {
  if (answer.kind !== "ok") return undefined;
  return answer.batches.reduce((sum, { count }) => sum + count, 0);
}

test("a state of several pages is put together, each asked for behind those before", async () => {
  const { skips, outcome } = paged((asked) => statePage(9, { more: asked < 3, count: asked }));
  expect(countOf(await outcome)).toBe(6);
  expect(skips).toEqual([0, 1, 3]);
});

test.each([
  ["its sequence moved", 10, 4],
  ["its publisher began anew", 9, 5],
])("a state of which %s between two pages is read from its beginning", async (_, to, epoch) => {
  const { skips, outcome } = paged((asked) =>
    asked === 1 ? statePage(9, { more: true }) : statePage(to, { more: asked < 4, epoch }),
  );
  const answer = await outcome;
  expect(countOf(answer)).toBe(4);
  expect(answer).toMatchObject({ batches: [{ epoch, baseSequence: to }, { baseSequence: to }] });
  expect(skips).toEqual([0, 2, 0, 2]);
});

test("a state that has become shorter between two pages is read from its beginning", async () => {
  const { outcome } = paged((asked) =>
    asked === 2 ? statePage(10, { count: 0 }) : statePage(asked, { more: asked === 1 }),
  );
  expect(countOf(await outcome)).toBe(2);
});

test.each([
  [STATE_ROUNDS_MAX - 1, "ok"],
  [STATE_ROUNDS_MAX, "unavailable"],
])("a state that changes while it is read %i times is %s", async (changes, kind) => {
  const { skips, outcome } = paged((asked) =>
    asked <= 2 * changes ? statePage(asked, { more: true }) : statePage(asked),
  );
  expect((await outcome).kind).toBe(kind);
  expect(skips).toHaveLength(kind === "ok" ? 2 * changes + 1 : 2 * changes);
});

test.each([
  [STATE_PAGES_MAX - 1, "ok"],
  [STATE_PAGES_MAX, "ok"],
  [STATE_PAGES_MAX + 1, "unavailable"],
])("a state of %i pages is %s", async (pages, kind) => {
  const { outcome } = paged((asked) => statePage(9, { more: asked < pages, count: 1 }));
  expect((await outcome).kind).toBe(kind);
});

/** A page of so many bytes, most of them in a field that is not known here. */
function pageOfBytes(bytes: number, more: boolean): Uint8Array {
  const reply = decodeQueryReply(statePage(9, { more })).payload;
  const padded = new Uint8Array(bytes);
  padded.set(reply);
  const length = bytes - reply.byteLength - 5;
  const lengthBytes = [length, length >> 7, length >> 14].map((part) => (part & 0x7f) | 0x80);
  padded.set([(15 << 3) | 2, ...lengthBytes, length >> 21], reply.byteLength);
  return encodeQueryReply(padded);
}

test.each([
  [-1, "ok"],
  [0, "ok"],
  [1, "unavailable"],
])("a state of STATE_BYTES_MAX and %i bytes is %s", async (beyond, kind) => {
  const half = STATE_BYTES_MAX / 2;
  const { outcome } = paged((asked) => pageOfBytes(asked === 1 ? half : half + beyond, asked < 2));
  expect((await outcome).kind).toBe(kind);
});

test("a page without events that claims to have a next one is no state", async () => {
  const { skips, outcome } = paged(() => statePage(9, { more: true, count: 0 }));
  expect((await outcome).kind).toBe("unavailable");
  expect(skips).toEqual([0]);
});
