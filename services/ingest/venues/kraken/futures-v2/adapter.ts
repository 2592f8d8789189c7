// Kraken derivatives over the Unified WebSocket, in the format of Kraken's spot v2.
// https://docs.kraken.com/exchange/api-reference/unified-websocket
// https://docs.kraken.com/exchange/api-reference/unified-ws/book
// https://docs.kraken.com/exchange/api-reference/unified-ws/trade
import { JsonTape } from "#core/json-tape.ts";
import type { FeedAdapter } from "../../../feed/feed-adapter.ts";
import { planByInstrument } from "../../../reading/connection-plans.ts";
import { FrameDecoder } from "../../../reading/frame-decoder.ts";
import { listOfVenue } from "../../../reading/listed-instruments.ts";
import { tapeObjects } from "../../../reading/frame-forms.ts";
import { KRAKEN_REFUSALS } from "../answers.ts";
import { KRAKEN_BOOK_PROOF, KRAKEN_BOOK_SYNC } from "../book.ts";
import { KrakenReader } from "../decoder.ts";
import { deriveFuturesInstrument, parseFuturesInstruments } from "../futures/instruments.ts";
import {
  FUTURES_BOOK_PROBE,
  futuresCandles,
  futuresInstrumentsRequest,
  futuresRecordedRequest,
  futuresTimeRequest,
  parseFuturesTimeUs,
} from "../futures/rest.ts";
import { KRAKEN_CHANNELS, KRAKEN_LIMITS, krakenRequests } from "../requests.ts";

const VENUE = "kraken-futures-v2";

/**
 * What replaces `kraken-futures`, whose socket and REST the venue switches off on 1 March 2027.
 * Where a ticker of a derivative holds funding, mark price and open interest is not published, nor
 * whether a trade says that it is a liquidation: these channels are `kraken-futures`' alone. REST,
 * which lists the contracts, knows trades by other ids, so that gaps are told and not filled.
 */
export const krakenFuturesV2: FeedAdapter = {
  venue: VENUE,
  title: "Kraken derivatives, Unified WebSocket",
  documentation: [
    "https://docs.kraken.com/exchange/api-reference/unified-websocket",
    "https://docs.kraken.com/exchange/api-reference/unified-ws/book",
    "https://docs.kraken.com/exchange/api-reference/unified-ws/trade",
    "https://docs.kraken.com/exchange/api-reference/unified-ws/ticker",
    "https://docs.kraken.com/exchange/api-reference/unified-ws/ohlc",
  ],
  channels: KRAKEN_CHANNELS,
  candlesEndUnsaid: true,
  notes: {
    trades:
      "Sizes as on kraken-futures. A gap is not filled: REST knows trades by other ids than the stream.",
    quotes: "The best bid and offer of the ticker, which comes with trades.",
    candles: "Of trades; a candle is told as closed when the next one begins.",
  },
  bookProof: KRAKEN_BOOK_PROOF,
  endpoints: { webSocket: "wss://uws.kraken.com/v2/public", rest: "https://futures.kraken.com" },
  limits: KRAKEN_LIMITS,
  refusals: KRAKEN_REFUSALS,
  bookSync: KRAKEN_BOOK_SYNC,
  keepAlive: {
    intervalMs: 30_000,
    frame: (sequence) => JSON.stringify({ method: "ping", req_id: sequence }),
  },
  // Listed by the interface that ends with the older feed; the new one's own list is a channel.
  instrumentsRequests: (endpoints) => [futuresInstrumentsRequest(endpoints)],
  recordedRequest: futuresRecordedRequest,
  parseInstruments: (body) => listOfVenue(parseFuturesInstruments(body), VENUE),
  deriveInstrument: (venueSymbol) => {
    const instrument = deriveFuturesInstrument(venueSymbol);
    return instrument === undefined ? undefined : { ...instrument, venue: VENUE };
  },
  planConnections: (subscriptions, endpoints) =>
    planByInstrument(subscriptions, {
      url: endpoints.webSocket,
      subscriptionsMax: KRAKEN_LIMITS.subscriptionsPerConnectionMax,
    }),
  subscribeFrames: (subscriptions, options) =>
    krakenRequests("subscribe", subscriptions, options, "derivatives"),
  unsubscribeFrames: (subscriptions, options) =>
    krakenRequests("unsubscribe", subscriptions, options, "derivatives"),
  candleHistory: futuresCandles,
  bookProbe: FUTURES_BOOK_PROBE,
  serverTimeRequest: futuresTimeRequest,
  parseServerTimeUs: parseFuturesTimeUs,
  createDecoder: (context) => {
    const tape = new JsonTape();
    return new FrameDecoder(tapeObjects(tape), new KrakenReader(tape, context, "with-quotes"));
  },
};
