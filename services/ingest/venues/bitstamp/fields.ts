import { canonicalDecimal } from "@tickwire/proto/model";
import type { Instrument } from "#core/instrument.ts";
import { asJsonArray, asJsonObject, type JsonText } from "#core/json-text.ts";
import type { FeedEvent, RejectReason } from "../../feed/feed-adapter.ts";
import { readTickerValues } from "../../reading/event-values.ts";
import { BAD_TIME, isBadTime, parseSecondsTimeUs } from "../../reading/venue-time.ts";

type Emit = (event: FeedEvent) => void;
type Json = { readonly [key: string]: JsonText };

/** What a message or an answer is about, and when it came. */
export type Subject = { readonly instrument: Instrument; readonly receivedTimeUs: number };

/** Candles are asked for at one minute. */
const CANDLE_INTERVAL_MS = 60_000;

/** Funding is settled every eight hours; no answer says so. */
const FUNDING_INTERVAL_MS = 28_800_000;

/** The rate, and the prices that it is made of, in one message a second. */
export function emitFunding(
  data: JsonText | undefined,
  of: Subject,
  emit: Emit,
): RejectReason | undefined {
  const message = asJsonObject(data);
  if (message === undefined) return "missing-field";
  const venueTimeUs = secondsTimeUs(message["timestamp"]);
  const nextFundingTimeUs = secondsTimeUs(message["next_funding_time"]);
  if (isBadTime(venueTimeUs) || isBadTime(nextFundingTimeUs)) return "bad-time";
  const rate = decimal(message["funding_rate"]);
  const markPrice = decimal(message["mark_price"]);
  const indexPrice = decimal(message["index_price"]);
  if (rate === undefined || markPrice === undefined) return "bad-decimal";
  if (indexPrice === undefined && isPresent(message["index_price"])) return "bad-decimal";
  const common = { ...of, venueTimeUs };
  const intervalMs = FUNDING_INTERVAL_MS;
  emit({ kind: "funding", ...common, rate, nextFundingTimeUs, intervalMs });
  emit({ kind: "mark-price", ...common, markPrice, indexPrice });
  return undefined;
}

/** The statistics of 24 hours. */
export function emitTicker(ticker: Json, of: Subject, emit: Emit): RejectReason | undefined {
  const venueTimeUs = secondsTimeUs(ticker["timestamp"]);
  if (isBadTime(venueTimeUs)) return "bad-time";
  const values = readTickerValues({
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
  emit({ kind: "ticker", ...of, venueTimeUs, ...values });
  return undefined;
}

/** The open interest that the ticker of one perpetual holds. */
export function emitOpenInterest(
  body: JsonText,
  of: Subject,
  emit: Emit,
): RejectReason | undefined {
  const ticker = asJsonObject(body);
  if (ticker === undefined) return "missing-field";
  const venueTimeUs = secondsTimeUs(ticker["timestamp"]);
  if (isBadTime(venueTimeUs)) return "bad-time";
  const { open_interest: amount, open_interest_value: value } = ticker;
  if (!isPresent(amount)) return "missing-field";
  const interest = decimal(amount);
  const openInterestValue = decimal(value);
  if (interest === undefined) return "bad-decimal";
  if (openInterestValue === undefined && isPresent(value)) return "bad-decimal";
  emit({ kind: "open-interest", ...of, venueTimeUs, openInterest: interest, openInterestValue });
  return undefined;
}

/** Oldest first; all but the last are closed. */
export function emitCandles(body: JsonText, of: Subject, emit: Emit): RejectReason | undefined {
  const data = asJsonObject(asJsonObject(body)?.["data"]);
  const list = asJsonArray(data?.["ohlc"]);
  if (list === undefined) return "missing-field";
  let damage: RejectReason | undefined;
  for (const [index, item] of list.entries()) {
    const candle = asJsonObject(item);
    const openTimeUs = secondsTimeUs(candle?.["timestamp"]);
    if (candle === undefined || openTimeUs === undefined || isBadTime(openTimeUs)) {
      damage = "bad-time";
      continue;
    }
    const [open, high, low] = [candle["open"], candle["high"], candle["low"]].map(decimal);
    const [close, volume] = [candle["close"], candle["volume"]].map(decimal);
    if (open === undefined || high === undefined || low === undefined) damage = "bad-decimal";
    else if (close === undefined || volume === undefined) damage = "bad-decimal";
    else {
      emit({
        kind: "candle",
        ...of,
        venueTimeUs: undefined,
        intervalMs: CANDLE_INTERVAL_MS,
        openTimeUs,
        open,
        high,
        low,
        close,
        volume,
        quoteVolume: undefined,
        tradeCount: undefined,
        closed: index < list.length - 1,
      });
    }
  }
  return damage;
}

/** The taker's side by a trade's `type`. */
export function sideOf(type: JsonText | undefined): "buyer" | "seller" | undefined {
  if (type === "0") return "buyer";
  return type === "1" ? "seller" : undefined;
}

/** Sixteen digits since 2001; undefined if it is no such time. */
export function microseconds(value: JsonText | undefined): number | undefined {
  if (typeof value !== "string" || !/^[1-9]\d{15}$/.test(value)) return undefined;
  const timeUs = Number(value);
  return Number.isSafeInteger(timeUs) ? timeUs : undefined;
}

/** Ten digits since 2001; undefined where there is no time, BAD_TIME if it is something else. */
export function secondsTimeUs(value: JsonText | undefined): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "string" || !/^[1-9]\d{9}$/.test(value)) return BAD_TIME;
  return parseSecondsTimeUs(value);
}

/** The digits of an id, whether they came as a text or as a number. */
export function integer(value: JsonText | undefined): string | undefined {
  return typeof value === "string" && /^\d{1,40}$/.test(value) ? value : undefined;
}

function decimal(value: JsonText | undefined): string | undefined {
  return typeof value === "string" ? canonicalDecimal(value) : undefined;
}

function isPresent(value: JsonText | undefined): boolean {
  return value !== undefined && value !== null;
}
