// What MEXC says, out of the fields of a protobuf message.
// https://www.mexc.com/api-docs/spot-v3/websocket-market-streams
// https://github.com/mexcdevelop/websocket-proto
import type { Candle, Quote } from "#core/market-event.ts";
import type { RejectReason } from "../../feed/feed-adapter.ts";
import { bookEvent } from "../../reading/book-event.ts";
import { readCandleValues } from "../../reading/candle-values.ts";
import type { Emit, EventSubject } from "../../reading/emit.ts";
import type { Fault } from "../../reading/fault.ts";
import { ProtobufFields } from "../../reading/protobuf-fields.ts";
import { quoteEvent } from "../../reading/quote-event.ts";
import type { ScaleTracker } from "../../reading/scale-tracker.ts";
import { BAD_DECIMAL, optionalDecimal } from "../../reading/text-fields.ts";
import { tradeEvent } from "../../reading/trade-event.ts";
import { takerSide } from "../../reading/trade-fields.ts";
import { epochTimeUs, isBadTime } from "../../reading/venue-time.ts";
import { wholeNumber } from "../../reading/whole-numbers.ts";
import { columnsOf } from "./book.ts";
import { BOOK, CANDLE, DEAL, type MexcBody, QUOTE, TRADES } from "./fields.ts";

export type MexcSubject = EventSubject & { readonly scales: ScaleTracker };

const SIDES = { buyer: 1, seller: 2 };

const CANDLE_INTERVAL_MS = 60_000;

const fields = new ProtobufFields();

/** A change of a book, with the numbers of its first and its last version. */
export function readBook(body: MexcBody, subject: MexcSubject, emit: Emit): Fault {
  fields.open(body.bytes, body.start, body.end);
  let from: string | undefined;
  let to: string | undefined;
  while (fields.next()) {
    if (fields.field === BOOK.fromVersion) from = fields.text;
    else if (fields.field === BOOK.toVersion) to = fields.text;
  }
  if (fields.isDamaged) return "bad-json";
  const firstUpdateId = wholeNumber(from);
  const lastUpdateId = wholeNumber(to);
  if (firstUpdateId === undefined || lastUpdateId === undefined) return "missing-field";
  const columns = columnsOf(body, subject.scales);
  if (typeof columns === "string") return columns;
  const form = { snapshot: false, firstUpdateId, lastUpdateId };
  emit(bookEvent(subject, subject.scales, columns, form));
  return undefined;
}

/** Each trade of a message by itself; what is wrong with one is told of it alone. */
export function readTrades(
  body: MexcBody,
  subject: MexcSubject,
  emit: Emit,
  onFault: (fault: RejectReason) => void,
): Fault {
  fields.open(body.bytes, body.start, body.end);
  let count = 0;
  while (fields.next()) {
    if (fields.field !== TRADES.deals) continue;
    count += 1;
    const { bytes } = body;
    const fault = readTrade({ bytes, start: fields.start, end: fields.end }, subject, emit);
    if (fault !== undefined) onFault(fault);
  }
  if (fields.isDamaged) return "bad-json";
  return count === 0 ? "missing-field" : undefined;
}

const dealFields = new ProtobufFields();

/** The venue has given ids since June 2026. The side is the taker's. */
function readTrade(deal: MexcBody, subject: MexcSubject, emit: Emit): Fault {
  let price: string | undefined;
  let size: string | undefined;
  let type = 0;
  let time = 0;
  let tradeId = "";
  dealFields.open(deal.bytes, deal.start, deal.end);
  while (dealFields.next()) {
    if (dealFields.field === DEAL.price) price = dealFields.text;
    else if (dealFields.field === DEAL.quantity) size = dealFields.text;
    else if (dealFields.field === DEAL.tradeType) type = dealFields.number;
    else if (dealFields.field === DEAL.time) time = dealFields.number;
    else if (dealFields.field === DEAL.tradeId) tradeId = dealFields.text ?? "";
  }
  if (dealFields.isDamaged) return "bad-json";
  const aggressorSide = takerSide(type, SIDES);
  if (aggressorSide === undefined) return "missing-field";
  const form = { price, size, aggressorSide, tradeId, historical: false };
  const { instrument, receivedTimeUs, scales } = subject;
  const about = { instrument, venueTimeUs: epochTimeUs(time), receivedTimeUs };
  const event = tradeEvent(about, scales, form);
  if (typeof event === "string") return event;
  emit(event);
  return undefined;
}

/** A side that nobody is on has no texts. */
export function readQuote(body: MexcBody, subject: MexcSubject): Quote | RejectReason {
  const bid: QuoteSide = { price: undefined, size: undefined };
  const ask: QuoteSide = { price: undefined, size: undefined };
  fields.open(body.bytes, body.start, body.end);
  while (fields.next()) {
    if (fields.field === QUOTE.bidPrice) bid.price = filled(fields.text);
    else if (fields.field === QUOTE.bidQuantity) bid.size = filled(fields.text);
    else if (fields.field === QUOTE.askPrice) ask.price = filled(fields.text);
    else if (fields.field === QUOTE.askQuantity) ask.size = filled(fields.text);
  }
  if (fields.isDamaged) return "bad-json";
  if (bid.price === undefined && ask.price === undefined) return "missing-field";
  return quoteEvent(subject, subject.scales, bid, ask);
}

/** True if both say the same. */
export function isSameQuote(quote: Quote, other: Quote | undefined): boolean {
  return (
    other !== undefined &&
    quote.bidPriceMantissa === other.bidPriceMantissa &&
    quote.askPriceMantissa === other.askPriceMantissa &&
    quote.bidSizeMantissa === other.bidSizeMantissa &&
    quote.askSizeMantissa === other.askSizeMantissa &&
    quote.priceScale === other.priceScale &&
    quote.sizeScale === other.sizeScale
  );
}

type QuoteSide = { price: string | undefined; size: string | undefined };

function filled(text: string | undefined): string | undefined {
  return text === "" ? undefined : text;
}

/** The candle of a minute; "not-published" for one of another length. */
export function readCandle(
  body: MexcBody,
  { instrument, venueTimeUs, receivedTimeUs }: EventSubject,
): Candle | RejectReason | "not-published" {
  const texts: (string | undefined)[] = [];
  let start = 0;
  fields.open(body.bytes, body.start, body.end);
  while (fields.next()) {
    const { field } = fields;
    if (field === CANDLE.windowStart) start = fields.number;
    else if (field >= CANDLE.interval && field <= CANDLE.amount) texts[field] = fields.text;
  }
  if (fields.isDamaged) return "bad-json";
  if (texts[CANDLE.interval] !== "Min1") {
    return texts[CANDLE.interval] === undefined ? "missing-field" : "not-published";
  }
  const openTimeUs = epochTimeUs(start);
  if (openTimeUs === undefined) return "missing-field";
  if (isBadTime(openTimeUs)) return "bad-time";
  const values = readCandleValues({
    open: texts[CANDLE.open],
    high: texts[CANDLE.high],
    low: texts[CANDLE.low],
    close: texts[CANDLE.close],
    volume: texts[CANDLE.volume],
  });
  if (typeof values === "string") return values;
  const quoteVolume = optionalDecimal(texts[CANDLE.amount]);
  if (quoteVolume === BAD_DECIMAL) return BAD_DECIMAL;
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
