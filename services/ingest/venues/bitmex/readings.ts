// What the rows of BitMEX's tables hold, one function a table. Each emits, or says why it cannot.
import type { Instrument } from "#core/instrument.ts";
import type { JsonText } from "#core/json-text.ts";
import { readCandleValues } from "../../reading/candle-values.ts";
import { type Emit, type EventSubject, heartbeat } from "../../reading/emit.ts";
import type { Fault } from "../../reading/fault.ts";
import type { TextRecord } from "../../reading/frame-forms.ts";
import { quoteEvent } from "../../reading/quote-event.ts";
import type { ScaleTracker } from "../../reading/scale-tracker.ts";
import { BAD_DECIMAL, decimalText, optionalDecimal, textOf } from "../../reading/text-fields.ts";
import { tickerEvent } from "../../reading/ticker-event.ts";
import { tradeEvent } from "../../reading/trade-event.ts";
import { isBadTime, parseIsoTimeUs } from "../../reading/venue-time.ts";
import { wholeNumber } from "../../reading/whole-numbers.ts";
import { isGiven, lengthMsOf, sideOf } from "./fields.ts";

/** What a row is about, and when it came. */
export type RowSubject = {
  readonly instrument: Instrument;
  readonly scales: ScaleTracker;
  /** True where the row is of the whole table that a subscription begins with. */
  readonly historical: boolean;
  readonly receivedTimeUs: number;
};

const CANDLE_INTERVAL_MS = 60_000;

/** `side` is the taker's; prints that nobody took have none. */
export function readTrade(row: TextRecord, subject: RowSubject, emit: Emit): Fault {
  const { instrument, receivedTimeUs, historical, scales } = subject;
  const tradeId = textOf(row["trdMatchID"]);
  const aggressorSide = sideOf(row["side"] ?? null);
  if (tradeId === undefined || aggressorSide === undefined) return "missing-field";
  const venueTimeUs = parseIsoTimeUs(row["timestamp"]);
  const { price, size } = row;
  const form = { price, size, aggressorSide, tradeId, historical } as const;
  const event = tradeEvent({ instrument, venueTimeUs, receivedTimeUs }, scales, form);
  if (typeof event === "string") return event;
  emit(event);
  return undefined;
}

/** A side without orders is null. */
export function readQuote(row: TextRecord, subject: RowSubject, emit: Emit): Fault {
  const venueTimeUs = parseIsoTimeUs(row["timestamp"]);
  const { bidPrice, bidSize, askPrice, askSize } = row;
  if (![bidPrice, bidSize, askPrice, askSize].some(isGiven)) return "missing-field";
  const { instrument, scales, receivedTimeUs } = subject;
  const event = quoteEvent(
    { instrument, venueTimeUs, receivedTimeUs },
    scales,
    { price: bidPrice, size: bidSize },
    { price: askPrice, size: askSize },
  );
  if (typeof event === "string") return event;
  emit(event);
  return undefined;
}

/** A minute that is over, named by its end. A market that never traded has no prices to tell. */
export function readCandle(row: TextRecord, subject: RowSubject, emit: Emit): Fault {
  const closeTimeUs = parseIsoTimeUs(row["timestamp"]);
  if (closeTimeUs === undefined || isBadTime(closeTimeUs)) return "bad-time";
  const { open, high, low, close, volume } = row;
  if (close === null) {
    heartbeat(emit);
    return undefined;
  }
  const values = readCandleValues({ open, high, low, close, volume });
  if (typeof values === "string") return values;
  emit({
    kind: "candle",
    instrument: subject.instrument,
    venueTimeUs: closeTimeUs,
    receivedTimeUs: subject.receivedTimeUs,
    intervalMs: CANDLE_INTERVAL_MS,
    openTimeUs: closeTimeUs - CANDLE_INTERVAL_MS * 1000,
    ...values,
    quoteVolume: decimalText(row["foreignNotional"]),
    tradeCount: wholeNumber(row["trades"]),
    closed: true,
  });
  return undefined;
}

