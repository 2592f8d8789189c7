import { expect, test } from "vitest";
import { StatusBoard, VenueMeter } from "./feed-health.ts";

type Status = Parameters<StatusBoard["put"]>[0][number];
const status = (symbol: string, state: string, sinceTimeUs: number) =>
  ({ venue: "v", symbol, state, sinceTimeUs, reason: state }) as unknown as Status;

test("a venue is as well as its worst topic, and says since when", () => {
  const board = new StatusBoard();
  board.put([status("A", "live", 1), status("A", "stale", 9), status("B", "stale", 5)]);
  const [health] = board.venues();
  expect(health).toMatchObject({ worst: "stale", live: 1, total: 3, sinceTimeUs: 5 });
});

test("what a later page says of an instrument is what counts, and the others stay", () => {
  const board = new StatusBoard();
  board.put([status("A", "down", 1), status("B", "live", 2)]);
  board.put([status("A", "live", 7), status("A", "live", 8)]);
  expect(board.venues()).toMatchObject([{ worst: "live", live: 3, total: 3, sinceTimeUs: 2 }]);
});

test("delays are those of the last events, and the rate that of the last second", () => {
  const meter = new VenueMeter();
  meter.mark(0);
  for (let delay = 1; delay <= 100; delay += 1) meter.observe(delay);
  meter.observe(undefined);
  meter.mark(500);
  expect([meter.delayMs(0.5), meter.delayMs(0.99), meter.eventsPerSecond]).toEqual([51, 100, 202]);
});
