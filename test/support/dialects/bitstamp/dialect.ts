import type { Dialect } from "../dialect.ts";

/** The venue's channels that the ingestor builds books and trades from. */
const CHANNELS = { diff_order_book: "book", live_trades: "trades" } as const;

const BOOK_PATH = /^\/api\/v2\/order_book\/([^/]+)\/?$/;
const TRANSACTIONS_PATH = /^\/api\/v2\/transactions\/([^/]+)\/?$/;

/**
 * The clock of the venue's book: its updates, one each millisecond since an invented start, so that
 * snapshots and changes stand in one order however late they are asked for.
 */
function microtimestamp(updateId: number): string {
  return String(1_700_000_000_000_000 + updateId * 1000);
}

/** https://www.bitstamp.net/websocket/v2/ */
export const bitstamp: Dialect = {
  webSocketPath: "",
  quote: "USD",
  depth: undefined,
  priceScale: 2,
  sizeScale: 8,
  // An unknown market is confirmed and stays silent.
  refusesByName: false,
  namesAtEnd: true,
  venueSymbol: (market) => `${market.base}${market.quote}`.toLowerCase(),
  symbol: (market) => `${market.base}-${market.quote}`,
  read(frame) {
    const { event, data } = JSON.parse(frame) as { event: string; data?: { channel: string } };
    if (event === "bts:heartbeat") {
      const answer = { event, channel: "", data: { status: "success" } };
      return [{ kind: "answer", frame: JSON.stringify(answer) }];
    }
    const name = data?.channel ?? "";
    const cut = name.lastIndexOf("_");
    const channel = CHANNELS[name.slice(0, cut) as keyof typeof CHANNELS];
    const kind = event === "bts:unsubscribe" ? "unsubscribe" : "subscribe";
    const done = `bts:${kind === "subscribe" ? "subscription" : "unsubscription"}_succeeded`;
    const answer = JSON.stringify({ event: done, channel: name, data: {} });
    const request = { kind, channel, symbol: name.slice(cut + 1) } as const;
    return [{ kind: "answer", frame: answer }, ...(channel === undefined ? [] : [request])];
  },
  snapshotFrames: () => [],
  deltaFrames: (symbol, delta) => {
    const us = microtimestamp(delta.lastUpdateId);
    return [
      JSON.stringify({
        data: {
          timestamp: us.slice(0, 10),
          microtimestamp: us,
          bids: delta.bids,
          asks: delta.asks,
        },
        channel: `diff_order_book_${symbol}`,
        event: "data",
      }),
    ];
  },
  tradeFrames: (symbol, trade, timeUs) => [
    JSON.stringify({
      data: {
        id: trade.tradeId,
        id_str: String(trade.tradeId),
        timestamp: String(Math.floor(timeUs / 1_000_000)),
        amount: Number(trade.size),
        amount_str: trade.size,
        price: Number(trade.price),
        price_str: trade.price,
        type: trade.aggressorSide === "buyer" ? 0 : 1,
        microtimestamp: String(timeUs),
        buy_order_id: 1,
        sell_order_id: 2,
      },
      channel: `live_trades_${symbol}`,
      event: "trade",
    }),
  ],
  heartbeatFrame: () =>
    JSON.stringify({ event: "bts:heartbeat", channel: "", data: { status: "success" } }),
  listsTrades: true,
  rest({ url, trades }, markets, book) {
    const traded = TRANSACTIONS_PATH.exec(url.pathname)?.[1];
    if (traded !== undefined) {
      const rows = trades(traded).map((trade) => ({
        date: String(Math.floor(trade.timeUs / 1_000_000)),
        tid: String(trade.tradeId),
        amount: trade.size,
        type: trade.aggressorSide === "buyer" ? "0" : "1",
        price: trade.price,
      }));
      return rows.toReversed();
    }
    const market = BOOK_PATH.exec(url.pathname)?.[1];
    const served = market === undefined ? undefined : book(market);
    if (served !== undefined) {
      const us = microtimestamp(served.lastUpdateId);
      const { bids, asks } = served;
      return { timestamp: us.slice(0, 10), microtimestamp: us, bids, asks };
    }
    if (url.pathname !== "/api/v2/markets/") return undefined;
    return [...markets].map(([symbol, { base, quote }]) => ({
      name: `${base}/${quote}`,
      market_symbol: symbol,
      base_currency: base,
      base_decimals: 8,
      counter_currency: quote,
      counter_decimals: 2,
      trading: "Enabled",
      market_type: "SPOT",
    }));
  },
  isSnapshotPath: (url) => BOOK_PATH.test(url.pathname),
};
