// What the contracts of MEXC say, out of the nodes of a scanned frame. Numbers are bare, and read
// by their text.
// https://mexcdevelop.github.io/apidocs/contract_v1_en/#public-channels
import { type JsonTape, MISSING } from "#core/json-tape.ts";
import type { Candle } from "#core/market-event.ts";
import type { RejectReason } from "../../../feed/feed-adapter.ts";
import { bookEvent, type BookForm } from "../../../reading/book-event.ts";
import { readCandleValues } from "../../../reading/candle-values.ts";
import type { Emit, EventSubject } from "../../../reading/emit.ts";
import type { Fault } from "../../../reading/fault.ts";
import type { ScaleTracker } from "../../../reading/scale-tracker.ts";
import {
  decimalFieldOf,
  epochTimeUsAt,
  optionalDecimalOf,
  sequenceAt,
  textAt,
} from "../../../reading/tape-fields.ts";
import { BAD_DECIMAL } from "../../../reading/text-fields.ts";
import { tickerEvent } from "../../../reading/ticker-event.ts";
import { tradeEvent } from "../../../reading/trade-event.ts";
import { takerSide } from "../../../reading/trade-fields.ts";
import { isBadTime } from "../../../reading/venue-time.ts";

export type FuturesSubject = EventSubject & { readonly scales: ScaleTracker };

const SIDES = { buyer: "1", seller: "2" };

/** A level is its price, its contracts, and its orders. */
const LEVELS = { price: 0, size: 1 };

const CANDLE_INTERVAL_MS = 60_000;

/** Changes: of one version, or of all from `begin` to `end`. */
export function readChanges(
  tape: JsonTape,
  data: number,
  subject: FuturesSubject,
  emit: Emit,
): Fault {
  const version = sequenceAt(tape, tape.get(data, "version"));
  const lastUpdateId = sequenceAt(tape, tape.get(data, "end")) ?? version;
  const firstUpdateId = sequenceAt(tape, tape.get(data, "begin")) ?? version;
  if (firstUpdateId === undefined || lastUpdateId === undefined) return "missing-field";
  const form = { snapshot: false, firstUpdateId, lastUpdateId } as const;
  return readLevels(tape, data, made(tape, data, "cts", subject), form, emit);
}

/** The whole book, by REST. */
export function readSnapshot(
  tape: JsonTape,
  data: number,
  subject: FuturesSubject,
  emit: Emit,
): Fault {
  const lastUpdateId = sequenceAt(tape, tape.get(data, "version"));
  if (lastUpdateId === undefined) return "missing-field";
  const form = { snapshot: true, source: "rest", lastUpdateId } as const;
  return readLevels(tape, data, made(tape, data, "timestamp", subject), form, emit);
}

function readLevels(
  tape: JsonTape,
  data: number,
  subject: FuturesSubject,
  form: BookForm,
  emit: Emit,
): Fault {
  const { scales } = subject;
  const sides = { bids: tape.get(data, "bids"), asks: tape.get(data, "asks") };
  if (!tape.isArray(sides.bids) || !tape.isArray(sides.asks)) return "missing-field";
  const columns = scales.bookFromTape(tape, sides, LEVELS);
  if (typeof columns === "string") return columns;
  emit(bookEvent(subject, scales, columns, form));
  return undefined;
}

/** Some messages say when it happened beside when they were sent. */
function made(tape: JsonTape, data: number, name: string, subject: FuturesSubject): FuturesSubject {
  const node = tape.get(data, name);
  return node === MISSING ? subject : { ...subject, venueTimeUs: epochTimeUsAt(tape, node) };
}

/** A trade; the older ones have no ids. */
export function readTrade(
  tape: JsonTape,
  item: number,
  subject: FuturesSubject,
  emit: Emit,
): Fault {
  const aggressorSide = takerSide(textAt(tape, item, "T"), SIDES);
  if (aggressorSide === undefined) return "missing-field";
  const form = {
    price: textAt(tape, item, "p"),
    size: textAt(tape, item, "v"),
    aggressorSide,
    tradeId: textAt(tape, item, "i") ?? "",
    historical: false,
  };
  const event = tradeEvent(made(tape, item, "t", subject), subject.scales, form);
  if (typeof event === "string") return event;
  emit(event);
  return undefined;
}

