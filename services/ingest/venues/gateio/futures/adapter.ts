// Gate, perpetual contracts, WebSocket API v4.
// https://www.gate.com/docs/developers/futures/ws/en/
// https://www.gate.com/docs/developers/apiv4/en/#futures
import type { Channel } from "#core/instrument.ts";
import type { ConnectionPlan, FeedAdapter, FeedLimits } from "../../../feed/feed-adapter.ts";
import { GATE_REFUSALS } from "../answers.ts";
import { ALL_CHANNELS } from "../../../reading/all-channels.ts";
import { FrameDecoder } from "../../../reading/frame-decoder.ts";
import { TEXT_RECORDS } from "../../../reading/frame-forms.ts";
import {
  GATE_FUTURES_BOOK_PROBE,
  gateFuturesCandles,
  gateGet,
  gateServerTime,
  gateTradesRequest,
  gateFuturesRecordedRequest,
} from "../rest.ts";
import { planByInstrument } from "../../../reading/connection-plans.ts";
import { type GateDialect, GateReader } from "../decoder.ts";
import {
  bookStream,
  GATE_BOOK_PROOF,
  GATE_STREAM_SYNC,
  gateFrames,
  type GateStream,
  justTheSymbol,
} from "../requests.ts";
import {
  deriveGateContract,
  GATE_SETTLES,
  GATEIO_FUTURES,
  parseGateContracts,
  settleOf,
} from "../instruments.ts";

const LIMITS: FeedLimits = {
  // Guesses: the venue publishes no limit of streams, frames or connects.
  subscriptionsPerConnectionMax: 500,
  outgoingFrames: { count: 50, intervalMs: 1000 },
  connects: { count: 10, intervalMs: 10_000 },
  // The venue allows 200 in ten seconds for each address.
  restWeight: { count: 150, intervalMs: 10_000 },
  // A quiet contract was seen to be silent for 36 s; tickers come with news only.
  silenceMsMax: { book: 180_000 },
  address: { connectionsMax: 100 },
  // Three answers to our pings. The venue cuts after 30 s without a frame of ours.
  connectionSilenceMsMax: 45_000,
  frameBytesMax: 2 * 1024 * 1024,
  connectionAgeMsMax: undefined,
};

const TICKERS: GateStream = { name: "futures.tickers", payload: justTheSymbol };

const STREAMS: Partial<Record<Channel, GateStream>> = {
  trades: { name: "futures.trades", payload: justTheSymbol },
  quotes: { name: "futures.book_ticker", payload: justTheSymbol },
  book: { name: "futures.obu", payload: bookStream },
  ticker: TICKERS,
  "mark-price": TICKERS,
  funding: TICKERS,
  candles: { name: "futures.candlesticks", payload: (symbol) => ["1m", symbol] },
  "open-interest": { name: "futures.contract_stats", payload: (symbol) => [symbol, "1m"] },
  liquidations: { name: "futures.public_liquidates", payload: justTheSymbol },
};

const DIALECT: GateDialect = {
  prefix: "futures",
  channels: new Map<string, readonly Channel[]>([
    ["trades", ["trades"]],
    ["book_ticker", ["quotes"]],
    ["obu", ["book"]],
    ["order_book_update", ["book"]],
    ["tickers", ["ticker", "mark-price", "funding"]],
    ["candlesticks", ["candles"]],
    ["contract_stats", ["open-interest"]],
    ["public_liquidates", ["liquidations"]],
  ]),
};

/**
 * Perpetual contracts of Gate, settled in USDT, BTC or USD1, each from an address of its own. Sizes
 * count contracts, some of which trade in fractions: a header asks for sizes as texts that show
 * them. Without it, as in older recordings, the venue rounds towards zero to whole contracts.
 */
export const gateioFutures: FeedAdapter = {
  venue: GATEIO_FUTURES,
  title: "Gate perpetuals, v4",
  documentation: [
    "https://www.gate.com/docs/developers/futures/ws/en/",
    "https://www.gate.com/docs/developers/apiv4/en/",
  ],
  channels: ALL_CHANNELS,
  notes: {
    trades: "In contracts; what the insurance fund takes over has no aggressor.",
    quotes: "In contracts.",
    book: "50 levels every 20 ms, or 400 levels every 100 ms; the venue has no deeper book.",
    ticker: "With news only; volumes in contracts.",
    funding: "With the ticker.",
    "mark-price": "With the ticker.",
    "open-interest": "Every minute, in contracts.",
    liquidations: "Collected by the venue for a second.",
  },
  bookProof: GATE_BOOK_PROOF,
  endpoints: { webSocket: "wss://fx-ws.gateio.ws", rest: "https://api.gateio.ws" },
  headers: { "x-gate-size-decimal": "1" },
  limits: LIMITS,
  refusals: GATE_REFUSALS,
  bookSync: GATE_STREAM_SYNC,
  keepAlive: {
    intervalMs: 15_000,
    frame: (sequence) => JSON.stringify({ time: sequence, channel: "futures.ping" }),
  },
  instrumentsRequests: (endpoints) =>
    GATE_SETTLES.map((settle) => gateGet(endpoints, `futures/${settle}/contracts`)),
  recordedRequest: gateFuturesRecordedRequest,
  parseInstruments: parseGateContracts,
  deriveInstrument: (venueSymbol) => deriveGateContract(venueSymbol),
  planConnections: (subscriptions, endpoints) =>
    GATE_SETTLES.flatMap((settle): readonly ConnectionPlan[] =>
      planByInstrument(
        subscriptions.filter(({ instrument }) => settleOf(instrument) === settle),
        {
          url: `${endpoints.webSocket.replace(/\/+$/, "")}/v4/ws/${settle}`,
          subscriptionsMax: LIMITS.subscriptionsPerConnectionMax,
        },
      ),
    ),
  subscribeFrames: (wanted, options) =>
    gateFrames("subscribe", wanted, options, (channel) => STREAMS[channel]),
  unsubscribeFrames: (wanted, options) =>
    gateFrames("unsubscribe", wanted, options, (channel) => STREAMS[channel]),
  tradesRequest: (instrument, { endpoints }) => gateTradesRequest(instrument, endpoints),
  candleHistory: gateFuturesCandles,
  ...gateServerTime,
  bookProbe: GATE_FUTURES_BOOK_PROBE,
  createDecoder: (context) => new FrameDecoder(TEXT_RECORDS, new GateReader(DIALECT, context)),
};
