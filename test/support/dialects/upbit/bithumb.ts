import type { MarketBook, ScriptedTrade } from "../../scripted-venue-market.ts";
import type { Dialect, ScriptedRequest } from "../dialect.ts";
import { ms } from "../texts.ts";

const DEPTH = 15;

type Type = { readonly type?: string; readonly codes?: readonly string[] };

/** https://apidocs.bithumb.com/v2.1.4/reference/요청-포맷 */
export const bithumb: Dialect = {
  webSocketPath: "/websocket/v1",
  quote: "KRW",
  depth: DEPTH,
  priceScale: 0,
  sizeScale: 4,
  refusesByName: false,
  renewsTogether: true,
  venueSymbol: (market) => `${market.quote}-${market.base}`,
  symbol: (market) => `${market.base}-${market.quote}`,
  read(frame, { markets, timeUs }) {
    if (frame === "PING") return [{ kind: "answer", frame: bytes({ status: "UP" }) }];
    const types = JSON.parse(frame) as readonly Type[];
    return types.flatMap(({ type, codes = [] }) =>
      codes
        .filter((code) => markets.has(code))
        .flatMap((symbol): readonly ScriptedRequest[] => {
          if (type === "orderbook") return [{ kind: "subscribe", channel: "book", symbol }];
          if (type !== "trade") return [];
          // What was traded last, which nobody should take for news.
          const old = { price: "1", size: "1", aggressorSide: "buyer", tradeId: 1 } as const;
          const last = tradeFrame(symbol, old, timeUs - 60_000_000, "SNAPSHOT");
          return [
            { kind: "answer", frame: last },
            { kind: "subscribe", channel: "trades", symbol },
          ];
        }),
    );
  },
  snapshotFrames: (symbol, book, timeUs) => [bookFrame(symbol, book, timeUs, "SNAPSHOT")],
  deltaFrames: (symbol, _delta, after, timeUs) => [bookFrame(symbol, after, timeUs, "REALTIME")],
  tradeFrames: (symbol, trade, timeUs) => [tradeFrame(symbol, trade, timeUs, "REALTIME")],
  heartbeatFrame: () => bytes({ status: "UP" }),
  listsTrades: true,
  rest({ url, trades }, markets) {
    if (url.pathname === "/v1/market/all") {
      return [...markets].map(([market, { base }]) => ({
        market,
        korean_name: base,
        english_name: base,
        market_warning: "NONE",
      }));
    }
    if (url.pathname !== "/v1/trades/ticks") return undefined;
    const market = url.searchParams.get("market") ?? "";
    const rows = trades(market).map((trade) => {
      const timestamp = ms(trade.timeUs);
      return { market, timestamp, ...fieldsOf(trade) };
    });
    return rows.toReversed();
  },
  isSnapshotPath: () => false,
};

/** Every frame is JSON in bytes. */
function bytes(message: object): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(message));
}

/** Every message is the whole book; its time is a text of microseconds. */
function bookFrame(
  code: string,
  { bids, asks }: MarketBook,
  timeUs: number,
  stream_type: string,
): Uint8Array {
  const orderbook_units = Array.from({ length: DEPTH }, (_, index) => {
    const [ask_price, ask_size] = (asks[index] ?? ["0", "0"]).map(Number);
    const [bid_price, bid_size] = (bids[index] ?? ["0", "0"]).map(Number);
    return { ask_price, bid_price, ask_size, bid_size };
  });
  const timestamp = String(timeUs);
  return bytes({ type: "orderbook", code, orderbook_units, level: 1, timestamp, stream_type });
}

function tradeFrame(
  code: string,
  trade: ScriptedTrade,
  timeUs: number,
  stream_type: string,
): Uint8Array {
  const times = { trade_timestamp: ms(timeUs), timestamp: ms(timeUs) + 260 };
  return bytes({ type: "trade", code, ...fieldsOf(trade), ...times, stream_type });
}

/** Ids are texts of eighteen digits. */
function fieldsOf({ price, size, aggressorSide, tradeId }: ScriptedTrade): object {
  return {
    trade_price: Number(price),
    trade_volume: Number(size),
    ask_bid: aggressorSide === "buyer" ? "BID" : "ASK",
    sequential_id: `862683813${String(tradeId).padStart(9, "0")}`,
  };
}
