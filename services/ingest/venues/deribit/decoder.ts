import { canonicalDecimal } from "@tickwire/proto/model";
import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { Channel, Instrument } from "#core/instrument.ts";
import { JsonKind, JsonTape, MISSING } from "#core/json-tape.ts";
import type { AggressorSide, Candle } from "#core/market-event.ts";
import type {
  FeedDecoder,
  FeedDecoderContext,
  FeedEvent,
  RejectReason,
  RestResponse,
} from "../../feed/feed-adapter.ts";
import { CandleCloser } from "../../reading/candle-closer.ts";
import { readQuoteValues, readTickerValues, readTradeValues } from "../../reading/event-values.ts";
import { textOfFrame } from "../../reading/frame-text.ts";
import { ScaleTracker } from "../../reading/scale-tracker.ts";

type Emit = (event: FeedEvent) => void;

/** Requests whose answers have not come; of more, the oldest is forgotten. */
export const PENDING_REQUESTS_MAX = 256;

/** A level is `["new"|"change"|"delete", price, amount]`. */
const LEVELS = { price: 1, size: 2 } as const;

/** Apart from the ids of requests, which count from 1. */
const TEST_REPLY = JSON.stringify({ jsonrpc: "2.0", id: 0, method: "public/test", params: {} });

const FUNDING_INTERVAL_MS = 8 * 3_600_000;

/** What is published of the venue's channels, by the first part of their names. */
const CHANNELS_OF: Readonly<Record<string, readonly Channel[]>> = {
  book: ["book"],
  trades: ["trades", "liquidations"],
  quote: ["quotes"],
  ticker: ["ticker", "funding", "mark-price", "open-interest"],
  chart: ["candles"],
};

/** Public channels of which nothing is published; recordings of others have them. */
const NOT_PUBLISHED =
  /^(platform_state|deribit_(price|volatility)_\w+|estimated_expiration_price|markprice|perpetual|instrument|announcements|block_trade_confirmations|block_rfq|rfq)$/;

/** A book of levels at their own prices, a fixed number of them, whole each time. */
const GROUPED_BOOK = /^book\.[^.]+\.[^.]+\.\d+\.[^.]+$/;
const GROUPED_LEVELS = { price: 0, size: 1 } as const;

/** The event under way. */
type Common = {
  readonly instrument: Instrument;
  readonly venueTimeUs: number | undefined;
  readonly receivedTimeUs: number;
};

/** Decodes one connection of Deribit, whose numbers are JSON numbers and are read as text. */
export class DeribitDecoder implements FeedDecoder {
  readonly #catalog: InstrumentCatalog;
  readonly #tape = new JsonTape();
  readonly #scales = new Map<Instrument, ScaleTracker>();
  readonly #candles = new CandleCloser();
  /** The channel that an instrument's book is taken from, should there be several. */
  readonly #bookChannels = new Map<Instrument, string>();
  readonly #pending = new Map<string, readonly string[]>();

  constructor(context: FeedDecoderContext) {
    this.#catalog = context.catalog;
  }

