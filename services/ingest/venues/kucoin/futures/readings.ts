// What the messages of KuCoin's futures hold, one function a kind. Sizes count contracts.
import type { Candle } from "#core/market-event.ts";
import { asJsonArray, asText } from "#core/json-text.ts";
import type { RejectReason } from "../../../feed/feed-adapter.ts";
import { readCandleValues } from "../../../reading/candle-values.ts";
import type { Emit } from "../../../reading/emit.ts";
import type { Fault } from "../../../reading/fault.ts";
import type { TextRecord } from "../../../reading/frame-forms.ts";
import { decimalText } from "../../../reading/text-fields.ts";
import { tickerEvent } from "../../../reading/ticker-event.ts";
import { epochTimeUs, isBadTime } from "../../../reading/venue-time.ts";
import { wholeNumber } from "../../../reading/whole-numbers.ts";
import { emitBook, emitQuote, emitTrade, type KucoinSubject, SIDES } from "../readings.ts";

const NONE: readonly unknown[] = [];
const CANDLE_INTERVAL_MS = 60_000;
const HOUR_MS = 3_600_000;

/** One level: `"90631.2,sell,2"`. A price of 0 only moves the number on. */
export function readChange(data: TextRecord, subject: KucoinSubject, emit: Emit): Fault {
  const updateId = wholeNumber(data["sequence"]);
  const [price = "", side, size, ...rest] = (asText(data["change"]) ?? "").split(",");
  if (updateId === undefined || size === undefined || rest.length > 0) return "missing-field";
  if (side !== SIDES.buyer && side !== SIDES.seller) return "missing-field";
  const levels = decimalText(price) === "0" ? NONE : [[price, size]];
  const [bids, asks] = side === SIDES.buyer ? [levels, NONE] : [NONE, levels];
  const form = { snapshot: false, firstUpdateId: updateId, lastUpdateId: updateId };
  return emitBook(data["timestamp"], { bids, asks, ...form }, subject, emit);
}

/** Times have 19 digits, of which the last three are cut off. */
export function readTrade(data: TextRecord, subject: KucoinSubject, emit: Emit): Fault {
  return emitTrade(data, { tradeId: data["tradeId"], time: data["ts"] }, subject, emit);
}

export function readQuote(data: TextRecord, subject: KucoinSubject, emit: Emit): Fault {
  const bid = { price: data["bestBidPrice"], size: data["bestBidSize"] };
  const ask = { price: data["bestAskPrice"], size: data["bestAskSize"] };
  return emitQuote({ bid, ask, time: data["ts"] }, subject, emit);
}

/**
 * The statistics of 24 hours. Those of linear contracts count the base and the quote asset; what
 * those of inverse ones count is documented nowhere, so they are left out.
 */
export function readTicker(data: TextRecord, subject: KucoinSubject, emit: Emit): Fault {
  const { instrument, receivedTimeUs } = subject;
  const venueTimeUs = epochTimeUs(data["ts"]);
  const counted = instrument.inverse ? {} : data;
  const about = { instrument, venueTimeUs, receivedTimeUs };
  const values = tickerEvent(about, {
    lastPrice: data["lastPrice"],
    openPrice: data["price24HoursBefore"],
    highPrice: data["highPrice"],
    lowPrice: data["lowPrice"],
    volume: counted["volume"],
    quoteVolume: counted["turnover"],
  });
  if (typeof values === "string") return values;
  if (values.lastPrice === undefined) return "missing-field";
  emit(values);
  return undefined;
}

/**
 * The order is start, open, close, high, low, a volume that the venue calls wrong, and the number
 * of contracts.
 */
export function readCandle(
  data: TextRecord,
  { instrument, receivedTimeUs }: KucoinSubject,
): Candle | RejectReason {
  const [start, open, close, high, low, , volume] = asJsonArray(data["candles"]) ?? [];
  if (typeof start !== "string" || volume === undefined) return "missing-field";
  const venueTimeUs = epochTimeUs(data["time"]);
  if (isBadTime(venueTimeUs) || !/^[1-9]\d{9}$/.test(start)) return "bad-time";
  const openTimeUs = Number(start) * 1_000_000;
  const values = readCandleValues({ open, high, low, close, volume });
  if (typeof values === "string") return values;
  return {
    kind: "candle",
    instrument,
    venueTimeUs,
    receivedTimeUs,
    intervalMs: CANDLE_INTERVAL_MS,
    openTimeUs,
    ...values,
    quoteVolume: undefined,
    tradeCount: undefined,
    // The venue never says so, but one whose end is not after the venue's own clock is over.
    closed: (venueTimeUs ?? 0) >= openTimeUs + CANDLE_INTERVAL_MS * 1000,
  };
}

export function readMarkPrice(data: TextRecord, subject: KucoinSubject, emit: Emit): Fault {
  const markPrice = decimalText(data["markPrice"]);
  const indexPrice = decimalText(data["indexPrice"]);
  if (markPrice === undefined) return "bad-decimal";
  if (indexPrice === undefined && data["indexPrice"] !== undefined) return "bad-decimal";
  const { instrument, receivedTimeUs } = subject;
  const venueTimeUs = epochTimeUs(data["timestamp"]);
  emit({ kind: "mark-price", instrument, venueTimeUs, receivedTimeUs, markPrice, indexPrice });
  return undefined;
}

/**
 * The rate. Its granularity is a minute while it is predicted, and then the interval that it is
 * paid for.
 */
export function readFunding(data: TextRecord, subject: KucoinSubject, emit: Emit): Fault {
  const rate = decimalText(data["fundingRate"]);
  if (rate === undefined) return "bad-decimal";
  const { instrument, receivedTimeUs } = subject;
  const venueTimeUs = epochTimeUs(data["timestamp"]);
  const granularityMs = wholeNumber(data["granularity"]) ?? 0;
  const intervalMs = granularityMs >= HOUR_MS ? granularityMs : undefined;
  const common = { instrument, venueTimeUs, receivedTimeUs };
  emit({ kind: "funding", ...common, rate, nextFundingTimeUs: undefined, intervalMs });
  return undefined;
}
