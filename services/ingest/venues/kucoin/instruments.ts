// What KuCoin lists on spot.
// https://www.kucoin.com/docs-new/rest/spot-trading/market-data/get-all-symbols
import { canonicalDecimal } from "@tickwire/proto/model";
import { z } from "zod";
import type { Instrument } from "#core/instrument.ts";

/** The id of the venue. */
export const KUCOIN = "kucoin";

const listSchema = z.object({ data: z.array(z.unknown()) });

const symbolSchema = z.object({
  symbol: z.string(),
  quoteCurrency: z.string(),
  priceIncrement: z.string(),
  baseIncrement: z.string(),
  enableTrading: z.boolean(),
});

const ASSET = /^[\p{L}\p{N}.$]{1,32}$/u;

/**
 * Reads the list of pairs; undefined if the body is none. Left out and counted: pairs that do not
 * trade or that are not read. The base stays the code in the pair's symbol, which the venue
 * keeps when it renames an asset (`BCHSV-USDT`, whose base it lists as BSV), so that a pair has one
 * name with the list and without it.
 */
export function parseKucoinSymbols(
  body: string,
): { readonly instruments: readonly Instrument[]; readonly skipped: number } | undefined {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return undefined;
  }
  const list = listSchema.safeParse(json);
  if (!list.success) return undefined;
  const bySymbol = new Map<string, Instrument>();
  for (const entry of list.data.data) {
    const parsed = symbolSchema.safeParse(entry);
    if (!parsed.success || !parsed.data.enableTrading) continue;
    const { symbol, quoteCurrency, priceIncrement, baseIncrement } = parsed.data;
    const instrument = deriveKucoinPair(symbol);
    if (instrument === undefined || instrument.quote !== quoteCurrency) continue;
    if (bySymbol.has(instrument.symbol)) continue;
    bySymbol.set(instrument.symbol, {
      ...instrument,
      ...increment("priceIncrement", priceIncrement),
      ...increment("sizeIncrement", baseIncrement),
    });
  }
  return {
    instruments: [...bySymbol.values()],
    skipped: list.data.data.length - bySymbol.size,
  };
}

/** A pair from its name alone. */
export function deriveKucoinPair(venueSymbol: string): Instrument | undefined {
  const [base = "", quote = "", ...rest] = venueSymbol.split("-");
  if (rest.length > 0 || !ASSET.test(base) || !ASSET.test(quote)) return undefined;
  return {
    venue: KUCOIN,
    symbol: venueSymbol,
    venueSymbol,
    kind: "spot",
    base,
    quote,
    settle: quote,
    inverse: false,
  };
}

function increment(
  name: "priceIncrement" | "sizeIncrement",
  text: string,
): Partial<Pick<Instrument, "priceIncrement" | "sizeIncrement">> {
  const value = canonicalDecimal(text);
  return value === undefined || value === "0" ? {} : { [name]: value };
}
