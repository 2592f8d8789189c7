// Bitget, version 1 of the feed: switched off, kept for recordings and for the arithmetic of its
// checksums, which later versions have no longer.
// https://bitgetlimited.github.io/apidoc/en/spot/#websocketapi
// https://bitgetlimited.github.io/apidoc/en/mix/#websocketapi
import { BITGET_REFUSALS } from "../answers.ts";
import type { FeedAdapter, FeedLimits } from "../../../feed/feed-adapter.ts";
import { FrameDecoder } from "../../../reading/frame-decoder.ts";
import { JSON_RECORDS } from "../../../reading/frame-forms.ts";
import { recordedRequestOf } from "../../../reading/recorded-addresses.ts";
import { withTextPongs } from "../../../reading/text-pongs.ts";
import { BITGET_CHECKSUM_LEVELS, bitgetChecksum } from "../book.ts";
import { BitgetReader } from "../decoder.ts";
import { BITGET_KEEP_ALIVE } from "../requests.ts";
import {
  bitgetV1InstrumentsRequests,
  deriveBitgetV1Instrument,
  parseBitgetV1Instruments,
} from "./instruments.ts";
import { BITGET_V1_DIALECT, bitgetV1Requests, planBitgetV1 } from "./requests.ts";

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
  frameBytesMax: 2 * 1024 * 1024,
  connectionAgeMsMax: 23 * 3_600_000,
};

/** Bitget's spot pairs and contracts as its first feed sent them. */
export const bitgetV1: FeedAdapter = {
  venue: "bitget-v1",
  title: "Bitget v1 (retired)",
  documentation: [
    "https://bitgetlimited.github.io/apidoc/en/spot/#websocketapi",
    "https://bitgetlimited.github.io/apidoc/en/mix/#websocketapi",
    "https://www.bitget.com/support/articles/12560603838361",
  ],
  spoken: {
    until: "2025-11-28",
    note: "The venue announced its end for that day; kept for recordings.",
  },
  channels: ["trades", "book", "ticker", "candles", "funding", "mark-price", "open-interest"],
  candlesEndUnsaid: true,
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
  refusals: BITGET_REFUSALS,
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
  planConnections: (subscriptions, endpoints) =>
    planBitgetV1(subscriptions, endpoints, LIMITS.subscriptionsPerConnectionMax),
  subscribeFrames: (subscriptions) => bitgetV1Requests("subscribe", subscriptions),
  unsubscribeFrames: (subscriptions) => bitgetV1Requests("unsubscribe", subscriptions),
  createDecoder: (context) =>
    new FrameDecoder(withTextPongs(JSON_RECORDS), new BitgetReader(BITGET_V1_DIALECT, context)),
};
