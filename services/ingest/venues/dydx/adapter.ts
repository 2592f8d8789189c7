import { JsonTape } from "#core/json-tape.ts";
import type { FeedAdapter, FeedLimits } from "../../feed/feed-adapter.ts";
import { LINKED_CHANGES } from "../../reading/book-sequencings.ts";
import { FrameDecoder } from "../../reading/frame-decoder.ts";
import { tapeObjects } from "../../reading/frame-forms.ts";
import { clockAt } from "../../reading/server-clocks.ts";
import { parseIsoTimeUs } from "../../reading/venue-time.ts";
import { DYDX_REFUSALS } from "./answers.ts";
import { DydxReader } from "./decoder.ts";
import { deriveDydxMarket, DYDX, parseDydxMarkets } from "./instruments.ts";
import { dydxRequests, planDydx } from "./requests.ts";
import {
  dydxMarketsRequest,
  dydxRecordedRequest,
  dydxTimeRequest,
  dydxTradesRequest,
} from "./rest.ts";

const LIMITS: FeedLimits = {
  // The state of all markets is one subscription of the venue, whatever number it is to us. Of the
  // rest, 32 markets share a connection: each channel may have so many.
  subscriptionsPerConnectionMax: 4000,
  // The venue takes two a second for one subscription, and each costs it a request.
  outgoingFrames: { count: 5, intervalMs: 1000 },
  // The venue allows 100 in ten seconds.
  restWeight: { count: 60, intervalMs: 10_000 },
  // The venue names no limit.
  connects: { count: 3, intervalMs: 1000 },
  // Guesses. Prices of the oracle come every few seconds.
  silenceMsMax: { book: 300_000, "mark-price": 120_000 },
  // The venue's pings come every 30 s, so two of them were lost.
  connectionSilenceMsMax: 65_000,
  // The state of all markets is a few hundred kilobytes.
  frameBytesMax: 4 * 1024 * 1024,
  connectionAgeMsMax: undefined,
};

/**
 * dYdX v4, as its indexer tells it: perpetuals.
 *
 * Not sure: how long the venue keeps a connection; whether ids of trades rise.
 */
export const dydx: FeedAdapter = {
  venue: DYDX,
  title: "dYdX v4 indexer",
  documentation: [
    "https://docs.dydx.xyz/indexer-client/websockets",
    "https://docs.dydx.xyz/indexer-client/http",
    "https://docs.dydx.exchange/api_integration-guides/how_to_uncross_orderbook",
  ],
  channels: ["trades", "book", "candles", "funding", "mark-price", "open-interest", "liquidations"],
  candlesEndUnsaid: true,
  notes: {
    trades: "The last trades before subscribing come first, as history.",
    book:
      "Begins with 100 levels a side. Has no time. It may be crossed for a while, as the venue says: " +
      "there is no one book before a block is made. What the venue tells is passed on as it is.",
    candles: "One minute. The last hundred come first. Has no time but its own.",
    funding: "The rate of the hour to come. Has no time.",
    "mark-price": "The price of the oracle, by which positions are valued.",
    "open-interest": "In the base asset. Has no time.",
    liquidations: "Trades in which a position was taken over; the id is that of the trade.",
  },
  bookProof: {
    order: "connection-sequence",
    content: "none",
    note:
      "Everything on a connection is numbered: a hole costs a resync of each of its books. What " +
      "changes while the venue fetches a whole book may be lost without one, and a wrong number " +
      "inside a message is not noticed.",
  },
  endpoints: {
    webSocket: "wss://indexer.dydx.trade/v4/ws",
    rest: "https://indexer.dydx.trade/v4",
  },
  limits: LIMITS,
  refusals: DYDX_REFUSALS,
  bookSync: { snapshot: "in-band", sequencing: LINKED_CHANGES },
  greets: true,
  instrumentsRequests: (endpoints) => [dydxMarketsRequest(endpoints)],
  recordedRequest: dydxRecordedRequest,
  parseInstruments: parseDydxMarkets,
  deriveInstrument: (venueSymbol) => deriveDydxMarket(venueSymbol),
  planConnections: (subscriptions, endpoints) =>
    planDydx(subscriptions, endpoints, LIMITS.subscriptionsPerConnectionMax),
  subscribeFrames: (subscriptions) => dydxRequests("subscribe", subscriptions),
  unsubscribeFrames: (subscriptions) => dydxRequests("unsubscribe", subscriptions),
  tradesRequest: (instrument, { endpoints }) => dydxTradesRequest(instrument, endpoints),
  serverTimeRequest: dydxTimeRequest,
  parseServerTimeUs: clockAt(["iso"], parseIsoTimeUs),
  createDecoder: (context) => {
    const tape = new JsonTape();
    return new FrameDecoder(tapeObjects(tape), new DydxReader(tape, context));
  },
};
