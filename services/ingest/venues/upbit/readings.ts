// What the messages of Upbit, and of those who speak as it does, hold, out of the nodes of a
// scanned frame. Numbers are bare, and read by their text.
import type { Mantissa } from "@tickwire/proto/model";
import { JsonKind, type JsonTape, MISSING } from "#core/json-tape.ts";
import type { Candle } from "#core/market-event.ts";
import type { RejectReason } from "../../feed/feed-adapter.ts";
import { bookEvent } from "../../reading/book-event.ts";
import { readCandleValues } from "../../reading/candle-values.ts";
import type { Emit, EventSubject } from "../../reading/emit.ts";
import type { Fault } from "../../reading/fault.ts";
import { quoteEvent, type QuoteSideTexts } from "../../reading/quote-event.ts";
import { type BookColumns, isNotMantissa, type ScaleTracker } from "../../reading/scale-tracker.ts";
import {
  decimalFieldOf,
  epochTimeUsAt,
  optionalDecimalOf,
  textAt,
} from "../../reading/tape-fields.ts";
import { BAD_DECIMAL } from "../../reading/text-fields.ts";
import { tickerEvent } from "../../reading/ticker-event.ts";
import { tradeEvent } from "../../reading/trade-event.ts";
import { takerSide } from "../../reading/trade-fields.ts";
import { isBadTime, parseIsoTimeUs } from "../../reading/venue-time.ts";

/** What a message is about; its time stands in it. */
type Subject = Omit<EventSubject, "venueTimeUs">;

type MutableColumns = { readonly prices: Mantissa[]; readonly sizes: Mantissa[] };

/** The page says what the order was that took: `ASK` sold. */
const SIDES = { buyer: "BID", seller: "ASK" };

const CANDLE_INTERVAL_MS = 60_000;

/** A trade of the stream, or of a list, which calls its time otherwise. */
export function readTrade(
  tape: JsonTape,
  item: number,
  { instrument, receivedTimeUs }: Subject,
  { scales, historical }: { readonly scales: ScaleTracker; readonly historical: boolean },
  emit: Emit,
): Fault {
  const aggressorSide = takerSide(textAt(tape, item, "ask_bid"), SIDES);
  // Up to 18 digits, which a double does not hold.
  const tradeId = textAt(tape, item, "sequential_id");
  if (aggressorSide === undefined || tradeId === undefined || tradeId === "") {
    return "missing-field";
  }
  const form = {
    price: textAt(tape, item, "trade_price"),
    size: textAt(tape, item, "trade_volume"),
    aggressorSide,
    tradeId,
    historical,
  };
  const venueTimeUs = tradeTimeUs(tape, item);
  const event = tradeEvent({ instrument, venueTimeUs, receivedTimeUs }, scales, form);
  if (typeof event === "string") return event;
  emit(event);
  return undefined;
}

/** When a trade was made, as far as that can be read. */
export function tradeTimeUs(tape: JsonTape, item: number): number | undefined {
  const made = tape.get(item, "trade_timestamp");
  return epochTimeUsAt(tape, made === MISSING ? tape.get(item, "timestamp") : made);
}

/** Always the whole book that is shown. Both sides of a level stand in one object. */
export function readBook(
  tape: JsonTape,
  item: number,
  { instrument, receivedTimeUs }: Subject,
  scales: ScaleTracker,
  wanted: { readonly book: boolean; readonly quotes: boolean },
  emit: Emit,
): Fault {
  const units = tape.get(item, "orderbook_units");
  if (!tape.isArray(units)) return "missing-field";
  const columns = columnsOf(tape, units, scales);
  if (typeof columns === "string") return columns;
  const venueTimeUs = epochTimeUsAt(tape, tape.get(item, "timestamp"));
  const subject = { instrument, venueTimeUs, receivedTimeUs };
  if (wanted.book) emit(bookEvent(subject, scales, columns, { snapshot: true }));
  if (!wanted.quotes) return undefined;
  const best = tape.first(units);
  const bid = sideOf(tape, best, "bid_price", "bid_size");
  const ask = sideOf(tape, best, "ask_price", "ask_size");
  const quote = quoteEvent(subject, scales, bid, ask);
  if (typeof quote === "string") return quote;
  emit(quote);
  return undefined;
}

