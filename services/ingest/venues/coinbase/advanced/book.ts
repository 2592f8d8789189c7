import type { Mantissa } from "@tickwire/proto/model";
import { type JsonTape, MISSING } from "#core/json-tape.ts";
import type { RejectReason } from "../../../feed/feed-adapter.ts";
import {
  type BookColumns,
  isNotMantissa,
  type ScaleTracker,
} from "../../../reading/scale-tracker.ts";
import { parseIsoTimeUs } from "../../../reading/venue-time.ts";

type MutableColumns = { readonly prices: Mantissa[]; readonly sizes: Mantissa[] };

/** The levels of a book message, whose updates of both sides stand in one list. */
export function columnsOf(
  tape: JsonTape,
  updates: number,
  scales: ScaleTracker,
): BookColumns | RejectReason {
  const { priceScale, sizeScale } = scales;
  const first = columnsOnce(tape, updates, scales);
  // A level finer than those before it raised the scale in the middle of the message.
  const grew = priceScale !== scales.priceScale || sizeScale !== scales.sizeScale;
  return grew && typeof first !== "string" ? columnsOnce(tape, updates, scales) : first;
}

function columnsOnce(
  tape: JsonTape,
  updates: number,
  scales: ScaleTracker,
): BookColumns | RejectReason {
  if (!tape.isArray(updates)) return "missing-field";
  const bids: MutableColumns = { prices: [], sizes: [] };
  const asks: MutableColumns = { prices: [], sizes: [] };
  for (let update = tape.first(updates); update !== MISSING; update = tape.next(update)) {
    const side = tape.get(update, "side");
    const isBid = tape.equals(side, "bid");
    if (!isBid && !tape.equals(side, "offer") && !tape.equals(side, "ask")) {
      return "missing-field";
    }
    const price = scales.priceAt(tape, tape.get(update, "price_level"));
    const size = scales.sizeAt(tape, tape.get(update, "new_quantity"));
    if (isNotMantissa(price) || isNotMantissa(size)) return "bad-decimal";
    if (price <= 0) return "non-positive-price";
    if (size < 0) return "negative-size";
    const columns = isBid ? bids : asks;
    columns.prices.push(price);
    columns.sizes.push(size);
  }
  return { bids, asks };
}

/** When the last of the updates happened. */
export function lastTimeUs(tape: JsonTape, updates: number): number | undefined {
  let last = MISSING;
  for (let update = tape.first(updates); update !== MISSING; update = tape.next(update)) {
    last = update;
  }
  return parseIsoTimeUs(tape.text(tape.get(last, "event_time")));
}
