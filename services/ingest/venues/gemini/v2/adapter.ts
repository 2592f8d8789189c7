// Gemini's feed before the current one, "Market data version 2". When it ends is not announced.
// https://docs.gemini.com/websocket-api/#market-data-version-2
// https://developer.gemini.com/websocket/archived/v2.md
import type { Channel } from "#core/instrument.ts";
import type { FeedAdapter, FeedLimits, FeedSubscription } from "../../../feed/feed-adapter.ts";
import { planByInstrument } from "../../../reading/connection-plans.ts";
import {
  deriveGeminiInstrument,
  geminiSymbolsRequest,
  GEMINI_SYMBOLS_PATH,
  parseGeminiSymbols,
} from "../requests.ts";
import { geminiRiskAddress, geminiRiskPoll } from "../risk.ts";
import { GeminiV2Decoder } from "./decoder.ts";
import { recordedRequestOf } from "../../../reading/recorded-addresses.ts";

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
  connectionAgeMsMax: undefined,
};

/** What the venue calls the subscription that a channel comes with. */
const FEED_OF: Partial<Record<Channel, string>> = {
  trades: "l2",
  book: "l2",
  candles: "candles_1m",
  "mark-price": "mark_price",
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
  channels: ["trades", "book", "candles", "mark-price", "open-interest"],
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
  bookSync: { snapshot: "in-band" },
  instrumentsRequests: (endpoints) => [geminiSymbolsRequest(endpoints)],
  recordedRequest: recordedRequestOf([
    { kind: "instruments", path: GEMINI_SYMBOLS_PATH },
    geminiRiskAddress("open-interest", NAMING.venueSymbolOf),
  ]),
  parseInstruments: (body) => parseGeminiSymbols(body, NAMING),
  deriveInstrument: (venueSymbol) => deriveGeminiInstrument(venueSymbol, NAMING),
  planConnections: (subscriptions, endpoints) =>
    planByInstrument(subscriptions.filter(exists), {
      url: endpoints.webSocket,
      subscriptionsMax: LIMITS.subscriptionsPerConnectionMax,
    }),
  subscribeFrames: (subscriptions) => frames("subscribe", subscriptions),
  unsubscribeFrames: (subscriptions) => frames("unsubscribe", subscriptions),
  polls: [geminiRiskPoll("open-interest")],
  createDecoder: (context) => new GeminiV2Decoder(context),
};

/** One pair a frame, because a refusal is of a whole frame. */
function frames(
  type: "subscribe" | "unsubscribe",
  subscriptions: readonly FeedSubscription[],
): readonly string[] {
  const byPair = new Map<string, Set<string>>();
  for (const { instrument, channel } of subscriptions.filter(exists)) {
    const feed = FEED_OF[channel];
    if (feed === undefined) continue;
    const name = instrument.venueSymbol;
    byPair.set(name, (byPair.get(name) ?? new Set<string>()).add(feed));
  }
  return [...byPair].map(([pair, names]) => {
    const list = [...names].map((name) => ({ name, symbols: [pair] }));
    return JSON.stringify({ type, subscriptions: list });
  });
}

/** Only perpetuals have a mark price, and open interest is polled. */
function exists({ instrument, channel }: FeedSubscription): boolean {
  if (FEED_OF[channel] === undefined) return false;
  return channel !== "mark-price" || instrument.kind === "perpetual";
}
