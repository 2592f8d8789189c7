// BitMEX, WebSocket and REST API v1.
// https://www.bitmex.com/app/wsAPI
// https://www.bitmex.com/api/explorer/
import type { Channel } from "#core/instrument.ts";
import type {
  FeedAdapter,
  FeedEndpoints,
  FeedLimits,
  FeedSubscribeOptions,
  FeedSubscription,
  RestRequest,
} from "../../feed/feed-adapter.ts";
import { BitmexDecoder } from "./decoder.ts";
import { BITMEX, deriveBitmexInstrument, parseBitmexInstruments } from "./instruments.ts";
import { planByInstrument } from "../../reading/connection-plans.ts";
import { recordedRequestOf } from "../../reading/recorded-addresses.ts";

const LIMITS: FeedLimits = {
  // A guess: no limit of topics is published.
  subscriptionsPerConnectionMax: 500,
  // A guess: "not rate-limited once connected".
  outgoingFrames: { count: 20, intervalMs: 1000 },
  // The greeting counts down from 720 connects an hour.
  connects: { count: 10, intervalMs: 60_000 },
  // The venue allows 30 a minute without a key; others may share our address.
  restWeight: { count: 20, intervalMs: 60_000 },
  // Books of small markets are quiet for minutes, and markets of shares over the weekend.
  silenceMsMax: { book: 600_000 },
  // Three answers to our pings.
  connectionSilenceMsMax: 45_000,
  connectionAgeMsMax: undefined,
};

/** The table of each channel but the book. */
const TABLES: Partial<Record<Channel, string>> = {
  trades: "trade",
  quotes: "quote",
  ticker: "instrument",
  "mark-price": "instrument",
  funding: "instrument",
  "open-interest": "instrument",
  liquidations: "liquidation",
  candles: "tradeBin1m",
};

const DERIVATIVES_ONLY: ReadonlySet<Channel> = new Set([
  "mark-price",
  "funding",
  "open-interest",
  "liquidations",
]);

/** Levels per side in the smaller of the two books. */
const SMALL_BOOK_LEVELS = 25;

/**
 * BitMEX: perpetuals, dated futures and spot. All sizes count contracts. Books are tables of levels
 * with ids: neither numbers nor checksums show a loss.
 */
export const bitmex: FeedAdapter = {
  venue: BITMEX,
  title: "BitMEX",
  documentation: ["https://www.bitmex.com/app/wsAPI", "https://www.bitmex.com/api/explorer/"],
  channels: [
    "trades",
    "quotes",
    "book",
    "ticker",
    "candles",
    "funding",
    "mark-price",
    "open-interest",
    "liquidations",
  ],
  notes: {
    trades: "In contracts.",
    book: "In contracts: 25 levels, collected by the venue for a moment, or every level at once.",
    ticker: "With every change of the instrument; volumes in contracts.",
    candles: "When the minute is over; the opening price is the close before.",
    funding: "Perpetuals only.",
    "mark-price": "Not on spot; the index is the venue's indicative settle price.",
    "open-interest": "Not on spot; in contracts.",
    liquidations:
      "Without a time, when the order is placed; what is filled of it follows in trades.",
  },
  bookProof: {
    order: "none",
    content: "none",
    note:
      "Messages carry neither numbers nor checksums: only the order of TCP and a crossed book show " +
      "a loss.",
  },
  endpoints: { webSocket: "wss://ws.bitmex.com/realtime", rest: "https://www.bitmex.com" },
  limits: LIMITS,
  bookSync: { snapshot: "in-band" },
  keepAlive: { intervalMs: 15_000, frame: () => "ping" },
  instrumentsRequests: (endpoints) => [get(endpoints, "/instrument/active")],
  recordedRequest: recordedRequestOf([
    { kind: "instruments", path: /\/api\/v1\/instrument(?:\/active)?\/?$/ },
    { kind: "trades", path: /\/api\/v1\/trade$/, symbolIn: "symbol" },
  ]),
  parseInstruments: parseBitmexInstruments,
  deriveInstrument: (venueSymbol) => deriveBitmexInstrument(venueSymbol),
  planConnections: (subscriptions, endpoints) =>
    planByInstrument(subscriptions.filter(isOffered), {
      url: endpoints.webSocket,
      subscriptionsMax: LIMITS.subscriptionsPerConnectionMax,
    }),
  subscribeFrames: (wanted, options) => frames("subscribe", wanted, options),
  unsubscribeFrames: (wanted, options) => frames("unsubscribe", wanted, options),
  // Neither rising ids nor exact times: the latest trades, which may reach back far enough.
  tradesRequest: ({ venueSymbol }, { endpoints }) =>
    get(endpoints, `/trade?symbol=${encodeURIComponent(venueSymbol)}&count=500&reverse=true`),
  serverTimeRequest: (endpoints) => get(endpoints, ""),
  parseServerTimeUs: (body) => {
    const text = /"timestamp"\s*:\s*(\d{13})\b/.exec(body)?.[1];
    return text === undefined ? undefined : Number(text) * 1000;
  },
  createDecoder: (context) => new BitmexDecoder(context),
};

/** Dated futures have no funding, and spot nothing that contracts have. */
function isOffered({ instrument, channel }: FeedSubscription): boolean {
  if (channel === "funding") return instrument.kind === "perpetual";
  return instrument.kind !== "spot" || !DERIVATIVES_ONLY.has(channel);
}

/** One topic a frame, so that a bad one costs the others nothing. */
function frames(
  op: "subscribe" | "unsubscribe",
  subscriptions: readonly FeedSubscription[],
  { bookDepth }: FeedSubscribeOptions,
): readonly string[] {
  const book = bookDepth > SMALL_BOOK_LEVELS ? "orderBookL2" : "orderBookL2_25";
  const topics = new Set<string>();
  for (const subscription of subscriptions) {
    const { instrument, channel } = subscription;
    const table = channel === "book" ? book : TABLES[channel];
    if (table === undefined || !isOffered(subscription)) continue;
    topics.add(`${table}:${instrument.venueSymbol}`);
  }
  return [...topics].map((topic) => JSON.stringify({ op, args: [topic] }));
}

function get(endpoints: FeedEndpoints, path: string): RestRequest {
  return { url: `${endpoints.rest}/api/v1${path}`, weight: 1 };
}
