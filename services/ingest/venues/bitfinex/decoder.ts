import { canonicalDecimal } from "@tickwire/proto/model";
import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { Instrument } from "#core/instrument.ts";
import { JsonTape, MISSING } from "#core/json-tape.ts";
import type {
  FeedDecoder,
  FeedDecoderContext,
  FeedEvent,
  FeedSubscription,
  RejectReason,
  RestResponse,
} from "../../feed/feed-adapter.ts";
import {
  BITFINEX_CHANNELS_OF as CHANNELS_OF,
  type BitfinexChannel,
  type BitfinexSubject,
  bitfinexSubjectOf,
} from "./requests.ts";
import { readLevels } from "./book.ts";
import { CandleCloser } from "../../reading/candle-closer.ts";
import { ConnectionSequence } from "../../reading/connection-sequence.ts";
import { readTickerValues, readTradeValues } from "../../reading/event-values.ts";
import { textOfFrame } from "../../reading/frame-text.ts";
import { ScaleTracker } from "../../reading/scale-tracker.ts";

type Emit = (event: FeedEvent) => void;

type Context = { readonly receivedTimeUs: number; readonly emit: Emit };

/** Channels that are remembered; the venue allows 25 on a connection. */
export const CHANNEL_IDS_MAX = 1024;

const FLAG_TIMESTAMP = 32_768;
const FLAG_SEQUENCE = 65_536;
const ALREADY_SUBSCRIBED = "10301";
const RESTART_CODES = new Set(["20051", "20061"]);
const FUNDING_INTERVAL_MS = 8 * 3_600_000;
const MILLISECONDS_MAX = 100_000_000_000_000;

/** Places in the status of a derivative, and in a liquidation. */
const DERIV = { time: 0, index: 3, nextFunding: 7, funding: 11, mark: 14, openInterest: 17 };
const LIQUIDATION = { time: 2, symbol: 4, amount: 5, basePrice: 6, isMatch: 8, price: 11 };

/** Decodes one connection of Bitfinex, whose numbers are JSON numbers and are read as text. */
export class BitfinexDecoder implements FeedDecoder {
  readonly #catalog: InstrumentCatalog;
  readonly #tape = new JsonTape();
  readonly #channels = new Map<string, BitfinexChannel>();
  /** Ids that had data and were not announced. */
  readonly #strangers = new Set<string>();
  readonly #scales = new Map<Instrument, ScaleTracker>();
  readonly #candles = new CandleCloser();
  readonly #sequence = new ConnectionSequence();
  #flags = 0;

  constructor(context: FeedDecoderContext) {
    this.#catalog = context.catalog;
  }

  unsubscribeFrames(subscriptions: readonly FeedSubscription[]): readonly string[] {
    const ids = new Set<string>();
    for (const [id, { kind, instrument }] of this.#channels) {
      const isWanted = subscriptions.some(
        (wanted) => wanted.instrument === instrument && CHANNELS_OF[kind].includes(wanted.channel),
      );
      if (isWanted) ids.add(id);
    }
    return [...ids].map((id) => JSON.stringify({ event: "unsubscribe", chanId: Number(id) }));
  }

