import { expect, test } from "vitest";
import { InstrumentCatalog } from "#core/instrument-catalog.ts";
import { CandlePastError } from "#core/candle-past.ts";
import { createFakeAdapter, fakeInstrument } from "#test/support/fake-feed.ts";
import { ManualClock } from "#test/support/manual-clock.ts";
import { candleHistory, namedIntervals, rowsAt } from "../../reading/candle-history.ts";
import type { FeedAdapter } from "../feed-adapter.ts";
import { FEED_POLICY_DEFAULTS } from "../feed-policy.ts";
import { BLOCKS_PER_PAGE_MAX, CandleArchive } from "./candle-archive.ts";
import { RequestPacer } from "./request-pacer.ts";
import type { RestAnswer } from "./rest-client.ts";
import type { SnapshotFetcher } from "./snapshot-fetcher.ts";
import { VenueRest } from "./venue-rest.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** 2026-01-05 00:00 UTC, so far into a block of 10 minutes as it begins one. */
const NOW_MS = 1_767_571_200_000;
const A = fakeInstrument("A-USD");
const ROWS_MAX = 10;

type Asked = { readonly intervalMs: number; readonly fromMs: number; readonly toMs: number };
type Options = {
  /** Which minutes have a candle. */
  readonly has?: (openMs: number) => boolean;
  readonly isLatestOnly?: boolean;
  readonly policy?: Partial<typeof FEED_POLICY_DEFAULTS>;
};

/** A venue of minutes and days, which answers when it is let. */
function create({ has = () => true, isLatestOnly, policy = {} }: Options = {}) {
  const clock = new ManualClock(NOW_MS * 1_000 + 30_000_000);
  const asked: Asked[] = [];
  const waiting: (() => void)[] = [];
  let answers: "at once" | "later" | "never" = "at once";
  const intervals = namedIntervals("1m 1d");
  const history = candleHistory({
    intervals,
    rowsMax: ROWS_MAX,
    ...(isLatestOnly === undefined ? {} : { isLatestOnly }),
    request: ({ intervalMs, fromMs, lastMs }) => {
      asked.push({ intervalMs, fromMs, toMs: lastMs + intervalMs });
      return { url: `${intervalMs} ${fromMs} ${lastMs}`, weight: 1 };
    },
    rowsOf: rowsAt(),
    columnsOf: () => ({ openTime: 0, open: 1, high: 1, low: 1, close: 1, volume: 1 }),
  });
  const get = ({ url }: { url: string }, onAnswer: (answer: RestAnswer) => void): void => {
    const [intervalMs = 0, fromMs = 0, lastMs = 0] = url.split(" ").map(Number);
    const rows: unknown[] = [];
    for (let at = fromMs; at <= lastMs; at += intervalMs) {
      let found = false;
      for (let minute = at; minute < at + intervalMs && !found; minute += MINUTE_MS) {
        found = has(minute);
      }
      if (found) rows.push([at, "1"]);
    }
    const answer = (): void => onAnswer({ url, status: 200, body: JSON.stringify(rows) });
    if (answers === "at once") clock.after(0, answer);
    else if (answers === "later") waiting.push(answer);
  };
  const context = {
    adapter: { ...createFakeAdapter(), candleHistory: history } as FeedAdapter,
    endpoints: { webSocket: "ws://venue", rest: "http://venue" },
    catalog: new InstrumentCatalog({ venue: "fake", instrumentsMax: 1 }),
    bookDepth: 1,
    clock,
    random: () => 0,
    policy: { ...FEED_POLICY_DEFAULTS, ...policy },
    logger: { debug() {}, info() {}, warn() {}, error() {} },
  };
  const pacer = new RequestPacer({
    limit: { count: 100_000, intervalMs: 1 },
    clock,
    waitingMax: 1_000,
  });
  const snapshots = { pacer, noteLimits() {} } as unknown as SnapshotFetcher;
  const rest = new VenueRest({ ...context, restClient: { get }, snapshots });
  const counters = { candleRequests: 0, candleRequestsFailed: 0, candlesKept: 0 };
  const archive = new CandleArchive({
    ...context,
    history,
    rest,
    counters,
    venueNowUs: () => clock.nowUs(),
  });
  const settled = async <Value>(work: Promise<Value>): Promise<Value> => {
    for (let turn = 0; turn < 30; turn += 1) {
      clock.advance(0);
      for (let task = 0; task < 20; task += 1) await Promise.resolve();
    }
    return work;
  };
  const setAnswers = (how: typeof answers): void => void (answers = how);
  return { archive, asked, clock, counters, settled, setAnswers, waiting };
}