function sideOf(tape: JsonTape, unit: number, price: string, size: string): QuoteSideTexts {
  return { price: textAt(tape, unit, price), size: textAt(tape, unit, size) };
}

function columnsOf(
  tape: JsonTape,
  units: number,
  scales: ScaleTracker,
): BookColumns | RejectReason {
  const { priceScale, sizeScale } = scales;
  const first = columnsOnce(tape, units, scales);
  // A level finer than those before it raised the scale in the middle of the message.
  const grew = priceScale !== scales.priceScale || sizeScale !== scales.sizeScale;
  return grew && typeof first !== "string" ? columnsOnce(tape, units, scales) : first;
}

function columnsOnce(
  tape: JsonTape,
  units: number,
  scales: ScaleTracker,
): BookColumns | RejectReason {
  const bids: MutableColumns = { prices: [], sizes: [] };
  const asks: MutableColumns = { prices: [], sizes: [] };
  for (let unit = tape.first(units); unit !== MISSING; unit = tape.next(unit)) {
    if (!tape.isObject(unit)) return "missing-field";
    const fault =
      addLevel(tape, tape.get(unit, "bid_price"), tape.get(unit, "bid_size"), scales, bids) ??
      addLevel(tape, tape.get(unit, "ask_price"), tape.get(unit, "ask_size"), scales, asks);
    if (fault !== undefined) return fault;
  }
  return { bids, asks };
}

/** A side with fewer levels than the other has zeros in place of them. */
function addLevel(
  tape: JsonTape,
  priceNode: number,
  sizeNode: number,
  scales: ScaleTracker,
  side: MutableColumns,
): Fault {
  const price = scales.priceAt(tape, priceNode);
  const size = scales.sizeAt(tape, sizeNode);
  if (isNotMantissa(price) || isNotMantissa(size)) {
    return tape.kind(priceNode) === JsonKind.Missing ? "missing-field" : "bad-decimal";
  }
  if (price < 0) return "non-positive-price";
  if (size < 0) return "negative-size";
  if (price === 0 || size === 0) return undefined;
  side.prices.push(price);
  side.sizes.push(size);
  return undefined;
}

/** The prices of the day begin at midnight UTC; told is what is of 24 hours. */
export function readTicker(
  tape: JsonTape,
  item: number,
  { instrument, receivedTimeUs }: Subject,
  emit: Emit,
): Fault {
  const venueTimeUs = epochTimeUsAt(tape, tape.get(item, "timestamp"));
  const subject = { instrument, venueTimeUs, receivedTimeUs };
  const values = tickerEvent(subject, {
    lastPrice: decimalFieldOf(tape, item, "trade_price"),
    volume: decimalFieldOf(tape, item, "acc_trade_volume_24h"),
    quoteVolume: decimalFieldOf(tape, item, "acc_trade_price_24h"),
  });
  if (typeof values === "string") return values;
  if (values.lastPrice === undefined) return "missing-field";
  emit(values);
  return undefined;
}

/** A candle of one minute, whose time is written without its zone. */
export function readCandle(
  tape: JsonTape,
  item: number,
  { instrument, receivedTimeUs }: Subject,
): Candle | RejectReason {
  const start = textAt(tape, item, "candle_date_time_utc");
  if (start === undefined) return "missing-field";
  const openTimeUs = parseIsoTimeUs(start.endsWith("Z") ? start : `${start}Z`);
  if (openTimeUs === undefined || isBadTime(openTimeUs)) return "bad-time";
  const values = readCandleValues({
    open: textAt(tape, item, "opening_price"),
    high: textAt(tape, item, "high_price"),
    low: textAt(tape, item, "low_price"),
    close: textAt(tape, item, "trade_price"),
    volume: textAt(tape, item, "candle_acc_trade_volume"),
  });
  if (typeof values === "string") return values;
  const quoteVolume = optionalDecimalOf(tape, item, "candle_acc_trade_price");
  if (quoteVolume === BAD_DECIMAL) return BAD_DECIMAL;
  return {
    kind: "candle",
    instrument,
    venueTimeUs: epochTimeUsAt(tape, tape.get(item, "timestamp")),
    receivedTimeUs,
    intervalMs: CANDLE_INTERVAL_MS,
    openTimeUs,
    ...values,
    quoteVolume,
    tradeCount: undefined,
    closed: false,
  };
}
