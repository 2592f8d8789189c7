// https://www.bitget.com/docs/uta/quick-start
import { DERIVATIVE_CHANNELS, type Channel, type Instrument } from "#core/instrument.ts";
import type {
  ConnectionPlan,
  FeedAdapter,
  FeedEndpoints,
  FeedSubscription,
} from "../../feed/feed-adapter.ts";
import { batchesOf } from "../../reading/batches.ts";
import { planByInstrument } from "../../reading/connection-plans.ts";
import { isRecord, type JsonRecord, textOf } from "../../reading/text-fields.ts";
import { BITGET_MARKETS, type BitgetMarket } from "./instruments.ts";
import type { BitgetDialect, BitgetReading } from "./readings.ts";

/** Frames with 25 arguments were seen to end a connection without a word. */
const ARGUMENTS_PER_FRAME_MAX = 10;

/** The venue recommends fewer than 50 topics on a connection. */
const TOPICS_PER_CONNECTION_MAX = 49;

/**
 * The text `ping`; without it the venue ends a connection after two minutes, however much it sends.
 */
export const BITGET_KEEP_ALIVE: NonNullable<FeedAdapter["keepAlive"]> = {
  intervalMs: 25_000,
  frame: () => "ping",
};

const READINGS: ReadonlyMap<unknown, BitgetReading> = new Map<string, BitgetReading>([
  ["books", "book"],
  ["books1", "quote"],
  ["publicTrade", "trade"],
  ["ticker", "ticker"],
  ["kline", "candle"],
  ["liquidation", "liquidation"],
]);

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

/** How version 3 of the feed says things. */
export const BITGET_DIALECT: BitgetDialect = {
  hasChecksums: false,
  argumentKeys: { channelKey: "topic", symbolKey: "symbol" },
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
    const reading = READINGS.get(topic);
    if (market === undefined || reading === undefined) return undefined;
    if (reading === "candle" && interval !== "1m") return undefined;
    return { reading, market, symbol: typeof symbol === "string" ? symbol : undefined };
  },
  readTrade: (row) => {
    if (!isRecord(row)) return undefined;
    // REST says the same in longer names.
    const tradeId = textOf(row["i"] ?? row["execId"]);
    if (tradeId === undefined) return undefined;
    return {
      time: row["T"] ?? row["ts"],
      price: row["p"] ?? row["price"],
      size: row["v"] ?? row["size"],
      side: row["S"] ?? row["side"],
      tradeId,
    };
  },
};

/** The part of the venue that an instrument belongs to. */
export function marketOf(instrument: Instrument): BitgetMarket {
  const { kind, settle, inverse, venueMarket } = instrument;
  const named = BITGET_MARKETS.find((market) => market === venueMarket);
  if (named !== undefined) return named;
  if (kind === "spot") return "spot";
  if (inverse) return "coin-futures";
  return settle === "USDC" ? "usdc-futures" : "usdt-futures";
}

/**
 * Liquidations are subscribed for a whole part of the venue: on two connections they would come
 * twice, so all of one part are together on one.
 */
export function planBitget(
  subscriptions: readonly FeedSubscription[],
  endpoints: FeedEndpoints,
  liquidationsMax: number,
): readonly ConnectionPlan[] {
  const url = endpoints.webSocket;
  const possible = subscriptions.filter(isHad);
  const topics = possible.filter(({ channel }) => channel !== "liquidations");
  const liquidations = possible.filter(({ channel }) => channel === "liquidations");
  return [
    ...planByInstrument(topics, { url, subscriptionsMax: TOPICS_PER_CONNECTION_MAX }),
    ...BITGET_MARKETS.flatMap((market) =>
      planByInstrument(
        liquidations.filter(({ instrument }) => marketOf(instrument) === market),
        { url, subscriptionsMax: liquidationsMax },
      ),
    ),
  ];
}

/** Spot has nothing of derivatives, and a dated future no funding. */
function isHad({ instrument, channel }: FeedSubscription): boolean {
  if (TOPIC_OF[channel] === undefined) return false;
  if (channel === "funding" && instrument.kind === "future") return false;
  return instrument.kind !== "spot" || !DERIVATIVE_CHANNELS.has(channel);
}

/** The frames that subscribe or end these channels. */
export function bitgetRequests(
  op: "subscribe" | "unsubscribe",
  subscriptions: readonly FeedSubscription[],
): readonly string[] {
  const args = subscriptions.flatMap(({ instrument, channel }): readonly BitgetArguments[] => {
    const topic = TOPIC_OF[channel];
    const instType = marketOf(instrument);
    if (topic === undefined) return [];
    // Others of the connection may still want those of this part of the venue.
    if (topic === "liquidation") return op === "subscribe" ? [{ instType, topic }] : [];
    const interval = topic === "kline" ? { interval: "1m" } : {};
    return [{ instType, topic, symbol: instrument.venueSymbol, ...interval }];
  });
  return bitgetFrames(op, args, ARGUMENTS_PER_FRAME_MAX);
}

/** What names one subscription, in whichever version's words. */
type BitgetArguments = Readonly<Record<string, string>>;

/**
 * Frames with each of these arguments once. What is asked for in one frame may have 4,096 bytes; an
 * argument has about a hundred.
 */
export function bitgetFrames(
  op: "subscribe" | "unsubscribe",
  args: readonly BitgetArguments[],
  argumentsPerFrameMax: number,
): readonly string[] {
  const distinct = new Map(args.map((each) => [JSON.stringify(each), each]));
  return batchesOf(distinct.values(), argumentsPerFrameMax).map((batch) =>
    JSON.stringify({ op, args: batch }),
  );
}

const CANDLE_LENGTH = /^\d+[mHDWM](utc)?$/;
const NOT_PUBLISHED = /^(books(1|5|15|50)|(mark|index)?candle\d+[mHDWM](utc)?)$/i;

/** Books of a few levels, and candles of other lengths, which only recordings of others have. */
export function isNotPublished({ channel, topic, interval }: JsonRecord): boolean {
  const name = topic ?? channel;
  if (name === "kline") return typeof interval === "string" && CANDLE_LENGTH.test(interval);
  return typeof name === "string" && NOT_PUBLISHED.test(name);
}