const wish = (fromMs: number, toMs: number, countMax = 100) => ({
  intervalMs: MINUTE_MS,
  fromTimeUs: fromMs * 1_000,
  toTimeUs: toMs * 1_000,
  countMax,
});
const opens = ({ candles }: { candles: readonly { openTimeUs: number }[] }): number[] =>
  candles.map(({ openTimeUs }) => (openTimeUs / 1_000 - NOW_MS) / MINUTE_MS);

test("a candle is known ten seconds after its end", () => {
  const { archive, clock } = create();
  expect(archive.knownUntilUs(MINUTE_MS)).toBe(NOW_MS * 1_000);
  clock.advance(39_999);
  expect(archive.knownUntilUs(MINUTE_MS)).toBe(NOW_MS * 1_000);
  clock.advance(1);
  expect(archive.knownUntilUs(MINUTE_MS)).toBe((NOW_MS + MINUTE_MS) * 1_000);
});

test("a candle that has just ended is asked for once, and told as one that may change", async () => {
  const { archive, asked, clock, settled } = create();
  const recentOf = async () => {
    return (await settled(archive.recent(A, MINUTE_MS))).map(({ openTimeUs, closed }) => {
      return [(openTimeUs / 1_000 - NOW_MS) / MINUTE_MS, closed];
    });
  };
  clock.advance(29_999);
  expect(await recentOf()).toEqual([]);
  clock.advance(1);
  expect(await recentOf()).toEqual([[0, false]]);
  clock.advance(9_999);
  expect(await recentOf()).toEqual([[0, false]]);
  expect(asked).toEqual([{ intervalMs: MINUTE_MS, fromMs: NOW_MS, toMs: NOW_MS + MINUTE_MS }]);
  clock.advance(1);
  expect(await recentOf()).toEqual([]);
  const known = await settled(archive.after(A, wish(NOW_MS, NOW_MS + MINUTE_MS)));
  expect(known.candles).toMatchObject([{ openTimeUs: NOW_MS * 1_000, closed: true }]);
  clock.advance(50_000);
  expect(await recentOf()).toEqual([[1, false]]);
});

test("of a venue that has its latest candles alone, what has just ended is among them", async () => {
  const { archive, clock, settled } = create({ isLatestOnly: true });
  clock.advance(31_000);
  const recent = await settled(archive.recent(A, MINUTE_MS));
  expect(recent.map(({ openTimeUs }) => openTimeUs)).toEqual([NOW_MS * 1_000]);
});

test("a block is asked for once, however many pages lie in it", async () => {
  const { archive, asked, settled, counters } = create();
  const first = await settled(archive.before(A, wish(0, NOW_MS - 3 * MINUTE_MS, 4)));
  expect(opens(first)).toEqual([-10, -9, -8, -7, -6, -5, -4]);
  expect(first).toMatchObject({ fromTimeUs: (NOW_MS - 10 * MINUTE_MS) * 1_000, isOldest: false });
  await settled(archive.after(A, wish(NOW_MS - 9 * MINUTE_MS, NOW_MS - 8 * MINUTE_MS)));
  expect(asked).toEqual([{ intervalMs: MINUTE_MS, fromMs: NOW_MS - 10 * MINUTE_MS, toMs: NOW_MS }]);
  expect(counters).toEqual({ candleRequests: 1, candleRequestsFailed: 0, candlesKept: 10 });
});

test("the block that is not over is asked for again when it has another candle", async () => {
  const { archive, asked, clock, settled } = create();
  clock.advance(3 * MINUTE_MS);
  const later = NOW_MS + 60 * MINUTE_MS;
  expect(opens(await settled(archive.after(A, wish(NOW_MS, later))))).toEqual([0, 1, 2]);
  await settled(archive.after(A, wish(NOW_MS, later)));
  expect(asked).toHaveLength(1);
  clock.advance(MINUTE_MS);
  expect(opens(await settled(archive.after(A, wish(NOW_MS, later))))).toEqual([0, 1, 2, 3]);
  expect(asked).toHaveLength(2);
});

test("those who want the same block at once wait for one request", async () => {
  const { archive, asked, settled, setAnswers, waiting } = create();
  setAnswers("later");
  const both = [1, 2].map(() => archive.before(A, wish(0, NOW_MS, 3)));
  expect(asked).toHaveLength(1);
  for (const answer of waiting) answer();
  const [one, other] = await settled(Promise.all(both));
  expect(opens(one!)).toEqual(opens(other!));
});

test("who waits too long is told so, and what comes later is kept", async () => {
  const { archive, clock, settled, setAnswers, waiting, asked } = create();
  setAnswers("later");
  const asking = archive.before(A, wish(0, NOW_MS, 3)).catch((error: unknown) => error);
  clock.advance(FEED_POLICY_DEFAULTS.candleAnswerMsMax);
  expect(await settled(asking)).toBeInstanceOf(CandlePastError);
  for (const answer of waiting) answer();
  await settled(archive.before(A, wish(0, NOW_MS, 3)));
  expect(asked).toHaveLength(1);
});

