import { describe, expect, test } from "vitest";
import { CandleHistory, GAP_PAGES_MAX, SETTLE_MS, type CandlePage } from "./candle-history.ts";
import { CandleSeries, type BarPart } from "./candle-series.ts";

const bar = (openTimeMs: number, isClosed = true): BarPart => ({
  openTimeMs,
  open: 1,
  high: 1,
  low: 1,
  close: 1,
  volume: 1,
  isClosed,
});

/** A chart whose gateway has a candle a second until `endMs`, in pages of two. */
function chartOf(endMs: number) {
  const asked: object[] = [];
  const answers: (() => void)[] = [];
  const timers: { readonly delayMs: number; readonly callback: () => void }[] = [];
  /** Candles that the gateway does not have yet. */
  const late = new Set<number>();
  let failure: Error | undefined;
  const barsOf = (starts: readonly number[]): BarPart[] =>
    starts.filter((start) => !late.has(start)).map((start) => bar(start));
  const pageOf = (request: { fromTimeUs?: number; pageToken?: string }): CandlePage => {
    const { fromTimeUs, pageToken } = request;
    if (fromTimeUs === undefined) {
      const end = pageToken === undefined ? endMs : Number(pageToken);
      const starts = [end - 2_000, end - 1_000].filter((start) => start >= 0);
      const [first = 0] = starts;
      return {
        candles: barsOf(starts),
        nextPageToken: first > 0 ? String(first) : undefined,
      };
    }
    const from = pageToken === undefined ? fromTimeUs / 1_000 : Number(pageToken);
    const starts = [from, from + 1_000].filter((start) => start < endMs);
    return {
      candles: barsOf(starts),
      nextPageToken: from + 2_000 < endMs ? String(from + 2_000) : undefined,
    };
  };
  const series = new CandleSeries({ intervalMs: 1_000 });
  const history = new CandleHistory(
    series,
    {
      fetchPage: (request) => {
        asked.push(request);
        return new Promise((resolve, reject) =>
          answers.push(() => (failure ? reject(failure) : resolve(pageOf(request)))),
        );
      },
      nowMs: () => endMs,
      afterMs: (delayMs, callback) => timers.push({ delayMs, callback }),
    },
    () => undefined,
  );
  const answerAll = async (): Promise<void> => {
    for (let turn = 0; turn < 100; turn += 1) {
      answers.shift()?.();
      await Promise.resolve();
    }
  };
  return {
    series,
    history,
    asked,
    answerAll,
    late,
    timers,
    fail: (error: Error | undefined) => (failure = error),
    starts: () => series.bars.map(({ openTimeMs }) => openTimeMs / 1_000),
  };
}

