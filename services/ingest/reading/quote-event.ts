import { hasSignedPrices } from "#core/instrument.ts";
import type { Quote } from "#core/market-event.ts";
import type { RejectReason } from "../feed/feed-adapter.ts";
import type { EventSubject } from "./emit.ts";
import { isNotMantissa, type ScaleTracker } from "./scale-tracker.ts";

/** The texts of one side of a quote; no text, null or zero where nobody bids or offers. */
export type QuoteSideTexts = { readonly price: unknown; readonly size: unknown };

/** What a size of zero beside a price says. */
type ZeroSize =
  /** There is nobody on that side. */
  | "empty"
  /** There is somebody, whose size the venue rounds down to nothing. */
  | "rounded";

/**
 * The event of a quote with both sides at one pair of scales, or why there is none. A side without
 * a price or a size is empty: all zeros. A price of zero is none, unless prices are signed. A size
 * of zero that is rounded keeps its price. All venues' quotes have the same fields in the same
 * order, written out here for the reason that `tradeEvent` gives.
 */
export function quoteEvent(
  subject: EventSubject,
  scales: ScaleTracker,
  bid: QuoteSideTexts,
  ask: QuoteSideTexts,
  zeroSize: ZeroSize = "empty",
): Quote | RejectReason {
  const { priceScale, sizeScale } = scales;
  const first = readOnce(subject, scales, bid, ask, zeroSize);
  const grew = priceScale !== scales.priceScale || sizeScale !== scales.sizeScale;
  // A text finer than those before it raised the scale in the middle of the quote.
  return grew && typeof first !== "string" ? readOnce(subject, scales, bid, ask, zeroSize) : first;
}

function readOnce(
  subject: EventSubject,
  scales: ScaleTracker,
  bid: QuoteSideTexts,
  ask: QuoteSideTexts,
  zeroSize: ZeroSize,
): Quote | RejectReason {
  const bidPrice = scales.price(bid.price ?? "0");
  const bidSize = scales.size(bid.size ?? "0");
  const askPrice = scales.price(ask.price ?? "0");
  const askSize = scales.size(ask.size ?? "0");
  if (isNotMantissa(bidPrice) || isNotMantissa(bidSize)) return "bad-decimal";
  if (isNotMantissa(askPrice) || isNotMantissa(askSize)) return "bad-decimal";
  if (bidSize < 0 || askSize < 0) return "negative-size";
  const isSigned = hasSignedPrices(subject.instrument);
  if ((bidPrice < 0 || askPrice < 0) && !isSigned) return "non-positive-price";
  const isKept = zeroSize === "rounded";
  const bidMissing = isSigned ? isAbsent(bid.price) : bidPrice === 0;
  const askMissing = isSigned ? isAbsent(ask.price) : askPrice === 0;
  const bidEmpty = bidMissing || (bidSize === 0 && !isKept);
  const askEmpty = askMissing || (askSize === 0 && !isKept);
  return {
    kind: "quote",
    instrument: subject.instrument,
    venueTimeUs: subject.venueTimeUs,
    receivedTimeUs: subject.receivedTimeUs,
    priceScale: scales.priceScale,
    sizeScale: scales.sizeScale,
    bidPriceMantissa: bidEmpty ? 0 : bidPrice,
    bidSizeMantissa: bidEmpty ? 0 : bidSize,
    askPriceMantissa: askEmpty ? 0 : askPrice,
    askSizeMantissa: askEmpty ? 0 : askSize,
  };
}

function isAbsent(text: unknown): boolean {
  return text === undefined || text === null;
}