  sent(frame: string): void {
    const tape = this.#tape;
    if (!tape.scan(frame) || !tape.equals(tape.get(0, "method"), "public/subscribe")) return;
    const id = tape.text(tape.get(0, "id"));
    const channels = tape.get(tape.get(0, "params"), "channels");
    if (id === undefined || !tape.isArray(channels)) return;
    this.#pending.set(id, this.#texts(channels));
    if (this.#pending.size <= PENDING_REQUESTS_MAX) return;
    for (const oldest of this.#pending.keys()) {
      this.#pending.delete(oldest);
      return;
    }
  }

  decode(frame: string | Uint8Array, receivedTimeUs: number, emit: Emit): void {
    const tape = this.#tape;
    const text = textOfFrame(frame);
    if (!tape.scan(text)) return this.#rejectDamaged(text, emit);
    const method = tape.text(tape.get(0, "method"));
    const params = tape.get(0, "params");
    if (method === "subscription") return this.#notification(params, receivedTimeUs, emit);
    if (method === "heartbeat") {
      emit({ kind: "heartbeat" });
      if (tape.equals(tape.get(params, "type"), "test_request")) {
        emit({ kind: "reply", frame: TEST_REPLY });
      }
      return;
    }
    if (method === undefined && tape.get(0, "id") !== MISSING) return this.#answer(emit);
    emit({ kind: "rejected", reason: "unknown-message" });
  }

  decodeRest(response: RestResponse, receivedTimeUs: number, emit: Emit): void {
    if (!/\/public\/get_last_trades_by_instrument(\?|$)/.test(response.url)) {
      return emit({ kind: "rejected", reason: "unknown-message" });
    }
    const tape = this.#tape;
    if (!tape.scan(response.body)) return emit({ kind: "rejected", reason: "bad-json" });
    const list = tape.get(tape.get(0, "result"), "trades");
    if (!tape.isArray(list)) return emit({ kind: "rejected", reason: "missing-field" });
    // The newest come first; what is asked for is the trades alone.
    const trades: number[] = [];
    for (let node = tape.first(list); node !== MISSING; node = tape.next(node)) trades.push(node);
    trades.sort((a, b) => this.#sequenceOf(a) - this.#sequenceOf(b));
    for (const trade of trades) {
      this.#withInstrument(trade, receivedTimeUs, "trades", emit, (common) =>
        this.#trade(trade, common, true, emit),
      );
    }
  }

  /**
   * Numbers show that a change is missing, but not that a snapshot is: what the frame was about is
   * told as far as its beginning says it.
   */
  #rejectDamaged(text: string, emit: Emit): void {
    const reason = "bad-json";
    const name = /"channel"\s*:\s*"([^"\\]+)"/.exec(text)?.[1] ?? "";
    const { venueSymbol, channels } = partsOf(name);
    const instrument = this.#catalog.byVenueSymbol(venueSymbol);
    const [channel] = channels;
    if (instrument === undefined || channel === undefined) emit({ kind: "rejected", reason });
    else emit({ kind: "rejected", reason, instrument, channel });
  }

  #sequenceOf(trade: number): number {
    return this.#tape.number(this.#tape.get(trade, "trade_seq"));
  }

  #notification(params: number, receivedTimeUs: number, emit: Emit): void {
    const tape = this.#tape;
    const name = tape.text(tape.get(params, "channel")) ?? "";
    const data = tape.get(params, "data");
    const kind = /^[^.]*/.exec(name)?.[0] ?? "";
    switch (kind) {
      case "book":
        return this.#withInstrument(data, receivedTimeUs, "book", emit, (common) =>
          this.#book(name, data, common, emit),
        );
      case "trades":
        return this.#trades(data, receivedTimeUs, emit);
      case "ticker":
      case "incremental_ticker":
        return this.#withInstrument(data, receivedTimeUs, "ticker", emit, (common) =>
          this.#ticker(data, common, emit),
        );
      case "quote":
        return this.#withInstrument(data, receivedTimeUs, "quotes", emit, (common) =>
          this.#quote(data, common, emit),
        );
      case "chart":
        return this.#chart(name, data, receivedTimeUs, emit);
      default:
        if (NOT_PUBLISHED.test(kind)) emit({ kind: "heartbeat" });
        else emit({ kind: "rejected", reason: "unknown-message" });
    }
  }

  /** Reads what all messages about an instrument have; emits the reason that `read` returns. */
  #withInstrument(
    data: number,
    receivedTimeUs: number,
    channel: Channel,
    emit: Emit,
    read: (common: Common) => RejectReason | undefined,
  ): void {
    const tape = this.#tape;
    const name = tape.text(tape.get(data, "instrument_name"));
    if (name === undefined) return emit({ kind: "rejected", reason: "missing-field" });
    const instrument = this.#catalog.byVenueSymbol(name);
    if (instrument === undefined) return emit({ kind: "rejected", reason: "unknown-instrument" });
    const venueTimeUs = this.#timeUs(tape.get(data, "timestamp"));
    const reason = Number.isNaN(venueTimeUs)
      ? "bad-time"
      : read({ instrument, venueTimeUs, receivedTimeUs });
    if (reason !== undefined) emit({ kind: "rejected", reason, instrument, channel });
  }

  #book(name: string, data: number, common: Common, emit: Emit): RejectReason | undefined {
    const tape = this.#tape;
    const isGrouped = GROUPED_BOOK.test(name);
    const { instrument } = common;
    // Two channels of one book have numbers that do not follow each other, and prices that are
    // rounded are another book.
    const taken = this.#bookChannels.get(instrument) ?? name;
    if (taken !== name || (isGrouped && name.split(".")[2] !== "none")) {
      emit({ kind: "heartbeat" });
      return undefined;
    }
    this.#bookChannels.set(instrument, name);
    const type = isGrouped ? "snapshot" : tape.text(tape.get(data, "type"));
    const lastUpdateId = tape.number(tape.get(data, "change_id"));
    const previous = tape.get(data, "prev_change_id");
    const previousUpdateId = previous === MISSING ? undefined : tape.number(previous);
    const snapshot = type === "snapshot";
    if (!snapshot && type !== "change") return "missing-field";
    if (!Number.isSafeInteger(lastUpdateId)) return "missing-field";
    if (!snapshot && !Number.isSafeInteger(previousUpdateId)) return "missing-field";
    const sides = { bids: tape.get(data, "bids"), asks: tape.get(data, "asks") };
    if (sides.bids === MISSING || sides.asks === MISSING) return "missing-field";
    const actionsFit = isGrouped || (this.#actionsFit(sides.bids) && this.#actionsFit(sides.asks));
    if (!actionsFit) return "missing-field";
    const scales = this.#scalesOf(instrument);
    const columns = scales.bookFromTape(tape, sides, isGrouped ? GROUPED_LEVELS : LEVELS);
    if (typeof columns === "string") return columns;
    emit({
      kind: "raw-book",
      ...common,
      snapshot,
      source: "in-band",
      firstUpdateId: undefined,
      lastUpdateId,
      previousUpdateId,
      checksum: undefined,
      priceScale: scales.priceScale,
      sizeScale: scales.sizeScale,
      bids: columns.bids,
      asks: columns.asks,
    });
    return undefined;
  }

  /** Both the action and an amount of 0 say that a level is gone: they must not disagree. */
  #actionsFit(side: number): boolean {
    const tape = this.#tape;
    for (let level = tape.first(side); level !== MISSING; level = tape.next(level)) {
      const action = tape.first(level);
      const isGone = tape.mantissa(tape.at(level, LEVELS.size), 0) === 0;
      if (tape.equals(action, "delete") ? !isGone : isGone || !this.#isAction(action)) return false;
    }
    return true;
  }

  #isAction(action: number): boolean {
    return this.#tape.equals(action, "new") || this.#tape.equals(action, "change");
  }

  #trades(data: number, receivedTimeUs: number, emit: Emit): void {
    const tape = this.#tape;
    if (!tape.isArray(data)) return emit({ kind: "rejected", reason: "missing-field" });
    for (let trade = tape.first(data); trade !== MISSING; trade = tape.next(trade)) {
      const node = trade;
      this.#withInstrument(node, receivedTimeUs, "trades", emit, (common) =>
        this.#trade(node, common, false, emit),
      );
    }
  }

  #trade(trade: number, common: Common, historical: boolean, emit: Emit): RejectReason | undefined {
    const direction = this.#text(trade, "direction");
    const tradeId = this.#text(trade, "trade_id");
    if ((direction !== "buy" && direction !== "sell") || tradeId === undefined) {
      return "missing-field";
    }
    const scales = this.#scalesOf(common.instrument);
    const [price, size] = [this.#text(trade, "price"), this.#text(trade, "amount")];
    const values = readTradeValues(scales, price, size);
    if (typeof values === "string") return values;
    const aggressorSide = direction === "buy" ? "buyer" : "seller";
    emit({ kind: "trade", ...common, ...values, aggressorSide, tradeId, historical });
    const liquidation = this.#text(trade, "liquidation");
    if (liquidation === undefined || historical) return undefined;
    if (!/^(M|T|MT)$/.test(liquidation)) return "missing-field";
    const [priceText, sizeText] = [canonicalDecimal(price ?? ""), canonicalDecimal(size ?? "")];
    if (priceText === undefined || sizeText === undefined) return "bad-decimal";
    const sides: AggressorSide[] = [];
    if (liquidation.includes("T")) sides.push(aggressorSide);
    // The maker stood on the other side of the trade.
    if (liquidation.includes("M")) sides.push(aggressorSide === "buyer" ? "seller" : "buyer");
    for (const side of sides) {
      emit({
        kind: "liquidation",
        ...common,
        price: priceText,
        size: sizeText,
        aggressorSide: side,
        liquidationId: tradeId,
      });
    }
    return undefined;
  }

  #quote(data: number, common: Common, emit: Emit): RejectReason | undefined {
    const values = readQuoteValues(
      this.#scalesOf(common.instrument),
      { price: this.#text(data, "best_bid_price"), size: this.#text(data, "best_bid_amount") },
      { price: this.#text(data, "best_ask_price"), size: this.#text(data, "best_ask_amount") },
    );
    if (typeof values === "string") return values;
    emit({ kind: "quote", ...common, ...values });
    return undefined;
  }

  #ticker(data: number, common: Common, emit: Emit): RejectReason | undefined {
    const { kind } = common.instrument;
    const stats = this.#tape.get(data, "stats");
    const ticker = readTickerValues({
      lastPrice: this.#text(data, "last_price"),
      highPrice: this.#text(stats, "high"),
      lowPrice: this.#text(stats, "low"),
      volume: this.#text(stats, "volume"),
      bidPrice: this.#priceText(data, "best_bid_price"),
      askPrice: this.#priceText(data, "best_ask_price"),
    });
    if (typeof ticker === "string") return ticker;
    const funding = this.#decimal(data, "current_funding");
    const markPrice = this.#decimal(data, "mark_price");
    const indexPrice = this.#decimal(data, "index_price");
    const openInterest = this.#decimal(data, "open_interest");
    if ([funding, markPrice, indexPrice, openInterest].includes(null)) return "bad-decimal";
    emit({ kind: "ticker", ...common, ...ticker });
    if (kind === "spot") return undefined;
    if (typeof markPrice === "string") {
      emit({ kind: "mark-price", ...common, markPrice, indexPrice: indexPrice ?? undefined });
    }
    if (typeof openInterest === "string") {
      emit({ kind: "open-interest", ...common, openInterest, openInterestValue: undefined });
    }
    if (typeof funding === "string" && kind === "perpetual") {
      const intervalMs = FUNDING_INTERVAL_MS;
      const nextFundingTimeUs = undefined;
      emit({ kind: "funding", ...common, rate: funding, nextFundingTimeUs, intervalMs });
    }
    return undefined;
  }

  /** The name of the channel alone says what a candle is of: `chart.trades.BTC-PERPETUAL.1`. */
  #chart(name: string, data: number, receivedTimeUs: number, emit: Emit): void {
    const [, venueSymbol = "", resolution = ""] = /^chart\.trades\.(.+)\.([^.]+)$/.exec(name) ?? [];
    const instrument = this.#catalog.byVenueSymbol(venueSymbol);
    if (instrument === undefined) return emit({ kind: "rejected", reason: "unknown-instrument" });
    const reason = this.#candle(data, { instrument, resolution, receivedTimeUs }, emit);
    if (reason !== undefined) {
      emit({ kind: "rejected", reason, instrument, channel: "candles" });
    }
  }

  #candle(
    data: number,
    chart: {
      readonly instrument: Instrument;
      readonly resolution: string;
      readonly receivedTimeUs: number;
    },
    emit: Emit,
  ): RejectReason | undefined {
    const { instrument, receivedTimeUs } = chart;
    const minutes = chart.resolution === "1D" ? 1440 : Number(chart.resolution);
    const openTimeUs = this.#timeUs(this.#tape.get(data, "tick"));
    if (!(minutes > 0) || openTimeUs === undefined) return "missing-field";
    if (Number.isNaN(openTimeUs)) return "bad-time";
    const [open, high, low, close, volume, cost] = (
      ["open", "high", "low", "close", "volume", "cost"] as const
    ).map((field) => this.#decimal(data, field) ?? undefined);
    if (open === undefined || high === undefined || low === undefined) return "bad-decimal";
    if (close === undefined || volume === undefined) return "bad-decimal";
    const candle: Candle = {
      kind: "candle",
      instrument,
      venueTimeUs: undefined,
      receivedTimeUs,
      intervalMs: minutes * 60_000,
      openTimeUs,
      open,
      high,
      low,
      close,
      volume,
      quoteVolume: cost,
      tradeCount: undefined,
      closed: false,
    };
    this.#candles.take(candle, emit);
    return undefined;
  }

  /** The venue answers a subscription with the channels that it accepted. */
  #answer(emit: Emit): void {
    const tape = this.#tape;
    const id = tape.text(tape.get(0, "id")) ?? "";
    const asked = this.#pending.get(id);
    this.#pending.delete(id);
    const error = tape.get(0, "error");
    const result = tape.get(0, "result");
    if (error !== MISSING) {
      const reason = tape.text(tape.get(error, "message")) ?? "refused";
      return this.#refused(asked ?? [], reason, emit);
    }
    if (asked === undefined || !tape.isArray(result)) return emit({ kind: "heartbeat" });
    const accepted = new Set(this.#texts(result));
    for (const name of accepted) {
      const { venueSymbol, channels } = partsOf(name);
      for (const channel of channels) emit({ kind: "subscribed", venueSymbol, channel });
    }
    const missing = asked.filter((name) => !accepted.has(name));
    if (missing.length > 0) this.#refused(missing, "not among the channels accepted", emit);
    if (accepted.size + missing.length === 0) emit({ kind: "heartbeat" });
  }

  #refused(names: readonly string[], reason: string, emit: Emit): void {
    if (names.length === 0) {
      emit({ kind: "refused", venueSymbol: undefined, channel: undefined, reason });
    }
    for (const name of names) {
      const { venueSymbol, channels } = partsOf(name);
      for (const channel of channels) emit({ kind: "refused", venueSymbol, channel, reason });
    }
  }

  #texts(array: number): readonly string[] {
    const tape = this.#tape;
    const texts: string[] = [];
    for (let node = tape.first(array); node !== MISSING; node = tape.next(node)) {
      const text = tape.text(node);
      if (text !== undefined) texts.push(text);
    }
    return texts;
  }

  #text(object: number, key: string): string | undefined {
    return this.#tape.text(this.#tape.get(object, key));
  }

  /** Where nobody bids or offers, the price is 0. */
  #priceText(object: number, key: string): string | undefined {
    const text = this.#text(object, key);
    return text !== undefined && Number(text) === 0 ? undefined : text;
  }

  /** Canonical text; undefined where there is none, null if it is no decimal. */
  #decimal(object: number, key: string): string | null | undefined {
    const node = this.#tape.get(object, key);
    if (node === MISSING || this.#tape.kind(node) === JsonKind.Null) return undefined;
    return canonicalDecimal(this.#tape.text(node) ?? "") ?? null;
  }

  /** From milliseconds; undefined where there are none, NaN if it is something else. */
  #timeUs(node: number): number | undefined {
    if (node === MISSING) return undefined;
    const milliseconds = this.#tape.number(node);
    const isTime = Number.isSafeInteger(milliseconds) && milliseconds > 0;
    return isTime && milliseconds < 100_000_000_000_000 ? milliseconds * 1000 : Number.NaN;
  }

  #scalesOf(instrument: Instrument): ScaleTracker {
    let scales = this.#scales.get(instrument);
    if (scales === undefined) this.#scales.set(instrument, (scales = new ScaleTracker()));
    return scales;
  }
}

/** `book.BTC-PERPETUAL.100ms`, `quote.BTC_USDC`, `chart.trades.ETH-PERPETUAL.1`. */
function partsOf(name: string): {
  readonly venueSymbol: string;
  readonly channels: readonly Channel[];
} {
  const [kind = "", ...rest] = name.split(".");
  const venueSymbol = (kind === "chart" ? rest[1] : rest[0]) ?? "";
  return { venueSymbol, channels: CHANNELS_OF[kind] ?? [] };
}
