import type { CandleHistory, CandleRange } from "../feed/feed-adapter.ts";

/** `pages` of a `CandleHistory`. */
export function candlePages(
  history: Pick<CandleHistory, "rowsMax" | "spanMsMax" | "isLatestOnly">,
  { intervalMs, ...range }: CandleRange,
  pagesMax: number,
): readonly CandleRange[] {
  const fromMs = Math.floor(range.fromMs / intervalMs) * intervalMs;
  const toMs = Math.ceil(range.toMs / intervalMs) * intervalMs;
  if (toMs <= fromMs) return [];
  if (history.isLatestOnly === true) return [{ intervalMs, fromMs, toMs }];
  const spanRows = Math.floor((history.spanMsMax ?? Infinity) / intervalMs);
  const pageMs = Math.max(1, Math.min(history.rowsMax, spanRows)) * intervalMs;
  const count = Math.ceil((toMs - fromMs) / pageMs);
  if (count > pagesMax) {
    throw new RangeError(`candles in ${count} pages exceed candlePagesMax ${pagesMax}`);
  }
  return Array.from({ length: count }, (_, index) => {
    const startMs = fromMs + index * pageMs;
    return { intervalMs, fromMs: startMs, toMs: Math.min(startMs + pageMs, toMs) };
  });
}
