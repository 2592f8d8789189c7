import type { LevelText, MarketBook, ScriptedTrade } from "../../scripted-venue-market.ts";
import type { Dialect, DialectConnection, Frame, ScriptedRequest } from "../dialect.ts";
import { crc32Of, ms } from "../texts.ts";

const SIZE_SCALE = 8;
const FIRST_CHANNEL_ID = 232_900;
const CHECKSUM_LEVELS = 25;
const VENUE_CHANNELS = { book: "book", trades: "trades" } as const;

/** https://docs.bitfinex.com/docs/ws-general and https://docs.bitfinex.com/docs/ws-websocket-checksum */
export const bitfinex: Dialect = {
  webSocketPath: "/ws/2",
  quote: "USD",
  depth: undefined,
  priceScale: 1,
  sizeScale: SIZE_SCALE,
  refusesByName: true,
  venueSymbol: ({ base, quote }) => `t${base}${quote}`,
  symbol: ({ base, quote }) => `${base}-${quote}`,
  greeting: () => ['{"event":"info","version":2,"serverId":"83bd","platform":{"status":1}}'],
  read(frame, { connection, markets, refused }) {
    const request = JSON.parse(frame) as {
      readonly event: string;
      readonly flags?: number;
      readonly channel?: string;
      readonly symbol?: string;
      readonly chanId?: number;
    };
    const { event, symbol = "" } = request;
    if (event === "conf") return [answer({ event, status: "OK", flags: request.flags })];
    if (event === "unsubscribe") return ended(request.chanId, connection);
    const channel = request.channel === "trades" ? "trades" : VENUE_CHANNELS.book;
    if (!markets.has(symbol) || refused.has(symbol)) {
      const error = { event: "error", msg: "symbol: invalid", code: 10_300 };
      return [answer({ ...error, channel, symbol, pair: symbol.slice(1) })];
    }
    const chanId = next(connection, CHANNEL_ID, FIRST_CHANNEL_ID);
    connection.memory.set(`${channel} ${symbol}`, chanId);
    const accepted = { event: "subscribed", channel, chanId, symbol, pair: symbol.slice(1) };
    return [answer(accepted), { kind: "subscribe", channel, symbol }];
  },
  snapshotFrames: (_symbol, book, timeUs) => {
    const levels = [
      ...book.bids.map((level) => levelText(level, "")),
      ...book.asks.map((level) => levelText(level, "-")),
    ];
    return [frameOf(`[${levels.join(",")}]`, timeUs), checksumFrame(book, timeUs)];
  },
  deltaFrames: (_symbol, delta, after, timeUs) => [
    ...delta.bids.map((level) => frameOf(levelText(level, ""), timeUs)),
    ...delta.asks.map((level) => frameOf(levelText(level, "-"), timeUs)),
    checksumFrame(after, timeUs),
  ],
  tradeFrames: (_symbol, made, timeUs) => {
    const trade = tradeText(made, timeUs);
    return [frameOf(`"te",${trade}`, timeUs), frameOf(`"tu",${trade}`, timeUs)];
  },
  stamp: (frame, symbol, channel, connection) =>
    String(frame)
      .replace("CHANNEL", String(connection.memory.get(`${channel} ${symbol}`)))
      .replace("SEQUENCE", String(next(connection, SEQUENCE, 0))),
  withWrongChecksum: (frames) =>
    frames.map((frame) =>
      String(frame).replace(/"cs",(-?\d+)/, (_, checksum) => `"cs",${Number(checksum) ^ 1}`),
    ),
  heartbeatFrame: (symbol, connection, timeUs) => {
    const id = connection.memory.get(`book ${symbol}`);
    return id === undefined
      ? undefined
      : `[${id},"hb",${next(connection, SEQUENCE, 0)},${ms(timeUs)}]`;
  },
  listsTrades: true,
  rest({ url, trades }, markets) {
    const symbol = /^\/v2\/trades\/([^/]+)\/hist$/.exec(url.pathname)?.[1];
    if (symbol !== undefined) {
      const rows = trades(symbol).map((trade) => tradeText(trade, trade.timeUs));
      return `[${rows.toReversed().join(",")}]`;
    }
    const names = [...markets.keys()].map((symbol) => symbol.slice(1));
    if (url.pathname === "/v2/conf/pub:list:pair:exchange") return [names];
    return url.pathname === "/v2/conf/pub:list:pair:futures" ? [[]] : undefined;
  },
  isSnapshotPath: () => false,
};

const SEQUENCE = "sequence";
const CHANNEL_ID = "channel-id";

/** Counts up what the connection remembers under a name. */
function next({ memory }: DialectConnection, name: string, start: number): number {
  const value = (memory.get(name) ?? start) + 1;
  memory.set(name, value);
  return value;
}

function answer(message: object): ScriptedRequest {
  return { kind: "answer", frame: JSON.stringify(message) };
}

function ended(chanId: number | undefined, { memory }: DialectConnection): ScriptedRequest[] {
  for (const [key, id] of memory) {
    if (id !== chanId || !key.includes(" ")) continue;
    const [channel, symbol = ""] = key.split(" ");
    const kind = "unsubscribe";
    const request = { kind, channel: channel === "trades" ? "trades" : "book", symbol } as const;
    return [answer({ event: "unsubscribed", status: "OK", chanId }), request];
  }
  return [answer({ event: "error", msg: "unsubscribe: invalid", code: 10_400, chanId })];
}

function tradeText({ tradeId, price, size, aggressorSide }: ScriptedTrade, timeUs: number): string {
  return `[${tradeId},${ms(timeUs)},${aggressorSide === "buyer" ? "" : "-"}${size},${price}]`;
}

function frameOf(payload: string, timeUs: number): Frame {
  return `[CHANNEL,${payload},SEQUENCE,${ms(timeUs)}]`;
}

/** A count of 0 removes; the amount is then 1 for a bid and -1 for an ask. */
function levelText([price, size]: LevelText, sign: string): string {
  const isGone = Number(size) === 0;
  return `[${printed(price)},${isGone ? 0 : 1},${sign}${isGone ? 1 : printed(size)}]`;
}

/** Numbers come as JavaScript prints them. */
function printed(text: string): string {
  return JSON.stringify(Number(text));
}

function checksumFrame({ bids, asks }: MarketBook, timeUs: number): Frame {
  const texts: string[] = [];
  for (let level = 0; level < CHECKSUM_LEVELS; level++) {
    const [bid, ask] = [bids[level], asks[level]];
    if (bid !== undefined) texts.push(`${printed(bid[0])}:${printed(bid[1])}`);
    if (ask !== undefined) texts.push(`${printed(ask[0])}:-${printed(ask[1])}`);
  }
  return frameOf(`"cs",${crc32Of(texts.join(":")) | 0}`, timeUs);
}
