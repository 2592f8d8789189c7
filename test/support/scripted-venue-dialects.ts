import type {
  LevelText,
  MarketBook,
  MarketDelta,
  ScriptedMarket,
  ScriptedTrade,
} from "./scripted-venue-market.ts";

/** The venues that a scripted server can be. */
export type ScriptedVenueId = "binance" | "coinbase" | "kraken";

/** What a client asked for on one connection. */
export type ScriptedRequest =
  | {
      readonly kind: "subscribe" | "unsubscribe";
      readonly channel: "book" | "trades";
      readonly symbol: string;
    }
  | { readonly kind: "answer"; readonly text: string };

export type DialectContext = {
  readonly markets: ReadonlyMap<string, ScriptedMarket>;
  /** Symbols whose subscriptions are refused. */
  readonly refused: ReadonlySet<string>;
  /** What the connection has subscribed so far, as `book SYMBOL` and `trades SYMBOL`. */
  readonly subscribed: ReadonlySet<string>;
};

/** One venue's protocol: pure translations between a market and the venue's texts. */
export type Dialect = {
  /** Path of the WebSocket after the server's address. */
  readonly webSocketPath: string;
  /** Levels that a book subscription shows; all if undefined. */
  readonly depth: number | undefined;
  readonly priceScale: number;
  venueSymbol(market: ScriptedMarket): string;
  /** What a frame of the client means, in order; answers are sent to that connection only. */
  read(frame: string, context: DialectContext): readonly ScriptedRequest[];
  /** The frame that begins a book, if the venue sends books in-band. */
  snapshotFrame(symbol: string, book: MarketBook, timeUs: number): string | undefined;
  deltaFrame(symbol: string, delta: MarketDelta, after: MarketBook, timeUs: number): string;
  tradeFrame(symbol: string, trade: ScriptedTrade, timeUs: number): string;
  /** The same frame with a checksum that is not the book's; undefined where there are none. */
  withWrongChecksum(frame: string): string | undefined;
  heartbeatFrame(symbol: string, timeUs: number): string | undefined;
  /** The answer to a GET; undefined for 404. `book` gives the snapshot that is to be served. */
  rest(
    url: URL,
    markets: ReadonlyMap<string, ScriptedMarket>,
    book: (symbol: string) => MarketBook | undefined,
  ): unknown;
  /** True for the address of a book snapshot. */
  isSnapshotPath(path: string): boolean;
};

type Json = Readonly<Record<string, unknown>>;

const iso = (timeUs: number): string =>
  new Date(Math.floor(timeUs / 1000))
    .toISOString()
    .replace("Z", `${String(timeUs % 1000).padStart(3, "0")}Z`);

/** https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams */
const binance: Dialect = {
  webSocketPath: "",
  depth: undefined,
  priceScale: 2,
  venueSymbol: (market) => `${market.base}${market.quote}`,
  read(frame) {
    const { method, params, id } = JSON.parse(frame) as {
      method: string;
      params: string[];
      id: number;
    };
    const kind = method === "UNSUBSCRIBE" ? "unsubscribe" : "subscribe";
    const requests: ScriptedRequest[] = [];
    // A stream of an unknown symbol is accepted and stays silent.
    for (const stream of params) {
      const [name = "", channel] = stream.split("@");
      const symbol = name.toUpperCase();
      if (channel === "depth") requests.push({ kind, channel: "book", symbol });
      if (channel === "trade") requests.push({ kind, channel: "trades", symbol });
    }
    return [...requests, { kind: "answer", text: JSON.stringify({ result: null, id }) }];
  },
  snapshotFrame: () => undefined,
  deltaFrame: (symbol, delta, _after, timeUs) =>
    stream(`${symbol.toLowerCase()}@depth@100ms`, {
      e: "depthUpdate",
      E: Math.floor(timeUs / 1000),
      s: symbol,
      U: delta.firstUpdateId,
      u: delta.lastUpdateId,
      b: delta.bids,
      a: delta.asks,
    }),
  tradeFrame: (symbol, trade, timeUs) =>
    stream(`${symbol.toLowerCase()}@trade`, {
      e: "trade",
      E: Math.floor(timeUs / 1000),
      s: symbol,
      t: trade.tradeId,
      p: trade.price,
      q: trade.size,
      T: Math.floor(timeUs / 1000),
      m: trade.aggressorSide === "seller",
      M: true,
    }),
  withWrongChecksum: () => undefined,
  heartbeatFrame: () => undefined,
  rest(url, markets, book) {
    if (url.pathname === "/api/v3/exchangeInfo") {
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
    }
    if (!binance.isSnapshotPath(url.pathname)) return undefined;
    return book(url.searchParams.get("symbol") ?? "");
  },
  isSnapshotPath: (path) => path === "/api/v3/depth",
};

