// What the messages of KuCoin hold, one function a channel.
import type { Candle } from "#core/market-event.ts";
import { asJsonArray, asJsonObject, asText, type JsonText } from "#core/json-text.ts";
import type { RejectReason } from "../../feed/feed-adapter.ts";
import { bookEvent, type BookForm } from "../../reading/book-event.ts";
import { readCandleValues } from "../../reading/candle-values.ts";
import type { Emit, EventSubject } from "../../reading/emit.ts";
import type { Fault } from "../../reading/fault.ts";
import type { TextRecord } from "../../reading/frame-forms.ts";
import { quoteEvent } from "../../reading/quote-event.ts";
import type { ScaleTracker } from "../../reading/scale-tracker.ts";
import { decimalText } from "../../reading/text-fields.ts";
import { tickerEvent } from "../../reading/ticker-event.ts";
import { tradeEvent } from "../../reading/trade-event.ts";
import { takerSide } from "../../reading/trade-fields.ts";
import { epochTimeUs, isBadTime } from "../../reading/venue-time.ts";
import { wholeNumber } from "../../reading/whole-numbers.ts";
import { changedLevels } from "./fields.ts";

/** What a message is about; its time stands in its data. */
export type KucoinSubject = Omit<EventSubject, "venueTimeUs"> & { readonly scales: ScaleTracker };

/** The words of a taker that bought, and that sold. */
export const SIDES = { buyer: "buy", seller: "sell" };

const CANDLE_INTERVAL_MS = 60_000;

/**
 * A change that overlaps the snapshot may be applied whole: each row is the last that became of its
 * price, so one that the snapshot holds already says what the snapshot says.
 */
export function readChange(data: TextRecord, subject: KucoinSubject, emit: Emit): Fault {
  const firstUpdateId = wholeNumber(data["sequenceStart"]);
  const lastUpdateId = wholeNumber(data["sequenceEnd"]);
  const changes = asJsonObject(data["changes"]);
  const bids = changedLevels(changes?.["bids"]);
  const asks = changedLevels(changes?.["asks"]);
  if (firstUpdateId === undefined || lastUpdateId === undefined) return "missing-field";
  if (bids === undefined || asks === undefined) return "missing-field";
  const sides = { bids, asks, snapshot: false, firstUpdateId, lastUpdateId };
  return emitBook(data["time"], sides, subject, emit);
}

/** The whole book at `time`, which spot and futures call otherwise. */
export function readSnapshot(
  data: TextRecord,
  subject: KucoinSubject,
  emit: Emit,
  time = data["time"],
): Fault {
  const lastUpdateId = wholeNumber(data["sequence"]);
  // A side without orders is written as null.
  const bids = data["bids"] === null ? [] : asJsonArray(data["bids"]);
  const asks = data["asks"] === null ? [] : asJsonArray(data["asks"]);
  if (lastUpdateId === undefined || bids === undefined || asks === undefined) {
    return "missing-field";
  }
  const form = { snapshot: true, source: "rest", lastUpdateId } as const;
  return emitBook(time, { bids, asks, ...form }, subject, emit);
}

/** Levels of a book, whole or changed, as what they are. */
export function emitBook(
  time: JsonText | undefined,
  { bids, asks, ...form }: BookForm & { bids: readonly unknown[]; asks: readonly unknown[] },
  { instrument, scales, receivedTimeUs }: KucoinSubject,
  emit: Emit,
): Fault {
  const venueTimeUs = epochTimeUs(time);
  const columns = scales.book(bids, asks);
  if (typeof columns === "string") return columns;
  emit(bookEvent({ instrument, venueTimeUs, receivedTimeUs }, scales, columns, form));
  return undefined;
}

/**
 * The side is the taker's. The list of REST has no trade ids, but the sequence that the stream
 * repeats as the id; the ids of old recordings were no numbers.
 */
export function readTrade(data: TextRecord, subject: KucoinSubject, emit: Emit): Fault {
  const { tradeId = data["sequence"], time } = data;
  return emitTrade(data, { tradeId, time }, subject, emit);
}

