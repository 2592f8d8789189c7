// What the messages of Gate hold, one function a channel. Each emits, or says why it cannot.
import type { Instrument } from "#core/instrument.ts";
import type { AggressorSide } from "#core/market-event.ts";
import type { FeedEvent, RejectReason } from "../../feed/feed-adapter.ts";
import { readQuoteValues, readTickerValues, readTradeValues } from "../../reading/event-values.ts";
import {
  decimalText,
  gateTimeUs,
  idText,
  isGiven,
  type Json,
  levelsOf,
  updateId,
} from "./fields.ts";
import type { ScaleTracker } from "../../reading/scale-tracker.ts";
import { isBadTime } from "../../reading/venue-time.ts";

type Emit = (event: FeedEvent) => void;

/** What a message is about, and when it came. */
export type GateSubject = {
  readonly instrument: Instrument;
  readonly tracker: ScaleTracker;
  /** Of the message as a whole; most parts have a time of their own. */
  readonly venueTimeUs: number | undefined;
  readonly receivedTimeUs: number;
};

const CANDLE_INTERVAL_MS = 60_000;

/**
 * A trade of spot (`side` is the taker's) or of futures (a negative size is a taker who sold). What
 * the insurance fund or other traders take over from a liquidation is no match in the book:
 * `is_internal`, and nobody's side.
 */
export function readTrade(trade: Json, subject: GateSubject, emit: Emit): RejectReason | undefined {
  const tradeId = idText(trade["id"]);
  const amount = trade["amount"] ?? trade["size"];
  if (tradeId === undefined || typeof amount !== "string") return "missing-field";
  const isSigned = trade["side"] === undefined;
  const aggressorSide = isSigned ? sideOfSign(amount) : sideOfName(trade["side"]);
  if (aggressorSide === undefined) return "missing-field";
  const venueTimeUs = gateTimeUs(trade["create_time_ms"] ?? trade["create_time"]);
  if (venueTimeUs === undefined || isBadTime(venueTimeUs)) return "bad-time";
  const size = isSigned ? unsigned(amount) : amount;
  const values = readTradeValues(subject.tracker, trade["price"], size);
  if (typeof values === "string") return values;
  const { instrument, receivedTimeUs } = subject;
  emit({
    kind: "trade",
    instrument,
    venueTimeUs,
    receivedTimeUs,
    ...values,
    aggressorSide: trade["is_internal"] === true ? "none" : aggressorSide,
    tradeId,
    historical: false,
  });
  return undefined;
}

/** An empty price says that nobody bids or offers. */
export function readQuote(quote: Json, subject: GateSubject, emit: Emit): RejectReason | undefined {
  const venueTimeUs = gateTimeUs(quote["t"]);
  if (isBadTime(venueTimeUs)) return "bad-time";
  const { b: bidPrice, B: bidSize, a: askPrice, A: askSize } = quote;
  if (bidPrice === undefined || askPrice === undefined) return "missing-field";
  if (bidSize === undefined || askSize === undefined) return "missing-field";
  const values = readQuoteValues(
    subject.tracker,
    { price: bidPrice === "" ? null : bidPrice, size: bidPrice === "" ? null : bidSize },
    { price: askPrice === "" ? null : askPrice, size: askPrice === "" ? null : askSize },
  );
  if (typeof values === "string") return values;
  const { instrument, receivedTimeUs } = subject;
  emit({ kind: "quote", instrument, venueTimeUs, receivedTimeUs, ...values });
  return undefined;
}

/**
 * A change (`U` to `u`), which may hold no level at all, the whole book of a stream (`full`), or a
 * REST answer.
 */
export function readBook(
  book: Json,
  subject: GateSubject,
  form: "update" | "full" | "rest",
  emit: Emit,
): RejectReason | undefined {
  const isRest = form === "rest";
  const lastUpdateId = updateId(isRest ? book["id"] : book["u"]);
  const firstUpdateId = form === "update" ? updateId(book["U"]) : undefined;
  if (lastUpdateId === undefined) return "missing-field";
  if (form === "update" && firstUpdateId === undefined) return "missing-field";
  const venueTimeUs = isRest ? subject.venueTimeUs : gateTimeUs(book["t"]);
  if (isBadTime(venueTimeUs)) return "bad-time";
  if (isRest && (book["bids"] === undefined || book["asks"] === undefined)) return "missing-field";
  const bids = levelsOf(isRest ? book["bids"] : book["b"]);
  const asks = levelsOf(isRest ? book["asks"] : book["a"]);
  if (bids === undefined || asks === undefined) return "missing-field";
  const { instrument, tracker, receivedTimeUs } = subject;
  const columns = tracker.book(bids, asks);
  if (typeof columns === "string") return columns;
  emit({
    kind: "raw-book",
    instrument,
    venueTimeUs,
    receivedTimeUs,
    snapshot: form !== "update",
    source: isRest ? "rest" : "in-band",
    firstUpdateId,
    lastUpdateId,
    previousUpdateId: undefined,
    checksum: undefined,
    priceScale: tracker.priceScale,
    sizeScale: tracker.sizeScale,
    bids: columns.bids,
    asks: columns.asks,
  });
  return undefined;
}

