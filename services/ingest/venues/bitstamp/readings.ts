// What the messages and answers of Bitstamp hold. Each function emits, or says why it cannot.
import { asJsonArray, asJsonObject, type JsonText } from "#core/json-text.ts";
import type { RejectReason } from "../../feed/feed-adapter.ts";
import { readCandleValues } from "../../reading/candle-values.ts";
import type { Emit, EventSubject } from "../../reading/emit.ts";
import type { TextRecord } from "../../reading/frame-forms.ts";
import { BAD_DECIMAL, decimalText, optionalDecimal } from "../../reading/text-fields.ts";
import { tickerEvent } from "../../reading/ticker-event.ts";
import { epochTimeUs, isBadTime } from "../../reading/venue-time.ts";

/** What a message or an answer is about; when it happened is read from its fields. */
export type MarketSubject = Omit<EventSubject, "venueTimeUs">;

/** Candles are asked for at one minute. */
const CANDLE_INTERVAL_MS = 60_000;

/** Funding is settled every eight hours; no answer says so. */
const FUNDING_INTERVAL_MS = 28_800_000;

/** The rate, and the prices that it is made of, in one message a second. */
export function readFunding(
  data: JsonText | undefined,
  subject: MarketSubject,
  emit: Emit,
): RejectReason | undefined {
  const message = asJsonObject(data);
  if (message === undefined) return "missing-field";
  const venueTimeUs = epochTimeUs(message["timestamp"]);
  const nextFundingTimeUs = epochTimeUs(message["next_funding_time"]);
  const rate = decimalText(message["funding_rate"]);
  const markPrice = decimalText(message["mark_price"]);
  const indexPrice = optionalDecimal(message["index_price"]);
  if (rate === undefined || markPrice === undefined) return BAD_DECIMAL;
  if (indexPrice === BAD_DECIMAL) return BAD_DECIMAL;
  const common = { ...subject, venueTimeUs };
  const intervalMs = FUNDING_INTERVAL_MS;
  emit({ kind: "funding", ...common, rate, nextFundingTimeUs, intervalMs });
  emit({ kind: "mark-price", ...common, markPrice, indexPrice });
  return undefined;
}

/** The statistics of 24 hours. */
export function readTicker(
  ticker: TextRecord,
  subject: MarketSubject,
  emit: Emit,
): RejectReason | undefined {
  const { instrument, receivedTimeUs } = subject;
  const about = { instrument, venueTimeUs: epochTimeUs(ticker["timestamp"]), receivedTimeUs };
  const values = tickerEvent(about, {
    lastPrice: ticker["last"],
    // `open` is that of the day; everything else here is of the last 24 hours.
    openPrice: ticker["open_24"],
    highPrice: ticker["high"],
    lowPrice: ticker["low"],
    volume: ticker["volume"],
    bidPrice: ticker["bid"],
    askPrice: ticker["ask"],
  });
  if (typeof values === "string") return values;
  emit(values);
  return undefined;
}

/** The open interest that the ticker of one perpetual holds. */
export function readOpenInterest(
  body: JsonText,
  subject: MarketSubject,
  emit: Emit,
): RejectReason | undefined {
  const ticker = asJsonObject(body);
  if (ticker === undefined) return "missing-field";
  const venueTimeUs = epochTimeUs(ticker["timestamp"]);
  const { open_interest: amount, open_interest_value: value } = ticker;
  const openInterest = optionalDecimal(amount);
  const openInterestValue = optionalDecimal(value);
  if (openInterest === undefined) return "missing-field";
  if (openInterest === BAD_DECIMAL || openInterestValue === BAD_DECIMAL) return BAD_DECIMAL;
  emit({ kind: "open-interest", ...subject, venueTimeUs, openInterest, openInterestValue });
  return undefined;
}

/** Oldest first; all but the last are closed. The last damage is the reason that is told. */
export function readCandles(
  body: JsonText,
  subject: MarketSubject,
  emit: Emit,
): RejectReason | undefined {
  const data = asJsonObject(asJsonObject(body)?.["data"]);
  const list = asJsonArray(data?.["ohlc"]);
  if (list === undefined) return "missing-field";
  let damage: RejectReason | undefined;
  for (const [index, item] of list.entries()) {
    const closed = index < list.length - 1;
    damage = readCandle(asJsonObject(item) ?? {}, subject, closed, emit) ?? damage;
  }
  return damage;
}

function readCandle(
  candle: TextRecord,
  subject: MarketSubject,
  closed: boolean,
  emit: Emit,
): RejectReason | undefined {
  const openTimeUs = epochTimeUs(candle["timestamp"]);
  if (openTimeUs === undefined || isBadTime(openTimeUs)) return "bad-time";
  const { open, high, low, close, volume } = candle;
  const values = readCandleValues({ open, high, low, close, volume });
  if (typeof values === "string") return values;
  emit({
    kind: "candle",
    ...subject,
    venueTimeUs: undefined,
    intervalMs: CANDLE_INTERVAL_MS,
    openTimeUs,
    ...values,
    quoteVolume: undefined,
    tradeCount: undefined,
    closed,
  });
  return undefined;
}
