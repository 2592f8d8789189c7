// What the messages of Kraken Futures say of one contract.
// https://docs.kraken.com/api/docs/futures-api/websocket/book
// https://docs.kraken.com/api/docs/futures-api/websocket/trade
// https://docs.kraken.com/api/docs/futures-api/websocket/ticker
import type { Mantissa } from "@tickwire/proto/model";
import { type JsonTape, MISSING } from "#core/json-tape.ts";
import type { LevelColumns } from "#core/market-event.ts";
import type { RejectReason } from "../../../feed/feed-adapter.ts";
import { type BookForm, bookEvent } from "../../../reading/book-event.ts";
import type { Emit, EventSubject } from "../../../reading/emit.ts";
import type { Fault } from "../../../reading/fault.ts";
import { quoteEvent } from "../../../reading/quote-event.ts";
import {
  type BookColumns,
  isNotMantissa,
  type ScaleTracker,
} from "../../../reading/scale-tracker.ts";
import { decimalFieldOf, optionalDecimalOf, sequenceAt } from "../../../reading/tape-fields.ts";
import { BAD_DECIMAL, decimalText } from "../../../reading/text-fields.ts";
import { tickerEvent } from "../../../reading/ticker-event.ts";
import { tradeEvent } from "../../../reading/trade-event.ts";
import { takerSide } from "../../../reading/trade-fields.ts";
import { epochTimeUs } from "../../../reading/venue-time.ts";

const SIDES = { buyer: "buy", seller: "sell" };

/** Perpetuals are charged by the hour. */
const FUNDING_INTERVAL_MS = 3_600_000;

const EMPTY_SIDE: LevelColumns = { prices: [], sizes: [] };

/** One level. The venue has been seen to write a negative size for one that is gone. */
export function readChange(
  tape: JsonTape,
  subject: EventSubject,
  scales: ScaleTracker,
  emit: Emit,
): Fault {
  const sequence = sequenceAt(tape, tape.get(0, "seq"));
  const sideText = tape.get(0, "side");
  const isBid = tape.equals(sideText, "buy");
  if (sequence === undefined) return "missing-field";
  if (!isBid && !tape.equals(sideText, "sell")) return "missing-field";
  const price = scales.priceAt(tape, tape.get(0, "price"));
  const size = scales.sizeAt(tape, tape.get(0, "qty"));
  if (isNotMantissa(price) || isNotMantissa(size)) return "bad-decimal";
  if (price <= 0) return "non-positive-price";
  const side = { prices: [price], sizes: [size > 0 ? size : 0] };
  const columns = { bids: isBid ? side : EMPTY_SIDE, asks: isBid ? EMPTY_SIDE : side };
  emit(bookEvent(subject, scales, columns, formOf(sequence, false)));
  return undefined;
}

/** A whole book. */
export function readSnapshot(
  tape: JsonTape,
  subject: EventSubject,
  scales: ScaleTracker,
  emit: Emit,
): Fault {
  const sequence = sequenceAt(tape, tape.get(0, "seq"));
  if (sequence === undefined) return "missing-field";
  const { priceScale, sizeScale } = scales;
  let sides = sidesOf(tape, scales);
  // A level finer than those before it raised the scale in the middle of the message.
  const grew = priceScale !== scales.priceScale || sizeScale !== scales.sizeScale;
  if (grew && typeof sides !== "string") sides = sidesOf(tape, scales);
  if (typeof sides === "string") return sides;
  emit(bookEvent(subject, scales, sides, formOf(sequence, true)));
  return undefined;
}

function sidesOf(tape: JsonTape, scales: ScaleTracker): BookColumns | RejectReason {
  const bids = levelsOf(tape, tape.get(0, "bids"), scales);
  if (typeof bids === "string") return bids;
  const asks = levelsOf(tape, tape.get(0, "asks"), scales);
  return typeof asks === "string" ? asks : { bids, asks };
}

/** Snapshots may list prices without any size; they are no levels. */
function levelsOf(tape: JsonTape, side: number, scales: ScaleTracker): LevelColumns | RejectReason {
  if (!tape.isArray(side)) return "missing-field";
  const prices: Mantissa[] = [];
  const sizes: Mantissa[] = [];
  for (let level = tape.first(side); level !== MISSING; level = tape.next(level)) {
    if (!tape.isObject(level)) return "missing-field";
    const price = scales.priceAt(tape, tape.get(level, "price"));
    const size = scales.sizeAt(tape, tape.get(level, "qty"));
    if (isNotMantissa(price) || isNotMantissa(size)) return "bad-decimal";
    if (price <= 0) return "non-positive-price";
    if (size <= 0) continue;
    prices.push(price);
    sizes.push(size);
  }
  return { prices, sizes };
}

