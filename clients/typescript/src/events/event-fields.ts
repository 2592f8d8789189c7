import {
  formatDecimal,
  toNumber,
  type EventKind,
  type Mantissa,
  type TradeFields,
} from "@tickwire/proto/model";
import { jsonSafe } from "./json-safe.ts";

/** One price level, exact and as numbers. */
export type BookLevel = Omit<TradeFields, "aggressorSide" | "tradeId" | "historical">;

/** A level from what the wire has of it. */
export function bookLevel(
  priceMantissa: Mantissa,
  priceScale: number,
  sizeMantissa: Mantissa,
  sizeScale: number,
): BookLevel {
  return jsonSafe(
    {
      price: toNumber(priceMantissa, priceScale),
      priceText: formatDecimal(priceMantissa, priceScale),
      priceMantissa,
      priceScale,
      size: toNumber(sizeMantissa, sizeScale),
      sizeText: formatDecimal(sizeMantissa, sizeScale),
      sizeMantissa,
      sizeScale,
    },
    priceMantissa,
    sizeMantissa,
  );
}

/** What a kind of row or message has, under the names of the schema. */
type Plain = Readonly<Record<string, unknown>>;

/**
 * The fields of an event or an answer from a row or a message: each decimal as the nearest double
 * and, with `Text`, exactly. What the venue does not say is undefined.
 */
export function fieldsOf(kind: Pick<EventKind, "fields">, row: object): Plain {
  const fields: Record<string, unknown> = {};
  for (const { name, letter } of kind.fields) {
    const value = (row as Plain)[name];
    fields[name] = value;
    if (letter !== "d") continue;
    fields[name] = value === undefined ? value : value === "" ? NaN : Number(value);
    fields[`${name}Text`] = value;
  }
  return fields;
}
