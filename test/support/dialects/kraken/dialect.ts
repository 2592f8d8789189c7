import type { LevelText, MarketBook } from "../../scripted-venue-market.ts";
import type { Dialect, ScriptedRequest } from "../dialect.ts";
import { crc32Of, iso } from "../texts.ts";

const DEPTH = 10;

/** https://docs.kraken.com/exchange/api-reference/spot-websocket */
export const kraken: Dialect = {
  webSocketPath: "/v2",
  quote: "USDT",
  depth: DEPTH,
  priceScale: 1,
  sizeScale: 8,
  refusesByName: true,
  venueSymbol: (market) => `${market.base}/${market.quote}`,
  symbol: (market) => `${market.base}-${market.quote}`,
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
      return [{ kind: "answer", frame: JSON.stringify({ method: "pong", req_id: requestId }) }];
    }
    if (params.channel === "instrument") {
      const result = { ...params, snapshot: true };
      const frame = JSON.stringify({ method, req_id: requestId, result, success: true });
      return [{ kind: "answer", frame }, { kind: "market" }];
    }
    const kind = method === "unsubscribe" ? "unsubscribe" : "subscribe";
    const requests: ScriptedRequest[] = [];
    for (const symbol of params.symbol) {
      const wrongDepth = params.channel === "book" && params.depth !== DEPTH;
      if (!markets.has(symbol) || refused.has(symbol) || wrongDepth) {
        const error = wrongDepth ? "Depth not supported" : `Currency pair not supported ${symbol}`;
        const refusal = { error, method, req_id: requestId, success: false, symbol };
        requests.push({ kind: "answer", frame: JSON.stringify(refusal) });
        continue;
      }
      const result = { ...params, symbol };
      const acknowledgement = { method, req_id: requestId, result, success: true };
      requests.push({ kind: "answer", frame: JSON.stringify(acknowledgement) });
      if (params.channel === "book") requests.push({ kind, channel: "book", symbol });
      if (params.channel === "trade") requests.push({ kind, channel: "trades", symbol });
    }
    return requests;
  },
  snapshotFrames: (symbol, book, timeUs) => [bookFrame("snapshot", symbol, book, book, timeUs)],
  deltaFrames: (symbol, delta, after, timeUs) => [
    bookFrame("update", symbol, delta, after, timeUs),
  ],
  tradeFrames: (symbol, trade, timeUs) => {
    const side = trade.aggressorSide === "buyer" ? "buy" : "sell";
    return [
      `{"channel":"trade","type":"update","data":[{"symbol":"${symbol}","side":"${side}","price":${trade.price},"qty":${trade.size},"ord_type":"limit","trade_id":${trade.tradeId},"timestamp":"${iso(timeUs)}"}]}`,
    ];
  },
  withWrongChecksum: (frames) =>
    frames.map((frame) =>
      String(frame).replace(
        /"checksum":(\d+)/,
        (_, checksum) => `"checksum":${(Number(checksum) + 1) % 2 ** 32}`,
      ),
    ),
  heartbeatFrame: () => '{"channel":"heartbeat"}',
  listsTrades: true,
  rest({ url, trades, timeUs }, markets) {
    if (url.pathname === "/0/public/Time") {
      return { error: [], result: { unixtime: Math.floor(timeUs / 1e6) } };
    }
    if (url.pathname === "/0/public/Trades") {
      const rows = trades(url.searchParams.get("pair") ?? "").map((trade) => {
        const side = trade.aggressorSide === "buyer" ? "b" : "s";
        const seconds = (trade.timeUs / 1e6).toFixed(6);
        return `["${trade.price}","${trade.size}",${seconds},"${side}","l","",${trade.tradeId}]`;
      });
      return `{"error":[],"result":{"XPAIR":[${rows.join(",")}],"last":"1"}}`;
    }
    if (url.pathname !== "/0/public/AssetPairs") return undefined;
    const pairs = [...markets].map(([, { base, quote }]): [string, unknown] => {
      const old = base === "BTC" ? "XBT" : base;
      const wsname = `${old}/${quote}`;
      return [`${old}${quote}`, { wsname, pair_decimals: 1, lot_decimals: 8, status: "online" }];
    });
    return { error: [], result: Object.fromEntries(pairs) };
  },
  market: {
    // The venue has no auctions.
    stateFrame: (symbol, state) => {
      const words = {
        trading: "online",
        listed: "online",
        halted: "cancel_only",
        delisted: "delisted",
      };
      if (state === "auction") return undefined;
      const [base, quote] = symbol.split("/");
      const pairs = [{ symbol, base, quote, status: words[state] }];
      return JSON.stringify({ channel: "instrument", type: "update", data: { assets: [], pairs } });
    },
    maintenanceFrame: (isOver) => {
      const system = isOver ? "online" : "maintenance";
      const data = [{ system, api_version: "v2", connection_id: 1, version: "2.0.10" }];
      return JSON.stringify({ channel: "status", type: "update", data });
    },
  },
  isSnapshotPath: () => false,
};

/** Prices are bare numbers with all their zeros, so this text is put together by hand. */
function bookFrame(
  type: "snapshot" | "update",
  symbol: string,
  changes: { readonly bids: readonly LevelText[]; readonly asks: readonly LevelText[] },
  after: MarketBook,
  timeUs: number,
): string {
  const levels = (texts: readonly LevelText[]): string =>
    texts.map(([price, size]) => `{"price":${price},"qty":${size}}`).join(",");
  return `{"channel":"book","type":"${type}","data":[{"symbol":"${symbol}","bids":[${levels(changes.bids)}],"asks":[${levels(changes.asks)}],"checksum":${krakenChecksumOf(after)},"timestamp":"${iso(timeUs)}"}]}`;
}

/** Over the ten best of each side, written from the documentation, over texts. */
export function krakenChecksumOf(book: MarketBook): number {
  const digits = (text: string): string => text.replace(".", "").replace(/^0+/, "");
  const text = [...book.asks.slice(0, 10), ...book.bids.slice(0, 10)]
    .map(([price, size]) => digits(price) + digits(size))
    .join("");
  return crc32Of(text);
}
