// KuCoin spot over the public sockets of its unified account ("Pro"), which need no ticket.
// https://www.kucoin.com/docs-new/3470221w0
// https://www.kucoin.com/announcement (2026-06-08: `obu` with `increment@10ms`)
import type { FeedAdapter, FeedLimits } from "../../../feed/feed-adapter.ts";
import { planByAddress } from "../../../reading/address-plans.ts";
import { RANGED_CHANGES } from "../../../reading/book-sequencings.ts";
import { FrameDecoder } from "../../../reading/frame-decoder.ts";
import { TEXT_RECORDS } from "../../../reading/frame-forms.ts";
import { listOfVenue } from "../../../reading/listed-instruments.ts";
import { clockIn } from "../../../reading/server-clocks.ts";
import { KUCOIN_REFUSALS } from "../answers.ts";
import { deriveKucoinPair, parseKucoinSymbols } from "../instruments.ts";
import {
  KUCOIN_ADDRESS,
  KUCOIN_BOOK_PROBE,
  kucoinCandles,
  kucoinGet,
  kucoinRecordedRequest,
} from "../rest.ts";
import { KucoinUtaReader } from "./decoder.ts";
import { kucoinUtaRequests, utaChannelOf } from "./requests.ts";

const VENUE = "kucoin-uta";

/** Those of the classic feed, where the pages of this one name none. */
const LIMITS: FeedLimits = {
  subscriptionsPerConnectionMax: 300,
  outgoingFrames: { count: 90, intervalMs: 10_000 },
  connects: { count: 25, intervalMs: 60_000 },
  // The venue allows 2000 in thirty seconds to an address without a key.
  restWeight: { count: 1500, intervalMs: 30_000 },
  address: KUCOIN_ADDRESS,
  // A guess: books change only when orders do, and most pairs are small.
  silenceMsMax: { book: 300_000 },
  // Two answers to our pings, and then some.
  connectionSilenceMsMax: 45_000,
  frameBytesMax: 1024 * 1024,
  connectionAgeMsMax: 23.5 * 3_600_000,
};

/**
 * The same pairs as `kucoin`, whose books begin in the stream and change every 10 ms.
 *
 * Not sure: how the venue names a change of a book (whatever is no snapshot is read as one), what
 * `S` of a candle says (not read), and whether its trades have the numbers of the REST list; where
 * they have not, a gap is told instead of filled.
 */
export const kucoinUta: FeedAdapter = {
  venue: VENUE,
  title: "KuCoin spot, unified account (Pro)",
  documentation: [
    "https://www.kucoin.com/docs-new/3470221w0",
    "https://www.kucoin.com/docs-new/rest/spot-trading/market-data/get-all-symbols",
  ],
  channels: ["trades", "quotes", "book", "ticker", "candles"],
  candlesEndUnsaid: true,
  notes: {
    quotes: "Those of the venue's ticker.",
    book: "The best 500 levels a side, changes every 10 ms.",
    ticker: "The last trade and the best prices; no statistics of 24 hours.",
    candles: "One minute. A candle is told as closed when the next one begins.",
  },
  bookProof: {
    order: "sequence",
    content: "none",
    note: "Every change continues the number of the one before; a wrong number is not noticed.",
  },
  endpoints: { webSocket: "wss://x-push-spot.kucoin.com", rest: "https://api.kucoin.com" },
  limits: LIMITS,
  refusals: KUCOIN_REFUSALS,
  bookSync: { snapshot: "in-band", sequencing: RANGED_CHANGES },
  keepAlive: {
    intervalMs: 18_000,
    frame: (sequence) => JSON.stringify({ id: `ping-${sequence}`, type: "ping" }),
  },
  instrumentsRequests: (endpoints) => [kucoinGet(endpoints, "/api/v2/symbols", 4)],
  recordedRequest: kucoinRecordedRequest,
  parseInstruments: (body) => listOfVenue(parseKucoinSymbols(body), VENUE),
  deriveInstrument: (venueSymbol) => {
    const pair = deriveKucoinPair(venueSymbol);
    return pair === undefined ? undefined : { ...pair, venue: VENUE };
  },
  planConnections: (subscriptions, { webSocket }) =>
    planByAddress(
      subscriptions,
      ({ channel }) => (utaChannelOf(channel) === undefined ? undefined : webSocket),
      LIMITS.subscriptionsPerConnectionMax,
    ),
  subscribeFrames: (wanted, options) => kucoinUtaRequests("subscribe", wanted, options),
  unsubscribeFrames: (wanted, options) => kucoinUtaRequests("unsubscribe", wanted, options),
  tradesRequest: ({ venueSymbol }, { endpoints }) =>
    kucoinGet(endpoints, "/api/v1/market/histories", 3, venueSymbol),
  candleHistory: kucoinCandles,
  bookProbe: KUCOIN_BOOK_PROBE,
  serverTimeRequest: (endpoints) => kucoinGet(endpoints, "/api/v1/timestamp", 3),
  parseServerTimeUs: clockIn("data"),
  createDecoder: (context) => new FrameDecoder(TEXT_RECORDS, new KucoinUtaReader(context)),
};
