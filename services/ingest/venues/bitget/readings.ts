// What a version of Bitget's feed calls things, and what its rows say.
import type { Channel } from "#core/instrument.ts";
import type { CandleCloser } from "../../reading/candle-closer.ts";
import type { Emit, EventSubject } from "../../reading/emit.ts";
import type { Fault } from "../../reading/fault.ts";
import { quoteEvent } from "../../reading/quote-event.ts";
import type { ScaleTracker } from "../../reading/scale-tracker.ts";
import {
  BAD_DECIMAL,
  decimalText,
  isRecord,
  type JsonRecord,
  optionalDecimal,
  present,
} from "../../reading/text-fields.ts";
import { tickerEvent } from "../../reading/ticker-event.ts";
import { tradeEvent } from "../../reading/trade-event.ts";
import { takerSide } from "../../reading/trade-fields.ts";
import { epochTimeUs, isBadTime } from "../../reading/venue-time.ts";
import { bestOf, type BitgetTrade } from "./fields.ts";

/** How the rows of a message are read. */
export type BitgetReading = "book" | "quote" | "trade" | "ticker" | "candle" | "liquidation";

/** What is published of a reading, the first being the one that damage is told of. */
export const BITGET_CHANNELS: Readonly<Record<BitgetReading, readonly [Channel, ...Channel[]]>> = {
  book: ["book"],
  quote: ["quotes"],
  trade: ["trades"],
  ticker: ["ticker", "funding", "mark-price", "open-interest"],
  candle: ["candles"],
  liquidation: ["liquidations"],
};

/** The keys under which a ticker says things. */
type BitgetTickerKeys = {
  /** The first of these that is there; without one it is the time of the message. */
  readonly times: readonly string[];
  readonly lastPrice: string;
  readonly openPrice: string;
  readonly highPrice: string;
  readonly lowPrice: string;
  readonly volume: string;
  readonly quoteVolume: string;
  /** Absent where the best prices are not taken from it. */
  readonly bidPrice?: string;
  readonly askPrice?: string;
  readonly markPrice: string;
  readonly indexPrice: string;
  readonly fundingRate: string;
  readonly nextFundingTime: string;
  readonly openInterest: string;
};

/** What a message, an answer or a subscription is about. */
export type BitgetArgument = {
  readonly reading: BitgetReading;
  /** `instType` in lower case. */
  readonly market: string;
  /** Undefined where a subscription is for all of the market. */
  readonly symbol: string | undefined;
};

/** In what one version of the feed differs from the others. */
export type BitgetDialect = {
  /** Books have checksums; otherwise they have numbers. */
  readonly hasChecksums: boolean;
  /** Under which keys the argument of a message names its channel and its symbol. */
  readonly argumentKeys: { readonly channelKey: string; readonly symbolKey: string };
  readonly sides: { readonly bids: string; readonly asks: string };
  readonly ticker: BitgetTickerKeys;
  /** What a message with this `arg` is about; undefined if that is nothing known. */
  readArgument(argument: JsonRecord): BitgetArgument | undefined;
  /** Undefined if the row lacks something. */
  readTrade(row: unknown): BitgetTrade | undefined;
};

const MINUTE_MS = 60_000;

const SIDES = { buyer: "buy", seller: "sell" };

/** The documented side of a liquidation is that of the position, and what was long is sold. */
const LIQUIDATION_SIDES = { buyer: "sell", seller: "buy" };

/** Best bid and offer, as a book of one level. */
export function readBitgetQuote(
  sides: { readonly bids: unknown; readonly asks: unknown; readonly time: unknown },
  subject: EventSubject,
  scales: ScaleTracker,
  emit: Emit,
): Fault {
  const bid = bestOf(sides.bids);
  const ask = bestOf(sides.asks);
  if (bid === undefined || ask === undefined) return "missing-field";
  const venueTimeUs = epochTimeUs(sides.time);
  const event = quoteEvent({ ...subject, venueTimeUs }, scales, bid, ask);
  if (typeof event === "string") return event;
  emit(event);
  return undefined;
}

export function readBitgetTrade(
  { side, time, price, size, tradeId }: BitgetTrade,
  { instrument, receivedTimeUs }: EventSubject,
  { historical, scales }: { readonly historical: boolean; readonly scales: ScaleTracker },
  emit: Emit,
): Fault {
  const aggressorSide = takerSide(side, SIDES);
  if (aggressorSide === undefined) return "missing-field";
  const venueTimeUs = epochTimeUs(time);
  const form = { price, size, aggressorSide, tradeId, historical };
  const event = tradeEvent({ instrument, venueTimeUs, receivedTimeUs }, scales, form);
  if (typeof event === "string") return event;
  emit(event);
  return undefined;
}

