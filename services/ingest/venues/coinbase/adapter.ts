// Coinbase Exchange, public WebSocket feed.
// https://docs.cdp.coinbase.com/exchange/websocket-feed/channels
// https://docs.cdp.coinbase.com/exchange/websocket-feed/overview
import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { Channel, Instrument } from "#core/instrument.ts";
import type {
  FeedAdapter,
  FeedDecoder,
  FeedDecoderContext,
  FeedEvent,
  FeedLimits,
  FeedSubscription,
  RejectReason,
  RestResponse,
} from "../../feed/feed-adapter.ts";
import { deriveProduct, parseProducts } from "./instruments.ts";
import { planByInstrument } from "../../reading/connection-plans.ts";
import { readQuoteValues, readTickerValues, readTradeValues } from "../../reading/event-values.ts";
import { textOfFrame } from "../../reading/frame-text.ts";
import {
  decodeProductTrades,
  parseTime,
  productOfTradesUrl,
  productTradesRequest,
  timeRequest,
} from "./rest.ts";
import { ScaleTracker } from "../../reading/scale-tracker.ts";
import { isBadTime, parseIsoTimeUs } from "../../reading/venue-time.ts";
import { recordedRequestOf } from "../../reading/recorded-addresses.ts";

const VENUE = "coinbase";

type Emit = (event: FeedEvent) => void;
type JsonObject = Readonly<Record<string, unknown>>;

/**
 * 100 messages a second are allowed; every product has its own subscribe frame, because one unknown
 * product makes the venue refuse a whole frame. Heartbeats come every second for each product.
 */
const LIMITS: FeedLimits = {
  subscriptionsPerConnectionMax: 400,
  outgoingFrames: { count: 50, intervalMs: 1000 },
  restWeight: { count: 5, intervalMs: 1000 },
  connects: { count: 5, intervalMs: 1000 },
  // Level2 of a quiet pair moves every few seconds; trades and tickers of one may not come for
  // hours.
  silenceMsMax: { book: 120_000 },
  connectionSilenceMsMax: 15_000,
  connectionAgeMsMax: undefined,
};

const VENUE_CHANNEL_OF: Partial<Record<Channel, string>> = {
  trades: "matches",
  quotes: "ticker",
  ticker: "ticker",
  book: "level2_batch",
};

/** Names that the venue confirms subscriptions under, and what is published of them. */
const CHANNELS_OF: Readonly<Record<string, readonly Channel[]>> = {
  matches: ["trades"],
  ticker: ["quotes", "ticker"],
  level2: ["book"],
  level2_batch: ["book"],
  level2_50: ["book"],
};

/**
 * Coinbase Exchange. Books are level2_batch: all changes within 50 ms in one message, unnumbered,
 * so that only the order of TCP guards them. Quotes are those in ticker messages, which come with
 * every match, not with every change of the best bid and offer; a ticker without sizes (the feed
 * had none until 2022) gives no quote.
 */
export const coinbase: FeedAdapter = {
  venue: VENUE,
  title: "Coinbase Exchange",
  documentation: ["https://docs.cdp.coinbase.com/exchange/websocket-feed/channels"],
  channels: ["trades", "quotes", "book", "ticker"],
  notes: {
    quotes: "Those in ticker messages: with every match, not with every change.",
    book: "level2_batch: all changes within 50 ms in one message.",
  },
  bookProof: {
    order: "none",
    content: "none",
    note:
      "Messages carry neither numbers nor checksums: only the order of TCP and a crossed book show " +
      "a loss. A lost trade is noticed by its id or by the heartbeat.",
  },
  endpoints: {
    webSocket: "wss://ws-feed.exchange.coinbase.com",
    rest: "https://api.exchange.coinbase.com",
  },
  limits: LIMITS,
  bookSync: { snapshot: "in-band" },
  instrumentsRequests: (endpoints) => [{ url: `${endpoints.rest}/products`, weight: 1 }],
  recordedRequest: recordedRequestOf([
    { kind: "instruments", path: /\/products\/?$/ },
    { kind: "trades", path: /\/products\/([^/]+)\/trades$/ },
  ]),
  parseInstruments: parseProducts,
  deriveInstrument: deriveProduct,
  planConnections: (subscriptions, endpoints) =>
    planByInstrument(subscriptions, {
      url: endpoints.webSocket,
      subscriptionsMax: LIMITS.subscriptionsPerConnectionMax,
    }),
  subscribeFrames: (subscriptions) => frames("subscribe", subscriptions),
  unsubscribeFrames: (subscriptions) => frames("unsubscribe", subscriptions),
  tradesRequest: (instrument, { endpoints }) => productTradesRequest(instrument, endpoints),
  serverTimeRequest: timeRequest,
  parseServerTimeUs: parseTime,
  createDecoder: (context) => new CoinbaseDecoder(context),
};

