// What a version of Bitget's feed calls things, and what it says besides trades, quotes and books.
import type { Channel, Instrument } from "#core/instrument.ts";
import type { Candle } from "#core/market-event.ts";
import type { FeedEvent, RejectReason } from "../../feed/feed-adapter.ts";
import { readCandleValues } from "../../reading/candle-values.ts";
import { readTickerValues } from "../../reading/event-values.ts";
import {
  decimalText,
  isRecord,
  type JsonRecord,
  millisecondsTimeUs,
  present,
} from "../../reading/text-fields.ts";
import { isBadTime } from "../../reading/venue-time.ts";

type Emit = (event: FeedEvent) => void;

/** How the rows of a message are read. */
export type BitgetReading = "book" | "quote" | "trade" | "ticker" | "candle" | "liquidation";

/** The keys under which a ticker says things; undefined for what is not taken from it. */
export type BitgetTickerKeys = {
  /** The first of these that is there; without one it is the time of the message. */
  readonly times: readonly string[];
  readonly lastPrice: string;
  readonly openPrice: string;
  readonly highPrice: string;
  readonly lowPrice: string;
  readonly volume: string;
  readonly quoteVolume: string;
  readonly bidPrice: string | undefined;
  readonly askPrice: string | undefined;
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
  /** What is published of a reading, the first being the one that damage is told of. */
  readonly channels: Readonly<Record<BitgetReading, readonly [Channel, ...Channel[]]>>;
  readonly sides: { readonly bids: string; readonly asks: string };
  readonly ticker: BitgetTickerKeys;
  /** What a message with this `arg` is about; undefined if that is nothing known. */
  readArgument(argument: JsonRecord): BitgetArgument | undefined;
  /** Undefined if the row lacks something. */
  readTrade(row: unknown):
    | {
        readonly time: unknown;
        readonly price: unknown;
        readonly size: unknown;
        readonly side: unknown;
        readonly tradeId: string;
      }
    | undefined;
  /** The instrument whose latest trades a REST address is about. */
  tradesOfUrl?(url: string): { readonly symbol: string; readonly market: string } | undefined;
};

/** What every event of a message has. */
export type BitgetEventCommon = {
  readonly instrument: Instrument;
  readonly venueTimeUs: number | undefined;
  readonly receivedTimeUs: number;
};

const MINUTE_MS = 60_000;

/** A ticker, and of a derivative what it says of funding, mark price and open interest. */
export function readBitgetTicker(
  row: JsonRecord,
  message: BitgetEventCommon,
  keys: BitgetTickerKeys,
  emit: Emit,
): RejectReason | undefined {
  const timeKey = keys.times.find((key) => row[key] !== undefined);
  const rowTimeUs = timeKey === undefined ? undefined : millisecondsTimeUs(row[timeKey]);
  const common = { ...message, venueTimeUs: rowTimeUs ?? message.venueTimeUs };
  if (isBadTime(rowTimeUs)) return "bad-time";
  const at = (key: string | undefined): unknown => present(key === undefined ? "" : row[key]);
  const ticker = readTickerValues({
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
  emit({ kind: "ticker", ...common, ...ticker });
  return common.instrument.kind === "spot" ? undefined : readDerivative(row, common, keys, emit);
}

function readDerivative(
  row: JsonRecord,
  common: BitgetEventCommon,
  keys: BitgetTickerKeys,
  emit: Emit,
): RejectReason | undefined {
  const texts = [keys.markPrice, keys.indexPrice, keys.openInterest, keys.fundingRate].map((key) =>
    present(row[key]),
  );
  const [markPrice, indexPrice, openInterest, rate] = texts.map(decimalText);
  const decimals = [markPrice, indexPrice, openInterest, rate];
  if (texts.some((text, index) => text !== undefined && decimals[index] === undefined)) {
    return "bad-decimal";
  }
  if (markPrice !== undefined) emit({ kind: "mark-price", ...common, markPrice, indexPrice });
  if (openInterest !== undefined) {
    emit({ kind: "open-interest", ...common, openInterest, openInterestValue: undefined });
  }
  // What has no next settlement, such as a dated future, has no funding but a rate of zero.
  const next = present(row[keys.nextFundingTime]);
  if (rate === undefined || next === undefined || next === "0" || next === 0) return undefined;
  const nextFundingTimeUs = millisecondsTimeUs(next);
  if (isBadTime(nextFundingTimeUs)) return "bad-time";
  emit({ kind: "funding", ...common, rate, nextFundingTimeUs, intervalMs: undefined });
  return undefined;
}

/**
 * Candles of a minute, the oldest first. The venue never says that one is over, but one that
 * another follows is, and one whose end is not after the venue's own clock.
 */
export function readBitgetCandles(
  rows: readonly unknown[],
  common: BitgetEventCommon,
  emit: (candle: Candle) => void,
): RejectReason | undefined {
  const { venueTimeUs } = common;
  for (const [index, row] of rows.entries()) {
    const [start, ...texts] = candleFields(row);
    const openTimeUs = millisecondsTimeUs(start);
    if (openTimeUs === undefined) return "missing-field";
    if (isBadTime(openTimeUs)) return "bad-time";
    const [open, high, low, close, volume, turnover] = texts;
    const values = readCandleValues({ open, high, low, close, volume });
    if (typeof values === "string") return values;
    const isOver = venueTimeUs !== undefined && venueTimeUs >= openTimeUs + MINUTE_MS * 1000;
    const closed = index < rows.length - 1 || isOver;
    const rest = { quoteVolume: decimalText(turnover), tradeCount: undefined, closed };
    emit({ kind: "candle", ...common, intervalMs: MINUTE_MS, openTimeUs, ...values, ...rest });
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

/**
 * `side` is that of the position, documented as `buy`: long, `sell`: short. What was long is sold.
 * `amount` counts the quote asset.
 */
export function readBitgetLiquidation(
  row: JsonRecord,
  about: Pick<BitgetEventCommon, "instrument" | "receivedTimeUs">,
  emit: Emit,
): RejectReason | undefined {
  const { side } = row;
  if (side !== "buy" && side !== "sell") return "missing-field";
  const venueTimeUs = millisecondsTimeUs(row["ts"]);
  if (isBadTime(venueTimeUs)) return "bad-time";
  const price = decimalText(row["price"]);
  const size = decimalText(row["amount"]);
  if (price === undefined || size === undefined) return "bad-decimal";
  emit({
    kind: "liquidation",
    ...about,
    venueTimeUs,
    price,
    size,
    aggressorSide: side === "buy" ? "seller" : "buyer",
    liquidationId: undefined,
  });
  return undefined;
}
