import type { RowTimes } from "@tickwire/proto/codec";
import { describe, expect, test } from "vitest";
import { LatestRows, PENDING_ROWS_MAX, RowContent, STATE_ROWS_MAX } from "./row-content.ts";

const TIMES = { venueTimeUs: undefined, receivedTimeUs: 1 };

function candle(intervalMs: number, openTimeUs: number, close: string): RowTimes {
  const fields = { intervalMs, openTimeUs, close };
  return { ...TIMES, ...fields };
}

describe("rows that wait", () => {
  test("of quotes are the newest alone, at its own sequence", () => {
    const content = new RowContent("quotes");
    for (const sequence of [4, 5, 6]) content.add({ ...TIMES, receivedTimeUs: sequence }, sequence);
    expect(content.take()).toEqual([
      { lastSequence: 6, rows: { kind: "quotes", rows: [{ ...TIMES, receivedTimeUs: 6 }] } },
    ]);
    expect(content.take()).toEqual([]);
  });

  test("of candles are the newest of each candle, so that none is lost that was closed", () => {
    const content = new RowContent("candles");
    content.add(candle(60, 0, "1"), 1);
    content.add(candle(300, 0, "2"), 2);
    content.add(candle(60, 0, "3"), 3);
    content.add(candle(60, 60, "4"), 4);
    expect(content.take().map(({ lastSequence, rows }) => [lastSequence, rows.rows])).toEqual([
      [4, [candle(300, 0, "2"), candle(60, 0, "3"), candle(60, 60, "4")]],
    ]);
  });

  test("that follow one another share a batch, and others do not", () => {
    const content = new RowContent("candles");
    [1, 2, 3, 4].forEach((sequence) => content.add(candle(60, sequence % 3, "1"), sequence));
    content.add(candle(60, 3, "1"), 7);
    expect(
      content.take().map(({ lastSequence, rows }) => [lastSequence, rows.rows.length]),
    ).toEqual([
      [4, 3],
      [7, 1],
    ]);
  });

  test.each(["trades", "liquidations", "statuses"] as const)("of %s are all of them", (kind) => {
    const content = new RowContent(kind);
    const rows = [1, 2, 3].map((receivedTimeUs) => ({ ...TIMES, receivedTimeUs }));
    rows.forEach((row, index) => content.add(row, index + 1));
    expect(content.take()).toEqual([{ lastSequence: 3, rows: { kind, rows } }]);
  });

  test("are too many to wait on at PENDING_ROWS_MAX, and not below", () => {
    const content = new RowContent("trades");
    for (let row = 1; row < PENDING_ROWS_MAX; row += 1) content.add(TIMES, row);
    expect(content.isFull).toBe(false);
    content.add(TIMES, PENDING_ROWS_MAX);
    expect(content.isFull).toBe(true);
    content.take();
    expect(content.isFull).toBe(false);
  });
});

describe("the state", () => {
  test("is what was taken, not what waits", () => {
    const content = new RowContent("quotes");
    content.add({ ...TIMES, receivedTimeUs: 1 }, 1);
    expect(content.state()?.rows).toEqual([]);
    content.take();
    content.add({ ...TIMES, receivedTimeUs: 2 }, 2);
    expect(content.state()?.rows).toEqual([{ ...TIMES, receivedTimeUs: 1 }]);
  });

  test("of candles has the newest of each length", () => {
    const content = new RowContent("candles");
    content.replace([candle(60, 0, "1"), candle(300, 0, "2")]);
    content.add(candle(60, 60, "3"), 3);
    content.take();
    expect(content.state()?.rows).toEqual([candle(60, 60, "3"), candle(300, 0, "2")]);
  });

  test("is none where events are news alone", () => {
    expect(new RowContent("trades").state()).toBeUndefined();
  });

  test("is empty after the end of an epoch", () => {
    const content = new RowContent("quotes");
    content.replace([TIMES]);
    content.add(TIMES, 2);
    content.clear();
    expect([content.take(), content.state()?.rows]).toEqual([[], []]);
  });
});

test("the state of a list has what is in it, however it came there", () => {
  const content = new RowContent("listings");
  const listing = (symbol: string, change: string): RowTimes => {
    const fields = { symbol, change };
    return { ...TIMES, ...fields };
  };
  content.replace([listing("A", "added"), listing("B", "added")]);
  content.add(listing("A", "removed"), 3);
  content.add(listing("B", "changed"), 4);
  expect(content.take()[0]?.rows.rows.length).toBe(2);
  expect(content.state()?.rows).toEqual([listing("B", "added")]);
});

test("a state has up to STATE_ROWS_MAX parts, and beyond forgets the one that is there longest", () => {
  let forgotten = 0;
  const latest = new LatestRows("listings", () => (forgotten += 1));
  const list = (symbol: string, change = "added"): void => {
    const fields = { symbol, change };
    latest.set({ ...TIMES, ...fields });
  };
  const symbols = () => latest.all().map((row) => (row as unknown as { symbol: string }).symbol);
  for (let number = 1; number < STATE_ROWS_MAX; number += 1) list(`S${number}`);
  expect([latest.all().length, forgotten]).toEqual([STATE_ROWS_MAX - 1, 0]);
  list("AT");
  list("S2", "changed");
  expect([latest.all().length, forgotten]).toEqual([STATE_ROWS_MAX, 0]);
  list("ABOVE");
  expect([latest.all().length, forgotten]).toEqual([STATE_ROWS_MAX, 1]);
  expect(symbols().slice(0, 2)).toEqual(["S2", "S3"]);
  expect(symbols().slice(-2)).toEqual(["AT", "ABOVE"]);
  // What leaves the list makes room.
  list("S2", "removed");
  list("NEXT");
  expect([latest.all().length, forgotten]).toEqual([STATE_ROWS_MAX, 1]);
});
