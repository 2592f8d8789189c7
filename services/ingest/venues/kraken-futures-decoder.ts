// https://docs.kraken.com/api/docs/futures-api/websocket/book
// https://docs.kraken.com/api/docs/futures-api/websocket/trade
// https://docs.kraken.com/api/docs/futures-api/websocket/ticker
import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { Channel, Instrument } from "#core/instrument.ts";
import {
  asJsonArray,
  asJsonObject,
  asText,
  parseJsonText,
  type JsonText,
} from "#core/json-text.ts";
import type {
  FeedDecoder,
  FeedDecoderContext,
  FeedEvent,
  RejectReason,
  RestResponse,
} from "../feed/feed-adapter.ts";
import { readQuoteValues, readTickerValues, readTradeValues, textOfFrame } from "./event-values.ts";
import { ScaleTracker } from "./scale-tracker.ts";
import { decimalText, millisecondsTimeUs } from "./text-fields.ts";
import { isBadTime, parseIsoTimeUs } from "./venue-time.ts";

type Emit = (event: FeedEvent) => void;
type JsonObject = { readonly [key: string]: JsonText };

/** What is published of a feed. */
export const CHANNELS_OF_FEED: Readonly<Record<string, readonly Channel[]>> = {
  book: ["book"],
  trade: ["trades", "liquidations"],
  ticker: ["quotes", "ticker", "mark-price", "funding", "open-interest"],
};

/** Subscriptions without an answer; beyond it the oldest is forgotten. */
const PENDING_MAX = 1024;

/** Perpetuals are charged by the hour. */
const FUNDING_INTERVAL_MS = 3_600_000;

type InstrumentState = {
  readonly book: ScaleTracker;
  readonly ticks: ScaleTracker;
  /** Of the last live trade; trades of a contract are numbered without a hole. */
  lastTradeSequence: number | undefined;
};

type Pending = { readonly feed: string; readonly product: string };

/** Decodes one connection. Numbers keep the text that the venue wrote. */
export class KrakenFuturesDecoder implements FeedDecoder {
  readonly #catalog: InstrumentCatalog;
  readonly #states = new Map<Instrument, InstrumentState>();
  /** In the order in which they were sent: a refusal does not say what it is about. */
  readonly #pending: Pending[] = [];

  constructor(context: FeedDecoderContext) {
    this.#catalog = context.catalog;
  }

