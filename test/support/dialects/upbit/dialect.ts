import type { MarketBook, ScriptedTrade } from "../../scripted-venue-market.ts";
import type { Dialect, DialectContext, ScriptedRequest } from "../dialect.ts";
import { ms } from "../texts.ts";

const DEPTH = 15;

type Type = { readonly type?: string; readonly codes?: readonly string[] };

/** https://docs.upbit.com/kr/reference/websocket-guide */
export const upbit: Dialect = {
  webSocketPath: "/websocket/v1",
  quote: "KRW",
  depth: DEPTH,
  priceScale: 0,
  sizeScale: 8,
  refusesByName: false,
  renewsTogether: true,
  venueSymbol: (market) => `${market.quote}-${market.base}`,
  symbol: (market) => `${market.base}-${market.quote}`,
  read(frame, context) {
    if (frame === "PING") return [{ kind: "answer", frame: bytes('{"status":"UP"}') }];
    return replaced(JSON.parse(frame) as readonly Type[], context);
  },
  snapshotFrames: (symbol, book, timeUs) => [bookFrame(symbol, book, timeUs, "SNAPSHOT")],
  deltaFrames: (symbol, _delta, after, timeUs) => [bookFrame(symbol, after, timeUs, "REALTIME")],
  tradeFrames: (symbol, trade, timeUs) => [tradeFrame(symbol, trade, timeUs, "REALTIME")],
  heartbeatFrame: () => bytes('{"status":"UP"}'),
  listsTrades: true,
  rest({ url, trades }, markets) {
    if (url.pathname === "/v1/market/all") {
      return [...markets].map(([market, { base }]) => ({
        market,
        korean_name: base,
        english_name: base,
        market_event: { warning: false, caution: {} },
      }));
    }
    if (url.pathname !== "/v1/trades/ticks") return undefined;
    const market = url.searchParams.get("market") ?? "";
    const rows = trades(market).map((trade) => listedTrade(market, trade, trade.timeUs));
    return `[${rows.toReversed().join(",")}]`;
  },
  isSnapshotPath: () => false,
};

/** What the connection had and this list does not name has ended; the rest begins anew. */
function replaced(
  list: readonly Type[],
  { connection, markets, timeUs }: DialectContext,
): readonly ScriptedRequest[] {
  const wanted = list.flatMap(({ type, codes = [] }) =>
    codes.map((code) => ({ type, symbol: code.split(".")[0] ?? "" })),
  );
  const requests: ScriptedRequest[] = [];
  for (const had of connection.subscribed) {
    const [channel, symbol = ""] = had.split(" ");
    const type = channel === "book" ? "orderbook" : "trade";
    if (wanted.some((each) => each.type === type && each.symbol === symbol)) continue;
    const ended = channel === "book" ? "book" : "trades";
    requests.push({ kind: "unsubscribe", channel: ended, symbol });
  }
  for (const { type, symbol } of wanted) {
    if (!markets.has(symbol)) continue;
    if (type === "orderbook") requests.push({ kind: "subscribe", channel: "book", symbol });
    if (type !== "trade") continue;
    // What was traded last, which nobody should take for news.
    const old = { price: "1", size: "1.00000000", aggressorSide: "buyer", tradeId: 1 } as const;
    const last = tradeFrame(symbol, old, timeUs - 60_000_000, "SNAPSHOT");
    requests.push({ kind: "answer", frame: last });
    requests.push({ kind: "subscribe", channel: "trades", symbol });
  }
  return requests;
}

/** Every frame is JSON in bytes. */
function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Numbers are bare. Every message is the whole book. */
function bookFrame(
  code: string,
  { bids, asks }: MarketBook,
  timeUs: number,
  streamType: string,
): Uint8Array {
  const units: string[] = [];
  for (let index = 0; index < DEPTH; index += 1) {
    const [askPrice = "0", askSize = "0"] = asks[index] ?? [];
    const [bidPrice = "0", bidSize = "0"] = bids[index] ?? [];
    units.push(
      `{"ask_price":${askPrice},"bid_price":${bidPrice},` +
        `"ask_size":${askSize},"bid_size":${bidSize}}`,
    );
  }
  return bytes(
    `{"type":"orderbook","code":"${code}","timestamp":${ms(timeUs)},"total_ask_size":1.5,` +
      `"total_bid_size":1.5,"orderbook_units":[${units.join(",")}],` +
      `"stream_type":"${streamType}","level":0}`,
  );
}

function tradeFrame(
  code: string,
  trade: ScriptedTrade,
  timeUs: number,
  streamType: string,
): Uint8Array {
  return bytes(
    `{"type":"trade","code":"${code}","timestamp":${ms(timeUs) + 4},` +
      `"trade_timestamp":${ms(timeUs)},${fieldsOf(trade)},"stream_type":"${streamType}"}`,
  );
}

function listedTrade(market: string, trade: ScriptedTrade, timeUs: number): string {
  return `{"market":"${market}","timestamp":${ms(timeUs)},${fieldsOf(trade)}}`;
}

/** Seventeen digits, which a double does not hold. */
function fieldsOf({ price, size, aggressorSide, tradeId }: ScriptedTrade): string {
  const side = aggressorSide === "buyer" ? "BID" : "ASK";
  return (
    `"trade_price":${price},"trade_volume":${size},"ask_bid":"${side}",` +
    `"sequential_id":${`17672256000${String(tradeId).padStart(6, "0")}`}`
  );
}
