import { JsonTape } from "#core/json-tape.ts";
import type { FeedAdapter, FeedLimits } from "../../feed/feed-adapter.ts";
import { planByInstrument } from "../../reading/connection-plans.ts";
import { FrameDecoder } from "../../reading/frame-decoder.ts";
import { TICKET_REFUSALS, ticketFrames, TicketReader } from "./decoder.ts";
import { UPBIT_WORDS } from "./fields.ts";
import { deriveMarket, parseMarkets } from "./instruments.ts";
import { ticketRequest, type TicketWords } from "./requests.ts";
import {
  UPBIT_BOOK_PROBE,
  upbitMarketsRequest,
  upbitRecordedRequest,
  upbitTradesRequest,
} from "./rest.ts";

const VENUE = "upbit";

const LIMITS: FeedLimits = {
  // The venue names no limit. What is renewed is asked for with all else of its connection.
  subscriptionsPerConnectionMax: 200,
  // The venue takes 5 messages a second and 100 a minute.
  outgoingFrames: { count: 3, intervalMs: 2000 },
  // The venue allows 10 a second of each kind.
  restWeight: { count: 5, intervalMs: 1000 },
  // The venue takes 5 connections a second from an address.
  connects: { count: 3, intervalMs: 1000 },
  // A guess: books change only when orders do. Asking anew brings the book as it is.
  silenceMsMax: { book: 300_000, quotes: 300_000 },
  // Our pings are answered, and once pinged the venue says every ten seconds that it is up.
  connectionSilenceMsMax: 45_000,
  frameBytesMax: 256 * 1024,
  connectionAgeMsMax: undefined,
};

/** What venues of this kind have in common, whatever they call their channels. */
export function ticketFeed(
  venue: string,
  words: TicketWords,
  { subscriptionsPerConnectionMax: subscriptionsMax }: FeedLimits,
): Pick<
  FeedAdapter,
  | "bookProbe"
  | "bookProof"
  | "bookSync"
  | "createDecoder"
  | "deriveInstrument"
  | "parseInstruments"
  | "planConnections"
  | "recordedRequest"
  | "refusals"
  | "subscribeFrames"
  | "unsubscribeFrames"
> {
  return {
    bookProof: {
      order: "snapshots",
      content: "none",
      note:
        "Every message is the whole book that is shown, so that the next one repairs any fault. " +
        "Nothing is numbered: what was lost in between is not noticed.",
    },
    bookProbe: UPBIT_BOOK_PROBE,
    bookSync: { snapshot: "in-band" },
    refusals: TICKET_REFUSALS,
    recordedRequest: upbitRecordedRequest,
    parseInstruments: (body) => parseMarkets(venue, body),
    deriveInstrument: (venueSymbol) => deriveMarket(venue, venueSymbol),
    planConnections: (subscriptions, { webSocket: url }) =>
      planByInstrument(
        subscriptions.filter(({ channel }) => words.types[channel] !== undefined),
        { url, subscriptionsMax },
      ),
    subscribeFrames: (subscriptions, options) => {
      const request = ticketRequest(words, subscriptions, options);
      return request === undefined ? [] : [request];
    },
    // A connection ends what it asked for by asking for something else.
    unsubscribeFrames: () => [],
    createDecoder: (context) => {
      const tape = new JsonTape();
      return new FrameDecoder(ticketFrames(tape), new TicketReader(tape, context, words));
    },
  };
}

/**
 * Upbit in Korea. Frames are JSON in bytes, and numbers in them are bare.
 *
 * A code that the venue does not have gets no answer, and costs the others nothing.
 *
 * Not sure: how long it keeps a connection; what it says to those who ask too often.
 */
export const upbit: FeedAdapter = {
  ...ticketFeed(VENUE, UPBIT_WORDS, LIMITS),
  venue: VENUE,
  title: "Upbit (Korea)",
  documentation: [
    "https://docs.upbit.com/kr/reference/websocket-guide",
    "https://docs.upbit.com/kr/reference/websocket-orderbook",
    "https://docs.upbit.com/kr/reference/websocket-candle",
    "https://global-docs.upbit.com/reference/rate-limits",
  ],
  channels: ["trades", "quotes", "book", "ticker", "candles"],
  candlesEndUnsaid: true,
  notes: {
    trades: "The last trade before subscribing comes first, as history.",
    quotes: "The best level of each book message.",
    book: "1, 5, 15 or 30 levels, whole with every message.",
    ticker:
      "The last price and volumes of 24 hours; what the venue says of opening, high and low is of " +
      "the day since midnight UTC, and left out.",
    candles: "One minute, once a second while there are trades; a minute without trades has none.",
  },
  endpoints: { webSocket: "wss://api.upbit.com/websocket/v1", rest: "https://api.upbit.com" },
  limits: LIMITS,
  // The venue ends a connection on which nothing came for two minutes.
  keepAlive: { intervalMs: 20_000, frame: () => "PING" },
  instrumentsRequests: (endpoints) => [upbitMarketsRequest(endpoints)],
  tradesRequest: (instrument, { endpoints }) => upbitTradesRequest(instrument, endpoints),
};
