// https://docs.cdp.coinbase.com/api-reference/exchange-api/rest-api/products/get-all-known-trading-pairs
import { z } from "zod";
import type { Instrument } from "#core/instrument.ts";
import {
  incrementsOf,
  type InstrumentList,
  listInstruments,
  spotPair,
} from "../../reading/listed-instruments.ts";
import { parseJson } from "../../reading/text-fields.ts";

const VENUE = "coinbase";

const productSchema = z.object({
  id: z.string(),
  base_currency: z.string().regex(/^[A-Za-z0-9.]+$/),
  quote_currency: z.string().regex(/^[A-Za-z0-9.]+$/),
  quote_increment: z.string().optional().catch(undefined),
  base_increment: z.string().optional().catch(undefined),
  status: z.string().optional().catch(undefined),
});

/**
 * Reads a list of products; undefined if the body is not one. Delisted products and names that
 * cannot be part of a symbol are left out and counted.
 */
export function parseProducts(body: string): InstrumentList | undefined {
  const products = parseJson(body);
  return Array.isArray(products) ? listInstruments(products, instrumentOf) : undefined;
}

function instrumentOf(product: unknown): Instrument | undefined {
  const parsed = productSchema.safeParse(product);
  if (!parsed.success || parsed.data.status === "delisted") return undefined;
  const { id, base_currency: base, quote_currency: quote } = parsed.data;
  const { quote_increment: price = "", base_increment: size = "" } = parsed.data;
  return { ...productOf(id, { base, quote }), ...incrementsOf({ price, size }) };
}

/**
 * A pair by the name of its product: an auction (`BTCAUCTION-USD`) is of the same assets as the
 * pair that it opens, and is another market.
 */
function productOf(
  id: string,
  assets: { readonly base: string; readonly quote: string },
): Instrument {
  const pair = spotPair(VENUE, id, assets);
  return deriveProduct(id) === undefined ? pair : { ...pair, symbol: id };
}

/** An instrument from its product id alone; undefined if it is none. */
export function deriveProduct(venueSymbol: string): Instrument | undefined {
  const [, base, quote] = /^([A-Z0-9]+)-([A-Z0-9]+)$/.exec(venueSymbol) ?? [];
  if (base === undefined || quote === undefined) return undefined;
  return spotPair(VENUE, venueSymbol, { base, quote });
}