/** The side is the order's: one that buys closes a short position. It has no time. */
export function readLiquidation(row: TextRecord, subject: RowSubject, emit: Emit): Fault {
  const aggressorSide = sideOf(row["side"]);
  const price = decimalText(row["price"]);
  const size = decimalText(row["leavesQty"]);
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
export function readFunding(row: TextRecord, subject: RowSubject, emit: Emit): Fault {
  const venueTimeUs = parseIsoTimeUs(row["timestamp"]);
  const intervalMs = lengthMsOf(row["fundingInterval"]);
  const rate = optionalDecimal(row["fundingRate"]);
  if (rate === undefined) return "missing-field";
  if (rate === BAD_DECIMAL) return "bad-decimal";
  const { instrument, receivedTimeUs } = subject;
  const common = { instrument, venueTimeUs, receivedTimeUs };
  emit({ kind: "funding", ...common, rate, nextFundingTimeUs: undefined, intervalMs });
  return undefined;
}

/** The last value of each field of an instrument that is published. */
export type InstrumentState = Map<string, JsonText>;

/** The fields of an instrument that are published together, and how they are. */
const INSTRUMENT_FIELDS = [
  {
    fields: [
      ..."lastPrice prevPrice24h highPrice lowPrice volume24h foreignNotional24h".split(" "),
      ..."bidPrice askPrice".split(" "),
    ],
    tell: tellTicker,
  },
  { fields: ["markPrice", "indicativeSettlePrice"], tell: tellMarkPrice },
  { fields: ["openInterest"], tell: tellOpenInterest },
  { fields: ["fundingRate", "fundingTimestamp", "fundingInterval"], tell: tellFunding },
] as const;

/**
 * A row of the table of instruments has what changed: it is laid over what was known, and what is
 * published of the fields that it has is emitted anew.
 */
export function readInstrument(
  row: TextRecord,
  { instrument, receivedTimeUs }: RowSubject,
  state: InstrumentState,
  emit: Emit,
): Fault {
  const venueTimeUs = parseIsoTimeUs(row["timestamp"]);
  const subject = { instrument, venueTimeUs, receivedTimeUs };
  let fault: Fault;
  for (const { fields, tell } of INSTRUMENT_FIELDS) {
    let isNews = false;
    for (const field of fields) {
      const value = row[field];
      if (value === undefined) continue;
      state.set(field, value);
      isNews = true;
    }
    const isTold = isNews && (instrument.kind !== "spot" || tell === tellTicker);
    if (isTold) fault = tell(state, subject, emit) ?? fault;
  }
  return fault;
}

function tellTicker(state: InstrumentState, subject: EventSubject, emit: Emit): Fault {
  const values = tickerEvent(subject, {
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
  emit(values);
  return undefined;
}

function tellMarkPrice(state: InstrumentState, subject: EventSubject, emit: Emit): Fault {
  const markPrice = optionalDecimal(state.get("markPrice"));
  const indexPrice = optionalDecimal(state.get("indicativeSettlePrice"));
  if (markPrice === undefined) return undefined;
  if (markPrice === BAD_DECIMAL || indexPrice === BAD_DECIMAL) return "bad-decimal";
  emit({ kind: "mark-price", ...subject, markPrice, indexPrice });
  return undefined;
}

/** `openValue` is in the smallest unit of the settle asset, and so no worth in the quote asset. */
function tellOpenInterest(state: InstrumentState, subject: EventSubject, emit: Emit): Fault {
  const openInterest = optionalDecimal(state.get("openInterest"));
  if (openInterest === undefined) return undefined;
  if (openInterest === BAD_DECIMAL) return "bad-decimal";
  emit({ kind: "open-interest", ...subject, openInterest, openInterestValue: undefined });
  return undefined;
}

/** Dated futures have none. */
function tellFunding(state: InstrumentState, subject: EventSubject, emit: Emit): Fault {
  const rate = optionalDecimal(state.get("fundingRate"));
  if (rate === undefined) return undefined;
  const nextFundingTimeUs = parseIsoTimeUs(state.get("fundingTimestamp"));
  const intervalMs = lengthMsOf(state.get("fundingInterval"));
  if (rate === BAD_DECIMAL) return "bad-decimal";
  emit({ kind: "funding", ...subject, rate, nextFundingTimeUs, intervalMs });
  return undefined;
}
