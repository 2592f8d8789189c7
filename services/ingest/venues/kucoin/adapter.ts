// KuCoin, spot, the public feed behind a ticket.
// https://www.kucoin.com/docs-new/websocket-api/base-info/introduction
// https://www.kucoin.com/docs-new/3470221w0
// https://www.kucoin.com/docs-new/rest/spot-trading/market-data/get-all-symbols
import { z } from "zod";
import type {
  BookSequencing,
  ConnectionTicket,
  FeedAdapter,
  FeedEndpoints,
  FeedLimits,
  FeedSubscribeOptions,
  FeedSubscription,
  RestRequest,
} from "../../feed/feed-adapter.ts";
import { planByInstrument } from "../../reading/connection-plans.ts";
import { KucoinDecoder } from "./decoder.ts";
import { deriveKucoinPair, KUCOIN, parseKucoinSymbols } from "./instruments.ts";
import { topicOf } from "./fields.ts";
import { recordedRequestOf } from "../../reading/recorded-addresses.ts";

const LIMITS: FeedLimits = {
  // The pages say 400 topics in one place and 300 in another.
  subscriptionsPerConnectionMax: 300,
  // The venue takes 100 frames in ten seconds.
  outgoingFrames: { count: 90, intervalMs: 10_000 },
  // The venue takes 30 in a minute.
  connects: { count: 25, intervalMs: 60_000 },
  // The venue allows 2000 in thirty seconds to an address without a key.
  restWeight: { count: 1500, intervalMs: 30_000 },
  // A guess: books change only when orders do, and most pairs are small.
  silenceMsMax: { book: 300_000 },
  // Two answers to our pings, and then some.
  connectionSilenceMsMax: 45_000,
  // A ticket is good for 24 hours.
  connectionAgeMsMax: 23.5 * 3_600_000,
};

/**
 * Each change has the number of its first and of its last modification, and continues the one
 * before or overlaps it, as the pages allow: a row is the last that became of its price.
 */
const SEQUENCING: BookSequencing = {
  isCovered: (delta, snapshotUpdateId) => (delta.lastUpdateId ?? Infinity) <= snapshotUpdateId,
  bridges: (delta, snapshotUpdateId) => {
    const { firstUpdateId = Infinity, lastUpdateId = 0 } = delta;
    return firstUpdateId <= snapshotUpdateId + 1 && snapshotUpdateId + 1 <= lastUpdateId;
  },
  follows: ({ firstUpdateId = Infinity, lastUpdateId: end = 0 }, lastUpdateId) =>
    firstUpdateId <= lastUpdateId + 1 && lastUpdateId < end,
};

const ticketSchema = z.object({
  data: z.object({
    token: z.string().min(1),
    instanceServers: z.array(
      z.object({
        endpoint: z.string().regex(/^wss?:\/\/\S+$/),
        pingInterval: z.number().int().positive(),
      }),
    ),
  }),
});

/**
 * KuCoin spot. The whole book needs a key, so a book begins with the best 100 levels of each side:
 * what lies deeper is known from its changes only.
 */
