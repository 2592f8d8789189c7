// Bitget, version 1 of the feed: switched off, kept for recordings and for the arithmetic of its
// checksums, which later versions have no longer.
// https://bitgetlimited.github.io/apidoc/en/spot/#websocketapi
// https://bitgetlimited.github.io/apidoc/en/mix/#websocketapi
import { DERIVATIVE_CHANNELS, type Channel, type Instrument } from "#core/instrument.ts";
import type {
  ConnectionPlan,
  FeedAdapter,
  FeedEndpoints,
  FeedLimits,
  FeedSubscription,
} from "../../../feed/feed-adapter.ts";
import { BitgetDecoder } from "../decoder.ts";
import {
  BITGET_CHECKSUM_LEVELS,
  BITGET_KEEP_ALIVE,
  bitgetChecksum,
  bitgetFrames,
} from "../requests.ts";
import type { BitgetDialect, BitgetReading } from "../readings.ts";
import {
  bitgetV1InstrumentsRequests,
  deriveBitgetV1Instrument,
  MIX_MARKET,
  parseBitgetV1Instruments,
  SPOT_MARKET,
} from "./instruments.ts";
import { planByInstrument } from "../../../reading/connection-plans.ts";
import { recordedRequestOf } from "../../../reading/recorded-addresses.ts";

const ARGUMENTS_PER_FRAME_MAX = 40;

const LIMITS: FeedLimits = {
  // The venue allowed 1,000 and recommended fewer than 50.
  subscriptionsPerConnectionMax: 50,
  outgoingFrames: { count: 5, intervalMs: 1000 },
  restWeight: { count: 10, intervalMs: 1000 },
  connects: { count: 200, intervalMs: 300_000 },
  silenceMsMax: { book: 120_000 },
  // Our pings are answered, so two of them were lost.
  connectionSilenceMsMax: 55_000,
  // The venue ended connections after 24 hours.
  connectionAgeMsMax: 23 * 3_600_000,
};

const READINGS: Readonly<Record<string, BitgetReading>> = {
  books: "book",
  trade: "trade",
  ticker: "ticker",
  candle1m: "candle",
};

const VENUE_CHANNEL_OF: Partial<Record<Channel, string>> = {
  trades: "trade",
  book: "books",
  ticker: "ticker",
  candles: "candle1m",
  funding: "ticker",
  "mark-price": "ticker",
  "open-interest": "ticker",
};

const DIALECT: BitgetDialect = {
  hasChecksums: true,
  channels: {
    book: ["book"],
    quote: ["quotes"],
    trade: ["trades"],
    ticker: ["ticker", "funding", "mark-price", "open-interest"],
    candle: ["candles"],
    liquidation: ["liquidations"],
  },
  sides: { bids: "bids", asks: "asks" },
  ticker: {
    // Of contracts, and of spot.
    times: ["systemTime", "ts"],
    lastPrice: "last",
    openPrice: "open24h",
    highPrice: "high24h",
    lowPrice: "low24h",
    volume: "baseVolume",
    quoteVolume: "quoteVolume",
    bidPrice: undefined,
    askPrice: undefined,
    markPrice: "markPrice",
    indexPrice: "indexPrice",
    fundingRate: "capitalRate",
    nextFundingTime: "nextSettleTime",
    openInterest: "holding",
  },
  readArgument: ({ instType, channel, instId }) => {
    const market = typeof instType === "string" ? instType.toLowerCase() : undefined;
    const reading = typeof channel === "string" ? READINGS[channel] : undefined;
    if (reading === undefined || (market !== SPOT_MARKET && market !== MIX_MARKET)) {
      return undefined;
    }
    return { reading, market, symbol: typeof instId === "string" ? instId : undefined };
  },
  readTrade: (row) => {
    if (!Array.isArray(row)) return undefined;
    const [time, price, size, side] = row as readonly unknown[];
    return { time, price, size, side, tradeId: "" };
  },
};

