import type { LevelText, MarketBook, ScriptedTrade } from "../../scripted-venue-market.ts";
import type { Dialect, ScriptedRequest } from "../dialect.ts";
import { ms } from "../texts.ts";

const PRICE_SCALE = 1;
/** The venue's versions have eleven digits. */
const VERSIONS_FROM = 41_000_000_000;

const CHANNELS: ReadonlyMap<string, "book" | "trades"> = new Map([
  ["depth", "book"],
  ["deal", "trades"],
]);

type Request = { readonly method: string; readonly param?: { readonly symbol?: string } };

/** https://mexcdevelop.github.io/apidocs/contract_v1_en/#websocket-api */
export const mexcFutures: Dialect = {
  webSocketPath: "/edge",
  quote: "USDT",
  depth: undefined,
  priceScale: PRICE_SCALE,
  sizeScale: 0,
  refusesByName: true,
  venueSymbol: (market) => `${market.base}_${market.quote}`,
  symbol: (market) => `${market.base}-${market.quote}-PERP`,
  read(frame, { markets, refused, timeUs }) {
    const { method, param } = JSON.parse(frame) as Request;
    const answer = (fields: object): ScriptedRequest => ({
      kind: "answer",
      frame: JSON.stringify({ ...fields, ts: ms(timeUs) }),
    });
    if (method === "ping") return [answer({ channel: "pong", data: ms(timeUs) })];
    const symbol = param?.symbol ?? "null";
    if (!markets.has(symbol) || refused.has(symbol)) {
      return [answer({ channel: "rs.error", data: `Contract [${symbol}] not exists` })];
    }
    const [verb = "", ...names] = method.split(".");
    const channel = CHANNELS.get(names.join("."));
    if (verb === "unsub") {
      // Nothing is said of it.
      return channel === undefined ? [] : [{ kind: "unsubscribe", channel, symbol }];
    }
    const answered = answer({ channel: `rs.${method}`, data: "success" });
    return channel === undefined ? [answered] : [answered, { kind: "subscribe", channel, symbol }];
  },
  snapshotFrames: () => [],
  deltaFrames: (symbol, { bids, asks, firstUpdateId, lastUpdateId }, _after, timeUs) => [
    pushed("depth", symbol, timeUs, {
      begin: VERSIONS_FROM + firstUpdateId,
      end: VERSIONS_FROM + lastUpdateId,
      version: VERSIONS_FROM + lastUpdateId,
      cts: ms(timeUs),
      asks: asks.map(level),
      bids: bids.map(level),
    }),
  ],
  tradeFrames: (symbol, trade, timeUs) => [pushed("deal", symbol, timeUs, [deal(trade, timeUs)])],
  heartbeatFrame: () => '{"channel":"pong","data":1789498336785,"ts":1789498336785}',
  rest({ url, timeUs }, markets, book) {
    if (url.pathname === "/api/v1/contract/ping") return { success: true, data: ms(timeUs) };
    if (url.pathname === "/api/v1/contract/detail") {
      return { success: true, code: 0, data: [...markets].map(listed) };
    }
    const symbol = /^\/api\/v1\/contract\/depth\/(.+)$/.exec(url.pathname)?.[1];
    return symbol === undefined ? undefined : snapshotOf(book(symbol), timeUs);
  },
  isSnapshotPath: (url) => url.pathname.startsWith("/api/v1/contract/depth/"),
};

function pushed(topic: string, symbol: string, timeUs: number, data: object): string {
  return JSON.stringify({ symbol, data, channel: `push.${topic}`, ts: ms(timeUs) });
}

/** Numbers, and the number of orders. */
function level([price, size]: LevelText): readonly number[] {
  return [Number(price), Number(size), Number(size) === 0 ? 0 : 1];
}

function deal({ price, size, aggressorSide, tradeId }: ScriptedTrade, timeUs: number): object {
  const side = aggressorSide === "buyer" ? 1 : 2;
  const made = { t: ms(timeUs), i: String(tradeId) };
  return { p: Number(price), v: Number(size), T: side, O: 3, M: 1, ...made };
}

function snapshotOf(book: MarketBook | undefined, timeUs: number): unknown {
  if (book === undefined) return undefined;
  const { lastUpdateId, bids, asks } = book;
  const data = {
    asks: asks.map(level),
    bids: bids.map(level),
    version: VERSIONS_FROM + lastUpdateId,
    timestamp: ms(timeUs),
  };
  return { success: true, code: 0, data };
}

function listed([symbol, { base, quote }]: readonly [
  string,
  { readonly base: string; readonly quote: string },
]): object {
  const coins = { baseCoin: base, quoteCoin: quote, settleCoin: quote };
  const steps = { contractSize: 0.0001, priceUnit: 0.1, volUnit: 1, minVol: 1 };
  return { symbol, ...coins, ...steps, state: 0, futureType: 1, apiAllowed: true };
}
