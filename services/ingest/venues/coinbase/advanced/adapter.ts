// Coinbase Advanced Trade, public market data.
// https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-channels
// https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-rate-limits
import type { Channel } from "#core/instrument.ts";
import type {
  FeedAdapter,
  FeedEndpoints,
  FeedLimits,
  FeedSubscription,
} from "../../../feed/feed-adapter.ts";
import { CHANNELS_OF, CoinbaseAdvancedDecoder } from "./decoder.ts";
import { deriveAdvancedProduct, parseAdvancedProducts } from "./instruments.ts";
import { planByInstrument } from "../../../reading/connection-plans.ts";
import { isRecord, millisecondsTimeUs, parseJson } from "../../../reading/text-fields.ts";
import { isBadTime } from "../../../reading/venue-time.ts";
import { recordedRequestOf } from "../../../reading/recorded-addresses.ts";

const LIMITS: FeedLimits = {
  // The venue says nothing of a limit; a hole costs every book of its connection.
  subscriptionsPerConnectionMax: 200,
  // Eight messages a second without a key.
  outgoingFrames: { count: 6, intervalMs: 1000 },
  // Ten public requests a second.
  restWeight: { count: 5, intervalMs: 1000 },
  // Eight a second for each address.
  connects: { count: 5, intervalMs: 1000 },
  silenceMsMax: { book: 120_000 },
  // Heartbeats come every second.
  connectionSilenceMsMax: 15_000,
  connectionAgeMsMax: undefined,
};

const TRADES_MAX = 1000;

/** Coinbase Advanced Trade. Each channel is subscribed by frames of its own. */
export const coinbaseAdvanced: FeedAdapter = {
  venue: "coinbase-advanced",
  title: "Coinbase Advanced Trade",
  documentation: [
    "https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-channels",
    "https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-rate-limits",
  ],
  channels: ["trades", "quotes", "book", "ticker", "candles"],
  notes: {
    trades:
      "All trades of 250 ms in one message. The side is read as the maker's, as on Coinbase " +
      "Exchange: the venue does not document whose it is.",
    quotes: "Those in ticker messages: with every match, not with every change.",
    book: "Products in USDC are not listed: the venue sends their data as that of those in USD.",
    candles: "Five minutes, which is the only interval.",
  },
  bookProof: {
    order: "connection-sequence",
    content: "none",
    note:
      "Everything on a connection is numbered: a hole costs a resync of each of its books. A " +
      "wrong number inside a message is not noticed.",
  },
  endpoints: {
    webSocket: "wss://advanced-trade-ws.coinbase.com",
    rest: "https://api.coinbase.com",
  },
  limits: LIMITS,
  bookSync: { snapshot: "in-band" },
  // Without heartbeats the venue ends a quiet channel after 60 to 90 seconds.
  openingFrames: () => [JSON.stringify({ type: "subscribe", channel: "heartbeats" })],
  instrumentsRequests: (endpoints) => [{ url: `${market(endpoints)}/products`, weight: 1 }],
  recordedRequest: recordedRequestOf([
    { kind: "instruments", path: /\/brokerage\/market\/products\/?$/ },
    { kind: "trades", path: /\/market\/products\/([^/]+)\/ticker$/ },
  ]),
  parseInstruments: parseAdvancedProducts,
  deriveInstrument: deriveAdvancedProduct,
  planConnections: (subscriptions, endpoints) =>
    planByInstrument(subscriptions, {
      url: endpoints.webSocket,
      subscriptionsMax: LIMITS.subscriptionsPerConnectionMax,
    }),
  subscribeFrames: (subscriptions) => frames("subscribe", subscriptions),
  unsubscribeFrames: (subscriptions) => frames("unsubscribe", subscriptions),
  tradesRequest: ({ venueSymbol }, { endpoints }) => {
    const product = encodeURIComponent(venueSymbol);
    return {
      url: `${market(endpoints)}/products/${product}/ticker?limit=${TRADES_MAX}`,
      weight: 1,
    };
  },
  serverTimeRequest: (endpoints) => ({ url: `${brokerage(endpoints)}/time`, weight: 1 }),
  parseServerTimeUs: (body) => {
    const answer = parseJson(body);
    const timeUs = isRecord(answer) ? millisecondsTimeUs(answer["epochMillis"]) : undefined;
    return isBadTime(timeUs) ? undefined : timeUs;
  },
  createDecoder: (context) => new CoinbaseAdvancedDecoder(context),
};

function brokerage(endpoints: FeedEndpoints): string {
  return `${endpoints.rest}/api/v3/brokerage`;
}

function market(endpoints: FeedEndpoints): string {
  return `${brokerage(endpoints)}/market`;
}

/** One product a frame, because a refusal is of a whole frame. */
function frames(
  type: "subscribe" | "unsubscribe",
  subscriptions: readonly FeedSubscription[],
): readonly string[] {
  const texts = new Set<string>();
  for (const { instrument, channel } of subscriptions) {
    const name = venueChannelOf(channel);
    if (name === undefined) continue;
    texts.add(JSON.stringify({ type, product_ids: [instrument.venueSymbol], channel: name }));
  }
  return [...texts];
}

function venueChannelOf(channel: Channel): string | undefined {
  return Object.keys(CHANNELS_OF).find((name) => CHANNELS_OF[name]?.includes(channel));
}
