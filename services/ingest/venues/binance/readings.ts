// What the messages of Binance say of one instrument. Times are taken from the field nearest to the
// matching engine: a trade's `T`, a book's `bookTimeField`, else `E`.
// https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams
// https://developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams
import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { Instrument } from "#core/instrument.ts";
import type { AggressorSide } from "#core/market-event.ts";
import type { RejectReason } from "../../feed/feed-adapter.ts";
import { bookEvent, type BookForm } from "../../reading/book-event.ts";
import { readCandleValues } from "../../reading/candle-values.ts";
import { type Emit, heartbeat, reject } from "../../reading/emit.ts";
import { stateOfWord } from "../../reading/instrument-words.ts";
import { quoteEvent } from "../../reading/quote-event.ts";
import type { ScaleTracker } from "../../reading/scale-tracker.ts";
import { emitStates } from "../../reading/state-events.ts";
import { decimalText, isRecord, type JsonRecord } from "../../reading/text-fields.ts";
import { tickerEvent } from "../../reading/ticker-event.ts";
import { tradeEvent } from "../../reading/trade-event.ts";
import { takerSide } from "../../reading/trade-fields.ts";
import { epochTimeUs, isBadTime } from "../../reading/venue-time.ts";
import { INTERVALS_MS, isUpdateId, positive, tradeIdText } from "./fields.ts";
import { CONTRACT_STATES } from "./instruments.ts";

/** What a message is about, and when it came. */
export type BinanceSubject = {
  readonly instrument: Instrument;
  readonly scales: ScaleTracker;
  readonly receivedTimeUs: number;
};

/** In what the messages of the family's venues differ. */
export type BinanceWriting = {
  /** The field that says when the book changed. Spot gives only its event time. */
  readonly bookTimeField: "E" | "T";
  /**
   * Which of the futures markets the venue's contracts are of, in `st` of messages about all of
   * them; undefined on spot.
   */
  readonly contractMarket: number | undefined;
  /** True where `q` is the volume in the quote asset; at COIN-M it is that in the base asset. */
  readonly countsQuote: boolean;
};

const LIQUIDATED = { buyer: "BUY", seller: "SELL" };

export function readQuote(
  payload: JsonRecord,
  { instrument, scales, receivedTimeUs }: BinanceSubject,
  emit: Emit,
): RejectReason | undefined {
  const venueTimeUs = epochTimeUs(payload["T"] ?? payload["E"]);
  // Both sides are always there: one that is missing is damage, not a side that is empty.
  const bid = { price: payload["b"] ?? "", size: payload["B"] ?? "" };
  const ask = { price: payload["a"] ?? "", size: payload["A"] ?? "" };
  const event = quoteEvent({ instrument, venueTimeUs, receivedTimeUs }, scales, bid, ask);
  if (typeof event === "string") return event;
  emit(event);
  return undefined;
}

/** `frame` is the text of the message, for what JSON.parse has rounded. */
export function readTrade(
  payload: JsonRecord,
  { instrument, scales, receivedTimeUs }: BinanceSubject,
  frame: string,
  emit: Emit,
): RejectReason | undefined {
  const field = payload["e"] === "trade" ? "t" : "a";
  const tradeId = tradeIdText(payload[field], field, frame);
  const { m: buyerMade, T: time } = payload;
  if (tradeId === undefined || typeof buyerMade !== "boolean") return "missing-field";
  const venueTimeUs = epochTimeUs(time);
  const event = tradeEvent({ instrument, venueTimeUs, receivedTimeUs }, scales, {
    price: payload["p"],
    size: payload["q"],
    aggressorSide: aggressorSideOf(payload["X"], buyerMade),
    tradeId,
    historical: false,
  });
  if (typeof event === "string") return event;
  emit(event);
  return undefined;
}

/**
 * `m` says that the buyer was the maker, so the seller took. USDⓈ-M also prints trades that nobody
 * took from the book (`X`: INSURANCE_FUND, ADL, NA): those have no aggressor.
 */
function aggressorSideOf(way: unknown, buyerMade: boolean): AggressorSide {
  if (way !== undefined && way !== "MARKET") return "none";
  return buyerMade ? "seller" : "buyer";
}

export function readBookChange(
  payload: JsonRecord,
  subject: BinanceSubject,
  writing: BinanceWriting,
  emit: Emit,
): RejectReason | undefined {
  const { U: firstUpdateId, u: lastUpdateId, pu: previousUpdateId } = payload;
  if (!isUpdateId(firstUpdateId) || !isUpdateId(lastUpdateId)) return "missing-field";
  if (previousUpdateId !== undefined && !isUpdateId(previousUpdateId)) return "missing-field";
  const form = { snapshot: false, firstUpdateId, lastUpdateId, previousUpdateId };
  return readBook(payload, subject, { form, writing }, emit);
}

/** A book that is told whole: the best levels in the stream, or an answer. Spot's has no time. */
export function readWholeBook(
  payload: JsonRecord,
  subject: BinanceSubject,
  { source, writing }: { readonly source: "in-band" | "rest"; readonly writing: BinanceWriting },
  emit: Emit,
): RejectReason | undefined {
  const lastUpdateId = payload["lastUpdateId"] ?? payload["u"];
  if (!isUpdateId(lastUpdateId)) return "missing-field";
  const form = { snapshot: true, source, lastUpdateId };
  return readBook(payload, subject, { form, writing }, emit);
}

