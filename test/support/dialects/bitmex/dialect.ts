import type { ScriptedTrade } from "../../scripted-venue-market.ts";
import type { Dialect, ScriptedRequest } from "../dialect.ts";
import { iso, ms } from "../texts.ts";

const TOPICS = { orderBookL2_25: "book", trade: "trades" } as const;

/** A level's id, which means nothing: here it is the price in cents, below or above a million. */
function levelOf(symbol: string, side: "Buy" | "Sell", price: string, timeUs: number) {
  const id = Math.round(Number(price) * 100) + (side === "Buy" ? 0 : 1_000_000_000);
  return { symbol, id, side, price: Number(price), timestamp: time(timeUs) };
}

/** Milliseconds, as the venue writes them. */
function time(timeUs: number): string {
  return `${iso(timeUs).slice(0, 23)}Z`;
}

function table(name: string, action: string, data: readonly unknown[]): string {
  return JSON.stringify({ table: name, action, data });
}

/** The same on the connection and by REST. */
function tradeRow(symbol: string, trade: ScriptedTrade, timeUs: number): object {
  return {
    timestamp: time(timeUs),
    symbol,
    side: trade.aggressorSide === "buyer" ? "Buy" : "Sell",
    size: Number(trade.size),
    price: Number(trade.price),
    tickDirection: "ZeroPlusTick",
    trdMatchID: `00000000-0000-4000-8000-${String(trade.tradeId).padStart(12, "0")}`,
    trdType: "Regular",
  };
}

/** https://www.bitmex.com/app/wsAPI */
export const bitmex: Dialect = {
  webSocketPath: "/realtime",
  quote: "USDT",
  depth: undefined,
  priceScale: 2,
  sizeScale: 0,
  refusesByName: true,
  venueSymbol: (market) => `${market.base === "BTC" ? "XBT" : market.base}${market.quote}`,
  symbol: (market) => `${market.base}-${market.quote}-PERP`,
  greeting: (_connection, timeUs) => [
    JSON.stringify({
      info: "Welcome to the BitMEX Realtime API.",
      version: "2.0.0",
      timestamp: time(timeUs),
      docs: "https://www.bitmex.com/app/wsAPI",
      heartbeatEnabled: false,
      limit: { remaining: 719 },
    }),
  ],
  read(frame, { markets, refused }) {
    if (frame === "ping") return [{ kind: "answer", frame: "pong" }];
    const request = JSON.parse(frame) as { op: "subscribe" | "unsubscribe"; args: string[] };
    const { op, args } = request;
    return args.flatMap((topic): ScriptedRequest[] => {
      const [name = "", symbol = ""] = topic.split(":");
      if (!markets.has(symbol) || refused.has(symbol)) {
        const error = { status: 400, error: "Unknown or expired symbol.", meta: {}, request };
        return [{ kind: "answer", frame: JSON.stringify(error) }];
      }
      const done = JSON.stringify({ success: true, [op]: topic, request });
      const channel = TOPICS[name as keyof typeof TOPICS];
      const asked: ScriptedRequest[] = channel === undefined ? [] : [{ kind: op, channel, symbol }];
      return [{ kind: "answer", frame: done }, ...asked];
    });
  },
  snapshotFrames: (symbol, { bids, asks }, timeUs) => {
    const data = [
      ...asks.map(([price, size]) => ({
        ...levelOf(symbol, "Sell", price, timeUs),
        size: Number(size),
      })),
      ...bids.map(([price, size]) => ({
        ...levelOf(symbol, "Buy", price, timeUs),
        size: Number(size),
      })),
    ];
    const keys = ["symbol", "id", "side"];
    const partial = { table: "orderBookL2_25", action: "partial", keys, types: {}, data };
    return [JSON.stringify({ ...partial, filter: { symbol } })];
  },
  // The changes of a message are of one kind, so one change of the market may be two messages.
  deltaFrames: (symbol, { bids, asks }, _after, timeUs) => {
    const changes = [
      ...bids.map(([price, size]) => ({ level: levelOf(symbol, "Buy", price, timeUs), size })),
      ...asks.map(([price, size]) => ({ level: levelOf(symbol, "Sell", price, timeUs), size })),
    ];
    const gone = changes.filter(({ size }) => Number(size) === 0).map(({ level }) => level);
    const set = changes
      .filter(({ size }) => Number(size) > 0)
      .map(({ level, size }) => ({ ...level, size: Number(size) }));
    return [
      ...(gone.length > 0 ? [table("orderBookL2_25", "delete", gone)] : []),
      ...(set.length > 0 ? [table("orderBookL2_25", "update", set)] : []),
    ];
  },
  tradeFrames: (symbol, trade, timeUs) => [
    table("trade", "insert", [tradeRow(symbol, trade, timeUs)]),
  ],
  heartbeatFrame: () => "pong",
  listsTrades: true,
  rest({ url, trades, timeUs }, markets) {
    if (url.pathname === "/api/v1" || url.pathname === "/api/v1/") {
      return { name: "BitMEX API", version: "2.0.0", timestamp: ms(timeUs) };
    }
    if (url.pathname === "/api/v1/trade") {
      const symbol = url.searchParams.get("symbol") ?? "";
      const rows = trades(symbol).map((trade) => tradeRow(symbol, trade, trade.timeUs));
      return url.searchParams.get("reverse") === "true" ? rows.toReversed() : rows;
    }
    if (url.pathname !== "/api/v1/instrument/active") return undefined;
    return [...markets].map(([symbol, { quote }]) => ({
      symbol,
      state: "Open",
      typ: "FFWCSX",
      underlying: symbol.slice(0, -quote.length),
      quoteCurrency: quote,
      settlCurrency: "USDt",
      expiry: null,
      isInverse: false,
      isQuanto: false,
      tickSize: 0.01,
      lotSize: 1,
      multiplier: 1,
      underlyingToPositionMultiplier: 1_000_000,
    }));
  },
  isSnapshotPath: () => false,
};
