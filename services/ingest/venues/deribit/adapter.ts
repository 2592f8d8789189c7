// Deribit, JSON-RPC over WebSocket.
// https://docs.deribit.com/articles/market-data-collection-best-practices
// https://docs.deribit.com/subscriptions/orderbook/bookinstrument_nameinterval
// https://docs.deribit.com/api-reference/session-management/public-set_heartbeat
import { DERIBIT_REFUSALS } from "./answers.ts";
import { JsonTape } from "#core/json-tape.ts";
import type { FeedAdapter, FeedLimits } from "../../feed/feed-adapter.ts";
import { LINKED_CHANGES } from "../../reading/book-sequencings.ts";
import { planByInstrument } from "../../reading/connection-plans.ts";
import { FrameDecoder } from "../../reading/frame-decoder.ts";
import { tapeObjects } from "../../reading/frame-forms.ts";
import { clockIn } from "../../reading/server-clocks.ts";
import { DeribitReader } from "./decoder.ts";
import { deriveDeribitInstrument, parseDeribitInstruments } from "./instruments.ts";
import { deribitFrames, deribitRequest, isOffered } from "./requests.ts";
import {
  deribitRecordedRequest,
  deribitTradesRequest,
  DERIBIT_BOOK_PROBE,
  deribitTradesPageRequest,
  deribitCandles,
} from "./rest.ts";

const LIMITS: FeedLimits = {
  // The venue allows 500 channels on a connection.
  subscriptionsPerConnectionMax: 400,
  // The venue takes 3.3 subscriptions a second from one address, ten at once, each of up to 100
  // channels here; more ends the connection.
  outgoingFrames: { count: 3, intervalMs: 1000 },
  // get_instruments is limited to about one a second.
  restWeight: { count: 5, intervalMs: 1000 },
  // 32 connections from one address, HTTP included.
  connects: { count: 20, intervalMs: 60_000 },
  // Options far from the money move seldom; perpetuals all the time.
  silenceMsMax: { book: 300_000 },
  // Without a login all of this is counted for the address: 3.3 subscriptions a second, and 32
  // connections, HTTP among them.
  address: { outgoingFrames: { count: 3, intervalMs: 1000 }, connectionsMax: 28 },
  // We ask for a heartbeat every 30 s.
  connectionSilenceMsMax: 90_000,
  frameBytesMax: 2 * 1024 * 1024,
  connectionAgeMsMax: undefined,
};

const HEARTBEAT_INTERVAL_SECONDS = 30;

/**
 * Deribit: perpetuals, futures, options, spot, and combos of them. Liquidations are those trades
 * that say that a side was liquidated.
 */
export const deribit: FeedAdapter = {
  venue: "deribit",
  title: "Deribit v2",
  documentation: ["https://docs.deribit.com"],
  channels: [
    "trades",
    "quotes",
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
    trades:
      "Sizes of inverse futures, and of combos of them, count US dollars; all others the base " +
      "asset.",
    quotes: "The quote channel, at every change.",
    book: "Changes of 100 ms in one message; sizes as in trades.",
    candles: "One minute, not of combos. A candle is told as closed when the next one begins.",
    ticker: "Volumes count the base asset.",
    funding: "Perpetuals: the current rate for 8 hours, which is paid continuously.",
    "open-interest": "Of inverse futures in US dollars, of all others in the base asset.",
    liquidations: "Trades in which the taker or the maker was liquidated.",
  },
  bookProof: {
    order: "sequence",
    content: "none",
    note: "Every change names the one before it; a wrong number is not noticed.",
  },
  endpoints: {
    webSocket: "wss://www.deribit.com/ws/api/v2",
    rest: "https://www.deribit.com/api/v2",
  },
  limits: LIMITS,
  refusals: DERIBIT_REFUSALS,
  bookSync: { snapshot: "in-band", sequencing: LINKED_CHANGES },
  marketFrames: (_url, { requestId }) => [
    deribitRequest(requestId, "public/subscribe", {
      channels: ["instrument.state.any.any", "platform_state"],
    }),
  ],
  openingFrames: ({ requestId }) => [
    deribitRequest(requestId, "public/set_heartbeat", { interval: HEARTBEAT_INTERVAL_SECONDS }),
  ],
  instrumentsRequests: ({ rest }) => [
    { url: `${rest}/public/get_instruments?currency=any&expired=false`, weight: 5 },
  ],
  recordedRequest: deribitRecordedRequest,
  parseInstruments: (body) => parseDeribitInstruments(body),
  deriveInstrument: (venueSymbol) => deriveDeribitInstrument(venueSymbol),
  planConnections: (subscriptions, endpoints) =>
    planByInstrument(subscriptions.filter(isOffered), {
      url: endpoints.webSocket,
      subscriptionsMax: LIMITS.subscriptionsPerConnectionMax,
    }),
  subscribeFrames: (wanted, options) => deribitFrames("public/subscribe", wanted, options),
  unsubscribeFrames: (wanted, options) => deribitFrames("public/unsubscribe", wanted, options),
  tradesRequest: (instrument, { endpoints }) => deribitTradesRequest(instrument, endpoints),
  candleHistory: deribitCandles,
  serverTimeRequest: ({ rest }) => ({ url: `${rest}/public/get_time`, weight: 1 }),
  // `{"jsonrpc":"2.0","result":1550147385946}`
  parseServerTimeUs: clockIn("result"),
  tradesPageRequest: (instrument, { after, endpoints }) =>
    deribitTradesPageRequest(instrument, after, endpoints),
  bookProbe: DERIBIT_BOOK_PROBE,
  createDecoder: (context) => {
    const tape = new JsonTape();
    return new FrameDecoder(tapeObjects(tape), new DeribitReader(tape, context));
  },
};
