import type { MarketBook, ScriptedTrade } from "../../scripted-venue-market.ts";
import type { Dialect, ScriptedRequest } from "../dialect.ts";
import { ms } from "../texts.ts";

const DEPTH = 20;
const TYPES: Readonly<Record<string, "book" | "trades">> = { l2Book: "book", trades: "trades" };

type Request = {
  readonly method: string;
  readonly subscription?: { readonly type: string; readonly coin: string };
};

/** https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/websocket/subscriptions */
export const hyperliquid: Dialect = {
  webSocketPath: "/ws",
  quote: "USDC",
  depth: DEPTH,
  priceScale: 1,
  sizeScale: 5,
  refusesByName: true,
  venueSymbol: (market) => market.base,
  symbol: (market) => `${market.base}-${market.quote}-PERP`,
  greeting: () => ["Websocket connection established."],
  read(frame, { markets, refused, timeUs }) {
    const { method, subscription } = JSON.parse(frame) as Request;
    if (method === "ping" || subscription === undefined) {
      return [{ kind: "answer", frame: '{"channel":"pong"}' }];
    }
    const { type, coin } = subscription;
    if (!markets.has(coin) || refused.has(coin)) {
      const data = `Invalid subscription ${JSON.stringify(subscription)}`;
      return [{ kind: "answer", frame: JSON.stringify({ channel: "error", data }) }];
    }
    const kind = method === "unsubscribe" ? "unsubscribe" : "subscribe";
    const data = { method, subscription };
    const answers = [JSON.stringify({ channel: "subscriptionResponse", data })];
    if (kind === "subscribe" && type === "trades") {
      // What was traded before, which nobody should take for news.
      const old = { px: "1.0", sz: "1.0", side: "B", tid: 1 };
      answers.push(tradesFrame(coin, { ...old, timeUs: timeUs - 60_000_000 }));
    }
    const requests = answers.map((each): ScriptedRequest => ({ kind: "answer", frame: each }));
    const channel = TYPES[type];
    return channel === undefined ? requests : [...requests, { kind, channel, symbol: coin }];
  },
  snapshotFrames: (symbol, book, timeUs) => [bookFrame(symbol, book, timeUs)],
  deltaFrames: (symbol, _delta, after, timeUs) => [bookFrame(symbol, after, timeUs)],
  tradeFrames: (symbol, trade, timeUs) => [tradesFrame(symbol, rowOf(trade, timeUs))],
  listsTrades: true,
  rest({ url, method, body, trades }, markets) {
    if (url.pathname !== "/info" || method !== "POST") return undefined;
    const { type, coin = "" } = JSON.parse(body) as { type: string; coin?: string };
    if (type === "recentTrades") {
      const rows = trades(coin).map((trade) => tradeRow(coin, rowOf(trade, trade.timeUs)));
      return rows.toReversed();
    }
    if (type === "meta") {
      return { universe: [...markets.keys()].map((name) => ({ name, szDecimals: 5 })) };
    }
    // The venue's own exchange has no name.
    if (type === "perpDexs") return [null];
    return type === "spotMeta" ? { tokens: [], universe: [] } : undefined;
  },
  isSnapshotPath: () => false,
};

type TradeRow = {
  readonly px: string;
  readonly sz: string;
  readonly side: string;
  readonly tid: number;
  readonly timeUs: number;
};

function rowOf({ price, size, aggressorSide, tradeId }: ScriptedTrade, timeUs: number): TradeRow {
  return { px: price, sz: size, side: aggressorSide === "buyer" ? "B" : "A", tid: tradeId, timeUs };
}

/** The same on the connection and by REST. */
function tradeRow(coin: string, { px, sz, side, tid, timeUs }: TradeRow): object {
  return { coin, side, px, sz, time: ms(timeUs), hash: "0x0", tid, users: ["0x1", "0x2"] };
}

function tradesFrame(coin: string, trade: TradeRow): string {
  return JSON.stringify({ channel: "trades", data: [tradeRow(coin, trade)] });
}

/** Every message is the whole book. */
function bookFrame(coin: string, { bids, asks }: MarketBook, timeUs: number): string {
  const levels = [bids, asks].map((side) =>
    side.slice(0, DEPTH).map(([px, sz]) => ({ px, sz, n: 1 })),
  );
  return JSON.stringify({ channel: "l2Book", data: { coin, time: ms(timeUs), levels } });
}
