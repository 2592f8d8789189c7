import type { JsonText } from "#core/json-text.ts";
import type { AggressorSide } from "#core/market-event.ts";
import { takerSide } from "../../reading/trade-fields.ts";
import { isBadTime, parseIsoTimeUs } from "../../reading/venue-time.ts";

/** Lengths of time are written as times since this one. */
const INTERVALS_BEGIN_US = Date.UTC(2000, 0, 1) * 1000;

const SIDES = { buyer: "Buy", seller: "Sell" };

/** Buyer or seller, as the venue writes it; undefined if it is neither. */
export function sideOf(side: JsonText | undefined): AggressorSide | undefined {
  return takerSide<unknown>(side, SIDES);
}

/** True unless a value is absent, null or empty. */
export function isGiven(value: JsonText | undefined): boolean {
  return value !== undefined && value !== null && value !== "";
}

/** A length of time; NaN if it is not written as one. */
export function lengthMsOf(text: JsonText | undefined): number | undefined {
  const endUs = parseIsoTimeUs(text);
  if (endUs === undefined || isBadTime(endUs)) return endUs;
  const lengthMs = (endUs - INTERVALS_BEGIN_US) / 1000;
  return lengthMs > 0 && Number.isInteger(lengthMs) ? lengthMs : undefined;
}
