// Deribit, JSON-RPC over WebSocket.
// https://docs.deribit.com/articles/market-data-collection-best-practices
// https://docs.deribit.com/subscriptions/orderbook/bookinstrument_nameinterval
// https://docs.deribit.com/api-reference/session-management/public-set_heartbeat
import type { Channel, Instrument } from "#core/instrument.ts";
import { JsonTape } from "#core/json-tape.ts";
import type {
  FeedAdapter,
  FeedLimits,
  FeedSubscribeOptions,
  FeedSubscription,
} from "../../feed/feed-adapter.ts";
import { DeribitDecoder } from "./decoder.ts";
import { deriveDeribitInstrument, parseDeribitInstruments } from "./instruments.ts";
import { planByInstrument } from "../../reading/connection-plans.ts";
import { recordedRequestOf } from "../../reading/recorded-addresses.ts";

const LIMITS: FeedLimits = {
  // The venue allows 500 channels on a connection.
  subscriptionsPerConnectionMax: 400,
  // Twenty requests a second without an account, refilled slowly: a guess well below it.
  outgoingFrames: { count: 5, intervalMs: 1000 },
  // get_instruments is limited to about one a second.
  restWeight: { count: 5, intervalMs: 1000 },
  // 32 connections from one address, HTTP included.
  connects: { count: 20, intervalMs: 60_000 },
  // Options far from the money move seldom; perpetuals all the time.
  silenceMsMax: { book: 300_000 },
  // We ask for a heartbeat every 30 s.
  connectionSilenceMsMax: 90_000,
  connectionAgeMsMax: undefined,
};

/** Names in one request. */
const CHANNELS_PER_FRAME_MAX = 100;
const HEARTBEAT_INTERVAL_SECONDS = 30;
/** The largest page there is. */
const TRADES_MAX = 1000;

/** What the venue's channels are called around the instrument's name. */
const VENUE_CHANNELS: Partial<Record<Channel, (venueSymbol: string) => string>> = {
  // `raw` is for logged-in connections only.
  trades: (name) => `trades.${name}.100ms`,
  liquidations: (name) => `trades.${name}.100ms`,
  book: (name) => `book.${name}.100ms`,
  quotes: (name) => `quote.${name}`,
  ticker: (name) => `ticker.${name}.100ms`,
  funding: (name) => `ticker.${name}.100ms`,
  "mark-price": (name) => `ticker.${name}.100ms`,
  "open-interest": (name) => `ticker.${name}.100ms`,
  candles: (name) => `chart.trades.${name}.1`,
};

/**
 * Deribit: perpetuals, futures, options and spot. Liquidations are those trades that say that a
 * side was liquidated.
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
  notes: {
    trades: "Sizes of inverse futures count US dollars, all others the base asset.",
    quotes: "The quote channel, at every change.",
    book: "Changes of 100 ms in one message; sizes as in trades.",
    candles: "One minute. A candle is told as closed when the next one begins.",
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
  bookSync: {
    snapshot: "in-band",
    sequencing: {
      isCovered: (delta, snapshotUpdateId) => (delta.lastUpdateId ?? Infinity) <= snapshotUpdateId,
      bridges: (delta, snapshotUpdateId) => delta.previousUpdateId === snapshotUpdateId,
      follows: (delta, lastUpdateId) => delta.previousUpdateId === lastUpdateId,
    },
  },
  openingFrames: ({ requestId }) => [
    request(requestId, "public/set_heartbeat", { interval: HEARTBEAT_INTERVAL_SECONDS }),
  ],
  instrumentsRequests: ({ rest }) => [
    { url: `${rest}/public/get_instruments?currency=any&expired=false`, weight: 5 },
  ],
  recordedRequest: recordedRequestOf([
    { kind: "instruments", path: /\/public\/get_instruments$/ },
    {
      kind: "trades",
      path: /\/public\/get_last_trades_by_instrument$/,
      symbolIn: "instrument_name",
    },
  ]),
  parseInstruments: (body) => parseDeribitInstruments(body),
  deriveInstrument: (venueSymbol) => deriveDeribitInstrument(venueSymbol),
  planConnections: (subscriptions, endpoints) =>
    planByInstrument(
      subscriptions.filter(({ instrument, channel }) => has(instrument, channel)),
      { url: endpoints.webSocket, subscriptionsMax: LIMITS.subscriptionsPerConnectionMax },
    ),
  subscribeFrames: (subscriptions, options) => frames("public/subscribe", subscriptions, options),
  unsubscribeFrames: (subscriptions, options) =>
    frames("public/unsubscribe", subscriptions, options),
  tradesRequest: ({ venueSymbol }, { endpoints }) => {
    const query = `instrument_name=${encodeURIComponent(venueSymbol)}&count=${TRADES_MAX}`;
    return { url: `${endpoints.rest}/public/get_last_trades_by_instrument?${query}`, weight: 1 };
  },
  serverTimeRequest: ({ rest }) => ({ url: `${rest}/public/get_time`, weight: 1 }),
  parseServerTimeUs: parseServerTime,
  createDecoder: (context) => new DeribitDecoder(context),
};

const NOT_OF_SPOT: ReadonlySet<Channel> = new Set<Channel>([
  "mark-price",
  "open-interest",
  "liquidations",
]);

/** Funding is for perpetuals; spot has neither marks nor liquidations. */
function has({ kind }: Instrument, channel: Channel): boolean {
  if (channel === "funding") return kind === "perpetual";
  return kind !== "spot" || !NOT_OF_SPOT.has(channel);
}

function frames(
  method: string,
  subscriptions: readonly FeedSubscription[],
  options: FeedSubscribeOptions,
): readonly string[] {
  const names = new Set<string>();
  for (const { instrument, channel } of subscriptions) {
    const name = VENUE_CHANNELS[channel]?.(instrument.venueSymbol);
    if (name !== undefined) names.add(name);
  }
  const all = [...names];
  const requests: string[] = [];
  for (let start = 0; start < all.length; start += CHANNELS_PER_FRAME_MAX) {
    const channels = all.slice(start, start + CHANNELS_PER_FRAME_MAX);
    requests.push(request(options.requestId + requests.length, method, { channels }));
  }
  return requests;
}

function request(id: number, method: string, params: object): string {
  return JSON.stringify({ jsonrpc: "2.0", id, method, params });
}

/** `{"jsonrpc":"2.0","result":1550147385946}`, in milliseconds. */
function parseServerTime(body: string): number | undefined {
  const tape = new JsonTape();
  const milliseconds = tape.scan(body) ? tape.number(tape.get(0, "result")) : Number.NaN;
  return Number.isSafeInteger(milliseconds) && milliseconds > 0 ? milliseconds * 1000 : undefined;
}
