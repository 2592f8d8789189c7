// Gemini's feed before the current one, "Market data version 2". When it ends is not announced.
// https://docs.gemini.com/websocket-api/#market-data-version-2
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
  FeedAdapter,
  FeedDecoder,
  FeedDecoderContext,
  FeedEvent,
  FeedLimits,
  FeedSubscription,
  RejectReason,
  RestResponse,
} from "../feed/feed-adapter.ts";
import { readCandleValues } from "./candle-values.ts";
import { planByInstrument, readTradeValues, textOfFrame } from "./event-values.ts";
import {
  deriveGeminiInstrument,
  geminiSymbolsRequest,
  isGeminiSymbolsUrl,
  parseGeminiSymbols,
} from "./gemini-family.ts";
import { ScaleTracker } from "./scale-tracker.ts";
import { millisecondsTimeUs } from "./text-fields.ts";
import { isBadTime } from "./venue-time.ts";

const NAMING = { venue: "gemini-v2", venueSymbolOf: (listed: string) => listed.toUpperCase() };

type Emit = (event: FeedEvent) => void;
type JsonObject = { readonly [key: string]: JsonText };

/** The venue publishes REST limits only (120 a minute); the others are guesses. */
const LIMITS: FeedLimits = {
  subscriptionsPerConnectionMax: 300,
  outgoingFrames: { count: 5, intervalMs: 1000 },
  restWeight: { count: 60, intervalMs: 60_000 },
  connects: { count: 1, intervalMs: 1000 },
  silenceMsMax: { book: 120_000 },
  // Heartbeats come every five seconds.
  connectionSilenceMsMax: 30_000,
  connectionAgeMsMax: undefined,
};

const FEED_OF: Partial<Record<Channel, string>> = {
  trades: "l2",
  book: "l2",
  candles: "candles_1m",
};

const CANDLE_INTERVALS_MS: Readonly<Record<string, number>> = {
  candles_1m_updates: 60_000,
  candles_5m_updates: 300_000,
  candles_15m_updates: 900_000,
  candles_30m_updates: 1_800_000,
  candles_1h_updates: 3_600_000,
  candles_6h_updates: 21_600_000,
  candles_1d_updates: 86_400_000,
};

/** Books and trades are one subscription there, and nothing is numbered. */
export const geminiV2: FeedAdapter = {
  venue: "gemini-v2",
  title: "Gemini market data v2",
  documentation: ["https://docs.gemini.com/websocket-api/#market-data-version-2"],
  channels: ["trades", "book", "candles"],
  notes: {
    trades: "Come with the book: the first message of a book holds the last ones.",
    book: "The venue gives no time.",
    candles:
      "The venue gives neither its time nor whether a candle is over: all but the newest are.",
  },
  bookProof: {
    order: "none",
    content: "none",
    note: "Neither numbers nor checksums: only the order of TCP and a crossed book show a loss.",
  },
  endpoints: {
    webSocket: "wss://api.gemini.com/v2/marketdata",
    rest: "https://api.gemini.com",
  },
  limits: LIMITS,
  bookSync: { snapshot: "in-band" },
  instrumentsRequests: (endpoints) => [geminiSymbolsRequest(endpoints)],
  isInstrumentsUrl: isGeminiSymbolsUrl,
  parseInstruments: (body) => parseGeminiSymbols(body, NAMING),
  deriveInstrument: (venueSymbol) => deriveGeminiInstrument(venueSymbol, NAMING),
  planConnections: (subscriptions, endpoints) =>
    planByInstrument(subscriptions, {
      url: endpoints.webSocket,
      subscriptionsMax: LIMITS.subscriptionsPerConnectionMax,
    }),
  subscribeFrames: (subscriptions) => frames("subscribe", subscriptions),
  unsubscribeFrames: (subscriptions) => frames("unsubscribe", subscriptions),
  createDecoder: (context) => new GeminiV2Decoder(context),
};

/** One pair a frame, because a refusal is of a whole frame. */
function frames(
  type: "subscribe" | "unsubscribe",
  subscriptions: readonly FeedSubscription[],
): readonly string[] {
  const byPair = new Map<string, Set<string>>();
  for (const { instrument, channel } of subscriptions) {
    const feed = FEED_OF[channel];
    if (feed === undefined) continue;
    const name = instrument.venueSymbol;
    byPair.set(name, (byPair.get(name) ?? new Set<string>()).add(feed));
  }
  return [...byPair].map(([pair, names]) => {
    const list = [...names].map((name) => ({ name, symbols: [pair] }));
    return JSON.stringify({ type, subscriptions: list });
  });
}