function readBook(
  payload: JsonRecord,
  { instrument, scales, receivedTimeUs }: BinanceSubject,
  { form, writing }: { readonly form: BookForm; readonly writing: BinanceWriting },
  emit: Emit,
): RejectReason | undefined {
  const bids = payload["bids"] ?? payload["b"];
  const asks = payload["asks"] ?? payload["a"];
  if (!Array.isArray(bids) || !Array.isArray(asks)) return "missing-field";
  const venueTimeUs = epochTimeUs(payload[writing.bookTimeField] ?? payload["E"]);
  const columns = scales.book(bids, asks);
  if (typeof columns === "string") return columns;
  emit(bookEvent({ instrument, venueTimeUs, receivedTimeUs }, scales, columns, form));
  return undefined;
}

export function readCandle(
  payload: JsonRecord,
  { instrument, receivedTimeUs }: BinanceSubject,
  { countsQuote }: BinanceWriting,
  emit: Emit,
): RejectReason | undefined {
  const { k: candle } = payload;
  if (!isRecord(candle)) return "missing-field";
  const { i: interval, x: closed, o: open, h: high, l: low, c: close, v: volume } = candle;
  // A calendar month has no fixed length.
  if (interval === "1M") {
    heartbeat(emit);
    return undefined;
  }
  const intervalMs = INTERVALS_MS.get(interval);
  if (intervalMs === undefined || typeof closed !== "boolean") return "missing-field";
  const openTimeUs = epochTimeUs(candle["t"]);
  const venueTimeUs = epochTimeUs(payload["E"]);
  if (openTimeUs === undefined || isBadTime(openTimeUs)) return "bad-time";
  const values = readCandleValues({ open, high, low, close, volume });
  if (typeof values === "string") return values;
  emit({
    kind: "candle",
    instrument,
    venueTimeUs,
    receivedTimeUs,
    intervalMs,
    openTimeUs,
    ...values,
    quoteVolume: countsQuote ? decimalText(candle["q"]) : undefined,
    tradeCount: isUpdateId(candle["n"]) ? candle["n"] : undefined,
    closed,
  });
  return undefined;
}

export function readTicker(
  payload: JsonRecord,
  { instrument, receivedTimeUs }: BinanceSubject,
  { countsQuote }: BinanceWriting,
  emit: Emit,
): RejectReason | undefined {
  const venueTimeUs = epochTimeUs(payload["E"]);
  const subject = { instrument, venueTimeUs, receivedTimeUs };
  const ticker = tickerEvent(subject, {
    lastPrice: payload["c"],
    lastSize: payload["Q"],
    openPrice: payload["o"],
    highPrice: payload["h"],
    lowPrice: payload["l"],
    volume: payload["v"],
    quoteVolume: countsQuote ? payload["q"] : undefined,
    // Futures tickers have no best prices.
    bidPrice: payload["b"],
    askPrice: payload["a"],
  });
  if (typeof ticker === "string") return ticker;
  if (ticker.lastPrice === undefined) return "missing-field";
  emit(ticker);
  return undefined;
}

/**
 * One message is both a mark price and, for perpetuals, the funding to come. Where the index price
 * is not in it, as at COIN-M before July 2026, it is the last one that was told of the pair.
 */
export function readMarkPrice(
  payload: JsonRecord,
  { instrument, receivedTimeUs }: BinanceSubject,
  indexPriceOfPair: string | undefined,
  emit: Emit,
): RejectReason | undefined {
  const venueTimeUs = epochTimeUs(payload["E"]);
  const markPrice = decimalText(payload["p"]);
  if (markPrice === undefined) return "bad-decimal";
  const common = { instrument, venueTimeUs, receivedTimeUs };
  const indexPrice = decimalText(payload["i"]) ?? indexPriceOfPair;
  emit({ kind: "mark-price", ...common, markPrice, indexPrice });
  // Dated futures have no funding: the rate is empty and the next time is 0.
  const { r: funding, T: nextTime } = payload;
  if (funding === undefined || funding === "" || nextTime === 0) return undefined;
  const rate = decimalText(funding);
  if (rate === undefined) return "bad-decimal";
  const nextFundingTimeUs = epochTimeUs(nextTime);
  emit({ kind: "funding", ...common, rate, nextFundingTimeUs, intervalMs: undefined });
  return undefined;
}

/**
 * What was executed, at its average price; the order's own price and quantity (the bankruptcy
 * price, and all that was to be liquidated) only where nothing is said to be executed.
 */
export function readLiquidation(
  payload: JsonRecord,
  { instrument, receivedTimeUs }: BinanceSubject,
  emit: Emit,
): RejectReason | undefined {
  const order = payload["o"];
  if (!isRecord(order)) return "missing-field";
  const aggressorSide = takerSide<unknown>(order["S"], LIQUIDATED);
  if (aggressorSide === undefined) return "missing-field";
  const venueTimeUs = epochTimeUs(order["T"] ?? payload["E"]);
  const price = positive(decimalText(order["ap"])) ?? decimalText(order["p"]);
  const size = positive(decimalText(order["z"])) ?? decimalText(order["q"]);
  if (price === undefined || size === undefined) return "bad-decimal";
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

/**
 * The status of one contract. Both futures markets are told of on the connections of each, so what
 * is of the other one says nothing of our list.
 */
export function readContract(
  { s: venueSymbol, cs: status, st: market }: JsonRecord,
  catalog: InstrumentCatalog,
  { contractMarket }: BinanceWriting,
  emit: Emit,
): void {
  if (typeof venueSymbol !== "string" || typeof status !== "string") {
    return reject(emit, "missing-field");
  }
  const isOurs = contractMarket !== undefined && (market ?? contractMarket) === contractMarket;
  if (!isOurs) return heartbeat(emit);
  emitStates([{ venueSymbol, said: stateOfWord(CONTRACT_STATES, status) }], catalog, emit);
}