/** Every message of a book has one number. */
function formOf(sequence: number, snapshot: boolean): BookForm {
  return { snapshot, firstUpdateId: sequence, lastUpdateId: sequence };
}

/** One execution; that of a liquidation is told of as both. The side is the taker's. */
export function readTrade(
  tape: JsonTape,
  node: number,
  subject: EventSubject,
  form: {
    readonly size: "qty" | "size";
    readonly historical: boolean;
    readonly scales: ScaleTracker;
  },
  emit: Emit,
): Fault {
  const aggressorSide = takerSide(tape.text(tape.get(node, "side")), SIDES);
  if (aggressorSide === undefined) return "missing-field";
  const priceText = tape.text(tape.get(node, "price"));
  const sizeText = tape.text(tape.get(node, form.size));
  const uid = tape.text(tape.get(node, "uid"));
  const { historical, scales } = form;
  const event = tradeEvent(subject, scales, {
    price: priceText,
    size: sizeText,
    aggressorSide,
    tradeId: uid ?? "",
    historical,
  });
  if (typeof event === "string") return event;
  emit(event);
  // An old liquidation is not told of again.
  if (historical || !tape.equals(tape.get(node, "type"), "liquidation")) return undefined;
  const price = decimalText(priceText);
  const size = decimalText(sizeText);
  if (price === undefined || size === undefined) return undefined;
  emit({ kind: "liquidation", ...subject, aggressorSide, price, size, liquidationId: uid });
  return undefined;
}

/** One message is a ticker, a quote, and all that is published of its contract. */
export function readTicker(
  tape: JsonTape,
  subject: EventSubject,
  scales: ScaleTracker,
  emit: Emit,
): Fault {
  const bid = decimalFieldOf(tape, 0, "bid");
  const ask = decimalFieldOf(tape, 0, "ask");
  const ticker = tickerEvent(subject, {
    lastPrice: decimalFieldOf(tape, 0, "last"),
    openPrice: decimalFieldOf(tape, 0, "open"),
    highPrice: decimalFieldOf(tape, 0, "high"),
    lowPrice: decimalFieldOf(tape, 0, "low"),
    volume: decimalFieldOf(tape, 0, "volume"),
    quoteVolume: decimalFieldOf(tape, 0, "volumeQuote"),
    bidPrice: bid,
    askPrice: ask,
  });
  if (typeof ticker === "string") return ticker;
  const sizes = {
    bid: decimalFieldOf(tape, 0, "bid_size"),
    ask: decimalFieldOf(tape, 0, "ask_size"),
  };
  if (sizes.bid !== undefined || sizes.ask !== undefined) {
    const quote = quoteEvent(
      subject,
      scales,
      { price: bid, size: sizes.bid },
      { price: ask, size: sizes.ask },
    );
    if (typeof quote === "string") return quote;
    emit(quote);
  }
  emit(ticker);
  return readContract(tape, subject, emit);
}

/** What a ticker says of the contract itself. */
function readContract(tape: JsonTape, subject: EventSubject, emit: Emit): Fault {
  const markPrice = optionalDecimalOf(tape, 0, "markPrice");
  const openInterest = optionalDecimalOf(tape, 0, "openInterest");
  // `funding_rate` is an amount for each contract; what others call so is the relative one.
  const rate = optionalDecimalOf(tape, 0, "relative_funding_rate");
  if (markPrice === BAD_DECIMAL || openInterest === BAD_DECIMAL || rate === BAD_DECIMAL) {
    return BAD_DECIMAL;
  }
  const indexPrice = decimalText(decimalFieldOf(tape, 0, "index"));
  if (markPrice !== undefined) emit({ kind: "mark-price", ...subject, markPrice, indexPrice });
  if (openInterest !== undefined) {
    emit({ kind: "open-interest", ...subject, openInterest, openInterestValue: undefined });
  }
  if (rate === undefined || subject.instrument.kind !== "perpetual") return undefined;
  const next = decimalFieldOf(tape, 0, "next_funding_rate_time");
  const nextFundingTimeUs = epochTimeUs(next);
  emit({ kind: "funding", ...subject, rate, nextFundingTimeUs, intervalMs: FUNDING_INTERVAL_MS });
  return undefined;
}
