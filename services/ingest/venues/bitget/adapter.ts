import { BITGET_REFUSALS } from "./answers.ts";
import type { FeedAdapter, FeedLimits } from "../../feed/feed-adapter.ts";
import { ALL_CHANNELS } from "../../reading/all-channels.ts";
import { FrameDecoder } from "../../reading/frame-decoder.ts";
import { JSON_RECORDS } from "../../reading/frame-forms.ts";
import { withTextPongs } from "../../reading/text-pongs.ts";
import { BITGET_SEQUENCING, bitgetEitherChecksum } from "./book.ts";
import { BitgetReader } from "./decoder.ts";
import {
  bitgetInstrumentsRequests,
  deriveBitgetInstrument,
  parseBitgetInstruments,
} from "./instruments.ts";
import { BITGET_DIALECT, BITGET_KEEP_ALIVE, bitgetRequests, planBitget } from "./requests.ts";
import {
  bitgetRecordedRequest,
  bitgetTimeRequest,
  bitgetTradesRequest,
  parseBitgetTimeUs,
  BITGET_BOOK_PROBE,
  bitgetCandles,
} from "./rest.ts";

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
  frameBytesMax: 2 * 1024 * 1024,
  connectionAgeMsMax: 23 * 3_600_000,
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
  channels: ALL_CHANNELS,
  candlesEndUnsaid: true,
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
  refusals: BITGET_REFUSALS,
  bookSync: { snapshot: "in-band", sequencing: BITGET_SEQUENCING, checksum: bitgetEitherChecksum },
  keepAlive: BITGET_KEEP_ALIVE,
  instrumentsRequests: bitgetInstrumentsRequests,
  recordedRequest: bitgetRecordedRequest,
  parseInstruments: parseBitgetInstruments,
  deriveInstrument: deriveBitgetInstrument,
  planConnections: (subscriptions, endpoints) =>
    planBitget(subscriptions, endpoints, LIMITS.subscriptionsPerConnectionMax),
  subscribeFrames: (subscriptions) => bitgetRequests("subscribe", subscriptions),
  unsubscribeFrames: (subscriptions) => bitgetRequests("unsubscribe", subscriptions),
  tradesRequest: (instrument, { endpoints }) => bitgetTradesRequest(instrument, endpoints),
  candleHistory: bitgetCandles,
  serverTimeRequest: bitgetTimeRequest,
  parseServerTimeUs: parseBitgetTimeUs,
  bookProbe: BITGET_BOOK_PROBE,
  createDecoder: (context) =>
    new FrameDecoder(withTextPongs(JSON_RECORDS), new BitgetReader(BITGET_DIALECT, context)),
};
