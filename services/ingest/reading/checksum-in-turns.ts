import { crc32 } from "node:zlib";
import type { Mantissa, OrderBook } from "@tickwire/proto/model";

/** How a venue writes a level into the text that its checksum is made of. */
type LevelText = (book: OrderBook, price: Mantissa, size: Mantissa, isBid: boolean) => string;

/**
 * CRC-32, as a signed integer, over the best `levelsMax` bids and asks in turns, joined by colons.
 * A side that has ended is left out.
 */
export function checksumInTurns(book: OrderBook, levelsMax: number, textOf: LevelText): number {
  const bids = book.bids(levelsMax);
  const asks = book.asks(levelsMax);
  const texts: string[] = [];
  for (let level = 0; level < levelsMax; level += 1) {
    for (const side of [bids, asks]) {
      const price = side.prices[level];
      const size = side.sizes[level];
      if (price === undefined || size === undefined) continue;
      texts.push(textOf(book, price, size, side === bids));
    }
  }
  return crc32(texts.join(":")) | 0;
}