/** A trade whose id and time are these; `side`, `price` and `size` have one name everywhere. */
export function emitTrade(
  data: TextRecord,
  told: { readonly tradeId: JsonText | undefined; readonly time: JsonText | undefined },
  { instrument, scales, receivedTimeUs }: KucoinSubject,
  emit: Emit,
): Fault {
  const aggressorSide = takerSide<unknown>(data["side"], SIDES);
  const tradeId = asText(told.tradeId);
  if (aggressorSide === undefined || tradeId === undefined) return "missing-field";
  if (!/^[\w-]{1,64}$/.test(tradeId)) return "missing-field";
  const venueTimeUs = epochTimeUs(told.time);
  const { price, size } = data;
  const form = { price, size, aggressorSide, tradeId, historical: false };
  const event = tradeEvent({ instrument, venueTimeUs, receivedTimeUs }, scales, form);
  if (typeof event === "string") return event;
  emit(event);
  return undefined;
}

export function readQuote(data: TextRecord, subject: KucoinSubject, emit: Emit): Fault {
  const { bestBid, bestBidSize, bestAsk, bestAskSize, time } = data;
  const bid = { price: bestBid, size: bestBidSize };
  return emitQuote({ bid, ask: { price: bestAsk, size: bestAskSize }, time }, subject, emit);
}

type BestLevel = { readonly price: JsonText | undefined; readonly size: JsonText | undefined };

/** The best level of each side, both of which the venue always tells. */
export function emitQuote(
  told: { readonly bid: BestLevel; readonly ask: BestLevel; readonly time: JsonText | undefined },
  { instrument, scales, receivedTimeUs }: KucoinSubject,
  emit: Emit,
): Fault {
  const { bid, ask } = told;
  if (bid.price === undefined || bid.size === undefined) return "missing-field";
  if (ask.price === undefined || ask.size === undefined) return "missing-field";
  const subject = { instrument, venueTimeUs: epochTimeUs(told.time), receivedTimeUs };
  const event = quoteEvent(subject, scales, bid, ask);
  if (typeof event === "string") return event;
  emit(event);
  return undefined;
}

/** The statistics of 24 hours. */
export function readTicker(data: TextRecord, subject: KucoinSubject, emit: Emit): Fault {
  const { instrument, receivedTimeUs } = subject;
  const about = { instrument, venueTimeUs: epochTimeUs(data["datetime"]), receivedTimeUs };
  const values = tickerEvent(about, {
    lastPrice: data["lastTradedPrice"],
    openPrice: data["open"],
    highPrice: data["high"],
    lowPrice: data["low"],
    volume: data["vol"],
    quoteVolume: data["volValue"],
    bidPrice: data["buy"],
    askPrice: data["sell"],
  });
  if (typeof values === "string") return values;
  if (values.lastPrice === undefined) return "missing-field";
  emit(values);
  return undefined;
}

/** The order is start, open, close, high, low, volume, turnover. */
export function readCandle(
  data: TextRecord,
  { instrument, receivedTimeUs }: KucoinSubject,
): Candle | RejectReason {
  const [start, ...numbers] = asJsonArray(data["candles"]) ?? [];
  if (start === undefined || numbers.length < 6) return "missing-field";
  const venueTimeUs = epochTimeUs(data["time"]);
  const openTimeUs = epochTimeUs(start);
  if (isBadTime(venueTimeUs) || openTimeUs === undefined || isBadTime(openTimeUs)) {
    return "bad-time";
  }
  const [open, close, high, low, volume, turnover] = numbers;
  const values = readCandleValues({ open, high, low, close, volume });
  const quoteVolume = decimalText(turnover);
  if (typeof values === "string") return values;
  if (quoteVolume === undefined) return "bad-decimal";
  return {
    kind: "candle",
    instrument,
    venueTimeUs,
    receivedTimeUs,
    intervalMs: CANDLE_INTERVAL_MS,
    openTimeUs,
    ...values,
    quoteVolume,
    tradeCount: undefined,
    // The venue never says so, but one whose end is not after the venue's own clock is over.
    closed: (venueTimeUs ?? 0) >= openTimeUs + CANDLE_INTERVAL_MS * 1000,
  };
}