describe("the past of a chart", () => {
  test("comes page by page until there is no more, each time once", async () => {
    const { history, starts, answerAll, asked } = chartOf(5_000);
    void history.loadLatest();
    await answerAll();
    expect(starts()).toEqual([3, 4]);
    expect(history.hasOlder).toBe(true);
    void history.loadOlder();
    void history.loadOlder();
    await answerAll();
    expect(starts()).toEqual([1, 2, 3, 4]);
    void history.loadOlder();
    await answerAll();
    expect(starts()).toEqual([0, 1, 2, 3, 4]);
    expect(history.hasOlder).toBe(false);
    void history.loadOlder();
    expect(asked).toHaveLength(3);
  });

  test("a gap is filled from the candle that was open when it began, before what is live", async () => {
    const { history, series, starts, answerAll, asked } = chartOf(9_000);
    series.put(bar(2_000, false));
    void history.fillGap();
    series.put(bar(8_000, false));
    await answerAll();
    expect(asked[0]).toEqual({ fromTimeUs: 2_000_000 });
    expect(starts()).toEqual([2, 3, 4, 5, 6, 7, 8]);
  });

  test("gaps that come while one is filled are filled afterwards, from the earliest", async () => {
    const { history, series, starts, answerAll, asked } = chartOf(6_000);
    void history.loadLatest();
    series.put(bar(1_000));
    void history.fillGap();
    series.put(bar(3_000));
    void history.fillGap();
    await answerAll();
    expect(asked.slice(0, 2)).toEqual([{}, { fromTimeUs: 1_000_000 }]);
    expect(starts()).toEqual([1, 2, 3, 4, 5]);
  });

  test("a gap longer than its limit of pages stays one", async () => {
    const limit = 2 * GAP_PAGES_MAX;
    for (const seconds of [limit - 1, limit, limit + 1]) {
      const { history, series, answerAll, starts, asked } = chartOf(seconds * 1_000);
      series.put(bar(0, false));
      void history.fillGap();
      await answerAll();
      expect(asked).toHaveLength(GAP_PAGES_MAX);
      expect(starts()).toHaveLength(Math.min(limit, seconds));
    }
  });

  test("a failure is said, and what was asked for can be asked for again", async () => {
    const { history, answerAll, fail, starts } = chartOf(5_000);
    void history.loadLatest();
    await answerAll();
    fail(new Error("nobody answers"));
    void history.loadOlder();
    await answerAll();
    expect([history.problem, history.hasOlder]).toEqual(["nobody answers", true]);
    fail(undefined);
    void history.loadOlder();
    await answerAll();
    expect([history.problem, starts()]).toEqual([undefined, [1, 2, 3, 4]]);
    fail(Object.assign(new Error("not kept"), { code: "failed-precondition" }));
    void history.loadOlder();
    await answerAll();
    expect(history.hasOlder).toBe(false);
  });

  test("longer candles of the past join those that shorter ones make live, each bar once", async () => {
    const series = new CandleSeries({ intervalMs: 60_000, partMs: 1_000 });
    const asked: unknown[] = [];
    const page = (candles: BarPart[]) => Promise.resolve({ candles, nextPageToken: undefined });
    const history = new CandleHistory(
      series,
      {
        // The open minute comes as well, and is worth nothing: its seconds are.
        fetchPage: () => page([bar(0), { ...bar(60_000), volume: 60 }, bar(120_000, false)]),
        fetchParts: (request) => {
          asked.push(request);
          return page([bar(120_000), bar(121_000), bar(122_000, false)]);
        },
        nowMs: () => 122_500,
        afterMs: () => undefined,
      },
      () => undefined,
    );
    series.put(bar(119_000));
    series.put({ ...bar(122_000, false), volume: 7 });
    await history.loadLatest();
    expect(asked).toEqual([{ fromTimeUs: 120_000_000 }]);
    expect(series.bars.map(({ openTimeMs, volume }) => [openTimeMs, volume])).toEqual([
      [0, 1],
      [60_000, 60],
      [120_000, 9],
    ]);
  });

  test("a candle that the gateway has only later is asked for once more, then it is none", async () => {
    const { history, series, starts, answerAll, asked, late, timers } = chartOf(5_000);
    for (const start of [3_000, 4_000]) late.add(start);
    void history.loadLatest();
    series.put(bar(2_000, true));
    series.put(bar(5_000, false));
    await answerAll();
    expect(starts()).toEqual([2, 5]);
    expect(timers.map(({ delayMs }) => delayMs)).toEqual([SETTLE_MS]);
    late.delete(3_000);
    timers.shift()?.callback();
    await answerAll();
    expect(asked[1]).toEqual({ fromTimeUs: 2_000_000 });
    expect(starts()).toEqual([2, 3, 5]);
    // The other one is a hole of its own now, and after its turn it stays one.
    timers.shift()?.callback();
    await answerAll();
    expect(asked.slice(3)).toEqual([{ fromTimeUs: 3_000_000 }]);
    expect([starts(), timers]).toEqual([[2, 3, 5], []]);
  });

  test("a candle that was left open when the next one began is asked for", async () => {
    const { history, series, answerAll, timers, late } = chartOf(5_000);
    late.add(4_000);
    void history.loadLatest();
    series.put({ ...bar(4_000, false), volume: 7 });
    await answerAll();
    expect(timers).toEqual([]);
    series.put(bar(5_000, false));
    late.delete(4_000);
    history.checkSeam();
    history.checkSeam();
    expect(timers).toHaveLength(1);
    timers.shift()?.callback();
    await answerAll();
    expect(series.bars.at(-2)).toMatchObject({ openTimeMs: 4_000, volume: 1 });
    expect(timers).toEqual([]);
  });

  test("a past that could not be had is asked for again", async () => {
    const { history, answerAll, fail, starts, timers } = chartOf(5_000);
    fail(new Error("nobody answers"));
    void history.loadLatest();
    await answerAll();
    expect(history.problem).toBe("nobody answers");
    fail(undefined);
    timers.shift()?.callback();
    await answerAll();
    expect([history.problem, starts()]).toEqual([undefined, [3, 4]]);
    expect(timers).toEqual([]);
  });

  test("a chart that has gone on, and one that was refused, ask nothing again", async () => {
    for (const error of [
      new Error("nobody answers"),
      Object.assign(new Error("not for you"), { retryable: false }),
    ]) {
      const { history, answerAll, fail, timers, asked } = chartOf(5_000);
      fail(error);
      void history.loadLatest();
      await answerAll();
      history.close();
      for (const { callback } of timers) callback();
      await answerAll();
      expect(asked).toHaveLength(1);
      expect(timers).toHaveLength("retryable" in error ? 0 : 1);
    }
  });

  test("an answer that comes after the chart has gone on is thrown away", async () => {
    const { history, answerAll, starts } = chartOf(5_000);
    void history.loadLatest();
    history.close();
    await answerAll();
    expect(starts()).toEqual([]);
  });
});
