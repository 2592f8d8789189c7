import type { LevelText, ScriptedTrade } from "../../scripted-venue-market.ts";
import type { Dialect, Frame, ScriptedRequest } from "../dialect.ts";
import { ms, unitOf } from "../texts.ts";

const PRICE_SCALE = 1;

/** https://docs.deribit.com, inverse perpetuals: amounts are whole dollars. */
export const deribit: Dialect = {
  webSocketPath: "/ws/api/v2",
  restPath: "/api/v2",
  quote: "USD",
  depth: undefined,
  priceScale: PRICE_SCALE,
  sizeScale: 0,
  refusesByName: true,
  venueSymbol: ({ base }) => `${base}-PERPETUAL`,
  symbol: ({ base }) => `${base}-USD-PERP`,
  read(frame, { markets, refused }) {
    const { id, method, params } = JSON.parse(frame) as {
      id: number;
      method: string;
      params: { readonly channels?: readonly string[] };
    };
    if (method === "public/set_heartbeat") return [answer(id, "ok")];
    if (method === "public/test") return [answer(id, { version: "1.2.26" })];
    const kind = method === "public/unsubscribe" ? "unsubscribe" : "subscribe";
    const accepted: string[] = [];
    const requests: ScriptedRequest[] = [];
    for (const name of params.channels ?? []) {
      const [channel, symbol = ""] = name.split(".");
      if (channel === "instrument" || channel === "platform_state") {
        accepted.push(name);
        requests.push({ kind: "market" });
        continue;
      }
      if (!markets.has(symbol) || refused.has(symbol)) continue;
      accepted.push(name);
      if (channel === "book") requests.push({ kind, channel: "book", symbol });
      if (channel === "trades") requests.push({ kind, channel: "trades", symbol });
    }
    return [answer(id, accepted), ...requests];
  },
  snapshotFrames: (symbol, book, timeUs) => [
    bookFrame(symbol, book, { type: "snapshot", change_id: book.lastUpdateId }, timeUs),
  ],
  deltaFrames: (symbol, delta, _after, timeUs) => {
    const numbers = { prev_change_id: delta.firstUpdateId - 1, change_id: delta.lastUpdateId };
    return [bookFrame(symbol, delta, { type: "change", ...numbers }, timeUs)];
  },
  tradeFrames: (symbol, trade, timeUs) => [
    notification(`trades.${symbol}.100ms`, `[${tradeText(symbol, trade, timeUs)}]`),
  ],
  heartbeatFrame: () =>
    JSON.stringify({ jsonrpc: "2.0", method: "heartbeat", params: { type: "heartbeat" } }),
  listsTrades: true,
  rest({ url, timeUs, trades }, markets) {
    if (url.pathname === "/api/v2/public/get_last_trades_by_instrument") {
      const symbol = url.searchParams.get("instrument_name") ?? "";
      const rows = trades(symbol).map((trade) => tradeText(symbol, trade, trade.timeUs));
      return `{"jsonrpc":"2.0","result":{"trades":[${rows.toReversed().join(",")}],"has_more":false}}`;
    }
    if (url.pathname === "/api/v2/public/get_time") return { jsonrpc: "2.0", result: ms(timeUs) };
    if (url.pathname !== "/api/v2/public/get_instruments") return undefined;
    const result = [...markets].map(([name, { base }]) => ({
      instrument_name: name,
      kind: "future",
      is_active: true,
      base_currency: base,
      quote_currency: "USD",
      settlement_currency: base,
      settlement_period: "perpetual",
      tick_size: Number(unitOf(PRICE_SCALE)),
      min_trade_amount: 1,
      contract_size: 1,
      expiration_timestamp: 32_503_708_800_000,
    }));
    return { jsonrpc: "2.0", result };
  },
  market: {
    // The venue has no auctions.
    stateFrame: (symbol, state) => {
      const words = {
        trading: "open",
        listed: "created",
        halted: "halted",
        delisted: "terminated",
      };
      if (state === "auction") return undefined;
      const data = { timestamp: 1, state: words[state], instrument_name: symbol };
      return notification("instrument.state.any.any", JSON.stringify(data));
    },
    maintenanceFrame: (isOver) =>
      notification("platform_state", JSON.stringify({ maintenance: !isOver })),
  },
  isSnapshotPath: () => false,
};

function answer(id: number, result: unknown): ScriptedRequest {
  return { kind: "answer", frame: JSON.stringify({ jsonrpc: "2.0", id, result }) };
}

/** Numbers are JSON numbers with all their zeros, so this text is put together by hand. */
function bookFrame(
  symbol: string,
  sides: { readonly bids: readonly LevelText[]; readonly asks: readonly LevelText[] },
  head: Readonly<Record<string, string | number>>,
  timeUs: number,
): Frame {
  const isSnapshot = head["type"] === "snapshot";
  const levels = (texts: readonly LevelText[]): string =>
    texts
      .map(([price, size]) => {
        const action = isSnapshot ? "new" : Number(size) === 0 ? "delete" : "change";
        return `["${action}",${price},${size}]`;
      })
      .join(",");
  const fields = { ...head, timestamp: ms(timeUs), instrument_name: symbol };
  const text = JSON.stringify(fields).slice(0, -1);
  return notification(
    `book.${symbol}.100ms`,
    `${text},"bids":[${levels(sides.bids)}],"asks":[${levels(sides.asks)}]}`,
  );
}

function tradeText(symbol: string, trade: ScriptedTrade, timeUs: number): string {
  const direction = trade.aggressorSide === "buyer" ? "buy" : "sell";
  return (
    `{"trade_seq":${trade.tradeId},"trade_id":"${trade.tradeId}","timestamp":${ms(timeUs)},` +
    `"tick_direction":0,"price":${trade.price},"mark_price":${trade.price},` +
    `"instrument_name":"${symbol}","index_price":${trade.price},"direction":"${direction}",` +
    `"amount":${trade.size}}`
  );
}

function notification(channel: string, data: string): string {
  return `{"jsonrpc":"2.0","method":"subscription","params":{"channel":"${channel}","data":${data}}}`;
}
