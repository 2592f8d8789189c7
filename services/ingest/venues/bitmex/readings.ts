// What the rows of BitMEX's tables hold, one function a table. Each emits, or says why it cannot.
import { canonicalDecimal } from "@tickwire/proto/model";
import type { Instrument } from "#core/instrument.ts";
import type { AggressorSide } from "#core/market-event.ts";
import type { JsonText } from "#core/json-text.ts";
import type { FeedEvent, RejectReason } from "../../feed/feed-adapter.ts";
import { readCandleValues } from "../../reading/candle-values.ts";
import { readQuoteValues, readTickerValues, readTradeValues } from "../../reading/event-values.ts";
import type { ScaleTracker } from "../../reading/scale-tracker.ts";
import { isBadTime, parseIsoTimeUs } from "../../reading/venue-time.ts";

type Emit = (event: FeedEvent) => void;

/** A row of a table, with every number as its text. */
export type Row = { readonly [key: string]: JsonText };

/** What a row is about, and when it came. */
export type RowSubject = {
  readonly instrument: Instrument;
  readonly tracker: ScaleTracker;
  readonly receivedTimeUs: number;
};

const CANDLE_INTERVAL_MS = 60_000;

/** Lengths of time are written as times since this one. */
const INTERVALS_BEGIN_US = Date.UTC(2000, 0, 1) * 1000;

/** `side` is the taker's; prints that nobody took have none. */
export function readTrade(
  row: Row,
  subject: RowSubject,
  { historical }: { readonly historical: boolean },
  emit: Emit,
): RejectReason | undefined {
  const tradeId = row["trdMatchID"];
  const aggressorSide = isGiven(row["side"]) ? sideOf(row["side"]) : "none";
  if (typeof tradeId !== "string" || tradeId === "" || aggressorSide === undefined) {
    return "missing-field";
  }
  const venueTimeUs = parseIsoTimeUs(row["timestamp"]);
  if (venueTimeUs === undefined || isBadTime(venueTimeUs)) return "bad-time";
  const values = readTradeValues(subject.tracker, row["price"], row["size"]);
  if (typeof values === "string") return values;
  const { instrument, receivedTimeUs } = subject;
  const common = { instrument, venueTimeUs, receivedTimeUs };
  emit({ kind: "trade", ...common, ...values, aggressorSide, tradeId, historical });
  return undefined;
}

/** A side without orders is null. */
export function readQuote(row: Row, subject: RowSubject, emit: Emit): RejectReason | undefined {
  const venueTimeUs = parseIsoTimeUs(row["timestamp"]);
  if (isBadTime(venueTimeUs)) return "bad-time";
  const { bidPrice, bidSize, askPrice, askSize } = row;
  const sides = [bidPrice, bidSize, askPrice, askSize];
  if (!sides.some(isGiven)) return "missing-field";
  const values = readQuoteValues(
    subject.tracker,
    { price: bidPrice, size: bidSize },
    { price: askPrice, size: askSize },
  );
  if (typeof values === "string") return values;
  const { instrument, receivedTimeUs } = subject;
  emit({ kind: "quote", instrument, venueTimeUs, receivedTimeUs, ...values });
  return undefined;
}

/** A minute that is over, named by its end. A market that never traded has no prices to tell. */
export function readCandle(row: Row, subject: RowSubject, emit: Emit): RejectReason | undefined {
  const closeTimeUs = parseIsoTimeUs(row["timestamp"]);
  if (closeTimeUs === undefined || isBadTime(closeTimeUs)) return "bad-time";
  if (row["close"] === null) {
    emit({ kind: "heartbeat" });
    return undefined;
  }
  const { open, high, low, close, volume } = row;
  const values = readCandleValues({ open, high, low, close, volume });
  if (typeof values === "string") return values;
  const { instrument, receivedTimeUs } = subject;
  emit({
    kind: "candle",
    instrument,
    venueTimeUs: closeTimeUs,
    receivedTimeUs,
    intervalMs: CANDLE_INTERVAL_MS,
    openTimeUs: closeTimeUs - CANDLE_INTERVAL_MS * 1000,
    ...values,
    quoteVolume: decimal(row["foreignNotional"]),
    tradeCount: countOf(row["trades"]),
    closed: true,
  });
  return undefined;
}

