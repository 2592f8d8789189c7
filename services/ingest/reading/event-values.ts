import { canonicalDecimal, type Mantissa } from "@tickwire/proto/model";
import type { Quote, Ticker, Trade } from "#core/market-event.ts";
import type { RejectReason } from "../feed/feed-adapter.ts";
import { isNotMantissa, type ScaleTracker } from "./scale-tracker.ts";

/** The numbers of a trade. */
type TradeValues = Pick<Trade, "priceMantissa" | "priceScale" | "sizeMantissa" | "sizeScale">;

/** The numbers of a quote. */
type QuoteValues = Pick<
  Quote,
  | "priceScale"
  | "sizeScale"
  | "bidPriceMantissa"
  | "bidSizeMantissa"
  | "askPriceMantissa"
  | "askSizeMantissa"
>;

/** The numbers of a ticker, as the venue writes them. */
export type TickerTexts = {
  readonly [Field in TickerField]?: unknown;
};

type TickerField = Exclude<keyof Ticker, "kind" | "instrument" | "venueTimeUs" | "receivedTimeUs">;

const TICKER_FIELDS = [
  "lastPrice",
  "lastSize",
  "openPrice",
  "highPrice",
  "lowPrice",
  "volume",
  "quoteVolume",
  "bidPrice",
  "askPrice",
] as const satisfies readonly TickerField[];

/** Reads price and size of a trade, which must both be above zero. */
export function readTradeValues(
  tracker: ScaleTracker,
  price: unknown,
  size: unknown,
): TradeValues | RejectReason {
  const priceMantissa = tracker.price(price);
  const sizeMantissa = tracker.size(size);
  if (isNotMantissa(priceMantissa) || isNotMantissa(sizeMantissa)) return "bad-decimal";
  if (priceMantissa <= 0) return "non-positive-price";
  if (sizeMantissa <= 0) return "non-positive-size";
  const { priceScale, sizeScale } = tracker;
  return { priceMantissa, priceScale, sizeMantissa, sizeScale };
}

/** The texts of one side of a quote; no text, null or zero where nobody bids or offers. */
export type QuoteSideTexts = { readonly price: unknown; readonly size: unknown };

/**
 * Reads both sides of a quote at one pair of scales. A side without a price is empty: all zeros.
 */
export function readQuoteValues(
  tracker: ScaleTracker,
  bid: QuoteSideTexts,
  ask: QuoteSideTexts,
): QuoteValues | RejectReason {
  const { priceScale, sizeScale } = tracker;
  const values = readQuoteOnce(tracker, bid, ask);
  const grew = priceScale !== tracker.priceScale || sizeScale !== tracker.sizeScale;
  return grew && typeof values !== "string" ? readQuoteOnce(tracker, bid, ask) : values;
}

function readQuoteOnce(
  tracker: ScaleTracker,
  bid: QuoteSideTexts,
  ask: QuoteSideTexts,
): QuoteValues | RejectReason {
  const bidPrice = tracker.price(bid.price ?? "0");
  const bidSize = tracker.size(bid.size ?? "0");
  const askPrice = tracker.price(ask.price ?? "0");
  const askSize = tracker.size(ask.size ?? "0");
  if (isNotMantissa(bidPrice) || isNotMantissa(bidSize)) return "bad-decimal";
  if (isNotMantissa(askPrice) || isNotMantissa(askSize)) return "bad-decimal";
  if (bidSize < 0 || askSize < 0) return "negative-size";
  if (bidPrice < 0 || askPrice < 0) return "non-positive-price";
  const bidEmpty = bidPrice === 0 || bidSize === 0;
  const askEmpty = askPrice === 0 || askSize === 0;
  return {
    priceScale: tracker.priceScale,
    sizeScale: tracker.sizeScale,
    bidPriceMantissa: unless(bidEmpty, bidPrice),
    bidSizeMantissa: unless(bidEmpty, bidSize),
    askPriceMantissa: unless(askEmpty, askPrice),
    askSizeMantissa: unless(askEmpty, askSize),
  };
}

function unless(empty: boolean, mantissa: Mantissa): Mantissa {
  return empty ? 0 : mantissa;
}

/** Reads the numbers of a ticker into canonical decimals; absent ones stay undefined. */
export function readTickerValues(texts: TickerTexts): Pick<Ticker, TickerField> | RejectReason {
  const values: { -readonly [Field in TickerField]?: string | undefined } = {};
  for (const field of TICKER_FIELDS) {
    const text = texts[field];
    const decimal = typeof text === "string" ? canonicalDecimal(text) : undefined;
    if (decimal === undefined && text !== undefined && text !== null) return "bad-decimal";
    values[field] = decimal;
  }
  return values as Pick<Ticker, TickerField>;
}
