import { readHistoryToken, writeHistoryToken } from "#wire/history-token.ts";
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
 * brought. A candle is the past's as soon as that has it, so that the answer is the same later. The
 * rules of pages are those of `takePage`; a page may be short where much time had no candles.
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
  { past, instrument, intervalMs, kept }: PastPageParts,
  { toTimeUs, pageSize }: PageRequest,
  cutUs: number | undefined,
  tokenOf: WriteToken,
): Promise<Page<Candle>> {
  const endUs = cutUs ?? (toTimeUs === 0 ? Infinity : toTimeUs);
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
  const rows = [...slice.candles, ...tailOf(kept(), slice.toTimeUs, endUs)];
  const page = rows.slice(-pageSize);
  const isMore = rows.length > pageSize || !slice.isOldest;
  const oldestUs = page[0]?.openTimeUs;
  const isCutShort = rows.length <= pageSize;
  const keptFromTimeUs = isMore && isCutShort ? slice.fromTimeUs : (oldestUs ?? 0);
  const placeUs = isCutShort ? slice.fromTimeUs : (oldestUs ?? slice.fromTimeUs);
  return { rows: page, nextPageToken: isMore ? tokenOf(placeUs) : "", keptFromTimeUs };
}

async function laterPage(
  { past, instrument, intervalMs, kept }: PastPageParts,
  { fromTimeUs, toTimeUs, pageSize }: PageRequest,
  cutUs: number | undefined,
  tokenOf: WriteToken,
): Promise<Page<Candle>> {
  const beginUs = cutUs === undefined ? fromTimeUs : cutUs + 1;
  const endUs = toTimeUs === 0 ? Infinity : toTimeUs;
  const untilUs = Math.max(beginUs, Math.min(endUs, past.knownUntilUs(intervalMs)));
  const slice = await past.after(instrument, {
    intervalMs,
    fromTimeUs: beginUs,
    toTimeUs: untilUs,
    countMax: pageSize + 1,
  });
  const isThrough = slice.toTimeUs >= untilUs;
  const tail = isThrough ? tailOf(kept(), Math.max(untilUs, beginUs), endUs) : [];
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
