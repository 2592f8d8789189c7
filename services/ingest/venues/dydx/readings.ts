// What the indexer of dYdX says, out of the nodes of a scanned frame.
// https://docs.dydx.xyz/indexer-client/websockets
import type { JsonTape } from "#core/json-tape.ts";
import type { Candle } from "#core/market-event.ts";
import type { RejectReason } from "../../feed/feed-adapter.ts";
import { bookEvent, type BookForm } from "../../reading/book-event.ts";
import { readCandleValues } from "../../reading/candle-values.ts";
import type { Emit, EventSubject } from "../../reading/emit.ts";
import type { Fault } from "../../reading/fault.ts";
import type { ScaleTracker } from "../../reading/scale-tracker.ts";
import { optionalDecimalOf, textAt } from "../../reading/tape-fields.ts";
import { BAD_DECIMAL, decimalText } from "../../reading/text-fields.ts";
import { tradeEvent } from "../../reading/trade-event.ts";
import { takerSide } from "../../reading/trade-fields.ts";
import { isBadTime, parseIsoTimeUs } from "../../reading/venue-time.ts";
import { wholeNumber } from "../../reading/whole-numbers.ts";

type Subject = Omit<EventSubject, "venueTimeUs">;

const SIDES = { buyer: "BUY", seller: "SELL" };

const OBJECT_LEVELS = { price: "price", size: "size" };
const ARRAY_LEVELS = { price: 0, size: 1 };

const CANDLE_INTERVAL_MS = 60_000;

/** The rate is that of an hour, paid every hour. */
const FUNDING_INTERVAL_MS = 3_600_000;

/** Levels are objects in a whole book and arrays in a change, whose sides may be left out. */
export function readBook(
  tape: JsonTape,
  contents: number,
  { instrument, receivedTimeUs }: Subject,
  scales: ScaleTracker,
  form: BookForm,
  emit: Emit,
): Fault {
  if (!tape.isObject(contents)) return "missing-field";
  const sides = { bids: tape.get(contents, "bids"), asks: tape.get(contents, "asks") };
  if (form.snapshot && !(tape.isArray(sides.bids) && tape.isArray(sides.asks))) {
    return "missing-field";
  }
  const isObjects = tape.isObject(tape.first(sides.bids)) || tape.isObject(tape.first(sides.asks));
  const columns = scales.bookFromTape(tape, sides, isObjects ? OBJECT_LEVELS : ARRAY_LEVELS);
  if (typeof columns === "string") return columns;
  // The venue gives no time.
  const subject = { instrument, venueTimeUs: undefined, receivedTimeUs };
  emit(bookEvent(subject, scales, columns, form));
  return undefined;
}

/** A trade, and the liquidation that it was part of. The side is the taker's. */
export function readTrade(
  tape: JsonTape,
  item: number,
  { instrument, receivedTimeUs }: Subject,
  { scales, historical }: { readonly scales: ScaleTracker; readonly historical: boolean },
  emit: Emit,
): Fault {
  const aggressorSide = takerSide(textAt(tape, item, "side"), SIDES);
  const tradeId = textAt(tape, item, "id");
  if (aggressorSide === undefined || tradeId === undefined || tradeId === "") {
    return "missing-field";
  }
  const venueTimeUs = parseIsoTimeUs(textAt(tape, item, "createdAt"));
  const price = textAt(tape, item, "price");
  const size = textAt(tape, item, "size");
  const subject = { instrument, venueTimeUs, receivedTimeUs };
  const form = { price, size, aggressorSide, tradeId, historical };
  const event = tradeEvent(subject, scales, form);
  if (typeof event === "string") return event;
  emit(event);
  if (historical || !tape.equals(tape.get(item, "type"), "LIQUIDATED")) return undefined;
  const values = { price: decimalText(price), size: decimalText(size) };
  if (values.price === undefined || values.size === undefined) return "bad-decimal";
  const { price: liquidated, size: amount } = values;
  emit({
    kind: "liquidation",
    ...subject,
    price: liquidated,
    size: amount,
    aggressorSide,
    liquidationId: tradeId,
  });
  return undefined;
}

/** When a trade was made, as far as that can be read. */
export function tradeTimeUs(tape: JsonTape, item: number): number | undefined {
  return parseIsoTimeUs(textAt(tape, item, "createdAt"));
}

export function readCandle(
  tape: JsonTape,
  item: number,
  { instrument, receivedTimeUs }: Subject,
  closed: boolean,
): Candle | RejectReason {
  const openTimeUs = parseIsoTimeUs(textAt(tape, item, "startedAt"));
  if (openTimeUs === undefined) return "missing-field";
  if (isBadTime(openTimeUs)) return "bad-time";
  const values = readCandleValues({
    open: textAt(tape, item, "open"),
    high: textAt(tape, item, "high"),
    low: textAt(tape, item, "low"),
    close: textAt(tape, item, "close"),
    volume: textAt(tape, item, "baseTokenVolume"),
  });
  if (typeof values === "string") return values;
  const quoteVolume = optionalDecimalOf(tape, item, "usdVolume");
  if (quoteVolume === BAD_DECIMAL) return BAD_DECIMAL;
  return {
    kind: "candle",
    instrument,
    venueTimeUs: undefined,
    receivedTimeUs,
    intervalMs: CANDLE_INTERVAL_MS,
    openTimeUs,
    ...values,
    quoteVolume,
    tradeCount: wholeNumber(textAt(tape, item, "trades")),
    closed,
  };
}

/** When a candle begins, as far as that can be read. */
export function candleTimeUs(tape: JsonTape, item: number): number | undefined {
  return parseIsoTimeUs(textAt(tape, item, "startedAt"));
}

/** What is known of a market's state, or of it has changed: whatever is there is told. */
export function readMarket(
  tape: JsonTape,
  market: number,
  { instrument, receivedTimeUs }: Subject,
  emit: Emit,
): Fault {
  if (!tape.isObject(market)) return "missing-field";
  const markPrice = optionalDecimalOf(tape, market, "oraclePrice");
  const openInterest = optionalDecimalOf(tape, market, "openInterest");
  const rate = optionalDecimalOf(tape, market, "nextFundingRate");
  if ([markPrice, openInterest, rate].includes(BAD_DECIMAL)) return BAD_DECIMAL;
  // Prices that come by themselves have a time.
  const venueTimeUs = parseIsoTimeUs(textAt(tape, market, "effectiveAt"));
  const subject = { instrument, venueTimeUs, receivedTimeUs };
  if (markPrice !== undefined) {
    emit({ kind: "mark-price", ...subject, markPrice, indexPrice: undefined });
  }
  if (openInterest !== undefined) {
    emit({ kind: "open-interest", ...subject, openInterest, openInterestValue: undefined });
  }
  if (rate !== undefined) {
    const intervalMs = FUNDING_INTERVAL_MS;
    emit({ kind: "funding", ...subject, rate, nextFundingTimeUs: undefined, intervalMs });
  }
  return undefined;
}