  sent(frame: string): void {
    const request = asJsonObject(parseJsonText(frame));
    const feed = asText(request?.["feed"]);
    if (request?.["event"] !== "subscribe" || feed === undefined) return;
    for (const product of asJsonArray(request["product_ids"]) ?? []) {
      this.#pending.push({ feed, product: asText(product) ?? "" });
      if (this.#pending.length > PENDING_MAX) this.#pending.shift();
    }
  }

  decode(frame: string | Uint8Array, receivedTimeUs: number, emit: Emit): void {
    const text = textOfFrame(frame);
    const json = parseJsonText(text);
    if (json === undefined) return this.#rejectDamaged(text, emit);
    const message = asJsonObject(json);
    if (message === undefined) return reject(emit, "unknown-message");
    if (message["event"] !== undefined) return this.#answer(message, emit);
    switch (asText(message["feed"]) ?? "") {
      case "book_snapshot":
      case "book":
        return this.#with(message, "book", emit, (instrument) =>
          this.#book(message, instrument, receivedTimeUs, emit),
        );
      case "trade":
        return this.#with(message, "trades", emit, (instrument) =>
          this.#liveTrade(message, instrument, receivedTimeUs, emit),
        );
      case "trade_snapshot":
        return this.#trades(message, receivedTimeUs, emit);
      case "ticker":
        return this.#with(message, "ticker", emit, (instrument) =>
          this.#ticker(message, instrument, receivedTimeUs, emit),
        );
      case "heartbeat":
      case "ticker_lite":
        return emit({ kind: "heartbeat" });
      default:
        return reject(emit, "unknown-message");
    }
  }

  /** Recent trades, newest first. */
  decodeRest(response: RestResponse, receivedTimeUs: number, emit: Emit): void {
    const product = /\/v3\/history\?(?:.*&)?symbol=([^&#]+)/.exec(response.url)?.[1];
    if (product === undefined) return reject(emit, "unknown-message");
    const body = parseJsonText(response.body);
    if (body === undefined) return reject(emit, "bad-json");
    const instrument = this.#catalog.byVenueSymbol(decodeURIComponent(product));
    if (instrument === undefined) return reject(emit, "unknown-instrument");
    const history = asJsonArray(asJsonObject(body)?.["history"]);
    if (history === undefined) return reject(emit, "missing-field");
    for (const entry of history.toReversed()) {
      const item = asJsonObject(entry);
      const time = parseIsoTimeUs(item?.["time"]);
      const reason =
        item === undefined
          ? "missing-field"
          : this.#trade(
              { ...item, qty: item["size"] ?? null },
              { instrument, venueTimeUs: time, receivedTimeUs, historical: true },
              emit,
            );
      if (reason !== undefined) emit({ kind: "rejected", reason, instrument, channel: "trades" });
    }
  }

  /**
   * The next number shows what a damaged change cost, but nothing may follow a damaged snapshot:
   * what can be read of the frame says at once whose it was.
   */
  #rejectDamaged(text: string, emit: Emit): void {
    const feed = /"feed"\s*:\s*"([a-z_]+)"/.exec(text)?.[1];
    const product = /"product_id"\s*:\s*"([^"\\]+)"/.exec(text)?.[1];
    const instrument = product === undefined ? undefined : this.#catalog.byVenueSymbol(product);
    const [channel] = channelsOf((feed ?? "").replace(/_snapshot$/, ""));
    if (instrument === undefined || channel === undefined) return reject(emit, "bad-json");
    emit({ kind: "rejected", reason: "bad-json", instrument, channel });
  }

  /** Reads a message of a known contract; emits the reason that `read` returns. */
  #with(
    message: JsonObject,
    channel: Channel,
    emit: Emit,
    read: (instrument: Instrument) => RejectReason | undefined,
  ): void {
    const product = asText(message["product_id"]);
    if (product === undefined) return reject(emit, "missing-field");
    const instrument = this.#catalog.byVenueSymbol(product);
    if (instrument === undefined) return reject(emit, "unknown-instrument");
    const reason = read(instrument);
    if (reason !== undefined) emit({ kind: "rejected", reason, instrument, channel });
  }

  #book(
    message: JsonObject,
    instrument: Instrument,
    receivedTimeUs: number,
    emit: Emit,
  ): RejectReason | undefined {
    const snapshot = message["feed"] === "book_snapshot";
    const sequence = sequenceOf(message);
    const sides = snapshot ? snapshotSides(message) : updateSides(message);
    if (sequence === undefined || sides === undefined) return "missing-field";
    const venueTimeUs = millisecondsTimeUs(message["timestamp"]);
    if (isBadTime(venueTimeUs)) return "bad-time";
    const scales = this.#stateOf(instrument).book;
    const columns = scales.book(sides.bids, sides.asks);
    if (typeof columns === "string") return columns;
    emit({
      kind: "raw-book",
      instrument,
      venueTimeUs,
      receivedTimeUs,
      snapshot,
      source: "in-band",
      firstUpdateId: sequence,
      lastUpdateId: sequence,
      previousUpdateId: undefined,
      checksum: undefined,
      priceScale: scales.priceScale,
      sizeScale: scales.sizeScale,
      bids: columns.bids,
      asks: columns.asks,
    });
    return undefined;
  }

  #liveTrade(
    message: JsonObject,
    instrument: Instrument,
    receivedTimeUs: number,
    emit: Emit,
  ): RejectReason | undefined {
    const state = this.#stateOf(instrument);
    const sequence = sequenceOf(message);
    const last = state.lastTradeSequence;
    if (sequence !== undefined && last !== undefined && sequence > last + 1) {
      emit({ kind: "rejected", reason: "missing-data", instrument, channel: "trades" });
    }
    if (sequence !== undefined && !(last !== undefined && last >= sequence)) {
      state.lastTradeSequence = sequence;
    }
    const venueTimeUs = millisecondsTimeUs(message["time"]);
    return this.#trade(
      message,
      { instrument, venueTimeUs, receivedTimeUs, historical: false },
      emit,
    );
  }

  #trades(message: JsonObject, receivedTimeUs: number, emit: Emit): void {
    const trades = asJsonArray(message["trades"]);
    if (trades === undefined) return reject(emit, "missing-field");
    for (const entry of trades.toReversed()) {
      const trade = asJsonObject(entry) ?? {};
      const product = trade["product_id"] ?? message["product_id"] ?? null;
      this.#with({ ...trade, product_id: product }, "trades", emit, (instrument) => {
        const venueTimeUs = millisecondsTimeUs(trade["time"]);
        return this.#trade(
          trade,
          { instrument, venueTimeUs, receivedTimeUs, historical: true },
          emit,
        );
      });
    }
  }

  /** One execution; that of a liquidation is told of as both. The side is the taker's. */
  #trade(
    item: JsonObject,
    context: {
      readonly instrument: Instrument;
      readonly venueTimeUs: number | undefined;
      readonly receivedTimeUs: number;
      readonly historical: boolean;
    },
    emit: Emit,
  ): RejectReason | undefined {
    const { instrument, venueTimeUs, receivedTimeUs, historical } = context;
    const { side } = item;
    if (side !== "buy" && side !== "sell") return "missing-field";
    if (isBadTime(venueTimeUs)) return "bad-time";
    const values = readTradeValues(this.#stateOf(instrument).ticks, item["price"], item["qty"]);
    if (typeof values === "string") return values;
    const uid = asText(item["uid"]);
    const aggressorSide = side === "buy" ? "buyer" : "seller";
    const common = { instrument, venueTimeUs, receivedTimeUs, aggressorSide } as const;
    emit({ kind: "trade", ...common, ...values, tradeId: uid ?? "", historical });
    const price = decimalText(item["price"]);
    const size = decimalText(item["qty"]);
    // An old liquidation is not told of again.
    if (item["type"] !== "liquidation" || historical) return undefined;
    if (price === undefined || size === undefined) return undefined;
    emit({ kind: "liquidation", ...common, price, size, liquidationId: uid });
    return undefined;
  }

  #ticker(
    message: JsonObject,
    instrument: Instrument,
    receivedTimeUs: number,
    emit: Emit,
  ): RejectReason | undefined {
    const venueTimeUs = millisecondsTimeUs(message["time"]);
    if (isBadTime(venueTimeUs)) return "bad-time";
    const common = { instrument, venueTimeUs, receivedTimeUs };
    const { bid, ask } = message;
    const ticker = readTickerValues({
      lastPrice: message["last"],
      openPrice: message["open"],
      highPrice: message["high"],
      lowPrice: message["low"],
      volume: message["volume"],
      quoteVolume: message["volumeQuote"],
      bidPrice: bid,
      askPrice: ask,
    });
    if (typeof ticker === "string") return ticker;
    const sizes = { bid: message["bid_size"], ask: message["ask_size"] };
    if (sizes.bid !== undefined || sizes.ask !== undefined) {
      const quote = readQuoteValues(
        this.#stateOf(instrument).ticks,
        { price: bid, size: sizes.bid },
        { price: ask, size: sizes.ask },
      );
      if (typeof quote === "string") return quote;
      emit({ kind: "quote", ...common, ...quote });
    }
    emit({ kind: "ticker", ...common, ...ticker });
    return contractValues(message, common, emit);
  }

  #answer(message: JsonObject, emit: Emit): void {
    const feed = asText(message["feed"]) ?? "";
    switch (asText(message["event"]) ?? "") {
      case "subscribed":
        return this.#subscribed(feed, asJsonArray(message["product_ids"]) ?? [], emit);
      case "info":
      case "unsubscribed":
      case "pong":
        return emit({ kind: "heartbeat" });
      case "error":
      case "alert":
      case "subscribed_failed":
      case "unsubscribed_failed":
        return this.#refused(asText(message["message"]) ?? "refused", emit);
      default:
        return reject(emit, "unknown-message");
    }
  }

  #subscribed(feed: string, products: readonly JsonText[], emit: Emit): void {
    let news = false;
    for (const entry of products) {
      const product = asText(entry);
      if (product === undefined) continue;
      const index = this.#pending.findIndex(
        (each) => each.feed === feed && each.product === product,
      );
      if (index >= 0) this.#pending.splice(index, 1);
      for (const channel of channelsOf(feed)) {
        news = true;
        emit({ kind: "subscribed", venueSymbol: product, channel });
      }
    }
    if (!news) emit({ kind: "heartbeat" });
  }

  /** Answers come in the order of the requests, so a refusal is about the oldest without one. */
  #refused(reason: string, emit: Emit): void {
    const pending = this.#pending.shift();
    const channels = channelsOf(pending?.feed ?? "");
    if (pending === undefined || channels.length === 0) {
      return emit({ kind: "refused", venueSymbol: undefined, channel: undefined, reason });
    }
    for (const channel of channels) {
      emit({ kind: "refused", venueSymbol: pending.product, channel, reason });
    }
  }

  #stateOf(instrument: Instrument): InstrumentState {
    let state = this.#states.get(instrument);
    if (state === undefined) {
      const [book, ticks] = [new ScaleTracker(), new ScaleTracker()];
      state = { book, ticks, lastTradeSequence: undefined };
      this.#states.set(instrument, state);
    }
    return state;
  }
}