/** A ticker, and of a derivative what it says of funding, mark price and open interest. */
export function readBitgetTicker(
  row: JsonRecord,
  message: EventSubject,
  keys: BitgetTickerKeys,
  emit: Emit,
): Fault {
  const timeKey = keys.times.find((key) => row[key] !== undefined);
  const rowTimeUs = timeKey === undefined ? undefined : epochTimeUs(row[timeKey]);
  const subject = { ...message, venueTimeUs: rowTimeUs ?? message.venueTimeUs };
  const at = (key: string | undefined): unknown => present(key === undefined ? "" : row[key]);
  const ticker = tickerEvent(subject, {
    lastPrice: at(keys.lastPrice),
    openPrice: at(keys.openPrice),
    highPrice: at(keys.highPrice),
    lowPrice: at(keys.lowPrice),
    volume: at(keys.volume),
    quoteVolume: at(keys.quoteVolume),
    bidPrice: at(keys.bidPrice),
    askPrice: at(keys.askPrice),
  });
  if (typeof ticker === "string") return ticker;
  if (ticker.lastPrice === undefined) return "missing-field";
  emit(ticker);
  return subject.instrument.kind === "spot" ? undefined : readDerivative(row, subject, keys, emit);
}

function readDerivative(
  row: JsonRecord,
  subject: EventSubject,
  keys: BitgetTickerKeys,
  emit: Emit,
): Fault {
  const markPrice = optionalDecimal(row[keys.markPrice]);
  const indexPrice = optionalDecimal(row[keys.indexPrice]);
  const openInterest = optionalDecimal(row[keys.openInterest]);
  const rate = optionalDecimal(row[keys.fundingRate]);
  if ([markPrice, indexPrice, openInterest, rate].includes(BAD_DECIMAL)) return BAD_DECIMAL;
  if (markPrice !== undefined) emit({ kind: "mark-price", ...subject, markPrice, indexPrice });
  if (openInterest !== undefined) {
    emit({ kind: "open-interest", ...subject, openInterest, openInterestValue: undefined });
  }
  // What has no next settlement, such as a dated future, has no funding but a rate of zero.
  const next = present(row[keys.nextFundingTime]);
  if (rate === undefined || next === undefined || next === "0" || next === 0) return undefined;
  const nextFundingTimeUs = epochTimeUs(next);
  emit({ kind: "funding", ...subject, rate, nextFundingTimeUs, intervalMs: undefined });
  return undefined;
}

/**
 * Candles of a minute, the oldest first. The venue never says that one is over, but one that
 * another follows is, and one whose end is not after the venue's own clock.
 */
export function readBitgetCandles(
  rows: readonly unknown[],
  subject: EventSubject,
  closer: CandleCloser,
  emit: Emit,
): Fault {
  const { instrument, venueTimeUs, receivedTimeUs } = subject;
  // Subscribing brings a thousand of them in one message.
  for (let index = 0; index < rows.length; index += 1) {
    const fields = candleFields(rows[index]);
    const openTimeUs = epochTimeUs(fields[0]);
    if (openTimeUs === undefined) return "missing-field";
    if (isBadTime(openTimeUs)) return "bad-time";
    const open = decimalText(fields[1]);
    const high = decimalText(fields[2]);
    const low = decimalText(fields[3]);
    const close = decimalText(fields[4]);
    const volume = decimalText(fields[5]);
    if (open === undefined || high === undefined || low === undefined) return "bad-decimal";
    if (close === undefined || volume === undefined) return "bad-decimal";
    const isOver = venueTimeUs !== undefined && venueTimeUs >= openTimeUs + MINUTE_MS * 1000;
    const candle = {
      kind: "candle",
      instrument,
      venueTimeUs,
      receivedTimeUs,
      intervalMs: MINUTE_MS,
      openTimeUs,
      open,
      high,
      low,
      close,
      volume,
      quoteVolume: decimalText(fields[6]),
      tradeCount: undefined,
      closed: index < rows.length - 1 || isOver,
    } as const;
    closer.take(candle, emit);
  }
  return undefined;
}

/** Start, open, high, low, close, volume and turnover; nothing if it is no candle. */
function candleFields(row: unknown): readonly unknown[] {
  if (Array.isArray(row)) return row as readonly unknown[];
  if (!isRecord(row)) return [];
  const { start, open, high, low, close, volume, turnover } = row;
  return [start, open, high, low, close, volume, turnover];
}

/** `amount` counts the quote asset. */
export function readBitgetLiquidation(
  row: JsonRecord,
  about: Pick<EventSubject, "instrument" | "receivedTimeUs">,
  emit: Emit,
): Fault {
  const aggressorSide = takerSide(row["side"], LIQUIDATION_SIDES);
  if (aggressorSide === undefined) return "missing-field";
  const venueTimeUs = epochTimeUs(row["ts"]);
  const price = decimalText(row["price"]);
  const size = decimalText(row["amount"]);
  if (price === undefined || size === undefined) return "bad-decimal";
  const values = { price, size, aggressorSide, liquidationId: undefined };
  emit({ kind: "liquidation", ...about, venueTimeUs, ...values });
  return undefined;
}
