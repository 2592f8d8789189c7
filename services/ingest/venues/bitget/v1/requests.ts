// https://bitgetlimited.github.io/apidoc/en/spot/#websocketapi
// https://bitgetlimited.github.io/apidoc/en/mix/#websocketapi
import { DERIVATIVE_CHANNELS, type Channel, type Instrument } from "#core/instrument.ts";
import type {
  ConnectionPlan,
  FeedEndpoints,
  FeedSubscription,
} from "../../../feed/feed-adapter.ts";
import { planByAddress } from "../../../reading/address-plans.ts";
import type { BitgetDialect, BitgetReading } from "../readings.ts";
import { bitgetFrames } from "../requests.ts";
import { MIX_MARKET, SPOT_MARKET } from "./instruments.ts";

const ARGUMENTS_PER_FRAME_MAX = 40;

const READINGS: ReadonlyMap<unknown, BitgetReading> = new Map<string, BitgetReading>([
  ["books", "book"],
  ["trade", "trade"],
  ["ticker", "ticker"],
  ["candle1m", "candle"],
]);

const VENUE_CHANNEL_OF: Partial<Record<Channel, string>> = {
  trades: "trade",
  book: "books",
  ticker: "ticker",
  candles: "candle1m",
  funding: "ticker",
  "mark-price": "ticker",
  "open-interest": "ticker",
};

/** How version 1 of the feed says things. */
export const BITGET_V1_DIALECT: BitgetDialect = {
  hasChecksums: true,
  argumentKeys: { channelKey: "channel", symbolKey: "instId" },
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
    markPrice: "markPrice",
    indexPrice: "indexPrice",
    fundingRate: "capitalRate",
    nextFundingTime: "nextSettleTime",
    openInterest: "holding",
  },
  readArgument: ({ instType, channel, instId }) => {
    const market = typeof instType === "string" ? instType.toLowerCase() : undefined;
    const reading = READINGS.get(channel);
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

/** Spot and contracts have addresses of their own. */
export function planBitgetV1(
  subscriptions: readonly FeedSubscription[],
  endpoints: FeedEndpoints,
  subscriptionsMax: number,
): readonly ConnectionPlan[] {
  const base = endpoints.webSocket.replace(/\/+$/, "");
  const addressOf = ({ instrument, channel }: FeedSubscription): string | undefined => {
    if (VENUE_CHANNEL_OF[channel] === undefined) return undefined;
    if (marketOf(instrument) === MIX_MARKET) return `${base}/mix/v1/stream`;
    return DERIVATIVE_CHANNELS.has(channel) ? undefined : `${base}/spot/v1/stream`;
  };
  return planByAddress(subscriptions, addressOf, subscriptionsMax);
}

/** The frames that subscribe or end these channels. */
export function bitgetV1Requests(
  op: "subscribe" | "unsubscribe",
  subscriptions: readonly FeedSubscription[],
): readonly string[] {
  const args = subscriptions.flatMap(({ instrument, channel: wanted }) => {
    const channel = VENUE_CHANNEL_OF[wanted];
    if (channel === undefined) return [];
    const instType = marketOf(instrument).toUpperCase();
    return [{ instType, channel, instId: instrument.venueSymbol }];
  });
  return bitgetFrames(op, args, ARGUMENTS_PER_FRAME_MAX);
}

function marketOf(instrument: Instrument): string {
  return instrument.venueMarket ?? (instrument.kind === "spot" ? SPOT_MARKET : MIX_MARKET);
}