/** What a ticker says of the contract itself. */
function contractValues(
  message: JsonObject,
  common: {
    readonly instrument: Instrument;
    readonly venueTimeUs: number | undefined;
    readonly receivedTimeUs: number;
  },
  emit: Emit,
): RejectReason | undefined {
  const { markPrice: mark, openInterest: open, relative_funding_rate: relative } = message;
  const markPrice = decimalText(mark);
  const indexPrice = decimalText(message["index"]);
  const openInterest = decimalText(open);
  const rate = decimalText(relative);
  if (isSpoilt(mark, markPrice) || isSpoilt(open, openInterest) || isSpoilt(relative, rate)) {
    return "bad-decimal";
  }
  if (markPrice !== undefined) emit({ kind: "mark-price", ...common, markPrice, indexPrice });
  if (openInterest !== undefined) {
    emit({ kind: "open-interest", ...common, openInterest, openInterestValue: undefined });
  }
  // `funding_rate` is an amount for each contract; what others call so is the relative one.
  if (rate === undefined || common.instrument.kind !== "perpetual") return undefined;
  const next = message["next_funding_rate_time"];
  const nextFundingTimeUs = next === "0" ? undefined : millisecondsTimeUs(next);
  if (isBadTime(nextFundingTimeUs)) return "bad-time";
  emit({ kind: "funding", ...common, rate, nextFundingTimeUs, intervalMs: FUNDING_INTERVAL_MS });
  return undefined;
}

