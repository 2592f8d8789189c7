import { describe, expect, test } from "vitest";
import { BARS_MAX, CandleSeries, emptyStarts, PARTS_MAX, type BarPart } from "./candle-series.ts";

const bar = (openTimeMs: number, close: number, volume = 1, isClosed = false): BarPart => ({
  openTimeMs,
  open: close,
  high: close + 1,
  low: close - 1,
  close,
  volume,
  isClosed,
});

describe("candles", () => {
  test("what is live wins over history, and history fills what is missing", () => {
    const series = new CandleSeries({ intervalMs: 60_000 });
    series.put(bar(120_000, 7));
    series.putHistory([bar(60_000, 5), bar(120_000, 6)]);
    expect(series.bars.map(({ openTimeMs, close }) => [openTimeMs, close])).toEqual([
      [60_000, 5],
      [120_000, 7],
    ]);
  });

  test("a closed candle of history replaces one that was open when the connection was lost", () => {
    const series = new CandleSeries({ intervalMs: 60_000 });
    series.put(bar(0, 7, 1, true));
    series.put(bar(60_000, 7));
    series.putHistory([bar(0, 5, 9, true), bar(60_000, 8, 4, true), bar(120_000, 9)]);
    expect(series.bars.map(({ close }) => close)).toEqual([7, 8, 9]);
  });

  test.each([
    { intervalMs: 1_000, limit: BARS_MAX },
    { intervalMs: 1e12, limit: PARTS_MAX },
  ])("wants no older ones from its limit of $limit on", ({ intervalMs, limit }) => {
    for (const [count, isFull] of [
      [limit - 1, false],
      [limit, true],
      [limit + 1, true],
    ] as const) {
      const series = new CandleSeries({ intervalMs });
      series.putHistory(Array.from({ length: count }, (_, index) => bar(index * 1_000, 1)));
      expect(series.isFull).toBe(isFull);
    }
  });

  test("shorter candles become one of the length that is shown", () => {
    const series = new CandleSeries({ intervalMs: 120_000 });
    series.put(bar(0, 5));
    series.put(bar(60_000, 9));
    series.put(bar(60_000, 3, 2));
    expect(series.bars).toEqual([{ openTimeMs: 0, open: 5, high: 6, low: 2, close: 3, volume: 3 }]);
  });

  test("a hole in time has an empty place for each candle that is missing", () => {
    expect(emptyStarts([bar(0, 1), bar(180_000, 1)], 60_000)).toEqual([60_000, 120_000]);
  });

  test("says which of the latest bars miss something, and none that the future may still fill", () => {
    const series = new CandleSeries({ intervalMs: 120_000, partMs: 60_000 });
    series.put(bar(60_000, 1, 1, true));
    series.put(bar(120_000, 1, 1, true));
    series.put(bar(180_000, 1, 1, true));
    series.put(bar(240_000, 1));
    // The first one may begin before what is known; the last one goes on.
    expect(series.unsettledStarts()).toEqual([]);
    series.put(bar(300_000, 1));
    expect(series.unsettledStarts()).toEqual([240_000]);
    series.put(bar(240_000, 1, 1, true));
    series.put(bar(300_000, 1, 1, true));
    series.put(bar(420_000, 1));
    expect(series.unsettledStarts()).toEqual([360_000]);
    series.put(bar(360_000, 1, 1, true));
    series.put(bar(840_000, 1));
    expect(series.unsettledStarts()).toEqual([360_000, 480_000]);
    series.putWholes([bar(360_000, 1, 1, true)]);
    expect(series.unsettledStarts()).toEqual([480_000]);
  });

  test.each([-1, 0, 1])("keeps the newest at %d from its limit", (beyond) => {
    const series = new CandleSeries({ intervalMs: 1_000 });
    for (let index = 0; index < BARS_MAX + beyond; index += 1) series.put(bar(index * 1_000, 1));
    expect(series.bars.length).toBe(Math.min(BARS_MAX, BARS_MAX + beyond));
    expect(series.bars[0]?.openTimeMs).toBe(Math.max(0, beyond) * 1_000);
  });
});
