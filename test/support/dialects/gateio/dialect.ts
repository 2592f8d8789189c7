import type { ScriptedTrade } from "../../scripted-venue-market.ts";
import type { Dialect, DialectContext, ScriptedRequest } from "../dialect.ts";
import { ms, unitOf } from "../texts.ts";

type TradeWriter = (symbol: string, trade: ScriptedTrade, timeUs: number) => unknown;

/** In what the dialects of the two Gate venues differ. */
type GateParts = {
  readonly prefix: "spot" | "futures";
  readonly list: string;
  readonly trade: TradeWriter;
  /** The answer of the latest trades. */
  readonly trades: {
    readonly path: string;
    readonly parameter: string;
    readonly row: TradeWriter;
  };
  readonly entry: (symbol: string, base: string, quote: string) => unknown;
};

const SIZE_SCALE = { spot: 8, futures: 0 } as const;
const PRICE_SCALE = 2;

function createGate(parts: GateParts): Dialect {
  const { prefix } = parts;
  const message = (timeUs: number, channel: string, event: string, rest: object): string =>
    JSON.stringify({
      time: Math.floor(timeUs / 1e6),
      time_ms: ms(timeUs),
      channel,
      event,
      ...rest,
    });
  const book = (symbol: string, timeUs: number, fields: object): string =>
    message(timeUs, `${prefix}.obu`, "update", {
      result: { t: ms(timeUs), s: `ob.${symbol}.50`, ...fields },
    });
  return {
    webSocketPath: "",
    quote: "USDT",
    // Fewer than the stream's 50 levels are in these markets.
    depth: undefined,
    priceScale: PRICE_SCALE,
    sizeScale: SIZE_SCALE[prefix],
    // Trades of an unknown symbol are refused; a book of one is confirmed and stays silent.
    refusesByName: false,
    venueSymbol: (market) => `${market.base}_${market.quote}`,
    symbol: (market) => `${market.base}-${market.quote}${prefix === "futures" ? "-PERP" : ""}`,
    read: (frame, context) => readRequest(prefix, frame, context),
    snapshotFrames: (symbol, { lastUpdateId, bids, asks }, timeUs) => [
      book(symbol, timeUs, { full: true, u: lastUpdateId, b: bids, a: asks }),
    ],
    deltaFrames: (symbol, { firstUpdateId, lastUpdateId, bids, asks }, _after, timeUs) => [
      book(symbol, timeUs, { U: firstUpdateId, u: lastUpdateId, b: bids, a: asks }),
    ],
    tradeFrames: (symbol, trade, timeUs) => [
      message(timeUs, `${prefix}.trades`, "update", { result: parts.trade(symbol, trade, timeUs) }),
    ],
    heartbeatFrame: (_symbol, _connection, timeUs) =>
      message(timeUs, `${prefix}.pong`, "", { error: null, result: null }),
    listsTrades: true,
    rest({ url, trades, timeUs }, markets) {
      if (url.pathname === "/api/v4/spot/time") return { server_time: ms(timeUs) };
      if (url.pathname === parts.trades.path) {
        const symbol = url.searchParams.get(parts.trades.parameter) ?? "";
        return trades(symbol)
          .map((trade) => parts.trades.row(symbol, trade, trade.timeUs))
          .toReversed();
      }
      if (url.pathname === "/api/v4/futures/btc/contracts") return [];
      if (url.pathname === "/api/v4/futures/usd1/contracts") return [];
      if (url.pathname !== parts.list) return undefined;
      return [...markets].map(([symbol, { base, quote }]) => parts.entry(symbol, base, quote));
    },
    isSnapshotPath: () => false,
  };
}

function readRequest(
  prefix: string,
  frame: string,
  { timeUs }: DialectContext,
): readonly ScriptedRequest[] {
  const { id, channel, event, payload } = JSON.parse(frame) as {
    id?: number;
    channel: string;
    event?: "subscribe" | "unsubscribe";
    payload?: string[];
  };
  const time = { time: Math.floor(timeUs / 1e6), time_ms: ms(timeUs) };
  if (event === undefined) {
    const pong = { ...time, channel: `${prefix}.pong`, event: "", error: null, result: null };
    return [{ kind: "answer", frame: JSON.stringify(pong) }];
  }
  const answer = { ...time, id, channel, event, payload, result: { status: "success" } };
  const [first = ""] = payload ?? [];
  const answered: ScriptedRequest = { kind: "answer", frame: JSON.stringify(answer) };
  if (channel === `${prefix}.trades`) {
    return [answered, { kind: event, channel: "trades", symbol: first }];
  }
  const symbol = /^ob\.(.+)\.50$/.exec(first)?.[1];
  if (channel !== `${prefix}.obu` || symbol === undefined) return [answered];
  return [answered, { kind: event, channel: "book", symbol }];
}

/** https://www.gate.com/docs/developers/apiv4/ws/en/ */
export const gateio: Dialect = createGate({
  prefix: "spot",
  list: "/api/v4/spot/currency_pairs",
  trade: (symbol, { tradeId, price, size, aggressorSide }, timeUs) => ({
    id: tradeId,
    id_market: tradeId,
    create_time: Math.floor(timeUs / 1e6),
    create_time_ms: `${ms(timeUs)}.${String(timeUs % 1000).padStart(3, "0")}`,
    side: aggressorSide === "buyer" ? "buy" : "sell",
    currency_pair: symbol,
    amount: size,
    price,
  }),
  trades: {
    path: "/api/v4/spot/trades",
    parameter: "currency_pair",
    row: (symbol, { tradeId, price, size, aggressorSide }, timeUs) => ({
      id: String(tradeId),
      create_time: String(Math.floor(timeUs / 1e6)),
      create_time_ms: `${ms(timeUs)}.${String(timeUs % 1000).padStart(3, "0")}000`,
      currency_pair: symbol,
      side: aggressorSide === "buyer" ? "buy" : "sell",
      amount: size,
      price,
      sequence_id: String(tradeId),
    }),
  },
  entry: (id, base, quote) => ({
    id,
    base,
    quote,
    fee: "0.2",
    precision: PRICE_SCALE,
    amount_precision: SIZE_SCALE.spot,
    trade_status: "tradable",
  }),
});

/** https://www.gate.com/docs/developers/futures/ws/en/ */
export const gateioFutures: Dialect = createGate({
  prefix: "futures",
  list: "/api/v4/futures/usdt/contracts",
  trade: (symbol, { tradeId, price, size, aggressorSide }, timeUs) => [
    {
      id: tradeId,
      create_time: Math.floor(timeUs / 1e6),
      create_time_ms: ms(timeUs),
      size: (aggressorSide === "buyer" ? 1 : -1) * Number(size),
      price,
      contract: symbol,
    },
  ],
  trades: {
    path: "/api/v4/futures/usdt/trades",
    parameter: "contract",
    row: (contract, { tradeId, price, size, aggressorSide }, timeUs) => ({
      id: tradeId,
      create_time: ms(timeUs) / 1000,
      create_time_ms: ms(timeUs) / 1000,
      contract,
      size: (aggressorSide === "buyer" ? 1 : -1) * Number(size),
      price,
    }),
  },
  entry: (name) => ({
    name,
    type: "direct",
    quanto_multiplier: "0.0001",
    order_price_round: unitOf(PRICE_SCALE),
    status: "trading",
    in_delisting: false,
  }),
});
