import { exactDigits } from "../../reading/exact-digits.ts";

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
