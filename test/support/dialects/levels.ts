import type { MarketBook } from "../scripted-venue-market.ts";
import type { ScriptedVenueId } from "./registry.ts";

// What each venue answers when it is asked for the best levels of a book by REST, written from its
// documentation and not from the adapter.

type Asked = { readonly url: URL; readonly body: string };

type LevelsAnswer = {
  /** The symbol that is asked for; undefined for another request. */
  symbolOf(asked: Asked): string | undefined;
  answer(book: MarketBook, symbol: string): unknown;
};

function htxDepth(book: MarketBook): object {
  const { bids, asks } = top(book, 5);
  return { status: "ok", ts: 1, tick: { bids: numbers(bids), asks: numbers(asks) } };
}

/** The same of Upbit and Bithumb, with numbers and not texts. */
function koreanBook(book: MarketBook, market: string): object {
  const { bidPrice, bidSize, askPrice, askSize } = best(book);
  const [ask_price, bid_price] = [Number(askPrice), Number(bidPrice)];
  const [ask_size, bid_size] = [Number(askSize), Number(bidSize)];
  return [
    { market, timestamp: 1, orderbook_units: [{ ask_price, bid_price, ask_size, bid_size }] },
  ];
}

/** A request that names the symbol in its query. */
const at =
  (path: string, parameter: string): LevelsAnswer["symbolOf"] =>
  ({ url }) =>
    url.pathname === path ? (url.searchParams.get(parameter) ?? undefined) : undefined;

const top = ({ bids, asks }: MarketBook, count: number) => ({
  bids: bids.slice(0, count),
  asks: asks.slice(0, count),
});

function best({ bids, asks }: MarketBook) {
  const [[bidPrice, bidSize] = ["0", "0"]] = bids;
  const [[askPrice, askSize] = ["0", "0"]] = asks;
  return { bidPrice, bidSize, askPrice, askSize };
}

function bookTicker(book: MarketBook, symbol: string): object {
  const { bidPrice, bidSize: bidQty, askPrice, askSize: askQty } = best(book);
  return { symbol, bidPrice, bidQty, askPrice, askQty };
}

const numbers = (levels: MarketBook["bids"]): number[][] =>
  levels.map(([price, size]) => [Number(price), Number(size)]);

const kraken: LevelsAnswer = {
  symbolOf: at("/0/public/Depth", "pair"),
  answer: (book) => {
    const { bids, asks } = top(book, 5);
    const timed = (levels: MarketBook["bids"]) => levels.map((level) => [...level, 1_700_000_000]);
    return { error: [], result: { XPAIR: { asks: timed(asks), bids: timed(bids) } } };
  },
};

