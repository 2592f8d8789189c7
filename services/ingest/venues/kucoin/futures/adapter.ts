import type { FeedAdapter, FeedLimits, FeedSubscription } from "../../../feed/feed-adapter.ts";
import { planByAddress } from "../../../reading/address-plans.ts";
import { RANGED_CHANGES } from "../../../reading/book-sequencings.ts";
import { FrameDecoder } from "../../../reading/frame-decoder.ts";
import { TEXT_RECORDS } from "../../../reading/frame-forms.ts";
import { clockIn } from "../../../reading/server-clocks.ts";
import { KUCOIN_REFUSALS } from "../answers.ts";
import { kucoinRequests } from "../requests.ts";
import { KUCOIN_ADDRESS, kucoinGet, parseKucoinTicket } from "../rest.ts";
import { KucoinFuturesReader } from "./decoder.ts";
import { futuresTopicOf } from "./fields.ts";
import { deriveKucoinContract, KUCOIN_FUTURES, parseKucoinContracts } from "./instruments.ts";
import {
  CONTRACTS_PATH,
  CONTRACTS_WEIGHT,
  KUCOIN_FUTURES_BOOK_PROBE,
  KUCOIN_FUTURES_POLLS,
  kucoinFuturesCandles,
  kucoinFuturesRecordedRequest,
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
  // Marks come every second and rates every minute; a book is sent when orders change, and most
  // contracts are small.
  silenceMsMax: { book: 300_000, "mark-price": 60_000, funding: 300_000 },
  alwaysSpoken: ["mark-price", "funding"],
  address: KUCOIN_ADDRESS,
  // Two answers to our pings, and then some.
  connectionSilenceMsMax: 45_000,
  frameBytesMax: 1024 * 1024,
  // A ticket is good for 24 hours.
  connectionAgeMsMax: 23.5 * 3_600_000,
};

/** Funding is for perpetuals. What has no topic is polled, or is not had. */
function topicOf({ instrument, channel }: FeedSubscription): string | undefined {
  if (channel === "funding" && instrument.kind !== "perpetual") return undefined;
  return futuresTopicOf(channel, instrument.venueSymbol);
}

/**
 * KuCoin futures, perpetual and dated, linear and inverse. The whole book is had without a key, and
 * each change is one level. Liquidations are published nowhere.
 *
 * Not sure: that spot and futures share the limits of an address, as they do here.
 */
export const kucoinFutures: FeedAdapter = {
  venue: KUCOIN_FUTURES,
  title: "KuCoin futures",
  documentation: [
    "https://www.kucoin.com/docs-new/websocket-api/base-info/introduction",
    "https://www.kucoin.com/docs-new/3470082w0",
    "https://www.kucoin.com/docs-new/3470087w0",
    "https://www.kucoin.com/docs-new/rest/futures-trading/market-data/get-all-symbols",
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
  ],
  candlesEndUnsaid: true,
  notes: {
    trades: "Sizes are contracts.",
    quotes: "At every change of the best level.",
    book: "Sizes are contracts.",
    ticker:
      "The volume counts the base asset. That of inverse contracts is left out: no page says what " +
      "it counts.",
    candles:
      "One minute; volumes are contracts. A candle is told as closed when the next one begins.",
    funding: "Perpetuals: the predicted rate every minute, and the one that is paid.",
    "open-interest": "By REST, every 30 seconds, in contracts.",
  },
  bookProof: {
    order: "sequence",
    content: "none",
    note: "Every change has the next number; a wrong number in it is not noticed.",
  },
  endpoints: {
    webSocket: "wss://ws-api-futures.kucoin.com",
    rest: "https://api-futures.kucoin.com",
  },
  limits: LIMITS,
  refusals: KUCOIN_REFUSALS,
  bookSync: { snapshot: "rest", sequencing: RANGED_CHANGES },
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
  instrumentsRequests: (endpoints) => [kucoinGet(endpoints, CONTRACTS_PATH, CONTRACTS_WEIGHT)],
  recordedRequest: kucoinFuturesRecordedRequest,
  parseInstruments: parseKucoinContracts,
  deriveInstrument: (venueSymbol) => deriveKucoinContract(venueSymbol),
  planConnections: (subscriptions, { webSocket }) =>
    planByAddress(
      subscriptions,
      (wanted) => (topicOf(wanted) === undefined ? undefined : webSocket),
      LIMITS.subscriptionsPerConnectionMax,
    ),
  subscribeFrames: (wanted, options) =>
    kucoinRequests("subscribe", wanted, options, futuresTopicOf),
  unsubscribeFrames: (wanted, options) =>
    kucoinRequests("unsubscribe", wanted, options, futuresTopicOf),
  snapshotRequest: ({ venueSymbol }, endpoints) =>
    kucoinGet(endpoints, "/api/v1/level2/snapshot", 3, venueSymbol),
  tradesRequest: ({ venueSymbol }, { endpoints }) =>
    kucoinGet(endpoints, "/api/v1/trade/history", 5, venueSymbol),
  polls: KUCOIN_FUTURES_POLLS,
  candleHistory: kucoinFuturesCandles,
  bookProbe: KUCOIN_FUTURES_BOOK_PROBE,
  serverTimeRequest: (endpoints) => kucoinGet(endpoints, "/api/v1/timestamp", 2),
  parseServerTimeUs: clockIn("data"),
  createDecoder: (context) => new FrameDecoder(TEXT_RECORDS, new KucoinFuturesReader(context)),
};
