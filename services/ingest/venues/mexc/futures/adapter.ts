import { JsonTape } from "#core/json-tape.ts";
import type { FeedAdapter, FeedLimits } from "../../../feed/feed-adapter.ts";
import { RANGED_CHANGES } from "../../../reading/book-sequencings.ts";
import { planByInstrument } from "../../../reading/connection-plans.ts";
import { FrameDecoder } from "../../../reading/frame-decoder.ts";
import { tapeObjects } from "../../../reading/frame-forms.ts";
import { clockIn } from "../../../reading/server-clocks.ts";
import { MEXC_FUTURES_REFUSALS } from "./answers.ts";
import { MexcFuturesReader } from "./decoder.ts";
import { deriveMexcContract, MEXC_FUTURES, parseMexcContracts } from "./instruments.ts";
import { mexcFuturesRequests, topicOf } from "./requests.ts";
import {
  MEXC_FUTURES_BOOK_PROBE,
  mexcContractsRequest,
  mexcFuturesBookRequest,
  mexcFuturesRecordedRequest,
  mexcFuturesTimeRequest,
} from "./rest.ts";

const LIMITS: FeedLimits = {
  // The venue names no limit; users have had 150 on a connection.
  subscriptionsPerConnectionMax: 100,
  // The venue names none.
  outgoingFrames: { count: 20, intervalMs: 1000 },
  // The venue allows 20 in two seconds for each path.
  restWeight: { count: 15, intervalMs: 2000 },
  // The venue names no limit.
  connects: { count: 3, intervalMs: 1000 },
  // Guesses: tickers come every one to three seconds, books change within seconds.
  silenceMsMax: { book: 120_000, ticker: 60_000, "mark-price": 60_000, "open-interest": 60_000 },
  // Our pings are answered, so two of them were lost.
  connectionSilenceMsMax: 45_000,
  frameBytesMax: 1024 * 1024,
  connectionAgeMsMax: undefined,
};

/**
 * Perpetuals of MEXC. All of it is JSON, and numbers in it are bare.
 *
 * Not sure: that confirmations come in the order of their requests; which side's contracts
 * `holdVol` counts; the meaning of states above 0, which are left out but for the paused; how long
 * the venue keeps a connection.
 */
export const mexcFutures: FeedAdapter = {
  venue: MEXC_FUTURES,
  title: "MEXC perpetuals, v1",
  documentation: [
    "https://mexcdevelop.github.io/apidocs/contract_v1_en/#websocket-api",
    "https://mexcdevelop.github.io/apidocs/contract_v1_en/#market-endpoints",
  ],
  channels: ["trades", "book", "ticker", "candles", "funding", "mark-price", "open-interest"],
  candlesEndUnsaid: true,
  notes: {
    book: "Changes of 200 ms in one message. A level's number of orders is left out.",
    ticker: "Every one to three seconds. Volumes are in contracts and in the quote asset.",
    candles: "One minute. Told as closed when the next one begins.",
    funding: "When the rate changes. How many hours it is for is not said.",
    "mark-price": "With the index, from the ticker.",
    "open-interest": "In contracts, from the ticker.",
  },
  bookProof: {
    order: "sequence",
    content: "none",
    note: "Every change continues the number of the one before; a wrong number is not noticed.",
  },
  endpoints: { webSocket: "wss://contract.mexc.com/edge", rest: "https://contract.mexc.com" },
  limits: LIMITS,
  refusals: MEXC_FUTURES_REFUSALS,
  bookSync: { snapshot: "rest", sequencing: RANGED_CHANGES },
  // The venue ends a connection on which no ping came for a minute, whatever else does.
  keepAlive: { intervalMs: 15_000, frame: () => JSON.stringify({ method: "ping" }) },
  instrumentsRequests: (endpoints) => [mexcContractsRequest(endpoints)],
  recordedRequest: mexcFuturesRecordedRequest,
  parseInstruments: parseMexcContracts,
  deriveInstrument: (venueSymbol) => deriveMexcContract(venueSymbol),
  planConnections: (subscriptions, { webSocket: url }) =>
    planByInstrument(
      subscriptions.filter(({ channel }) => topicOf(channel) !== undefined),
      { url, subscriptionsMax: LIMITS.subscriptionsPerConnectionMax },
    ),
  subscribeFrames: (subscriptions) => mexcFuturesRequests("sub", subscriptions),
  unsubscribeFrames: (subscriptions) => mexcFuturesRequests("unsub", subscriptions),
  snapshotRequest: mexcFuturesBookRequest,
  bookProbe: MEXC_FUTURES_BOOK_PROBE,
  serverTimeRequest: mexcFuturesTimeRequest,
  parseServerTimeUs: clockIn("data"),
  createDecoder: (context) => {
    const tape = new JsonTape();
    return new FrameDecoder(tapeObjects(tape), new MexcFuturesReader(tape, context));
  },
};