export const kucoin: FeedAdapter = {
  venue: KUCOIN,
  title: "KuCoin spot",
  documentation: [
    "https://www.kucoin.com/docs-new/websocket-api/base-info/introduction",
    "https://www.kucoin.com/docs-new/3470221w0",
    "https://www.kucoin.com/docs-new/rest/spot-trading/market-data/get-all-symbols",
  ],
  channels: ["trades", "quotes", "book", "ticker", "candles"],
  notes: {
    quotes: "Every 100 ms, as the venue's ticker.",
    book: "Begins with 100 levels a side: without a key, deeper ones are known once they change.",
    ticker: "Every two seconds, as the venue's snapshot.",
    candles: "One minute. A candle is told as closed when the next one begins.",
  },
  bookProof: {
    order: "sequence",
    content: "none",
    note: "Every change continues the number of the one before; a wrong number is not noticed.",
  },
  endpoints: { webSocket: "wss://ws-api-spot.kucoin.com", rest: "https://api.kucoin.com" },
  limits: LIMITS,
  bookSync: { snapshot: "rest", sequencing: SEQUENCING },
  // In place of it comes the interval of the ticket.
  keepAlive: {
    intervalMs: 18_000,
    frame: (sequence) => JSON.stringify({ id: `ping-${sequence}`, type: "ping" }),
  },
  greets: true,
  connectRequest: (_plan, endpoints) => ({
    ...request(endpoints, "/api/v1/bullet-public", 10),
    method: "POST",
  }),
  parseConnection: parseTicket,
  instrumentsRequests: (endpoints) => [request(endpoints, "/api/v2/symbols", 4)],
  recordedRequest: recordedRequestOf([
    { kind: "instruments", path: /\/api\/v[12]\/symbols$/ },
    {
      kind: "book-snapshot",
      path: /\/api\/v\d\/market\/orderbook\/level2(?:_20|_100)?$/,
      symbolIn: "symbol",
    },
    { kind: "trades", path: /\/api\/v1\/market\/histories$/, symbolIn: "symbol" },
  ]),
  parseInstruments: parseKucoinSymbols,
  deriveInstrument: (venueSymbol) => deriveKucoinPair(venueSymbol),
  planConnections: (subscriptions, endpoints) =>
    planByInstrument(
      subscriptions.filter(({ channel }) => topicOf(channel, "") !== undefined),
      { url: endpoints.webSocket, subscriptionsMax: LIMITS.subscriptionsPerConnectionMax },
    ),
  subscribeFrames: (wanted, options) => frames("subscribe", wanted, options),
  unsubscribeFrames: (wanted, options) => frames("unsubscribe", wanted, options),
  snapshotRequest: ({ venueSymbol }, endpoints) =>
    request(endpoints, `/api/v1/market/orderbook/level2_100?symbol=${query(venueSymbol)}`, 4),
  tradesRequest: ({ venueSymbol }, { endpoints }) =>
    request(endpoints, `/api/v1/market/histories?symbol=${query(venueSymbol)}`, 3),
  serverTimeRequest: (endpoints) => request(endpoints, "/api/v1/timestamp", 3),
  parseServerTimeUs: (body) => {
    const text = /"data"\s*:\s*(\d{13})\b/.exec(body)?.[1];
    return text === undefined ? undefined : Number(text) * 1000;
  },
  createDecoder: (context) => new KucoinDecoder(context),
};

/** The address with the token, and how often the venue wants to hear from us. */
function parseTicket(
  body: string,
  { connectionId }: { readonly connectionId: string },
): ConnectionTicket | undefined {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return undefined;
  }
  const parsed = ticketSchema.safeParse(json);
  const [server] = parsed.success ? parsed.data.data.instanceServers : [];
  if (!parsed.success || server === undefined) return undefined;
  const parameters = new URLSearchParams({
    token: parsed.data.data.token,
    connectId: connectionId,
  }).toString();
  const joint = server.endpoint.includes("?") ? "&" : "?";
  return {
    url: `${server.endpoint}${joint}${parameters}`,
    keepAliveIntervalMs: server.pingInterval,
  };
}

/**
 * A request for each pair and channel: one topic may name a hundred pairs, but a bad one among them
 * would cost the others their subscription.
 */
function frames(
  type: "subscribe" | "unsubscribe",
  subscriptions: readonly FeedSubscription[],
  { requestId }: FeedSubscribeOptions,
): readonly string[] {
  const topics = new Set<string>();
  for (const { instrument, channel } of subscriptions) {
    const topic = topicOf(channel, instrument.venueSymbol);
    if (topic !== undefined) topics.add(topic);
  }
  return [...topics].map((topic, index) =>
    JSON.stringify({
      id: String(requestId + index),
      type,
      topic,
      privateChannel: false,
      response: true,
    }),
  );
}

function request(endpoints: FeedEndpoints, path: string, weight: number): RestRequest {
  return { url: `${endpoints.rest}${path}`, weight };
}

function query(venueSymbol: string): string {
  return encodeURIComponent(venueSymbol);
}