  decode(frame: string | Uint8Array, receivedTimeUs: number, emit: Emit): void {
    const text = textOfFrame(frame);
    const tape = this.#tape;
    if (!tape.scan(text)) return this.#rejectDamaged(text, emit);
    if (tape.isObject(0)) return this.#event(emit);
    const id = tape.text(tape.first(0));
    const payload = tape.at(0, 1);
    if (!tape.isArray(0) || id === undefined || payload === MISSING) {
      return emit({ kind: "rejected", reason: "unknown-message" });
    }
    if (!this.#continues(emit)) return;
    const context = { receivedTimeUs, emit };
    const channel = this.#channels.get(id);
    if (tape.equals(payload, "hb")) return emit({ kind: "heartbeat" });
    if (channel !== undefined) return this.#data(channel, payload, context);
    emit({ kind: "rejected", reason: "unknown-message" });
    // An id that was never heard may be a damaged one: any book may lack this. One that goes on is
    // a channel whose announcement was lost: the others have ids of their own.
    if (this.#strangers.has(id)) return;
    if (this.#strangers.size < CHANNEL_IDS_MAX) this.#strangers.add(id);
    this.#doubtAll("missing-data", emit);
  }

  decodeRest(response: RestResponse, receivedTimeUs: number, emit: Emit): void {
    const name = /\/v2\/trades\/([^/?#]+)\/hist/.exec(response.url)?.[1];
    const instrument =
      name === undefined ? undefined : this.#catalog.byVenueSymbol(decodeURIComponent(name));
    if (name === undefined) return emit({ kind: "rejected", reason: "unknown-message" });
    if (instrument === undefined) return emit({ kind: "rejected", reason: "unknown-instrument" });
    const channel = "trades";
    if (!this.#tape.scan(response.body)) {
      return emit({ kind: "rejected", reason: "bad-json", instrument, channel });
    }
    if (!this.#tape.isArray(0)) {
      return emit({ kind: "rejected", reason: "unknown-message", instrument, channel });
    }
    this.#history(0, instrument, { receivedTimeUs, emit });
  }

  /** False for a message that was there before. A hole puts all books and trades in doubt. */
  #continues(emit: Emit): boolean {
    if ((this.#flags & FLAG_SEQUENCE) === 0) return true;
    const tape = this.#tape;
    const column = tape.length(0) - ((this.#flags & FLAG_TIMESTAMP) === 0 ? 1 : 2);
    const sequence = tape.number(tape.at(0, column));
    if (!Number.isSafeInteger(sequence) || column < 2) {
      emit({ kind: "rejected", reason: "missing-field" });
      this.#doubtAll("missing-data", emit);
      this.#sequence.forget();
      return false;
    }
    const place = this.#sequence.place(sequence);
    if (place === "hole") this.#doubtAll("missing-data", emit);
    return place === "next" || place === "hole";
  }

  #doubtAll(reason: RejectReason, emit: Emit): void {
    for (const { kind, instrument } of this.#channels.values()) {
      if (instrument === undefined || (kind !== "book" && kind !== "trades")) continue;
      emit({ kind: "rejected", reason, instrument, channel: kind });
    }
  }

  /** When the venue sent the message, if it was asked to say so. */
  #sentTimeUs(): number | undefined {
    if ((this.#flags & FLAG_TIMESTAMP) === 0) return undefined;
    return this.#timeUs(this.#tape.at(0, this.#tape.length(0) - 1));
  }

  #data(about: BitfinexChannel, payload: number, context: Context): void {
    const tape = this.#tape;
    const { kind, instrument, intervalMs } = about;
    if (kind === "ignored") return context.emit({ kind: "heartbeat" });
    if (kind === "liq") return this.#liquidations(payload, context);
    if (instrument === undefined) return;
    const reason = ((): RejectReason | undefined => {
      switch (kind) {
        case "book":
          return this.#book(payload, instrument, context);
        case "trades":
          return this.#trades(payload, instrument, context);
        case "ticker":
          return this.#ticker(payload, instrument, context);
        case "candles":
          return this.#candle(payload, { instrument, intervalMs }, context);
        case "deriv":
          return tape.isArray(payload)
            ? this.#deriv(payload, instrument, context)
            : "missing-field";
      }
    })();
    const channel = CHANNELS_OF[kind][0];
    if (reason !== undefined && channel !== undefined) {
      context.emit({ kind: "rejected", reason, instrument, channel });
    }
  }

  #book(payload: number, instrument: Instrument, context: Context): RejectReason | undefined {
    const tape = this.#tape;
    const venueTimeUs = this.#sentTimeUs();
    if (Number.isNaN(venueTimeUs)) return "bad-time";
    const tracker = this.#scalesOf(instrument);
    const common = {
      kind: "raw-book",
      instrument,
      venueTimeUs,
      receivedTimeUs: context.receivedTimeUs,
      source: "in-band",
      firstUpdateId: undefined,
      lastUpdateId: undefined,
      previousUpdateId: undefined,
    } as const;
    if (tape.equals(payload, "cs")) {
      const checksum = tape.number(tape.at(0, 2));
      if (!Number.isSafeInteger(checksum)) return "missing-field";
      const { priceScale, sizeScale } = tracker;
      const none = { prices: [], sizes: [] };
      const snapshot = false;
      const empty = { snapshot, checksum, priceScale, sizeScale, bids: none, asks: none };
      context.emit({ ...common, ...empty });
      return undefined;
    }
    if (!tape.isArray(payload)) return "missing-field";
    // A change is one level, the snapshot a list of them.
    const first = tape.first(payload);
    const snapshot = first === MISSING || tape.isArray(first);
    const columns = readLevels(tape, tracker, { payload, snapshot });
    if (typeof columns === "string") return columns;
    const { priceScale, sizeScale } = tracker;
    context.emit({ ...common, snapshot, checksum: undefined, priceScale, sizeScale, ...columns });
    return undefined;
  }

  #trades(payload: number, instrument: Instrument, context: Context): RejectReason | undefined {
    const tape = this.#tape;
    if (tape.isArray(payload)) return this.#history(payload, instrument, context);
    if (tape.equals(payload, "te")) {
      return this.#trade(tape.at(0, 2), { instrument, historical: false }, context);
    }
    // Each execution comes again as an update.
    if (!tape.equals(payload, "tu")) return "missing-field";
    context.emit({ kind: "heartbeat" });
    return undefined;
  }

  /** The newest trade comes first. */
  #history(list: number, instrument: Instrument, context: Context): undefined {
    const tape = this.#tape;
    const trades: number[] = [];
    for (let node = tape.first(list); node !== MISSING; node = tape.next(node)) trades.push(node);
    for (const trade of trades.toReversed()) {
      const reason = this.#trade(trade, { instrument, historical: true }, context);
      const channel = "trades";
      if (reason !== undefined) context.emit({ kind: "rejected", reason, instrument, channel });
    }
    return undefined;
  }

  /** `[id, time, amount, price]`; the sign of the amount is the taker's side. */
  #trade(
    trade: number,
    of: { readonly instrument: Instrument; readonly historical: boolean },
    { receivedTimeUs, emit }: Context,
  ): RejectReason | undefined {
    const tape = this.#tape;
    const [tradeId, , amount = "", price] = [0, 1, 2, 3].map((place) =>
      tape.text(tape.at(trade, place)),
    );
    const venueTimeUs = this.#timeUs(tape.at(trade, 1));
    if (tradeId === undefined) return "missing-field";
    if (Number.isNaN(venueTimeUs)) return "bad-time";
    const isSale = amount.startsWith("-");
    const size = isSale ? amount.slice(1) : amount;
    const values = readTradeValues(this.#scalesOf(of.instrument), price, size);
    if (typeof values === "string") return values;
    const aggressorSide = isSale ? "seller" : "buyer";
    const common = { ...of, venueTimeUs, receivedTimeUs, aggressorSide } as const;
    emit({ kind: "trade", ...common, ...values, tradeId });
    return undefined;
  }

  /** The sizes beside bid and ask are those of 25 levels together, so there is no quote in it. */
  #ticker(
    payload: number,
    instrument: Instrument,
    { receivedTimeUs, emit }: Context,
  ): RejectReason | undefined {
    const tape = this.#tape;
    if (!tape.isArray(payload) || tape.length(payload) < 10) return "missing-field";
    const [bidPrice, , askPrice, , , , lastPrice, volume, highPrice, lowPrice] = [
      0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
    ].map((place) => tape.text(tape.at(payload, place)));
    const texts = { bidPrice, askPrice, lastPrice, volume, highPrice, lowPrice };
    const values = readTickerValues(texts);
    if (typeof values === "string") return values;
    const venueTimeUs = this.#sentTimeUs();
    if (Number.isNaN(venueTimeUs)) return "bad-time";
    emit({ kind: "ticker", instrument, venueTimeUs, receivedTimeUs, ...values });
    return undefined;
  }

  /** `[time, open, close, high, low, volume]`, or a list of them with the newest first. */
  #candle(
    payload: number,
    about: { readonly instrument: Instrument; readonly intervalMs: number },
    context: Context,
  ): RejectReason | undefined {
    const tape = this.#tape;
    if (!tape.isArray(payload)) return "missing-field";
    const candles: number[] = [];
    if (tape.isArray(tape.first(payload))) {
      for (let node = tape.first(payload); node !== MISSING; node = tape.next(node)) {
        candles.push(node);
      }
    } else if (tape.first(payload) !== MISSING) {
      candles.push(payload);
    }
    for (const node of candles.toReversed()) {
      const openTimeUs = this.#timeUs(tape.at(node, 0));
      if (openTimeUs === undefined || Number.isNaN(openTimeUs)) return "bad-time";
      const [open, close, high, low, volume] = [1, 2, 3, 4, 5].map((place) =>
        this.#decimal(tape.at(node, place)),
      );
      if (open === undefined || close === undefined || high === undefined) return "bad-decimal";
      if (low === undefined || volume === undefined) return "bad-decimal";
      const common = { kind: "candle", ...about, venueTimeUs: undefined } as const;
      const { receivedTimeUs } = context;
      const values = { open, high, low, close, volume, quoteVolume: undefined };
      const times = { receivedTimeUs, openTimeUs };
      const candle = { ...common, ...times, ...values, tradeCount: undefined, closed: false };
      this.#candles.take(candle, context.emit);
    }
    return undefined;
  }

  #deriv(
    payload: number,
    instrument: Instrument,
    { receivedTimeUs, emit }: Context,
  ): RejectReason | undefined {
    const tape = this.#tape;
    const at = (place: number): number => tape.at(payload, place);
    const venueTimeUs = this.#timeUs(at(DERIV.time));
    const nextFundingTimeUs = this.#timeUs(at(DERIV.nextFunding));
    if (Number.isNaN(venueTimeUs) || Number.isNaN(nextFundingTimeUs)) return "bad-time";
    const common = { instrument, venueTimeUs, receivedTimeUs };
    const [markPrice, indexPrice, rate, openInterest] = [
      DERIV.mark,
      DERIV.index,
      DERIV.funding,
      DERIV.openInterest,
    ].map((place) => this.#decimal(at(place)));
    if (markPrice === undefined) return "missing-field";
    emit({ kind: "mark-price", ...common, markPrice, indexPrice });
    if (rate !== undefined) {
      const intervalMs = FUNDING_INTERVAL_MS;
      emit({ kind: "funding", ...common, rate, nextFundingTimeUs, intervalMs });
    }
    if (openInterest !== undefined) {
      emit({ kind: "open-interest", ...common, openInterest, openInterestValue: undefined });
    }
    return undefined;
  }

  /**
   * `["pos", id, time, null, symbol, amount, base price, null, is match, is sold, null, price]`. A
   * position that is taken over; the executions that follow are matches of it. A long one, with a
   * positive amount, is sold.
   */
  #liquidations(payload: number, { receivedTimeUs, emit }: Context): void {
    const tape = this.#tape;
    const channel = "liquidations";
    if (!tape.isArray(payload)) return emit({ kind: "rejected", reason: "missing-field" });
    for (let row = tape.first(payload); row !== MISSING; row = tape.next(row)) {
      const at = (place: number): number => tape.at(row, place);
      const symbol = tape.text(at(LIQUIDATION.symbol));
      if (symbol === undefined || !tape.equals(at(0), "pos")) {
        emit({ kind: "rejected", reason: "missing-field" });
        continue;
      }
      if (tape.equals(at(LIQUIDATION.isMatch), "1")) continue;
      const instrument = this.#catalog.byVenueSymbol(symbol);
      if (instrument === undefined) {
        emit({ kind: "rejected", reason: "unknown-instrument" });
        continue;
      }
      const venueTimeUs = this.#timeUs(at(LIQUIDATION.time));
      const amount = this.#decimal(at(LIQUIDATION.amount));
      const price =
        this.#decimal(at(LIQUIDATION.price)) ?? this.#decimal(at(LIQUIDATION.basePrice));
      if (Number.isNaN(venueTimeUs) || amount === undefined || price === undefined) {
        const reason = Number.isNaN(venueTimeUs) ? "bad-time" : "bad-decimal";
        emit({ kind: "rejected", reason, instrument, channel });
        continue;
      }
      const isShort = amount.startsWith("-");
      emit({
        kind: "liquidation",
        instrument,
        venueTimeUs,
        receivedTimeUs,
        price,
        size: isShort ? amount.slice(1) : amount,
        aggressorSide: isShort ? "buyer" : "seller",
        liquidationId: tape.text(at(1)),
      });
    }
  }

  #event(emit: Emit): void {
    const tape = this.#tape;
    const field = (key: string): string | undefined => tape.text(tape.get(0, key));
    switch (field("event") ?? "") {
      case "subscribed":
        return this.#subscribed(emit);
      case "unsubscribed":
        this.#channels.delete(field("chanId") ?? "");
        return emit({ kind: "heartbeat" });
      case "conf":
        this.#flags = field("status") === "OK" ? Number(field("flags") ?? 0) : 0;
        return emit({ kind: "heartbeat" });
      case "info": {
        const reason = `info ${field("code")}`;
        if (RESTART_CODES.has(field("code") ?? "")) {
          return emit({ kind: "reconnect-requested", reason });
        }
        return emit({ kind: "heartbeat" });
      }
      case "pong":
        return emit({ kind: "heartbeat" });
      case "error":
        return this.#error(emit);
      default:
        emit({ kind: "rejected", reason: "unknown-message" });
    }
  }

