import type { Channel } from "#core/instrument.ts";
import type {
  BookSequencing,
  FeedAdapter,
  FeedEndpoints,
  FeedLimits,
} from "../../feed/feed-adapter.ts";
import { BINANCE_REFUSALS } from "./answers.ts";
import { RANGED_CHANGES } from "../../reading/book-sequencings.ts";
import { FrameDecoder } from "../../reading/frame-decoder.ts";
import { JSON_RECORDS } from "../../reading/frame-forms.ts";
import { BinanceReader } from "./decoder.ts";
import { type BinanceMarket, deriveBinanceInstrument, parseExchangeInfo } from "./instruments.ts";
import type { BinanceWriting } from "./readings.ts";
import {
  binanceFrames,
  type BinanceStream,
  channelsOfStream,
  contractFrames,
  planBinance,
} from "./requests.ts";
import { type BinanceRest, binanceRequests } from "./rest.ts";

/** Everything in which the venues of the family differ. */
type BinanceVenue = BinanceRest & {
  readonly venue: string;
  readonly title: string;
  readonly documentation: readonly string[];
  readonly notes: FeedAdapter["notes"];
  readonly market: BinanceMarket;
  readonly endpoints: FeedEndpoints;
  readonly limits: FeedLimits;
  readonly sequencing: BookSequencing;
  readonly bookTimeField: BinanceWriting["bookTimeField"];
  readonly streams: readonly BinanceStream[];
  /** The path of the connections that tell of contracts; absent where there are none. */
  readonly contractsPath?: string;
};

/** By which futures are told apart in what is said of all contracts. */
const CONTRACT_MARKETS: Readonly<Partial<Record<BinanceMarket, number>>> = { usdm: 1, coinm: 2 };

/** The adapter of one venue of the family. */
export function createBinanceAdapter(about: BinanceVenue): FeedAdapter {
  const { venue, market, streams, limits, openInterestPath } = about;
  const identity = { venue, market };
  const dialect = {
    bookTimeField: about.bookTimeField,
    contractMarket: CONTRACT_MARKETS[market],
    countsQuote: market !== "coinm",
    channelsOfStream: (stream: string) => channelsOfStream(streams, stream),
  };
  const polled: readonly Channel[] = openInterestPath === undefined ? [] : ["open-interest"];
  return {
    venue,
    title: about.title,
    documentation: about.documentation,
    channels: [...streams.map(({ channel }) => channel), ...polled],
    notes: about.notes,
    bookProof: {
      order: "sequence",
      content: "none",
      note: "Every update continues the number of the one before; a wrong number is not noticed.",
    },
    endpoints: about.endpoints,
    limits,
    refusals: BINANCE_REFUSALS,
    bookSync: { snapshot: "rest", sequencing: about.sequencing },
    ...binanceRequests(about),
    parseInstruments: (body) => parseExchangeInfo(body, identity),
    deriveInstrument: (venueSymbol) => deriveBinanceInstrument(venueSymbol, identity),
    planConnections: (subscriptions, endpoints) =>
      planBinance(streams, subscriptions, endpoints, limits.subscriptionsPerConnectionMax),
    marketFrames: (url, options) => contractFrames(about.contractsPath, url, options),
    subscribeFrames: (wanted, options) => binanceFrames(streams, "SUBSCRIBE", wanted, options),
    unsubscribeFrames: (wanted, options) => binanceFrames(streams, "UNSUBSCRIBE", wanted, options),
    createDecoder: (context) => new FrameDecoder(JSON_RECORDS, new BinanceReader(dialect, context)),
  };
}

/**
 * Binance spot.
 * Streams: https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams
 * Book: the same page, "How to manage a local order book correctly".
 */
export const binance: FeedAdapter = createBinanceAdapter({
  venue: "binance",
  title: "Binance spot",
  documentation: ["https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams"],
  notes: {},
  market: "spot",
  endpoints: {
    webSocket: "wss://stream.binance.com:9443",
    rest: "https://api.binance.com",
  },
  limits: {
    subscriptionsPerConnectionMax: 1024,
    // The venue allows 5, and counts our pongs and pings among them.
    outgoingFrames: { count: 3, intervalMs: 1000 },
    // The venue allows 6000; others may share our address.
    restWeight: { count: 4800, intervalMs: 60_000 },
    connects: { count: 250, intervalMs: 300_000 },
    // Book and quotes are sent on change only, and trades when there are any: small pairs are quiet
    // for long.
    silenceMsMax: { book: 60_000, quotes: 120_000 },
    // The venue pings every 20 s.
    connectionSilenceMsMax: 60_000,
    // The venue closes after 24 h.
    frameBytesMax: 1024 * 1024,
    connectionAgeMsMax: 23 * 3_600_000,
  },
  sequencing: RANGED_CHANGES,
  bookTimeField: "E",
  streams: [
    { channel: "trades", name: "trade", path: "/stream" },
    { channel: "quotes", name: "bookTicker", path: "/stream" },
    { channel: "book", name: "depth@100ms", path: "/stream" },
    { channel: "ticker", name: "ticker", path: "/stream" },
    { channel: "candles", name: "kline_1m", path: "/stream" },
  ],
  instruments: { path: "/api/v3/exchangeInfo", weight: 20 },
  // With 100 levels a book is wrong within seconds, however clean its sequence.
  book: { path: "/api/v3/depth", limit: 1000, weight: 50 },
  trades: { path: "/api/v3/trades", limit: 1000, weight: 25 },
  tradesPage: { path: "/api/v3/historicalTrades", limit: 1000, weight: 25 },
  best: { path: "/api/v3/ticker/bookTicker", weight: 2 },
  timePath: "/api/v3/time",
  candles: { path: "/api/v3/klines", weight: 2 },
});
