import { Registry } from "prom-client";
import { beforeEach, expect, test } from "vitest";
import type { ClientRequest } from "#wire/frame-codec.ts";
import { createGatewayMetrics } from "../metrics.ts";
import { BYTES_PER_REQUEST } from "../rpc/work-price.ts";
import { Turns } from "../turns/turns.ts";
import { InboxSpace, keepRest, receiveFrame } from "./frame-inbox.ts";
import type { FrameReader } from "./frame-inbox.ts";

/** What reading one frame takes. */
const READ_US = 100;
/** What holding a frame takes besides its bytes. */
const HOLDING_BYTES = 128;

/** A frame of so many bytes asks for more than a step of requests. */
const LARGE_BYTES = 4_096;
const STEP = 10;
const MANY = Array.from({ length: 95 }, () => ({ kind: "ping", value: {} }) as ClientRequest);
/** Where the steps of `MANY` begin. */
const STEPS = Array.from({ length: 10 }, (_, index) => index * STEP);

let nowUs: number;
let ends: (() => void)[];
let turns: Turns;
/** First bytes of the frames that were read, in order. */
let seen: number[];
/** Where the steps began that were done of large frames. */
let served: number[];
let roomy: InboxSpace;

beforeEach(() => {
  nowUs = 0;
  ends = [];
  seen = [];
  served = [];
  roomy = new InboxSpace(metrics());
  const clock = { nowUs: () => nowUs, monotonicUs: () => nowUs, after: () => () => {} };
  turns = new Turns({ clock, scheduler: { endOfTurn: (callback) => void ends.push(callback) } });
});

/** The turn of the event loop ends; says how many frames were read in it. */
function endTurn(): number {
  const before = seen.length;
  for (const callback of ends.splice(0)) callback();
  return seen.length - before;
}

const metrics = () => createGatewayMetrics(new Registry());

function inbox(options: { perSecond?: number; space?: InboxSpace } = {}) {
  const parts = {
    inboxSpace: options.space ?? roomy,
    turns,
    config: { requestsPerSecondMax: options.perSecond ?? 500 },
  };
  const reader: FrameReader = {
    inbox: undefined,
    readFrame: (frame) => {
      nowUs += READ_US;
      seen.push(frame[0] ?? -1);
      if (frame.length < LARGE_BYTES) return;
      keepRest(parts, reader, { requests: MANY, from: 0 }, frame.length);
    },
    serve: (requests, from) => {
      nowUs += READ_US;
      served.push(from);
      return Math.min(from + STEP, requests.length);
    },
  };
  return {
    receive: (frame: Uint8Array) => receiveFrame(parts, reader, frame),
    close: () => reader.inbox?.close(),
    get waiting() {
      return reader.inbox?.waiting ?? 0;
    },
    get isThere() {
      return reader.inbox !== undefined;
    },
  };
}

const frame = (first: number, bytes = 1) => new Uint8Array(bytes).fill(first);

test("a frame is read at once where the turn has time for it", () => {
  const one = inbox();
  expect([one.receive(frame(1)), one.receive(frame(2))]).toEqual([true, true]);
  expect(seen).toEqual([1, 2]);
  expect(one.waiting).toBe(0);
});

test("of thousands of sessions, no turn reads more than 2 ms of frames, and all are read", () => {
  const sessions = Array.from({ length: 5_000 }, () => inbox());
  for (const [index, one] of sessions.entries()) one.receive(frame(index % 256));
  expect(seen).toHaveLength(1_000 / READ_US);
  let longest = 0;
  while (seen.length < sessions.length) longest = Math.max(longest, endTurn());
  expect(longest * READ_US).toBeLessThanOrEqual(1_000 + READ_US);
  expect(longest).toBeGreaterThan(0);
});

test("frames of a session are read in the order in which they came, whatever had to wait", () => {
  const one = inbox();
  for (let first = 0; first < 30; first += 1) one.receive(frame(first));
  while (one.waiting > 0) {
    endTurn();
    // What comes while others wait is behind them.
    if (seen.length === 20) one.receive(frame(30));
  }
  expect(seen).toEqual([...seen].sort((left, right) => left - right));
  expect(seen.length).toBeGreaterThanOrEqual(30);
});

test("there is an inbox only while something waits in it", () => {
  const one = inbox();
  one.receive(frame(0));
  expect(one.isThere).toBe(false);
  for (let first = 0; first < 20; first += 1) one.receive(frame(first));
  expect(one.isThere).toBe(true);
  while (one.waiting > 0) endTurn();
  expect(one.isThere).toBe(false);
  const other = inbox();
  for (let first = 0; first < 20; first += 1) other.receive(frame(first));
  other.close();
  expect(other.isThere).toBe(false);
});

test("what waits is a copy: the transport's buffer is its own again", () => {
  const one = inbox();
  const buffer = frame(0);
  for (let first = 0; first < 20; first += 1) {
    buffer.fill(first);
    one.receive(buffer);
  }
  while (one.waiting > 0) endTurn();
  expect(seen).toEqual(Array.from({ length: 20 }, (_, first) => first));
});

test("a client with many frames that wait holds up nobody with one", () => {
  const greedy = inbox();
  for (let index = 0; index < 200; index += 1) greedy.receive(frame(1));
  const modest = inbox();
  modest.receive(frame(2));
  endTurn();
  expect(seen.slice(0, 12)).toEqual([...Array(11).fill(1), 2]);
});

