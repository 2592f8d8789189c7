// BitMEX, WebSocket and REST API v1.
// https://www.bitmex.com/app/wsAPI
// https://www.bitmex.com/api/explorer/
import { BITMEX_REFUSALS } from "./answers.ts";
import type { FeedAdapter, FeedLimits } from "../../feed/feed-adapter.ts";
import { ALL_CHANNELS } from "../../reading/all-channels.ts";
import { planByInstrument } from "../../reading/connection-plans.ts";
import { FrameDecoder } from "../../reading/frame-decoder.ts";
import { TEXT_RECORDS } from "../../reading/frame-forms.ts";
import { clockIn } from "../../reading/server-clocks.ts";
import { withTextPongs } from "../../reading/text-pongs.ts";
import { BitmexReader } from "./decoder.ts";
import { BITMEX, deriveBitmexInstrument, parseBitmexInstruments } from "./instruments.ts";
import { bitmexFrames, isOffered } from "./requests.ts";
import { bitmexGet, bitmexRecordedRequest, BITMEX_BOOK_PROBE, bitmexCandles } from "./rest.ts";

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
  frameBytesMax: 8 * 1024 * 1024,
  connectionAgeMsMax: undefined,
};

/**
 * BitMEX: perpetuals, dated futures and spot. All sizes count contracts. Books are tables of levels
 * with ids: neither numbers nor checksums show a loss.
 */
export const bitmex: FeedAdapter = {
  venue: BITMEX,
  title: "BitMEX",
  documentation: ["https://www.bitmex.com/app/wsAPI", "https://www.bitmex.com/api/explorer/"],
  channels: ALL_CHANNELS,
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
  refusals: BITMEX_REFUSALS,
  bookSync: { snapshot: "in-band" },
  keepAlive: { intervalMs: 15_000, frame: () => "ping" },
  instrumentsRequests: (endpoints) => [bitmexGet(endpoints, "/instrument/active")],
  recordedRequest: bitmexRecordedRequest,
  parseInstruments: parseBitmexInstruments,
  deriveInstrument: (venueSymbol) => deriveBitmexInstrument(venueSymbol),
  planConnections: (subscriptions, endpoints) =>
    planByInstrument(subscriptions.filter(isOffered), {
      url: endpoints.webSocket,
      subscriptionsMax: LIMITS.subscriptionsPerConnectionMax,
    }),
  subscribeFrames: (wanted, options) => bitmexFrames("subscribe", wanted, options),
  unsubscribeFrames: (wanted, options) => bitmexFrames("unsubscribe", wanted, options),
  // Neither rising ids nor exact times: the latest trades, which may reach back far enough.
  tradesRequest: ({ venueSymbol }, { endpoints }) =>
    bitmexGet(endpoints, `/trade?symbol=${encodeURIComponent(venueSymbol)}&count=500&reverse=true`),
  candleHistory: bitmexCandles,
  serverTimeRequest: (endpoints) => bitmexGet(endpoints, ""),
  parseServerTimeUs: clockIn("timestamp"),
  bookProbe: BITMEX_BOOK_PROBE,
  createDecoder: (context) =>
    new FrameDecoder(withTextPongs(TEXT_RECORDS), new BitmexReader(context)),
};
