import fc from "fast-check";
import { expect, test } from "vitest";
import { CandlePastError } from "#core/candle-past.ts";
import type { CandlePast } from "#core/candle-past.ts";
import type { Candle } from "#core/market-event.ts";
import { fakeInstrument } from "#test/support/fake-feed.ts";
import { takePastPage } from "./candle-past.ts";

import type { PageRequest } from "./history-page.ts";

const INSTRUMENT = fakeInstrument("A-USD");
/** Candles of one microsecond-thousand: the arithmetic is the same as with minutes. */
const INTERVAL_MS = 1;
const STEP_US = 1_000;

function candle(index: number, close = "1", more: Partial<Candle> = {}): Candle {
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
    ...more,
  };
}

/**
 * Has the candles of these places up to `knownUntil`, and looks through `span` places at once.
 * Those up to `ended` have ended since.
 */
function pastOf(
  indexes: readonly number[],
  knownUntil: number,
  span: number,
  ended = knownUntil,
): CandlePast {
  const all = indexes.filter((index) => index < knownUntil).map((index) => candle(index));
  const firstUs = all[0]?.openTimeUs ?? knownUntil * STEP_US;
  const inRange = (fromUs: number, toUs: number): Candle[] =>
    all.filter(({ openTimeUs }) => openTimeUs >= fromUs && openTimeUs < toUs);
  return {
    intervalsMs: [INTERVAL_MS],
    knownUntilUs: () => knownUntil * STEP_US,
    endedUntilUs: () => ended * STEP_US,
    recent: () =>
      Promise.resolve(
        indexes
          .filter((index) => index >= knownUntil && index < ended)
          .map((index) => candle(index, "2", { closed: false })),
      ),
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
    recentCount: fc.integer({ min: 0, max: 12 }),
    isStreamLate: fc.boolean(),
    isForward: fc.boolean(),
    end: fc.constantFrom(0, 140, 185),
  });
  await fc.assert(
    fc.asyncProperty(lives, async ({ places, knownUntil, span, pageSize, isForward, ...life }) => {
      const { end, recentCount, isStreamLate } = life;
      const sorted = places.toSorted((one, other) => one - other);
      const ended = knownUntil + recentCount;
      const past = pastOf(sorted, knownUntil, span, ended);
      // The stream has brought what is behind, and some of what the past has as well; or it has
      // begun when the last candles had ended.
      const streamedFrom = isStreamLate ? ended : knownUntil - 5;
      const kept = sorted.filter((place) => place >= streamedFrom).map((place) => candle(place));
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

type RecentLife = {
  readonly streamed: readonly Candle[];
  readonly asked?: Partial<PageRequest>;
  readonly recent?: () => Promise<never>;
};

/** Starts and closes of a first page, where 100 is known and 101 and 102 have ended since. */
async function recentPage({ streamed, asked = {}, recent }: RecentLife) {
  const past = pastOf([100, 101, 102], 101, 10, 103);
  let asks = 0;
  const counted: CandlePast["recent"] = (...given) => {
    asks += 1;
    return recent === undefined ? past.recent(...given) : recent();
  };
  const parts = { past: { ...past, recent: counted }, instrument: INSTRUMENT };
  const kept = { length: streamed.length, at: (index: number) => streamed[index] as Candle };
  const request = { fromTimeUs: 0, toTimeUs: 0, pageSize: 10, pageToken: "", ...asked };
  const page = await takePastPage(
    { ...parts, intervalMs: INTERVAL_MS, kept: () => kept },
    request,
    "q",
  );
  if (typeof page === "string") throw new Error(page);
  const told = page.rows.map(
    ({ openTimeUs, close, closed }) => `${openTimeUs / STEP_US} ${close} ${closed}`,
  );
  return { told, asks };
}

test("what has ended before the stream began is asked for, and told as what may change", async () => {
  for (const fromTimeUs of [0, 100 * STEP_US]) {
    const { told } = await recentPage({ streamed: [candle(103, "9")], asked: { fromTimeUs } });
    expect(told).toEqual(["100 1 true", "101 2 false", "102 2 false", "103 9 true"]);
  }
});

test("a streamed candle goes before one that may change, unless a part of it is missing", async () => {
  const part = candle(101, "8", { incomplete: true });
  const { told } = await recentPage({ streamed: [part, candle(102, "9")] });
  expect(told).toEqual(["100 1 true", "101 2 false", "102 9 true"]);
});

test("nothing is asked for that the stream has, or that lies behind the range", async () => {
  const streamed = [candle(101, "9"), candle(102, "9")];
  expect((await recentPage({ streamed })).asks).toBe(0);
  const asked = { toTimeUs: 101 * STEP_US };
  expect(await recentPage({ streamed: [], asked })).toEqual({ told: ["100 1 true"], asks: 0 });
});

test("where the last candles cannot be had, the page is what there is", async () => {
  const recent = () => Promise.reject(new CandlePastError("unavailable", "not now"));
  const part = candle(101, "8", { incomplete: true });
  const { told } = await recentPage({ streamed: [part], recent });
  expect(told).toEqual(["100 1 true", "101 8 true"]);
});
