// What HTX's messages say, one function for each kind of them.
import type { Instrument } from "#core/instrument.ts";
import type { AggressorSide, Candle } from "#core/market-event.ts";
import { asJsonArray, asJsonObject, asText, type JsonText } from "#core/json-text.ts";
import type { FeedEvent, RejectReason } from "../../feed/feed-adapter.ts";
import { readQuoteValues, readTickerValues, readTradeValues } from "../../reading/event-values.ts";
import { decimalText, htxTimeUs, type Json, levelsOf, sequenceOf } from "./fields.ts";
import type { ScaleTracker } from "../../reading/scale-tracker.ts";
import { isBadTime } from "../../reading/venue-time.ts";

type Emit = (event: FeedEvent) => void;

/** What a message is about, and when it came. */
export type HtxSubject = {
  readonly instrument: Instrument;
  readonly tracker: ScaleTracker;
  /** Of the message as a whole; undefined where it has none. */
  readonly venueTimeUs: number | undefined;
  readonly receivedTimeUs: number;
  /** When the venue confirmed the subscription, in the first message of trades behind that. */
  readonly historyEndUs?: number | undefined;
  /** The last that was told, for mark prices. */
  readonly indexPrice?: string | undefined;
};

const CANDLE_INTERVAL_MS = 60_000;

/**
 * The direction is the taker's. The 27 digits of `id` stay text; where the venue leaves them out,
 * the shorter id is taken.
 */
export function readTrade(trade: Json, subject: HtxSubject, emit: Emit): RejectReason | undefined {
  const aggressorSide = sideOf(trade["direction"]);
  const tradeId = asText(trade["id"] ?? trade["tradeId"]);
  if (aggressorSide === undefined || tradeId === undefined) return "missing-field";
  if (!/^\d{1,40}$/.test(tradeId)) return "missing-field";
  const venueTimeUs = htxTimeUs(trade["ts"]);
  if (venueTimeUs === undefined || isBadTime(venueTimeUs)) return "bad-time";
  const { instrument, tracker, receivedTimeUs } = subject;
  const values = readTradeValues(tracker, trade["price"], trade["amount"]);
  if (typeof values === "string") return values;
  const common = { instrument, venueTimeUs, receivedTimeUs };
  // The venue begins with the last match before.
  const historical = venueTimeUs < (subject.historyEndUs ?? 0);
  emit({ kind: "trade", ...common, ...values, aggressorSide, tradeId, historical });
  return undefined;
}

/** Spot names price and size of each side; contracts write a side as a pair of them, or not. */
export function readQuote(tick: Json, subject: HtxSubject, emit: Emit): RejectReason | undefined {
  const isSpot = subject.instrument.kind === "spot";
  const ownTimeUs = htxTimeUs(isSpot ? tick["quoteTime"] : tick["ts"]);
  if (isBadTime(ownTimeUs)) return "bad-time";
  const bid = isSpot
    ? { price: tick["bid"], size: tick["bidSize"] }
    : contractQuoteSide(tick["bid"]);
  const ask = isSpot
    ? { price: tick["ask"], size: tick["askSize"] }
    : contractQuoteSide(tick["ask"]);
  if (bid === undefined || ask === undefined) return "missing-field";
  if (isSpot && [bid.price, bid.size, ask.price, ask.size].includes(undefined)) {
    return "missing-field";
  }
  const { instrument, tracker, receivedTimeUs } = subject;
  const values = readQuoteValues(tracker, bid, ask);
  if (typeof values === "string") return values;
  const venueTimeUs = ownTimeUs ?? subject.venueTimeUs;
  emit({ kind: "quote", instrument, venueTimeUs, receivedTimeUs, ...values });
  return undefined;
}

function contractQuoteSide(
  side: JsonText | undefined,
): { readonly price: JsonText | undefined; readonly size: JsonText | undefined } | undefined {
  // Nobody bids or offers.
  if (side === undefined || side === null) return { price: undefined, size: undefined };
  const [price, size] = asJsonArray(side) ?? [];
  return price === undefined || size === undefined ? undefined : { price, size };
}

/**
 * A change (`prevSeqNum` to `seqNum` on spot, one `version` after the other of contracts), the
 * whole book of the stream, or the answer to a request for it.
 */
export function readBook(
  tick: Json,
  subject: HtxSubject,
  form: { readonly snapshot: boolean; readonly isAnswer: boolean; readonly depth?: number },
  emit: Emit,
): RejectReason | undefined {
  const lastUpdateId = sequenceOf(tick["seqNum"] ?? tick["version"]);
  if (lastUpdateId === undefined) return "missing-field";
  const isNumberedTwice = tick["seqNum"] !== undefined;
  const before = isNumberedTwice ? sequenceOf(tick["prevSeqNum"]) : lastUpdateId - 1;
  const previousUpdateId = form.snapshot ? undefined : before;
  if (!form.snapshot && previousUpdateId === undefined) return "missing-field";
  const bids = levelsOf(tick["bids"]);
  const asks = levelsOf(tick["asks"]);
  if (bids === undefined || asks === undefined) return "missing-field";
  if (form.snapshot && tick["bids"] === undefined && tick["asks"] === undefined) {
    return "missing-field";
  }
  const ownTimeUs = htxTimeUs(tick["ts"]);
  if (isBadTime(ownTimeUs)) return "bad-time";
  const { instrument, tracker, receivedTimeUs } = subject;
  const columns = tracker.book(bids, asks);
  if (typeof columns === "string") return columns;
  emit({
    kind: "raw-book",
    instrument,
    venueTimeUs: ownTimeUs ?? subject.venueTimeUs,
    receivedTimeUs,
    snapshot: form.snapshot,
    source: form.isAnswer ? "rest" : "in-band",
    firstUpdateId: undefined,
    lastUpdateId,
    previousUpdateId,
    checksum: undefined,
    ...(form.depth === undefined ? {} : { depth: form.depth }),
    priceScale: tracker.priceScale,
    sizeScale: tracker.sizeScale,
    bids: columns.bids,
    asks: columns.asks,
  });
  return undefined;
}