test.each([
  [1, 16 * 1024],
  [4_096, 16 * 1024],
  [4_097, 4_097],
])("a frame of %d bytes that waits keeps %d bytes of memory", (bytes, kept) => {
  const copy = new InboxSpace(metrics()).copy(frame(7, bytes));
  expect([...new Set(copy)]).toEqual([7]);
  expect([copy.byteLength, copy.buffer.byteLength]).toEqual([bytes, kept]);
});

test.each([
  [4, true],
  [5, false],
])("%d frames of 4 kB wait in one piece of memory: %s", (count, isOne) => {
  const space = new InboxSpace(metrics());
  const buffers = Array.from({ length: count }, () => space.copy(frame(1, 4_096)).buffer);
  expect(new Set(buffers).size === 1).toBe(isOne);
});

test.each([
  [49, true],
  [50, true],
  [51, false],
])(
  "of %d frames that wait where 5 may be asked for in a second, the last is taken: %s",
  (...it) => {
    const [count, isTaken] = it;
    const busy = inbox();
    while (nowUs < 1_000) busy.receive(frame(9));
    const one = inbox({ perSecond: 5 });
    for (let index = 1; index < count; index += 1) one.receive(frame(index));
    expect(one.receive(frame(count))).toBe(isTaken);
  },
);

test.each([
  [-1, true],
  [0, true],
  [1, false],
])("%d bytes over what may be asked for in a second are taken: %s", (over, isTaken) => {
  const busy = inbox();
  while (nowUs < 1_000) busy.receive(frame(9));
  const one = inbox({ perSecond: 2 });
  one.receive(frame(1, BYTES_PER_REQUEST - HOLDING_BYTES));
  expect(one.receive(frame(2, BYTES_PER_REQUEST - HOLDING_BYTES + over))).toBe(isTaken);
});

test.each([
  [99, 1],
  [100, 1],
  [101, 0],
])("of %d bytes where 100 may wait in all, %d frame waits", async (bytes, waiting) => {
  const counted = metrics();
  const space = new InboxSpace(counted, 100 + HOLDING_BYTES);
  const busy = inbox();
  while (nowUs < 1_000) busy.receive(frame(9));
  const one = inbox({ space });
  expect(one.receive(frame(1, bytes))).toBe(true);
  expect(one.waiting).toBe(waiting);
  expect(seen.includes(1)).toBe(waiting === 0);
  expect((await counted.inboxBytes.get()).values[0]?.value).toBe(waiting * (bytes + HOLDING_BYTES));
  expect((await counted.inboxOverflows.get()).values[0]?.value).toBe(1 - waiting);
});

test("a frame that there is no space for is read behind those that wait", () => {
  const busy = inbox();
  while (nowUs < 1_000) busy.receive(frame(9));
  seen.length = 0;
  const one = inbox({ space: new InboxSpace(metrics(), 2 + 2 * HOLDING_BYTES) });
  for (const first of [1, 2, 3]) one.receive(frame(first));
  expect(seen).toEqual([1, 2, 3]);
});

test("nothing is read after the end, and what waited makes room", async () => {
  const counted = metrics();
  const space = new InboxSpace(counted);
  const busy = inbox();
  while (nowUs < 1_000) busy.receive(frame(9));
  seen.length = 0;
  const one = inbox({ space });
  one.receive(frame(1, 50));
  one.close();
  one.close();
  while (ends.length > 0) endTurn();
  expect(seen).toEqual([]);
  expect((await counted.inboxBytes.get()).values[0]?.value).toBe(0);
});

test("what a large frame asks for is done in steps, and what comes after it waits", () => {
  const [one, other] = [inbox(), inbox()];
  one.receive(frame(1, LARGE_BYTES));
  one.receive(frame(2));
  other.receive(frame(3));
  expect([seen, served]).toEqual([[1, 3], []]);
  expect(one.waiting).toBe(1);
  let steps = 0;
  while (one.isThere) {
    const before = served.length;
    endTurn();
    expect((served.length - before) * READ_US).toBeLessThanOrEqual(1_000 + READ_US);
    steps += 1;
    if (steps === 1) one.receive(frame(4, LARGE_BYTES));
  }
  expect(seen).toEqual([1, 3, 2, 4]);
  expect(served).toEqual([...STEPS, ...STEPS]);
});

test("what is left of a frame takes its bytes of the space, and all is done where there is none", async () => {
  const bytes = LARGE_BYTES + HOLDING_BYTES;
  for (const [bytesMax, after] of [
    [bytes, []],
    [bytes - 1, STEPS],
  ] as const) {
    served = [];
    const given = metrics();
    const one = inbox({ space: new InboxSpace(given, bytesMax) });
    endTurn();
    one.receive(frame(1, LARGE_BYTES));
    expect(served).toEqual(after);
    expect(one.isThere).toBe(after.length === 0);
    const held = (await given.inboxBytes.get()).values[0]?.value ?? 0;
    expect(held).toBe(after.length === 0 ? bytes : 0);
    one.close();
    expect((await given.inboxBytes.get()).values[0]?.value ?? 0).toBe(0);
    while (ends.length > 0) endTurn();
    expect(served).toEqual(after);
  }
});

test("a session that closes within a step does nothing more", () => {
  const one = inbox();
  one.receive(frame(1, LARGE_BYTES));
  endTurn();
  one.close();
  const before = served.length;
  while (ends.length > 0) endTurn();
  expect(served).toHaveLength(before);
  expect(one.isThere).toBe(false);
});
