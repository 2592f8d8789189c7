// Kraken spot, WebSocket v2. Prices and sizes are bare JSON numbers whose trailing zeros count.
// https://docs.kraken.com/exchange/api-reference/spot-websocket
// https://docs.kraken.com/exchange/guides/websockets/book-checksum-v2
import { canonicalDecimal } from "@tickwire/proto/model";
import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { Channel, Instrument } from "#core/instrument.ts";
import { JsonTape, MISSING } from "#core/json-tape.ts";
import { asJsonObject, asText, parseJsonText, type JsonText } from "#core/json-text.ts";
import type { Candle } from "#core/market-event.ts";
import type {
  FeedAdapter,
  FeedDecoder,
  FeedDecoderContext,
  FeedEvent,
  RejectReason,
  RestResponse,
} from "../../feed/feed-adapter.ts";
import { CandleCloser } from "../../reading/candle-closer.ts";
import {
  planByInstrument,
  readQuoteValues,
  readTickerValues,
  readTradeValues,
  textOfFrame,
} from "../../reading/event-values.ts";
import {
  assetPairsRequest,
  deriveKrakenInstrument,
  isAssetPairsUrl,
  KRAKEN_BOOK_PROOF,
  KRAKEN_BOOK_SYNC,
  KRAKEN_CHANNELS,
  KRAKEN_LIMITS,
  KrakenScalesByInstrument,
  modernPairName,
  nearestBookDepth,
  parseAssetPairs,
} from "./instruments.ts";
import { krakenRequests } from "./requests.ts";
import {
  decodePairTrades,
  pairOfTradesUrl,
  pairTradesRequest,
  parseTime,
  timeRequest,
} from "./rest.ts";
import { isBadTime, parseIsoTimeUs } from "../../reading/venue-time.ts";

const VENUE = "kraken";

const LEVELS = { price: "price", size: "qty" };

/** Requests whose channel is remembered, to know what a refusal is about; the oldest go first. */
const REQUESTS_REMEMBERED_MAX = 1024;

type JsonObject = { readonly [key: string]: JsonText };
type Emit = (event: FeedEvent) => void;
type VenueChannel = "book" | "trade" | "ticker" | "ohlc";

/** What is published of a venue channel. */
const CHANNELS_OF: Readonly<Record<VenueChannel, readonly Channel[]>> = {
  book: ["book"],
  trade: ["trades"],
  ticker: ["quotes", "ticker"],
  ohlc: ["candles"],
};

/**
 * Kraken spot. Quotes and ticker are one channel of the venue: with quotes wanted it is asked for
 * at every change of the best bid and offer, for tickers alone at every trade.
 */
export const kraken: FeedAdapter = {
  venue: VENUE,
  title: "Kraken v2",
  documentation: ["https://docs.kraken.com/api/docs/websocket-v2/book"],
  channels: KRAKEN_CHANNELS,
  notes: { candles: "A candle is told as closed when the next one begins." },
  bookProof: KRAKEN_BOOK_PROOF,
  endpoints: { webSocket: "wss://ws.kraken.com/v2", rest: "https://api.kraken.com" },
  limits: KRAKEN_LIMITS,
  bookSync: KRAKEN_BOOK_SYNC,
  keepAlive: {
    intervalMs: 30_000,
    frame: (sequence) => JSON.stringify({ method: "ping", req_id: sequence }),
  },
  instrumentsRequests: (endpoints) => [assetPairsRequest(endpoints)],
  isInstrumentsUrl: isAssetPairsUrl,
  parseInstruments: (body) =>
    parseAssetPairs(body, { venue: VENUE, venueSymbolOf: modernPairName }),
  deriveInstrument: (venueSymbol) => deriveKrakenInstrument(venueSymbol, VENUE),
  planConnections: (subscriptions, endpoints) =>
    planByInstrument(subscriptions, {
      url: endpoints.webSocket,
      subscriptionsMax: KRAKEN_LIMITS.subscriptionsPerConnectionMax,
    }),
  subscribeFrames: (subscriptions, options) => krakenRequests("subscribe", subscriptions, options),
  unsubscribeFrames: (subscriptions, options) =>
    krakenRequests("unsubscribe", subscriptions, options),
  tradesRequest: (instrument, { endpoints }) => pairTradesRequest(instrument, endpoints),
  serverTimeRequest: timeRequest,
  parseServerTimeUs: parseTime,
  createDecoder: (context) => new KrakenDecoder(context),
};

