// Kraken spot, WebSocket v1: frozen, still served. Data are arrays whose last two elements name
// channel and pair.
// https://docs.kraken.com/exchange/api-reference/spot-websocket-v1/book
// https://docs.kraken.com/exchange/guides/websockets/book-checksum-v1
import { canonicalDecimal } from "@tickwire/proto/model";
import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { Channel, Instrument } from "#core/instrument.ts";
import type { Candle } from "#core/market-event.ts";
import type {
  FeedAdapter,
  FeedDecoder,
  FeedDecoderContext,
  FeedEvent,
  FeedSubscribeOptions,
  FeedSubscription,
  RejectReason,
} from "../../../feed/feed-adapter.ts";
import { CandleCloser } from "../../../reading/candle-closer.ts";
import {
  planByInstrument,
  readQuoteValues,
  readTickerValues,
  readTradeValues,
  textOfFrame,
} from "../../../reading/event-values.ts";
import {
  assetPairsRequest,
  deriveKrakenInstrument,
  isAssetPairsUrl,
  KRAKEN_BOOK_PROOF,
  KRAKEN_BOOK_SYNC,
  KRAKEN_CHANNELS,
  KRAKEN_LIMITS,
  KrakenScalesByInstrument,
  nearestBookDepth,
  parseAssetPairs,
} from "../instruments.ts";
import { isBadTime, parseSecondsTimeUs } from "../../../reading/venue-time.ts";

const VENUE = "kraken-v1";
const PAIRS_PER_FRAME_MAX = 100;
const CHECKSUM_MAX = 0xffff_ffff;
const CANDLE_INTERVAL_MINUTES = 1;

type Emit = (event: FeedEvent) => void;
type JsonObject = Readonly<Record<string, unknown>>;
type VenueChannel = "trade" | "spread" | "book" | "ticker" | "ohlc";

/** What is published of a venue channel. Ticker also gives quotes where no spread channel does. */
const CHANNEL_OF: Readonly<Record<VenueChannel, Channel>> = {
  trade: "trades",
  spread: "quotes",
  book: "book",
  ticker: "ticker",
  ohlc: "candles",
};

const VENUE_CHANNEL_OF: Partial<Record<Channel, VenueChannel>> = {
  trades: "trade",
  quotes: "spread",
  book: "book",
  ticker: "ticker",
  candles: "ohlc",
};

/** Kraken spot over its first protocol. Trades have no id; snapshots of books have no checksum. */
export const krakenV1: FeedAdapter = {
  venue: VENUE,
  title: "Kraken v1",
  documentation: ["https://docs.kraken.com/api/docs/websocket-v1/book"],
  channels: KRAKEN_CHANNELS,
  notes: { candles: "A candle is told as closed when the next one begins." },
  bookProof: KRAKEN_BOOK_PROOF,
  endpoints: { webSocket: "wss://ws.kraken.com", rest: "https://api.kraken.com" },
  limits: KRAKEN_LIMITS,
  bookSync: KRAKEN_BOOK_SYNC,
  keepAlive: {
    intervalMs: 30_000,
    frame: (sequence) => JSON.stringify({ event: "ping", reqid: sequence }),
  },
  instrumentsRequests: (endpoints) => [assetPairsRequest(endpoints)],
  isInstrumentsUrl: isAssetPairsUrl,
  parseInstruments: (body) =>
    parseAssetPairs(body, { venue: VENUE, venueSymbolOf: (wsname) => wsname }),
  deriveInstrument: (venueSymbol) => deriveKrakenInstrument(venueSymbol, VENUE),
  planConnections: (subscriptions, endpoints) =>
    planByInstrument(subscriptions, {
      url: endpoints.webSocket,
      subscriptionsMax: KRAKEN_LIMITS.subscriptionsPerConnectionMax,
    }),
  subscribeFrames: (subscriptions, options) => frames("subscribe", subscriptions, options),
  unsubscribeFrames: (subscriptions, options) => frames("unsubscribe", subscriptions, options),
  createDecoder: (context) => new KrakenV1Decoder(context),
};

function frames(
  event: "subscribe" | "unsubscribe",
  subscriptions: readonly FeedSubscription[],
  options: FeedSubscribeOptions,
): readonly string[] {
  const pairs = new Map<VenueChannel, string[]>();
  for (const { instrument, channel } of subscriptions) {
    const name = VENUE_CHANNEL_OF[channel];
    if (name === undefined) continue;
    const wanted = pairs.get(name);
    if (wanted === undefined) pairs.set(name, [instrument.venueSymbol]);
    else wanted.push(instrument.venueSymbol);
  }
  const result: string[] = [];
  for (const [name, wanted] of pairs) {
    const subscription = {
      name,
      ...(name === "book" ? { depth: nearestBookDepth(options.bookDepth) } : {}),
      ...(name === "ohlc" ? { interval: CANDLE_INTERVAL_MINUTES } : {}),
    };
    for (let start = 0; start < wanted.length; start += PAIRS_PER_FRAME_MAX) {
      const pair = wanted.slice(start, start + PAIRS_PER_FRAME_MAX);
      const reqid = options.requestId + result.length;
      result.push(JSON.stringify({ event, reqid, pair, subscription }));
    }
  }
  return result;
}