function frames(
  type: "subscribe" | "unsubscribe",
  subscriptions: readonly FeedSubscription[],
): readonly string[] {
  const byProduct = new Map<string, Set<string>>();
  for (const { instrument, channel } of subscriptions) {
    const name = VENUE_CHANNEL_OF[channel];
    if (name === undefined) continue;
    const names = byProduct.get(instrument.venueSymbol) ?? new Set();
    byProduct.set(instrument.venueSymbol, names.add(name));
  }
  return [...byProduct].map(([product, names]) => {
    // Heartbeats keep coming while single channels are renewed.
    const channels = type === "subscribe" ? [...names, "heartbeat"] : [...names];
    return JSON.stringify({ type, product_ids: [product], channels });
  });
}

/** What is kept of one product on one connection. */
type ProductState = {
  readonly tracker: ScaleTracker;
  /** Trades of a product are numbered without a hole. Undefined unless matches are subscribed. */
  lastTradeId: number | undefined;
  /** The last trade that a heartbeat spoke of. */
  announcedTradeId: number;
};

class CoinbaseDecoder implements FeedDecoder {
  readonly #catalog: InstrumentCatalog;
  readonly #products = new Map<Instrument, ProductState>();
  /**
   * Books of this connection: all of them may have lost something in a frame that cannot be read at
   * all.
   */
  readonly #books = new Set<Instrument>();
  /**
   * `channel product` of the last list of subscriptions, which the venue repeats whole at every
   * change.
   */
  #subscribed = new Set<string>();

  constructor(context: FeedDecoderContext) {
    this.#catalog = context.catalog;
  }

  decode(frame: string | Uint8Array, receivedTimeUs: number, emit: Emit): void {
    const text = textOfFrame(frame);
    let message: unknown;
    try {
      message = JSON.parse(text);
    } catch {
      this.#rejectDamaged(text, emit);
      return;
    }
    if (!isObject(message)) {
      emit({ kind: "rejected", reason: "unknown-message" });
      return;
    }
    const type = message["type"];
    switch (type) {
      case "l2update":
      case "snapshot":
      case "match":
      case "last_match":
      case "ticker":
        this.#data(type, message, { text, receivedTimeUs }, emit);
        return;
      case "heartbeat":
        emit({ kind: "heartbeat" });
        this.#compareTradeId(message, emit);
        return;
      case "status":
        emit({ kind: "heartbeat" });
        return;
      case "subscriptions":
        this.#subscriptions(message, emit);
        return;
      case "error":
        refuse(message, emit);
        return;
      default:
        emit({ kind: "rejected", reason: "unknown-message" });
    }
  }

  decodeRest(response: RestResponse, receivedTimeUs: number, emit: Emit): void {
    const name = productOfTradesUrl(response.url);
    const instrument = name === undefined ? undefined : this.#catalog.byVenueSymbol(name);
    if (instrument === undefined) {
      const reason = name === undefined ? "unknown-message" : "unknown-instrument";
      emit({ kind: "rejected", reason });
      return;
    }
    const { tracker } = this.#product(instrument);
    decodeProductTrades(response, { instrument, tracker, receivedTimeUs, emit });
  }

