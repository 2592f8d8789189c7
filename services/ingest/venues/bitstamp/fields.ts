import type { JsonText } from "#core/json-text.ts";
import type { AggressorSide } from "#core/market-event.ts";
import { takerSide } from "../../reading/trade-fields.ts";

/** The taker's side by a trade's `type`. */
export function sideOf(type: JsonText | undefined): AggressorSide | undefined {
  return takerSide<unknown>(type, { buyer: "0", seller: "1" });
}

/** The digits of an id, whether they came as a text or as a number. */
export function idText(value: JsonText | undefined): string | undefined {
  return typeof value === "string" && /^\d{1,40}$/.test(value) ? value : undefined;
}
