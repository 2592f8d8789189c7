// https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams
// https://developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams
import type { BookSequencing } from "../../feed/feed-adapter.ts";
import { venueSymbolOfStream } from "./fields.ts";

/** How book updates follow each other at both futures venues. */
export const FUTURES_SEQUENCING: BookSequencing = {
  isCovered: (delta, snapshotUpdateId) => (delta.lastUpdateId ?? Infinity) < snapshotUpdateId,
  bridges: ({ firstUpdateId = Infinity, lastUpdateId = 0, previousUpdateId }, snapshotUpdateId) =>
    (firstUpdateId <= snapshotUpdateId && snapshotUpdateId <= lastUpdateId) ||
    previousUpdateId === snapshotUpdateId,
  // Ids are shared by all symbols, so U is not the last u + 1.
  follows: (delta, lastUpdateId) => delta.previousUpdateId === lastUpdateId,
};

/** `btcusdt@depth20`, `btcusdt@depth5@100ms`; not `btcusdt@depth@100ms`. */
const PARTIAL_STREAM = /^[^@/]+@depth\d+(@|$)/;

/**
 * The symbol of a message that holds the best levels of a book, which we never ask for, but
 * recordings of others have. Only the name of the stream tells: at the futures venues the message
 * looks like a change of the book, and at the spot venue it does not name its symbol.
 */
export function partialBookSymbol(named: unknown, url: string | undefined): string | undefined {
  const stream = named ?? (url === undefined ? undefined : /\/ws\/([^/?#]+)$/.exec(url)?.[1]);
  return typeof stream === "string" && PARTIAL_STREAM.test(stream)
    ? venueSymbolOfStream(stream)
    : undefined;
}
