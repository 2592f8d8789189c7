import type { LevelText, MarketBook } from "../../scripted-venue-market.ts";
import type { Dialect, ScriptedRequest } from "../dialect.ts";
import { kucoin } from "./dialect.ts";

const LEVELS = 500;

/** Requests by action and channel, answers by the number of the request. */
export const kucoinUta: Dialect = {
  ...kucoin,
  depth: LEVELS,
  namesAtEnd: true,
  venueSymbol: (market) => kucoin.venueSymbol(market),
  symbol: (market) => kucoin.symbol(market),
  greeting: () => [JSON.stringify({ sessionId: "s", message: "welcome", pingInterval: 18_000 })],
  read(frame, { markets, refused }) {
    const request = JSON.parse(frame) as {
      id: string;
      type?: string;
      action?: "subscribe" | "unsubscribe";
      channel?: string;
      symbol?: string;
    };
    const { id, action, channel, symbol = "" } = request;
    const answer = (fields: object): ScriptedRequest => ({
      kind: "answer",
      frame: JSON.stringify({ id, ...fields }),
    });
    if (action === undefined) return [answer({ type: "pong" })];
    if (!markets.has(symbol) || refused.has(symbol)) {
      return [answer({ result: false, reason: `symbol ${symbol} does not exist` })];
    }
    const wanted = channel === "obu" ? "book" : channel === "trade" ? "trades" : undefined;
    const done = answer({ result: true });
    return wanted === undefined ? [done] : [done, { kind: action, channel: wanted, symbol }];
  },
  snapshotFrames: (symbol, book, timeUs) => {
    const { lastUpdateId } = book;
    return [bookFrame("snapshot", symbol, { ...book, firstUpdateId: lastUpdateId }, timeUs)];
  },
  deltaFrames: (symbol, delta, _after, timeUs) => [bookFrame("delta", symbol, delta, timeUs)],
  tradeFrames: (symbol, { tradeId, price, size, aggressorSide }, timeUs) => [
    JSON.stringify({
      T: "trade.SPOT",
      P: `${timeUs}000`,
      d: {
        E: String(tradeId),
        M: `${timeUs}000`,
        S: aggressorSide === "buyer" ? "buy" : "sell",
        p: price,
        q: size,
        s: symbol,
        ti: String(tradeId),
      },
    }),
  ],
  rest: (request, markets, book) => kucoin.rest(request, markets, book),
  isSnapshotPath: () => false,
};

function bookFrame(
  t: string,
  s: string,
  book: Pick<MarketBook, "lastUpdateId"> & {
    readonly firstUpdateId: number;
    readonly bids: readonly LevelText[];
    readonly asks: readonly LevelText[];
  },
  timeUs: number,
): string {
  const { firstUpdateId: O, lastUpdateId: C, bids: b, asks: a } = book;
  const d = { C, M: `${timeUs}000`, O, a, b, s };
  return JSON.stringify({ T: "obu.SPOT", dp: "increment@10ms", t, P: `${timeUs}000`, d });
}
