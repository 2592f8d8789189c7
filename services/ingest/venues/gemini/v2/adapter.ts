// Gemini's feed before the current one, "Market data version 2".
// https://docs.gemini.com/websocket-api/#market-data-version-2
// https://developer.gemini.com/websocket/archived/v2.md
import type { FeedAdapter, FeedLimits } from "../../../feed/feed-adapter.ts";
import { GEMINI_REFUSALS } from "../answers.ts";
import { planByInstrument } from "../../../reading/connection-plans.ts";
import { FrameDecoder } from "../../../reading/frame-decoder.ts";
import { TEXT_RECORDS } from "../../../reading/frame-forms.ts";
import { deriveGeminiInstrument, parseGeminiSymbols } from "../instruments.ts";
import {
  GEMINI_BOOK_PROBE,
  geminiCandles,
  geminiRecordedRequest,
  geminiRiskPoll,
  geminiSymbolsRequest,
} from "../rest.ts";
import { GeminiV2Reader } from "./decoder.ts";
import { geminiV2Requests, isStreamed } from "./requests.ts";

const NAMING = { venue: "gemini-v2", venueSymbolOf: (listed: string) => listed.toUpperCase() };

/** The venue publishes REST limits only (120 a minute); the others are guesses. */
const LIMITS: FeedLimits = {
  subscriptionsPerConnectionMax: 300,
  outgoingFrames: { count: 5, intervalMs: 1000 },
  restWeight: { count: 60, intervalMs: 60_000 },
  connects: { count: 1, intervalMs: 1000 },
  silenceMsMax: { book: 120_000 },
  // Heartbeats come every five seconds.
  connectionSilenceMsMax: 30_000,
  frameBytesMax: 4 * 1024 * 1024,
  connectionAgeMsMax: undefined,
};

/** Books and trades are one subscription there, and nothing is numbered. */
export const geminiV2: FeedAdapter = {
  venue: "gemini-v2",
  title: "Gemini market data v2",
  documentation: [
    "https://docs.gemini.com/websocket-api/#market-data-version-2",
    "https://developer.gemini.com/websocket/archived/v2.md",
    "https://docs.gemini.com/rest/derivatives",
  ],
  spoken: {
    note: "Its pages are archived as replaced by the new WebSocket API; when it ends is not announced.",
  },
  channels: ["trades", "book", "candles", "mark-price", "open-interest"],
  candlesEndUnsaid: true,
  notes: {
    trades:
      "Come with the book: the first message of a book holds the last ones. Nobody took in an auction.",
    book: "The venue gives no time.",
    candles:
      "The venue gives neither its time nor whether a candle is over: all but the newest are.",
    "mark-price":
      "With the index, when the mark price changes. Funding is not published: the venue documents " +
      "an amount for each unit of the base, but no exact rate.",
    "open-interest": "Of perpetuals; asked for by REST once a minute, without the venue's time.",
  },
  bookProof: {
    order: "none",
    content: "none",
    note: "Neither numbers nor checksums: only the order of TCP and a crossed book show a loss.",
  },
  endpoints: {
    webSocket: "wss://api.gemini.com/v2/marketdata",
    rest: "https://api.gemini.com",
  },
  limits: LIMITS,
  refusals: GEMINI_REFUSALS,
  bookSync: { snapshot: "in-band" },
  instrumentsRequests: (endpoints) => [geminiSymbolsRequest(endpoints)],
  recordedRequest: geminiRecordedRequest("open-interest", NAMING),
  parseInstruments: (body) => parseGeminiSymbols(body, NAMING),
  deriveInstrument: (venueSymbol) => deriveGeminiInstrument(venueSymbol, NAMING),
  planConnections: (subscriptions, endpoints) =>
    planByInstrument(subscriptions.filter(isStreamed), {
      url: endpoints.webSocket,
      subscriptionsMax: LIMITS.subscriptionsPerConnectionMax,
    }),
  subscribeFrames: (subscriptions) => geminiV2Requests("subscribe", subscriptions),
  unsubscribeFrames: (subscriptions) => geminiV2Requests("unsubscribe", subscriptions),
  polls: [geminiRiskPoll("open-interest")],
  bookProbe: GEMINI_BOOK_PROBE,
  candleHistory: geminiCandles,
  createDecoder: (context) => new FrameDecoder(TEXT_RECORDS, new GeminiV2Reader(context)),
};