/** The side is the order's: one that buys closes a short position. It has no time. */
export function readLiquidation(
  row: Row,
  subject: RowSubject,
  emit: Emit,
): RejectReason | undefined {
  const aggressorSide = sideOf(row["side"]);
  const price = decimal(row["price"]);
  const size = decimal(row["leavesQty"]);
  if (aggressorSide === undefined) return "missing-field";
  if (price === undefined || size === undefined) return "bad-decimal";
  if (size === "0" || size.startsWith("-")) return "non-positive-size";
  const { instrument, receivedTimeUs } = subject;
  const orderId = row["orderID"];
  emit({
    kind: "liquidation",
    instrument,
    venueTimeUs: undefined,
    receivedTimeUs,
    price,
    size,
    aggressorSide,
    liquidationId: typeof orderId === "string" ? orderId : undefined,
  });
  return undefined;
}

/** A payment that was made, at this rate. When the next one is due is not said. */
export function readFunding(row: Row, subject: RowSubject, emit: Emit): RejectReason | undefined {
  const venueTimeUs = parseIsoTimeUs(row["timestamp"]);
  const intervalMs = lengthMsOf(row["fundingInterval"]);
  const rate = decimal(row["fundingRate"]);
  if (rate === undefined) return isGiven(row["fundingRate"]) ? "bad-decimal" : "missing-field";
  if (isBadTime(venueTimeUs) || isBadTime(intervalMs)) return "bad-time";
  const { instrument, receivedTimeUs } = subject;
  const common = { instrument, venueTimeUs, receivedTimeUs };
  emit({ kind: "funding", ...common, rate, nextFundingTimeUs: undefined, intervalMs });
  return undefined;
}

/** The fields of an instrument that are published, by what they are published as. */
const TICKER_FIELDS = [
  "lastPrice",
  "prevPrice24h",
  "highPrice",
  "lowPrice",
  "volume24h",
  "foreignNotional24h",
  "bidPrice",
  "askPrice",
] as const;
const MARK_FIELDS = ["markPrice", "indicativeSettlePrice"] as const;
const FUNDING_FIELDS = ["fundingRate", "fundingTimestamp", "fundingInterval"] as const;
const INTEREST_FIELDS = ["openInterest"] as const;
const STATE_FIELDS = [...TICKER_FIELDS, ...MARK_FIELDS, ...FUNDING_FIELDS, ...INTEREST_FIELDS];

/** The last value of each field that is published. */
export type InstrumentState = Map<string, JsonText>;

/**
 * A row of the table of instruments has what changed: it is laid over what was known, and what is
 * published of the fields that it has is emitted anew.
 */
export function readInstrument(
  row: Row,
  subject: RowSubject,
  state: InstrumentState,
  emit: Emit,
): RejectReason | undefined {
  const venueTimeUs = parseIsoTimeUs(row["timestamp"]);
  if (isBadTime(venueTimeUs)) return "bad-time";
  for (const field of STATE_FIELDS) {
    const value = row[field];
    if (value !== undefined) state.set(field, value);
  }
  const { instrument, receivedTimeUs } = subject;
  const common = { instrument, venueTimeUs, receivedTimeUs };
  const has = (fields: readonly string[]): boolean =>
    fields.some((field) => row[field] !== undefined);
  let damage: RejectReason | undefined;
  if (has(TICKER_FIELDS)) damage = emitTicker(state, common, emit) ?? damage;
  if (instrument.kind === "spot") return damage;
  if (has(MARK_FIELDS)) damage = emitMarkPrice(state, common, emit) ?? damage;
  if (has(INTEREST_FIELDS)) damage = emitOpenInterest(state, common, emit) ?? damage;
  if (has(FUNDING_FIELDS)) damage = emitFunding(state, common, emit) ?? damage;
  return damage;
}

