import type { Channel, Instrument } from "#core/instrument.ts";
import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
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
} from "../../feed/feed-adapter.ts";
import { venueSymbolOfName } from "./instruments.ts";
import {
  emitCandles,
  emitFunding,
  emitOpenInterest,
  emitTicker,
  integer,
  microseconds,
  secondsTimeUs,
  sideOf,
  type Subject,
} from "./fields.ts";
import { readTradeValues, textOfFrame } from "../../reading/event-values.ts";
import { ScaleTracker } from "../../reading/scale-tracker.ts";
import { isBadTime } from "../../reading/venue-time.ts";

type Emit = (event: FeedEvent) => void;

/** The venue's channels before `_MARKET`, and what is published of each. */
const CHANNELS_OF: Readonly<Record<string, readonly Channel[]>> = {
  diff_order_book: ["book"],
  live_trades: ["trades"],
  funding_rate: ["funding", "mark-price"],
};

/** The REST answers that are asked for; the first group is the market, where one is named. */
export const BITSTAMP_PATHS = {
  book: /\/order_book\/([A-Za-z0-9-]+)\/?(?:\?|$)/,
  trades: /\/transactions\/([A-Za-z0-9-]+)\/?(?:\?|$)/,
  tickers: /\/ticker\/?(?:\?|$)/,
  ticker: /\/ticker\/([A-Za-z0-9-]+)\/?(?:\?|$)/,
  candles: /\/ohlc\/([A-Za-z0-9-]+)\/?(?:\?|$)/,
} as const;

/**
 * Decodes the feed of Bitstamp. Numbers are read from the texts beside them (`price_str`), never
 * from the JSON numbers, which carry the noise of a double.
 */
export class BitstampDecoder implements FeedDecoder {
  readonly #catalog: InstrumentCatalog;
  /** Made as instruments turn up, so limited by the catalog. */
  readonly #trackers = new Map<Instrument, ScaleTracker>();
  /**
   * Books of this connection, which a frame that cannot be read may have been of, and the
   * microtimestamp of the last change of each.
   */
  readonly #books = new Map<Instrument, number | undefined>();

  /** Markets whose trades come on this connection. */
  readonly #trades = new Set<Instrument>();
  /** Books whose subscription was renewed, until that is confirmed. */
  readonly #renewed = new Set<Instrument>();

  constructor(context: FeedDecoderContext) {
    this.#catalog = context.catalog;
  }

