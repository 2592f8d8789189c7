import { BITFINEX_REFUSALS } from "./answers.ts";
import { JsonTape } from "#core/json-tape.ts";
import type { FeedAdapter, FeedLimits } from "../../feed/feed-adapter.ts";
import { FrameDecoder } from "../../reading/frame-decoder.ts";
import { bitfinexChecksum, CHECKSUM_LEVELS } from "./book.ts";
import { BitfinexReader, FLAGS, tapeContainers } from "./decoder.ts";
import { derivePair, parsePairs } from "./instruments.ts";
import { bitfinexRequests, planBitfinex } from "./requests.ts";
import {
  bitfinexInstrumentsRequests,
  bitfinexRecordedRequest,
  bitfinexTradesRequest,
  BITFINEX_BOOK_PROBE,
  bitfinexTradesPageRequest,
  bitfinexCandles,
} from "./rest.ts";

const LIMITS: FeedLimits = {
  // Only liquidations, which are one channel for all, come near it; see CHANNELS_MAX.
  subscriptionsPerConnectionMax: 400,
  // Nothing is published about it: a guess.
  outgoingFrames: { count: 10, intervalMs: 1000 },
  // Between 10 and 90 requests a minute, depending on what is asked.
  restWeight: { count: 30, intervalMs: 60_000 },
  // 20 connections a minute from one address.
  connects: { count: 15, intervalMs: 60_000 },
  silenceMsMax: { book: 300_000, "mark-price": 120_000 },
  // Every channel without news has a heartbeat every 15 s.
  connectionSilenceMsMax: 45_000,
  frameBytesMax: 1024 * 1024,
  connectionAgeMsMax: undefined,
};

/**
 * Bitfinex: pairs and perpetuals. Every message on a connection is numbered, and books are checked
 * against the venue's checksum.
 *
 * Uncertain: the checksums were written from the documentation and never seen; where they do not
 * agree, books resync and `tickwire_ingest_checksums_failed_total` rises. The fields of
 * derivatives' status and of liquidations are taken by their place as documented.
 */
export const bitfinex: FeedAdapter = {
  venue: "bitfinex",
  title: "Bitfinex v2",
  documentation: [
    "https://docs.bitfinex.com/docs/ws-general",
    "https://docs.bitfinex.com/docs/ws-websocket-checksum",
  ],
  channels: [
    "trades",
    "book",
    "candles",
    "ticker",
    "funding",
    "mark-price",
    "open-interest",
    "liquidations",
  ],
  candlesEndUnsaid: true,
  notes: {
    trades: "The executions (te); the last 30 come on subscribing, as history.",
    book: "P0: 25, 100 or 250 levels.",
    ticker: "Its sizes beside bid and ask are those of 25 levels, so there are no quotes.",
    candles: "One minute. A candle is told as closed when the next one begins.",
    funding: "Perpetuals, as they are now; paid every 8 hours.",
    liquidations: "Perpetuals, when a position is taken over; all come on one channel.",
  },
  bookProof: {
    order: "connection-sequence",
    content: "checksum",
    checksumLevels: CHECKSUM_LEVELS,
    note:
      "Every message on a connection is numbered: a hole puts every book of the connection in doubt. " +
      "A wrong number is noticed by the checksum after it, if it is among the best 25 levels.",
  },
  endpoints: { webSocket: "wss://api-pub.bitfinex.com/ws/2", rest: "https://api-pub.bitfinex.com" },
  limits: LIMITS,
  refusals: BITFINEX_REFUSALS,
  bookSync: { snapshot: "in-band", checksum: bitfinexChecksum },
  openingFrames: () => [JSON.stringify({ event: "conf", flags: FLAGS })],
  instrumentsRequests: bitfinexInstrumentsRequests,
  recordedRequest: bitfinexRecordedRequest,
  parseInstruments: parsePairs,
  deriveInstrument: (venueSymbol) => derivePair(venueSymbol),
  planConnections: (subscriptions, endpoints) =>
    planBitfinex(subscriptions, endpoints, LIMITS.subscriptionsPerConnectionMax),
  subscribeFrames: bitfinexRequests,
  // By the ids that the connection's channels were given: see the decoder.
  unsubscribeFrames: () => [],
  tradesRequest: (instrument, { endpoints }) => bitfinexTradesRequest(instrument, endpoints),
  tradesPageRequest: (instrument, { after, endpoints }) =>
    bitfinexTradesPageRequest(instrument, after, endpoints),
  bookProbe: BITFINEX_BOOK_PROBE,
  candleHistory: bitfinexCandles,
  createDecoder: (context) => {
    const tape = new JsonTape();
    return new FrameDecoder(tapeContainers(tape), new BitfinexReader(tape, context));
  },
};
