/**
 * Where a candle with this start is among others in the order of their starts, or belongs: at the
 * end for the newest one, which it mostly is.
 */
export function placeOfStart(
  candles: readonly { readonly openTimeUs: number }[],
  openTimeUs: number,
): number {
  let high = candles.length;
  let low = high > 0 && (candles[high - 1]?.openTimeUs ?? 0) < openTimeUs ? high : 0;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((candles[middle]?.openTimeUs ?? 0) < openTimeUs) low = middle + 1;
    else high = middle;
  }
  return low;
}
