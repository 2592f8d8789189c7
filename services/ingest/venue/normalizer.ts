import { compareMantissa } from "@tickwire/proto/model";
import type { Mantissa } from "@tickwire/proto/model";
import { hasSignedPrices } from "#core/instrument.ts";
import type { Quote, Trade } from "#core/market-event.ts";
import type { RawBook, RejectReason } from "../feed/feed-adapter.ts";
import type { FeedData } from "../feed/feed-sink.ts";
import type { VenueClock } from "./venue-clock.ts";

/** Why an event is not used, by the rules that hold at every venue; undefined if it is fine. */
export function rejectionOf(event: FeedData): RejectReason | undefined {
  switch (event.kind) {
    case "trade":
      return rejectionOfTrade(event);
    case "quote":
      return rejectionOfQuote(event);
    case "raw-book":
      return rejectionOfBook(event);
    // Rates may be negative, and summaries are the venue's own arithmetic: there is no rule to
    // break.
    case "candle":
    case "ticker":
    case "funding":
    case "mark-price":
    case "open-interest":
      return undefined;
    case "liquidation":
      return event.size.startsWith("-") || event.size === "0" ? "non-positive-size" : undefined;
  }
}

/** False if a time of the venue could not be read, or cannot be true. An absent time is fine. */
export function areTimesSane(event: FeedData, clock: VenueClock): boolean {
  const { venueTimeUs, receivedTimeUs } = event;
  const isNow = event.kind !== "trade" || !event.historical;
  const isSane = venueTimeUs === undefined || clock.judge(venueTimeUs, receivedTimeUs, isNow);
  if (event.kind !== "funding") return isSane;
  return isSane && !Number.isNaN(event.nextFundingTimeUs) && !Number.isNaN(event.intervalMs);
}

/** The event without the times that are not sane: the rest of it is good all the same. */
export function withoutBadTimes(event: FeedData, clock: VenueClock): FeedData {
  const { receivedTimeUs } = event;
  const time = event.venueTimeUs;
  const isSane = time !== undefined && clock.judge(time, receivedTimeUs, false);
  const venueTimeUs = isSane ? time : undefined;
  if (event.kind !== "funding") return { ...event, venueTimeUs };
  const { nextFundingTimeUs: next, intervalMs: interval } = event;
  const nextFundingTimeUs = Number.isNaN(next) ? undefined : next;
  const intervalMs = Number.isNaN(interval) ? undefined : interval;
  return { ...event, venueTimeUs, nextFundingTimeUs, intervalMs };
}

function rejectionOfTrade(trade: Trade): RejectReason | undefined {
  if (!(trade.sizeMantissa > 0)) return "non-positive-size";
  if (!isPrice(trade.priceMantissa, hasSignedPrices(trade.instrument))) return "non-positive-price";
  return undefined;
}

/** NaN is no price, and one of zero or below is only where prices are signed. */
function isPrice(mantissa: Mantissa, isSigned: boolean): boolean {
  return mantissa > 0 || (isSigned && mantissa <= 0);
}

/** A side without orders has price and size 0; a side with a size needs a price. */
function rejectionOfQuote(quote: Quote): RejectReason | undefined {
  const { bidPriceMantissa, bidSizeMantissa, askPriceMantissa, askSizeMantissa } = quote;
  if (!(bidSizeMantissa >= 0) || !(askSizeMantissa >= 0)) return "negative-size";
  const isSigned = hasSignedPrices(quote.instrument);
  if (bidSizeMantissa > 0 && !isPrice(bidPriceMantissa, isSigned)) return "non-positive-price";
  if (askSizeMantissa > 0 && !isPrice(askPriceMantissa, isSigned)) return "non-positive-price";
  return undefined;
}

/** True if somebody bids more than somebody else asks. */
export function isCrossed(quote: Quote): boolean {
  const { bidPriceMantissa, bidSizeMantissa, askPriceMantissa, askSizeMantissa } = quote;
  if (!(bidSizeMantissa > 0 && askSizeMantissa > 0)) return false;
  return compareMantissa(bidPriceMantissa, askPriceMantissa) > 0;
}

function rejectionOfBook(book: RawBook): RejectReason | undefined {
  const { bids, asks } = book;
  const isSigned = hasSignedPrices(book.instrument);
  if (!allAtLeastZero(bids.sizes) || !allAtLeastZero(asks.sizes)) return "negative-size";
  if (!allPrices(bids.prices, isSigned)) return "non-positive-price";
  if (!allPrices(asks.prices, isSigned)) return "non-positive-price";
  return undefined;
}

// Written so that NaN fails.
function allAtLeastZero(sizes: readonly Mantissa[]): boolean {
  for (let index = 0; index < sizes.length; index += 1) {
    if (!((sizes[index] as Mantissa) >= 0)) return false;
  }
  return true;
}

function allPrices(prices: readonly Mantissa[], isSigned: boolean): boolean {
  for (let index = 0; index < prices.length; index += 1) {
    if (!isPrice(prices[index] as Mantissa, isSigned)) return false;
  }
  return true;
}