/** When a trade was made, as far as that can be read. */
export function tradeTimeUs(tape: JsonTape, item: number): number | undefined {
  return epochTimeUsAt(tape, tape.get(item, "t"));
}

/** The statistics of 24 hours, and what stands beside them of the contract. */
export function readTicker(
  tape: JsonTape,
  data: number,
  { instrument, ...subject }: FuturesSubject,
  emit: Emit,
): Fault {
  const { venueTimeUs, receivedTimeUs } = made(tape, data, "timestamp", { instrument, ...subject });
  const about = { instrument, venueTimeUs, receivedTimeUs };
  const ticker = tickerEvent(about, {
    lastPrice: decimalFieldOf(tape, data, "lastPrice"),
    highPrice: decimalFieldOf(tape, data, "high24Price"),
    lowPrice: decimalFieldOf(tape, data, "lower24Price"),
    volume: decimalFieldOf(tape, data, "volume24"),
    quoteVolume: decimalFieldOf(tape, data, "amount24"),
    bidPrice: unlessZero(decimalFieldOf(tape, data, "bid1")),
    askPrice: unlessZero(decimalFieldOf(tape, data, "ask1")),
  });
  if (typeof ticker === "string") return ticker;
  const markPrice = optionalDecimalOf(tape, data, "fairPrice");
  const indexPrice = optionalDecimalOf(tape, data, "indexPrice");
  const openInterest = optionalDecimalOf(tape, data, "holdVol");
  if ([markPrice, indexPrice, openInterest].includes(BAD_DECIMAL)) return BAD_DECIMAL;
  if (ticker.lastPrice === undefined) return "missing-field";
  emit(ticker);
  if (markPrice !== undefined) emit({ kind: "mark-price", ...about, markPrice, indexPrice });
  if (openInterest !== undefined) {
    emit({ kind: "open-interest", ...about, openInterest, openInterestValue: undefined });
  }
  return undefined;
}

/** A side that nobody is on is told as zero. */
function unlessZero(text: string | undefined): string | undefined {
  return text === "0" ? undefined : text;
}

export function readFunding(
  tape: JsonTape,
  data: number,
  { instrument, venueTimeUs, receivedTimeUs }: FuturesSubject,
  emit: Emit,
): Fault {
  const rate = optionalDecimalOf(tape, data, "rate");
  if (rate === undefined) return "missing-field";
  if (rate === BAD_DECIMAL) return BAD_DECIMAL;
  const nextFundingTimeUs = epochTimeUsAt(tape, tape.get(data, "nextSettleTime"));
  if (isBadTime(nextFundingTimeUs)) return "bad-time";
  const subject = { instrument, venueTimeUs, receivedTimeUs };
  emit({ kind: "funding", ...subject, rate, nextFundingTimeUs, intervalMs: undefined });
  return undefined;
}

/** A candle, whose time is in seconds; its volume is in contracts. */
export function readCandle(
  tape: JsonTape,
  data: number,
  { instrument, venueTimeUs, receivedTimeUs }: FuturesSubject,
): Candle | RejectReason {
  const openTimeUs = epochTimeUsAt(tape, tape.get(data, "t"));
  if (openTimeUs === undefined) return "missing-field";
  if (isBadTime(openTimeUs)) return "bad-time";
  const values = readCandleValues({
    open: textAt(tape, data, "o"),
    high: textAt(tape, data, "h"),
    low: textAt(tape, data, "l"),
    close: textAt(tape, data, "c"),
    volume: textAt(tape, data, "q"),
  });
  if (typeof values === "string") return values;
  const quoteVolume = optionalDecimalOf(tape, data, "a");
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
    closed: false,
  };
}
