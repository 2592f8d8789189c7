import { expect, test } from "vitest";
import { StatusBoard, VenueMeter } from "./feed-health.ts";

type Status = Parameters<StatusBoard["put"]>[0]["statuses"][number];
const status = (symbol: string, state: string, sinceTimeUs: number) =>
  ({ venue: "v", symbol, state, sinceTimeUs, reason: state }) as unknown as Status;

const page = (isLast: boolean, ...statuses: readonly Status[]) => ({
  venue: "v",
  statuses,
  isLast,
});

test("a venue is as well as its worst topic, and says since when", () => {
  const board = new StatusBoard();
  board.put(page(true, status("A", "live", 1), status("A", "stale", 9), status("B", "stale", 5)));
  const [health] = board.venues();
  expect(health).toMatchObject({ worst: "stale", live: 1, total: 3, sinceTimeUs: 5 });
});

test("what a later page says of an instrument is what counts, and the others stay", () => {
  const board = new StatusBoard();
  board.put(page(true, status("A", "down", 1), status("B", "live", 2)));
  board.put(page(false, status("A", "live", 7), status("A", "live", 8)));
  expect(board.venues()).toMatchObject([{ worst: "live", live: 3, total: 3, sinceTimeUs: 2 }]);
});

test("what is in no page of a round any more is forgotten, and not before its end", () => {
  const board = new StatusBoard();
  board.put(page(false, status("A", "live", 1), status("B", "down", 2)));
  board.put(page(true, status("C", "live", 3)));
  board.put(page(false, status("A", "live", 1)));
  expect(board.venues()).toMatchObject([{ worst: "down", total: 3 }]);
  board.put(page(true, status("C", "live", 3)));
  expect(board.venues()).toMatchObject([{ worst: "live", total: 2 }]);
  board.put(page(true));
  expect(board.venues()).toEqual([]);
});

test("an instrument is as its own topics are, unless nobody publishes its venue", () => {
  const board = new StatusBoard();
  board.put(page(true, status("A", "live", 1), status("B", "gap", 2)));
  const states = () => ["A", "B", "C"].map((symbol) => board.stateOf({ venue: "v", symbol }));
  expect(states()).toEqual(["live", "gap", undefined]);
  board.setDown("v", true);
  expect(states()).toEqual(["down", "down", "down"]);
  board.setDown("v", false);
  expect(states()).toEqual(["live", "gap", undefined]);
});

test("delays are those of the last events, and the rate that of the last second", () => {
  const meter = new VenueMeter();
  meter.mark(0);
  for (let delay = 1; delay <= 100; delay += 1) meter.observe(delay);
  meter.observe(undefined);
  meter.mark(500);
  expect([meter.delayMs(0.5), meter.delayMs(0.99), meter.eventsPerSecond]).toEqual([51, 100, 202]);
});

test.each([5_000, 5_001])(
  "a page that stood still for more than 5 s forgets its delays, tried with %d ms",
  (stillMs) => {
    const meter = new VenueMeter();
    meter.mark(1_000);
    meter.observe(20);
    meter.mark(1_000 + stillMs);
    const isKept = stillMs <= 5_000;
    expect(meter.delayMs(0.5)).toBe(isKept ? 20 : undefined);
    // What waited in the browser comes in the second after it.
    meter.observe(4_000);
    meter.mark(2_000 + stillMs);
    expect(meter.delayMs(1)).toBe(isKept ? 4_000 : undefined);
    meter.observe(30);
    meter.mark(3_000 + stillMs);
    expect(meter.delayMs(0)).toBe(isKept ? 20 : 30);
  },
);