  #data(type: DataType, message: JsonObject, frame: FrameContext, emit: Emit): void {
    const product = message["product_id"];
    if (typeof product !== "string") {
      emit({ kind: "rejected", reason: "missing-field" });
      return;
    }
    const instrument = this.#catalog.byVenueSymbol(product);
    if (instrument === undefined) {
      emit({ kind: "rejected", reason: "unknown-instrument" });
      return;
    }
    const reason = this.#read(type, message, instrument, frame, emit);
    if (reason === undefined) return;
    emit({ kind: "rejected", reason, instrument, channel: CHANNEL_OF_TYPE[type] });
  }

  #read(
    type: DataType,
    message: JsonObject,
    instrument: Instrument,
    frame: FrameContext,
    emit: Emit,
  ): RejectReason | undefined {
    const venueTimeUs = parseIsoTimeUs(message["time"]);
    if (isBadTime(venueTimeUs)) return "bad-time";
    const common = { instrument, venueTimeUs, receivedTimeUs: frame.receivedTimeUs };
    switch (type) {
      case "snapshot":
        return this.#book(common, true, message["bids"], message["asks"], emit);
      case "l2update": {
        const sides = sidesOf(message["changes"]);
        return sides === undefined
          ? "missing-field"
          : this.#book(common, false, sides.bids, sides.asks, emit);
      }
      case "match":
      case "last_match":
        return this.#trade(common, message, type === "last_match", frame.text, emit);
      case "ticker":
        return this.#ticker(common, message, emit);
    }
  }

  #book(
    common: EventCommon,
    snapshot: boolean,
    bids: unknown,
    asks: unknown,
    emit: Emit,
  ): RejectReason | undefined {
    this.#books.add(common.instrument);
    if (!Array.isArray(bids) || !Array.isArray(asks)) return "missing-field";
    const { tracker } = this.#product(common.instrument);
    const columns = tracker.book(bids, asks);
    if (typeof columns === "string") return columns;
    emit({
      kind: "raw-book",
      ...common,
      snapshot,
      source: "in-band",
      firstUpdateId: undefined,
      lastUpdateId: undefined,
      previousUpdateId: undefined,
      checksum: undefined,
      priceScale: tracker.priceScale,
      sizeScale: tracker.sizeScale,
      bids: columns.bids,
      asks: columns.asks,
    });
    return undefined;
  }

  /** The side of a match is the maker's, so the taker stood on the other one. */
  #trade(
    common: EventCommon,
    message: JsonObject,
    historical: boolean,
    text: string,
    emit: Emit,
  ): RejectReason | undefined {
    const makerSide = message["side"];
    const tradeId = integerText(message["trade_id"], text, TRADE_ID);
    if (makerSide !== "buy" && makerSide !== "sell") return "missing-field";
    if (tradeId === undefined) return "missing-field";
    const product = this.#product(common.instrument);
    const values = readTradeValues(product.tracker, message["price"], message["size"]);
    if (typeof values === "string") return values;
    const id = Number(tradeId);
    if (product.lastTradeId !== undefined && id > product.lastTradeId + 1) {
      const { instrument } = common;
      emit({ kind: "rejected", reason: "missing-data", instrument, channel: "trades" });
    }
    if (!(product.lastTradeId !== undefined && product.lastTradeId >= id)) product.lastTradeId = id;
    emit({
      kind: "trade",
      ...common,
      ...values,
      aggressorSide: makerSide === "buy" ? "seller" : "buyer",
      tradeId,
      historical,
    });
    return undefined;
  }

  #ticker(common: EventCommon, message: JsonObject, emit: Emit): RejectReason | undefined {
    const { best_bid: bidPrice, best_ask: askPrice } = message;
    const { best_bid_size: bidSize, best_ask_size: askSize } = message;
    const ticker = readTickerValues({
      lastPrice: message["price"],
      lastSize: message["last_size"],
      openPrice: message["open_24h"],
      highPrice: message["high_24h"],
      lowPrice: message["low_24h"],
      volume: message["volume_24h"],
      bidPrice,
      askPrice,
    });
    if (typeof ticker === "string") return ticker;
    if (bidSize !== undefined && askSize !== undefined) {
      const quote = readQuoteValues(
        this.#product(common.instrument).tracker,
        { price: bidPrice, size: bidSize },
        { price: askPrice, size: askSize },
      );
      if (typeof quote === "string") return quote;
      emit({ kind: "quote", ...common, ...quote });
    }
    emit({ kind: "ticker", ...common, ...ticker });
    return undefined;
  }

  #subscriptions(message: JsonObject, emit: Emit): void {
    const channels = message["channels"];
    if (!Array.isArray(channels)) {
      emit({ kind: "rejected", reason: "missing-field" });
      return;
    }
    const subscribed = new Set<string>();
    let news = false;
    for (const channel of channels) {
      const { name, product_ids: products } = isObject(channel) ? channel : {};
      if (typeof name !== "string" || !Array.isArray(products)) continue;
      for (const product of products) {
        if (typeof product !== "string") continue;
        const key = `${name} ${product}`;
        subscribed.add(key);
        if (this.#subscribed.has(key)) continue;
        for (const published of CHANNELS_OF[name] ?? []) {
          news = true;
          emit({ kind: "subscribed", venueSymbol: product, channel: published });
        }
      }
    }
    this.#subscribed = subscribed;
    for (const [instrument, product] of this.#products) {
      if (!subscribed.has(`matches ${instrument.venueSymbol}`)) product.lastTradeId = undefined;
    }
    if (!news) emit({ kind: "heartbeat" });
  }

  /**
   * The venue may drop messages under load, and says by heartbeats what there should have been. A
   * trade that did not come until the heartbeat after the one that announced it is lost.
   */
  #compareTradeId(message: JsonObject, emit: Emit): void {
    const { product_id: name, last_trade_id: tradeId } = message;
    const instrument = typeof name === "string" ? this.#catalog.byVenueSymbol(name) : undefined;
    const product = instrument === undefined ? undefined : this.#products.get(instrument);
    if (instrument === undefined || product?.lastTradeId === undefined) return;
    if (product.announcedTradeId > product.lastTradeId) {
      product.lastTradeId = product.announcedTradeId;
      emit({ kind: "rejected", reason: "missing-data", instrument, channel: "trades" });
    }
    product.announcedTradeId = typeof tradeId === "number" ? tradeId : 0;
  }

  #product(instrument: Instrument): ProductState {
    let product = this.#products.get(instrument);
    if (product === undefined) {
      product = { tracker: new ScaleTracker(), lastTradeId: undefined, announcedTradeId: 0 };
      this.#products.set(instrument, product);
    }
    return product;
  }

  /**
   * Nothing numbers messages here: what a damaged frame was about must be found out, or every book
   * may be wrong.
   */
  #rejectDamaged(text: string, emit: Emit): void {
    const type = /"type"\s*:\s*"([a-z0-9_]+)"/.exec(text)?.[1];
    const product = /"product_id"\s*:\s*"([^"\\]+)"/.exec(text)?.[1];
    const instrument = product === undefined ? undefined : this.#catalog.byVenueSymbol(product);
    if (isDataType(type) && instrument !== undefined) {
      const channel = CHANNEL_OF_TYPE[type];
      emit({ kind: "rejected", reason: "bad-json", instrument, channel });
      return;
    }
    emit({ kind: "rejected", reason: "bad-json" });
    if (type !== undefined && type !== "l2update" && type !== "snapshot") return;
    for (const book of this.#books) {
      emit({ kind: "rejected", reason: "missing-data", instrument: book, channel: "book" });
    }
  }
}

