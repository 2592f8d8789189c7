import type { BookSequencing, BookSync, FeedAdapter, FeedLimits } from "../../feed/feed-adapter.ts";
import { ALL_CHANNELS } from "../../reading/all-channels.ts";
import { LINKED_CHANGES } from "../../reading/book-sequencings.ts";
import { FrameDecoder } from "../../reading/frame-decoder.ts";
import { TEXT_RECORDS } from "../../reading/frame-forms.ts";
import { clockIn } from "../../reading/server-clocks.ts";
import { HtxReader } from "./decoder.ts";
import { textOfHtxFrame } from "./fields.ts";
import { deriveHtxInstrument, HTX, parseHtxInstruments } from "./instruments.ts";
import { htxBookRequest, htxRequests, planHtx } from "./requests.ts";
import {
  HTX_POLLS,
  htxInstrumentsRequests,
  htxRecordedRequest,
  htxTimeRequest,
  htxTradesRequest,
} from "./rest.ts";

const LIMITS: FeedLimits = {
  // Guesses: the venue publishes no limit of topics or connects for public feeds.
  subscriptionsPerConnectionMax: 100,
  // Spot takes a request for a book every 100 ms; subscriptions have no limit.
  outgoingFrames: { count: 1, intervalMs: 100 },
  connects: { count: 10, intervalMs: 10_000 },
  // Contracts allow 240 requests in three seconds to an address, spot ten a second.
  restWeight: { count: 8, intervalMs: 1000 },
  // A guess: changes are sent when there are any, and most pairs are small.
  silenceMsMax: { book: 300_000 },
  // The venue pings every five seconds.
  connectionSilenceMsMax: 30_000,
  frameBytesMax: 2 * 1024 * 1024,
  connectionAgeMsMax: undefined,
};

/** Each change names the number of the one before it. */
const SEQUENCING: BookSequencing = {
  ...LINKED_CHANGES,
  bridges: (delta, snapshotUpdateId) => {
    const { previousUpdateId = Infinity, lastUpdateId = 0 } = delta;
    return previousUpdateId <= snapshotUpdateId && snapshotUpdateId < lastUpdateId;
  },
};

const SPOT_SYNC: BookSync = { snapshot: "request", sequencing: SEQUENCING };
const CONTRACT_SYNC: BookSync = { snapshot: "in-band", sequencing: SEQUENCING };

/** HTX spot and linear contracts. Coin-margined contracts and options are not read. */
export const htx: FeedAdapter = {
  venue: HTX,
  title: "HTX spot and linear contracts",
  documentation: [
    "https://www.htx.com/en-us/opend/newApiPages/?id=7ec4d0b5-7773-11ed-9966-0242ac110003",
    "https://www.htx.com/en-us/opend/newApiPages/?id=8cb7e25d-77b5-11ed-9966-0242ac110003",
    "https://www.htx.com/en-us/opend/newApiPages/?id=8cb7d626-77b5-11ed-9966-0242ac110003",
  ],
  channels: ALL_CHANNELS,
  candlesEndUnsaid: true,
  notes: {
    trades:
      "The pages say that contracts count both sides: their sizes are then twice the trade's.",
    book: "150 levels a side, every 100 ms on spot.",
    ticker: "Contracts count their volume in contracts.",
    candles: "One minute. A candle is told as closed when the next one begins.",
    funding: "Perpetual contracts only.",
    "mark-price":
      "The last price of the minute's candle of mark prices, and the index price told before it.",
    "open-interest": "By REST, every minute.",
    liquidations: "The price is the bankruptcy price.",
  },
  bookProof: {
    order: "sequence",
    content: "none",
    note: "Every change names the number of the one before; a wrong number is not noticed.",
  },
  endpoints: {
    webSocket: "wss://api.huobi.pro",
    rest: "https://api.huobi.pro",
    derivativesWebSocket: "wss://api.hbdm.com",
    derivativesRest: "https://api.hbdm.com",
  },
  limits: LIMITS,
  bookSync: SPOT_SYNC,
  bookSyncOf: ({ kind }) => (kind === "spot" ? SPOT_SYNC : CONTRACT_SYNC),
  instrumentsRequests: htxInstrumentsRequests,
  recordedRequest: htxRecordedRequest,
  parseInstruments: parseHtxInstruments,
  deriveInstrument: (venueSymbol) => deriveHtxInstrument(venueSymbol),
  planConnections: (subscriptions, endpoints) =>
    planHtx(subscriptions, endpoints, LIMITS.subscriptionsPerConnectionMax),
  subscribeFrames: (wanted, options) => htxRequests("sub", wanted, options),
  unsubscribeFrames: (wanted, options) => htxRequests("unsub", wanted, options),
  snapshotFrames: (instrument, { requestId }) => [htxBookRequest(instrument, requestId)],
  polls: HTX_POLLS,
  tradesRequest: (instrument, { endpoints }) => htxTradesRequest(instrument, endpoints),
  serverTimeRequest: htxTimeRequest,
  parseServerTimeUs: clockIn("data"),
  createDecoder: (context) =>
    new FrameDecoder(TEXT_RECORDS, new HtxReader(context), textOfHtxFrame),
};
