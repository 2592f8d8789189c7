// What the messages of Gate hold, one function a channel. Each emits, or says why it cannot.
import type { AggressorSide } from "#core/market-event.ts";
import type { RejectReason } from "../../feed/feed-adapter.ts";
import { bookEvent } from "../../reading/book-event.ts";
import { readCandleValues } from "../../reading/candle-values.ts";
import { type Emit, type EventSubject, heartbeat } from "../../reading/emit.ts";
import type { TextRecord } from "../../reading/frame-forms.ts";
import { quoteEvent } from "../../reading/quote-event.ts";
import type { ScaleTracker } from "../../reading/scale-tracker.ts";
import { BAD_DECIMAL, decimalText, optionalDecimal, present } from "../../reading/text-fields.ts";
import { tickerEvent } from "../../reading/ticker-event.ts";
import { tradeEvent } from "../../reading/trade-event.ts";
import { takerSide } from "../../reading/trade-fields.ts";
import { epochTimeUs, isBadTime } from "../../reading/venue-time.ts";
import { wholeNumber } from "../../reading/whole-numbers.ts";
import { idText, levelsOf } from "./fields.ts";

/** What a message is about. Its time is that of the whole message; most parts have their own. */
export type GateSubject = EventSubject & { readonly scales: ScaleTracker };

const SIDES = { buyer: "buy", seller: "sell" };

const CANDLE_INTERVAL_MS = 60_000;

/**
 * A trade of spot (`side` is the taker's) or of futures (a negative size is a taker who sold). What
 * the insurance fund or other traders take over from a liquidation is no match in the book:
 * `is_internal`, and nobody's side.
 */
export function readTrade(
  trade: TextRecord,
  subject: GateSubject,
  emit: Emit,
): RejectReason | undefined {
  const tradeId = idText(trade["id"]);
  const amount = trade["amount"] ?? trade["size"];
  if (tradeId === undefined || typeof amount !== "string") return "missing-field";
  const isSigned = trade["side"] === undefined;
  const side = isSigned ? sideOfSign(amount) : takerSide<unknown>(trade["side"], SIDES);
  if (side === undefined) return "missing-field";
  const venueTimeUs = epochTimeUs(trade["create_time_ms"] ?? trade["create_time"]);
  const size = isSigned ? unsigned(amount) : amount;
  const aggressorSide = trade["is_internal"] === true ? "none" : side;
  const form = { price: trade["price"], size, aggressorSide, tradeId, historical: false };
  const { instrument, scales, receivedTimeUs } = subject;
  const event = tradeEvent({ instrument, venueTimeUs, receivedTimeUs }, scales, form);
  if (typeof event === "string") return event;
  emit(event);
  return undefined;
}

/** An empty price says that nobody bids or offers. */
export function readQuote(
  quote: TextRecord,
  subject: GateSubject,
  emit: Emit,
): RejectReason | undefined {
  const venueTimeUs = epochTimeUs(quote["t"]);
  const { b: bidPrice, B: bidSize, a: askPrice, A: askSize } = quote;
  if (bidPrice === undefined || askPrice === undefined) return "missing-field";
  if (bidSize === undefined || askSize === undefined) return "missing-field";
  const { instrument, scales, receivedTimeUs } = subject;
  const event = quoteEvent(
    { instrument, venueTimeUs, receivedTimeUs },
    scales,
    { price: bidPrice === "" ? null : bidPrice, size: bidPrice === "" ? null : bidSize },
    { price: askPrice === "" ? null : askPrice, size: askPrice === "" ? null : askSize },
    // Futures cut sizes down to whole contracts, of which there may be less than one.
    instrument.kind === "spot" ? "empty" : "rounded",
  );
  if (typeof event === "string") return event;
  emit(event);
  return undefined;
}

/**
 * A change (`U` to `u`), which may hold no level at all, the whole book of a stream (`full`), or a
 * REST answer.
 */
export function readBook(
  book: TextRecord,
  subject: GateSubject,
  form: "update" | "full" | "rest",
  emit: Emit,
): RejectReason | undefined {
  const isRest = form === "rest";
  const lastUpdateId = wholeNumber(isRest ? book["id"] : book["u"]);
  const firstUpdateId = form === "update" ? wholeNumber(book["U"]) : undefined;
  if (lastUpdateId === undefined) return "missing-field";
  if (form === "update" && firstUpdateId === undefined) return "missing-field";
  const venueTimeUs = isRest ? subject.venueTimeUs : epochTimeUs(book["t"]);
  if (isRest && (book["bids"] === undefined || book["asks"] === undefined)) return "missing-field";
  const bids = levelsOf(isRest ? book["bids"] : book["b"]);
  const asks = levelsOf(isRest ? book["asks"] : book["a"]);
  if (bids === undefined || asks === undefined) return "missing-field";
  const { instrument, scales, receivedTimeUs } = subject;
  const columns = scales.book(bids, asks);
  if (typeof columns === "string") return columns;
  const snapshot = form !== "update";
  const source = isRest ? "rest" : "in-band";
  const common = { instrument, venueTimeUs, receivedTimeUs };
  emit(bookEvent(common, scales, columns, { snapshot, source, firstUpdateId, lastUpdateId }));
  return undefined;
}

