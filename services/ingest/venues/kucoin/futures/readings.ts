// What the messages of KuCoin's futures hold, one function a kind. Sizes count contracts.
import type { Candle } from "#core/market-event.ts";
import { asJsonArray, asText, type JsonText } from "#core/json-text.ts";
import type { RejectReason } from "../../../feed/feed-adapter.ts";
import { bookEvent, type BookForm } from "../../../reading/book-event.ts";
import { readCandleValues } from "../../../reading/candle-values.ts";
import type { Emit, EventSubject } from "../../../reading/emit.ts";
import type { Fault } from "../../../reading/fault.ts";
import type { TextRecord } from "../../../reading/frame-forms.ts";
import { quoteEvent } from "../../../reading/quote-event.ts";
import type { ScaleTracker } from "../../../reading/scale-tracker.ts";
import { decimalText } from "../../../reading/text-fields.ts";
import { readTickerValues } from "../../../reading/ticker-values.ts";
import { tradeEvent } from "../../../reading/trade-event.ts";
import { takerSide } from "../../../reading/trade-fields.ts";
import { epochTimeUs, isBadTime } from "../../../reading/venue-time.ts";
import { wholeNumber } from "../../../reading/whole-numbers.ts";

/** What a message is about; its time stands in its data. */
export type FuturesSubject = Omit<EventSubject, "venueTimeUs"> & { readonly scales: ScaleTracker };

const SIDES = { buyer: "buy", seller: "sell" };
const NONE: readonly unknown[] = [];
const CANDLE_INTERVAL_MS = 60_000;
const HOUR_MS = 3_600_000;

/** One level: `"90631.2,sell,2"`. A price of 0 only moves the number on. */
export function readChange(data: TextRecord, subject: FuturesSubject, emit: Emit): Fault {
  const updateId = wholeNumber(data["sequence"]);
  const [price = "", side, size, ...rest] = (asText(data["change"]) ?? "").split(",");
  if (updateId === undefined || size === undefined || rest.length > 0) return "missing-field";
  if (side !== SIDES.buyer && side !== SIDES.seller) return "missing-field";
  const levels = decimalText(price) === "0" ? NONE : [[price, size]];
  const [bids, asks] = side === SIDES.buyer ? [levels, NONE] : [NONE, levels];
  const form = { snapshot: false, firstUpdateId: updateId, lastUpdateId: updateId };
  return emitBook({ bids, asks, time: data["timestamp"] }, form, subject, emit);
}

/** The whole book. A side without orders may be written as null. */
export function readSnapshot(data: TextRecord, subject: FuturesSubject, emit: Emit): Fault {
  const lastUpdateId = wholeNumber(data["sequence"]);
  const bids = data["bids"] === null ? NONE : asJsonArray(data["bids"]);
  const asks = data["asks"] === null ? NONE : asJsonArray(data["asks"]);
  if (lastUpdateId === undefined || bids === undefined || asks === undefined) {
    return "missing-field";
  }
  const form = { snapshot: true, source: "rest", lastUpdateId } as const;
  return emitBook({ bids, asks, time: data["ts"] }, form, subject, emit);
}

function emitBook(
  sides: {
    readonly bids: readonly unknown[];
    readonly asks: readonly unknown[];
    readonly time: JsonText | undefined;
  },
  form: BookForm,
  { instrument, scales, receivedTimeUs }: FuturesSubject,
  emit: Emit,
): Fault {
  const venueTimeUs = epochTimeUs(sides.time);
  const columns = scales.book(sides.bids, sides.asks);
  if (typeof columns === "string") return columns;
  emit(bookEvent({ instrument, venueTimeUs, receivedTimeUs }, scales, columns, form));
  return undefined;
}

/** The side is the taker's. Times have 19 digits, of which the last three are cut off. */
export function readTrade(data: TextRecord, subject: FuturesSubject, emit: Emit): Fault {
  const aggressorSide = takerSide<unknown>(data["side"], SIDES);
  const tradeId = asText(data["tradeId"]);
  if (aggressorSide === undefined || tradeId === undefined) return "missing-field";
  if (!/^[\w-]{1,64}$/.test(tradeId)) return "missing-field";
  const venueTimeUs = epochTimeUs(data["ts"]);
  const { instrument, scales, receivedTimeUs } = subject;
  const { price, size } = data;
  const form = { price, size, aggressorSide, tradeId, historical: false };
  const event = tradeEvent({ instrument, venueTimeUs, receivedTimeUs }, scales, form);
  if (typeof event === "string") return event;
  emit(event);
  return undefined;
}

export function readQuote(data: TextRecord, subject: FuturesSubject, emit: Emit): Fault {
  const venueTimeUs = epochTimeUs(data["ts"]);
  const { bestBidPrice, bestBidSize, bestAskPrice, bestAskSize } = data;
  if (bestBidPrice === undefined || bestBidSize === undefined) return "missing-field";
  if (bestAskPrice === undefined || bestAskSize === undefined) return "missing-field";
  const { instrument, scales, receivedTimeUs } = subject;
  const event = quoteEvent(
    { instrument, venueTimeUs, receivedTimeUs },
    scales,
    { price: bestBidPrice, size: bestBidSize },
    { price: bestAskPrice, size: bestAskSize },
  );
  if (typeof event === "string") return event;
  emit(event);
  return undefined;
}

/**
 * The statistics of 24 hours. Those of linear contracts count the base and the quote asset; what
 * those of inverse ones count is documented nowhere, so they are left out.
 */
export function readTicker(data: TextRecord, subject: FuturesSubject, emit: Emit): Fault {
  const { instrument, receivedTimeUs } = subject;
  const venueTimeUs = epochTimeUs(data["ts"]);
  const counted = instrument.inverse ? {} : data;
  const values = readTickerValues({
    lastPrice: data["lastPrice"],
    openPrice: data["price24HoursBefore"],
    highPrice: data["highPrice"],
    lowPrice: data["lowPrice"],
    volume: counted["volume"],
    quoteVolume: counted["turnover"],
  });
  if (typeof values === "string") return values;
  if (values.lastPrice === undefined) return "missing-field";
  emit({ kind: "ticker", instrument, venueTimeUs, receivedTimeUs, ...values });
  return undefined;
}

/**
 * The order is start, open, close, high, low, a volume that the venue calls wrong, and the number
 * of contracts.
 */
export function readCandle(
  data: TextRecord,
  { instrument, receivedTimeUs }: FuturesSubject,
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

export function readMarkPrice(data: TextRecord, subject: FuturesSubject, emit: Emit): Fault {
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
export function readFunding(data: TextRecord, subject: FuturesSubject, emit: Emit): Fault {
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
