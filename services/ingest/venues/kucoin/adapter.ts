import { KUCOIN_REFUSALS } from "./answers.ts";
import type { BookSequencing, FeedAdapter, FeedLimits } from "../../feed/feed-adapter.ts";
import { RANGED_CHANGES } from "../../reading/book-sequencings.ts";
import { planByAddress } from "../../reading/address-plans.ts";
import { FrameDecoder } from "../../reading/frame-decoder.ts";
import { TEXT_RECORDS } from "../../reading/frame-forms.ts";
import { clockIn } from "../../reading/server-clocks.ts";
import { KucoinReader } from "./decoder.ts";
import { topicOf } from "./fields.ts";
import { deriveKucoinPair, KUCOIN, parseKucoinSymbols } from "./instruments.ts";
import { kucoinRequests } from "./requests.ts";
import {
  kucoinGet,
  kucoinRecordedRequest,
  parseKucoinTicket,
  KUCOIN_ADDRESS,
  KUCOIN_BOOK_PROBE,
  kucoinCandles,
} from "./rest.ts";

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
  address: KUCOIN_ADDRESS,
  // Two answers to our pings, and then some.
  connectionSilenceMsMax: 45_000,
  // A ticket is good for 24 hours.
  frameBytesMax: 1024 * 1024,
  connectionAgeMsMax: 23.5 * 3_600_000,
};

/**
 * Each change has the number of its first and of its last modification, and continues the one
 * before or overlaps it, as the pages allow: a row is the last that became of its price.
 */
const SEQUENCING: BookSequencing = {
  ...RANGED_CHANGES,
  follows: ({ firstUpdateId = Infinity, lastUpdateId: end = 0 }, lastUpdateId) =>
    firstUpdateId <= lastUpdateId + 1 && lastUpdateId < end,
};

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
  candlesEndUnsaid: true,
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
  refusals: KUCOIN_REFUSALS,
  bookSync: { snapshot: "rest", sequencing: SEQUENCING },
  // In place of it comes the interval of the ticket.
  keepAlive: {
    intervalMs: 18_000,
    frame: (sequence) => JSON.stringify({ id: `ping-${sequence}`, type: "ping" }),
  },
  greets: true,
  connectRequest: (_plan, endpoints) => ({
    ...kucoinGet(endpoints, "/api/v1/bullet-public", 10),
    method: "POST",
  }),
  parseConnection: parseKucoinTicket,
  instrumentsRequests: (endpoints) => [kucoinGet(endpoints, "/api/v2/symbols", 4)],
  recordedRequest: kucoinRecordedRequest,
  parseInstruments: parseKucoinSymbols,
  deriveInstrument: (venueSymbol) => deriveKucoinPair(venueSymbol),
  planConnections: (subscriptions, { webSocket }) =>
    planByAddress(
      subscriptions,
      ({ channel }) => (topicOf(channel, "") === undefined ? undefined : webSocket),
      LIMITS.subscriptionsPerConnectionMax,
    ),
  subscribeFrames: (wanted, options) => kucoinRequests("subscribe", wanted, options, topicOf),
  unsubscribeFrames: (wanted, options) => kucoinRequests("unsubscribe", wanted, options, topicOf),
  snapshotRequest: ({ venueSymbol }, endpoints) =>
    kucoinGet(endpoints, "/api/v1/market/orderbook/level2_100", 4, venueSymbol),
  tradesRequest: ({ venueSymbol }, { endpoints }) =>
    kucoinGet(endpoints, "/api/v1/market/histories", 3, venueSymbol),
  candleHistory: kucoinCandles,
  serverTimeRequest: (endpoints) => kucoinGet(endpoints, "/api/v1/timestamp", 3),
  parseServerTimeUs: clockIn("data"),
  bookProbe: KUCOIN_BOOK_PROBE,
  createDecoder: (context) => new FrameDecoder(TEXT_RECORDS, new KucoinReader(context)),
};
