import type { LevelText, MarketBook, ScriptedTrade } from "../../scripted-venue-market.ts";
import type { Dialect, DialectConnection, Frame, ScriptedRequest } from "../dialect.ts";
import { unitOf } from "../texts.ts";

const PRICE_SCALE = 0;
const SIZE_SCALE = 4;

const CONNECTION_ID = "7af140fb-b33d-4f0e-8f4c-30f16337b360";

const CHANNELS: ReadonlyMap<string, "book" | "trades"> = new Map([
  ["v4_orderbook", "book"],
  ["v4_trades", "trades"],
]);

type Request = { readonly type: string; readonly channel: string; readonly id?: string };

/** https://docs.dydx.xyz/indexer-client/websockets */
export const dydx: Dialect = {
  webSocketPath: "/v4/ws",
  restPath: "/v4",
  quote: "USD",
  depth: undefined,
  priceScale: PRICE_SCALE,
  sizeScale: SIZE_SCALE,
  refusesByName: true,
  venueSymbol: (market) => `${market.base}-${market.quote}`,
  symbol: (market) => `${market.base}-${market.quote}-PERP`,
  greeting: (connection) => [numbered(message("connected", {}), connection)],
  read(frame, { connection, markets, refused, timeUs }) {
    const { type, channel, id = "" } = JSON.parse(frame) as Request;
    const answer = (name: string, fields: object): ScriptedRequest => ({
      kind: "answer",
      frame: numbered(message(name, fields), connection),
    });
    if (!markets.has(id) || refused.has(id)) {
      const text = `Invalid subscription id for channel: (${channel}-${id})`;
      return [answer("error", { message: text })];
    }
    const scripted = CHANNELS.get(channel);
    if (type === "unsubscribe") {
      const answered = answer("unsubscribed", { channel, id });
      if (scripted === undefined) return [answered];
      return [{ kind: "unsubscribe", channel: scripted, symbol: id }, answered];
    }
    if (scripted === "book") return [{ kind: "subscribe", channel: "book", symbol: id }];
    // What was traded before, which nobody should take for news.
    const old = { price: "1", size: "1", aggressorSide: "buyer", tradeId: 1 } as const;
    const contents = { trades: [tradeRow(old, timeUs - 60_000_000)] };
    const answered = answer("subscribed", { channel, id, contents });
    if (scripted === undefined) return [answered];
    return [answered, { kind: "subscribe", channel: scripted, symbol: id }];
  },
  snapshotFrames: (id, book) => {
    const channel = "v4_orderbook";
    return [message("subscribed", { channel, id, contents: wholeOf(book) })];
  },
  deltaFrames: (id, { bids, asks }) => {
    const sides = [
      ["bids", bids],
      ["asks", asks],
    ] as const;
    // A side without changes is left out.
    const contents = Object.fromEntries(
      sides.filter(([, levels]) => levels.length > 0).map(([side, all]) => [side, all.map(level)]),
    );
    return [message("channel_data", { id, channel: "v4_orderbook", version: "1.0.0", contents })];
  },
  tradeFrames: (id, trade, timeUs) => {
    const contents = { trades: [tradeRow(trade, timeUs)] };
    return [message("channel_data", { id, channel: "v4_trades", version: "2.1.0", contents })];
  },
  stamp: (frame, _symbol, _channel, connection) => numbered(frame, connection),
  heartbeatFrame: (_symbol, connection) => numbered(message("pong", {}), connection),
  listsTrades: true,
  rest({ url, trades, timeUs }, markets) {
    if (url.pathname === "/v4/time") {
      const iso = new Date(Math.floor(timeUs / 1000)).toISOString();
      return { iso, epoch: timeUs / 1e6 };
    }
    if (url.pathname === "/v4/perpetualMarkets") {
      return { markets: Object.fromEntries([...markets.keys()].map(listed)) };
    }
    const market = /^\/v4\/trades\/perpetualMarket\/(.+)$/.exec(url.pathname)?.[1];
    if (market === undefined) return undefined;
    const rows = trades(market).map((trade) => tradeRow(trade, trade.timeUs));
    return { trades: rows.toReversed() };
  },
  isSnapshotPath: () => false,
};

function message(type: string, fields: object): string {
  return JSON.stringify({ type, connection_id: CONNECTION_ID, message_id: 0, ...fields });
}

/** Everything on a connection is numbered from 0. */
function numbered(frame: Frame, { memory }: DialectConnection): string {
  const next = memory.get("message") ?? 0;
  memory.set("message", next + 1);
  return JSON.stringify({ ...(JSON.parse(String(frame)) as object), message_id: next });
}

function level([price, size]: LevelText): LevelText {
  return [price, Number(size) === 0 ? "0" : size];
}

/** Levels of a whole book are objects. */
function wholeOf({ bids, asks }: MarketBook): object {
  const levels = (side: readonly LevelText[]): object[] =>
    side.map(([price, size]) => ({ price, size }));
  return { bids: levels(bids), asks: levels(asks) };
}

/** The same on the connection and by REST. */
function tradeRow({ price, size, aggressorSide, tradeId }: ScriptedTrade, timeUs: number): object {
  return {
    id: `02b6148d00000002${tradeId.toString(16).padStart(8, "0")}`,
    side: aggressorSide === "buyer" ? "BUY" : "SELL",
    size,
    price,
    type: "LIMIT",
    createdAt: new Date(Math.floor(timeUs / 1000)).toISOString(),
    createdAtHeight: "45487245",
  };
}

function listed(ticker: string, index: number): [string, object] {
  const market = {
    clobPairId: String(index),
    ticker,
    status: "ACTIVE",
    oraclePrice: "50000",
    openInterest: "228.1848",
    nextFundingRate: "0",
    atomicResolution: -10,
    tickSize: unitOf(PRICE_SCALE),
    stepSize: unitOf(SIZE_SCALE),
    marketType: "CROSS",
  };
  return [ticker, market];
}
