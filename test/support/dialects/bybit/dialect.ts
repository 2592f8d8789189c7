import type { LevelText, MarketBook, MarketDelta } from "../../scripted-venue-market.ts";
import type { Dialect, ScriptedRequest } from "../dialect.ts";
import { ms, unitOf } from "../texts.ts";

const PRICE_SCALE = 2;
const SIZE_SCALE = 6;
/** The numbers of updates begin here, and the market's own have a step of two. */
const UPDATES_BEFORE = 1000;

/** https://bybit-exchange.github.io/docs/v5/ws/connect, spot. */
export const bybit: Dialect = {
  webSocketPath: "/v5/public",
  quote: "USDT",
  depth: undefined,
  priceScale: PRICE_SCALE,
  sizeScale: SIZE_SCALE,
  refusesByName: true,
  venueSymbol: (market) => `${market.base}${market.quote}`,
  symbol: (market) => `${market.base}-${market.quote}`,
  read(frame, { connection, markets, refused }) {
    const { op, req_id, args } = JSON.parse(frame) as {
      op: "subscribe" | "unsubscribe" | "ping";
      req_id?: string;
      args?: readonly string[];
    };
    const common = { conn_id: "2324d924-aa4d-45b0-a858-7b8be29ab52b", req_id: req_id ?? "", op };
    if (op === "ping" || args === undefined) {
      return [
        { kind: "answer", frame: JSON.stringify({ success: true, ret_msg: "pong", ...common }) },
      ];
    }
    const isSpot = connection.path === "/v5/public/spot";
    const wrong = args.find((topic) => {
      const symbol = topic.slice(topic.lastIndexOf(".") + 1);
      const known = /^(orderbook\.(1|50|200|1000)|publicTrade|tickers|kline\.1)\./.test(topic);
      return !isSpot || !known || !markets.has(symbol) || refused.has(symbol);
    });
    // One topic that it does not know, and more than ten of spot, and nothing is subscribed.
    if (wrong !== undefined || args.length > 10) {
      const ret_msg =
        wrong === undefined ? "args size >10" : `error:handler not found,topic:${wrong}`;
      return [{ kind: "answer", frame: JSON.stringify({ success: false, ret_msg, ...common }) }];
    }
    const answer = JSON.stringify({ success: true, ret_msg: op, ...common });
    return [{ kind: "answer", frame: answer }, ...args.flatMap((topic) => requestOf(op, topic))];
  },
  snapshotFrames: (symbol, book, timeUs) => [
    bookFrame("snapshot", symbol, book, book.lastUpdateId, timeUs),
  ],
  deltaFrames: (symbol, delta, _after, timeUs) => [
    bookFrame("delta", symbol, delta, delta.lastUpdateId, timeUs),
  ],
  tradeFrames: (symbol, trade, timeUs) => {
    const item = {
      i: executionOf(trade.tradeId),
      T: ms(timeUs),
      p: trade.price,
      v: trade.size,
      S: trade.aggressorSide === "buyer" ? "Buy" : "Sell",
      s: symbol,
      BT: false,
      RPI: false,
    };
    const topic = `publicTrade.${symbol}`;
    return [JSON.stringify({ topic, ts: ms(timeUs), type: "snapshot", data: [item] })];
  },
  heartbeatFrame: () => '{"success":true,"ret_msg":"pong","conn_id":"c","req_id":"","op":"ping"}',
  listsTrades: true,
  rest({ url, trades, timeUs }, markets) {
    const answer = { retCode: 0, retMsg: "OK", retExtInfo: {}, time: ms(timeUs) };
    if (url.pathname === "/v5/market/time") {
      const timeSecond = String(Math.floor(timeUs / 1e6));
      return { ...answer, result: { timeSecond, timeNano: `${timeUs}000` } };
    }
    const category = url.searchParams.get("category");
    if (url.pathname === "/v5/market/recent-trade" && category === "spot") {
      const symbol = url.searchParams.get("symbol") ?? "";
      const list = trades(symbol).map((trade) => ({
        execId: executionOf(trade.tradeId),
        symbol,
        price: trade.price,
        size: trade.size,
        side: trade.aggressorSide === "buyer" ? "Buy" : "Sell",
        time: String(ms(trade.timeUs)),
        isBlockTrade: false,
        isRPITrade: false,
      }));
      return { ...answer, result: { category, list: list.toReversed() } };
    }
    if (url.pathname !== "/v5/market/instruments-info") return undefined;
    const pairs = category === "spot" ? [...markets] : [];
    const list = pairs.map(([symbol, { base, quote }]) => ({
      symbol,
      baseCoin: base,
      quoteCoin: quote,
      innovation: "0",
      status: "Trading",
      lotSizeFilter: { basePrecision: unitOf(SIZE_SCALE) },
      priceFilter: { tickSize: unitOf(PRICE_SCALE) },
    }));
    return { ...answer, result: { category, list, nextPageCursor: "" } };
  },
  isSnapshotPath: () => false,
};

function executionOf(tradeId: number): string {
  return `22900000000${tradeId}`;
}

function requestOf(op: "subscribe" | "unsubscribe", topic: string): readonly ScriptedRequest[] {
  const symbol = topic.slice(topic.lastIndexOf(".") + 1);
  if (topic.startsWith("publicTrade.")) return [{ kind: op, channel: "trades", symbol }];
  const isBook = topic.startsWith("orderbook.") && !topic.startsWith("orderbook.1.");
  return isBook ? [{ kind: op, channel: "book", symbol }] : [];
}

/** Each message has the next number. */
function bookFrame(
  type: "snapshot" | "delta",
  symbol: string,
  { bids, asks }: Pick<MarketBook | MarketDelta, "bids" | "asks">,
  marketUpdateId: number,
  timeUs: number,
): string {
  const u = (marketUpdateId - UPDATES_BEFORE) / 2 + 2;
  const levels = (texts: readonly LevelText[]): string[][] =>
    texts.map(([price, size]) => [price, Number(size) === 0 ? "0" : size]);
  const data = { s: symbol, b: levels(bids), a: levels(asks), u, seq: marketUpdateId * 3 };
  const topic = `orderbook.1000.${symbol}`;
  return JSON.stringify({ topic, type, ts: ms(timeUs) + 1, data, cts: ms(timeUs) });
}
