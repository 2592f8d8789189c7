// https://www.okx.com/docs-v5/en/#order-book-trading-market-data-ws-order-book-channel
// https://www.okx.com/help/okx-order-book-channels-checksum-field-deprecation
import { formatDecimal, type Mantissa, type OrderBook } from "@tickwire/proto/model";
import type { BookSync } from "../../feed/feed-adapter.ts";
import { LINKED_CHANGES } from "../../reading/book-sequencings.ts";
import { ChecksumInTurns } from "../../reading/checksum-in-turns.ts";

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

/** The venue writes decimals as we do: without zeros at the end. */
function okxChecksum(book: OrderBook): number {
  return sums.of(book, CHECKSUM_LEVELS);
}

const sums = new ChecksumInTurns(levelText);

function levelText(book: OrderBook, price: Mantissa, size: Mantissa): string {
  return `${formatDecimal(price, book.priceScale)}:${formatDecimal(size, book.sizeScale)}`;
}
