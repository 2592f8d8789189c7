// https://docs.gemini.com/websocket-api/#market-data-version-2
// https://developer.gemini.com/websocket/archived/v2.md
import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { Channel, Instrument } from "#core/instrument.ts";
import {
  asJsonArray,
  asJsonObject,
  asText,
  parseJsonText,
  type JsonText,
} from "#core/json-text.ts";
import type { AggressorSide } from "#core/market-event.ts";
import type {
  FeedDecoder,
  FeedDecoderContext,
  FeedEvent,
  RejectReason,
  RestResponse,
} from "../../../feed/feed-adapter.ts";
import { CandleCloser } from "../../../reading/candle-closer.ts";
import { readCandleValues } from "../../../reading/candle-values.ts";
import { readTradeValues } from "../../../reading/event-values.ts";
import { textOfFrame } from "../../../reading/frame-text.ts";
import { nanosecondsTimeUs } from "../requests.ts";
import { decodeGeminiRisk } from "../risk.ts";
import { ScaleTracker } from "../../../reading/scale-tracker.ts";
import { decimalText, millisecondsTimeUs } from "../../../reading/text-fields.ts";
import { isBadTime } from "../../../reading/venue-time.ts";

type Emit = (event: FeedEvent) => void;
type JsonObject = { readonly [key: string]: JsonText };

const CANDLE_INTERVALS_MS: Readonly<Record<string, number>> = {
  candles_1m_updates: 60_000,
  candles_5m_updates: 300_000,
  candles_15m_updates: 900_000,
  candles_30m_updates: 1_800_000,
  candles_1h_updates: 3_600_000,
  candles_6h_updates: 21_600_000,
  candles_1d_updates: 86_400_000,
};

/** What is told of no channel of ours. Auctions and block trades are made outside the book. */
const SIGNS_OF_LIFE =
  /^(?:heartbeat|subscription_ack|funding_amount_updates|block_trade|auction_\w*)$/;

/** Decodes one connection. Nothing on it is numbered. */
export class GeminiV2Decoder implements FeedDecoder {
  readonly #catalog: InstrumentCatalog;
  readonly #scales = new Map<Instrument, ScaleTracker>();
  readonly #closer = new CandleCloser();
  /** Whose books and trades were asked for, or have come. */
  readonly #followed = new Set<Instrument>();

  constructor(context: FeedDecoderContext) {
    this.#catalog = context.catalog;
  }

  sent(frame: string): void {
    const request = asJsonObject(parseJsonText(frame));
    const type = request?.["type"];
    for (const entry of asJsonArray(request?.["subscriptions"]) ?? []) {
      const subscription = asJsonObject(entry);
      if (subscription?.["name"] !== "l2") continue;
      for (const symbol of asJsonArray(subscription["symbols"]) ?? []) {
        const instrument = this.#catalog.byVenueSymbol((asText(symbol) ?? "").toUpperCase());
        if (instrument === undefined) continue;
        if (type === "subscribe") this.#followed.add(instrument);
        else if (type === "unsubscribe") this.#followed.delete(instrument);
      }
    }
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
    if (type === "mark_price_updates") return this.#markPrices(message, receivedTimeUs, emit);
    if (SIGNS_OF_LIFE.test(type)) return emit({ kind: "heartbeat" });
    if (message["result"] === "error" || type === "error") {
      const reason = asText(message["message"]) ?? asText(message["reason"]) ?? "refused";
      return emit({ kind: "refused", venueSymbol: undefined, channel: undefined, reason });
    }
    reject(emit, "unknown-message");
  }

