import type { Mantissa } from "@tickwire/proto/model";
import type { RejectReason } from "../../feed/feed-adapter.ts";
import { ProtobufFields } from "../../reading/protobuf-fields.ts";
import { type BookColumns, isNotMantissa, type ScaleTracker } from "../../reading/scale-tracker.ts";
import { BOOK, LEVEL, type MexcBody } from "./fields.ts";

type MutableColumns = { readonly prices: Mantissa[]; readonly sizes: Mantissa[] };

const sides = new ProtobufFields();
const level = new ProtobufFields();

/** The levels of both sides of a book message. */
export function columnsOf(body: MexcBody, scales: ScaleTracker): BookColumns | RejectReason {
  const { priceScale, sizeScale } = scales;
  const first = columnsOnce(body, scales);
  // A level finer than those before it raised the scale in the middle of the message.
  const grew = priceScale !== scales.priceScale || sizeScale !== scales.sizeScale;
  return grew && typeof first !== "string" ? columnsOnce(body, scales) : first;
}

function columnsOnce(body: MexcBody, scales: ScaleTracker): BookColumns | RejectReason {
  const bids: MutableColumns = { prices: [], sizes: [] };
  const asks: MutableColumns = { prices: [], sizes: [] };
  sides.open(body.bytes, body.start, body.end);
  while (sides.next()) {
    const { field } = sides;
    if (field !== BOOK.bids && field !== BOOK.asks) continue;
    const fault = readLevel(body.bytes, field === BOOK.bids ? bids : asks, scales);
    if (fault !== undefined) return fault;
  }
  return { bids, asks };
}

/** Reads the level that `sides` stands at. */
function readLevel(
  bytes: Uint8Array,
  columns: MutableColumns,
  scales: ScaleTracker,
): RejectReason | undefined {
  let priceText: string | undefined;
  let sizeText: string | undefined;
  level.open(bytes, sides.start, sides.end);
  while (level.next()) {
    if (level.field === LEVEL.price) priceText = level.text;
    else if (level.field === LEVEL.quantity) sizeText = level.text;
  }
  if (level.isDamaged) return "bad-json";
  const price = scales.price(priceText);
  const size = scales.size(sizeText);
  if (isNotMantissa(price) || isNotMantissa(size)) {
    return priceText === undefined || sizeText === undefined ? "missing-field" : "bad-decimal";
  }
  if (price <= 0) return "non-positive-price";
  if (size < 0) return "negative-size";
  columns.prices.push(price);
  columns.sizes.push(size);
  return undefined;
}
