import { ms } from "../texts.ts";
import type { Dialect, ScriptedRequest } from "../dialect.ts";

const isSnapshotPath = (url: URL): boolean => url.pathname === "/api/v3/depth";

/** https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams */
export const binance: Dialect = {
  webSocketPath: "",
  quote: "USDT",
  depth: undefined,
  priceScale: 2,
  sizeScale: 8,
  // A stream of an unknown symbol is accepted and stays silent.
  refusesByName: false,
  venueSymbol: (market) => `${market.base}${market.quote}`,
  symbol: (market) => `${market.base}-${market.quote}`,
  read(frame) {
    const { method, params, id } = JSON.parse(frame) as {
      method: string;
      params: string[];
      id: number;
    };
    const kind = method === "UNSUBSCRIBE" ? "unsubscribe" : "subscribe";
    const requests: ScriptedRequest[] = [];
    for (const stream of params) {
      const [name = "", channel] = stream.split("@");
      const symbol = name.toUpperCase();
      if (channel === "depth") requests.push({ kind, channel: "book", symbol });
      if (channel === "trade") requests.push({ kind, channel: "trades", symbol });
    }
    return [...requests, { kind: "answer", frame: JSON.stringify({ result: null, id }) }];
  },
  snapshotFrames: () => [],
  deltaFrames: (symbol, delta, _after, timeUs) => [
    stream(`${symbol.toLowerCase()}@depth@100ms`, {
      e: "depthUpdate",
      E: ms(timeUs),
      s: symbol,
      U: delta.firstUpdateId,
      u: delta.lastUpdateId,
      b: delta.bids,
      a: delta.asks,
    }),
  ],
  tradeFrames: (symbol, trade, timeUs) => [
    stream(`${symbol.toLowerCase()}@trade`, {
      e: "trade",
      E: ms(timeUs),
      s: symbol,
      t: trade.tradeId,
      p: trade.price,
      q: trade.size,
      T: ms(timeUs),
      m: trade.aggressorSide === "seller",
      M: true,
    }),
  ],
  listsTrades: true,
  rest({ url, trades, timeUs }, markets, book) {
    if (url.pathname === "/api/v3/time") return { serverTime: ms(timeUs) };
    if (url.pathname === "/api/v3/trades") {
      return trades(url.searchParams.get("symbol") ?? "").map((trade) => ({
        id: trade.tradeId,
        price: trade.price,
        qty: trade.size,
        time: ms(trade.timeUs),
        isBuyerMaker: trade.aggressorSide === "seller",
        isBestMatch: true,
      }));
    }
    if (isSnapshotPath(url)) return book(url.searchParams.get("symbol") ?? "");
    if (url.pathname !== "/api/v3/exchangeInfo") return undefined;
    return {
      timezone: "UTC",
      symbols: [...markets].map(([symbol, { base, quote }]) => ({
        symbol,
        status: "TRADING",
        baseAsset: base,
        quoteAsset: quote,
        filters: [
          { filterType: "PRICE_FILTER", tickSize: "0.01000000" },
          { filterType: "LOT_SIZE", stepSize: "0.00000001" },
        ],
      })),
    };
  },
  isSnapshotPath,
};

function stream(name: string, data: unknown): string {
  return JSON.stringify({ stream: name, data });
}