class GeminiV2Decoder implements FeedDecoder {
  readonly #catalog: InstrumentCatalog;
  readonly #scales = new Map<Instrument, ScaleTracker>();
  readonly #books = new Set<Instrument>();

  constructor(context: FeedDecoderContext) {
    this.#catalog = context.catalog;
  }

  decode(frame: string | Uint8Array, receivedTimeUs: number, emit: Emit): void {
    const text = textOfFrame(frame);
    const json = parseJsonText(text);
    if (json === undefined) return this.#rejectDamaged(text, emit);
    const message = asJsonObject(json);
    if (message === undefined) return reject(emit, "unknown-message");
    const type = asText(message["type"]) ?? "";
    if (type === "l2_updates") return this.#level2(message, receivedTimeUs, emit);
    if (type === "trade") return this.#trade(message, false, receivedTimeUs, emit);
    if (Object.hasOwn(CANDLE_INTERVALS_MS, type)) {
      return this.#candles(message, type, receivedTimeUs, emit);
    }
    if (type === "heartbeat" || type === "subscription_ack" || isAuction(type)) {
      return emit({ kind: "heartbeat" });
    }
    if (message["result"] === "error" || type === "error") {
      const reason = asText(message["message"]) ?? asText(message["reason"]) ?? "refused";
      return emit({ kind: "refused", venueSymbol: undefined, channel: undefined, reason });
    }
    reject(emit, "unknown-message");
  }

  decodeRest(_response: RestResponse, _receivedTimeUs: number, emit: Emit): void {
    // Nothing but the list of symbols is asked for over REST.
    reject(emit, "unknown-message");
  }

