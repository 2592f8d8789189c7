import { formatDecimal } from "@tickwire/proto/model";
import type { Mantissa } from "@tickwire/proto/model";
import type { MarketEvent } from "#core/market-event.ts";

/** Fields in which two events may differ and say the same. */
const OTHER_FIELDS: ReadonlySet<string> = new Set([
  "kind",
  "instrument",
  "receivedTimeUs",
  "venueTimeUs",
  "sinceTimeUs",
  "reason",
]);

const MANTISSA = "Mantissa";

/**
 * Whether two events of one kind say the same: another time at which it was said does not matter,
 * nor the scale that a decimal happens to have.
 */
export function saysTheSame(one: MarketEvent, other: MarketEvent): boolean {
  if (one.kind !== other.kind) return false;
  const left = fieldsOf(one);
  const right = fieldsOf(other);
  for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) {
    if (OTHER_FIELDS.has(key) || key.endsWith("Scale")) continue;
    if (valueOf(left, key) !== valueOf(right, key)) return false;
  }
  return true;
}

type Fields = Readonly<Record<string, unknown>>;

function fieldsOf(event: MarketEvent): Fields {
  return event as unknown as Fields;
}

function valueOf(fields: Fields, key: string): unknown {
  if (!Object.hasOwn(fields, key)) return undefined;
  const value = fields[key];
  if (value === undefined || !key.endsWith(MANTISSA)) return value;
  // bidPriceMantissa stands beside priceScale, as lastSizeMantissa does beside sizeScale.
  const isPrice = key.toLowerCase().includes("price");
  const scale = fields[isPrice ? "priceScale" : "sizeScale"];
  return formatDecimal(value as Mantissa, scale as number);
}
