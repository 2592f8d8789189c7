import type { Dialect, ScriptedRequest } from "../dialect.ts";
import { ms } from "../texts.ts";

/** Nanoseconds, as a bare number beyond what a double holds. */
const nanoseconds = (timeUs: number): string => `${Math.floor(timeUs)}117`;

/** https://developer.gemini.com/websocket/streams */
export const gemini: Dialect = {
  webSocketPath: "",
  quote: "USD",
  depth: undefined,
  priceScale: 2,
  sizeScale: 8,
  refusesByName: true,
  venueSymbol: (market) => `${market.base}${market.quote}`.toLowerCase(),
  symbol: (market) => `${market.base}-${market.quote}`,
  read(frame, { markets, refused }) {
    const { id, method, params } = JSON.parse(frame) as {
      id: number | string;
      method: string;
      params?: string[];
    };
    const ok: ScriptedRequest = { kind: "answer", frame: JSON.stringify({ id, status: 200 }) };
    const streams = (params ?? []).map((stream) => stream.split("@"));
    if (streams.some(([symbol = ""]) => !markets.has(symbol) || refused.has(symbol))) {
      const error = { code: -1121, msg: "Invalid symbol" };
      return [{ kind: "answer", frame: JSON.stringify({ id, status: 400, error }) }];
    }
    const kind = method === "UNSUBSCRIBE" ? "unsubscribe" : "subscribe";
    const requests: ScriptedRequest[] = [];
    for (const [symbol = "", name] of streams) {
      if (name === "depth") requests.push({ kind, channel: "book", symbol });
      if (name === "trade") requests.push({ kind, channel: "trades", symbol });
    }
    // Whole books come before the acknowledgement.
    return [...requests, ok];
  },
  snapshotFrames: (symbol, { lastUpdateId: u, bids, asks }, timeUs) => [
    `{"e":"depthUpdate","E":${nanoseconds(timeUs)},"s":"${symbol}","U":${u},"u":${u},"b":${JSON.stringify(bids)},"a":${JSON.stringify(asks)}}`,
  ],
  // A change begins at the number where the one before ended.
  deltaFrames: (symbol, delta, _after, timeUs) => [
    `{"e":"depthUpdate","E":${nanoseconds(timeUs)},"s":"${symbol}","U":${delta.firstUpdateId - 1},"u":${delta.lastUpdateId},"b":${JSON.stringify(delta.bids)},"a":${JSON.stringify(delta.asks)}}`,
  ],
  tradeFrames: (symbol, trade, timeUs) => [
    `{"E":${nanoseconds(timeUs)},"s":"${symbol}","t":${trade.tradeId},"p":"${trade.price}","q":"${trade.size}","m":${trade.aggressorSide === "seller"}}`,
  ],
  heartbeatFrame: () => '{"id":"ping-0","status":200}',
  rest: ({ url }, markets) => (url.pathname === "/v1/symbols" ? [...markets.keys()] : undefined),
  isSnapshotPath: () => false,
};

/** https://docs.gemini.com/websocket-api/#market-data-version-2 */
export const geminiV2: Dialect = {
  ...gemini,
  webSocketPath: "/v2/marketdata",
  refusesByName: false,
  venueSymbol: (market) => `${market.base}${market.quote}`,
  read(frame, { markets, refused }) {
    const { type, subscriptions } = JSON.parse(frame) as {
      type: "subscribe" | "unsubscribe";
      subscriptions: { name: string; symbols: string[] }[];
    };
    const requests: ScriptedRequest[] = [];
    for (const { name, symbols } of subscriptions) {
      for (const symbol of symbols) {
        if (name !== "l2" || !markets.has(symbol) || refused.has(symbol)) continue;
        requests.push({ kind: type, channel: "book", symbol });
        requests.push({ kind: type, channel: "trades", symbol });
      }
    }
    return requests;
  },
  snapshotFrames: (symbol, book) => [
    JSON.stringify({
      type: "l2_updates",
      symbol,
      changes: changesOf(book),
      trades: [],
      auction_events: [],
    }),
  ],
  deltaFrames: (symbol, delta) => [
    JSON.stringify({ type: "l2_updates", symbol, changes: changesOf(delta) }),
  ],
  tradeFrames: (symbol, trade, timeUs) => [
    JSON.stringify({
      type: "trade",
      symbol,
      event_id: trade.tradeId,
      timestamp: ms(timeUs),
      price: trade.price,
      quantity: trade.size,
      side: trade.aggressorSide === "buyer" ? "buy" : "sell",
    }),
  ],
  heartbeatFrame: (_symbol, _connection, timeUs) =>
    JSON.stringify({ type: "heartbeat", timestamp: ms(timeUs) }),
  rest: ({ url }, markets) =>
    url.pathname === "/v1/symbols"
      ? [...markets.keys()].map((symbol) => symbol.toLowerCase())
      : undefined,
};

function changesOf(levels: {
  readonly bids: readonly (readonly string[])[];
  readonly asks: readonly (readonly string[])[];
}): string[][] {
  return [
    ...levels.bids.map((level) => ["buy", ...level]),
    ...levels.asks.map((level) => ["sell", ...level]),
  ];
}
