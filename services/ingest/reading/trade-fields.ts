/** Whose order took liquidity, by the words in which a venue says it. */
export function takerSide<Value>(
  value: Value,
  words: { readonly buyer: Value; readonly seller: Value },
): "buyer" | "seller" | undefined {
  if (value === words.buyer) return "buyer";
  return value === words.seller ? "seller" : undefined;
}

/**
 * The order of two ids that are counted up, as texts: a longer number is a later one, and numbers
 * of one length compare as texts.
 */
export function compareIds(left: string, right: string): number {
  return left.length - right.length || (left < right ? -1 : Number(left > right));
}
