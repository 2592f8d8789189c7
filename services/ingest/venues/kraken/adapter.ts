// Kraken spot, WebSocket v2. Prices and sizes are bare JSON numbers whose trailing zeros count.
// https://docs.kraken.com/exchange/api-reference/spot-websocket
// https://docs.kraken.com/exchange/guides/websockets/book-checksum-v2
import { KRAKEN_REFUSALS } from "./answers.ts";
import { JsonTape } from "#core/json-tape.ts";
import type { FeedAdapter } from "../../feed/feed-adapter.ts";
import { planByInstrument } from "../../reading/connection-plans.ts";
import { FrameDecoder } from "../../reading/frame-decoder.ts";
import { tapeObjects } from "../../reading/frame-forms.ts";
import { KRAKEN_BOOK_PROOF, KRAKEN_BOOK_SYNC } from "./book.ts";
import { KrakenReader } from "./decoder.ts";
import {
  assetPairsRequests,
  deriveKrakenInstrument,
  modernPairName,
  parseAssetPairs,
} from "./instruments.ts";
import { KRAKEN_CHANNELS, KRAKEN_LIMITS, krakenRequests } from "./requests.ts";
import {
  krakenRecordedRequest,
  pairTradesRequest,
  parseTime,
  timeRequest,
  KRAKEN_BOOK_PROBE,
  pairTradesPageRequest,
  pairCandles,
} from "./rest.ts";

const VENUE = "kraken";

/**
 * Kraken spot. Quotes and ticker are one channel of the venue: with quotes wanted it is asked for
 * at every change of the best bid and offer, for tickers alone at every trade.
 */
export const kraken: FeedAdapter = {
  venue: VENUE,
  title: "Kraken v2",
  documentation: ["https://docs.kraken.com/api/docs/websocket-v2/book"],
  channels: KRAKEN_CHANNELS,
  candlesEndUnsaid: true,
  notes: { candles: "A candle is told as closed when the next one begins." },
  bookProof: KRAKEN_BOOK_PROOF,
  endpoints: { webSocket: "wss://ws.kraken.com/v2", rest: "https://api.kraken.com" },
  limits: KRAKEN_LIMITS,
  refusals: KRAKEN_REFUSALS,
  bookSync: KRAKEN_BOOK_SYNC,
  keepAlive: {
    intervalMs: 30_000,
    frame: (sequence) => JSON.stringify({ method: "ping", req_id: sequence }),
  },
  marketFrames: (_url, { requestId: req_id }) => [
    JSON.stringify({ method: "subscribe", params: { channel: "instrument" }, req_id }),
  ],
  instrumentsRequests: assetPairsRequests,
  recordedRequest: krakenRecordedRequest,
  parseInstruments: (body) =>
    parseAssetPairs(body, { venue: VENUE, venueSymbolOf: modernPairName }),
  deriveInstrument: (venueSymbol) => deriveKrakenInstrument(venueSymbol, VENUE),
  planConnections: (subscriptions, endpoints) =>
    planByInstrument(subscriptions, {
      url: endpoints.webSocket,
      subscriptionsMax: KRAKEN_LIMITS.subscriptionsPerConnectionMax,
    }),
  subscribeFrames: (subscriptions, options) => krakenRequests("subscribe", subscriptions, options),
  unsubscribeFrames: (subscriptions, options) =>
    krakenRequests("unsubscribe", subscriptions, options),
  tradesRequest: (instrument, { endpoints }) => pairTradesRequest(instrument, endpoints),
  candleHistory: pairCandles,
  serverTimeRequest: timeRequest,
  parseServerTimeUs: parseTime,
  tradesPageRequest: (instrument, { after, endpoints }) =>
    pairTradesPageRequest(instrument, after, endpoints),
  bookProbe: KRAKEN_BOOK_PROBE,
  createDecoder: (context) => {
    const tape = new JsonTape();
    return new FrameDecoder(tapeObjects(tape), new KrakenReader(tape, context));
  },
};
