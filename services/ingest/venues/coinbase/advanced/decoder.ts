// https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-channels
import type { Mantissa } from "@tickwire/proto/model";
import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { Channel, Instrument } from "#core/instrument.ts";
import { JsonTape, MISSING } from "#core/json-tape.ts";
import type {
  FeedDecoder,
  FeedDecoderContext,
  FeedEvent,
  RejectReason,
  RestResponse,
} from "../../../feed/feed-adapter.ts";
import { readCandleValues } from "../../../reading/candle-values.ts";
import { ConnectionSequence } from "../../../reading/connection-sequence.ts";
import {
  readQuoteValues,
  readTickerValues,
  readTradeValues,
} from "../../../reading/event-values.ts";
import { textOfFrame } from "../../../reading/frame-text.ts";
import { type BookColumns, isNotMantissa, ScaleTracker } from "../../../reading/scale-tracker.ts";
import { isRecord, type JsonRecord, parseJson, present } from "../../../reading/text-fields.ts";
import { isBadTime, parseIsoTimeUs, parseSecondsTimeUs } from "../../../reading/venue-time.ts";

type Emit = (event: FeedEvent) => void;

/** What is published of a channel, under the name that subscriptions have. */
export const CHANNELS_OF: Readonly<Record<string, readonly Channel[]>> = {
  level2: ["book"],
  market_trades: ["trades"],
  ticker: ["quotes", "ticker"],
  candles: ["candles"],
};

const CANDLE_INTERVAL_MS = 300_000;

