import type { Dialect, DialectConnection, ScriptedRequest } from "../dialect.ts";
import { iso, ms } from "../texts.ts";

/**
 * Each book and each contract's trades are numbered; a snapshot has the number of the last change.
 */
function numbered(frame: string, symbol: string, { memory }: DialectConnection): string {
  const isSnapshot = frame.includes('"feed":"book_snapshot"');
  const key = `${frame.includes('"feed":"trade"') ? "trades" : "book"} ${symbol}`;
  const next = (memory.get(key) ?? 1000) + (isSnapshot ? 0 : 1);
  memory.set(key, next);
  return frame.replace('"seq":0', `"seq":${next}`);
}

function uidOf(tradeId: number): string {
  return `00000000-0000-4000-8000-${String(tradeId).padStart(12, "0")}`;
}

/** https://docs.kraken.com/api/docs/futures-api/websocket/book */
export const krakenFutures: Dialect = {
  webSocketPath: "/ws/v1",
  quote: "USD",
  depth: undefined,
  priceScale: 1,
  sizeScale: 4,
  refusesByName: true,
  venueSymbol: (market) => `PF_${market.base === "BTC" ? "XBT" : market.base}${market.quote}`,
  symbol: (market) => `${market.base}-${market.quote}-PERP`,
  greeting: () => ['{"event":"info","version":1}'],
  read(frame, { markets, refused }) {
    const request = JSON.parse(frame) as {
      event: string;
      feed?: string;
      product_ids?: string[];
    };
    const { event, feed, product_ids: products = [] } = request;
    const isUnknown = products.some((product) => !markets.has(product) || refused.has(product));
    if (isUnknown) {
      const refusal = { event: "error", message: "Invalid product id" };
      return [{ kind: "answer", frame: JSON.stringify(refusal) }];
    }
    const answer = JSON.stringify({ event: `${event}d`, feed, product_ids: products });
    const kind = event === "unsubscribe" ? "unsubscribe" : "subscribe";
    const requests: ScriptedRequest[] = [{ kind: "answer", frame: answer }];
    for (const symbol of products) {
      if (feed === "book") requests.push({ kind, channel: "book", symbol });
      if (feed === "trade") requests.push({ kind, channel: "trades", symbol });
    }
    return requests;
  },
  snapshotFrames: (symbol, book, timeUs) => {
    const side = (levels: readonly (readonly [string, string])[]): string =>
      levels.map(([price, size]) => `{"price":${price},"qty":${size}}`).join(",");
    return [
      `{"feed":"book_snapshot","product_id":"${symbol}","timestamp":${ms(timeUs)},"seq":0,"tickSize":null,"bids":[${side(book.bids)}],"asks":[${side(book.asks)}]}`,
    ];
  },
  deltaFrames: (symbol, delta, _after, timeUs) => {
    const one = (side: string, [price, size]: readonly [string, string]): string =>
      `{"feed":"book","product_id":"${symbol}","side":"${side}","seq":0,"price":${price},"qty":${size},"timestamp":${ms(timeUs)}}`;
    return [
      ...delta.bids.map((level) => one("buy", level)),
      ...delta.asks.map((level) => one("sell", level)),
    ];
  },
  tradeFrames: (symbol, trade, timeUs) => [
    `{"feed":"trade","product_id":"${symbol}","uid":"${uidOf(trade.tradeId)}","side":"${trade.aggressorSide === "buyer" ? "buy" : "sell"}","type":"fill","seq":0,"time":${ms(timeUs)},"qty":${trade.size},"price":${trade.price}}`,
  ],
  stamp: (frame, symbol, _channel, connection) =>
    typeof frame === "string" ? numbered(frame, symbol, connection) : frame,
  heartbeatFrame: (_symbol, _connection, timeUs) => `{"feed":"heartbeat","time":${ms(timeUs)}}`,
  listsTrades: true,
  rest({ url, trades, timeUs }, markets) {
    const answer = { result: "success", serverTime: iso(timeUs) };
    if (url.pathname === "/derivatives/api/v3/instruments/status") {
      return { ...answer, instrumentStatus: [] };
    }
    if (url.pathname === "/derivatives/api/v3/history") {
      const rows = trades(url.searchParams.get("symbol") ?? "").map((trade, index) => ({
        time: iso(trade.timeUs),
        trade_id: index + 1,
        price: Number(trade.price),
        size: Number(trade.size),
        side: trade.aggressorSide === "buyer" ? "buy" : "sell",
        type: "fill",
        uid: uidOf(trade.tradeId),
      }));
      return { ...answer, history: rows.toReversed() };
    }
    if (url.pathname !== "/derivatives/api/v3/instruments") return undefined;
    const instruments = [...markets].map(([symbol, { base, quote }]) => ({
      symbol,
      type: "flexible_futures",
      tickSize: 0.5,
      contractSize: 1,
      tradeable: true,
      contractValueTradePrecision: 4,
      base,
      quote,
      pair: `${base}:${quote}`,
    }));
    return { ...answer, instruments };
  },
  isSnapshotPath: () => false,
};
