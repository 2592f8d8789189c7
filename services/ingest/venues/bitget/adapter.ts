import { DERIVATIVE_CHANNELS, type Channel, type Instrument } from "#core/instrument.ts";
import type {
  BookSequencing,
  ConnectionPlan,
  FeedAdapter,
  FeedEndpoints,
  FeedLimits,
  FeedSubscription,
} from "../../feed/feed-adapter.ts";
import { BitgetDecoder } from "./decoder.ts";
import { bitgetChecksum, BITGET_KEEP_ALIVE, bitgetFrames } from "./requests.ts";
import {
  BITGET_MARKETS,
  type BitgetMarket,
  bitgetInstrumentsRequests,
  deriveBitgetInstrument,
  parseBitgetInstruments,
} from "./instruments.ts";
import type { BitgetDialect, BitgetReading } from "./readings.ts";
import { planByInstrument } from "../../reading/connection-plans.ts";
import { isRecord, millisecondsTimeUs, parseJson } from "../../reading/text-fields.ts";
import { isBadTime } from "../../reading/venue-time.ts";
import { recordedRequestOf } from "../../reading/recorded-addresses.ts";

/** Frames with 25 arguments were seen to end a connection without a word. */
const ARGUMENTS_PER_FRAME_MAX = 10;

/** The venue recommends fewer than 50 topics on a connection. */
const TOPICS_PER_CONNECTION_MAX = 49;

const LIMITS: FeedLimits = {
  // The most that the venue allows; only liquidations, which are one topic for all, come near it.
  subscriptionsPerConnectionMax: 1000,
  // 10 a second are allowed, pings among them; but each book begins with a snapshot, and 25 at once
  // were too many (see above).
  outgoingFrames: { count: 2, intervalMs: 1000 },
  // 20 a second are allowed for each address.
  restWeight: { count: 10, intervalMs: 1000 },
  connects: { count: 200, intervalMs: 300_000 },
  // A book that does not change is silent, and a request too many (240 an hour are allowed) is
  // worse than a hang found late. Tickers of contracts come several times a second.
  silenceMsMax: { book: 300_000, "mark-price": 60_000, "open-interest": 60_000 },
  // Our pings are answered, so two of them were lost.
  connectionSilenceMsMax: 55_000,
  // The venue ends connections after 24 hours.
  connectionAgeMsMax: 23 * 3_600_000,
};

const READINGS: Readonly<Record<string, BitgetReading>> = {
  books: "book",
  books1: "quote",
  publicTrade: "trade",
  ticker: "ticker",
  kline: "candle",
  liquidation: "liquidation",
};

const TOPIC_OF: Partial<Record<Channel, string>> = {
  trades: "publicTrade",
  quotes: "books1",
  book: "books",
  ticker: "ticker",
  candles: "kline",
  funding: "ticker",
  "mark-price": "ticker",
  "open-interest": "ticker",
  liquidations: "liquidation",
};

const DIALECT: BitgetDialect = {
  hasChecksums: false,
  channels: {
    book: ["book"],
    quote: ["quotes"],
    trade: ["trades"],
    ticker: ["ticker", "funding", "mark-price", "open-interest"],
    candle: ["candles"],
    liquidation: ["liquidations"],
  },
  sides: { bids: "b", asks: "a" },
  ticker: {
    times: [],
    lastPrice: "lastPrice",
    openPrice: "openPrice24h",
    highPrice: "highPrice24h",
    lowPrice: "lowPrice24h",
    volume: "volume24h",
    quoteVolume: "turnover24h",
    bidPrice: "bid1Price",
    askPrice: "ask1Price",
    markPrice: "markPrice",
    indexPrice: "indexPrice",
    fundingRate: "fundingRate",
    nextFundingTime: "nextFundingTime",
    openInterest: "openInterest",
  },
  readArgument: ({ instType, topic, symbol, interval }) => {
    const market = BITGET_MARKETS.find((known) => known === instType);
    const reading = typeof topic === "string" ? READINGS[topic] : undefined;
    if (market === undefined || reading === undefined) return undefined;
    if (reading === "candle" && interval !== "1m") return undefined;
    return { reading, market, symbol: typeof symbol === "string" ? symbol : undefined };
  },
  readTrade: (row) => {
    if (!isRecord(row)) return undefined;
    // REST says the same in longer names.
    const tradeId = row["i"] ?? row["execId"];
    if (typeof tradeId !== "string" || tradeId === "") return undefined;
    return {
      time: row["T"] ?? row["ts"],
      price: row["p"] ?? row["price"],
      size: row["v"] ?? row["size"],
      side: row["S"] ?? row["side"],
      tradeId,
    };
  },
  tradesOfUrl,
};