/** Where a REST answer with recent trades comes from. */
const TRADES_URL = /\/market\/products\/([^/?#]+)\/ticker(?:[?#]|$)/;

type Frame = {
  /** Of the message as a whole. */
  readonly venueTimeUs: number | undefined;
  readonly receivedTimeUs: number;
  /** A frame that comes after a later one: its books are no longer of use. */
  readonly isLate: boolean;
};

/**
 * Decodes one connection. The venue numbers everything on it without a hole, so a hole may have
 * cost any book and any trade that is subscribed there, and is told of as that.
 */
export class CoinbaseAdvancedDecoder implements FeedDecoder {
  readonly #catalog: InstrumentCatalog;
  readonly #tape = new JsonTape();
  readonly #scales = new Map<Instrument, ScaleTracker>();
  readonly #books = new Set<Instrument>();
  readonly #trades = new Set<Instrument>();
  /** `channel product` of the last list of subscriptions, which is always whole. */
  #subscribed: ReadonlySet<string> = new Set();
  readonly #sequence = new ConnectionSequence();

  constructor(context: FeedDecoderContext) {
    this.#catalog = context.catalog;
  }

  decode(frame: string | Uint8Array, receivedTimeUs: number, emit: Emit): void {
    const tape = this.#tape;
    // The next number shows what a damaged frame may have cost.
    if (!tape.scan(textOfFrame(frame))) return reject(emit, "bad-json");
    if (!tape.isObject(0)) return reject(emit, "unknown-message");
    if (tape.equals(tape.get(0, "type"), "error")) return refuse(recordOf(tape.value(0)), emit);
    const channel = tape.text(tape.get(0, "channel"));
    if (channel === undefined) return reject(emit, "unknown-message");
    const place = this.#place(tape.number(tape.get(0, "sequence_num")), emit);
    if (place === "repeated") return emit({ kind: "heartbeat" });
    const time = parseIsoTimeUs(tape.text(tape.get(0, "timestamp")));
    const venueTimeUs = isBadTime(time) ? undefined : time;
    const context = { venueTimeUs, receivedTimeUs, isLate: place === "late" };
    if (channel === "heartbeats" || channel === "status") return emit({ kind: "heartbeat" });
    const events = tape.get(0, "events");
    if (!tape.isArray(events)) {
      const isData = channel === "subscriptions" || isDataChannel(channel);
      return reject(emit, isData ? "missing-field" : "unknown-message");
    }
    for (let event = tape.first(events); event !== MISSING; event = tape.next(event)) {
      if (!tape.isObject(event)) reject(emit, "missing-field");
      else if (channel === "l2_data") this.#book(event, context, emit);
      else this.#event(channel, recordOf(tape.value(event)), context, emit);
    }
  }

  /** The latest trades, newest first; the side is read as in the stream. */
  decodeRest(response: RestResponse, receivedTimeUs: number, emit: Emit): void {
    const name = TRADES_URL.exec(response.url)?.[1];
    if (name === undefined) return reject(emit, "unknown-message");
    const body = parseJson(response.body);
    if (body === undefined) return reject(emit, "bad-json");
    const trades = isRecord(body) ? body["trades"] : undefined;
    if (!Array.isArray(trades)) return reject(emit, "missing-field");
    for (const trade of inOrder(trades)) this.#trade(trade, true, receivedTimeUs, emit);
  }

  /** Where a frame stands in the connection's numbers; emits what a hole may have cost. */
  #place(sequence: number, emit: Emit): "next" | "repeated" | "late" {
    if (!Number.isSafeInteger(sequence)) return "next";
    const place = this.#sequence.place(sequence);
    if (place !== "hole") return place;
    for (const instrument of this.#books) {
      emit({ kind: "rejected", reason: "missing-data", instrument, channel: "book" });
    }
    for (const instrument of this.#trades) {
      emit({ kind: "rejected", reason: "missing-data", instrument, channel: "trades" });
    }
    return "next";
  }

  #event(channel: string, event: JsonRecord, frame: Frame, emit: Emit): void {
    switch (channel) {
      case "market_trades":
        for (const item of inOrder(listOf(event["trades"], emit))) {
          this.#trade(item, event["type"] === "snapshot", frame.receivedTimeUs, emit);
        }
        return;
      case "ticker":
      case "ticker_batch":
        for (const item of listOf(event["tickers"], emit)) this.#ticker(item, frame, emit);
        return;
      case "candles":
        for (const item of listOf(event["candles"], emit)) this.#candle(item, frame, emit);
        return;
      case "subscriptions":
        this.#subscriptions(event["subscriptions"], emit);
        return;
      default:
        reject(emit, "unknown-message");
    }
  }

  #instrumentOf(item: unknown, emit: Emit): Instrument | undefined {
    const name = isRecord(item) ? item["product_id"] : undefined;
    if (typeof name !== "string") {
      reject(emit, "missing-field");
      return undefined;
    }
    const instrument = this.#catalog.byVenueSymbol(name);
    if (instrument === undefined) reject(emit, "unknown-instrument");
    return instrument;
  }

  #book(event: number, { venueTimeUs, receivedTimeUs, isLate }: Frame, emit: Emit): void {
    const tape = this.#tape;
    const name = tape.text(tape.get(event, "product_id"));
    if (name === undefined) return reject(emit, "missing-field");
    const instrument = this.#catalog.byVenueSymbol(name);
    if (instrument === undefined) return reject(emit, "unknown-instrument");
    this.#books.add(instrument);
    const spoil = spoiler(emit, instrument, "book");
    const type = tape.get(event, "type");
    const snapshot = tape.equals(type, "snapshot");
    if (!snapshot && !tape.equals(type, "update")) return spoil("missing-field");
    // What changed after a late snapshot may have come before it, so another one is needed.
    if (isLate) return snapshot ? spoil("missing-data") : emit({ kind: "heartbeat" });
    const updates = tape.get(event, "updates");
    const scales = this.#scalesOf(instrument);
    const columns = this.#columns(updates, scales);
    if (typeof columns === "string") return spoil(columns);
    const eventTimeUs = this.#lastTimeUs(updates);
    if (isBadTime(eventTimeUs)) return spoil("bad-time");
    emit({
      kind: "raw-book",
      instrument,
      venueTimeUs: eventTimeUs ?? venueTimeUs,
      receivedTimeUs,
      snapshot,
      source: "in-band",
      firstUpdateId: undefined,
      lastUpdateId: undefined,
      previousUpdateId: undefined,
      checksum: undefined,
      priceScale: scales.priceScale,
      sizeScale: scales.sizeScale,
      bids: columns.bids,
      asks: columns.asks,
    });
  }

  #columns(updates: number, scales: ScaleTracker): BookColumns | RejectReason {
    const { priceScale, sizeScale } = scales;
    const first = this.#columnsOnce(updates, scales);
    // A level finer than those before it raised the scale in the middle of the message.
    const grew = priceScale !== scales.priceScale || sizeScale !== scales.sizeScale;
    return grew && typeof first !== "string" ? this.#columnsOnce(updates, scales) : first;
  }

  /** Updates by side: both stand in one list. */
  #columnsOnce(updates: number, scales: ScaleTracker): BookColumns | RejectReason {
    const tape = this.#tape;
    if (!tape.isArray(updates)) return "missing-field";
    const bids: MutableColumns = { prices: [], sizes: [] };
    const asks: MutableColumns = { prices: [], sizes: [] };
    for (let update = tape.first(updates); update !== MISSING; update = tape.next(update)) {
      const side = tape.get(update, "side");
      const isBid = tape.equals(side, "bid");
      if (!isBid && !tape.equals(side, "offer") && !tape.equals(side, "ask")) {
        return "missing-field";
      }
      const price = scales.priceAt(tape, tape.get(update, "price_level"));
      const size = scales.sizeAt(tape, tape.get(update, "new_quantity"));
      if (isNotMantissa(price) || isNotMantissa(size)) return "bad-decimal";
      if (price <= 0) return "non-positive-price";
      if (size < 0) return "negative-size";
      const columns = isBid ? bids : asks;
      columns.prices.push(price);
      columns.sizes.push(size);
    }
    return { bids, asks };
  }

  /** When the last of the updates happened. */
  #lastTimeUs(updates: number): number | undefined {
    const tape = this.#tape;
    let last = MISSING;
    for (let update = tape.first(updates); update !== MISSING; update = tape.next(update)) {
      last = update;
    }
    return parseIsoTimeUs(tape.text(tape.get(last, "event_time")));
  }

  /** The side is taken to be the maker's, as on Coinbase Exchange: the taker stood on the other. */
  #trade(item: unknown, historical: boolean, receivedTimeUs: number, emit: Emit): void {
    const instrument = this.#instrumentOf(item, emit);
    if (instrument === undefined || !isRecord(item)) return;
    this.#trades.add(instrument);
    const spoil = spoiler(emit, instrument, "trades");
    const { side, trade_id: tradeId } = item;
    if (side !== "BUY" && side !== "SELL") return spoil("missing-field");
    if (typeof tradeId !== "string" || tradeId === "") return spoil("missing-field");
    const venueTimeUs = parseIsoTimeUs(item["time"]);
    if (isBadTime(venueTimeUs)) return spoil("bad-time");
    const values = readTradeValues(this.#scalesOf(instrument), item["price"], item["size"]);
    if (typeof values === "string") return spoil(values);
    const aggressorSide = side === "BUY" ? "seller" : "buyer";
    const common = { instrument, venueTimeUs, receivedTimeUs, aggressorSide } as const;
    emit({ kind: "trade", ...common, ...values, tradeId, historical });
  }

  #ticker(item: unknown, { venueTimeUs, receivedTimeUs }: Frame, emit: Emit): void {
    const instrument = this.#instrumentOf(item, emit);
    if (instrument === undefined || !isRecord(item)) return;
    const spoil = spoiler(emit, instrument, "ticker");
    const common = { instrument, venueTimeUs, receivedTimeUs };
    const bidPrice = present(item["best_bid"]);
    const askPrice = present(item["best_ask"]);
    const bidSize = present(item["best_bid_quantity"]);
    const askSize = present(item["best_ask_quantity"]);
    const ticker = readTickerValues({
      lastPrice: present(item["price"]),
      highPrice: present(item["high_24_h"]),
      lowPrice: present(item["low_24_h"]),
      volume: present(item["volume_24_h"]),
      bidPrice,
      askPrice,
    });
    if (typeof ticker === "string") return spoil(ticker);
    // The batched ticker has no best prices, and so gives no quote.
    if (bidSize !== undefined || askSize !== undefined) {
      const quote = readQuoteValues(
        this.#scalesOf(instrument),
        { price: bidPrice, size: bidSize },
        { price: askPrice, size: askSize },
      );
      if (typeof quote === "string") return spoil(quote);
      emit({ kind: "quote", ...common, ...quote });
    }
    emit({ kind: "ticker", ...common, ...ticker });
  }

  #candle(item: unknown, { venueTimeUs, receivedTimeUs }: Frame, emit: Emit): void {
    const instrument = this.#instrumentOf(item, emit);
    if (instrument === undefined || !isRecord(item)) return;
    const spoil = spoiler(emit, instrument, "candles");
    const openTimeUs = parseSecondsTimeUs(item["start"]);
    if (openTimeUs === undefined) return spoil("missing-field");
    if (isBadTime(openTimeUs)) return spoil("bad-time");
    const { open, high, low, close, volume } = item;
    const values = readCandleValues({ open, high, low, close, volume });
    if (typeof values === "string") return spoil(values);
    emit({
      kind: "candle",
      instrument,
      venueTimeUs,
      receivedTimeUs,
      intervalMs: CANDLE_INTERVAL_MS,
      openTimeUs,
      ...values,
      quoteVolume: undefined,
      tradeCount: undefined,
      // The venue never says so, but what ended before the message was made is over.
      closed: venueTimeUs !== undefined && venueTimeUs >= openTimeUs + CANDLE_INTERVAL_MS * 1000,
    });
  }

  #subscriptions(list: unknown, emit: Emit): void {
    if (!isRecord(list)) return reject(emit, "missing-field");
    const subscribed = new Set<string>();
    let news = false;
    for (const [name, products] of Object.entries(list)) {
      for (const product of Array.isArray(products) ? (products as readonly unknown[]) : []) {
        if (typeof product !== "string") continue;
        const key = `${name} ${product}`;
        subscribed.add(key);
        if (this.#subscribed.has(key)) continue;
        for (const channel of channelsOf(name)) {
          news = true;
          this.#note(product, channel);
          emit({ kind: "subscribed", venueSymbol: product, channel });
        }
      }
    }
    this.#subscribed = subscribed;
    if (!news) emit({ kind: "heartbeat" });
  }

  /** What is subscribed may be lost before its first message. */
  #note(product: string, channel: Channel): void {
    if (channel !== "book" && channel !== "trades") return;
    const instrument = this.#catalog.byVenueSymbol(product);
    if (instrument === undefined) return;
    (channel === "book" ? this.#books : this.#trades).add(instrument);
  }

  #scalesOf(instrument: Instrument): ScaleTracker {
    let scales = this.#scales.get(instrument);
    if (scales === undefined) {
      scales = new ScaleTracker();
      this.#scales.set(instrument, scales);
    }
    return scales;
  }
}