type Common = {
  readonly instrument: Instrument;
  readonly venueTimeUs: number | undefined;
  readonly receivedTimeUs: number;
};

function emitTicker(state: InstrumentState, common: Common, emit: Emit): RejectReason | undefined {
  const values = readTickerValues({
    lastPrice: state.get("lastPrice"),
    openPrice: state.get("prevPrice24h"),
    highPrice: state.get("highPrice"),
    lowPrice: state.get("lowPrice"),
    volume: state.get("volume24h"),
    quoteVolume: state.get("foreignNotional24h"),
    bidPrice: state.get("bidPrice"),
    askPrice: state.get("askPrice"),
  });
  if (typeof values === "string") return values;
  emit({ kind: "ticker", ...common, ...values });
  return undefined;
}

function emitMarkPrice(
  state: InstrumentState,
  common: Common,
  emit: Emit,
): RejectReason | undefined {
  const mark = state.get("markPrice");
  const index = state.get("indicativeSettlePrice");
  if (!isGiven(mark)) return undefined;
  const markPrice = decimal(mark);
  const indexPrice = decimal(index);
  if (markPrice === undefined) return "bad-decimal";
  if (indexPrice === undefined && isGiven(index)) return "bad-decimal";
  emit({ kind: "mark-price", ...common, markPrice, indexPrice });
  return undefined;
}

/** `openValue` is in the smallest unit of the settle asset, so it is no worth in the quote asset. */
function emitOpenInterest(
  state: InstrumentState,
  common: Common,
  emit: Emit,
): RejectReason | undefined {
  const contracts = state.get("openInterest");
  if (!isGiven(contracts)) return undefined;
  const openInterest = decimal(contracts);
  if (openInterest === undefined) return "bad-decimal";
  emit({ kind: "open-interest", ...common, openInterest, openInterestValue: undefined });
  return undefined;
}

function emitFunding(state: InstrumentState, common: Common, emit: Emit): RejectReason | undefined {
  const value = state.get("fundingRate");
  // Dated futures have none.
  if (!isGiven(value)) return undefined;
  const rate = decimal(value);
  const nextFundingTimeUs = parseIsoTimeUs(state.get("fundingTimestamp"));
  const intervalMs = lengthMsOf(state.get("fundingInterval"));
  if (rate === undefined) return "bad-decimal";
  if (isBadTime(nextFundingTimeUs) || isBadTime(intervalMs)) return "bad-time";
  emit({ kind: "funding", ...common, rate, nextFundingTimeUs, intervalMs });
  return undefined;
}

/** A length of time; BAD_TIME if it is not written as one. */
function lengthMsOf(text: JsonText | undefined): number | undefined {
  const endUs = parseIsoTimeUs(text);
  if (endUs === undefined || isBadTime(endUs)) return endUs;
  const lengthMs = (endUs - INTERVALS_BEGIN_US) / 1000;
  return lengthMs > 0 && Number.isInteger(lengthMs) ? lengthMs : undefined;
}

/** Buyer or seller, as the venue writes it; undefined if it is neither. */
export function sideOf(side: JsonText | undefined): AggressorSide | undefined {
  if (side === "Buy") return "buyer";
  return side === "Sell" ? "seller" : undefined;
}

/** True unless a value is absent, null or empty. */
export function isGiven(value: JsonText | undefined): boolean {
  return value !== undefined && value !== null && value !== "";
}

function decimal(value: JsonText | undefined): string | undefined {
  return typeof value === "string" ? canonicalDecimal(value) : undefined;
}

function countOf(value: JsonText | undefined): number | undefined {
  return typeof value === "string" && /^\d{1,15}$/.test(value) ? Number(value) : undefined;
}
