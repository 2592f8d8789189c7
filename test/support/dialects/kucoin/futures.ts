import type { ScriptedTrade } from "../../scripted-venue-market.ts";
import type { Dialect } from "../dialect.ts";
import { ms, unitOf } from "../texts.ts";
import { type DataTopics, kucoinGreeting, kucoinTicket, readKucoinRequest } from "./dialect.ts";

const PRICE_SCALE = 1;
const DATA_TOPICS: DataTopics = new Map([
  ["/contractMarket/level2", "book"],
  ["/contractMarket/execution", "trades"],
]);

/**
 * The venue numbers each level by itself. A step of the market has two numbers and up to eight
 * levels, so it is told by eight changes, of which the last ones repeat what was said.
 */
const NUMBERS_PER_UPDATE = 4;

/** Sizes, ids and times are bare numbers; the time has nanoseconds, beyond what a double holds. */
function tradeText(symbol: string, trade: ScriptedTrade, timeUs: number): string {
  const side = trade.aggressorSide === "buyer" ? "buy" : "sell";
  return (
    `{"symbol":"${symbol}","sequence":${trade.tradeId},"side":"${side}","size":${trade.size},` +
    `"price":"${trade.price}","takerOrderId":"t","makerOrderId":"m",` +
    `"tradeId":"${trade.tradeId}","ts":${timeUs}000}`
  );
}

/** https://www.kucoin.com/docs-new/3470082w0 */
export const kucoinFutures: Dialect = {
  webSocketPath: "",
  quote: "USDT",
  depth: undefined,
  priceScale: PRICE_SCALE,
  sizeScale: 0,
  refusesByName: true,
  venueSymbol: ({ base, quote }) => `${base === "BTC" ? "XBT" : base}${quote}M`,
  symbol: ({ base, quote }) => `${base}-${quote}-PERP`,
  greeting: kucoinGreeting,
  read: (frame, context) => readKucoinRequest(frame, context, DATA_TOPICS),
  snapshotFrames: () => [],
  deltaFrames: (symbol, { firstUpdateId, lastUpdateId, bids, asks }, _after, timeUs) => {
    const changes = [
      ...bids.map(([price, size]) => `${price},buy,${size}`),
      ...asks.map(([price, size]) => `${price},sell,${size}`),
    ];
    const first = (firstUpdateId - 1) * NUMBERS_PER_UPDATE + 1;
    const count = (lastUpdateId - firstUpdateId + 1) * NUMBERS_PER_UPDATE;
    if (changes.length === 0 || changes.length > count) throw new Error("a step of odd size");
    return Array.from({ length: count }, (_, index) => {
      const sequence = first + index;
      return JSON.stringify({
        topic: `/contractMarket/level2:${symbol}`,
        type: "message",
        subject: "level2",
        sn: sequence,
        data: { sequence, change: changes[index] ?? changes.at(-1), timestamp: ms(timeUs) },
      });
    });
  },
  tradeFrames: (symbol, trade, timeUs) => [
    `{"topic":"/contractMarket/execution:${symbol}","type":"message","subject":"match",` +
      `"sn":${trade.tradeId},"data":${tradeText(symbol, trade, timeUs)}}`,
  ],
  heartbeatFrame: () => JSON.stringify({ id: "ping-0", type: "pong" }),
  listsTrades: true,
  rest(request, markets, book) {
    const { method, url, webSocketUrl, timeUs } = request;
    const symbol = url.searchParams.get("symbol") ?? "";
    if (url.pathname === "/api/v1/timestamp") return { code: "200000", data: ms(timeUs) };
    if (url.pathname === "/api/v1/bullet-public" && method === "POST") {
      return kucoinTicket(webSocketUrl);
    }
    if (url.pathname === "/api/v1/contracts/active") {
      const data = [...markets].map(([name, { base, quote }]) => ({
        symbol: name,
        type: "FFWCSX",
        expireDate: null,
        baseCurrency: base === "BTC" ? "XBT" : base,
        quoteCurrency: quote,
        settleCurrency: quote,
        lotSize: 1,
        tickSize: Number(unitOf(PRICE_SCALE)),
        multiplier: 0.001,
        isInverse: false,
        status: "Open",
        openInterest: "17524",
      }));
      return { code: "200000", data };
    }
    if (url.pathname === "/api/v1/trade/history") {
      const latest = request.trades(symbol).slice(-100).toReversed();
      const rows = latest.map((trade) => tradeText(symbol, trade, trade.timeUs));
      return `{"code":"200000","data":[${rows.join(",")}]}`;
    }
    if (!isSnapshotPath(url)) return undefined;
    const found = book(symbol);
    if (found === undefined) return undefined;
    const rows = (levels: typeof found.bids): (string | number)[][] =>
      levels.map(([price, size]) => [price, Number(size)]);
    const sequence = found.lastUpdateId * NUMBERS_PER_UPDATE;
    const data = { symbol, sequence, bids: rows(found.bids), asks: rows(found.asks) };
    return JSON.stringify({ code: "200000", data: { ...data, ts: 0 } }).replace(
      '"ts":0',
      `"ts":${timeUs}000`,
    );
  },
  isSnapshotPath,
};

function isSnapshotPath(url: URL): boolean {
  return url.pathname === "/api/v1/level2/snapshot";
}
