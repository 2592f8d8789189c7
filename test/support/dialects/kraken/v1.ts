import type { LevelText } from "../../scripted-venue-market.ts";
import type { Dialect, ScriptedRequest } from "../dialect.ts";
import { kraken, krakenChecksumOf } from "./dialect.ts";

const DEPTH = 10;

type Request = {
  readonly event: "subscribe" | "unsubscribe" | "ping";
  readonly reqid?: number;
  readonly pair?: readonly string[];
  readonly subscription?: { readonly name: string; readonly depth?: number };
};

/** https://docs.kraken.com/api/docs/websocket-v1/book */
export const krakenV1: Dialect = {
  webSocketPath: "",
  quote: "USDT",
  depth: DEPTH,
  priceScale: 1,
  sizeScale: 8,
  refusesByName: true,
  // A cut message has lost its pair.
  namesAtEnd: true,
  venueSymbol: ({ base, quote }) => `${base === "BTC" ? "XBT" : base}/${quote}`,
  symbol: ({ base, quote }) => `${base}-${quote}`,
  greeting: () => [
    JSON.stringify({ connectionID: 1, event: "systemStatus", status: "online", version: "1.9.6" }),
  ],
  read(frame, { markets, refused }) {
    const { event, reqid, pair = [], subscription } = JSON.parse(frame) as Request;
    if (event === "ping" || subscription === undefined) {
      return [{ kind: "answer", frame: JSON.stringify({ event: "pong", reqid }) }];
    }
    const requests: ScriptedRequest[] = [];
    for (const symbol of pair) {
      const { name, depth } = subscription;
      const about = { event: "subscriptionStatus", pair: symbol, reqid, subscription };
      const wrongDepth = name === "book" && depth !== DEPTH;
      if (!markets.has(symbol) || refused.has(symbol) || wrongDepth) {
        const errorMessage = wrongDepth
          ? "Subscription depth not supported"
          : `Currency pair not supported ${symbol}`;
        const refusal = { ...about, status: "error", errorMessage };
        requests.push({ kind: "answer", frame: JSON.stringify(refusal) });
        continue;
      }
      const channelName = name === "book" ? `book-${DEPTH}` : name;
      const acknowledgement = { ...about, channelID: 336, channelName, status: `${event}d` };
      requests.push({ kind: "answer", frame: JSON.stringify(acknowledgement) });
      if (name === "book") requests.push({ kind: event, channel: "book", symbol });
      if (name === "trade") requests.push({ kind: event, channel: "trades", symbol });
    }
    return requests;
  },
  snapshotFrames(symbol, book, timeUs) {
    const sides = { as: levels(book.asks, timeUs), bs: levels(book.bids, timeUs) };
    return [JSON.stringify([336, sides, `book-${DEPTH}`, symbol])];
  },
  deltaFrames: (symbol, { asks, bids }, after, timeUs) => [
    // The checksum is in the last of the objects.
    JSON.stringify([
      336,
      { a: levels(asks, timeUs) },
      { b: levels(bids, timeUs), c: String(krakenChecksumOf(after)) },
      `book-${DEPTH}`,
      symbol,
    ]),
  ],
  tradeFrames: (symbol, { price, size, aggressorSide }, timeUs) => {
    const side = aggressorSide === "buyer" ? "b" : "s";
    return [
      JSON.stringify([337, [[price, size, seconds(timeUs), side, "l", ""]], "trade", symbol]),
    ];
  },
  withWrongChecksum: (frames) =>
    frames.map((frame) =>
      String(frame).replace(/"c":"(\d+)"/, (_, sum) => `"c":"${(Number(sum) + 1) % 2 ** 32}"`),
    ),
  heartbeatFrame: () => '{"event":"heartbeat"}',
  rest: (request, markets, book) => kraken.rest(request, markets, book),
  isSnapshotPath: () => false,
};

/** `[price, volume, time]`, all of them texts. */
function levels(texts: readonly LevelText[], timeUs: number): string[][] {
  return texts.map(([price, size]) => [price, size, seconds(timeUs)]);
}

/** Seconds with six decimals. */
function seconds(timeUs: number): string {
  return `${Math.floor(timeUs / 1_000_000)}.${String(timeUs % 1_000_000).padStart(6, "0")}`;
}
