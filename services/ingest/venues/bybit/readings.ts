// https://bybit-exchange.github.io/docs/v5/websocket/public/ticker
// https://bybit-exchange.github.io/docs/v5/websocket/public/kline
// https://bybit-exchange.github.io/docs/v5/websocket/public/all-liquidation
import type { Instrument } from "#core/instrument.ts";
import type { RejectReason } from "../../feed/feed-adapter.ts";
import { readCandleValues } from "../../reading/candle-values.ts";
import { type Emit, type EventSubject, heartbeat } from "../../reading/emit.ts";
import {
  BAD_DECIMAL,
  decimalText,
  isRecord,
  type JsonRecord,
  optionalDecimal,
} from "../../reading/text-fields.ts";
import { takerSide } from "../../reading/trade-fields.ts";
import { epochTimeUs, isBadTime } from "../../reading/venue-time.ts";
import { bybitState } from "./instruments.ts";

/** The fields that are published; options write `bidPrice` for `bid1Price`. */
const DECIMAL_FIELDS = [
  "lastPrice",
  "prevPrice24h",
  "highPrice24h",
  "lowPrice24h",
  "volume24h",
  "turnover24h",
  "bid1Price",
  "ask1Price",
  "bidPrice",
  "askPrice",
  "markPrice",
  "indexPrice",
  "openInterest",
  "openInterestValue",
  "singleOpenInterest",
  "singleOpenInterestValue",
  "fundingRate",
] as const;

type DecimalField = (typeof DECIMAL_FIELDS)[number];

/** What is known of one instrument; a field that the venue emptied is undefined. */
type Known = { [field in DecimalField]?: string | undefined } & {
  nextFundingTimeUs?: number | undefined;
  fundingIntervalMs?: number | undefined;
};

/**
 * Tickers of one connection. Those of futures and perpetuals say only what has changed, so the rest
 * is kept here.
 */
export class BybitTickers {
  readonly #known = new Map<Instrument, Known>();

  /**
   * What is known of an instrument may be old from now on: a message about it could not be read.
   */
  forget(instrument: Instrument): void {
    this.#known.delete(instrument);
  }

