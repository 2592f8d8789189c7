// Gemini's current public feed. Perpetuals are traded on it like spot; their mark prices and open
// interest are asked for by REST. Candles are not part of it.
// https://developer.gemini.com/websocket/streams
import { GEMINI_REFUSALS } from "./answers.ts";
import type { FeedAdapter, FeedLimits } from "../../feed/feed-adapter.ts";
import { planByInstrument } from "../../reading/connection-plans.ts";
import { FrameDecoder } from "../../reading/frame-decoder.ts";
import { TEXT_RECORDS } from "../../reading/frame-forms.ts";
import { GEMINI_SEQUENCING } from "./book.ts";
import { GeminiReader } from "./decoder.ts";
import { deriveGeminiInstrument, parseGeminiSymbols } from "./instruments.ts";
import { geminiRequests, isStreamed } from "./requests.ts";
import {
  geminiRecordedRequest,
  geminiRiskPoll,
  geminiSymbolsRequest,
  GEMINI_BOOK_PROBE,
  geminiCandles,
} from "./rest.ts";

const NAMING = { venue: "gemini", venueSymbolOf: (listed: string) => listed.toLowerCase() };

/** None of these is published; they are guesses far below what other venues allow. */
const LIMITS: FeedLimits = {
  subscriptionsPerConnectionMax: 300,
  outgoingFrames: { count: 5, intervalMs: 1000 },
  // 120 public REST requests a minute are documented.
  restWeight: { count: 60, intervalMs: 60_000 },
  connects: { count: 1, intervalMs: 1000 },
  silenceMsMax: { book: 120_000, quotes: 300_000 },
  connectionSilenceMsMax: 60_000,
  frameBytesMax: 4 * 1024 * 1024,
  connectionAgeMsMax: undefined,
};

/** Every change of a book says which numbers it covers. */
export const gemini: FeedAdapter = {
  venue: "gemini",
  title: "Gemini",
  documentation: [
    "https://developer.gemini.com/websocket/streams",
    "https://docs.gemini.com/rest/derivatives",
  ],
  channels: ["trades", "quotes", "book", "mark-price", "open-interest"],
  notes: {
    quotes: "Every change of the best bid and offer.",
    book: "All changes of 100 ms in one message; the first is the whole book.",
    "mark-price":
      "Of perpetuals, with the index; asked for by REST once a minute, without the venue's time. " +
      "Funding is not published: the venue documents an amount, but no exact rate.",
    "open-interest": "Of perpetuals; asked for by REST once a minute, without the venue's time.",
  },
  bookProof: {
    order: "sequence",
    content: "none",
    note:
      "Each change goes on where the one before ended. The first message is known as the whole " +
      "book by its place only.",
  },
  endpoints: { webSocket: "wss://ws.gemini.com", rest: "https://api.gemini.com" },
  limits: LIMITS,
  refusals: GEMINI_REFUSALS,
  bookSync: {
    snapshot: "in-band",
    sequencing: GEMINI_SEQUENCING,
  },
  keepAlive: {
    intervalMs: 20_000,
    frame: (sequence) => JSON.stringify({ id: `ping-${sequence}`, method: "ping" }),
  },
  instrumentsRequests: (endpoints) => [geminiSymbolsRequest(endpoints)],
  recordedRequest: geminiRecordedRequest("mark-price", NAMING),
  parseInstruments: (body) => parseGeminiSymbols(body, NAMING),
  deriveInstrument: (venueSymbol) => deriveGeminiInstrument(venueSymbol, NAMING),
  planConnections: (subscriptions, endpoints) =>
    planByInstrument(subscriptions.filter(isStreamed), {
      // The parameter asks for whole books on subscribing.
      url: `${endpoints.webSocket.replace(/\/+$/, "")}/?snapshot=-1`,
      subscriptionsMax: LIMITS.subscriptionsPerConnectionMax,
    }),
  subscribeFrames: (subscriptions, options) => geminiRequests("SUBSCRIBE", subscriptions, options),
  unsubscribeFrames: (subscriptions, options) =>
    geminiRequests("UNSUBSCRIBE", subscriptions, options),
  polls: [geminiRiskPoll("mark-price"), geminiRiskPoll("open-interest")],
  bookProbe: GEMINI_BOOK_PROBE,
  candleHistory: geminiCandles,
  createDecoder: (context) => new FrameDecoder(TEXT_RECORDS, new GeminiReader(context)),
};