function stream(name: string, data: unknown): string {
  return JSON.stringify({ stream: name, data });
}

/** The name that a channel is asked for by, what it carries, and the name it is listed under. */
const COINBASE_CHANNELS = [
  ["level2_batch", "book", "level2_50"],
  ["matches", "trades", "matches"],
] as const;

/** https://docs.cdp.coinbase.com/exchange/websocket-feed/channels */
const coinbase: Dialect = {
  webSocketPath: "",
  depth: undefined,
  priceScale: 2,
  venueSymbol: (market) => `${market.base}-${market.quote}`,
  read(frame, { markets, refused, subscribed }) {
    const {
      type,
      product_ids: products,
      channels,
    } = JSON.parse(frame) as {
      type: "subscribe" | "unsubscribe";
      product_ids: string[];
      channels: string[];
    };
    const unknown = products.find((product) => !markets.has(product) || refused.has(product));
    if (unknown !== undefined) {
      const reason = `${unknown} is not a valid product`;
      return [
        {
          kind: "answer",
          text: JSON.stringify({ type: "error", message: "Failed to subscribe", reason }),
        },
      ];
    }
    const requests: ScriptedRequest[] = [];
    const after = new Set(subscribed);
    for (const symbol of products) {
      for (const [name, channel] of COINBASE_CHANNELS) {
        if (!channels.includes(name)) continue;
        requests.push({ kind: type, channel, symbol });
        if (type === "subscribe") after.add(`${channel} ${symbol}`);
        else after.delete(`${channel} ${symbol}`);
      }
    }
    // The list is always that of the whole connection.
    const list = COINBASE_CHANNELS.map(([, channel, name]) => ({
      name,
      product_ids: [...markets.keys()].filter((symbol) => after.has(`${channel} ${symbol}`)),
      account_ids: null,
    }));
    const text = JSON.stringify({ type: "subscriptions", channels: list });
    requests.unshift({ kind: "answer", text });
    return requests;
  },
  snapshotFrame: (symbol, { bids, asks }, timeUs) =>
    JSON.stringify({ type: "snapshot", product_id: symbol, bids, asks, time: iso(timeUs) }),
  deltaFrame: (symbol, delta, _after, timeUs) =>
    JSON.stringify({
      type: "l2update",
      product_id: symbol,
      changes: [
        ...delta.bids.map(([price, size]) => ["buy", price, size]),
        ...delta.asks.map(([price, size]) => ["sell", price, size]),
      ],
      time: iso(timeUs),
    }),
  tradeFrame: (symbol, trade, timeUs) =>
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
  withWrongChecksum: () => undefined,
  heartbeatFrame: (symbol, timeUs) =>
    JSON.stringify({
      type: "heartbeat",
      sequence: 1,
      last_trade_id: 1,
      product_id: symbol,
      time: iso(timeUs),
    }),
  rest(url, markets) {
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
  isSnapshotPath: () => false,
};

const KRAKEN_DEPTH = 10;

/** https://docs.kraken.com/exchange/api-reference/spot-websocket */
const kraken: Dialect = {
  webSocketPath: "/v2",
  depth: KRAKEN_DEPTH,
  priceScale: 1,
  venueSymbol: (market) => `${market.base}/${market.quote}`,
  read(frame, { markets, refused }) {
    const {
      method,
      params,
      req_id: requestId,
    } = JSON.parse(frame) as {
      method: string;
      params?: { channel: string; symbol: string[]; depth?: number };
      req_id?: number;
    };
    if (method === "ping" || params === undefined) {
      return [{ kind: "answer", text: JSON.stringify({ method: "pong", req_id: requestId }) }];
    }
    const kind = method === "unsubscribe" ? "unsubscribe" : "subscribe";
    const requests: ScriptedRequest[] = [];
    for (const symbol of params.symbol) {
      const wrongDepth = params.channel === "book" && params.depth !== KRAKEN_DEPTH;
      if (!markets.has(symbol) || refused.has(symbol) || wrongDepth) {
        const error = wrongDepth ? "Depth not supported" : `Currency pair not supported ${symbol}`;
        const refusal = { error, method, req_id: requestId, success: false, symbol };
        requests.push({ kind: "answer", text: JSON.stringify(refusal) });
        continue;
      }
      const result = { ...params, symbol };
      const acknowledgement = { method, req_id: requestId, result, success: true };
      requests.push({ kind: "answer", text: JSON.stringify(acknowledgement) });
      if (params.channel === "book") requests.push({ kind, channel: "book", symbol });
      if (params.channel === "trade") requests.push({ kind, channel: "trades", symbol });
    }
    return requests;
  },
  snapshotFrame: (symbol, book, timeUs) => krakenBook("snapshot", symbol, book, book, timeUs),
  deltaFrame: (symbol, delta, after, timeUs) => krakenBook("update", symbol, delta, after, timeUs),
  tradeFrame: (symbol, trade, timeUs) => {
    const side = trade.aggressorSide === "buyer" ? "buy" : "sell";
    return `{"channel":"trade","type":"update","data":[{"symbol":"${symbol}","side":"${side}","price":${trade.price},"qty":${trade.size},"ord_type":"limit","trade_id":${trade.tradeId},"timestamp":"${iso(timeUs)}"}]}`;
  },
  withWrongChecksum: (frame) =>
    frame.replace(
      /"checksum":(\d+)/,
      (_, checksum) => `"checksum":${(Number(checksum) + 1) % 2 ** 32}`,
    ),
  heartbeatFrame: () => '{"channel":"heartbeat"}',
  rest(url, markets) {
    if (url.pathname !== "/0/public/AssetPairs") return undefined;
    const pairs = [...markets].map(([, { base, quote }]): [string, Json] => {
      const old = base === "BTC" ? "XBT" : base;
      const wsname = `${old}/${quote}`;
      return [`${old}${quote}`, { wsname, pair_decimals: 1, lot_decimals: 8, status: "online" }];
    });
    return { error: [], result: Object.fromEntries(pairs) };
  },
  isSnapshotPath: () => false,
};

/** Prices are bare numbers with all their zeros, so this text is put together by hand. */
function krakenBook(
  type: "snapshot" | "update",
  symbol: string,
  changes: { readonly bids: readonly LevelText[]; readonly asks: readonly LevelText[] },
  after: MarketBook,
  timeUs: number,
): string {
  const levels = (texts: readonly LevelText[]): string =>
    texts.map(([price, size]) => `{"price":${price},"qty":${size}}`).join(",");
  return `{"channel":"book","type":"${type}","data":[{"symbol":"${symbol}","bids":[${levels(changes.bids)}],"asks":[${levels(changes.asks)}],"checksum":${checksumOf(after)},"timestamp":"${iso(timeUs)}"}]}`;
}

/**
 * Written from the documentation, bit by bit and over texts, so that it can judge the adapter's.
 */
function checksumOf(book: MarketBook): number {
  const digits = (text: string): string => text.replace(".", "").replace(/^0+/, "");
  const text = [...book.asks.slice(0, 10), ...book.bids.slice(0, 10)]
    .map(([price, size]) => digits(price) + digits(size))
    .join("");
  let crc = 0xffffffff;
  for (let index = 0; index < text.length; index++) {
    crc ^= text.charCodeAt(index);
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return ~crc >>> 0;
}

/** One entry a venue. */
export const DIALECTS: Readonly<Record<ScriptedVenueId, Dialect>> = { binance, coinbase, kraken };
