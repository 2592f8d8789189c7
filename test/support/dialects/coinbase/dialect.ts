import type { Dialect, ScriptedRequest } from "../dialect.ts";
import { iso } from "../texts.ts";

/** The name that a channel is asked for by, what it carries, and the name it is listed under. */
const CHANNELS = [
  ["level2_batch", "book", "level2_50"],
  ["matches", "trades", "matches"],
] as const;

/** https://docs.cdp.coinbase.com/exchange/websocket-feed/channels */
export const coinbase: Dialect = {
  webSocketPath: "",
  quote: "USDT",
  depth: undefined,
  priceScale: 2,
  sizeScale: 8,
  refusesByName: true,
  venueSymbol: (market) => `${market.base}-${market.quote}`,
  symbol: (market) => `${market.base}-${market.quote}`,
  read(frame, { markets, refused, connection }) {
    const {
      type,
      product_ids: products = [],
      channels,
    } = JSON.parse(frame) as {
      type: "subscribe" | "unsubscribe";
      product_ids?: string[];
      channels: string[];
    };
    if (channels.includes("status")) {
      const list = [{ name: "status", product_ids: [], account_ids: null }];
      const answer = JSON.stringify({ type: "subscriptions", channels: list });
      return [{ kind: "answer", frame: answer }, { kind: "market" }];
    }
    const unknown = products.find((product) => !markets.has(product) || refused.has(product));
    if (unknown !== undefined) {
      const reason = `${unknown} is not a valid product`;
      const refusal = { type: "error", message: "Failed to subscribe", reason };
      return [{ kind: "answer", frame: JSON.stringify(refusal) }];
    }
    const requests: ScriptedRequest[] = [];
    const after = new Set(connection.subscribed);
    for (const symbol of products) {
      for (const [name, channel] of CHANNELS) {
        if (!channels.includes(name)) continue;
        requests.push({ kind: type, channel, symbol });
        if (type === "subscribe") after.add(`${channel} ${symbol}`);
        else after.delete(`${channel} ${symbol}`);
      }
    }
    // The list is always that of the whole connection.
    const list = CHANNELS.map(([, channel, name]) => ({
      name,
      product_ids: [...markets.keys()].filter((symbol) => after.has(`${channel} ${symbol}`)),
      account_ids: null,
    }));
    const answer = JSON.stringify({ type: "subscriptions", channels: list });
    return [{ kind: "answer", frame: answer }, ...requests];
  },
  snapshotFrames: (symbol, { bids, asks }, timeUs) => [
    JSON.stringify({ type: "snapshot", product_id: symbol, bids, asks, time: iso(timeUs) }),
  ],
  deltaFrames: (symbol, delta, _after, timeUs) => [
    JSON.stringify({
      type: "l2update",
      product_id: symbol,
      changes: [
        ...delta.bids.map(([price, size]) => ["buy", price, size]),
        ...delta.asks.map(([price, size]) => ["sell", price, size]),
      ],
      time: iso(timeUs),
    }),
  ],
  tradeFrames: (symbol, trade, timeUs) => [
    JSON.stringify({
      type: "match",
      trade_id: trade.tradeId,
      maker_order_id: "00000000-0000-4000-8000-000000000001",
      taker_order_id: "00000000-0000-4000-8000-000000000002",
      // The maker's side.
      side: trade.aggressorSide === "buyer" ? "sell" : "buy",
      size: trade.size,
      price: trade.price,
      product_id: symbol,
      sequence: trade.tradeId * 10,
      time: iso(timeUs),
    }),
  ],
  heartbeatFrame: (symbol, _connection, timeUs) =>
    JSON.stringify({
      type: "heartbeat",
      sequence: 1,
      last_trade_id: 1,
      product_id: symbol,
      time: iso(timeUs),
    }),
  listsTrades: true,
  rest({ url, trades, timeUs }, markets) {
    if (url.pathname === "/time") return { iso: iso(timeUs), epoch: timeUs / 1e6 };
    const product = /^\/products\/([^/]+)\/trades$/.exec(url.pathname)?.[1];
    if (product !== undefined) {
      // The newest first, with the maker's side.
      return trades(product)
        .toReversed()
        .map((trade) => ({
          trade_id: trade.tradeId,
          side: trade.aggressorSide === "buyer" ? "sell" : "buy",
          size: trade.size,
          price: trade.price,
          time: iso(trade.timeUs),
        }));
    }
    if (url.pathname !== "/products") return undefined;
    return [...markets].map(([id, { base, quote }]) => ({
      id,
      base_currency: base,
      quote_currency: quote,
      quote_increment: "0.01",
      base_increment: "0.00000001",
      status: "online",
    }));
  },
  market: {
    stateFrame: (symbol, state) =>
      JSON.stringify({
        type: "status",
        products: [
          {
            id: symbol,
            status: state === "delisted" ? "delisted" : "online",
            auction_mode: state === "auction",
            trading_disabled: state === "halted" || state === "delisted",
            cancel_only: false,
            post_only: false,
            limit_only: false,
          },
        ],
        currencies: [],
      }),
  },
  isSnapshotPath: () => false,
};