/** The statistics of 24 hours and, of contracts, the mark price and the funding to come. */
export function readTicker(
  ticker: TextRecord,
  subject: GateSubject,
  emit: Emit,
): RejectReason | undefined {
  const ownTimeUs = epochTimeUs(ticker["t"]);
  const nextFundingTimeUs = epochTimeUs(ticker["funding_next_apply"]);
  const { instrument, receivedTimeUs } = subject;
  const common = { instrument, venueTimeUs: ownTimeUs ?? subject.venueTimeUs, receivedTimeUs };
  const values = tickerEvent(common, {
    lastPrice: present(ticker["last"]),
    highPrice: present(ticker["high_24h"]),
    lowPrice: present(ticker["low_24h"]),
    volume: present(ticker["base_volume"] ?? ticker["volume_24h"]),
    quoteVolume: present(ticker["quote_volume"] ?? ticker["volume_24h_quote"]),
    bidPrice: present(ticker["highest_bid"]),
    askPrice: present(ticker["lowest_ask"]),
  });
  if (typeof values === "string") return values;
  const markPrice = optionalDecimal(ticker["mark_price"]);
  const indexPrice = optionalDecimal(ticker["index_price"]);
  const rate = optionalDecimal(ticker["funding_rate"]);
  if (markPrice === BAD_DECIMAL || indexPrice === BAD_DECIMAL || rate === BAD_DECIMAL) {
    return BAD_DECIMAL;
  }
  if (values.lastPrice === undefined && markPrice === undefined) return "missing-field";
  if (values.lastPrice !== undefined) emit(values);
  if (markPrice !== undefined) emit({ kind: "mark-price", ...common, markPrice, indexPrice });
  if (rate === undefined) return undefined;
  const seconds = wholeNumber(ticker["funding_interval"]);
  const intervalMs = seconds === undefined ? undefined : seconds * 1000;
  emit({ kind: "funding", ...common, rate, nextFundingTimeUs, intervalMs });
  return undefined;
}

/**
 * A candle of a minute. Spot writes the volume in the quote asset as `v` and in the base asset as
 * `a`; futures count contracts in `v`. Spot had no `a` before 2022: such a candle is a sign of life
 * unless nothing was traded.
 */
export function readCandle(
  candle: TextRecord,
  subject: GateSubject,
  emit: Emit,
): RejectReason | undefined {
  const openTimeUs = epochTimeUs(candle["t"]);
  if (openTimeUs === undefined || isBadTime(openTimeUs)) return "bad-time";
  const isSpot = subject.instrument.kind === "spot";
  const { o: open, h: high, l: low, c: close, v: traded } = candle;
  const values = readCandleValues({ open, high, low, close, volume: traded });
  const amount = optionalDecimal(candle["a"]);
  if (typeof values === "string") return values;
  if (amount === BAD_DECIMAL) return BAD_DECIMAL;
  const volume = isSpot && values.volume !== "0" ? amount : values.volume;
  if (volume === undefined) {
    heartbeat(emit);
    return undefined;
  }
  const { instrument, venueTimeUs, receivedTimeUs } = subject;
  emit({
    kind: "candle",
    instrument,
    venueTimeUs,
    receivedTimeUs,
    intervalMs: CANDLE_INTERVAL_MS,
    openTimeUs,
    ...values,
    volume,
    quoteVolume: isSpot ? values.volume : undefined,
    tradeCount: undefined,
    closed: candle["w"] === true,
  });
  return undefined;
}

/** A negative size is an order that sells: a long position was liquidated. */
export function readLiquidation(
  order: TextRecord,
  subject: GateSubject,
  emit: Emit,
): RejectReason | undefined {
  const signed = decimalText(order["size"]);
  const price = decimalText(order["price"]);
  if (signed === undefined || price === undefined) return "bad-decimal";
  if (signed === "0") return "non-positive-size";
  // Milliseconds under either name; seconds in the older form of `time`.
  const ownTimeUs = epochTimeUs(order["time_ms"] ?? order["time"]);
  const { instrument, receivedTimeUs } = subject;
  emit({
    kind: "liquidation",
    instrument,
    venueTimeUs: ownTimeUs ?? subject.venueTimeUs,
    receivedTimeUs,
    price,
    size: unsigned(signed),
    aggressorSide: sideOfSign(signed),
    liquidationId: undefined,
  });
  return undefined;
}

/** The open interest in contracts, and its worth in the quote asset. */
export function readContractStats(
  stats: TextRecord,
  subject: GateSubject,
  emit: Emit,
): RejectReason | undefined {
  const ownTimeUs = epochTimeUs(stats["time"]);
  const { open_interest: contracts, open_interest_usd: worth } = stats;
  const openInterest = optionalDecimal(contracts);
  const openInterestValue = optionalDecimal(worth);
  if (openInterest === undefined) return "missing-field";
  if (openInterest === BAD_DECIMAL || openInterestValue === BAD_DECIMAL) return BAD_DECIMAL;
  const { instrument, receivedTimeUs } = subject;
  const venueTimeUs = ownTimeUs ?? subject.venueTimeUs;
  const common = { instrument, venueTimeUs, receivedTimeUs };
  emit({ kind: "open-interest", ...common, openInterest, openInterestValue });
  return undefined;
}

function sideOfSign(size: string): AggressorSide {
  return size.startsWith("-") ? "seller" : "buyer";
}

function unsigned(size: string): string {
  return size.startsWith("-") ? size.slice(1) : size;
}
