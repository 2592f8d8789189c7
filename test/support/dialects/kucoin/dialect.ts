import type {
  Dialect,
  DialectConnection,
  DialectContext,
  Frame,
  ScriptedRequest,
} from "../dialect.ts";
import { ms, unitOf } from "../texts.ts";

const PRICE_SCALE = 2;
const SIZE_SCALE = 4;
const DATA_TOPICS: DataTopics = new Map([
  ["/market/level2", "book"],
  ["/market/match", "trades"],
]);

/** The topics of which a scripted venue has data, by their path. */
export type DataTopics = ReadonlyMap<string, "book" | "trades">;

/** Nobody is greeted without the ticket. */
export function kucoinGreeting({ path }: DialectConnection): readonly Frame[] {
  const isKnown = path.includes("token=TICKET");
  const error = { type: "error", code: 401, data: "token is invalid" };
  return [JSON.stringify(isKnown ? { id: "greeting", type: "welcome" } : error)];
}

/** The answer to whoever asks for a ticket. */
export function kucoinTicket(webSocketUrl: string): unknown {
  const server = {
    endpoint: `${webSocketUrl}/`,
    encrypt: true,
    protocol: "websocket",
    pingInterval: 18_000,
    pingTimeout: 10_000,
  };
  return { code: "200000", data: { token: "TICKET", instanceServers: [server] } };
}

/** The rows of one side, all with the last number of their change. */
function rows(levels: readonly (readonly [string, string])[], sequence: number): string[][] {
  return levels.map(([price, size]) => [price, size, String(sequence)]);
}

/** https://www.kucoin.com/docs-new/websocket-api/base-info/introduction */
export const kucoin: Dialect = {
  webSocketPath: "",
  quote: "USDT",
  depth: undefined,
  priceScale: PRICE_SCALE,
  sizeScale: SIZE_SCALE,
  refusesByName: true,
  venueSymbol: ({ base, quote }) => `${base}-${quote}`,
  symbol: ({ base, quote }) => `${base}-${quote}`,
  greeting: kucoinGreeting,
  read: (frame, context) => readKucoinRequest(frame, context, DATA_TOPICS),
  snapshotFrames: () => [],
  deltaFrames: (symbol, { firstUpdateId, lastUpdateId, bids, asks }, _after, timeUs) => [
    JSON.stringify({
      topic: `/market/level2:${symbol}`,
      type: "message",
      subject: "trade.l2update",
      data: {
        changes: { asks: rows(asks, lastUpdateId), bids: rows(bids, lastUpdateId) },
        sequenceEnd: lastUpdateId,
        sequenceStart: firstUpdateId,
        symbol,
        time: ms(timeUs),
      },
    }),
  ],
  tradeFrames: (symbol, { tradeId, price, size, aggressorSide }, timeUs) => [
    JSON.stringify({
      topic: `/market/match:${symbol}`,
      type: "message",
      subject: "trade.l3match",
      data: {
        makerOrderId: "m",
        price,
        sequence: String(tradeId),
        side: aggressorSide === "buyer" ? "buy" : "sell",
        size,
        symbol,
        takerOrderId: "t",
        time: `${timeUs}000`,
        tradeId: String(tradeId),
        type: "match",
      },
    }),
  ],
  heartbeatFrame: () => JSON.stringify({ id: "ping-0", type: "pong" }),
  listsTrades: true,
  rest(request, markets, book) {
    const { method, url, webSocketUrl, timeUs } = request;
    if (url.pathname === "/api/v1/timestamp") return { code: "200000", data: ms(timeUs) };
    if (url.pathname === "/api/v1/bullet-public" && method === "POST") {
      return kucoinTicket(webSocketUrl);
    }
    if (url.pathname === "/api/v2/symbols") {
      const data = [...markets].map(([symbol, { base, quote }]) => ({
        symbol,
        name: symbol,
        baseCurrency: base,
        quoteCurrency: quote,
        baseIncrement: unitOf(SIZE_SCALE),
        priceIncrement: unitOf(PRICE_SCALE),
        enableTrading: true,
      }));
      return { code: "200000", data };
    }
    if (url.pathname === "/api/v1/market/histories") {
      const latest = request.trades(url.searchParams.get("symbol") ?? "").slice(-100);
      const data = latest.toReversed().map(({ tradeId, price, size, aggressorSide, timeUs }) => ({
        sequence: String(tradeId),
        price,
        size,
        side: aggressorSide === "buyer" ? "buy" : "sell",
        time: `${timeUs}000`,
      }));
      // The time is a bare number, beyond what a double holds.
      return JSON.stringify({ code: "200000", data }).replaceAll(/"time":"(\d+)"/g, '"time":$1');
    }
    if (!isSnapshotPath(url)) return undefined;
    const found = book(url.searchParams.get("symbol") ?? "");
    if (found === undefined) return undefined;
    const { lastUpdateId, bids, asks } = found;
    return { code: "200000", data: { sequence: String(lastUpdateId), bids, asks } };
  },
  isSnapshotPath,
};

function isSnapshotPath(url: URL): boolean {
  return url.pathname === "/api/v1/market/orderbook/level2_100";
}

/** What a frame asks for, of spot and of futures alike. */
export function readKucoinRequest(
  frame: string,
  { markets, refused }: DialectContext,
  dataTopics: DataTopics,
): readonly ScriptedRequest[] {
  const { id, type, topic } = JSON.parse(frame) as {
    id: string;
    type: "subscribe" | "unsubscribe" | "ping";
    topic?: string;
  };
  const answer = (fields: object): ScriptedRequest => ({
    kind: "answer",
    frame: JSON.stringify({ id, ...fields }),
  });
  if (type === "ping" || topic === undefined) return [answer({ type: "pong" })];
  const [path = "", symbol = ""] = topic.split(":");
  const channel = dataTopics.get(path);
  if (refused.has(symbol) || (channel !== undefined && !markets.has(symbol))) {
    return [answer({ type: "error", code: 404, data: `topic ${topic} is not found` })];
  }
  if (channel === undefined) return [answer({ type: "ack" })];
  return [answer({ type: "ack" }), { kind: type, channel, symbol }];
}