function isSpoilt(value: JsonText | undefined, text: string | undefined): boolean {
  return value !== undefined && value !== null && text === undefined;
}

function reject(emit: Emit, reason: RejectReason): void {
  emit({ kind: "rejected", reason });
}

function channelsOf(feed: string): readonly Channel[] {
  return Object.hasOwn(CHANNELS_OF_FEED, feed) ? (CHANNELS_OF_FEED[feed] ?? []) : [];
}

function sequenceOf(message: JsonObject): number | undefined {
  const text = asText(message["seq"]);
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

type Sides = { readonly bids: readonly unknown[]; readonly asks: readonly unknown[] };

function snapshotSides(message: JsonObject): Sides | undefined {
  const bids = levelsOf(message["bids"]);
  const asks = levelsOf(message["asks"]);
  return bids === undefined || asks === undefined ? undefined : { bids, asks };
}

/** Snapshots may list prices without any size; they are no levels. */
function levelsOf(value: JsonText | undefined): readonly unknown[] | undefined {
  const levels = asJsonArray(value);
  if (levels === undefined) return undefined;
  const pairs: unknown[] = [];
  for (const entry of levels) {
    const level = asJsonObject(entry);
    if (level === undefined) return undefined;
    const size = sizeOf(level["qty"]);
    if (decimalText(size) !== "0") pairs.push([level["price"], size]);
  }
  return pairs;
}

function updateSides(message: JsonObject): Sides | undefined {
  const level = [message["price"], sizeOf(message["qty"])];
  if (message["side"] === "buy") return { bids: [level], asks: [] };
  return message["side"] === "sell" ? { bids: [], asks: [level] } : undefined;
}

/** The venue has been seen to write a negative size for a level that is gone. */
function sizeOf(size: JsonText | undefined): JsonText | undefined {
  const decimal = decimalText(size);
  return decimal?.startsWith("-") === true ? "0" : size;
}