type MutableColumns = { readonly prices: Mantissa[]; readonly sizes: Mantissa[] };

function recordOf(value: unknown): JsonRecord {
  return isRecord(value) ? value : {};
}

function reject(emit: Emit, reason: RejectReason): void {
  emit({ kind: "rejected", reason });
}

function spoiler(
  emit: Emit,
  instrument: Instrument,
  channel: Channel,
): (reason: RejectReason) => void {
  return (reason) => emit({ kind: "rejected", reason, instrument, channel });
}

function listOf(value: unknown, emit: Emit): readonly unknown[] {
  if (Array.isArray(value)) return value as readonly unknown[];
  reject(emit, "missing-field");
  return [];
}

function channelsOf(name: string): readonly Channel[] {
  return Object.hasOwn(CHANNELS_OF, name) ? (CHANNELS_OF[name] ?? []) : [];
}

function isDataChannel(channel: string): boolean {
  return channel === "l2_data" || channel === "ticker_batch" || Object.hasOwn(CHANNELS_OF, channel);
}

/**
 * Oldest first; the venue writes lists of trades with the newest in front. Numbers are of a product
 * and say nothing of those of another.
 */
function inOrder(trades: readonly unknown[]): readonly unknown[] {
  const [first] = trades;
  const product = productOf(first);
  const last = trades.findLast((trade) => productOf(trade) === product);
  return tradeNumber(first) > tradeNumber(last) ? trades.toReversed() : trades;
}

function productOf(trade: unknown): unknown {
  return isRecord(trade) ? trade["product_id"] : undefined;
}

function tradeNumber(trade: unknown): number {
  return isRecord(trade) ? Number(trade["trade_id"]) : Number.NaN;
}

/** How the venue words a refusal is not documented; a product that it names is taken from it. */
function refuse(message: JsonRecord, emit: Emit): void {
  const texts = [message["message"], message["reason"]].filter((text) => typeof text === "string");
  const reason = texts.join(": ") || "refused";
  const venueSymbol = /\b([A-Z0-9]+(?:-[A-Z0-9]+){1,2})\b/.exec(reason)?.[1];
  if (venueSymbol === undefined) {
    emit({ kind: "refused", venueSymbol, channel: undefined, reason });
    return;
  }
  for (const channel of new Set(Object.values(CHANNELS_OF).flat())) {
    emit({ kind: "refused", venueSymbol, channel, reason });
  }
}
