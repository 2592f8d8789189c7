import { formatDecimal } from "@tickwire/proto/model";
import type { Mantissa } from "@tickwire/proto/model";

type Levels = { readonly prices: readonly Mantissa[]; readonly sizes: readonly Mantissa[] };

/** What a row says, in decimals: the form of the events in proto/vectors, without `sequence`. */
export function plainEvent(row: object): Record<string, unknown> {
  const event: Record<string, unknown> = {};
  const { priceScale = 0, sizeScale = 0 } = row as Record<string, number>;
  const scaleOf = (name: string): number => (/size/i.test(name) ? sizeScale : priceScale);
  for (const [name, value] of Object.entries(row)) {
    if (value === undefined || NOT_PLAIN.has(name)) continue;
    if (name.endsWith("Mantissa")) {
      const plain = name.slice(0, -"Mantissa".length);
      event[plain] = formatDecimal(value as Mantissa, scaleOf(name));
    } else if (name === "bids" || name === "asks") {
      const { prices, sizes } = value as Levels;
      event[name] = prices.map((price, index) => [
        formatDecimal(price, priceScale),
        formatDecimal(sizes[index] as Mantissa, sizeScale),
      ]);
    } else if (name === "snapshot" || name === "historical") {
      if (value === true) event[name === "snapshot" ? "replaces" : name] = true;
    } else {
      event[name] = value;
    }
  }
  return event;
}

const NOT_PLAIN = new Set(["priceScale", "sizeScale", "kind", "instrument"]);
