import { canonicalDecimal } from "@tickwire/proto/model";
import type { Ticker } from "#core/market-event.ts";
import type { RejectReason } from "../feed/feed-adapter.ts";
import type { EventSubject } from "./emit.ts";

/** The numbers of a ticker, as the venue writes them. */
export type TickerTexts = {
  readonly [Field in TickerField]?: unknown;
};

type TickerField = Exclude<keyof Ticker, "kind" | keyof EventSubject>;

/** Stands for what is there and no decimal. */
const NO_DECIMAL = "";

/**
 * The event of a ticker, with its numbers as canonical decimals; absent ones stay undefined. All
 * venues' tickers have the same fields in the same order, written out here for the reason that
 * `tradeEvent` gives.
 */
export function tickerEvent(
  { instrument, venueTimeUs, receivedTimeUs }: EventSubject,
  texts: TickerTexts,
): Ticker | RejectReason {
  const ticker: Ticker = {
    kind: "ticker",
    instrument,
    venueTimeUs,
    receivedTimeUs,
    lastPrice: decimalOf(texts.lastPrice),
    lastSize: decimalOf(texts.lastSize),
    openPrice: decimalOf(texts.openPrice),
    highPrice: decimalOf(texts.highPrice),
    lowPrice: decimalOf(texts.lowPrice),
    volume: decimalOf(texts.volume),
    quoteVolume: decimalOf(texts.quoteVolume),
    bidPrice: decimalOf(texts.bidPrice),
    askPrice: decimalOf(texts.askPrice),
    vwapPrice: decimalOf(texts.vwapPrice),
    midPrice: decimalOf(texts.midPrice),
    spread: decimalOf(texts.spread),
  };
  return areDecimals(ticker) ? ticker : "bad-decimal";
}

function decimalOf(text: unknown): string | undefined {
  if (text === undefined || text === null) return undefined;
  return typeof text === "string" ? (canonicalDecimal(text) ?? NO_DECIMAL) : NO_DECIMAL;
}

/** False if one of the numbers was there and no decimal. */
function areDecimals(ticker: Ticker): boolean {
  const isBad =
    ticker.lastPrice === NO_DECIMAL ||
    ticker.lastSize === NO_DECIMAL ||
    ticker.openPrice === NO_DECIMAL ||
    ticker.highPrice === NO_DECIMAL ||
    ticker.lowPrice === NO_DECIMAL ||
    ticker.volume === NO_DECIMAL ||
    ticker.quoteVolume === NO_DECIMAL ||
    ticker.bidPrice === NO_DECIMAL ||
    ticker.askPrice === NO_DECIMAL ||
    ticker.vwapPrice === NO_DECIMAL ||
    ticker.midPrice === NO_DECIMAL ||
    ticker.spread === NO_DECIMAL;
  return !isBad;
}
