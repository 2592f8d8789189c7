// https://bybit-exchange.github.io/docs/v5/websocket/public/orderbook
import type { QuoteSideTexts } from "../../reading/quote-event.ts";
import { isUpdateId, type JsonRecord } from "../../reading/text-fields.ts";

/**
 * The best level of each side after an update, as texts: without texts if the side is empty,
 * undefined if it is not known.
 */
export type BestLevels = {
  readonly bid: QuoteSideTexts | undefined;
  readonly ask: QuoteSideTexts | undefined;
  readonly updateId: number | undefined;
};

/** Before anything was said. */
export const NOTHING_KNOWN: BestLevels = { bid: undefined, ask: undefined, updateId: undefined };

const EMPTY: QuoteSideTexts = { price: undefined, size: undefined };

/** What a message of the book of one level comes to; undefined if it is damaged. */
type BestChange = {
  readonly best: BestLevels;
  /** The message is not the next one: what lies between was not received. */
  readonly isGap: boolean;
};

/**
 * The best levels after a message. The venue says that all of them are snapshots by now; recordings
 * of 2023 and 2024 have changes too. In a change `b` and `a` hold what is new, and what is gone
 * with size 0. A side that it does not mention stays, unless messages were missed, for one of them
 * may have said something about it: then it is unknown until it is mentioned again.
 */
export function mergeBest(
  before: BestLevels,
  data: JsonRecord,
  isSnapshot: boolean,
): BestChange | undefined {
  const { u: updateId, b, a } = data;
  if (!isUpdateId(updateId)) return undefined;
  const isNext = before.updateId !== undefined && updateId === before.updateId + 1;
  const isGap = !isSnapshot && !isNext;
  const base = isSnapshot ? { bid: EMPTY, ask: EMPTY } : isGap ? NOTHING_KNOWN : before;
  const bid = mergeSide(base.bid, b);
  const ask = mergeSide(base.ask, a);
  if (bid === undefined || ask === undefined) return undefined;
  return { best: { bid: bid.best, ask: ask.best, updateId }, isGap };
}

function mergeSide(
  before: QuoteSideTexts | undefined,
  levels: unknown,
): { readonly best: QuoteSideTexts | undefined } | undefined {
  if (!Array.isArray(levels)) return undefined;
  let best = before;
  for (const level of levels as readonly unknown[]) {
    if (!Array.isArray(level)) return undefined;
    const [price, size] = level as readonly unknown[];
    if (!isZero(size)) best = { price, size };
    // The removal of another level than the best says nothing about the best.
    else if (best === undefined || price === best.price) best = EMPTY;
  }
  return { best };
}

function isZero(size: unknown): boolean {
  return typeof size === "string" && /^0(\.0*)?$/.test(size);
}