  decodeRest(response: RestResponse, receivedTimeUs: number, emit: Emit): void {
    const venueSymbolOf = (listed: string): string => listed.toUpperCase();
    decodeGeminiRisk(response, { catalog: this.#catalog, venueSymbolOf, receivedTimeUs }, emit);
  }

  /** What a message is about; one that does not say it may have been about anything followed. */
  #instrumentOf(
    message: JsonObject,
    channels: readonly Channel[],
    emit: Emit,
  ): Instrument | undefined {
    const symbol = asText(message["symbol"]);
    if (symbol === undefined) {
      reject(emit, "missing-field");
      this.#suspect(channels, emit);
      return undefined;
    }
    const instrument = this.#catalog.byVenueSymbol(symbol.toUpperCase());
    if (instrument === undefined) reject(emit, "unknown-instrument");
    return instrument;
  }

  /** The first message of a book is whole, and has the last trades and auctions with it. */
  #level2(message: JsonObject, receivedTimeUs: number, emit: Emit): void {
    const instrument = this.#instrumentOf(message, ["book", "trades"], emit);
    if (instrument === undefined) return;
    this.#followed.add(instrument);
    const trades = asJsonArray(message["trades"]);
    const snapshot = trades !== undefined || message["auction_events"] !== undefined;
    const reason = this.#book(message, { instrument, snapshot, receivedTimeUs }, emit);
    if (reason !== undefined) emit({ kind: "rejected", reason, instrument, channel: "book" });
    for (const entry of inOrder(trades ?? [])) {
      const trade = asJsonObject(entry) ?? {};
      // They are of the same pair, whether they repeat its name or not.
      this.#trade({ symbol: instrument.venueSymbol, ...trade }, true, receivedTimeUs, emit);
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
    const instrument = this.#instrumentOf(item, ["trades"], emit);
    if (instrument === undefined) return;
    const spoil = (reason: RejectReason): void =>
      emit({ kind: "rejected", reason, instrument, channel: "trades" });
    const tradeId = asText(item["event_id"]);
    const aggressorSide = takerOf(item["side"], historical);
    if (tradeId === undefined || aggressorSide === undefined) return spoil("missing-field");
    const venueTimeUs = millisecondsTimeUs(item["timestamp"]);
    if (isBadTime(venueTimeUs)) return spoil("bad-time");
    const values = readTradeValues(this.#scalesOf(instrument), item["price"], item["quantity"]);
    if (typeof values === "string") return spoil(values);
    const common = { instrument, venueTimeUs, receivedTimeUs, aggressorSide } as const;
    emit({ kind: "trade", ...common, ...values, tradeId, historical });
  }

  /** Newest first, as rows of time, open, high, low, close and volume. */
  #candles(message: JsonObject, type: string, receivedTimeUs: number, emit: Emit): void {
    const instrument = this.#instrumentOf(message, [], emit);
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
        const candle = {
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
        } as const;
        this.#closer.take(candle, emit);
      }
    }
  }

  #markPrices(message: JsonObject, receivedTimeUs: number, emit: Emit): void {
    const instrument = this.#instrumentOf(message, [], emit);
    if (instrument === undefined) return;
    const spoil = (reason: RejectReason): void =>
      emit({ kind: "rejected", reason, instrument, channel: "mark-price" });
    const changes = asJsonArray(message["changes"]) ?? [];
    if (changes.length === 0) return spoil("missing-field");
    for (const entry of changes) {
      const change = asJsonObject(entry) ?? {};
      const { mark_price: mark, spot_index: index } = change;
      const venueTimeUs = nanosecondsTimeUs(change["timestamp"]);
      const markPrice = decimalText(mark);
      const indexPrice = decimalText(index);
      const hasIndex = index !== undefined && index !== null;
      if (mark === undefined) spoil("missing-field");
      else if (isBadTime(venueTimeUs)) spoil("bad-time");
      else if (markPrice === undefined || (hasIndex && indexPrice === undefined)) {
        spoil("bad-decimal");
      } else {
        const common = { instrument, venueTimeUs, receivedTimeUs };
        emit({ kind: "mark-price", ...common, markPrice, indexPrice });
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
    if (type === undefined || type === "l2_updates") this.#suspect(["book", "trades"], emit);
    else if (type === "trade") this.#suspect(["trades"], emit);
  }

  /** Whatever is followed may have lost something. */
  #suspect(channels: readonly Channel[], emit: Emit): void {
    for (const instrument of this.#followed) {
      for (const channel of channels) {
        emit({ kind: "rejected", reason: "missing-data", instrument, channel });
      }
    }
  }
}

/** In auctions and block trades nobody takes; what is old is not told apart by more than that. */
function takerOf(side: JsonText | undefined, historical: boolean): AggressorSide | undefined {
  if (side === "buy") return "buyer";
  if (side === "sell") return "seller";
  const nobody = historical || (typeof side === "string" && /^(?:auction|block)/.test(side));
  return nobody ? "none" : undefined;
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