class KrakenDecoder implements FeedDecoder {
  readonly #catalog: InstrumentCatalog;
  readonly #bookDepth: number;
  readonly #scales = new KrakenScalesByInstrument();
  readonly #candles = new CandleCloser();
  /** What acknowledgements said; the subscribed depth where there was none. */
  readonly #depths = new Map<string, number>();
  /**
   * Books of this connection: all of them may have lost something in a frame that cannot be read at
   * all.
   */
  readonly #books = new Set<Instrument>();
  readonly #requests = new Map<string, readonly Channel[]>();
  readonly #tape = new JsonTape();

  constructor(context: FeedDecoderContext) {
    this.#catalog = context.catalog;
    this.#bookDepth = nearestBookDepth(context.bookDepth);
  }

  sent(frame: string): void {
    const request = asJsonObject(parseJsonText(frame));
    const requestId = asText(request?.["req_id"]);
    const params = asJsonObject(request?.["params"]);
    if (requestId === undefined || params === undefined) return;
    this.#requests.set(requestId, channelsOf(params));
    if (this.#requests.size <= REQUESTS_REMEMBERED_MAX) return;
    for (const oldest of this.#requests.keys()) {
      this.#requests.delete(oldest);
      return;
    }
  }

  decode(frame: string | Uint8Array, receivedTimeUs: number, emit: Emit): void {
    const text = textOfFrame(frame);
    const tape = this.#tape;
    if (!tape.scan(text)) {
      this.#rejectDamaged(text, emit);
      return;
    }
    if (!tape.isObject(0)) {
      // Whole, and so not a book's message that was damaged.
      emit({ kind: "rejected", reason: "unknown-message" });
      return;
    }
    const snapshot = tape.equals(tape.get(0, "type"), "snapshot");
    switch (tape.text(tape.get(0, "channel")) ?? "") {
      case "book":
        this.#forEach("book", emit, (item, instrument) =>
          this.#book(item, instrument, snapshot, receivedTimeUs, emit),
        );
        return;
      case "trade":
        this.#forEach("trades", emit, (item, instrument) =>
          this.#trade(item, instrument, snapshot, receivedTimeUs, emit),
        );
        return;
      case "ticker":
        this.#forEach("ticker", emit, (item, instrument) =>
          this.#ticker(item, instrument, receivedTimeUs, emit),
        );
        return;
      case "ohlc":
        this.#forEach("candles", emit, (item, instrument) =>
          this.#candle(item, instrument, receivedTimeUs, (candle) =>
            this.#candles.take(candle, emit),
          ),
        );
        return;
      case "heartbeat":
      case "status":
      case "instrument":
        emit({ kind: "heartbeat" });
        return;
      default:
        this.#answer(asJsonObject(tape.value(0)) ?? {}, emit);
    }
  }

  decodeRest(response: RestResponse, receivedTimeUs: number, emit: Emit): void {
    const name = pairOfTradesUrl(response.url);
    const instrument = name === undefined ? undefined : this.#catalog.byVenueSymbol(name);
    if (instrument === undefined) {
      const reason = name === undefined ? "unknown-message" : "unknown-instrument";
      emit({ kind: "rejected", reason });
      return;
    }
    const tracker = this.#scales.of(instrument).ticks;
    decodePairTrades(response, { instrument, tracker, receivedTimeUs, emit });
  }

  /**
   * Calls `read` for each item of the message's data whose instrument is known; emits the reason it
   * returns.
   */
  #forEach(
    channel: Channel,
    emit: Emit,
    read: (item: number, instrument: Instrument) => RejectReason | undefined,
  ): void {
    const tape = this.#tape;
    const data = tape.get(0, "data");
    if (!tape.isArray(data)) {
      emit({ kind: "rejected", reason: "missing-field" });
      return;
    }
    for (let item = tape.first(data); item !== MISSING; item = tape.next(item)) {
      const symbol = tape.text(tape.get(item, "symbol"));
      if (symbol === undefined) {
        emit({ kind: "rejected", reason: "missing-field" });
        continue;
      }
      const instrument = this.#catalog.byVenueSymbol(symbol);
      if (instrument === undefined) {
        emit({ kind: "rejected", reason: "unknown-instrument" });
        continue;
      }
      const reason = read(item, instrument);
      if (reason !== undefined) emit({ kind: "rejected", reason, instrument, channel });
    }
  }

  #book(
    item: number,
    instrument: Instrument,
    snapshot: boolean,
    receivedTimeUs: number,
    emit: Emit,
  ): RejectReason | undefined {
    this.#books.add(instrument);
    const scales = this.#scales.of(instrument);
    if (snapshot) scales.startBook();
    const tape = this.#tape;
    const sides = { bids: tape.get(item, "bids"), asks: tape.get(item, "asks") };
    const checksum = tape.number(tape.get(item, "checksum"));
    if (sides.bids === MISSING || sides.asks === MISSING || !Number.isInteger(checksum)) {
      return "missing-field";
    }
    const venueTimeUs = parseIsoTimeUs(this.#text(item, "timestamp"));
    if (isBadTime(venueTimeUs)) return "bad-time";
    const columns = scales.book.bookFromTape(tape, sides, LEVELS);
    if (typeof columns === "string") return columns;
    emit({
      kind: "raw-book",
      instrument,
      venueTimeUs,
      receivedTimeUs,
      snapshot,
      source: "in-band",
      firstUpdateId: undefined,
      lastUpdateId: undefined,
      previousUpdateId: undefined,
      checksum,
      depth: this.#depths.get(instrument.venueSymbol) ?? this.#bookDepth,
      priceScale: scales.book.priceScale,
      sizeScale: scales.book.sizeScale,
      bids: columns.bids,
      asks: columns.asks,
    });
    return undefined;
  }

  #trade(
    item: number,
    instrument: Instrument,
    historical: boolean,
    receivedTimeUs: number,
    emit: Emit,
  ): RejectReason | undefined {
    const side = this.#text(item, "side");
    const tradeId = this.#text(item, "trade_id");
    if ((side !== "buy" && side !== "sell") || tradeId === undefined) return "missing-field";
    const venueTimeUs = parseIsoTimeUs(this.#text(item, "timestamp"));
    if (isBadTime(venueTimeUs)) return "bad-time";
    const { ticks } = this.#scales.of(instrument);
    const values = readTradeValues(ticks, this.#text(item, "price"), this.#text(item, "qty"));
    if (typeof values === "string") return values;
    emit({
      kind: "trade",
      instrument,
      venueTimeUs,
      receivedTimeUs,
      ...values,
      aggressorSide: side === "buy" ? "buyer" : "seller",
      tradeId,
      historical,
    });
    return undefined;
  }

  #ticker(
    item: number,
    instrument: Instrument,
    receivedTimeUs: number,
    emit: Emit,
  ): RejectReason | undefined {
    const venueTimeUs = parseIsoTimeUs(this.#text(item, "timestamp"));
    if (isBadTime(venueTimeUs)) return "bad-time";
    const common = { instrument, venueTimeUs, receivedTimeUs };
    const bidPrice = this.#text(item, "bid");
    const askPrice = this.#text(item, "ask");
    const quote = readQuoteValues(
      this.#scales.of(instrument).ticks,
      { price: bidPrice, size: this.#text(item, "bid_qty") },
      { price: askPrice, size: this.#text(item, "ask_qty") },
    );
    if (typeof quote === "string") return quote;
    const ticker = readTickerValues({
      lastPrice: this.#text(item, "last"),
      highPrice: this.#text(item, "high"),
      lowPrice: this.#text(item, "low"),
      volume: this.#text(item, "volume"),
      bidPrice,
      askPrice,
    });
    if (typeof ticker === "string") return ticker;
    emit({ kind: "quote", ...common, ...quote });
    emit({ kind: "ticker", ...common, ...ticker });
    return undefined;
  }

  #candle(
    item: number,
    instrument: Instrument,
    receivedTimeUs: number,
    emit: (candle: Candle) => void,
  ): RejectReason | undefined {
    const openTimeUs = parseIsoTimeUs(this.#text(item, "interval_begin"));
    const venueTimeUs = parseIsoTimeUs(this.#text(0, "timestamp"));
    const minutes = Number(this.#text(item, "interval") ?? Number.NaN);
    if (openTimeUs === undefined || !(minutes > 0)) return "missing-field";
    if (isBadTime(openTimeUs) || isBadTime(venueTimeUs)) return "bad-time";
    const intervalMs = minutes * 60_000;
    const open = this.#decimal(item, "open");
    const high = this.#decimal(item, "high");
    const low = this.#decimal(item, "low");
    const close = this.#decimal(item, "close");
    const volume = this.#decimal(item, "volume");
    if (open === undefined || high === undefined || low === undefined) return "bad-decimal";
    if (close === undefined || volume === undefined) return "bad-decimal";
    const trades = Number(this.#text(item, "trades") ?? Number.NaN);
    emit({
      kind: "candle",
      instrument,
      venueTimeUs,
      receivedTimeUs,
      intervalMs,
      openTimeUs,
      open,
      high,
      low,
      close,
      volume,
      quoteVolume: undefined,
      tradeCount: Number.isSafeInteger(trades) ? trades : undefined,
      // The venue never says so, but one whose end is not after the venue's own clock is over.
      closed: venueTimeUs !== undefined && venueTimeUs >= openTimeUs + intervalMs * 1000,
    });
    return undefined;
  }

  #decimal(item: number, key: string): string | undefined {
    const text = this.#text(item, key);
    return text === undefined ? undefined : canonicalDecimal(text);
  }

  #text(item: number, key: string): string | undefined {
    return this.#tape.text(this.#tape.get(item, key));
  }

  /** Acknowledgements, pongs and errors. */
  #answer(message: JsonObject, emit: Emit): void {
    const method = message["method"];
    const result = asJsonObject(message["result"]);
    if (method === "subscribe" && message["success"] === true && result !== undefined) {
      this.#acknowledged(result, emit);
    } else if (method === "subscribe" && message["success"] === false) {
      this.#refused(message, emit);
    } else if (method === "pong" || method === "unsubscribe") {
      emit({ kind: "heartbeat" });
    } else if (errorOf(message) !== undefined) {
      // A request that was not even read as one (`Malformed request`, `Exceeded msg rate`): which
      // subscriptions are missing shows by their silence, why only here.
      this.#refused(message, emit);
    } else {
      emit({ kind: "rejected", reason: "unknown-message" });
    }
  }

  #acknowledged(result: JsonObject, emit: Emit): void {
    const venueSymbol = asText(result["symbol"]);
    const channels = channelsOf(result);
    if (venueSymbol === undefined || channels.length === 0) {
      emit({ kind: "heartbeat" });
      return;
    }
    const depth = Number(asText(result["depth"]) ?? Number.NaN);
    if (result["channel"] === "book" && depth > 0) this.#depths.set(venueSymbol, depth);
    for (const channel of channels) emit({ kind: "subscribed", venueSymbol, channel });
  }

  #refused(message: JsonObject, emit: Emit): void {
    const reason = errorOf(message) ?? "refused";
    if (/already subscribed/i.test(reason)) {
      emit({ kind: "heartbeat" });
      return;
    }
    const venueSymbol = asText(message["symbol"]);
    const channels = this.#requests.get(asText(message["req_id"]) ?? "") ?? [];
    if (channels.length === 0) emit({ kind: "refused", venueSymbol, channel: undefined, reason });
    for (const channel of channels) emit({ kind: "refused", venueSymbol, channel, reason });
  }

  /**
   * Nothing numbers messages here: what a damaged frame was about must be found out, or every book
   * may be wrong.
   */
  #rejectDamaged(text: string, emit: Emit): void {
    const venueChannel = /"channel"\s*:\s*"([a-z]+)"/.exec(text)?.[1];
    const symbol = /"symbol"\s*:\s*"([^"\\]+)"/.exec(text)?.[1];
    const instrument = symbol === undefined ? undefined : this.#catalog.byVenueSymbol(symbol);
    const channel = isVenueChannel(venueChannel) ? CHANNELS_OF[venueChannel][0] : undefined;
    if (channel !== undefined && instrument !== undefined) {
      emit({ kind: "rejected", reason: "bad-json", instrument, channel });
      return;
    }
    emit({ kind: "rejected", reason: "bad-json" });
    if (venueChannel !== undefined && venueChannel !== "book") return;
    for (const book of this.#books) {
      emit({ kind: "rejected", reason: "missing-data", instrument: book, channel: "book" });
    }
  }
}

/** Errors outside the acknowledgements are said to be spelt with a capital letter. */
function errorOf(message: JsonObject): string | undefined {
  return asText(message["error"]) ?? asText(message["Error"]);
}

/** What is published of the channel that subscription parameters name. */
function channelsOf(params: JsonObject): readonly Channel[] {
  const channel = params["channel"];
  if (!isVenueChannel(channel)) return [];
  const tradesOnly = channel === "ticker" && params["event_trigger"] !== "bbo";
  return tradesOnly ? ["ticker"] : CHANNELS_OF[channel];
}

function isVenueChannel(channel: JsonText | undefined): channel is VenueChannel {
  return typeof channel === "string" && Object.hasOwn(CHANNELS_OF, channel);
}
