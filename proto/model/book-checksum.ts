import { CRC32_START, finishCrc32, updateCrc32 } from "./crc32.ts";
import { formatDecimal } from "./decimal.ts";
import type { BookChange } from "./order-book.ts";
import type { LevelColumns } from "./price-ladder.ts";

/** Levels of each side that a checksum covers: the best ones. */
export const CHECKSUM_LEVELS_MAX = 1_000;

/**
 * What the levels of a book come to, whatever scales they are kept at: the CRC-32 of
 * `price:size,` of each bid, then `|`, then the same of each ask, best first, in plain decimals.
 */
export function bookChecksum({ priceScale, sizeScale, bids, asks }: BookChange): number {
  const ofBids = updateLevels(CRC32_START, bids, priceScale, sizeScale);
  const ofBoth = updateLevels(updateCrc32(ofBids, "|"), asks, priceScale, sizeScale);
  return finishCrc32(ofBoth);
}

function updateLevels(
  state: number,
  { prices, sizes }: LevelColumns,
  priceScale: number,
  sizeScale: number,
): number {
  const count = Math.min(prices.length, CHECKSUM_LEVELS_MAX);
  let crc = state;
  for (let index = 0; index < count; index += 1) {
    crc = updateCrc32(crc, formatDecimal(prices[index]!, priceScale));
    crc = updateCrc32(crc, ":");
    crc = updateCrc32(crc, formatDecimal(sizes[index]!, sizeScale));
    crc = updateCrc32(crc, ",");
  }
  return crc;
}