class KrakenV1Decoder implements FeedDecoder {
  readonly #catalog: InstrumentCatalog;
  readonly #bookDepth: number;
  readonly #scales = new KrakenScalesByInstrument();
  readonly #candles = new CandleCloser();
  /**
   * Books of this connection: all of them may have lost something in a frame that cannot be read at
   * all.
   */
  readonly #books = new Set<Instrument>();
  /** Instruments whose quotes come from the spread channel, at every change and with a time. */
  readonly #spreads = new Set<Instrument>();

  constructor(context: FeedDecoderContext) {
    this.#catalog = context.catalog;
    this.#bookDepth = nearestBookDepth(context.bookDepth);
  }

  decode(frame: string | Uint8Array, receivedTimeUs: number, emit: Emit): void {
    const text = textOfFrame(frame);
    let message: unknown;
    try {
      // Every decimal is quoted. Connection ids are beyond 2^53 and come out rounded; nobody reads
      // them.
      message = JSON.parse(text);
    } catch {
      this.#rejectDamaged(text, emit);
      return;
    }
    if (Array.isArray(message)) this.#data(message, receivedTimeUs, emit);
    else if (isObject(message)) this.#event(message, emit);
    else emit({ kind: "rejected", reason: "unknown-message" });
  }

  decodeRest(): void {
    // Books start in-band; nothing else is asked for over REST.
  }

