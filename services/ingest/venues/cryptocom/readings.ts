// What Crypto.com says, out of the nodes of a scanned frame.
// https://exchange-docs.crypto.com/exchange/v1/rest-ws/index.html#book-instrument_name-depth
import { type JsonTape, MISSING } from "#core/json-tape.ts";
import type { Candle } from "#core/market-event.ts";
import type { RejectReason } from "../../feed/feed-adapter.ts";
import { bookEvent } from "../../reading/book-event.ts";
import { readCandleValues } from "../../reading/candle-values.ts";
import type { Emit, EventSubject } from "../../reading/emit.ts";
import type { Fault } from "../../reading/fault.ts";
import { quoteEvent } from "../../reading/quote-event.ts";
import type { ScaleTracker } from "../../reading/scale-tracker.ts";
import {
  decimalFieldOf,
  epochTimeUsAt,
  optionalDecimalOf,
  sequenceAt,
  textAt,
} from "../../reading/tape-fields.ts";
import { BAD_DECIMAL } from "../../reading/text-fields.ts";
import { tickerEvent } from "../../reading/ticker-event.ts";
import { tradeEvent } from "../../reading/trade-event.ts";
import { takerSide } from "../../reading/trade-fields.ts";
import { isBadTime } from "../../reading/venue-time.ts";

/** What a message is about; its time stands in its data. */
type Subject = Omit<EventSubject, "venueTimeUs">;

const SIDES = { buyer: "BUY", seller: "SELL" };

const CANDLE_INTERVAL_MS = 60_000;

/** The rate of the hour that runs, paid at its end. */
const FUNDING_INTERVAL_MS = 3_600_000;

/** The side is the taker's. Ids have up to 19 digits. */
export function readTrade(
  tape: JsonTape,
  item: number,
  { instrument, receivedTimeUs }: Subject,
  { scales, historical }: { readonly scales: ScaleTracker; readonly historical: boolean },
  emit: Emit,
): Fault {
  const aggressorSide = takerSide(textAt(tape, item, "s"), SIDES);
  const tradeId = textAt(tape, item, "d");
  if (aggressorSide === undefined || tradeId === undefined || tradeId === "") {
    return "missing-field";
  }
  const venueTimeUs = epochTimeUsAt(tape, tape.get(item, "t"));
  const price = textAt(tape, item, "p");
  const size = textAt(tape, item, "q");
  const form = { price, size, aggressorSide, tradeId, historical };
  const event = tradeEvent({ instrument, venueTimeUs, receivedTimeUs }, scales, form);
  if (typeof event === "string") return event;
  emit(event);
  return undefined;
}

/**
 * A whole book, or what changed in it. A change without levels moves the numbers on: the book
 * changed deeper than what is shown, or not at all for five seconds.
 */
export function readBook(
  tape: JsonTape,
  item: number,
  { instrument, receivedTimeUs }: Subject,
  about: { readonly snapshot: boolean; readonly depth: number; readonly scales: ScaleTracker },
  emit: Emit,
): Fault {
  const { snapshot, depth, scales } = about;
  const lastUpdateId = sequenceAt(tape, tape.get(item, "u"));
  const previousUpdateId = sequenceAt(tape, tape.get(item, "pu"));
  if (lastUpdateId === undefined) return "missing-field";
  if (!snapshot && previousUpdateId === undefined) return "missing-field";
  const levels = snapshot ? item : tape.get(item, "update");
  const sides = { bids: tape.get(levels, "bids"), asks: tape.get(levels, "asks") };
  if (!tape.isArray(sides.bids) || !tape.isArray(sides.asks)) return "missing-field";
  const columns = scales.bookFromTape(tape, sides);
  if (typeof columns === "string") return columns;
  // When the book changed; the message itself is published a little later.
  const changed = tape.get(item, "tt");
  const venueTimeUs = epochTimeUsAt(tape, changed === MISSING ? tape.get(item, "t") : changed);
  const subject = { instrument, venueTimeUs, receivedTimeUs };
  emit(bookEvent(subject, scales, columns, { snapshot, lastUpdateId, previousUpdateId, depth }));
  return undefined;
}