/**
 * The number of a snapshot lies between both numbers of the first update that follows it; from
 * there on each update names the number of the one before.
 */
const SEQUENCING: BookSequencing = {
  isCovered: (delta, snapshotUpdateId) => (delta.lastUpdateId ?? Infinity) <= snapshotUpdateId,
  bridges: (delta, snapshotUpdateId) =>
    (delta.previousUpdateId ?? Infinity) <= snapshotUpdateId &&
    snapshotUpdateId <= (delta.lastUpdateId ?? -Infinity),
  follows: (delta, lastUpdateId) => delta.previousUpdateId === lastUpdateId,
};

/**
 * Bitget, version 3 of the feed (unified trading account): spot, and contracts margined in USDT,
 * USDC and coins. https://www.bitget.com/docs/uta/quick-start
 *
 * Not sure: whether the ids of trades over REST are those of the stream (if not, what a reconnect
 * missed is told as a gap), and whether levels of coin-margined books count US dollars as their
 * trades do. A symbol under the wrong part of the venue is acknowledged and then silent.
 */
export const bitget: FeedAdapter = {
  venue: "bitget",
  title: "Bitget v3 (UTA)",
  documentation: [
    "https://www.bitget.com/docs/uta/quick-start",
    "https://www.bitget.com/docs/uta/websocket/public/Order-Book-Channel",
    "https://www.bitget.com/docs/uta/websocket/public/New-Trades-Channel",
    "https://www.bitget.com/docs/uta/websocket/public/Tickers-Channel",
    "https://www.bitget.com/docs/uta/websocket/public/Candlesticks-Channel",
    "https://www.bitget.com/docs/uta/websocket/public/Liquidation-Channel",
    "https://www.bitget.com/docs/uta/public/Instruments",
  ],
  channels: [
    "trades",
    "quotes",
    "book",
    "ticker",
    "candles",
    "funding",
    "mark-price",
    "open-interest",
    "liquidations",
  ],
  notes: {
    trades: "Sizes count the base asset, US dollars where coins are the margin.",
    quotes: "books1: the best level at every change, at most every millisecond.",
    book: "books: up to 1,000 levels a side, every 50 ms while it changes.",
    candles:
      "One minute, once a second, told as closed when the next one begins; subscribing brings past " +
      "ones. Volumes count the base asset.",
    funding: "That of the ticker, without the length of the interval; perpetuals only.",
    "mark-price": "That of the ticker, with the index price; contracts only.",
    "open-interest": "That of the ticker, in the unit of the sizes; contracts only.",
    liquidations:
      "Sizes count the quote asset, whatever those of trades count. In batches; in each second the " +
      "largest of an instrument and side alone, by the venue's latest pages.",
  },
  bookProof: {
    order: "sequence",
    content: "none",
    note:
      "Every update names the number of the one before; a wrong number in a level is not noticed, " +
      "since messages have no checksum any more. One that comes all the same is compared.",
  },
  endpoints: { webSocket: "wss://ws.bitget.com/v3/ws/public", rest: "https://api.bitget.com" },
  limits: LIMITS,
  bookSync: { snapshot: "in-band", sequencing: SEQUENCING, checksum: bitgetChecksum },
  keepAlive: BITGET_KEEP_ALIVE,
  instrumentsRequests: bitgetInstrumentsRequests,
  recordedRequest: recordedRequestOf([
    { kind: "instruments", path: /\/api\/v3\/market\/instruments$/ },
    {
      kind: "trades",
      path: /\/api\/v3\/market\/fills$/,
      symbolIn: "symbol",
      marketIn: "category",
      venueMarketOf: (category) => category.toLowerCase(),
    },
  ]),
  parseInstruments: parseBitgetInstruments,
  deriveInstrument: deriveBitgetInstrument,
  planConnections: plan,
  subscribeFrames: (subscriptions) => frames("subscribe", subscriptions),
  unsubscribeFrames: (subscriptions) => frames("unsubscribe", subscriptions),
  tradesRequest: (instrument, { endpoints }) => {
    const category = marketOf(instrument).toUpperCase();
    const symbol = encodeURIComponent(instrument.venueSymbol);
    const path = `/api/v3/market/fills?category=${category}&symbol=${symbol}&limit=100`;
    return { url: endpoints.rest + path, weight: 1 };
  },
  serverTimeRequest: ({ rest }) => ({
    url: `${rest}/api/v2/public/time`,
    weight: 1,
  }),
  parseServerTimeUs: (body) => {
    const answer = parseJson(body);
    const data = isRecord(answer) ? answer["data"] : undefined;
    const timeUs = isRecord(data) ? millisecondsTimeUs(data["serverTime"]) : undefined;
    return isBadTime(timeUs) ? undefined : timeUs;
  },
  createDecoder: (context) => new BitgetDecoder(DIALECT, context),
};