/** The statistics of 24 hours; contracts count volume in contracts. */
export function readTicker(tick: Json, subject: HtxSubject, emit: Emit): RejectReason | undefined {
  const isSpot = subject.instrument.kind === "spot";
  const values = readTickerValues({
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
  const { instrument, venueTimeUs, receivedTimeUs } = subject;
  emit({ kind: "ticker", instrument, venueTimeUs, receivedTimeUs, ...values });
  return undefined;
}

/** A candle of a minute, whose id is the second that it begins. */
export function readCandle(
  tick: Json,
  subject: HtxSubject,
  emit: (candle: Candle) => void,
): RejectReason | undefined {
  const id = asText(tick["id"]) ?? "";
  if (!/^[1-9]\d{9}$/.test(id)) return "bad-time";
  const openTimeUs = Number(id) * 1_000_000;
  const isSpot = subject.instrument.kind === "spot";
  const [open, high, low, close] = ["open", "high", "low", "close"].map((key) =>
    decimalText(tick[key]),
  );
  const volume = decimalText(isSpot ? tick["amount"] : tick["vol"]);
  const quoteVolume = decimalText(isSpot ? tick["vol"] : tick["trade_turnover"]);
  if (open === undefined || high === undefined || low === undefined) return "bad-decimal";
  if (close === undefined || volume === undefined || quoteVolume === undefined) {
    return "bad-decimal";
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
    quoteVolume,
    tradeCount: sequenceOf(tick["count"]),
    // The venue never says so, but one whose end is not after the venue's own clock is over.
    closed: venueTimeUs !== undefined && venueTimeUs >= openTimeUs + CANDLE_INTERVAL_MS * 1000,
  });
  return undefined;
}

/** The last price of the minute's candle of mark prices. */
export function readMarkPrice(
  tick: Json,
  subject: HtxSubject,
  emit: Emit,
): RejectReason | undefined {
  const markPrice = decimalText(tick["close"]);
  if (markPrice === undefined) return "bad-decimal";
  const { instrument, venueTimeUs, receivedTimeUs, indexPrice } = subject;
  const common = { instrument, venueTimeUs, receivedTimeUs };
  emit({ kind: "mark-price", ...common, markPrice, indexPrice });
  return undefined;
}

/** The rate of the settlement to come. */
export function readFunding(item: Json, subject: HtxSubject, emit: Emit): RejectReason | undefined {
  const rate = decimalText(item["funding_rate"]);
  if (rate === undefined) return "bad-decimal";
  const nextFundingTimeUs = htxTimeUs(item["settlement_time"]);
  if (isBadTime(nextFundingTimeUs)) return "bad-time";
  const { instrument, venueTimeUs, receivedTimeUs } = subject;
  const common = { instrument, venueTimeUs, receivedTimeUs };
  emit({ kind: "funding", ...common, rate, nextFundingTimeUs, intervalMs: undefined });
  return undefined;
}

/** The direction is that of the order: one that sells closes a long position. */
export function readLiquidation(
  item: Json,
  subject: HtxSubject,
  emit: Emit,
): RejectReason | undefined {
  const aggressorSide = sideOf(item["direction"]);
  if (aggressorSide === undefined) return "missing-field";
  const price = decimalText(item["price"]);
  const size = decimalText(item["volume"]);
  if (price === undefined || size === undefined) return "bad-decimal";
  if (size === "0" || size.startsWith("-")) return "non-positive-size";
  if (price === "0" || price.startsWith("-")) return "non-positive-price";
  const venueTimeUs = htxTimeUs(item["created_at"]);
  if (isBadTime(venueTimeUs)) return "bad-time";
  const { instrument, receivedTimeUs } = subject;
  const common = { instrument, venueTimeUs, receivedTimeUs };
  emit({ kind: "liquidation", ...common, price, size, aggressorSide, liquidationId: undefined });
  return undefined;
}

/** The open interest in contracts, and its worth in the quote asset. */
export function readOpenInterest(
  item: Json,
  subject: HtxSubject,
  emit: Emit,
): RejectReason | undefined {
  const openInterest = decimalText(item["volume"]);
  const openInterestValue = decimalText(item["value"]);
  if (openInterest === undefined) return "bad-decimal";
  if (openInterestValue === undefined && item["value"] !== undefined) return "bad-decimal";
  const { instrument, venueTimeUs, receivedTimeUs } = subject;
  const common = { instrument, venueTimeUs, receivedTimeUs };
  emit({ kind: "open-interest", ...common, openInterest, openInterestValue });
  return undefined;
}

/** The objects in a list; undefined if it is none. */
export function itemsOf(list: JsonText | undefined): readonly Json[] | undefined {
  return asJsonArray(list)?.map((item) => asJsonObject(item) ?? {});
}

function sideOf(direction: JsonText | undefined): AggressorSide | undefined {
  if (direction === "buy") return "buyer";
  return direction === "sell" ? "seller" : undefined;
}
