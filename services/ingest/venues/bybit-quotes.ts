import type { QuoteSideTexts } from "./event-values.ts";
import type { JsonRecord } from "./text-fields.ts";

/** The best level of each side, as texts; a side without texts is empty. */
export type BestLevels = { readonly bid: QuoteSideTexts; readonly ask: QuoteSideTexts };

const EMPTY: QuoteSideTexts = { price: undefined, size: undefined };

/**
 * The best levels after a message of the book of one level: `b` and `a` hold what is new, and what
 * is gone with size 0. Without `before` the message is the whole book. Undefined if it is damaged.
 */
export function mergeBest(
  before: BestLevels | undefined,
  data: JsonRecord,
): BestLevels | undefined {
  const bid = mergeSide(before?.bid ?? EMPTY, data["b"]);
  const ask = mergeSide(before?.ask ?? EMPTY, data["a"]);
  return bid === undefined || ask === undefined ? undefined : { bid, ask };
}

function mergeSide(before: QuoteSideTexts, levels: unknown): QuoteSideTexts | undefined {
  if (!Array.isArray(levels)) return undefined;
  let best = before;
  for (const level of levels as readonly unknown[]) {
    if (!Array.isArray(level)) return undefined;
    const [price, size] = level as readonly unknown[];
    // A removal of another level than the best says nothing new.
    if (!isZero(size)) best = { price, size };
    else if (price === best.price) best = EMPTY;
  }
  return best;
}

function isZero(size: unknown): boolean {
  return typeof size === "string" && /^0(\.0*)?$/.test(size);
}