  /** Emits a ticker, and of a derivative what the message says about its price and contracts. */
  read(
    data: JsonRecord,
    common: EventSubject,
    isSnapshot: boolean,
    emit: Emit,
  ): RejectReason | undefined {
    const told = readFields(data);
    if (typeof told === "string") return told;
    const { instrument } = common;
    const before = isSnapshot ? {} : (this.#known.get(instrument) ?? {});
    const known: Known = { ...before, ...told };
    this.#known.set(instrument, known);
    emitPhase(data["curPreListingPhase"], instrument, emit);
    emitTicker(known, common, emit);
    if (instrument.kind === "spot") return undefined;
    const { markPrice, indexPrice } = known;
    if (markPrice !== undefined && ("markPrice" in told || "indexPrice" in told)) {
      emit({ kind: "mark-price", ...common, markPrice, indexPrice });
    }
    emitOpenInterest(known, told, common, emit);
    const saysFunding = "fundingRate" in told || "nextFundingTimeUs" in told;
    if (instrument.kind !== "perpetual" || known.fundingRate === undefined || !saysFunding) {
      return undefined;
    }
    const { fundingRate: rate, nextFundingTimeUs, fundingIntervalMs: intervalMs } = known;
    emit({ kind: "funding", ...common, rate, nextFundingTimeUs, intervalMs });
    return undefined;
  }
}

/** Of a contract before its launch. */
function emitPhase(phase: unknown, instrument: Instrument, emit: Emit): void {
  const { state, stateWord: word } = bybitState("PreLaunch", phase);
  if (phase === "" || state === undefined || word === undefined) return;
  if (word === phase) emit({ kind: "instrument-state", instrument, state, word });
}

/**
 * `turnover24h` is in the quote asset, for inverse contracts in the base asset; for options it is
 * the worth of what they are on, not what was paid.
 */
function emitTicker(known: Known, common: EventSubject, emit: Emit): void {
  const { kind, inverse } = common.instrument;
  emit({
    kind: "ticker",
    ...common,
    lastPrice: known.lastPrice,
    lastSize: undefined,
    openPrice: known.prevPrice24h,
    highPrice: known.highPrice24h,
    lowPrice: known.lowPrice24h,
    volume: known.volume24h,
    quoteVolume: inverse || kind === "option" ? undefined : known.turnover24h,
    bidPrice: known.bid1Price ?? known.bidPrice,
    askPrice: known.ask1Price ?? known.askPrice,
  });
}

/**
 * `openInterest` counts both sides of each contract; the `single` fields, which came in June 2026,
 * count one, as other venues do. Older recordings have the former alone, which is then published.
 */
function emitOpenInterest(known: Known, told: Known, common: EventSubject, emit: Emit): void {
  const isSingle = known.singleOpenInterest !== undefined;
  const isNews = isSingle
    ? "singleOpenInterest" in told || "singleOpenInterestValue" in told
    : "openInterest" in told || "openInterestValue" in told;
  const openInterest = isSingle ? known.singleOpenInterest : known.openInterest;
  const openInterestValue = isSingle ? known.singleOpenInterestValue : known.openInterestValue;
  if (openInterest === undefined || !isNews) return;
  emit({ kind: "open-interest", ...common, openInterest, openInterestValue });
}

/** The fields that a message has; a damaged one costs the whole message. */
function readFields(data: JsonRecord): Known | RejectReason {
  const told: Known = {};
  for (const field of DECIMAL_FIELDS) {
    const value = data[field];
    if (value === undefined) continue;
    const decimal = optionalDecimal(value);
    if (decimal === BAD_DECIMAL) return decimal;
    told[field] = decimal;
  }
  const { nextFundingTime, fundingIntervalHour } = data;
  if (nextFundingTime !== undefined) {
    // Dated futures write 0 or nothing.
    told.nextFundingTimeUs = epochTimeUs(nextFundingTime);
  }
  if (typeof fundingIntervalHour === "string" && /^\d{1,3}$/.test(fundingIntervalHour)) {
    told.fundingIntervalMs = Number(fundingIntervalHour) * 3_600_000;
  }
  return told;
}

const MINUTE_MS = 60_000;

/** Candle intervals of fixed length: minutes, or a letter. */
const INTERVALS_MS: ReadonlyMap<unknown, number> = new Map([
  ...[1, 3, 5, 15, 30, 60, 120, 240, 360, 720].map((minutes): [string, number] => [
    String(minutes),
    minutes * MINUTE_MS,
  ]),
  ["D", 1440 * MINUTE_MS],
  ["W", 7 * 1440 * MINUTE_MS],
]);

/** Candles, up to the first that is damaged. */
export function readBybitCandles(
  data: unknown,
  common: EventSubject,
  emit: Emit,
): RejectReason | undefined {
  return readEach(data, (item) => candle(item, common, emit));
}

/** Liquidations, up to the first that is damaged. */
export function readBybitLiquidations(
  data: unknown,
  common: EventSubject,
  emit: Emit,
): RejectReason | undefined {
  // What was sent until 2025 is one by itself, and has longer names.
  if (isRecord(data)) {
    const { side: S, updatedTime: T, price: p, size: v } = data;
    return liquidation({ S, T, p, v }, common, emit);
  }
  return readEach(data, (item) => liquidation(item, common, emit));
}

/** Reads items until one is damaged. */
function readEach(
  data: unknown,
  read: (item: JsonRecord) => RejectReason | undefined,
): RejectReason | undefined {
  if (!Array.isArray(data)) return "missing-field";
  for (const item of data as readonly unknown[]) {
    const reason = isRecord(item) ? read(item) : "missing-field";
    if (reason !== undefined) return reason;
  }
  return undefined;
}

function candle(item: JsonRecord, common: EventSubject, emit: Emit): RejectReason | undefined {
  const { start, interval, confirm, timestamp } = item;
  const openTimeUs = epochTimeUs(start);
  if (interval === "M") {
    // A calendar month has no fixed length.
    heartbeat(emit);
    return undefined;
  }
  const intervalMs = INTERVALS_MS.get(interval);
  if (openTimeUs === undefined || intervalMs === undefined || typeof confirm !== "boolean") {
    return "missing-field";
  }
  const venueTimeUs = epochTimeUs(timestamp) ?? common.venueTimeUs;
  if (isBadTime(openTimeUs)) return "bad-time";
  const { open, high, low, close, volume } = item;
  const values = readCandleValues({ open, high, low, close, volume });
  if (typeof values === "string") return values;
  const { instrument, receivedTimeUs } = common;
  const quoteVolume = instrument.inverse ? undefined : decimalText(item["turnover"]);
  emit({
    kind: "candle",
    instrument,
    venueTimeUs,
    receivedTimeUs,
    intervalMs,
    openTimeUs,
    ...values,
    quoteVolume,
    tradeCount: undefined,
    closed: confirm,
  });
  return undefined;
}

/** `S` is the side of the position: of one that was bought, the liquidation sells. */
function liquidation(item: JsonRecord, common: EventSubject, emit: Emit): RejectReason | undefined {
  const { S: side, T: time, p, v } = item;
  const aggressorSide = takerSide(side, { buyer: "Sell", seller: "Buy" });
  if (aggressorSide === undefined) return "missing-field";
  const venueTimeUs = epochTimeUs(time);
  const price = decimalText(p);
  const size = decimalText(v);
  if (price === undefined || size === undefined) return "bad-decimal";
  const { instrument, receivedTimeUs } = common;
  emit({
    kind: "liquidation",
    instrument,
    venueTimeUs,
    receivedTimeUs,
    price,
    size,
    aggressorSide,
    liquidationId: undefined,
  });
  return undefined;
}
