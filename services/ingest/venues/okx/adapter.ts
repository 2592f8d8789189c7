import { crc32 } from "node:zlib";
import { formatDecimal, type OrderBook } from "@tickwire/proto/model";
import type { FeedAdapter, FeedLimits } from "../../feed/feed-adapter.ts";
import { OkxDecoder } from "./decoder.ts";
import {
  deriveOkxInstrument,
  nextOkxInstrumentsRequest,
  okxInstrumentsRequests,
  parseOkxInstruments,
} from "./instruments.ts";
import { okxRequests, planOkx } from "./requests.ts";
import { isRecord, millisecondsTimeUs, parseJson } from "../../reading/text-fields.ts";
import { recordedRequestOf } from "../../reading/recorded-addresses.ts";

/** Levels of each side that a checksum covered. */
const CHECKSUM_LEVELS = 25;

const LIMITS: FeedLimits = {
  // The venue names no limit. With a request for each instrument, half of the requests that an hour
  // allows are left for resyncs.
  subscriptionsPerConnectionMax: 240,
  // 480 requests an hour are allowed on a connection.
  outgoingFrames: { count: 450, intervalMs: 3_600_000 },
  // Every list is limited by itself, to 20 requests in 2 s.
  restWeight: { count: 10, intervalMs: 2000 },
  connects: { count: 3, intervalMs: 1000 },
  // An unchanged book, of one level too, is sent once a minute, a mark price every 10 s at least, a
  // funding rate every 90 s. Everything else comes on change only, and renewing it would use up
  // requests.
  silenceMsMax: { book: 180_000, quotes: 180_000, "mark-price": 60_000, funding: 300_000 },
  // Our pings are answered, so two of them were lost.
  connectionSilenceMsMax: 55_000,
  connectionAgeMsMax: undefined,
};

/**
 * OKX v5: spot, perpetual swaps, dated futures and options.
 * https://www.okx.com/docs-v5/en/#overview-websocket
 *
 * Not sure: whether a request with one unknown name is refused whole. Each instrument has a request
 * of its own, and a refusal is counted.
 */
export const okx: FeedAdapter = {
  venue: "okx",
  title: "OKX v5",
  documentation: [
    "https://www.okx.com/docs-v5/en/#order-book-trading-market-data-ws-order-book-channel",
    "https://www.okx.com/docs-v5/en/#public-data-websocket",
    "https://www.okx.com/help/okx-order-book-channels-checksum-field-deprecation",
  ],
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
    trades: "trades-all: every fill by itself. Sizes of derivatives are contracts.",
    quotes: "bbo-tbt: at most one in 10 ms, when the best level changes.",
    book:
      "books: 400 levels, changes of 100 ms in one message, without orders of the liquidity " +
      "programme (ELP). Sizes of derivatives are contracts.",
    ticker: "Volumes of derivatives are contracts.",
    funding: "Perpetuals and X-Perp futures; every 30 to 90 s.",
    "mark-price": "The index price is the last one that came before.",
    "open-interest": "In contracts; its value in US dollars.",
    liquidations:
      "Perpetuals and futures, at the bankruptcy price; not all of them, says the venue.",
  },
  bookProof: {
    order: "sequence",
    content: "none",
    note:
      "Every update names the one before it; a wrong number is not noticed. Checksums over the best " +
      "25 levels ended in June 2026 and are compared in older recordings.",
  },
  endpoints: { webSocket: "wss://ws.okx.com:8443/ws/v5", rest: "https://www.okx.com" },
  limits: LIMITS,
  bookSync: {
    snapshot: "in-band",
    sequencing: {
      // After maintenance the numbers begin anew: then the number is lower, yet what it follows is
      // named rightly.
      isCovered: (delta, snapshotUpdateId) =>
        delta.previousUpdateId !== snapshotUpdateId &&
        (delta.lastUpdateId ?? Infinity) <= snapshotUpdateId,
      bridges: (delta, snapshotUpdateId) => delta.previousUpdateId === snapshotUpdateId,
      follows: (delta, lastUpdateId) => delta.previousUpdateId === lastUpdateId,
    },
    checksum: okxChecksum,
  },
  // The venue cuts a connection on which nothing came for 30 s.
  keepAlive: { intervalMs: 20_000, frame: () => "ping" },
  instrumentsRequests: okxInstrumentsRequests,
  nextInstrumentsRequest: nextOkxInstrumentsRequest,
  recordedRequest: recordedRequestOf([
    { kind: "instruments", path: /\/api\/v5\/public\/(?:instruments|mark-price)$/ },
    { kind: "trades", path: /\/api\/v5\/market\/trades$/, symbolIn: "instId" },
  ]),
  parseInstruments: parseOkxInstruments,
  deriveInstrument: (venueSymbol) => deriveOkxInstrument(venueSymbol),
  planConnections: (subscriptions, endpoints) =>
    planOkx(subscriptions, endpoints, LIMITS.subscriptionsPerConnectionMax),
  subscribeFrames: (subscriptions, options) => okxRequests("subscribe", subscriptions, options),
  unsubscribeFrames: (subscriptions, options) => okxRequests("unsubscribe", subscriptions, options),
  tradesRequest: (instrument, { endpoints }) => {
    const instId = encodeURIComponent(instrument.venueSymbol);
    return { url: `${endpoints.rest}/api/v5/market/trades?instId=${instId}&limit=500`, weight: 1 };
  },
  serverTimeRequest: (endpoints) => ({
    url: `${endpoints.rest}/api/v5/public/time`,
    weight: 1,
  }),
  parseServerTimeUs,
  createDecoder: (context) => new OkxDecoder(context),
};

/**
 * CRC-32, as a signed integer, over `price:size` of the best 25 bids and asks in turns, joined by
 * colons; a side that has ended is left out. The venue writes decimals as we do: without zeros at
 * the end.
 */
export function okxChecksum(book: OrderBook): number {
  const bids = book.bids(CHECKSUM_LEVELS);
  const asks = book.asks(CHECKSUM_LEVELS);
  const texts: string[] = [];
  for (let level = 0; level < CHECKSUM_LEVELS; level++) {
    for (const { prices, sizes } of [bids, asks]) {
      const price = prices[level];
      const size = sizes[level];
      if (price === undefined || size === undefined) continue;
      texts.push(formatDecimal(price, book.priceScale), formatDecimal(size, book.sizeScale));
    }
  }
  return crc32(texts.join(":")) | 0;
}

function parseServerTimeUs(body: string): number | undefined {
  const answer = parseJson(body);
  const data = isRecord(answer) ? answer["data"] : undefined;
  const [first] = Array.isArray(data) ? (data as readonly unknown[]) : [];
  const timeUs = isRecord(first) ? millisecondsTimeUs(first["ts"]) : undefined;
  return Number.isNaN(timeUs) ? undefined : timeUs;
}
