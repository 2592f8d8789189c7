// What Hyperliquid says besides trades and books, out of the nodes of a scanned frame.
// https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/websocket/subscriptions
import { canonicalDecimal } from "@tickwire/proto/model";
import type { Instrument } from "#core/instrument.ts";
import type { JsonTape } from "#core/json-tape.ts";
import type { Candle } from "#core/market-event.ts";
import type { FeedEvent, RejectReason } from "../../feed/feed-adapter.ts";
import { readCandleValues } from "../../reading/candle-values.ts";
import { readQuoteValues, readTickerValues } from "../../reading/event-values.ts";
import type { ScaleTracker } from "../../reading/scale-tracker.ts";
import { millisecondsTimeUs } from "../../reading/text-fields.ts";
import { isBadTime } from "../../reading/venue-time.ts";

type Emit = (event: FeedEvent) => void;

/** What every event of a message has. */
export type HyperliquidEventCommon = {
  readonly instrument: Instrument;
  readonly venueTimeUs: number | undefined;
  readonly receivedTimeUs: number;
};

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const INTERVALS_MS: Readonly<Record<string, number>> = {
  "1m": MINUTE_MS,
  "3m": 3 * MINUTE_MS,
  "5m": 5 * MINUTE_MS,
  "15m": 15 * MINUTE_MS,
  "30m": 30 * MINUTE_MS,
  "1h": HOUR_MS,
  "2h": 2 * HOUR_MS,
  "4h": 4 * HOUR_MS,
  "8h": 8 * HOUR_MS,
  "12h": 12 * HOUR_MS,
  "1d": 24 * HOUR_MS,
  "3d": 72 * HOUR_MS,
  "1w": 168 * HOUR_MS,
};

/** Funding is paid every hour, and the rate is that of an hour. */
const FUNDING_INTERVAL_MS = 3_600_000;

/** `[bid, ask]`, each null if there is none. */
export function readHyperliquidQuote(
  tape: JsonTape,
  item: number,
  tracker: ScaleTracker,
  common: HyperliquidEventCommon,
  emit: Emit,
): RejectReason | undefined {
  const sides = tape.get(item, "bbo");
  if (!tape.isArray(sides) || tape.length(sides) !== 2) return "missing-field";
  const side = (index: number) => {
    const level = tape.at(sides, index);
    return { price: textOf(tape, level, "px"), size: textOf(tape, level, "sz") };
  };
  const [bid, ask] = [side(0), side(1)];
  for (const [index, { price, size }] of [bid, ask].entries()) {
    const isNone = tape.value(tape.at(sides, index)) === null;
    if (!isNone && (price === undefined || size === undefined)) return "missing-field";
  }
  const values = readQuoteValues(tracker, bid, ask);
  if (typeof values === "string") return values;
  emit({ kind: "quote", ...common, ...values });
  return undefined;
}

/** The state of a market, without a time; of spot it is a ticker alone. */
export function readHyperliquidContext(
  tape: JsonTape,
  context: number,
  common: HyperliquidEventCommon,
  emit: Emit,
): RejectReason | undefined {
  if (!tape.isObject(context)) return "missing-field";
  const at = (key: string): string | undefined => textOf(tape, context, key);
  const ticker = readTickerValues({
    openPrice: at("prevDayPx"),
    volume: at("dayBaseVlm"),
    quoteVolume: at("dayNtlVlm"),
  });
  if (typeof ticker === "string") return ticker;
  if (ticker.quoteVolume === undefined) return "missing-field";
  emit({ kind: "ticker", ...common, ...ticker });
  if (common.instrument.kind === "spot") return undefined;
  const texts = ["markPx", "oraclePx", "openInterest", "funding"].map(at);
  const decimals = texts.map(decimalOf);
  if (texts.some((text, index) => text !== undefined && decimals[index] === undefined)) {
    return "bad-decimal";
  }
  const [markPrice, indexPrice, openInterest, rate] = decimals;
  if (markPrice !== undefined) emit({ kind: "mark-price", ...common, markPrice, indexPrice });
  if (openInterest !== undefined) {
    emit({ kind: "open-interest", ...common, openInterest, openInterestValue: undefined });
  }
  if (rate !== undefined) {
    const intervalMs = FUNDING_INTERVAL_MS;
    emit({ kind: "funding", ...common, rate, nextFundingTimeUs: undefined, intervalMs });
  }
  return undefined;
}

/** A candle of any fixed length. */
export function readHyperliquidCandle(
  tape: JsonTape,
  item: number,
  common: HyperliquidEventCommon,
  emit: (candle: Candle) => void,
): RejectReason | undefined {
  const openTimeUs = millisecondsTimeUs(textOf(tape, item, "t"));
  const intervalMs = INTERVALS_MS[textOf(tape, item, "i") ?? ""];
  if (openTimeUs === undefined || intervalMs === undefined) return "missing-field";
  if (isBadTime(openTimeUs)) return "bad-time";
  const [open, high, low, close, volume] = ["o", "h", "l", "c", "v"].map((key) =>
    textOf(tape, item, key),
  );
  const values = readCandleValues({ open, high, low, close, volume });
  if (typeof values === "string") return values;
  const trades = Number(textOf(tape, item, "n") ?? Number.NaN);
  emit({
    kind: "candle",
    ...common,
    intervalMs,
    openTimeUs,
    ...values,
    quoteVolume: undefined,
    tradeCount: Number.isSafeInteger(trades) ? trades : undefined,
    closed: false,
  });
  return undefined;
}

function textOf(tape: JsonTape, item: number, key: string): string | undefined {
  return tape.text(tape.get(item, key));
}

function decimalOf(text: string | undefined): string | undefined {
  return text === undefined ? undefined : canonicalDecimal(text);
}