  #data(message: readonly unknown[], receivedTimeUs: number, emit: Emit): void {
    const pair = message.at(-1);
    const name = message.at(-2);
    if (message.length < 4 || typeof pair !== "string" || typeof name !== "string") {
      emit({ kind: "rejected", reason: "unknown-message" });
      return;
    }
    const dash = name.indexOf("-");
    const venueChannel = dash < 0 ? name : name.slice(0, dash);
    if (!isVenueChannel(venueChannel)) {
      emit({ kind: "rejected", reason: "unknown-message" });
      return;
    }
    const instrument = this.#catalog.byVenueSymbol(pair);
    if (instrument === undefined) {
      emit({ kind: "rejected", reason: "unknown-instrument" });
      return;
    }
    const suffix = dash < 0 ? Number.NaN : Number(name.slice(dash + 1));
    const reason = this.#read(venueChannel, message, { instrument, suffix, receivedTimeUs }, emit);
    if (reason === undefined) return;
    emit({ kind: "rejected", reason, instrument, channel: CHANNEL_OF[venueChannel] });
  }

  #read(
    venueChannel: VenueChannel,
    message: readonly unknown[],
    about: About,
    emit: Emit,
  ): RejectReason | undefined {
    switch (venueChannel) {
      case "book":
        return this.#book(message, about, emit);
      case "trade":
        return this.#trades(message[1], about, emit);
      case "ticker":
        return this.#ticker(message[1], about, emit);
      case "spread":
        return this.#spread(message[1], about, emit);
      case "ohlc":
        return candle(message[1], about, (event) => this.#candles.take(event, emit));
    }
  }

  /** Bids and asks of an update may come in one object each; the checksum is in the last. */
  #book(message: readonly unknown[], about: About, emit: Emit): RejectReason | undefined {
    const { instrument, receivedTimeUs } = about;
    this.#books.add(instrument);
    const first = message[1];
    const second = message.length > 4 ? message[2] : undefined;
    if (!isObject(first) || (second !== undefined && !isObject(second))) return "missing-field";
    const snapshot = "as" in first || "bs" in first;
    const bids = sideOf(first, second, snapshot ? "bs" : "b");
    const asks = sideOf(first, second, snapshot ? "as" : "a");
    if (bids === undefined && asks === undefined) return "missing-field";
    if (!Array.isArray(bids ?? []) || !Array.isArray(asks ?? [])) return "missing-field";
    const checksum = checksumOf(second?.["c"] ?? first["c"]);
    if (checksum !== undefined && Number.isNaN(checksum)) return "missing-field";
    const bidLevels = (bids ?? NONE) as readonly unknown[];
    const askLevels = (asks ?? NONE) as readonly unknown[];
    const venueTimeUs = latestTimeUs(bidLevels, askLevels);
    if (isBadTime(venueTimeUs)) return "bad-time";
    const scales = this.#scales.of(instrument);
    if (snapshot) scales.startBook();
    const columns = scales.book.book(bidLevels, askLevels);
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
      depth: about.suffix > 0 ? about.suffix : this.#bookDepth,
      priceScale: scales.book.priceScale,
      sizeScale: scales.book.sizeScale,
      bids: columns.bids,
      asks: columns.asks,
    });
    return undefined;
  }

  #trades(rows: unknown, about: About, emit: Emit): RejectReason | undefined {
    if (!Array.isArray(rows)) return "missing-field";
    let damaged: RejectReason | undefined;
    for (const row of rows) damaged = this.#trade(row, about, emit) ?? damaged;
    return damaged;
  }

  /** `[price, volume, time, side, order type, misc]` */
  #trade(row: unknown, about: About, emit: Emit): RejectReason | undefined {
    if (!Array.isArray(row) || (row[3] !== "b" && row[3] !== "s")) return "missing-field";
    const { instrument, receivedTimeUs } = about;
    const venueTimeUs = parseSecondsTimeUs(row[2]);
    if (isBadTime(venueTimeUs)) return "bad-time";
    const values = readTradeValues(this.#scales.of(instrument).ticks, row[0], row[1]);
    if (typeof values === "string") return values;
    emit({
      kind: "trade",
      instrument,
      venueTimeUs,
      receivedTimeUs,
      ...values,
      aggressorSide: row[3] === "b" ? "buyer" : "seller",
      tradeId: "",
      historical: false,
    });
    return undefined;
  }

  /** `[bid, ask, time, bid volume, ask volume]` */
  #spread(row: unknown, about: About, emit: Emit): RejectReason | undefined {
    if (!Array.isArray(row) || row.length < 5) return "missing-field";
    const { instrument, receivedTimeUs } = about;
    this.#spreads.add(instrument);
    const venueTimeUs = parseSecondsTimeUs(row[2]);
    if (isBadTime(venueTimeUs)) return "bad-time";
    const quote = readQuoteValues(
      this.#scales.of(instrument).ticks,
      { price: row[0], size: row[3] },
      { price: row[1], size: row[4] },
    );
    if (typeof quote === "string") return quote;
    emit({ kind: "quote", instrument, venueTimeUs, receivedTimeUs, ...quote });
    return undefined;
  }

  /**
   * Pairs of today's and the last 24 hours' values; best bid and offer are `[price, whole lots,
   * volume]`.
   */
  #ticker(fields: unknown, about: About, emit: Emit): RejectReason | undefined {
    if (!isObject(fields)) return "missing-field";
    const { instrument, receivedTimeUs } = about;
    const common = { instrument, venueTimeUs: undefined, receivedTimeUs };
    const { a: ask, b: bid, c: last } = fields;
    if (!Array.isArray(ask) || !Array.isArray(bid) || !Array.isArray(last)) return "missing-field";
    const quote = readQuoteValues(
      this.#scales.of(instrument).ticks,
      { price: bid[0], size: bid[2] },
      { price: ask[0], size: ask[2] },
    );
    if (typeof quote === "string") return quote;
    const ticker = readTickerValues({
      lastPrice: last[0],
      lastSize: last[1],
      openPrice: element(fields["o"], 1),
      highPrice: element(fields["h"], 1),
      lowPrice: element(fields["l"], 1),
      volume: element(fields["v"], 1),
      bidPrice: bid[0],
      askPrice: ask[0],
    });
    if (typeof ticker === "string") return ticker;
    if (!this.#spreads.has(instrument)) emit({ kind: "quote", ...common, ...quote });
    emit({ kind: "ticker", ...common, ...ticker });
    return undefined;
  }

  #event(message: JsonObject, emit: Emit): void {
    switch (message["event"]) {
      case "heartbeat":
      case "pong":
      case "systemStatus":
        emit({ kind: "heartbeat" });
        return;
      case "subscriptionStatus":
        this.#subscriptionStatus(message, emit);
        return;
      case "error": {
        // A request that was not even read as one, such as too many of them at once.
        const reason = message["errorMessage"];
        emit({
          kind: "refused",
          venueSymbol: undefined,
          channel: undefined,
          reason: typeof reason === "string" ? reason : "refused",
        });
        return;
      }
      default:
        emit({ kind: "rejected", reason: "unknown-message" });
    }
  }

  #subscriptionStatus(message: JsonObject, emit: Emit): void {
    const { pair, status, subscription, errorMessage } = message;
    const name = isObject(subscription) ? subscription["name"] : undefined;
    const channel = isVenueChannel(name) ? CHANNEL_OF[name] : undefined;
    const venueSymbol = typeof pair === "string" ? pair : undefined;
    if (status === "error") {
      const reason = typeof errorMessage === "string" ? errorMessage : "refused";
      if (/already subscribed|not subscribed/i.test(reason)) emit({ kind: "heartbeat" });
      else emit({ kind: "refused", venueSymbol, channel, reason });
    } else if (status === "subscribed" && venueSymbol !== undefined && channel !== undefined) {
      const instrument = this.#catalog.byVenueSymbol(venueSymbol);
      // Its first snapshot may be the one that cannot be read.
      if (channel === "book" && instrument !== undefined) this.#books.add(instrument);
      emit({ kind: "subscribed", venueSymbol, channel });
    } else if (status === "unsubscribed" && message["reqid"] === undefined) {
      // All our requests have an id, which answers repeat: this one the venue began by itself.
      emit({ kind: "refused", venueSymbol, channel, reason: "unsubscribed by the venue" });
    } else {
      emit({ kind: "heartbeat" });
    }
  }

  /**
   * Nothing numbers messages here: what a damaged frame was about must be found out, or every book
   * may be wrong.
   */
  #rejectDamaged(text: string, emit: Emit): void {
    const names = /"(book|trade|ticker|spread|ohlc)(?:-\d+)?"\s*,\s*"([^"\\]+)"/.exec(text);
    const venueChannel = names?.[1];
    const instrument = names?.[2] === undefined ? undefined : this.#catalog.byVenueSymbol(names[2]);
    if (isVenueChannel(venueChannel) && instrument !== undefined) {
      const channel = CHANNEL_OF[venueChannel];
      emit({ kind: "rejected", reason: "bad-json", instrument, channel });
      return;
    }
    emit({ kind: "rejected", reason: "bad-json" });
    if (text.startsWith("{")) return;
    for (const book of this.#books) {
      emit({ kind: "rejected", reason: "missing-data", instrument: book, channel: "book" });
    }
  }
}

