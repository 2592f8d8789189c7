import { readHistoryToken, writeHistoryToken } from "#wire/history-token.ts";
import { CandlePastError } from "#core/candle-past.ts";
import type { CandlePast } from "#core/candle-past.ts";
import type { Instrument } from "#core/instrument.ts";
import type { Candle } from "#core/market-event.ts";
import type { KeptRows, NoPage, Page, PageRequest } from "./history-page.ts";

type PastPageParts = {
  readonly past: CandlePast;
  readonly instrument: Instrument;
  readonly intervalMs: number;
  /** What is kept of the stream, read when the past is there. */
  readonly kept: () => KeptRows<Candle>;
};

/**
 * The page that a request asks for, of what the past has and, behind that, of what the stream has
 * brought. A candle is the past's as soon as that has it, so that the answer is the same later.
 * What has ended since, and was not streamed whole, is asked for as it is now. The rules of pages
 * are those of `takePage`; a page may be short where much time had no candles.
 */
export async function takePastPage(
  parts: PastPageParts,
  asked: PageRequest,
  query: string,
): Promise<Page<Candle> | NoPage> {
  const cut = asked.pageToken === "" ? undefined : readHistoryToken(query, asked.pageToken);
  if (asked.pageToken !== "" && cut === undefined) return "bad-token";
  if (cut !== undefined && cut.epoch !== 0) return "expired-token";
  const page = asked.fromTimeUs === 0 ? earlierPage : laterPage;
  return page(parts, asked, cut?.key, (key) => writeHistoryToken(query, { epoch: 0, key }));
}

type WriteToken = (key: number) => string;

async function earlierPage(
  parts: PastPageParts,
  { toTimeUs, pageSize }: PageRequest,
  cutUs: number | undefined,
  tokenOf: WriteToken,
): Promise<Page<Candle>> {
  const { past, instrument, intervalMs, kept } = parts;
  const endUs = cutUs ?? (toTimeUs === 0 ? Infinity : toTimeUs);
  const recent = recentCandles(parts, endUs);
  const knownUs = past.knownUntilUs(intervalMs);
  const untilUs = Math.min(endUs, knownUs);
  const tailCount = tailOf(kept(), knownUs, endUs).length;
  const countMax = Math.max(0, pageSize - tailCount) + 1;
  const slice = await past.before(instrument, {
    intervalMs,
    fromTimeUs: 0,
    toTimeUs: untilUs,
    countMax,
  });
  const tail = joinedTail(await recent, tailOf(kept(), slice.toTimeUs, endUs), slice.toTimeUs);
  const rows = [...slice.candles, ...tail];
  const page = rows.slice(-pageSize);
  const isMore = rows.length > pageSize || !slice.isOldest;
  const oldestUs = page[0]?.openTimeUs;
  const isCutShort = rows.length <= pageSize;
  const keptFromTimeUs = isMore && isCutShort ? slice.fromTimeUs : (oldestUs ?? 0);
  const placeUs = isCutShort ? slice.fromTimeUs : (oldestUs ?? slice.fromTimeUs);
  return { rows: page, nextPageToken: isMore ? tokenOf(placeUs) : "", keptFromTimeUs };
}

async function laterPage(
  parts: PastPageParts,
  { fromTimeUs, toTimeUs, pageSize }: PageRequest,
  cutUs: number | undefined,
  tokenOf: WriteToken,
): Promise<Page<Candle>> {
  const { past, instrument, intervalMs, kept } = parts;
  const beginUs = cutUs === undefined ? fromTimeUs : cutUs + 1;
  const endUs = toTimeUs === 0 ? Infinity : toTimeUs;
  const recent = recentCandles(parts, endUs);
  const untilUs = Math.max(beginUs, Math.min(endUs, past.knownUntilUs(intervalMs)));
  const slice = await past.after(instrument, {
    intervalMs,
    fromTimeUs: beginUs,
    toTimeUs: untilUs,
    countMax: pageSize + 1,
  });
  const isThrough = slice.toTimeUs >= untilUs;
  const streamed = isThrough ? tailOf(kept(), untilUs, endUs) : [];
  const tail = isThrough ? joinedTail(await recent, streamed, untilUs) : [];
  const rows = [...slice.candles, ...tail];
  const page = rows.slice(0, pageSize);
  const isCutShort = rows.length <= pageSize;
  const isMore = !isCutShort || !isThrough;
  const placeUs = isCutShort ? slice.toTimeUs - 1 : (page.at(-1)?.openTimeUs ?? beginUs);
  // What begins before everything that there is begins with the first candle.
  const keptFromTimeUs = slice.isOldest ? (page[0]?.openTimeUs ?? 0) : fromTimeUs;
  return { rows: page, nextPageToken: isMore ? tokenOf(placeUs) : "", keptFromTimeUs };
}

/** What the stream has brought that begins in this range. */
function tailOf(kept: KeptRows<Candle>, fromUs: number, toUs: number): Candle[] {
  const rows: Candle[] = [];
  for (let index = kept.length - 1; index >= 0; index -= 1) {
    const row = kept.at(index);
    if (row.openTimeUs < fromUs) break;
    if (row.openTimeUs < toUs) rows.push(row);
  }
  return rows.toReversed();
}

/**
 * What has ended since the past knew everything, before a time, where the stream has not brought
 * all of it: this process has begun in the meantime, or was cut off. Nothing where it cannot be had
 * now.
 */
async function recentCandles(
  { past, instrument, intervalMs, kept }: PastPageParts,
  endUs: number,
): Promise<readonly Candle[]> {
  const intervalUs = intervalMs * 1_000;
  const knownUs = past.knownUntilUs(intervalMs);
  const untilUs = Math.min(past.endedUntilUs(intervalMs), endUs);
  const whole = tailOf(kept(), knownUs, untilUs).filter(isWhole);
  if (whole.length * intervalUs >= untilUs - knownUs) return [];
  try {
    const candles = await past.recent(instrument, intervalMs);
    return candles.filter(({ openTimeUs }) => openTimeUs < endUs);
  } catch (error) {
    if (!(error instanceof CandlePastError)) throw error;
    return [];
  }
}

/** A deriver says of a candle that it did not see all of it. */
function isWhole({ incomplete }: Candle): boolean {
  return incomplete !== true;
}

/** Candles that begin at or after a time: the streamed ones, and those asked for in their holes. */
function joinedTail(
  recent: readonly Candle[],
  streamed: readonly Candle[],
  fromUs: number,
): readonly Candle[] {
  const missing = recent.filter(({ openTimeUs }) => {
    const isStreamed = streamed.some((each) => each.openTimeUs === openTimeUs && isWhole(each));
    return openTimeUs >= fromUs && !isStreamed;
  });
  if (missing.length === 0) return streamed;
  const starts = new Set(missing.map(({ openTimeUs }) => openTimeUs));
  const others = streamed.filter(({ openTimeUs }) => !starts.has(openTimeUs));
  return [...others, ...missing].toSorted((one, other) => one.openTimeUs - other.openTimeUs);
}