type DataType = "snapshot" | "l2update" | "match" | "last_match" | "ticker";

const CHANNEL_OF_TYPE: Readonly<Record<DataType, Channel>> = {
  snapshot: "book",
  l2update: "book",
  match: "trades",
  last_match: "trades",
  ticker: "ticker",
};

type FrameContext = { readonly text: string; readonly receivedTimeUs: number };

type EventCommon = {
  readonly instrument: Instrument;
  readonly venueTimeUs: number | undefined;
  readonly receivedTimeUs: number;
};

const TRADE_ID = /"trade_id":\s*(\d+)/;

/** Changes `[side, price, size]` by side; undefined if any has no side. */
function sidesOf(
  changes: unknown,
): { readonly bids: readonly unknown[]; readonly asks: readonly unknown[] } | undefined {
  if (!Array.isArray(changes)) return undefined;
  const bids: unknown[] = [];
  const asks: unknown[] = [];
  for (const change of changes as readonly unknown[]) {
    if (!Array.isArray(change)) return undefined;
    const [side, price, size] = change as readonly unknown[];
    if (side === "buy") bids.push([price, size]);
    else if (side === "sell") asks.push([price, size]);
    else return undefined;
  }
  return { bids, asks };
}

/** The digits of an integer; out of the frame's text where JSON.parse would have rounded it. */
function integerText(value: unknown, text: string, pattern: RegExp): string | undefined {
  if (typeof value !== "number" || !Number.isInteger(value)) return undefined;
  return Number.isSafeInteger(value) ? String(value) : pattern.exec(text)?.[1];
}

/** `{"message":"Failed to subscribe","reason":"ABC-USD is not a valid product"}` */
function refuse(message: JsonObject, emit: Emit): void {
  const texts = [message["message"], message["reason"]].filter((text) => typeof text === "string");
  const reason = texts.join(": ") || "refused";
  const venueSymbol = /([A-Z0-9]+-[A-Z0-9]+) is not a valid product/.exec(reason)?.[1];
  const channel: Channel | undefined = /\blevel2/.test(reason) ? "book" : undefined;
  if (venueSymbol === undefined || channel !== undefined) {
    emit({ kind: "refused", venueSymbol, channel, reason });
    return;
  }
  // The product is unknown, so nothing of it will come.
  for (const refused of coinbase.channels) {
    emit({ kind: "refused", venueSymbol, channel: refused, reason });
  }
}

function isDataType(type: string | undefined): type is DataType {
  return type !== undefined && Object.hasOwn(CHANNEL_OF_TYPE, type);
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
