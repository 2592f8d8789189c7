// https://apidocs.bithumb.com/reference/마켓코드-조회
import { z } from "zod";
import type { Instrument } from "#core/instrument.ts";
import {
  type InstrumentList,
  listInstruments,
  spotPair,
} from "../../reading/listed-instruments.ts";
import { parseJson } from "../../reading/text-fields.ts";

/** The id of the venue. */
export const BITHUMB = "bithumb";

const ASSET = /^[\p{L}\p{N}]{1,32}$/u;

const marketSchema = z.object({ market: z.string() });

/** Reads the list of markets, which has no steps; undefined if the body is none. */
export function parseBithumbMarkets(body: string): InstrumentList | undefined {
  const list = z.array(z.unknown()).safeParse(parseJson(body));
  if (!list.success) return undefined;
  return listInstruments(list.data, (entry) => {
    const parsed = marketSchema.safeParse(entry);
    return parsed.success ? deriveBithumbMarket(parsed.data.market) : undefined;
  });
}

/** A market from its name alone, in which the quote asset comes first: `KRW-BTC`. */
export function deriveBithumbMarket(venueSymbol: string): Instrument | undefined {
  const [quote = "", base = "", ...others] = venueSymbol.split("-");
  if (others.length > 0 || !ASSET.test(base) || !ASSET.test(quote)) return undefined;
  return spotPair(BITHUMB, venueSymbol, { base, quote });
}