/** Bitget's spot pairs and contracts as they were sent until 2023. */
export const bitgetV1: FeedAdapter = {
  venue: "bitget-v1",
  title: "Bitget v1 (retired)",
  documentation: [
    "https://bitgetlimited.github.io/apidoc/en/spot/#websocketapi",
    "https://bitgetlimited.github.io/apidoc/en/mix/#websocketapi",
  ],
  channels: ["trades", "book", "ticker", "candles", "funding", "mark-price", "open-interest"],
  notes: {
    trades: "Trades have no ids, so that none can be known again after a reconnect.",
    ticker: "Without the best prices, which this version rounds.",
    candles: "Subscribing brings the last 1,000. One is told as closed when the next one begins.",
    funding: "That of the ticker; perpetuals only.",
    "mark-price": "That of the ticker, with the index price; perpetuals only.",
    "open-interest": "That of the ticker, in the base asset; perpetuals only.",
  },
  bookProof: {
    order: "checksum",
    content: "checksum",
    checksumLevels: BITGET_CHECKSUM_LEVELS,
    note: "A fault below the best 25 levels is noticed when it comes into them.",
  },
  endpoints: { webSocket: "wss://ws.bitget.com", rest: "https://api.bitget.com" },
  limits: LIMITS,
  bookSync: { snapshot: "in-band", checksum: bitgetChecksum },
  keepAlive: BITGET_KEEP_ALIVE,
  instrumentsRequests: bitgetV1InstrumentsRequests,
  recordedRequest: recordedRequestOf([
    {
      kind: "instruments",
      path: /\/api\/(?:spot\/v1\/public\/products|mix\/v1\/market\/contracts)$/,
    },
  ]),
  parseInstruments: parseBitgetV1Instruments,
  deriveInstrument: deriveBitgetV1Instrument,
  planConnections: plan,
  subscribeFrames: (subscriptions) => frames("subscribe", subscriptions),
  unsubscribeFrames: (subscriptions) => frames("unsubscribe", subscriptions),
  createDecoder: (context) => new BitgetDecoder(DIALECT, context),
};

/** Spot and contracts have addresses of their own. */
function plan(
  subscriptions: readonly FeedSubscription[],
  endpoints: FeedEndpoints,
): readonly ConnectionPlan[] {
  const base = endpoints.webSocket.replace(/\/+$/, "");
  const possible = subscriptions.filter(
    ({ instrument, channel }) =>
      VENUE_CHANNEL_OF[channel] !== undefined &&
      (marketOf(instrument) === MIX_MARKET || !DERIVATIVE_CHANNELS.has(channel)),
  );
  return [SPOT_MARKET, MIX_MARKET].flatMap((market) =>
    planByInstrument(
      possible.filter(({ instrument }) => marketOf(instrument) === market),
      {
        url: `${base}/${market === SPOT_MARKET ? "spot" : "mix"}/v1/stream`,
        subscriptionsMax: LIMITS.subscriptionsPerConnectionMax,
      },
    ),
  );
}

function frames(
  op: "subscribe" | "unsubscribe",
  subscriptions: readonly FeedSubscription[],
): readonly string[] {
  const args = new Map<string, Readonly<Record<string, string>>>();
  for (const { instrument, channel: wanted } of subscriptions) {
    const channel = VENUE_CHANNEL_OF[wanted];
    if (channel === undefined) continue;
    const instType = marketOf(instrument).toUpperCase();
    const instId = instrument.venueSymbol;
    args.set(`${instType} ${channel} ${instId}`, { instType, channel, instId });
  }
  return bitgetFrames(op, [...args.values()], ARGUMENTS_PER_FRAME_MAX);
}

function marketOf(instrument: Instrument): string {
  return instrument.venueMarket ?? (instrument.kind === "spot" ? SPOT_MARKET : MIX_MARKET);
}
