import type { MarketBook } from "../../scripted-venue-market.ts";
import type { Dialect, ScriptedRequest } from "../dialect.ts";
import { ms, unitOf } from "../texts.ts";

const PRICE_SCALE = 2;
const SIZE_SCALE = 6;
const TOPICS: Readonly<Record<string, "book" | "trades">> = {
  books: "book",
  publicTrade: "trades",
};

type Request = {
  readonly op: string;
  readonly args: readonly {
    readonly instType: string;
    readonly topic: string;
    readonly symbol: string;
  }[];
};

/** Numbers beyond 2^53, where every second of them would be lost in a double. */
function sequenceOf(updateId: number): string {
  return String(1_483_653_649_371_725_838n + BigInt(updateId));
}

/** https://www.bitget.com/docs/uta/websocket/public/Order-Book-Channel */
export const bitget: Dialect = {
  webSocketPath: "/v3/ws/public",
  quote: "USDT",
  depth: undefined,
  priceScale: PRICE_SCALE,
  sizeScale: SIZE_SCALE,
  refusesByName: true,
  venueSymbol: (market) => `${market.base}${market.quote}`,
  symbol: (market) => `${market.base}-${market.quote}`,
  read(frame, { markets, refused }) {
    if (frame === "ping") return [{ kind: "answer", frame: "pong" }];
    const { op, args } = JSON.parse(frame) as Request;
    const kind = op === "unsubscribe" ? "unsubscribe" : "subscribe";
    return args.flatMap((arg): readonly ScriptedRequest[] => {
      const { instType, topic, symbol } = arg;
      if (!markets.has(symbol) || refused.has(symbol)) {
        const msg = `${JSON.stringify({ instType, symbol, topic })} doesn't exist`;
        const error = JSON.stringify({ event: "error", code: 30001, msg, connId: "c1" });
        return [{ kind: "answer", frame: error }];
      }
      const channel = instType === "spot" ? TOPICS[topic] : undefined;
      const answer = JSON.stringify({ event: op, arg, connId: "c1" });
      const request = channel === undefined ? [] : [{ kind, channel, symbol } as const];
      return [{ kind: "answer", frame: answer }, ...request];
    });
  },
  snapshotFrames: (symbol, book, timeUs) => [
    bookFrame("snapshot", symbol, { ...book, previous: "0" }, timeUs),
  ],
  deltaFrames: (symbol, delta, _after, timeUs) => {
    const previous = sequenceOf(delta.firstUpdateId - 1);
    return [bookFrame("update", symbol, { ...delta, previous }, timeUs)];
  },
  tradeFrames: (symbol, trade, timeUs) => [
    JSON.stringify({
      action: "update",
      arg: { instType: "spot", topic: "publicTrade", symbol },
      data: [
        {
          i: String(trade.tradeId),
          p: trade.price,
          v: trade.size,
          S: trade.aggressorSide === "buyer" ? "buy" : "sell",
          T: String(ms(timeUs)),
          L: String(trade.tradeId),
        },
      ],
      ts: ms(timeUs),
    }),
  ],
  listsTrades: true,
  rest({ url, trades, timeUs }, markets) {
    const answer = { code: "00000", msg: "success", requestTime: ms(timeUs) };
    if (url.pathname === "/api/v2/public/time") {
      return { ...answer, data: { serverTime: String(ms(timeUs)) } };
    }
    if (url.pathname === "/api/v3/market/fills") {
      const list = trades(url.searchParams.get("symbol") ?? "").map((trade) => ({
        execId: String(trade.tradeId),
        price: trade.price,
        size: trade.size,
        side: trade.aggressorSide === "buyer" ? "buy" : "sell",
        ts: String(ms(trade.timeUs)),
      }));
      return { ...answer, data: list.toReversed() };
    }
    if (url.pathname !== "/api/v3/market/instruments") return undefined;
    const data = [...markets].map(([symbol, { base, quote }]) => ({
      symbol,
      category: "SPOT",
      baseCoin: base,
      quoteCoin: quote,
      pricePrecision: String(PRICE_SCALE),
      quantityPrecision: String(SIZE_SCALE),
      quantityMultiplier: unitOf(SIZE_SCALE),
      status: "online",
    }));
    const isSpot = url.searchParams.get("category") === "SPOT";
    return { ...answer, data: isSpot ? data : [] };
  },
  isSnapshotPath: () => false,
};

/** The numbers are bare integers that no double holds, so they are put in by hand. */
function bookFrame(
  action: "snapshot" | "update",
  symbol: string,
  changes: MarketBookChanges,
  timeUs: number,
): string {
  const { asks, bids, lastUpdateId, previous } = changes;
  const arg = JSON.stringify({ instType: "spot", topic: "books", symbol });
  const sides = `"a":${JSON.stringify(asks)},"b":${JSON.stringify(bids)}`;
  const numbers = `"seq":${sequenceOf(lastUpdateId)},"pseq":${previous}`;
  const row = `{${sides},${numbers},"ts":"${ms(timeUs)}","maxdepth":"1000"}`;
  return `{"action":"${action}","arg":${arg},"data":[${row}],"ts":${ms(timeUs)}}`;
}

type MarketBookChanges = Pick<MarketBook, "bids" | "asks" | "lastUpdateId"> & {
  /** Number of the message before; "0" in a snapshot. */
  readonly previous: string;
};
