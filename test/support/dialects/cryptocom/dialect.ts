import type { MarketBook, MarketDelta, ScriptedTrade } from "../../scripted-venue-market.ts";
import type { Dialect, ScriptedRequest } from "../dialect.ts";
import { ms, unitOf } from "../texts.ts";

const DEPTH = 10;
const PRICE_SCALE = 2;
const SIZE_SCALE = 5;

type Request = {
  readonly id: number;
  readonly method: string;
  readonly params?: { readonly channels?: readonly string[] };
};

/** https://exchange-docs.crypto.com/exchange/v1/rest-ws/index.html, spot. */
export const cryptocom: Dialect = {
  webSocketPath: "/exchange/v1/market",
  restPath: "/exchange/v1",
  quote: "USDT",
  depth: DEPTH,
  priceScale: PRICE_SCALE,
  sizeScale: SIZE_SCALE,
  refusesByName: true,
  venueSymbol: (market) => `${market.base}_${market.quote}`,
  symbol: (market) => `${market.base}-${market.quote}`,
  read(frame, { markets, refused, timeUs }) {
    const { id, method, params } = JSON.parse(frame) as Request;
    if (method !== "subscribe" && method !== "unsubscribe") return [];
    const names = params?.channels ?? [];
    const wrong = names.find((name) => {
      const [kind = "", ...rest] = name.split(".");
      const symbol = kind === "candlestick" ? rest[1] : rest[0];
      const isKnown = ["book", "trade", "ticker", "candlestick"].includes(kind);
      return !isKnown || !markets.has(symbol ?? "") || refused.has(symbol ?? "");
    });
    if (wrong !== undefined) {
      const message = `Invalid channel ${wrong}`;
      const answer = { id, method, code: 10004, message, original: frame };
      return [{ kind: "answer", frame: JSON.stringify(answer) }];
    }
    const answers = [JSON.stringify({ id, method, code: 0 })];
    for (const name of method === "subscribe" ? names : []) {
      if (!name.startsWith("trade.")) continue;
      // What was traded before, which nobody should take for news.
      const old = { price: "1.00", size: "1.00000", aggressorSide: "buyer", tradeId: 1 } as const;
      answers.push(tradesFrame(name.slice("trade.".length), old, timeUs - 60_000_000));
    }
    return [
      ...answers.map((each): ScriptedRequest => ({ kind: "answer", frame: each })),
      ...names.flatMap((name) => requestOf(method, name)),
    ];
  },
  snapshotFrames: (symbol, book, timeUs) => {
    const { lastUpdateId: u } = book;
    return [bookFrame("book", symbol, { ...sidesOf(book), u, ...timesOf(timeUs) })];
  },
  deltaFrames: (symbol, delta, _after, timeUs) => {
    const { firstUpdateId, lastUpdateId: u } = delta;
    const item = { update: sidesOf(delta), u, pu: firstUpdateId - 1, ...timesOf(timeUs) };
    return [bookFrame("book.update", symbol, item)];
  },
  tradeFrames: (symbol, trade, timeUs) => [tradesFrame(symbol, trade, timeUs)],
  heartbeatFrame: (_symbol, _connection, timeUs) =>
    JSON.stringify({ id: ms(timeUs), method: "public/heartbeat", code: 0 }),
  listsTrades: true,
  rest({ url, trades }, markets) {
    const method = url.pathname.replace("/exchange/v1/", "");
    if (method === "public/get-trades") {
      const symbol = url.searchParams.get("instrument_name") ?? "";
      const data = trades(symbol).map((trade) => tradeRow(symbol, trade, trade.timeUs));
      return { id: -1, method, code: 0, result: { data: data.toReversed() } };
    }
    if (method !== "public/get-instruments") return undefined;
    const data = [...markets].map(([symbol, { base, quote }]) => ({
      symbol,
      inst_type: "CCY_PAIR",
      display_name: `${base}/${quote}`,
      base_ccy: base,
      quote_ccy: quote,
      quote_decimals: PRICE_SCALE,
      quantity_decimals: SIZE_SCALE,
      price_tick_size: unitOf(PRICE_SCALE),
      qty_tick_size: unitOf(SIZE_SCALE),
      tradable: true,
    }));
    return { id: -1, method, code: 0, result: { data } };
  },
  isSnapshotPath: () => false,
};

function requestOf(kind: "subscribe" | "unsubscribe", name: string): readonly ScriptedRequest[] {
  const [channel, symbol = ""] = name.split(".");
  if (channel === "trade") return [{ kind, channel: "trades", symbol }];
  return channel === "book" ? [{ kind, channel: "book", symbol }] : [];
}

function sidesOf({ bids, asks }: MarketBook | MarketDelta): { asks: string[][]; bids: string[][] } {
  const levels = (side: MarketBook["bids"]): string[][] =>
    side.map(([price, size]) => [price, size, Number(size) === 0 ? "0" : "1"]);
  return { asks: levels(asks), bids: levels(bids) };
}

function timesOf(timeUs: number): { readonly t: number; readonly tt: number } {
  return { t: ms(timeUs) + 1, tt: ms(timeUs) };
}

function bookFrame(channel: string, symbol: string, item: object): string {
  const subscription = `book.${symbol}.${DEPTH}`;
  const result = { instrument_name: symbol, subscription, channel, depth: DEPTH, data: [item] };
  return JSON.stringify({ id: -1, method: "subscribe", code: 0, result });
}

function tradesFrame(symbol: string, trade: ScriptedTrade, timeUs: number): string {
  const data = [tradeRow(symbol, trade, timeUs)];
  const subscription = `trade.${symbol}`;
  const result = { instrument_name: symbol, subscription, channel: "trade", data };
  return JSON.stringify({ id: -1, method: "subscribe", code: 0, result });
}

/** The same on the connection and by REST. */
function tradeRow(symbol: string, trade: ScriptedTrade, timeUs: number): object {
  const { tradeId, price, size, aggressorSide } = trade;
  return {
    d: `4611686018${String(tradeId).padStart(9, "0")}`,
    t: ms(timeUs),
    p: price,
    q: size,
    s: aggressorSide === "buyer" ? "BUY" : "SELL",
    i: symbol,
  };
}