const LEVELS: Readonly<Partial<Record<ScriptedVenueId, LevelsAnswer>>> = {
  binance: { symbolOf: at("/api/v3/ticker/bookTicker", "symbol"), answer: bookTicker },
  "binance-usdm": { symbolOf: at("/fapi/v1/ticker/bookTicker", "symbol"), answer: bookTicker },
  "binance-coinm": {
    symbolOf: at("/dapi/v1/ticker/bookTicker", "symbol"),
    answer: (book, symbol) => [bookTicker(book, symbol)],
  },
  bitfinex: {
    symbolOf: ({ url }) => /^\/v2\/book\/([^/]+)\/P0$/.exec(url.pathname)?.[1],
    answer: ({ bids, asks }) => [
      ...bids.slice(0, 25).map(([price, size]) => [Number(price), 1, Number(size)]),
      ...asks.slice(0, 25).map(([price, size]) => [Number(price), 1, -Number(size)]),
    ],
  },
  bitget: {
    symbolOf: at("/api/v3/market/orderbook", "symbol"),
    answer: (book) => {
      const { bids: b, asks: a } = top(book, 5);
      return { code: "00000", msg: "success", data: { a, b, ts: "1700000000000" } };
    },
  },
  bitmex: {
    symbolOf: at("/api/v1/orderBook/L2", "symbol"),
    answer: (book, symbol) => {
      const { bids, asks } = top(book, 5);
      const row = (side: string, [price, size]: readonly [string, string]) => ({
        symbol,
        id: 1,
        side,
        size: Number(size),
        price: Number(price),
      });
      return [...asks.map((each) => row("Sell", each)), ...bids.map((each) => row("Buy", each))];
    },
  },
  bybit: {
    symbolOf: at("/v5/market/orderbook", "symbol"),
    answer: (book, s) => {
      const { bids: b, asks: a } = top(book, 5);
      return { retCode: 0, retMsg: "OK", result: { s, b, a, ts: 1, u: book.lastUpdateId } };
    },
  },
  coinbase: {
    symbolOf: ({ url }) => /^\/products\/([^/]+)\/book$/.exec(url.pathname)?.[1],
    answer: (book) => {
      const { bids, asks } = top(book, 1);
      const counted = (levels: MarketBook["bids"]) => levels.map((level) => [...level, 1]);
      return { bids: counted(bids), asks: counted(asks), sequence: 1 };
    },
  },
  "coinbase-advanced": {
    symbolOf: at("/api/v3/brokerage/market/product_book", "product_id"),
    answer: (book, product) => {
      const named = (levels: MarketBook["bids"]) =>
        levels.map(([price, size]) => ({ price, size }));
      const { bids, asks } = top(book, 5);
      return { pricebook: { product_id: product, bids: named(bids), asks: named(asks) } };
    },
  },
  deribit: {
    symbolOf: at("/api/v2/public/get_order_book", "instrument_name"),
    answer: (book, name) => {
      const { bids, asks } = top(book, 5);
      const result = { instrument_name: name, bids: numbers(bids), asks: numbers(asks) };
      return { jsonrpc: "2.0", result };
    },
  },
  gateio: {
    symbolOf: at("/api/v4/spot/order_book", "currency_pair"),
    answer: (book) => ({ id: book.lastUpdateId, current: 1, update: 1, ...top(book, 1000) }),
  },
  "gateio-futures": {
    symbolOf: at("/api/v4/futures/usdt/tickers", "contract"),
    answer: (book, contract) => {
      const { bidPrice, bidSize, askPrice, askSize } = best(book);
      const bid = { highest_bid: bidPrice, highest_size: bidSize };
      return [{ contract, ...bid, lowest_ask: askPrice, lowest_size: askSize }];
    },
  },
  gemini: {
    symbolOf: ({ url }) => /^\/v1\/book\/([^/]+)$/.exec(url.pathname)?.[1],
    answer: geminiBook,
  },
  "gemini-v2": {
    symbolOf: ({ url }) => /^\/v1\/book\/([^/]+)$/.exec(url.pathname)?.[1]?.toUpperCase(),
    answer: geminiBook,
  },
  htx: { symbolOf: at("/market/depth", "symbol"), answer: htxDepth },
  "htx-coinm": {
    symbolOf: at("/swap-ex/market/depth", "contract_code"),
    answer: htxDepth,
  },
  upbit: { symbolOf: at("/v1/orderbook", "markets"), answer: koreanBook },
  bithumb: { symbolOf: at("/v1/orderbook", "markets"), answer: koreanBook },
  cryptocom: {
    symbolOf: at("/exchange/v1/public/get-book", "instrument_name"),
    answer: (book, name) => {
      const { bids, asks } = top(book, 10);
      const counted = (levels: MarketBook["bids"]) => levels.map((level) => [...level, "1"]);
      const data = [{ bids: counted(bids), asks: counted(asks), t: 1 }];
      return {
        id: -1,
        method: "public/get-book",
        code: 0,
        result: { instrument_name: name, data },
      };
    },
  },
  mexc: { symbolOf: at("/api/v3/ticker/bookTicker", "symbol"), answer: bookTicker },
  "kucoin-futures": {
    symbolOf: at("/api/v1/ticker", "symbol"),
    answer: (book, symbol) => {
      const { bidPrice, bidSize, askPrice, askSize } = best(book);
      const bid = { bestBidPrice: bidPrice, bestBidSize: Number(bidSize) };
      const ask = { bestAskPrice: askPrice, bestAskSize: Number(askSize) };
      return { code: "200000", data: { symbol, ...bid, ...ask } };
    },
  },
  "okx-spreads": {
    symbolOf: at("/api/v5/sprd/books", "sprdId"),
    answer: (book) => {
      const { bids, asks } = top(book, 5);
      const rows = (levels: MarketBook["bids"]) => levels.map((level) => [...level, "1"]);
      return { code: "0", msg: "", data: [{ asks: rows(asks), bids: rows(bids), ts: "1" }] };
    },
  },
  hyperliquid: {
    symbolOf: ({ body }) => {
      const { type, coin } = JSON.parse(body === "" ? "{}" : body) as {
        readonly type?: string;
        readonly coin?: string;
      };
      return type === "l2Book" ? coin : undefined;
    },
    answer: (book, coin) => {
      const { bids, asks } = top(book, 20);
      const levels = [bids, asks].map((side) => side.map(([px, sz]) => ({ px, sz, n: 1 })));
      return { coin, time: 1, levels };
    },
  },
  kraken,
  "kraken-v1": kraken,
  "kraken-futures": {
    symbolOf: at("/derivatives/api/v3/orderbook", "symbol"),
    answer: ({ bids, asks }) => ({
      result: "success",
      serverTime: "2026-01-01T00:00:00.000Z",
      orderBook: { bids: numbers(bids), asks: numbers(asks) },
    }),
  },
  kucoin: {
    symbolOf: at("/api/v1/market/orderbook/level1", "symbol"),
    answer: (book) => {
      const { bidPrice, bidSize, askPrice, askSize } = best(book);
      const bid = { bestBid: bidPrice, bestBidSize: bidSize };
      return { code: "200000", data: { ...bid, bestAsk: askPrice, bestAskSize: askSize } };
    },
  },
  okx: {
    symbolOf: at("/api/v5/market/books", "instId"),
    answer: (book) => {
      const { bids, asks } = top(book, 5);
      const rows = (levels: MarketBook["bids"]) => levels.map((level) => [...level, "0", "1"]);
      return { code: "0", msg: "", data: [{ asks: rows(asks), bids: rows(bids), ts: "1" }] };
    },
  },
};

function geminiBook(book: MarketBook): object {
  const { bids, asks } = top(book, 5);
  const named = (levels: MarketBook["bids"]) =>
    levels.map(([price, amount]) => ({ price, amount, timestamp: "1" }));
  return { bids: named(bids), asks: named(asks) };
}

/** The answer to a request for the best levels; undefined if it is another request. */
export function levelsAnswer(
  venue: ScriptedVenueId,
  asked: Asked,
  book: (symbol: string) => MarketBook | undefined,
): unknown {
  const levels = LEVELS[venue];
  const symbol = levels?.symbolOf(asked);
  const found = symbol === undefined ? undefined : book(symbol);
  return symbol === undefined || found === undefined ? undefined : levels?.answer(found, symbol);
}
