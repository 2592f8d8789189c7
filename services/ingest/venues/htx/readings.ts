// What HTX's messages say, one function for each kind of them.
import type { Candle } from "#core/market-event.ts";
import { asJsonArray, asText, type JsonText } from "#core/json-text.ts";
import type { RejectReason } from "../../feed/feed-adapter.ts";
import { bookEvent, type BookForm } from "../../reading/book-event.ts";
import { readCandleValues } from "../../reading/candle-values.ts";
import type { Emit, EventSubject } from "../../reading/emit.ts";
import type { Fault } from "../../reading/fault.ts";
import type { TextRecord } from "../../reading/frame-forms.ts";
import { quoteEvent, type QuoteSideTexts } from "../../reading/quote-event.ts";
import type { ScaleTracker } from "../../reading/scale-tracker.ts";
import { decimalText } from "../../reading/text-fields.ts";
import { tickerEvent } from "../../reading/ticker-event.ts";
import { tradeEvent } from "../../reading/trade-event.ts";
import { takerSide } from "../../reading/trade-fields.ts";
import { epochTimeUs, isBadTime } from "../../reading/venue-time.ts";
import { wholeNumber } from "../../reading/whole-numbers.ts";
import { levelsOf } from "./fields.ts";

const SIDES = { buyer: "buy", seller: "sell" };

const CANDLE_INTERVAL_MS = 60_000;

/**
 * The direction is the taker's. The 27 digits of `id` stay text; where the venue leaves them out,
 * the shorter id is taken. What is older than `historyEndUs` was traded before the subscription:
 * the venue begins with the last match before.
 */
export function readTrade(
  trade: TextRecord,
  subject: EventSubject,
  scales: ScaleTracker,
  emit: Emit,
  historyEndUs = 0,
): Fault {
  const aggressorSide = takerSide<unknown>(trade["direction"], SIDES);
  const tradeId = asText(trade["id"] ?? trade["tradeId"]);
  if (aggressorSide === undefined || tradeId === undefined) return "missing-field";
  if (!/^\d{1,40}$/.test(tradeId)) return "missing-field";
  const venueTimeUs = epochTimeUs(trade["ts"]);
  const { price, amount: size } = trade;
  const historical = historyEndUs === Infinity || (venueTimeUs ?? 0) < historyEndUs;
  const form = { price, size, aggressorSide, tradeId, historical };
  const event = tradeEvent({ ...subject, venueTimeUs }, scales, form);
  if (typeof event === "string") return event;
  emit(event);
  return undefined;
}

/** Spot names price and size of each side; contracts write a side as a pair of them, or not. */
export function readQuote(
  tick: TextRecord,
  subject: EventSubject,
  scales: ScaleTracker,
  emit: Emit,
): Fault {
  const isSpot = subject.instrument.kind === "spot";
  const ownTimeUs = epochTimeUs(isSpot ? tick["quoteTime"] : tick["ts"]);
  const bid = isSpot ? spotSide(tick["bid"], tick["bidSize"]) : contractSide(tick["bid"]);
  const ask = isSpot ? spotSide(tick["ask"], tick["askSize"]) : contractSide(tick["ask"]);
  if (bid === undefined || ask === undefined) return "missing-field";
  const venueTimeUs = ownTimeUs ?? subject.venueTimeUs;
  const event = quoteEvent({ ...subject, venueTimeUs }, scales, bid, ask);
  if (typeof event === "string") return event;
  emit(event);
  return undefined;
}

function spotSide(price: unknown, size: unknown): QuoteSideTexts | undefined {
  return price === undefined || size === undefined ? undefined : { price, size };
}

/** Left out, or null, where nobody bids or offers. */
function contractSide(side: JsonText | undefined): QuoteSideTexts | undefined {
  if (side === undefined || side === null) return { price: undefined, size: undefined };
  const [price, size] = asJsonArray(side) ?? [];
  return spotSide(price, size);
}

/**
 * A change (`prevSeqNum` to `seqNum` on spot, one `version` after the other of contracts), the
 * whole book of the stream, or the answer to a request for it.
 */
export function readBook(
  tick: TextRecord,
  subject: EventSubject,
  scales: ScaleTracker,
  form: Pick<BookForm, "snapshot" | "source" | "depth">,
  emit: Emit,
): Fault {
  const lastUpdateId = wholeNumber(tick["seqNum"] ?? tick["version"]);
  if (lastUpdateId === undefined) return "missing-field";
  const isNumberedTwice = tick["seqNum"] !== undefined;
  const before = isNumberedTwice ? wholeNumber(tick["prevSeqNum"]) : lastUpdateId - 1;
  const previousUpdateId = form.snapshot ? undefined : before;
  if (!form.snapshot && previousUpdateId === undefined) return "missing-field";
  const bids = levelsOf(tick["bids"]);
  const asks = levelsOf(tick["asks"]);
  if (bids === undefined || asks === undefined) return "missing-field";
  if (form.snapshot && tick["bids"] === undefined && tick["asks"] === undefined) {
    return "missing-field";
  }
  const ownTimeUs = epochTimeUs(tick["ts"]);
  const columns = scales.book(bids, asks);
  if (typeof columns === "string") return columns;
  const common = { ...subject, venueTimeUs: ownTimeUs ?? subject.venueTimeUs };
  emit(bookEvent(common, scales, columns, { ...form, lastUpdateId, previousUpdateId }));
  return undefined;
}

