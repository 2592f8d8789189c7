import { expect, test } from "vitest";
import { ManualClock } from "#test/support/manual-clock.ts";
import { SimulatedFaults } from "./simulated-faults.ts";
import { SIMULATED_MARKET_DEFAULTS } from "./simulated-settings.ts";
import { DELAYED_FRAMES_MAX, REQUESTS_PENDING_MAX, SimulatedSocket } from "./simulated-socket.ts";

const IGNORE = (): void => {};

test.each([
  [REQUESTS_PENDING_MAX - 1, []],
  [REQUESTS_PENDING_MAX, []],
  [REQUESTS_PENDING_MAX + 1, [1008]],
])("a connection may have so many requests waiting: %i", (requests, expected) => {
  const clock = new ManualClock(0);
  const closes: number[] = [];
  const handlers = {
    onOpen: IGNORE,
    onFrame: IGNORE,
    onClose: (code: number) => closes.push(code),
  };
  const faults = new SimulatedFaults(SIMULATED_MARKET_DEFAULTS.chaos, 1);
  const owner = { faults, onRequest: IGNORE, onEnded: IGNORE };
  const socket = new SimulatedSocket(clock, handlers, owner);
  socket.open();
  clock.advance(1);
  for (let sent = 0; sent < requests; sent += 1) socket.send("{}");
  clock.advance(1);
  expect(closes).toEqual(expected);
});

type Chaos = (typeof SIMULATED_MARKET_DEFAULTS)["chaos"];

/** An open connection with the faults that are given, and what comes out of it. */
function opened(chaos: Partial<Chaos>): {
  readonly clock: ManualClock;
  readonly socket: SimulatedSocket;
  readonly faults: SimulatedFaults;
  readonly frames: string[];
  readonly closes: number[];
} {
  const clock = new ManualClock(0);
  const [frames, closes]: [string[], number[]] = [[], []];
  const faults = new SimulatedFaults({ ...SIMULATED_MARKET_DEFAULTS.chaos, ...chaos }, 1);
  const handlers = {
    onOpen: IGNORE,
    onFrame: (frame: string | Uint8Array) => void frames.push(String(frame)),
    onClose: (code: number) => void closes.push(code),
  };
  const owner = { faults, onRequest: IGNORE, onEnded: IGNORE };
  const socket = new SimulatedSocket(clock, handlers, owner);
  socket.open();
  clock.advance(1);
  return { clock, socket, faults, frames, closes };
}

test("without faults everything comes at once and in order", () => {
  const { socket, frames } = opened({});
  for (let count = 0; count < 100; count += 1) socket.deliverData(`${count}`, "A", "book");
  expect(frames).toEqual(Array.from({ length: 100 }, (_, count) => `${count}`));
});

test("data that is dropped is counted, and answers never are", () => {
  const { socket, frames, faults } = opened({ dropShare: 0.3 });
  for (let count = 0; count < 1_000; count += 1) socket.deliverData("data", "A", "quotes");
  for (let count = 0; count < 1_000; count += 1) socket.deliver("answer");
  const arrived = frames.filter((frame) => frame === "data").length;
  expect(arrived + faults.count("dropped", "quotes")).toBe(1_000);
  expect(arrived).toBeGreaterThan(600);
  expect(arrived).toBeLessThan(800);
  expect(frames.length - arrived).toBe(1_000);
});

test("a frame out of order comes after the next one of its channel, and of no other", () => {
  const { socket, frames, faults } = opened({ reorderShare: 0.2 });
  for (let count = 0; count < 1_000; count += 1) {
    socket.deliverData(`a${count}`, "A", "trades");
    socket.deliverData(`b${count}`, "B", "trades");
    socket.deliverData(`q${count}`, "A", "quotes");
  }
  socket.forgetOrder("A", "trades");
  socket.forgetOrder("B", "trades");
  expect(frames).toHaveLength(3_000);
  let swaps = 0;
  for (const name of ["a", "b", "q"]) {
    const numbers = frames
      .filter((frame) => frame.startsWith(name))
      .map((frame) => Number(frame.slice(1)));
    for (let index = 1; index < numbers.length; index += 1) {
      const [before = 0, now = 0] = [numbers[index - 1], numbers[index]];
      if (now < before) swaps += 1;
      expect(now).toBeGreaterThanOrEqual(before - 1);
    }
  }
  expect(swaps).toBe(faults.count("reordered", "trades"));
  expect(swaps).toBeGreaterThan(200);
  expect(faults.count("reordered", "quotes")).toBe(0);
});

test("what is delayed holds up everything behind it, in order", () => {
  const { clock, socket, frames, faults } = opened({ delayShare: 1, delayMs: 50 });
  socket.deliverData("1", "A", "book");
  socket.deliver("2");
  clock.advance(49);
  expect(frames).toEqual([]);
  clock.advance(1);
  expect(frames).toEqual(["1", "2"]);
  expect(faults.count("delayed", "book")).toBe(1);
});

test.each([
  [DELAYED_FRAMES_MAX - 1, []],
  [DELAYED_FRAMES_MAX, []],
  [DELAYED_FRAMES_MAX + 1, [1006]],
])("behind a delay so many frames may wait: %i", (count, expected) => {
  const { clock, socket, frames, closes } = opened({ delayShare: 1, delayMs: 50 });
  for (let sent = 0; sent < count; sent += 1) socket.deliverData("x", "A", "book");
  clock.advance(60);
  expect(closes).toEqual(expected);
  expect(frames).toHaveLength(expected.length === 0 ? count : 0);
});
