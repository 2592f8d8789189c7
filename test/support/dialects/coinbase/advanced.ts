import type { ScriptedTrade } from "../../scripted-venue-market.ts";
import type { Dialect, DialectConnection, ScriptedRequest } from "../dialect.ts";
import { iso, ms } from "../texts.ts";

/** The name that a channel is asked for by, and what it carries. */
const CHANNELS: Readonly<Record<string, "book" | "trades">> = {
  level2: "book",
  market_trades: "trades",
};

/** Everything on a connection is numbered from 0. */
function numbered(frame: string, { memory }: DialectConnection): string {
  const next = memory.get("sequence") ?? 0;
  memory.set("sequence", next + 1);
  return JSON.stringify({ ...(JSON.parse(frame) as object), sequence_num: next });
}

function message(channel: string, timeUs: number, events: readonly unknown[]): string {
  return JSON.stringify({ channel, client_id: "", timestamp: iso(timeUs), events });
}

function updates(
  levels: {
    readonly bids: readonly (readonly string[])[];
    readonly asks: readonly (readonly string[])[];
  },
  timeUs: number,
): unknown[] {
  const one = (side: string, [price, size]: readonly string[]) => ({
    side,
    event_time: iso(timeUs),
    price_level: price,
    new_quantity: size,
  });
  return [
    ...levels.bids.map((level) => one("bid", level)),
    ...levels.asks.map((level) => one("offer", level)),
  ];
}

function tradeRow(symbol: string, trade: ScriptedTrade, timeUs: number): object {
  return {
    trade_id: String(trade.tradeId),
    product_id: symbol,
    price: trade.price,
    size: trade.size,
    // The maker's side.
    side: trade.aggressorSide === "buyer" ? "SELL" : "BUY",
    time: iso(timeUs),
  };
}

/** https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-channels */
export const coinbaseAdvanced: Dialect = {
  webSocketPath: "",
  quote: "USDT",
  depth: undefined,
  priceScale: 2,
  sizeScale: 8,
  refusesByName: true,
  venueSymbol: (market) => `${market.base}-${market.quote}`,
  symbol: (market) => `${market.base}-${market.quote}`,
  read(frame, { markets, refused, connection, timeUs }) {
    const request = JSON.parse(frame) as {
      type: "subscribe" | "unsubscribe";
      product_ids?: string[];
      channel: string;
    };
    const products = request.product_ids ?? [];
    const unknown = products.find((product) => !markets.has(product) || refused.has(product));
    if (unknown !== undefined) {
      const text = `${unknown} is not a valid product`;
      return [{ kind: "answer", frame: JSON.stringify({ type: "error", message: text }) }];
    }
    const requests: ScriptedRequest[] = [];
    const after = new Set(connection.subscribed);
    const channel = CHANNELS[request.channel];
    for (const symbol of channel === undefined ? [] : products) {
      if (channel === undefined) continue;
      requests.push({ kind: request.type, channel, symbol });
      if (request.type === "subscribe") after.add(`${channel} ${symbol}`);
      else after.delete(`${channel} ${symbol}`);
    }
    const subscriptions = Object.fromEntries(
      Object.entries(CHANNELS).map(([name, carried]) => [
        name,
        [...markets.keys()].filter((symbol) => after.has(`${carried} ${symbol}`)),
      ]),
    );
    const answer = numbered(message("subscriptions", timeUs, [{ subscriptions }]), connection);
    return [{ kind: "answer", frame: answer }, ...requests];
  },
  snapshotFrames: (symbol, book, timeUs) => [
    message("l2_data", timeUs, [
      { type: "snapshot", product_id: symbol, updates: updates(book, timeUs) },
    ]),
  ],
  deltaFrames: (symbol, delta, _after, timeUs) => [
    message("l2_data", timeUs, [
      { type: "update", product_id: symbol, updates: updates(delta, timeUs) },
    ]),
  ],
  tradeFrames: (symbol, trade, timeUs) => [
    message("market_trades", timeUs, [
      {
        type: "update",
        trades: [tradeRow(symbol, trade, timeUs)],
      },
    ]),
  ],
  stamp: (frame, _symbol, _channel, connection) =>
    typeof frame === "string" ? numbered(frame, connection) : frame,
  heartbeatFrame: (_symbol, connection, timeUs) =>
    numbered(
      message("heartbeats", timeUs, [{ current_time: iso(timeUs), heartbeat_counter: 1 }]),
      connection,
    ),
  listsTrades: true,
  rest({ url, trades, timeUs }, markets) {
    if (url.pathname === "/api/v3/brokerage/time") {
      const epochSeconds = String(Math.floor(timeUs / 1e6));
      return { iso: iso(timeUs), epochSeconds, epochMillis: String(ms(timeUs)) };
    }
    const product = /\/market\/products\/([^/]+)\/ticker$/.exec(url.pathname)?.[1];
    if (product !== undefined) {
      const rows = trades(product).map((trade) => tradeRow(product, trade, trade.timeUs));
      return { trades: rows.toReversed(), best_bid: "", best_ask: "" };
    }
    if (url.pathname !== "/api/v3/brokerage/market/products") return undefined;
    const products = [...markets].map(([id, { base, quote }]) => ({
      product_id: id,
      product_type: "SPOT",
      base_currency_id: base,
      quote_currency_id: quote,
      price_increment: "0.01",
      base_increment: "0.00000001",
      status: "online",
      alias: "",
    }));
    return { products, num_products: products.length };
  },
  isSnapshotPath: () => false,
};