test.each([-1, 0, 1])("more requests than may wait are refused (limit %i)", async (more) => {
  const { archive, settled, setAnswers, clock } = create({
    policy: { candleRequestsWaitingMax: 3 },
  });
  setAnswers("never");
  const asking = Array.from({ length: 3 + more }, (_, index) =>
    archive.before(A, wish(0, NOW_MS - index * 10 * MINUTE_MS, 3)).catch((error: unknown) => error),
  );
  for (let task = 0; task < 20; task += 1) await Promise.resolve();
  clock.advance(FEED_POLICY_DEFAULTS.candleAnswerMsMax);
  const codes = (await settled(Promise.all(asking))).map((each) => (each as CandlePastError).code);
  expect(codes.filter((code) => code === "busy")).toHaveLength(Math.max(0, more));
});

test.each([-1, 0, 1])(
  "the least lately used candles go beyond the limit (limit %i)",
  async (more) => {
    const { archive, settled, counters, asked } = create({
      policy: { candlesKeptMax: 2 * ROWS_MAX - more },
    });
    await settled(archive.before(A, wish(0, NOW_MS, 3)));
    await settled(archive.before(A, wish(0, NOW_MS - ROWS_MAX * MINUTE_MS, 3)));
    expect(counters.candlesKept).toBe(more > 0 ? ROWS_MAX : 2 * ROWS_MAX);
    await settled(archive.before(A, wish(0, NOW_MS, 3)));
    expect(asked).toHaveLength(more > 0 ? 3 : 2);
  },
);

test.each([-1, 0, 1])("blocks without candles have a limit too (limit %i)", async (more) => {
  const { archive, settled, asked } = create({
    has: () => false,
    policy: { candleBlocksKeptMax: 2 - more },
  });
  const askFor = async (block: number) => {
    const fromMs = NOW_MS - block * ROWS_MAX * MINUTE_MS;
    await settled(archive.after(A, wish(fromMs, fromMs + MINUTE_MS)));
  };
  await askFor(1);
  await askFor(2);
  await askFor(1);
  expect(asked).toHaveLength(more > 0 ? 3 : 2);
});

test("one page asks for so many blocks, and says how far they reach", async () => {
  const { archive, asked, settled } = create();
  const slice = await settled(archive.before(A, wish(0, NOW_MS, 1_000)));
  expect(asked).toHaveLength(BLOCKS_PER_PAGE_MAX);
  expect(slice.candles).toHaveLength(BLOCKS_PER_PAGE_MAX * ROWS_MAX);
  const reachedMs = NOW_MS - BLOCKS_PER_PAGE_MAX * ROWS_MAX * MINUTE_MS;
  expect(slice).toMatchObject({ fromTimeUs: reachedMs * 1_000, isOldest: false });
});

test("a silence of days is stepped over, and the end of everything is found", async () => {
  const lastMs = NOW_MS - 5 * DAY_MS - 7 * MINUTE_MS;
  const { archive, settled, asked } = create({ has: (openMs) => openMs === lastMs });
  const silence = await settled(archive.before(A, wish(0, NOW_MS, 3)));
  // The end of the day before the silence.
  expect(silence).toMatchObject({ candles: [], isOldest: false });
  expect(silence.fromTimeUs).toBe((NOW_MS - 5 * DAY_MS) * 1_000);
  const before = await settled(archive.before(A, wish(0, silence.fromTimeUs / 1_000, 3)));
  expect(before.candles.map(({ openTimeUs }) => openTimeUs)).toEqual([lastMs * 1_000]);
  let [beforeMs, looks, isOldest] = [lastMs, 0, false];
  for (; !isOldest && looks < 30; looks += 1) {
    const nothing = await settled(archive.before(A, wish(0, beforeMs, 3)));
    expect(nothing.candles).toEqual([]);
    beforeMs = nothing.fromTimeUs / 1_000;
    ({ isOldest } = nothing);
  }
  // No more of them than lie in the day of the first candle.
  expect(isOldest).toBe(true);
  expect(looks).toBeLessThanOrEqual(20);
  expect(asked.filter(({ intervalMs }) => intervalMs === DAY_MS)).not.toHaveLength(0);
});

test("of a venue that has its latest candles alone, the first of them is the oldest", async () => {
  const { archive, asked, settled } = create({ isLatestOnly: true });
  const slice = await settled(archive.before(A, wish(0, NOW_MS, 1_000)));
  expect(slice.candles).toHaveLength(ROWS_MAX);
  expect(slice).toMatchObject({ isOldest: true });
  await settled(archive.before(A, wish(0, NOW_MS - 4 * MINUTE_MS, 2)));
  expect(asked).toHaveLength(1);
});
