import { exactDigits } from "../../reading/exact-digits.ts";
import { compareIds } from "../../reading/trade-fields.ts";

/** The fields of a trade, whatever names they have. */
export type BitgetTrade = {
  readonly time: unknown;
  readonly price: unknown;
  readonly size: unknown;
  readonly side: unknown;
  readonly tradeId: string;
};

/** The digits of a number of the venue's, which writes it as an integer or as its text. */
export function digitsOf(value: unknown, text: string, pattern: RegExp): string | undefined {
  if (typeof value === "string") return /^\d{1,40}$/.test(value) ? value : undefined;
  return typeof value === "number" && value < 0 ? undefined : exactDigits(value, text, pattern);
}

/** Price and size of the first level; both undefined where nobody bids or offers. */
export function bestOf(
  levels: unknown,
): { readonly price: unknown; readonly size: unknown } | undefined {
  if (!Array.isArray(levels)) return undefined;
  const best: unknown = levels[0];
  if (best === undefined) return { price: undefined, size: undefined };
  if (!Array.isArray(best)) return undefined;
  const [price, size] = best as readonly unknown[];
  return { price, size };
}

/** The trades of a list, the oldest first; the venue begins with the newest. */
export function oldestFirst(
  trades: readonly (BitgetTrade | undefined)[],
): readonly (BitgetTrade | undefined)[] {
  const [first, last] = [trades[0], trades.at(-1)];
  const isTurned = first !== undefined && last !== undefined && isLater(first, last);
  return isTurned ? trades.toReversed() : trades;
}

/** True if the first trade came after the other, by its time or else by its number. */
function isLater(trade: BitgetTrade, other: BitgetTrade): boolean {
  const [time, otherTime] = [Number(trade.time), Number(other.time)];
  return time === otherTime ? compareIds(trade.tradeId, other.tradeId) > 0 : time > otherTime;
}
