import type { StreamEvent } from "@tickwire/client";
import { unitsOf, type Scales, type Units } from "./units.ts";

/** What a strategy sees of the market. Times are those at which Tickwire received the news. */
export type Tick =
  | {
      readonly kind: "quote";
      readonly timeUs: number;
      readonly bid: Units;
      readonly bidSize: Units;
      readonly ask: Units;
      readonly askSize: Units;
    }
  | {
      readonly kind: "trade";
      readonly timeUs: number;
      readonly price: Units;
      readonly size: Units;
      readonly aggressor: "buyer" | "seller" | "none";
    };

/**
 * The event as a tick; undefined if it is none: old news, a state at a start, a side without
 * orders, or a number that the instrument's steps cannot make.
 */
export function tickOf(event: StreamEvent, scales: Scales): Tick | undefined {
  if (event.type === "trade") {
    if (event.initial || event.historical) return undefined;
    const price = unitsOf(event.priceMantissa, event.priceScale, scales.price);
    const size = unitsOf(event.sizeMantissa, event.sizeScale, scales.size);
    if (price === undefined || size === undefined) return undefined;
    const { receivedTimeUs: timeUs, aggressorSide: aggressor } = event;
    return { kind: "trade", timeUs, price, size, aggressor };
  }
  if (event.type !== "quote" || event.initial) return undefined;
  const { priceScale, sizeScale, receivedTimeUs: timeUs } = event;
  const bid = unitsOf(event.bidPriceMantissa, priceScale, scales.price);
  const ask = unitsOf(event.askPriceMantissa, priceScale, scales.price);
  const bidSize = unitsOf(event.bidSizeMantissa, sizeScale, scales.size);
  const askSize = unitsOf(event.askSizeMantissa, sizeScale, scales.size);
  if (bid === undefined || ask === undefined || !bidSize || !askSize) return undefined;
  return { kind: "quote", timeUs, bid, bidSize, ask, askSize };
}
