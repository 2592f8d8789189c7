// What Hyperliquid says, out of the nodes of a scanned frame.
// https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/websocket/subscriptions
import { JsonKind, type JsonTape } from "#core/json-tape.ts";
import type { Candle } from "#core/market-event.ts";
import type { RejectReason } from "../../feed/feed-adapter.ts";
import { bookEvent } from "../../reading/book-event.ts";
import { readCandleValues } from "../../reading/candle-values.ts";
import type { Emit, EventSubject } from "../../reading/emit.ts";
import type { Fault } from "../../reading/fault.ts";
import { intervalsNamed } from "../../reading/interval-names.ts";
import { quoteEvent, type QuoteSideTexts } from "../../reading/quote-event.ts";
import type { ScaleTracker } from "../../reading/scale-tracker.ts";
import { decimalFieldOf, epochTimeUsAt, optionalDecimalOf } from "../../reading/tape-fields.ts";
import { BAD_DECIMAL } from "../../reading/text-fields.ts";
import { tickerEvent } from "../../reading/ticker-event.ts";
import { tradeEvent } from "../../reading/trade-event.ts";
import { takerSide } from "../../reading/trade-fields.ts";
import { isBadTime } from "../../reading/venue-time.ts";
import { wholeNumber } from "../../reading/whole-numbers.ts";

const LEVELS = { price: "px", size: "sz" };

const SIDES = { buyer: "B", seller: "A" };

const INTERVALS_MS = intervalsNamed("1m 3m 5m 15m 30m 1h 2h 4h 8h 12h 1d 3d 1w".split(" "));

/** Funding is paid every hour, and the rate is that of an hour. */
const FUNDING_INTERVAL_MS = 3_600_000;

export function readTrade(
  tape: JsonTape,
  item: number,
  subject: EventSubject,
  { scales, historical }: { readonly scales: ScaleTracker; readonly historical: boolean },
  emit: Emit,
): Fault {
  const aggressorSide = takerSide(tape.text(tape.get(item, "side")), SIDES);
  const tradeId = tape.text(tape.get(item, "tid"));
  if (aggressorSide === undefined || tradeId === undefined) return "missing-field";
  const price = tape.text(tape.get(item, "px"));
  const size = tape.text(tape.get(item, "sz"));
  const form = { price, size, aggressorSide, tradeId, historical };
  const event = tradeEvent(subject, scales, form);
  if (typeof event === "string") return event;
  emit(event);
  return undefined;
}

/** Always the whole of the best 20 levels. */
export function readBook(
  tape: JsonTape,
  item: number,
  subject: EventSubject,
  scales: ScaleTracker,
  emit: Emit,
): Fault {
  const levels = tape.get(item, "levels");
  const sides = { bids: tape.at(levels, 0), asks: tape.at(levels, 1) };
  if (!tape.isArray(sides.bids) || !tape.isArray(sides.asks)) return "missing-field";
  const columns = scales.bookFromTape(tape, sides, LEVELS);
  if (typeof columns === "string") return columns;
  emit(bookEvent(subject, scales, columns, { snapshot: true }));
  return undefined;
}

/** `[bid, ask]`, each null or left out if there is none. */
export function readQuote(
  tape: JsonTape,
  item: number,
  subject: EventSubject,
  scales: ScaleTracker,
  emit: Emit,
): Fault {
  const sides = tape.get(item, "bbo");
  const count = tape.isArray(sides) ? tape.length(sides) : 0;
  const isOneSide = count === 1 && tape.isObject(tape.at(sides, 0));
  if (count !== 2 && !isOneSide) return "missing-field";
  const bid = quoteSideOf(tape, tape.at(sides, 0));
  const ask = quoteSideOf(tape, tape.at(sides, 1));
  if (bid === undefined || ask === undefined) return "missing-field";
  const event = quoteEvent(subject, scales, bid, ask);
  if (typeof event === "string") return event;
  emit(event);
  return undefined;
}

function quoteSideOf(tape: JsonTape, level: number): QuoteSideTexts | undefined {
  const price = tape.text(tape.get(level, "px"));
  const size = tape.text(tape.get(level, "sz"));
  const isWhole = price !== undefined && size !== undefined;
  const kind = tape.kind(level);
  const isEmpty = kind === JsonKind.Null || kind === JsonKind.Missing;
  return isWhole || isEmpty ? { price, size } : undefined;
}

/** The state of a market, without a time; of spot it is a ticker alone. */
export function readContext(
  tape: JsonTape,
  context: number,
  subject: EventSubject,
  emit: Emit,
): Fault {
  if (!tape.isObject(context)) return "missing-field";
  const ticker = tickerEvent(subject, {
    openPrice: decimalFieldOf(tape, context, "prevDayPx"),
    volume: decimalFieldOf(tape, context, "dayBaseVlm"),
    quoteVolume: decimalFieldOf(tape, context, "dayNtlVlm"),
  });
  if (typeof ticker === "string") return ticker;
  if (ticker.quoteVolume === undefined) return "missing-field";
  emit(ticker);
  if (subject.instrument.kind === "spot") return undefined;
  const markPrice = optionalDecimalOf(tape, context, "markPx");
  const indexPrice = optionalDecimalOf(tape, context, "oraclePx");
  const openInterest = optionalDecimalOf(tape, context, "openInterest");
  const rate = optionalDecimalOf(tape, context, "funding");
  if (markPrice === BAD_DECIMAL || indexPrice === BAD_DECIMAL) return BAD_DECIMAL;
  if (openInterest === BAD_DECIMAL || rate === BAD_DECIMAL) return BAD_DECIMAL;
  if (markPrice !== undefined) emit({ kind: "mark-price", ...subject, markPrice, indexPrice });
  if (openInterest !== undefined) {
    emit({ kind: "open-interest", ...subject, openInterest, openInterestValue: undefined });
  }
  if (rate !== undefined) {
    const intervalMs = FUNDING_INTERVAL_MS;
    emit({ kind: "funding", ...subject, rate, nextFundingTimeUs: undefined, intervalMs });
  }
  return undefined;
}

/** A candle of any fixed length. */
export function readCandle(
  tape: JsonTape,
  item: number,
  subject: EventSubject,
): Candle | RejectReason {
  const openTimeUs = epochTimeUsAt(tape, tape.get(item, "t"));
  const intervalMs = INTERVALS_MS.get(tape.text(tape.get(item, "i")) ?? "");
  if (openTimeUs === undefined || intervalMs === undefined) return "missing-field";
  if (isBadTime(openTimeUs)) return "bad-time";
  const values = readCandleValues({
    open: tape.text(tape.get(item, "o")),
    high: tape.text(tape.get(item, "h")),
    low: tape.text(tape.get(item, "l")),
    close: tape.text(tape.get(item, "c")),
    volume: tape.text(tape.get(item, "v")),
  });
  if (typeof values === "string") return values;
  return {
    kind: "candle",
    ...subject,
    intervalMs,
    openTimeUs,
    ...values,
    quoteVolume: undefined,
    tradeCount: wholeNumber(tape.text(tape.get(item, "n"))),
    closed: false,
  };
}
