import type { JsonText } from "#core/json-text.ts";
import { takerSide } from "../../reading/trade-fields.ts";
import { BAD_TIME, parseSecondsTimeUs } from "../../reading/venue-time.ts";

/** The taker's side by a trade's `type`. */
export function sideOf(type: JsonText | undefined): "buyer" | "seller" | undefined {
  return takerSide<unknown>(type, { buyer: "0", seller: "1" });
}

/** Sixteen digits since 2001; undefined if it is no such time. */
export function microseconds(value: JsonText | undefined): number | undefined {
  if (typeof value !== "string" || !/^[1-9]\d{15}$/.test(value)) return undefined;
  const timeUs = Number(value);
  return Number.isSafeInteger(timeUs) ? timeUs : undefined;
}

/** Ten digits since 2001; undefined where there is no time, BAD_TIME if it is something else. */
export function secondsTimeUs(value: JsonText | undefined): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "string" || !/^[1-9]\d{9}$/.test(value)) return BAD_TIME;
  return parseSecondsTimeUs(value);
}

/** The digits of an id, whether they came as a text or as a number. */
export function idText(value: JsonText | undefined): string | undefined {
  return typeof value === "string" && /^\d{1,40}$/.test(value) ? value : undefined;
}