  /** What a book's channel missed while it was not subscribed to, nothing tells. */
  sent(frame: string): void {
    const channel = /"bts:subscribe".*"diff_order_book_([^"]+)"/.exec(frame)?.[1];
    const instrument = channel === undefined ? undefined : this.#catalog.byVenueSymbol(channel);
    if (instrument === undefined || this.#books.get(instrument) === undefined) return;
    this.#books.set(instrument, undefined);
    this.#renewed.add(instrument);
  }

  decode(frame: string | Uint8Array, receivedTimeUs: number, emit: Emit): void {
    const text = textOfFrame(frame);
    const parsed = parseJsonText(text);
    if (parsed === undefined) return this.#rejectDamaged(text, emit);
    const message = asJsonObject(parsed);
    const event = asText(message?.["event"]);
    if (message === undefined || event === undefined) return reject(emit, "unknown-message");
    const channel = asText(message["channel"]) ?? "";
    switch (event) {
      case "data":
      case "trade":
      case "funding_rate_saved":
        return this.#data(channel, message["data"], receivedTimeUs, emit);
      case "bts:subscription_succeeded":
        return this.#subscribed(channel, emit);
      case "bts:heartbeat":
      case "bts:unsubscription_succeeded":
        return emit({ kind: "heartbeat" });
      case "bts:request_reconnect":
        return emit({ kind: "reconnect-requested", reason: "venue-request" });
      case "bts:error":
        return refuse(channel, message["data"], emit);
      default:
        return reject(emit, "unknown-message");
    }
  }

  decodeRest(response: RestResponse, receivedTimeUs: number, emit: Emit): void {
    const body = parseJsonText(response.body);
    if (body === undefined) return reject(emit, "bad-json");
    const { url } = response;
    if (BITSTAMP_PATHS.tickers.test(url)) return this.#tickers(body, receivedTimeUs, emit);
    for (const kind of ["book", "trades", "ticker", "candles"] as const) {
      const venueSymbol = BITSTAMP_PATHS[kind].exec(url)?.[1];
      if (venueSymbol === undefined) continue;
      const instrument = this.#catalog.byVenueSymbol(venueSymbol);
      if (instrument === undefined) return reject(emit, "unknown-instrument");
      return this.#answer(kind, body, { instrument, receivedTimeUs }, emit);
    }
    reject(emit, "unknown-message");
  }

  #answer(
    kind: "book" | "trades" | "ticker" | "candles",
    body: JsonText,
    of: Subject,
    emit: Emit,
  ): void {
    switch (kind) {
      case "book":
        return judge(this.#book(body, of, true, emit), of, "book", emit);
      case "trades":
        return judge(this.#recentTrades(body, of, emit), of, "trades", emit);
      case "ticker":
        return judge(emitOpenInterest(body, of, emit), of, "open-interest", emit);
      case "candles":
        return judge(emitCandles(body, of, emit), of, "candles", emit);
    }
  }

  #data(channel: string, data: JsonText | undefined, receivedTimeUs: number, emit: Emit): void {
    const { name, venueSymbol } = splitChannel(channel);
    const published = CHANNELS_OF[name]?.[0];
    if (published === undefined) return reject(emit, "unknown-message");
    const instrument = this.#catalog.byVenueSymbol(venueSymbol);
    if (instrument === undefined) return reject(emit, "unknown-instrument");
    const of = { instrument, receivedTimeUs };
    if (published === "book") {
      judge(this.#book(data, of, false, emit), of, published, emit);
    } else if (published === "trades") {
      this.#trades.add(instrument);
      judge(this.#trade(data, of, emit), of, published, emit);
    } else judge(emitFunding(data, of, emit), of, published, emit);
  }

  /**
   * `microtimestamp` stands in for a sequence: what REST answers is in line with the stream. It
   * rises by any amount, so each change also says which it came after; a snapshot older than the
   * first change seen may lack what happened in between.
   */
  #book(
    data: JsonText | undefined,
    of: Subject,
    snapshot: boolean,
    emit: Emit,
  ): RejectReason | undefined {
    const message = asJsonObject(data);
    const bids = asJsonArray(message?.["bids"]);
    const asks = asJsonArray(message?.["asks"]);
    if (message === undefined || bids === undefined || asks === undefined) return "missing-field";
    const venueTimeUs = microseconds(message["microtimestamp"]);
    if (venueTimeUs === undefined) return "bad-time";
    const previousUpdateId = snapshot ? undefined : this.#books.get(of.instrument);
    if (!snapshot) this.#books.set(of.instrument, venueTimeUs);
    const tracker = this.#tracker(of.instrument);
    const columns = tracker.book(bids, asks);
    if (typeof columns === "string") return columns;
    emit({
      kind: "raw-book",
      ...of,
      venueTimeUs,
      snapshot,
      source: snapshot ? "rest" : "in-band",
      firstUpdateId: undefined,
      lastUpdateId: venueTimeUs,
      previousUpdateId,
      checksum: undefined,
      priceScale: tracker.priceScale,
      sizeScale: tracker.sizeScale,
      bids: columns.bids,
      asks: columns.asks,
    });
    return undefined;
  }

  /** `type` is the taker's side: the newer of the two orders, which the order ids tell as well. */
  #trade(data: JsonText | undefined, of: Subject, emit: Emit): RejectReason | undefined {
    const message = asJsonObject(data);
    const aggressorSide = sideOf(message?.["type"]);
    // Ids are beyond 2^53 today; here even the bare number still has all of its digits.
    const tradeId = integer(message?.["id_str"] ?? message?.["id"]);
    if (message === undefined || aggressorSide === undefined || tradeId === undefined) {
      return "missing-field";
    }
    const venueTimeUs = microseconds(message["microtimestamp"]);
    if (venueTimeUs === undefined) return "bad-time";
    const { price_str: price, amount_str: size } = message;
    const values = readTradeValues(this.#tracker(of.instrument), price, size);
    if (typeof values === "string") return values;
    const historical = false;
    emit({ kind: "trade", ...of, venueTimeUs, ...values, aggressorSide, tradeId, historical });
    return undefined;
  }

  /** Newest first, as the venue lists them; here the times are whole seconds. */
  #recentTrades(body: JsonText, of: Subject, emit: Emit): RejectReason | undefined {
    const list = asJsonArray(body);
    if (list === undefined) return "missing-field";
    let damage: RejectReason | undefined;
    for (const item of list.toReversed()) {
      const trade = asJsonObject(item);
      const aggressorSide = sideOf(trade?.["type"]);
      const tradeId = integer(trade?.["tid"]);
      const venueTimeUs = secondsTimeUs(trade?.["date"]);
      if (trade === undefined || aggressorSide === undefined || tradeId === undefined) {
        damage = "missing-field";
        continue;
      }
      const tracker = this.#tracker(of.instrument);
      const values = readTradeValues(tracker, trade["price"], trade["amount"]);
      if (isBadTime(venueTimeUs)) damage = "bad-time";
      else if (typeof values === "string") damage = values;
      else {
        const historical = false;
        emit({ kind: "trade", ...of, venueTimeUs, ...values, aggressorSide, tradeId, historical });
      }
    }
    return damage;
  }

  /** One answer for all markets; those that nobody knows are none of ours. */
  #tickers(body: JsonText, receivedTimeUs: number, emit: Emit): void {
    const list = asJsonArray(body);
    if (list === undefined) return reject(emit, "unknown-message");
    for (const item of list) {
      const ticker = asJsonObject(item);
      const name = asText(ticker?.["market"] ?? ticker?.["pair"]);
      if (ticker === undefined || name === undefined) {
        reject(emit, "missing-field");
        continue;
      }
      const instrument = this.#catalog.byVenueSymbol(venueSymbolOfName(name));
      if (instrument === undefined) continue;
      const of = { instrument, receivedTimeUs };
      judge(emitTicker(ticker, of, emit), of, "ticker", emit);
    }
  }

  #subscribed(channel: string, emit: Emit): void {
    const { name, venueSymbol } = splitChannel(channel);
    const published = CHANNELS_OF[name];
    if (published === undefined) return emit({ kind: "heartbeat" });
    for (const each of published) emit({ kind: "subscribed", venueSymbol, channel: each });
    const instrument = this.#catalog.byVenueSymbol(venueSymbol);
    if (instrument === undefined) return;
    if (published.includes("trades")) this.#trades.add(instrument);
    if (!published.includes("book")) return;
    if (!this.#books.has(instrument)) this.#books.set(instrument, undefined);
    if (!this.#renewed.delete(instrument)) return;
    emit({ kind: "rejected", reason: "missing-data", instrument, channel: "book" });
  }

  #tracker(instrument: Instrument): ScaleTracker {
    let tracker = this.#trackers.get(instrument);
    if (tracker === undefined) {
      tracker = new ScaleTracker();
      this.#trackers.set(instrument, tracker);
    }
    return tracker;
  }

  /**
   * Nothing numbers messages here, so what a damaged frame was about is read from what is left of
   * it. The channel stands behind the data: if it is gone, a book is known by its sides and a trade
   * by its id, but not whose they are.
   */
  #rejectDamaged(text: string, emit: Emit): void {
    const channel = /"channel"\s*:\s*"([a-z0-9_-]+)"/.exec(text)?.[1];
    const { name, venueSymbol } = splitChannel(channel ?? "");
    const published = CHANNELS_OF[name]?.[0];
    const instrument =
      published === undefined ? undefined : this.#catalog.byVenueSymbol(venueSymbol);
    if (published !== undefined && instrument !== undefined) {
      emit({ kind: "rejected", reason: "bad-json", instrument, channel: published });
      if (published === "trades") judge("missing-data", { instrument }, published, emit);
      return;
    }
    reject(emit, "bad-json");
    if (channel !== undefined || /^\{"event"|"market"\s*:/.test(text)) return;
    const isBook = /"(?:bids|asks)"\s*:/.test(text);
    const isTrade = /"(?:id|amount|price)(?:_str)?"\s*:/.test(text);
    const reason = "missing-data";
    if (!isTrade) {
      for (const each of this.#books.keys()) {
        emit({ kind: "rejected", reason, instrument: each, channel: "book" });
      }
    }
    if (isBook) return;
    for (const each of this.#trades) {
      emit({ kind: "rejected", reason, instrument: each, channel: "trades" });
    }
  }
}

function refuse(channel: string, data: JsonText | undefined, emit: Emit): void {
  const reason = asText(asJsonObject(data)?.["message"]) ?? "refused";
  const { name, venueSymbol } = splitChannel(channel);
  const [published] = CHANNELS_OF[name] ?? [];
  // Most errors name no channel.
  const named = published === undefined ? undefined : venueSymbol;
  emit({ kind: "refused", venueSymbol: named, channel: published, reason });
}

/** `diff_order_book_btcusd-perp` in its two parts. */
function splitChannel(channel: string): { readonly name: string; readonly venueSymbol: string } {
  const cut = channel.lastIndexOf("_");
  return { name: channel.slice(0, Math.max(0, cut)), venueSymbol: channel.slice(cut + 1) };
}

/** Counts what could not be read, with what was lost. */
function judge(
  reason: RejectReason | undefined,
  { instrument }: Pick<Subject, "instrument">,
  channel: Channel,
  emit: Emit,
): void {
  if (reason !== undefined) emit({ kind: "rejected", reason, instrument, channel });
}

function reject(emit: Emit, reason: RejectReason): void {
  emit({ kind: "rejected", reason });
}