  #instrumentOf(message: JsonObject, emit: Emit): Instrument | undefined {
    const symbol = asText(message["symbol"]);
    if (symbol === undefined) {
      reject(emit, "missing-field");
      return undefined;
    }
    const instrument = this.#catalog.byVenueSymbol(symbol.toUpperCase());
    if (instrument === undefined) reject(emit, "unknown-instrument");
    return instrument;
  }

  /** The first message of a book is whole, and has the last trades and auctions with it. */
  #level2(message: JsonObject, receivedTimeUs: number, emit: Emit): void {
    const instrument = this.#instrumentOf(message, emit);
    if (instrument === undefined) return;
    this.#books.add(instrument);
    const trades = asJsonArray(message["trades"]);
    const snapshot = trades !== undefined || message["auction_events"] !== undefined;
    const reason = this.#book(message, { instrument, snapshot, receivedTimeUs }, emit);
    if (reason !== undefined) emit({ kind: "rejected", reason, instrument, channel: "book" });
    for (const entry of inOrder(trades ?? [])) {
      this.#trade(asJsonObject(entry) ?? {}, true, receivedTimeUs, emit);
    }
  }

  #book(
    message: JsonObject,
    context: {
      readonly instrument: Instrument;
      readonly snapshot: boolean;
      readonly receivedTimeUs: number;
    },
    emit: Emit,
  ): RejectReason | undefined {
    const sides = sidesOf(message["changes"]);
    if (sides === undefined) return "missing-field";
    const scales = this.#scalesOf(context.instrument);
    const columns = scales.book(sides.bids, sides.asks);
    if (typeof columns === "string") return columns;
    emit({
      kind: "raw-book",
      ...context,
      venueTimeUs: undefined,
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
    return undefined;
  }

  #trade(item: JsonObject, historical: boolean, receivedTimeUs: number, emit: Emit): void {
    const instrument = this.#instrumentOf(item, emit);
    if (instrument === undefined) return;
    const spoil = (reason: RejectReason): void =>
      emit({ kind: "rejected", reason, instrument, channel: "trades" });
    const tradeId = asText(item["event_id"]);
    const { side } = item;
    if (tradeId === undefined || (side !== "buy" && side !== "sell")) return spoil("missing-field");
    const venueTimeUs = millisecondsTimeUs(item["timestamp"]);
    if (isBadTime(venueTimeUs)) return spoil("bad-time");
    const values = readTradeValues(this.#scalesOf(instrument), item["price"], item["quantity"]);
    if (typeof values === "string") return spoil(values);
    const aggressorSide = side === "buy" ? "buyer" : "seller";
    const common = { instrument, venueTimeUs, receivedTimeUs, aggressorSide } as const;
    emit({ kind: "trade", ...common, ...values, tradeId, historical });
  }

  /** Newest first, as rows of time, open, high, low, close and volume. */
  #candles(message: JsonObject, type: string, receivedTimeUs: number, emit: Emit): void {
    const instrument = this.#instrumentOf(message, emit);
    if (instrument === undefined) return;
    const rows = (asJsonArray(message["changes"]) ?? []).map((row) => asJsonArray(row) ?? []);
    const spoil = (reason: RejectReason): void =>
      emit({ kind: "rejected", reason, instrument, channel: "candles" });
    if (rows.length === 0) return spoil("missing-field");
    const times = rows.map(([time]) => millisecondsTimeUs(time));
    const newest = Math.max(...times.map((time) => time ?? 0));
    for (const [index, row] of [...rows.entries()].toReversed()) {
      const openTimeUs = times[index];
      const [, open, high, low, close, volume] = row;
      const values = readCandleValues({ open, high, low, close, volume });
      if (openTimeUs === undefined) spoil("missing-field");
      else if (isBadTime(openTimeUs)) spoil("bad-time");
      else if (typeof values === "string") spoil(values);
      else {
        emit({
          kind: "candle",
          instrument,
          venueTimeUs: undefined,
          receivedTimeUs,
          intervalMs: CANDLE_INTERVALS_MS[type] ?? 0,
          openTimeUs,
          ...values,
          quoteVolume: undefined,
          tradeCount: undefined,
          closed: openTimeUs < newest,
        });
      }
    }
  }

  #scalesOf(instrument: Instrument): ScaleTracker {
    let scales = this.#scales.get(instrument);
    if (scales === undefined) {
      scales = new ScaleTracker();
      this.#scales.set(instrument, scales);
    }
    return scales;
  }

  /**
   * Nothing is numbered: what a damaged frame was about must be found out, or every book may be
   * wrong.
   */
  #rejectDamaged(text: string, emit: Emit): void {
    const type = /"type"\s*:\s*"([a-z0-9_]+)"/.exec(text)?.[1];
    const symbol = /"symbol"\s*:\s*"([^"\\]+)"/.exec(text)?.[1]?.toUpperCase();
    const instrument = symbol === undefined ? undefined : this.#catalog.byVenueSymbol(symbol);
    if (instrument !== undefined && (type === "l2_updates" || type === "trade")) {
      const channel = type === "trade" ? "trades" : "book";
      emit({ kind: "rejected", reason: "bad-json", instrument, channel });
      return;
    }
    emit({ kind: "rejected", reason: "bad-json" });
    if (type !== undefined && type !== "l2_updates") return;
    for (const book of this.#books) {
      emit({ kind: "rejected", reason: "missing-data", instrument: book, channel: "book" });
    }
  }
}

/** Auctions and block trades are made outside the book. */
function isAuction(type: string): boolean {
  return type.startsWith("auction_") || type === "block_trade";
}

function reject(emit: Emit, reason: RejectReason): void {
  emit({ kind: "rejected", reason });
}

function inOrder(trades: readonly JsonText[]): readonly JsonText[] {
  const first = Number(asText(asJsonObject(trades[0])?.["event_id"]));
  const last = Number(asText(asJsonObject(trades.at(-1))?.["event_id"]));
  return first > last ? trades.toReversed() : trades;
}

function sidesOf(
  changes: JsonText | undefined,
): { readonly bids: readonly unknown[]; readonly asks: readonly unknown[] } | undefined {
  const rows = asJsonArray(changes);
  if (rows === undefined) return undefined;
  const bids: unknown[] = [];
  const asks: unknown[] = [];
  for (const entry of rows) {
    const [side, price, size] = asJsonArray(entry) ?? [];
    if (side === "buy") bids.push([price, size]);
    else if (side === "sell") asks.push([price, size]);
    else return undefined;
  }
  return { bids, asks };
}
