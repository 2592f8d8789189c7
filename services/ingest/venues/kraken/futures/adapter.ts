// Kraken Futures (Derivatives), WebSocket v1. Candles are to be had from a REST service of charts
// only, and are not offered here.
// https://docs.kraken.com/exchange/api-reference/futures-websocket
// https://docs.kraken.com/api/docs/futures-api/trading/get-instruments
import { KRAKEN_FUTURES_REFUSALS } from "./answers.ts";
import type { RawBook } from "#core/book-sync.ts";
import { JsonTape } from "#core/json-tape.ts";
import type { FeedAdapter, FeedLimits } from "../../../feed/feed-adapter.ts";
import { planByInstrument } from "../../../reading/connection-plans.ts";
import { FrameDecoder } from "../../../reading/frame-decoder.ts";
import { tapeObjects } from "../../../reading/frame-forms.ts";
import { KrakenFuturesReader } from "./decoder.ts";
import { deriveFuturesInstrument, parseFuturesInstruments } from "./instruments.ts";
import { isOffered, krakenFuturesFrames } from "./requests.ts";
import {
  futuresCandles,
  futuresInstrumentsRequest,
  futuresRecordedRequest,
  futuresTimeRequest,
  futuresTradesRequest,
  parseFuturesTimeUs,
  FUTURES_BOOK_PROBE,
} from "./rest.ts";

const LIMITS: FeedLimits = {
  // The venue says nothing of a limit: a guess.
  subscriptionsPerConnectionMax: 500,
  // A hundred requests a second are allowed.
  outgoingFrames: { count: 50, intervalMs: 1000 },
  // Public requests are not budgeted: a guess.
  restWeight: { count: 5, intervalMs: 1000 },
  // A hundred connections at a time; how fast is not said.
  connects: { count: 5, intervalMs: 1000 },
  // Tickers come every second; books and trades of quiet contracts may rest for long.
  silenceMsMax: { book: 120_000, ticker: 60_000, quotes: 60_000, "mark-price": 60_000 },
  address: { connectionsMax: 100 },
  // Heartbeats are asked for and come every few seconds.
  connectionSilenceMsMax: 30_000,
  frameBytesMax: 2 * 1024 * 1024,
  connectionAgeMsMax: undefined,
};

const HEARTBEATS = JSON.stringify({ event: "subscribe", feed: "heartbeat" });

/** Every message of a book has the number after that of the one before. */
export const krakenFutures: FeedAdapter = {
  venue: "kraken-futures",
  title: "Kraken Futures",
  documentation: [
    "https://docs.kraken.com/exchange/api-reference/futures-websocket",
    "https://docs.kraken.com/api/docs/futures-api/trading/get-instruments",
  ],
  channels: [
    "trades",
    "quotes",
    "book",
    "ticker",
    "funding",
    "mark-price",
    "open-interest",
    "liquidations",
  ],
  notes: {
    trades: "Inverse contracts (PI_, FI_) count contracts of 1 USD, the others units of the asset.",
    quotes: "The best bid and offer of the ticker feed, not of every change.",
    book: "One level a message, the whole book.",
    funding: "`relative_funding_rate`, for one hour; `funding_rate` is an absolute amount.",
    "mark-price": "With the ticker feed, the index price beside it.",
    "open-interest": "With the ticker feed, in the unit of sizes.",
    liquidations: "Trades of the type `liquidation`; the side is that of the order that closed.",
  },
  bookProof: {
    order: "sequence",
    content: "none",
    note: "Every message of a book has the next number; a wrong number inside is not noticed.",
  },
  endpoints: {
    webSocket: "wss://futures.kraken.com/ws/v1",
    rest: "https://futures.kraken.com",
  },
  limits: LIMITS,
  refusals: KRAKEN_FUTURES_REFUSALS,
  bookSync: {
    snapshot: "in-band",
    sequencing: {
      isCovered: (delta, snapshotUpdateId) => (delta.lastUpdateId ?? Infinity) <= snapshotUpdateId,
      bridges: isNext,
      follows: isNext,
    },
  },
  // The venue wants a ping every minute, and its pages show none. Asking for the heartbeats that
  // come anyway is a message that it surely knows.
  keepAlive: { intervalMs: 30_000, frame: () => HEARTBEATS },
  openingFrames: () => [HEARTBEATS],
  instrumentsRequests: (endpoints) => [futuresInstrumentsRequest(endpoints)],
  recordedRequest: futuresRecordedRequest,
  parseInstruments: parseFuturesInstruments,
  deriveInstrument: deriveFuturesInstrument,
  planConnections: (subscriptions, endpoints) =>
    planByInstrument(subscriptions.filter(isOffered), {
      url: endpoints.webSocket,
      subscriptionsMax: LIMITS.subscriptionsPerConnectionMax,
    }),
  subscribeFrames: (subscriptions) => krakenFuturesFrames("subscribe", subscriptions),
  unsubscribeFrames: (subscriptions) => krakenFuturesFrames("unsubscribe", subscriptions),
  tradesRequest: (instrument, { endpoints }) => futuresTradesRequest(instrument, endpoints),
  candleHistory: futuresCandles,
  serverTimeRequest: futuresTimeRequest,
  parseServerTimeUs: parseFuturesTimeUs,
  bookProbe: FUTURES_BOOK_PROBE,
  createDecoder: (context) => {
    const tape = new JsonTape();
    return new FrameDecoder(tapeObjects(tape), new KrakenFuturesReader(tape, context));
  },
};

function isNext(delta: RawBook, lastUpdateId: number): boolean {
  return delta.lastUpdateId === lastUpdateId + 1;
}