/** The statistics of 24 hours, the best bid and offer with their sizes, and the open interest. */
export function readTicker(
  tape: JsonTape,
  item: number,
  { instrument, receivedTimeUs }: Subject,
  scales: ScaleTracker,
  emit: Emit,
): Fault {
  const subject = {
    instrument,
    venueTimeUs: epochTimeUsAt(tape, tape.get(item, "t")),
    receivedTimeUs,
  };
  const bidPrice = decimalFieldOf(tape, item, "b");
  const askPrice = decimalFieldOf(tape, item, "k");
  const ticker = tickerEvent(subject, {
    lastPrice: decimalFieldOf(tape, item, "a"),
    highPrice: decimalFieldOf(tape, item, "h"),
    lowPrice: decimalFieldOf(tape, item, "l"),
    volume: decimalFieldOf(tape, item, "v"),
    quoteVolume: decimalFieldOf(tape, item, "vv"),
    bidPrice,
    askPrice,
  });
  if (typeof ticker === "string") return ticker;
  if (ticker.volume === undefined) return "missing-field";
  const bid = { price: bidPrice, size: decimalFieldOf(tape, item, "bs") };
  const ask = { price: askPrice, size: decimalFieldOf(tape, item, "ks") };
  const isQuote = hasSizes(tape, item) && isWhole(bid) && isWhole(ask);
  const quote = isQuote ? quoteEvent(subject, scales, bid, ask) : undefined;
  if (typeof quote === "string") return quote;
  const openInterest = optionalDecimalOf(tape, item, "oi");
  if (openInterest === BAD_DECIMAL) return BAD_DECIMAL;
  emit(ticker);
  if (quote !== undefined) emit(quote);
  if (openInterest !== undefined && instrument.kind !== "spot") {
    emit({ kind: "open-interest", ...subject, openInterest, openInterestValue: undefined });
  }
  return undefined;
}

/** Older recordings have prices without sizes, which are no quote. */
function hasSizes(tape: JsonTape, item: number): boolean {
  return tape.get(item, "bs") !== MISSING && tape.get(item, "ks") !== MISSING;
}

/** Both or neither: neither where nobody is on that side. */
function isWhole({
  price,
  size,
}: {
  price: string | undefined;
  size: string | undefined;
}): boolean {
  return (price === undefined) === (size === undefined);
}

/** A candle of one minute. */
export function readCandle(
  tape: JsonTape,
  item: number,
  { instrument, receivedTimeUs }: Subject,
): Candle | RejectReason {
  const openTimeUs = epochTimeUsAt(tape, tape.get(item, "t"));
  if (openTimeUs === undefined) return "missing-field";
  if (isBadTime(openTimeUs)) return "bad-time";
  const values = readCandleValues({
    open: textAt(tape, item, "o"),
    high: textAt(tape, item, "h"),
    low: textAt(tape, item, "l"),
    close: textAt(tape, item, "c"),
    volume: textAt(tape, item, "v"),
  });
  if (typeof values === "string") return values;
  return {
    kind: "candle",
    instrument,
    // The time of a candle is that of its beginning.
    venueTimeUs: undefined,
    receivedTimeUs,
    intervalMs: CANDLE_INTERVAL_MS,
    openTimeUs,
    ...values,
    quoteVolume: undefined,
    tradeCount: undefined,
    closed: false,
  };
}

/** The value and the time of a mark price, a funding rate or an index. */
export function readValue(
  tape: JsonTape,
  item: number,
): { readonly value: string; readonly venueTimeUs: number | undefined } | RejectReason {
  const value = optionalDecimalOf(tape, item, "v");
  if (value === undefined) return "missing-field";
  if (value === BAD_DECIMAL) return BAD_DECIMAL;
  return { value, venueTimeUs: epochTimeUsAt(tape, tape.get(item, "t")) };
}

export function readMarkPrice(
  tape: JsonTape,
  item: number,
  subject: Subject,
  indexPrice: string | undefined,
  emit: Emit,
): Fault {
  const read = readValue(tape, item);
  if (typeof read === "string") return read;
  const { value: markPrice, venueTimeUs } = read;
  emit({ kind: "mark-price", ...subject, venueTimeUs, markPrice, indexPrice });
  return undefined;
}

export function readFunding(tape: JsonTape, item: number, subject: Subject, emit: Emit): Fault {
  const read = readValue(tape, item);
  if (typeof read === "string") return read;
  const { value: rate, venueTimeUs } = read;
  const hourUs = FUNDING_INTERVAL_MS * 1000;
  const isKnown = venueTimeUs !== undefined && !isBadTime(venueTimeUs);
  const nextFundingTimeUs = isKnown ? (Math.floor(venueTimeUs / hourUs) + 1) * hourUs : undefined;
  const intervalMs = FUNDING_INTERVAL_MS;
  emit({ kind: "funding", ...subject, venueTimeUs, rate, nextFundingTimeUs, intervalMs });
  return undefined;
}
