import type { AggressorSide } from "#core/market-event.ts";

/**
 * Whose order took liquidity, by the words in which a venue says it; `none` where it says that
 * there is no such side. Undefined for anything else.
 */
export function takerSide<Value>(
  value: Value,
  words: { readonly buyer: Value; readonly seller: Value },
): AggressorSide | undefined {
  if (value === words.buyer) return "buyer";
  if (value === words.seller) return "seller";
  return value === "" || value === null ? "none" : undefined;
}

/**
 * The order of two ids that are counted up, as texts: a longer number is a later one, and numbers
 * of one length compare as texts.
 */
export function compareIds(left: string, right: string): number {
  return left.length - right.length || (left < right ? -1 : Number(left > right));
}
