// Kraken spot, WebSocket v1: frozen, still served. Data are arrays whose last two elements name
// channel and pair.
// https://docs.kraken.com/exchange/api-reference/spot-websocket-v1/book
import { KRAKEN_REFUSALS } from "../answers.ts";
import type { FeedAdapter } from "../../../feed/feed-adapter.ts";
import { planByInstrument } from "../../../reading/connection-plans.ts";
import { FrameDecoder } from "../../../reading/frame-decoder.ts";
import { JSON_RECORDS_AND_ARRAYS } from "../../../reading/frame-forms.ts";
import { KRAKEN_BOOK_PROOF, KRAKEN_BOOK_SYNC } from "../book.ts";
import { assetPairsRequests, deriveKrakenInstrument, parseAssetPairs } from "../instruments.ts";
import { KRAKEN_CHANNELS, KRAKEN_LIMITS } from "../requests.ts";
import { KRAKEN_BOOK_PROBE, krakenRecordedRequest, pairCandles } from "../rest.ts";
import { KrakenV1Reader } from "./decoder.ts";
import { krakenV1Requests } from "./requests.ts";

const VENUE = "kraken-v1";

/** Kraken spot over its first protocol. Trades have no id; snapshots of books have no checksum. */
export const krakenV1: FeedAdapter = {
  venue: VENUE,
  title: "Kraken v1",
  documentation: ["https://docs.kraken.com/api/docs/websocket-v1/book"],
  spoken: { note: "Still served beside v2 in 2026, and frozen: nothing new is added to it." },
  channels: KRAKEN_CHANNELS,
  candlesEndUnsaid: true,
  notes: { candles: "A candle is told as closed when the next one begins." },
  bookProof: KRAKEN_BOOK_PROOF,
  endpoints: { webSocket: "wss://ws.kraken.com", rest: "https://api.kraken.com" },
  limits: KRAKEN_LIMITS,
  refusals: KRAKEN_REFUSALS,
  bookSync: KRAKEN_BOOK_SYNC,
  keepAlive: {
    intervalMs: 30_000,
    frame: (sequence) => JSON.stringify({ event: "ping", reqid: sequence }),
  },
  instrumentsRequests: assetPairsRequests,
  recordedRequest: krakenRecordedRequest,
  parseInstruments: (body) =>
    parseAssetPairs(body, { venue: VENUE, venueSymbolOf: (wsname) => wsname }),
  deriveInstrument: (venueSymbol) => deriveKrakenInstrument(venueSymbol, VENUE),
  planConnections: (subscriptions, endpoints) =>
    planByInstrument(subscriptions, {
      url: endpoints.webSocket,
      subscriptionsMax: KRAKEN_LIMITS.subscriptionsPerConnectionMax,
    }),
  subscribeFrames: (subscriptions, options) =>
    krakenV1Requests("subscribe", subscriptions, options),
  unsubscribeFrames: (subscriptions, options) =>
    krakenV1Requests("unsubscribe", subscriptions, options),
  bookProbe: KRAKEN_BOOK_PROBE,
  candleHistory: pairCandles,
  createDecoder: (context) =>
    new FrameDecoder(JSON_RECORDS_AND_ARRAYS, new KrakenV1Reader(context)),
};
