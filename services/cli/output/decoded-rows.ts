import type { BatchRows, BookRow } from "@tickwire/proto/codec";
import { formatDecimal } from "@tickwire/proto/model";
import type { Mantissa } from "@tickwire/proto/model";

type Row = BatchRows["rows"][number];

/** An event of a batch for JSON: decimals as exact text, what is unsaid left out. */
export function plainRow(row: Row): Record<string, unknown> {
  const { priceScale = 0, sizeScale = 0 } = row as Partial<BookRow>;
  const plain: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(row)) {
    if (name === "priceScale" || name === "sizeScale" || value === undefined) continue;
    if (name === "bids" || name === "asks") {
      plain[name] = levels(value as BookRow["bids"], priceScale, sizeScale);
    } else if (name.endsWith("Mantissa")) {
      const scale = /size/i.test(name) ? sizeScale : priceScale;
      plain[name.slice(0, -"Mantissa".length)] = formatDecimal(value as Mantissa, scale);
    } else plain[name] = value;
  }
  return plain;
}

function levels(side: BookRow["bids"], priceScale: number, sizeScale: number): string[][] {
  return side.prices.map((price, index) => [
    formatDecimal(price, priceScale),
    formatDecimal(side.sizes[index] ?? 0, sizeScale),
  ]);
}
