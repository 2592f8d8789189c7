import fc from "fast-check";
import { expect, test } from "vitest";
import type { CandlePast } from "#core/candle-past.ts";
import type { Candle } from "#core/market-event.ts";
import { fakeInstrument } from "#test/support/fake-feed.ts";
import { takePastPage } from "./candle-past.ts";

import type { PageRequest } from "./history-page.ts";

const INSTRUMENT = fakeInstrument("A-USD");
/** Candles of one microsecond-thousand: the arithmetic is the same as with minutes. */
const INTERVAL_MS = 1;
const STEP_US = 1_000;

function candle(index: number, close = "1"): Candle {
  return {
    kind: "candle",
    instrument: INSTRUMENT,
    venueTimeUs: undefined,
    receivedTimeUs: 1,
    intervalMs: INTERVAL_MS,
    openTimeUs: index * STEP_US,
    open: "1",
    high: "1",
    low: "1",
    close,
    volume: "1",
    closed: true,
  };
}

/** Has the candles of these places up to `knownUntil`, and looks through `span` places at once. */
function pastOf(indexes: readonly number[], knownUntil: number, span: number): CandlePast {
  const all = indexes.filter((index) => index < knownUntil).map((index) => candle(index));
  const firstUs = all[0]?.openTimeUs ?? knownUntil * STEP_US;
  const inRange = (fromUs: number, toUs: number): Candle[] =>
    all.filter(({ openTimeUs }) => openTimeUs >= fromUs && openTimeUs < toUs);
  return {
    intervalsMs: [INTERVAL_MS],
    knownUntilUs: () => knownUntil * STEP_US,
    before: (_instrument, { toTimeUs, countMax }) => {
      let fromUs = toTimeUs - Math.min(span, countMax) * STEP_US;
      if (fromUs <= firstUs) fromUs = Math.min(firstUs, toTimeUs);
      const candles = inRange(fromUs, toTimeUs);
      return Promise.resolve({
        candles,
        fromTimeUs: fromUs,
        toTimeUs,
        isOldest: fromUs <= firstUs,
      });
    },
    after: (_instrument, { fromTimeUs, toTimeUs, countMax }) => {
      const untilUs = Math.min(toTimeUs, fromTimeUs + Math.min(span, countMax) * STEP_US);
      const candles = inRange(fromTimeUs, untilUs);
      return Promise.resolve({ candles, fromTimeUs, toTimeUs: untilUs, isOldest: false });
    },
  };
}

async function pagesOf(
  past: CandlePast,
  kept: readonly Candle[],
  asked: Partial<PageRequest>,
): Promise<number[][]> {
  const pages: number[][] = [];
  for (let pageToken = ""; ;) {
    const request = { fromTimeUs: 0, toTimeUs: 0, pageSize: 3, ...asked, pageToken };
    const parts = { past, instrument: INSTRUMENT, intervalMs: INTERVAL_MS };
    const rows = { length: kept.length, at: (index: number) => kept[index] as Candle };
    const page = await takePastPage({ ...parts, kept: () => rows }, request, "q");
    if (typeof page === "string") throw new Error(page);
    pages.push(page.rows.map(({ openTimeUs }) => openTimeUs / STEP_US));
    if (page.nextPageToken === "") return pages;
    pageToken = page.nextPageToken;
    if (pages.length > 500) throw new Error("the pages do not end");
  }
}

const PLACES = fc.uniqueArray(fc.integer({ min: 100, max: 180 }), { maxLength: 40 });

test("every candle is on one page, in order, whichever way and however far a look reaches", async () => {
  const lives = fc.record({
    places: PLACES,
    knownUntil: fc.integer({ min: 100, max: 185 }),
    span: fc.integer({ min: 1, max: 30 }),
    pageSize: fc.integer({ min: 1, max: 12 }),
    isForward: fc.boolean(),
    end: fc.constantFrom(0, 140, 185),
  });
  await fc.assert(
    fc.asyncProperty(lives, async ({ places, knownUntil, span, pageSize, isForward, end }) => {
      const sorted = places.toSorted((one, other) => one - other);
      const past = pastOf(sorted, knownUntil, span);
      // The stream has brought what is behind, and some of what the past has as well.
      const kept = sorted.filter((place) => place >= knownUntil - 5).map((place) => candle(place));
      const range = {
        fromTimeUs: isForward ? 100 * STEP_US : 0,
        toTimeUs: end * STEP_US,
        pageSize,
      };
      const pages = await pagesOf(past, kept, range);
      const expected = sorted.filter((place) => end === 0 || place < end);
      const told = isForward ? pages.flat() : pages.toReversed().flat();
      expect(told).toEqual(expected);
      expect(Math.max(...pages.map(({ length }) => length))).toBeLessThanOrEqual(pageSize);
    }),
    { numRuns: 300 },
  );
});

test("a candle is the past's as soon as that has it, whatever the stream brought", async () => {
  const past = pastOf([100, 101], 102, 10);
  const parts = { past, instrument: INSTRUMENT, intervalMs: INTERVAL_MS };
  const streamed = [candle(101, "9"), candle(102, "9")];
  const kept = { length: 2, at: (index: number) => streamed[index] as Candle };
  const asked = { fromTimeUs: 0, toTimeUs: 0, pageSize: 10, pageToken: "" };
  const page = await takePastPage({ ...parts, kept: () => kept }, asked, "q");
  if (typeof page === "string") throw new Error(page);
  expect(page.rows.map(({ openTimeUs, close }) => [openTimeUs / STEP_US, close])).toEqual([
    [100, "1"],
    [101, "1"],
    [102, "9"],
  ]);
  expect(page).toMatchObject({ nextPageToken: "", keptFromTimeUs: 100 * STEP_US });
});

test("a token of another request is refused", async () => {
  const parts = { past: pastOf([], 100, 1), instrument: INSTRUMENT, intervalMs: INTERVAL_MS };
  const kept = { length: 0, at: () => candle(0) };
  const asked = { fromTimeUs: 0, toTimeUs: 0, pageSize: 1, pageToken: "x" };
  expect(await takePastPage({ ...parts, kept: () => kept }, asked, "q")).toBe("bad-token");
});