  #subscribed(emit: Emit): void {
    const { kind, venueSymbol, intervalMs } = this.#subject();
    const id = this.#tape.text(this.#tape.get(0, "chanId"));
    if (id === undefined) return emit({ kind: "rejected", reason: "unknown-message" });
    if (this.#channels.size >= CHANNEL_IDS_MAX) {
      return emit({ kind: "rejected", reason: "catalog-full" });
    }
    const instrument =
      venueSymbol === undefined ? undefined : this.#catalog.byVenueSymbol(venueSymbol);
    const isUsed = kind !== undefined && (kind === "liq" || instrument !== undefined);
    this.#channels.set(id, { kind: isUsed ? kind : "ignored", instrument, intervalMs });
    if (isUsed && venueSymbol !== undefined) {
      for (const channel of CHANNELS_OF[kind]) emit({ kind: "subscribed", venueSymbol, channel });
    } else if (isUsed || kind === undefined || kind === "ignored") {
      emit({ kind: "heartbeat" });
    } else {
      emit({ kind: "rejected", reason: "unknown-instrument" });
    }
  }

  #error(emit: Emit): void {
    const tape = this.#tape;
    const code = tape.text(tape.get(0, "code")) ?? "";
    const reason = `${code} ${tape.text(tape.get(0, "msg")) ?? "refused"}`.trim();
    const { kind, venueSymbol } = this.#subject();
    if (code === ALREADY_SUBSCRIBED) {
      // Its announcement was lost, and with it the id that its data comes under.
      const isKnown = venueSymbol === undefined || this.#isAnnounced(kind, venueSymbol);
      return emit(isKnown ? { kind: "heartbeat" } : { kind: "reconnect-requested", reason });
    }
    const channels = kind === undefined ? [undefined] : CHANNELS_OF[kind];
    for (const channel of channels) emit({ kind: "refused", venueSymbol, channel, reason });
  }

  #isAnnounced(wanted: BitfinexSubject["kind"], venueSymbol: string): boolean {
    for (const { kind, instrument } of this.#channels.values()) {
      if (kind === wanted && instrument?.venueSymbol === venueSymbol) return true;
    }
    return false;
  }

  /** What an answer to a subscription is about. */
  #subject(): BitfinexSubject {
    const tape = this.#tape;
    return bitfinexSubjectOf((field) => tape.text(tape.get(0, field)));
  }

  /** What is left of the frame says whose it was; its number is counted as seen. */
  #rejectDamaged(text: string, emit: Emit): void {
    const id = /^\s*\[\s*(\d+)\s*,/.exec(text)?.[1];
    const channel = id === undefined ? undefined : this.#channels.get(id);
    const name = channel === undefined ? undefined : CHANNELS_OF[channel.kind][0];
    const reason = "bad-json";
    if (channel?.instrument === undefined || name === undefined) {
      emit({ kind: "rejected", reason });
      if (!text.trimStart().startsWith("{")) this.#doubtAll("missing-data", emit);
    } else {
      emit({ kind: "rejected", reason, instrument: channel.instrument, channel: name });
    }
    if (text.trimStart().startsWith("[")) this.#sequence.skip();
  }

  /** Undefined where there is none. */
  #decimal(node: number): string | undefined {
    const text = this.#tape.text(node);
    return text === undefined ? undefined : canonicalDecimal(text);
  }

  /** From milliseconds; undefined where there are none, NaN if it is something else. */
  #timeUs(node: number): number | undefined {
    const text = this.#tape.text(node);
    if (text === undefined) return undefined;
    const milliseconds = this.#tape.number(node);
    const isTime = Number.isSafeInteger(milliseconds) && milliseconds > 0;
    return isTime && milliseconds < MILLISECONDS_MAX ? milliseconds * 1000 : Number.NaN;
  }

  #scalesOf(instrument: Instrument): ScaleTracker {
    let scales = this.#scales.get(instrument);
    if (scales === undefined) this.#scales.set(instrument, (scales = new ScaleTracker()));
    return scales;
  }
}
