import fc from "fast-check";
import { expect, test } from "vitest";
import { candlePages } from "./candle-pages.ts";

const MINUTE_MS = 60_000;
const START_MS = 1_793_610_900_000;

test.each([
  { minutes: 999, pages: [999] },
  { minutes: 1000, pages: [1000] },
  { minutes: 1001, pages: [1000, 1] },
  { minutes: 2500, pages: [1000, 1000, 500] },
])("$minutes minutes at a thousand a page are pages of $pages", ({ minutes, pages }) => {
  const range = {
    intervalMs: MINUTE_MS,
    fromMs: START_MS,
    toMs: START_MS + minutes * MINUTE_MS,
  };
  const found = candlePages({ rowsMax: 1000 }, range, 3);
  expect(found.map(({ fromMs, toMs }) => (toMs - fromMs) / MINUTE_MS)).toEqual(pages);
});

test("a range is widened to whole candles, and an empty one needs no page", () => {
  const range = { intervalMs: MINUTE_MS, fromMs: START_MS + 1, toMs: START_MS + MINUTE_MS + 1 };
  expect(candlePages({ rowsMax: 10 }, range, 1)).toEqual([
    { intervalMs: MINUTE_MS, fromMs: START_MS, toMs: START_MS + 2 * MINUTE_MS },
  ]);
  const empty = { intervalMs: MINUTE_MS, fromMs: START_MS, toMs: START_MS };
  expect(candlePages({ rowsMax: 10 }, empty, 1)).toEqual([]);
});

test("pages are no longer than the venue lets a range be, and at least one candle", () => {
  const dayMs = 86_400_000;
  const range = { intervalMs: dayMs, fromMs: 0, toMs: 450 * dayMs };
  const pages = candlePages({ rowsMax: 1000, spanMsMax: 200 * dayMs }, range, 3);
  expect(pages.map(({ fromMs, toMs }) => (toMs - fromMs) / dayMs)).toEqual([200, 200, 50]);
  expect(candlePages({ rowsMax: 1000, spanMsMax: 1 }, range, 450)).toHaveLength(450);
});

test("where there are the latest candles alone, they are asked for once", () => {
  const range = { intervalMs: MINUTE_MS, fromMs: 0, toMs: START_MS };
  expect(candlePages({ rowsMax: 720, isLatestOnly: true }, range, 1)).toHaveLength(1);
});

test.each([19, 20, 21])("with two pages at most, %i minutes at ten a page", (minutes) => {
  const range = { intervalMs: MINUTE_MS, fromMs: 0, toMs: minutes * MINUTE_MS };
  let outcome = "";
  try {
    outcome = `${candlePages({ rowsMax: 10 }, range, 2).length} pages`;
  } catch (error) {
    outcome = String(error);
  }
  const refused = "RangeError: candles in 3 pages exceed candlePagesMax 2";
  expect(outcome).toBe(minutes <= 20 ? "2 pages" : refused);
});

test("pages cover the range without a hole and without an overlap", () => {
  const whole = fc.integer({ min: 0, max: 500 });
  fc.assert(
    fc.property(whole, whole, fc.integer({ min: 1, max: 60 }), (from, length, rowsMax) => {
      const fromMs = from * MINUTE_MS;
      const toMs = fromMs + length * MINUTE_MS;
      const range = { intervalMs: MINUTE_MS, fromMs, toMs };
      const pages = candlePages({ rowsMax }, range, Infinity);
      let next = fromMs;
      for (const page of pages) {
        expect(page.fromMs).toBe(next);
        expect(page.toMs - page.fromMs).toBeLessThanOrEqual(rowsMax * MINUTE_MS);
        next = page.toMs;
      }
      expect(next).toBe(toMs);
    }),
  );
});
