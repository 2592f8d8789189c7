import type { LevelText, ScriptedTrade } from "../../scripted-venue-market.ts";
import type { Dialect, ScriptedRequest } from "../dialect.ts";
import { ms, unitOf } from "../texts.ts";

const PRICE_SCALE = 1;
const SIZE_SCALE = 8;

/** The addresses serve different channels; on the wrong one a channel does not exist. */
const PATH_OF: Readonly<Record<string, string>> = {
  books: "/ws/v5/public",
  "bbo-tbt": "/ws/v5/public",
  tickers: "/ws/v5/public",
  "trades-all": "/ws/v5/business",
  candle1m: "/ws/v5/business",
};

type Argument = { readonly channel: string; readonly instId: string; readonly instType?: string };

/** https://www.okx.com/docs-v5/en/#overview-websocket, spot. */
export const okx: Dialect = {
  webSocketPath: "/ws/v5",
  quote: "USDT",
  depth: undefined,
  priceScale: PRICE_SCALE,
  sizeScale: SIZE_SCALE,
  refusesByName: true,
  venueSymbol: (market) => `${market.base}-${market.quote}`,
  symbol: (market) => `${market.base}-${market.quote}`,
  read(frame, { connection, markets, refused }) {
    if (frame === "ping") return [{ kind: "answer", frame: "pong" }];
    const { id, op, args } = JSON.parse(frame) as {
      id?: string;
      op: "subscribe" | "unsubscribe";
      args: readonly Argument[];
    };
    return args.flatMap((argument): ScriptedRequest[] => {
      const { channel, instId } = argument;
      if (channel === "instruments" || channel === "status") {
        const frame = JSON.stringify({ id, event: op, arg: argument, connId: "a4d3ae55" });
        return [{ kind: "answer", frame }, { kind: "market" }];
      }
      const isServed = PATH_OF[channel] === connection.path;
      if (!isServed || !markets.has(instId) || refused.has(instId)) {
        const msg = `Wrong URL or channel:${channel},instId:${instId} doesn't exist. Please use the correct URL, channel and parameters referring to API document.`;
        const refusal = { id, event: "error", code: "60018", msg, connId: "a4d3ae55" };
        return [{ kind: "answer", frame: JSON.stringify(refusal) }];
      }
      const answer = { id, event: op, arg: { channel, instId }, connId: "a4d3ae55" };
      const requests: ScriptedRequest[] = [{ kind: "answer", frame: JSON.stringify(answer) }];
      if (channel === "books") requests.push({ kind: op, channel: "book", symbol: instId });
      if (channel === "trades-all") requests.push({ kind: op, channel: "trades", symbol: instId });
      return requests;
    });
  },
  snapshotFrames: (symbol, book, timeUs) => {
    const numbers = { seqId: book.lastUpdateId, prevSeqId: -1 };
    return [bookFrame("snapshot", symbol, book, numbers, timeUs)];
  },
  deltaFrames: (symbol, delta, _after, timeUs) => {
    const numbers = { seqId: delta.lastUpdateId, prevSeqId: delta.firstUpdateId - 1 };
    return [bookFrame("update", symbol, delta, numbers, timeUs)];
  },
  tradeFrames: (symbol, trade, timeUs) => {
    const item = tradeItem(symbol, trade, timeUs);
    return [JSON.stringify({ arg: { channel: "trades-all", instId: symbol }, data: [item] })];
  },
  heartbeatFrame: () => "pong",
  listsTrades: true,
  rest({ url, trades, timeUs }, markets) {
    if (url.pathname === "/api/v5/public/time") {
      return { code: "0", msg: "", data: [{ ts: String(ms(timeUs)) }] };
    }
    if (url.pathname === "/api/v5/market/trades") {
      const instId = url.searchParams.get("instId") ?? "";
      const data = trades(instId).map((trade) => tradeItem(instId, trade, trade.timeUs));
      return { code: "0", msg: "", data: data.toReversed() };
    }
    const type = url.searchParams.get("instType");
    if (url.pathname === "/api/v5/public/mark-price") {
      const option = { instType: "OPTION", instId: "BTC-USD-261225-100000-C", markPx: "0.01" };
      return { code: "0", msg: "", data: [option] };
    }
    // Options are listed by family only.
    if (type === "OPTION" && !url.searchParams.has("instFamily")) {
      return { code: "50014", msg: "Parameter instFamily can not be empty.", data: [] };
    }
    if (url.pathname !== "/api/v5/public/instruments") return undefined;
    const pairs = type === "SPOT" ? [...markets] : [];
    const data = pairs.map(([instId, { base, quote }]) => ({
      instId,
      instType: "SPOT",
      baseCcy: base,
      quoteCcy: quote,
      settleCcy: "",
      ctVal: "",
      ctMult: "",
      ctValCcy: "",
      ctType: "",
      expTime: "",
      lotSz: unitOf(SIZE_SCALE),
      tickSz: unitOf(PRICE_SCALE),
      state: "live",
    }));
    return { code: "0", msg: "", data };
  },
  market: {
    // Auctions are before the opening alone, and end with it.
    stateFrame: (instId, state) => {
      const words = { trading: "live", listed: "live", halted: "suspend", delisted: "expired" };
      if (state === "auction") return undefined;
      const data = [{ instId, instType: "SPOT", state: words[state] }];
      return JSON.stringify({ arg: { channel: "instruments", instType: "SPOT" }, data });
    },
    maintenanceFrame: (isOver) => {
      const state = isOver ? "completed" : "ongoing";
      const data = [{ title: "Upgrade", state, env: "1", serviceType: "1", begin: "1", end: "2" }];
      return JSON.stringify({ arg: { channel: "status" }, data });
    },
  },
  isSnapshotPath: () => false,
};

/** The same on the connection and by REST, newest first there. */
function tradeItem(instId: string, trade: ScriptedTrade, timeUs: number): object {
  return {
    instId,
    tradeId: String(trade.tradeId),
    px: trade.price,
    sz: trade.size,
    side: trade.aggressorSide === "buyer" ? "buy" : "sell",
    source: "0",
    ts: String(ms(timeUs)),
  };
}

/** The checksum is 0 on every message since June 2026. */
function bookFrame(
  action: "snapshot" | "update",
  symbol: string,
  { bids, asks }: { readonly bids: readonly LevelText[]; readonly asks: readonly LevelText[] },
  numbers: { readonly seqId: number; readonly prevSeqId: number },
  timeUs: number,
): string {
  const levels = (texts: readonly LevelText[]): string[][] =>
    texts.map(([price, size]) =>
      Number(size) === 0 ? [price, "0", "0", "0"] : [price, size, "0", "1"],
    );
  const item = { asks: levels(asks), bids: levels(bids), ts: String(ms(timeUs)), checksum: 0 };
  const arg = { channel: "books", instId: symbol };
  return JSON.stringify({ arg, action, data: [{ ...item, ...numbers }] });
}
