// Bitfinex, public WebSocket v2.
// https://docs.bitfinex.com/docs/ws-general
// https://docs.bitfinex.com/reference/ws-public-books
// https://docs.bitfinex.com/docs/ws-websocket-checksum
import { formatDecimal, type OrderBook } from "@tickwire/proto/model";
import { CRC32_START, finishCrc32, updateCrc32 } from "#core/crc32.ts";
import type { Channel, Instrument } from "#core/instrument.ts";
import type {
  ConnectionPlan,
  FeedAdapter,
  FeedEndpoints,
  FeedLimits,
  FeedSubscribeOptions,
  FeedSubscription,
} from "../../feed/feed-adapter.ts";
import { BitfinexDecoder } from "./decoder.ts";
import { derivePair, parsePairs } from "./instruments.ts";
import { recordedRequestOf } from "../../reading/recorded-addresses.ts";

const LIMITS: FeedLimits = {
  // Only liquidations, which are one channel for all, come near it; see CHANNELS_MAX.
  subscriptionsPerConnectionMax: 400,
  // Nothing is published about it: a guess.
  outgoingFrames: { count: 10, intervalMs: 1000 },
  // Between 10 and 90 requests a minute, depending on what is asked.
  restWeight: { count: 30, intervalMs: 60_000 },
  // 20 connections a minute from one address.
  connects: { count: 15, intervalMs: 60_000 },
  silenceMsMax: { book: 300_000, "mark-price": 120_000 },
  // Every channel without news has a heartbeat every 15 s.
  connectionSilenceMsMax: 45_000,
  connectionAgeMsMax: undefined,
};

/** The venue's channels on one connection; the next is refused with error 10305. */
const CHANNELS_MAX = 25;

/** Numbers every message, adds the venue's time, and tells a checksum after each change. */
const FLAGS = { timestamp: 32_768, sequence: 65_536, checksum: 131_072 } as const;

const BOOK_LENGTHS = [25, 100, 250] as const;
const CHECKSUM_LEVELS = 25;
const TRADES_MAX = 1000;

/** What is asked for, by channel. */
const REQUESTS: Partial<
  Record<Channel, (venueSymbol: string, bookDepth: number) => Readonly<Record<string, string>>>
> = {
  trades: (symbol) => ({ channel: "trades", symbol }),
  ticker: (symbol) => ({ channel: "ticker", symbol }),
  book: (symbol, bookDepth) => ({
    channel: "book",
    symbol,
    prec: "P0",
    freq: "F0",
    len: String(BOOK_LENGTHS.find((length) => length >= bookDepth) ?? 250),
  }),
  candles: (symbol) => ({ channel: "candles", key: `trade:1m:${symbol}` }),
  funding: (symbol) => ({ channel: "status", key: `deriv:${symbol}` }),
  "mark-price": (symbol) => ({ channel: "status", key: `deriv:${symbol}` }),
  "open-interest": (symbol) => ({ channel: "status", key: `deriv:${symbol}` }),
  liquidations: () => ({ channel: "status", key: "liq:global" }),
};

/**
 * Bitfinex: pairs and perpetuals. Every message on a connection is numbered, and books are checked
 * against the venue's checksum.
 *
 * Uncertain: the checksums were written from the documentation and never seen; where they do not
 * agree, books resync and `ingest_checksums_failed_total` rises. The fields of derivatives' status
 * and of liquidations are taken by their place as documented.
 */
