import type { ScriptedMarket } from "../../scripted-venue-market.ts";
import type { Dialect, ScriptedRequest } from "../dialect.ts";
import { ms, unitOf } from "../texts.ts";

/** In what the two futures venues differ. */
type FuturesNames = {
  /** Of the REST addresses: `fapi`. */
  readonly api: string;
  readonly quote: string;
  /** Which of both markets its contracts are of, in messages about all of them. */
  readonly contractMarket: number;
  readonly sizeScale: number;
  /** What only one of them lists of an instrument. */
  readonly listed: Readonly<Record<string, unknown>>;
  readonly venueSymbol: (market: ScriptedMarket) => string;
};

/**
 * https://developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams
 * https://developers.binance.com/docs/derivatives/coin-margined-futures/websocket-market-streams
 */
export function createFuturesDialect(names: FuturesNames): Dialect {
  const { api, quote, sizeScale, venueSymbol } = names;
  const isSnapshotPath = (url: URL): boolean => url.pathname === `/${api}/v1/depth`;
  const priceScale = 1;
  return {
    webSocketPath: "",
    quote,
    depth: undefined,
    priceScale,
    sizeScale,
    // A stream of an unknown symbol is accepted and stays silent.
    refusesByName: false,
    venueSymbol,
    symbol: (market) => `${market.base}-${quote}-PERP`,
    read,
    snapshotFrames: () => [],
    deltaFrames: (symbol, delta, _after, timeUs) => [
      stream(`${symbol.toLowerCase()}@depth@100ms`, {
        e: "depthUpdate",
        E: ms(timeUs) + 4,
        T: ms(timeUs),
        s: symbol,
        U: delta.firstUpdateId,
        u: delta.lastUpdateId,
        pu: delta.firstUpdateId - 1,
        b: delta.bids,
        a: delta.asks,
      }),
    ],
    tradeFrames: (symbol, trade, timeUs) => [
      stream(`${symbol.toLowerCase()}@trade`, {
        e: "trade",
        E: ms(timeUs) + 4,
        T: ms(timeUs),
        s: symbol,
        t: trade.tradeId,
        p: trade.price,
        q: trade.size,
        X: "MARKET",
        m: trade.aggressorSide === "seller",
      }),
    ],
    listsTrades: true,
    rest({ url, timeUs, trades }, markets, book) {
      if (url.pathname === `/${api}/v1/trades`) {
        return trades(url.searchParams.get("symbol") ?? "").map((trade) => ({
          id: trade.tradeId,
          price: trade.price,
          qty: trade.size,
          time: ms(trade.timeUs),
          isBuyerMaker: trade.aggressorSide === "seller",
        }));
      }
      if (isSnapshotPath(url)) {
        const snapshot = book(url.searchParams.get("symbol") ?? "");
        return snapshot && { ...snapshot, E: ms(timeUs) + 4, T: ms(timeUs) };
      }
      if (url.pathname === `/${api}/v1/time`) return { serverTime: ms(timeUs) };
      if (url.pathname !== `/${api}/v1/exchangeInfo`) return undefined;
      const filters = [
        { filterType: "PRICE_FILTER", tickSize: unitOf(priceScale) },
        { filterType: "LOT_SIZE", stepSize: unitOf(sizeScale) },
      ];
      return {
        timezone: "UTC",
        symbols: [...markets].map(([symbol, { base }]) => ({
          symbol,
          pair: `${base}${quote}`,
          contractType: "PERPETUAL",
          baseAsset: base,
          quoteAsset: quote,
          deliveryDate: 4_133_404_800_000,
          filters,
          ...names.listed,
          marginAsset: names.listed["contractSize"] === undefined ? quote : base,
        })),
      };
    },
    market: {
      // Contracts are neither halted nor auctioned: what ends them stops their trading.
      stateFrame: (symbol, state) => {
        if (state === "auction") return undefined;
        const words = {
          trading: "TRADING",
          listed: "PENDING_TRADING",
          halted: "PRE_SETTLE",
          delisted: "CLOSE",
        };
        const contract = { e: "contractInfo", E: 1, s: symbol, ps: symbol, ct: "PERPETUAL" };
        const { contractMarket: st } = names;
        const times = { dt: 4_133_404_800_000, ot: 1_569_398_400_000 };
        return stream("!contractInfo", { ...contract, ...times, cs: words[state], st });
      },
    },
    isSnapshotPath,
  };
}

function read(frame: string): readonly ScriptedRequest[] {
  const request = JSON.parse(frame) as { method: string; params: string[]; id: number };
  const kind = request.method === "UNSUBSCRIBE" ? "unsubscribe" : "subscribe";
  const requests: ScriptedRequest[] = [];
  for (const name of request.params) {
    if (name === "!contractInfo") requests.push({ kind: "market" });
    const [symbol = "", channel] = name.split("@");
    const subscription = { kind, symbol: symbol.toUpperCase() } as const;
    if (channel === "depth") requests.push({ ...subscription, channel: "book" });
    if (channel === "trade") requests.push({ ...subscription, channel: "trades" });
  }
  return [...requests, { kind: "answer", frame: JSON.stringify({ result: null, id: request.id }) }];
}

function stream(name: string, data: unknown): string {
  return JSON.stringify({ stream: name, data });
}
