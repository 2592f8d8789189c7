// https://docs.upbit.com/kr/reference/list-trading-pairs
import { z } from "zod";
import type { Instrument } from "#core/instrument.ts";
import {
  type InstrumentList,
  listInstruments,
  spotPair,
} from "../../reading/listed-instruments.ts";
import { parseJson } from "../../reading/text-fields.ts";

const ASSET = /^[\p{L}\p{N}]{1,32}$/u;

const marketSchema = z.object({ market: z.string() });

/**
 * Reads the list of markets of a venue of this kind; undefined if the body is none. Steps of prices
 * depend on the price, and are not listed.
 */
export function parseMarkets(venue: string, body: string): InstrumentList | undefined {
  const list = z.array(z.unknown()).safeParse(parseJson(body));
  if (!list.success) return undefined;
  return listInstruments(list.data, (entry) => {
    const parsed = marketSchema.safeParse(entry);
    return parsed.success ? deriveMarket(venue, parsed.data.market) : undefined;
  });
}

/** A market from its name alone, in which the quote asset comes first: `KRW-BTC`. */
export function deriveMarket(venue: string, venueSymbol: string): Instrument | undefined {
  const [quote = "", base = "", ...others] = venueSymbol.split("-");
  if (others.length > 0 || !ASSET.test(base) || !ASSET.test(quote)) return undefined;
  return spotPair(venue, venueSymbol, { base, quote });
}