export const bitfinex: FeedAdapter = {
  venue: "bitfinex",
  title: "Bitfinex v2",
  documentation: [
    "https://docs.bitfinex.com/docs/ws-general",
    "https://docs.bitfinex.com/docs/ws-websocket-checksum",
  ],
  channels: [
    "trades",
    "book",
    "candles",
    "ticker",
    "funding",
    "mark-price",
    "open-interest",
    "liquidations",
  ],
  notes: {
    trades: "The executions (te); the last 30 come on subscribing, as history.",
    book: "P0: 25, 100 or 250 levels.",
    ticker: "Its sizes beside bid and ask are those of 25 levels, so there are no quotes.",
    candles: "One minute. A candle is told as closed when the next one begins.",
    funding: "Perpetuals, as they are now; paid every 8 hours.",
    liquidations: "Perpetuals, when a position is taken over; all come on one channel.",
  },
  bookProof: {
    order: "connection-sequence",
    content: "checksum",
    checksumLevels: CHECKSUM_LEVELS,
    note:
      "Every message on a connection is numbered: a hole puts every book of the connection in doubt. " +
      "A wrong number is noticed by the checksum after it, if it is among the best 25 levels.",
  },
  endpoints: { webSocket: "wss://api-pub.bitfinex.com/ws/2", rest: "https://api-pub.bitfinex.com" },
  limits: LIMITS,
  bookSync: { snapshot: "in-band", checksum: bitfinexChecksum },
  openingFrames: () => {
    const flags = FLAGS.timestamp | FLAGS.sequence | FLAGS.checksum;
    return [JSON.stringify({ event: "conf", flags })];
  },
  instrumentsRequests: ({ rest }) =>
    ["pub:list:pair:exchange", "pub:list:pair:futures"].map((name) => ({
      url: `${rest}/v2/conf/${name}`,
      weight: 1,
    })),
  recordedRequest: recordedRequestOf([
    { kind: "instruments", path: /\/v2\/conf\/pub:/ },
    { kind: "trades", path: /\/v2\/trades\/([^/]+)\/hist/ },
  ]),
  parseInstruments: parsePairs,
  deriveInstrument: (venueSymbol) => derivePair(venueSymbol),
  planConnections: plan,
  subscribeFrames: requests,
  // By the ids that the connection's channels were given: see the decoder.
  unsubscribeFrames: () => [],
  tradesRequest: ({ venueSymbol }, { endpoints }) => {
    const symbol = encodeURIComponent(venueSymbol);
    const path = `/v2/trades/${symbol}/hist?limit=${TRADES_MAX}`;
    return { url: endpoints.rest + path, weight: 1 };
  },
  createDecoder: (context) => new BitfinexDecoder(context),
};

/**
 * CRC-32, as a signed integer, over price and amount of the best 25 bids and asks in turns, joined
 * by colons; asks have negative amounts. Numbers are written as JavaScript prints them, small ones
 * with an exponent.
 */
export function bitfinexChecksum(book: OrderBook): number {
  const bids = book.bids(CHECKSUM_LEVELS);
  const asks = book.asks(CHECKSUM_LEVELS);
  const texts: string[] = [];
  for (let level = 0; level < CHECKSUM_LEVELS; level++) {
    for (const { prices, sizes } of [bids, asks]) {
      const price = prices[level];
      const size = sizes[level];
      if (price === undefined || size === undefined) continue;
      const sign = prices === asks.prices ? "-" : "";
      const amount = printed(formatDecimal(size, book.sizeScale));
      texts.push(printed(formatDecimal(price, book.priceScale)), sign + amount);
    }
  }
  return finishCrc32(updateCrc32(CRC32_START, texts.join(":"))) | 0;
}

/** As JavaScript prints the number. The venue's numbers are doubles, so this is their own text. */
function printed(decimal: string): string {
  return String(Number(decimal));
}

/** Funding, marks and liquidations are of perpetuals alone; all liquidations share a connection. */
function plan(
  subscriptions: readonly FeedSubscription[],
  { webSocket: url }: FeedEndpoints,
): readonly ConnectionPlan[] {
  const byInstrument = new Map<Instrument, FeedSubscription[]>();
  const liquidations: FeedSubscription[] = [];
  for (const subscription of subscriptions) {
    const { instrument, channel } = subscription;
    if (REQUESTS[channel] === undefined) continue;
    if (channel === "liquidations") liquidations.push(subscription);
    else if (byInstrument.has(instrument)) byInstrument.get(instrument)?.push(subscription);
    else byInstrument.set(instrument, [subscription]);
  }
  const plans: FeedSubscription[][] = [];
  let used = CHANNELS_MAX;
  for (const together of byInstrument.values()) {
    const count = new Set(together.map(keyOf)).size;
    if (used + count > CHANNELS_MAX) {
      plans.push([]);
      used = 0;
    }
    plans.at(-1)?.push(...together);
    used += count;
  }
  const max = LIMITS.subscriptionsPerConnectionMax;
  for (let start = 0; start < liquidations.length; start += max) {
    plans.push(liquidations.slice(start, start + max));
  }
  return plans.map((planned) => ({ url, subscriptions: planned }));
}

/** Two subscriptions with the same key come by one channel of the venue. */
function keyOf({ instrument, channel }: FeedSubscription): string {
  return JSON.stringify(REQUESTS[channel]?.(instrument.venueSymbol, 0));
}

function requests(
  subscriptions: readonly FeedSubscription[],
  { bookDepth }: FeedSubscribeOptions,
): readonly string[] {
  const frames = new Set<string>();
  for (const { instrument, channel } of subscriptions) {
    const request = REQUESTS[channel]?.(instrument.venueSymbol, bookDepth);
    if (request !== undefined) frames.add(JSON.stringify({ event: "subscribe", ...request }));
  }
  return [...frames];
}
