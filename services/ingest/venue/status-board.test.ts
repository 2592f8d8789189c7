import { expect, test } from "vitest";
import type { Status } from "#core/market-event.ts";
import { fakeInstrument } from "#test/support/fake-feed.ts";
import { StatusBoard } from "./status-board.ts";

const A = fakeInstrument("A");
const B = fakeInstrument("B");

function create() {
  const emitted: Status[] = [];
  const board = new StatusBoard((status) => emitted.push(status));
  return { board, emitted };
}

test("a change is told with its reason and its time, as ours and as since when", () => {
  const { board, emitted } = create();
  board.set({ instrument: A, channel: "book", state: "gap", reason: "sequence-gap", nowUs: 7 });
  expect(emitted).toEqual([
    {
      kind: "status",
      instrument: A,
      venueTimeUs: undefined,
      receivedTimeUs: 7,
      channel: "book",
      state: "gap",
      reason: "sequence-gap",
      sinceTimeUs: 7,
    },
  ]);
});

test("the same state again keeps its first reason and time, and is not told", () => {
  const { board, emitted } = create();
  const change = { instrument: A, channel: "trades", state: "down" } as const;
  board.set({ ...change, reason: "disconnected", nowUs: 1 });
  board.set({ ...change, reason: "refused", nowUs: 2 });
  expect(emitted).toHaveLength(1);
  board.set({ ...change, state: "live", reason: "data", nowUs: 3 });
  board.set({ ...change, reason: "refused", nowUs: 4 });
  expect(emitted.map(({ reason, sinceTimeUs }) => [reason, sinceTimeUs])).toEqual([
    ["disconnected", 1],
    ["data", 3],
    ["refused", 4],
  ]);
});

test("channels and instruments have states of their own", () => {
  const { board, emitted } = create();
  const change = { state: "live", reason: "data", nowUs: 1 } as const;
  board.set({ ...change, instrument: A, channel: "trades" });
  board.set({ ...change, instrument: A, channel: "book" });
  board.set({ ...change, instrument: B, channel: "trades" });
  expect(emitted.map(({ instrument, channel }) => `${instrument.symbol}/${channel}`)).toEqual([
    "A/trades",
    "A/book",
    "B/trades",
  ]);
});
