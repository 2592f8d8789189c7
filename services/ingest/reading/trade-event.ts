import { hasSignedPrices } from "#core/instrument.ts";
import type { Trade } from "#core/market-event.ts";
import type { RejectReason } from "../feed/feed-adapter.ts";
import type { EventSubject } from "./emit.ts";
import { isNotMantissa, type ScaleTracker } from "./scale-tracker.ts";

/** What a message says of a trade. Price and size are texts as the venue writes them. */
type TradeForm = Pick<Trade, "aggressorSide" | "tradeId" | "historical"> & {
  readonly price: unknown;
  readonly size: unknown;
};

/**
 * The event of a trade, or why there is none: its size must be above zero, and its price too unless
 * the instrument is one of signed prices. All venues' trades have the same fields in the same
 * order, which keeps the code behind them fast; so does writing them out here, since it is slow to
 * spread one object into another.
 */
export function tradeEvent(
  subject: EventSubject,
  scales: ScaleTracker,
  form: TradeForm,
): Trade | RejectReason {
  const priceMantissa = scales.price(form.price);
  const sizeMantissa = scales.size(form.size);
  if (isNotMantissa(priceMantissa) || isNotMantissa(sizeMantissa)) return "bad-decimal";
  if (priceMantissa <= 0 && !hasSignedPrices(subject.instrument)) return "non-positive-price";
  if (sizeMantissa <= 0) return "non-positive-size";
  return {
    kind: "trade",
    instrument: subject.instrument,
    venueTimeUs: subject.venueTimeUs,
    receivedTimeUs: subject.receivedTimeUs,
    priceMantissa,
    priceScale: scales.priceScale,
    sizeMantissa,
    sizeScale: scales.sizeScale,
    aggressorSide: form.aggressorSide,
    tradeId: form.tradeId,
    historical: form.historical,
  };
}