/** The statistics of 24 hours and, of contracts, the mark price and the funding to come. */
export function readTicker(
  ticker: Json,
  subject: GateSubject,
  emit: Emit,
): RejectReason | undefined {
  const ownTimeUs = gateTimeUs(ticker["t"]);
  const nextFundingTimeUs = gateTimeUs(ticker["funding_next_apply"]);
  if (isBadTime(ownTimeUs) || isBadTime(nextFundingTimeUs)) return "bad-time";
  const values = readTickerValues({
    lastPrice: given(ticker["last"]),
    highPrice: given(ticker["high_24h"]),
    lowPrice: given(ticker["low_24h"]),
    volume: given(ticker["base_volume"] ?? ticker["volume_24h"]),
    quoteVolume: given(ticker["quote_volume"] ?? ticker["volume_24h_quote"]),
    bidPrice: given(ticker["highest_bid"]),
    askPrice: given(ticker["lowest_ask"]),
  });
  if (typeof values === "string") return values;
  const { instrument, receivedTimeUs } = subject;
  const common = { instrument, venueTimeUs: ownTimeUs ?? subject.venueTimeUs, receivedTimeUs };
  const markPrice = decimalText(ticker["mark_price"]);
  const indexPrice = decimalText(given(ticker["index_price"]));
  const rate = decimalText(ticker["funding_rate"]);
  if (markPrice === undefined && isGiven(ticker["mark_price"])) return "bad-decimal";
  if (indexPrice === undefined && isGiven(ticker["index_price"])) return "bad-decimal";
  if (rate === undefined && isGiven(ticker["funding_rate"])) return "bad-decimal";
  if (values.lastPrice === undefined && markPrice === undefined) return "missing-field";
  if (values.lastPrice !== undefined) emit({ kind: "ticker", ...common, ...values });
  if (markPrice !== undefined) emit({ kind: "mark-price", ...common, markPrice, indexPrice });
  if (rate === undefined) return undefined;
  const seconds = updateId(ticker["funding_interval"]);
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
  candle: Json,
  subject: GateSubject,
  emit: Emit,
): RejectReason | undefined {
  const openTimeUs = gateTimeUs(candle["t"]);
  if (openTimeUs === undefined || isBadTime(openTimeUs)) return "bad-time";
  const isSpot = subject.instrument.kind === "spot";
  const [open, high, low] = [candle["o"], candle["h"], candle["l"]].map(decimalText);
  const [close, traded, amount] = [candle["c"], candle["v"], candle["a"]].map(decimalText);
  if (open === undefined || high === undefined || low === undefined) return "bad-decimal";
  if (close === undefined || traded === undefined) return "bad-decimal";
  if (amount === undefined && isGiven(candle["a"])) return "bad-decimal";
  const volume = isSpot && traded !== "0" ? amount : traded;
  if (volume === undefined) {
    emit({ kind: "heartbeat" });
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
    open,
    high,
    low,
    close,
    volume,
    quoteVolume: isSpot ? traded : undefined,
    tradeCount: undefined,
    closed: candle["w"] === true,
  });
  return undefined;
}

/** A negative size is an order that sells: a long position was liquidated. */
export function readLiquidation(
  order: Json,
  subject: GateSubject,
  emit: Emit,
): RejectReason | undefined {
  const signed = decimalText(order["size"]);
  const price = decimalText(order["price"]);
  if (signed === undefined || price === undefined) return "bad-decimal";
  if (signed === "0") return "non-positive-size";
  // Milliseconds under either name; seconds in the older form of `time`.
  const ownTimeUs = gateTimeUs(order["time_ms"] ?? order["time"]);
  if (isBadTime(ownTimeUs)) return "bad-time";
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
  stats: Json,
  subject: GateSubject,
  emit: Emit,
): RejectReason | undefined {
  const ownTimeUs = gateTimeUs(stats["time"]);
  if (isBadTime(ownTimeUs)) return "bad-time";
  const { open_interest: contracts, open_interest_usd: worth } = stats;
  if (!isGiven(contracts)) return "missing-field";
  const openInterest = decimalText(contracts);
  const openInterestValue = decimalText(given(worth));
  if (openInterest === undefined) return "bad-decimal";
  if (openInterestValue === undefined && isGiven(worth)) return "bad-decimal";
  const { instrument, receivedTimeUs } = subject;
  const venueTimeUs = ownTimeUs ?? subject.venueTimeUs;
  const common = { instrument, venueTimeUs, receivedTimeUs };
  emit({ kind: "open-interest", ...common, openInterest, openInterestValue });
  return undefined;
}

function sideOfName(side: unknown): AggressorSide | undefined {
  if (side === "buy") return "buyer";
  return side === "sell" ? "seller" : undefined;
}

function sideOfSign(size: string): AggressorSide {
  return size.startsWith("-") ? "seller" : "buyer";
}

function unsigned(size: string): string {
  return size.startsWith("-") ? size.slice(1) : size;
}

function given<Value>(value: Value): Value | undefined {
  return value === "" ? undefined : value;
}
