// https://www.okx.com/docs-v5/en/#order-book-trading-market-data-ws-order-book-channel
// https://www.okx.com/help/okx-order-book-channels-checksum-field-deprecation
import { crc32 } from "node:zlib";
import { formatDecimal, type OrderBook } from "@tickwire/proto/model";
import type { BookSync } from "../../feed/feed-adapter.ts";
import { LINKED_CHANGES } from "../../reading/book-sequencings.ts";

/** Levels of each side that a checksum covered. */
const CHECKSUM_LEVELS = 25;

/** Books begin in the stream, and every update names the one before it. */
export const OKX_BOOK_SYNC: BookSync = {
  snapshot: "in-band",
  sequencing: {
    ...LINKED_CHANGES,
    // After maintenance the numbers begin anew: then the number is lower, yet what it follows is
    // named rightly.
    isCovered: (delta, snapshotUpdateId) =>
      delta.previousUpdateId !== snapshotUpdateId &&
      (delta.lastUpdateId ?? Infinity) <= snapshotUpdateId,
  },
  checksum: okxChecksum,
};

/**
 * CRC-32, as a signed integer, over `price:size` of the best 25 bids and asks in turns, joined by
 * colons; a side that has ended is left out. The venue writes decimals as we do: without zeros at
 * the end.
 */
function okxChecksum(book: OrderBook): number {
  const bids = book.bids(CHECKSUM_LEVELS);
  const asks = book.asks(CHECKSUM_LEVELS);
  const texts: string[] = [];
  for (let level = 0; level < CHECKSUM_LEVELS; level++) {
    for (const { prices, sizes } of [bids, asks]) {
      const price = prices[level];
      const size = sizes[level];
      if (price === undefined || size === undefined) continue;
      texts.push(formatDecimal(price, book.priceScale), formatDecimal(size, book.sizeScale));
    }
  }
  return crc32(texts.join(":")) | 0;
}