/** The statistics of 24 hours; contracts count volume in contracts. */
export function readTicker(tick: TextRecord, subject: EventSubject, emit: Emit): Fault {
  const isSpot = subject.instrument.kind === "spot";
  const values = tickerEvent(subject, {
    lastPrice: tick["close"],
    openPrice: tick["open"],
    highPrice: tick["high"],
    lowPrice: tick["low"],
    volume: isSpot ? tick["amount"] : tick["vol"],
    quoteVolume: isSpot ? tick["vol"] : tick["trade_turnover"],
    bidPrice: asJsonArray(tick["bid"])?.[0],
    askPrice: asJsonArray(tick["ask"])?.[0],
  });
  if (typeof values === "string") return values;
  if (values.lastPrice === undefined) return "missing-field";
  emit(values);
  return undefined;
}

/** A candle of a minute, whose id is the second that it begins. */
export function readCandle(tick: TextRecord, subject: EventSubject): Candle | RejectReason {
  const openTimeUs = epochTimeUs(tick["id"]);
  if (openTimeUs === undefined || isBadTime(openTimeUs)) return "bad-time";
  const { open, high, low, close } = tick;
  const isSpot = subject.instrument.kind === "spot";
  const volume = isSpot ? tick["amount"] : tick["vol"];
  const values = readCandleValues({ open, high, low, close, volume });
  const quoteVolume = decimalText(isSpot ? tick["vol"] : tick["trade_turnover"]);
  if (typeof values === "string") return values;
  // Contracts that are worth so many dollars each have no turnover beside their number.
  if (quoteVolume === undefined && !subject.instrument.inverse) return "bad-decimal";
  return {
    kind: "candle",
    ...subject,
    intervalMs: CANDLE_INTERVAL_MS,
    openTimeUs,
    ...values,
    quoteVolume,
    tradeCount: wholeNumber(tick["count"]),
    // The venue never says so, but one whose end is not after the venue's own clock is over.
    closed: (subject.venueTimeUs ?? 0) >= openTimeUs + CANDLE_INTERVAL_MS * 1000,
  };
}

/** The last price of the minute's candle of mark prices. */
export function readMarkPrice(
  tick: TextRecord,
  subject: EventSubject,
  indexPrice: string | undefined,
  emit: Emit,
): Fault {
  const markPrice = decimalText(tick["close"]);
  if (markPrice === undefined) return "bad-decimal";
  emit({ kind: "mark-price", ...subject, markPrice, indexPrice });
  return undefined;
}

/** The rate of the settlement to come. */
export function readFunding(item: TextRecord, subject: EventSubject, emit: Emit): Fault {
  const rate = decimalText(item["funding_rate"]);
  if (rate === undefined) return "bad-decimal";
  const nextFundingTimeUs = epochTimeUs(item["settlement_time"]);
  emit({ kind: "funding", ...subject, rate, nextFundingTimeUs, intervalMs: undefined });
  return undefined;
}

/** The direction is that of the order: one that sells closes a long position. */
export function readLiquidation(item: TextRecord, subject: EventSubject, emit: Emit): Fault {
  const aggressorSide = takerSide<unknown>(item["direction"], SIDES);
  if (aggressorSide === undefined) return "missing-field";
  const price = decimalText(item["price"]);
  const size = decimalText(item["volume"]);
  if (price === undefined || size === undefined) return "bad-decimal";
  if (size === "0" || size.startsWith("-")) return "non-positive-size";
  if (price === "0" || price.startsWith("-")) return "non-positive-price";
  const venueTimeUs = epochTimeUs(item["created_at"]);
  const common = { ...subject, venueTimeUs };
  emit({ kind: "liquidation", ...common, price, size, aggressorSide, liquidationId: undefined });
  return undefined;
}

/** The open interest in contracts, and its worth in the quote asset. */
export function readOpenInterest(item: TextRecord, subject: EventSubject, emit: Emit): Fault {
  const openInterest = decimalText(item["volume"]);
  const openInterestValue = decimalText(item["value"]);
  if (openInterest === undefined) return "bad-decimal";
  if (openInterestValue === undefined && item["value"] !== undefined) return "bad-decimal";
  emit({ kind: "open-interest", ...subject, openInterest, openInterestValue });
  return undefined;
}
