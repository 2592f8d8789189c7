// https://docs.cdp.coinbase.com/api-reference/exchange-api/rest-api/products/get-all-known-trading-pairs
import { canonicalDecimal } from "@tickwire/proto/model";
import { z } from "zod";
import type { Instrument } from "#core/instrument.ts";

const productSchema = z.object({
  id: z.string(),
  base_currency: z.string().regex(/^[A-Za-z0-9.]+$/),
  quote_currency: z.string().regex(/^[A-Za-z0-9.]+$/),
  quote_increment: z.string().optional(),
  base_increment: z.string().optional(),
  status: z.string().optional(),
});

/**
 * Reads a list of products; undefined if the body is not one. Delisted products and names that
 * cannot be part of a symbol are left out and counted.
 */
export function parseProducts(
  body: string,
): { readonly instruments: readonly Instrument[]; readonly skipped: number } | undefined {
  let products: unknown;
  try {
    products = JSON.parse(body);
  } catch {
    return undefined;
  }
  if (!Array.isArray(products)) return undefined;
  const bySymbol = new Map<string, Instrument>();
  for (const product of products) {
    const parsed = productSchema.safeParse(product);
    if (!parsed.success || parsed.data.status === "delisted") continue;
    const { id, base_currency: base, quote_currency: quote } = parsed.data;
    const priceIncrement = canonicalDecimal(parsed.data.quote_increment ?? "");
    const sizeIncrement = canonicalDecimal(parsed.data.base_increment ?? "");
    const instrument = spot({ venueSymbol: id, base, quote });
    if (bySymbol.has(instrument.symbol)) continue;
    bySymbol.set(instrument.symbol, {
      ...instrument,
      ...(priceIncrement === undefined ? {} : { priceIncrement }),
      ...(sizeIncrement === undefined ? {} : { sizeIncrement }),
    });
  }
  return { instruments: [...bySymbol.values()], skipped: products.length - bySymbol.size };
}

/** An instrument from its product id alone; undefined if it is none. */
export function deriveProduct(venueSymbol: string): Instrument | undefined {
  const parts = /^([A-Z0-9]+)-([A-Z0-9]+)$/.exec(venueSymbol);
  const [, base, quote] = parts ?? [];
  if (base === undefined || quote === undefined) return undefined;
  return spot({ venueSymbol, base, quote });
}

function spot(names: { venueSymbol: string; base: string; quote: string }): Instrument {
  const { venueSymbol, base, quote } = names;
  return {
    venue: "coinbase",
    symbol: `${base}-${quote}`,
    venueSymbol,
    kind: "spot",
    base,
    quote,
    settle: quote,
    inverse: false,
  };
}
