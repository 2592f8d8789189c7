import type { LevelText, MarketBook, ScriptedTrade } from "../../scripted-venue-market.ts";
import type { Dialect, ScriptedRequest } from "../dialect.ts";
import { ms } from "../texts.ts";
import { mexcFrame } from "./wrapper.ts";

const PRICE_SCALE = 2;
const SIZE_SCALE = 8;
/** The venue's versions have eleven digits. */
const VERSIONS_FROM = 75_000_000_000;

const DEPTH = "spot@public.aggre.depth.v3.api.pb@10ms";
const DEALS = "spot@public.aggre.deals.v3.api.pb@10ms";

type Request = { readonly method: string; readonly params?: readonly string[] };

/** https://www.mexc.com/api-docs/spot-v3/websocket-market-streams */
export const mexc: Dialect = {
  webSocketPath: "/ws",
  quote: "USDT",
  depth: undefined,
  priceScale: PRICE_SCALE,
  sizeScale: SIZE_SCALE,
  refusesByName: true,
  venueSymbol: (market) => `${market.base}${market.quote}`,
  symbol: (market) => `${market.base}-${market.quote}`,
  read(frame, { markets, refused }) {
    const { method, params = [] } = JSON.parse(frame) as Request;
    const answer = (msg: string): ScriptedRequest => ({
      kind: "answer",
      frame: JSON.stringify({ id: 0, code: 0, msg }),
    });
    if (method === "PING") return [answer("PONG")];
    return params.flatMap((stream): readonly ScriptedRequest[] => {
      const symbol = stream.split("@").at(-1) ?? "";
      const channel = channelOf(stream);
      if (channel === undefined || !markets.has(symbol) || refused.has(symbol)) {
        return [answer(`Not Subscribed successfully! [${stream}].  Reason： Blocked!`)];
      }
      const kind = method === "SUBSCRIPTION" ? "subscribe" : "unsubscribe";
      return [answer(stream), { kind, channel, symbol }];
    });
  },
  snapshotFrames: () => [],
  deltaFrames: (symbol, { bids, asks, firstUpdateId, lastUpdateId }, _after, timeUs) => [
    mexcFrame({
      channel: `${DEPTH}@${symbol}`,
      symbol,
      sendTime: ms(timeUs),
      publicAggreDepths: {
        asks: asks.map(level),
        bids: bids.map(level),
        eventType: DEPTH,
        fromVersion: String(VERSIONS_FROM + firstUpdateId),
        toVersion: String(VERSIONS_FROM + lastUpdateId),
      },
    }),
  ],
  tradeFrames: (symbol, trade, timeUs) => [
    mexcFrame({
      channel: `${DEALS}@${symbol}`,
      symbol,
      sendTime: ms(timeUs),
      publicAggreDeals: { deals: [deal(trade, timeUs)], eventType: DEALS },
    }),
  ],
  heartbeatFrame: () => '{"id":0,"code":0,"msg":"PONG"}',
  rest({ url, timeUs }, markets, book) {
    const symbol = url.searchParams.get("symbol") ?? "";
    switch (url.pathname) {
      case "/api/v3/time":
        return { serverTime: ms(timeUs) };
      case "/api/v3/depth":
        return snapshotOf(book(symbol), timeUs);
      case "/api/v3/exchangeInfo":
        return { timezone: "CST", serverTime: ms(timeUs), symbols: [...markets].map(listed) };
      default:
        return undefined;
    }
  },
  isSnapshotPath: (url) => url.pathname === "/api/v3/depth",
};

function channelOf(stream: string): "book" | "trades" | undefined {
  if (stream.startsWith(`${DEPTH}@`)) return "book";
  return stream.startsWith(`${DEALS}@`) ? "trades" : undefined;
}

function level([price, quantity]: LevelText): object {
  return { price, quantity };
}

function deal({ price, size, aggressorSide, tradeId }: ScriptedTrade, timeUs: number): object {
  const tradeType = aggressorSide === "buyer" ? 1 : 2;
  return { price, quantity: size, tradeType, time: ms(timeUs), tradeId: String(tradeId) };
}

function snapshotOf(book: MarketBook | undefined, timeUs: number): unknown {
  if (book === undefined) return undefined;
  const { lastUpdateId, bids, asks } = book;
  return { lastUpdateId: VERSIONS_FROM + lastUpdateId, bids, asks, timestamp: ms(timeUs) };
}

function listed([symbol, { base, quote }]: readonly [
  string,
  { readonly base: string; readonly quote: string },
]): object {
  return {
    symbol,
    status: "1",
    baseAsset: base,
    baseAssetPrecision: SIZE_SCALE,
    quoteAsset: quote,
    quotePrecision: PRICE_SCALE,
    quoteAssetPrecision: PRICE_SCALE,
    isSpotTradingAllowed: true,
    permissions: ["SPOT"],
    st: false,
  };
}