/** What a data message is about. */
type About = {
  readonly instrument: Instrument;
  /** The number at the end of the channel's name: depth or interval. NaN if there is none. */
  readonly suffix: number;
  readonly receivedTimeUs: number;
};

/** `[time, end, open, high, low, close, average, volume, trades]` */
function candle(
  row: unknown,
  about: About,
  emit: (event: Candle) => void,
): RejectReason | undefined {
  if (!Array.isArray(row) || !(about.suffix > 0)) return "missing-field";
  const venueTimeUs = parseSecondsTimeUs(row[0]);
  const endTimeUs = parseSecondsTimeUs(row[1]);
  if (endTimeUs === undefined) return "missing-field";
  if (isBadTime(venueTimeUs) || isBadTime(endTimeUs)) return "bad-time";
  const intervalMs = about.suffix * 60_000;
  const [open, high, low, close, , volume] = row.slice(2).map(decimalOf);
  if (open === undefined || high === undefined || low === undefined) return "bad-decimal";
  if (close === undefined || volume === undefined) return "bad-decimal";
  emit({
    kind: "candle",
    instrument: about.instrument,
    venueTimeUs,
    receivedTimeUs: about.receivedTimeUs,
    intervalMs,
    openTimeUs: endTimeUs - intervalMs * 1000,
    open,
    high,
    low,
    close,
    volume,
    quoteVolume: undefined,
    tradeCount: Number.isSafeInteger(row[8]) ? (row[8] as number) : undefined,
    closed: false,
  });
  return undefined;
}

const NONE: readonly unknown[] = [];

function sideOf(first: JsonObject, second: JsonObject | undefined, key: string): unknown {
  return first[key] ?? second?.[key];
}

function checksumOf(text: unknown): number | undefined {
  if (text === undefined) return undefined;
  const checksum = typeof text === "string" && /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  return checksum <= CHECKSUM_MAX ? checksum : Number.NaN;
}

/** When the newest level changed; levels that come back into view keep their old time. */
function latestTimeUs(bids: readonly unknown[], asks: readonly unknown[]): number | undefined {
  let latest: number | undefined;
  for (const levels of [bids, asks]) {
    for (const level of levels) {
      const timeUs = parseSecondsTimeUs(element(level, 2));
      if (timeUs === undefined) continue;
      if (!(latest !== undefined && latest >= timeUs)) latest = timeUs;
      if (Number.isNaN(timeUs)) return timeUs;
    }
  }
  return latest;
}

function element(value: unknown, index: number): unknown {
  return Array.isArray(value) ? (value as readonly unknown[])[index] : undefined;
}

function decimalOf(value: unknown): string | undefined {
  return typeof value === "string" ? canonicalDecimal(value) : undefined;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isVenueChannel(name: unknown): name is VenueChannel {
  return typeof name === "string" && Object.hasOwn(CHANNEL_OF, name);
}