/**
 * Liquidations are subscribed for a whole part of the venue: on two connections they would come
 * twice, so all of one part are together on one.
 */
function plan(
  subscriptions: readonly FeedSubscription[],
  endpoints: FeedEndpoints,
): readonly ConnectionPlan[] {
  const url = endpoints.webSocket;
  const possible = subscriptions.filter(({ instrument, channel }) => isHad(instrument, channel));
  const topics = possible.filter(({ channel }) => channel !== "liquidations");
  const plans = [...planByInstrument(topics, { url, subscriptionsMax: TOPICS_PER_CONNECTION_MAX })];
  for (const market of BITGET_MARKETS) {
    const liquidations = possible.filter(
      ({ instrument, channel }) => channel === "liquidations" && marketOf(instrument) === market,
    );
    const subscriptionsMax = LIMITS.subscriptionsPerConnectionMax;
    plans.push(...planByInstrument(liquidations, { url, subscriptionsMax }));
  }
  return plans;
}

/** Spot has nothing of derivatives, and a dated future no funding. */
function isHad(instrument: Instrument, channel: Channel): boolean {
  if (TOPIC_OF[channel] === undefined) return false;
  if (channel === "funding" && instrument.kind === "future") return false;
  return instrument.kind !== "spot" || !DERIVATIVE_CHANNELS.has(channel);
}

function frames(
  op: "subscribe" | "unsubscribe",
  subscriptions: readonly FeedSubscription[],
): readonly string[] {
  const args = new Map<string, Readonly<Record<string, string>>>();
  for (const { instrument, channel } of subscriptions) {
    const topic = TOPIC_OF[channel];
    const instType = marketOf(instrument);
    if (topic === "liquidation") {
      // Others of the connection may still want those of this part of the venue.
      if (op === "subscribe") args.set(instType, { instType, topic });
    } else if (topic !== undefined) {
      const symbol = instrument.venueSymbol;
      const interval = topic === "kline" ? { interval: "1m" } : {};
      args.set(`${instType} ${topic} ${symbol}`, { instType, topic, symbol, ...interval });
    }
  }
  return bitgetFrames(op, [...args.values()], ARGUMENTS_PER_FRAME_MAX);
}

function marketOf(instrument: Instrument): BitgetMarket {
  const { kind, settle, inverse, venueMarket } = instrument;
  const named = BITGET_MARKETS.find((market) => market === venueMarket);
  if (named !== undefined) return named;
  if (kind === "spot") return "spot";
  if (inverse) return "coin-futures";
  return settle === "USDC" ? "usdc-futures" : "usdt-futures";
}

function tradesOfUrl(
  url: string,
): { readonly symbol: string; readonly market: string } | undefined {
  const query = /\/api\/v3\/market\/fills\?(.*)$/.exec(url)?.[1];
  if (query === undefined) return undefined;
  const parameters = new URLSearchParams(query);
  const symbol = parameters.get("symbol");
  const category = parameters.get("category");
  if (symbol === null || category === null) return undefined;
  return { symbol, market: category.toLowerCase() };
}
