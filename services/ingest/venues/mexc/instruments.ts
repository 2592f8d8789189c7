// https://www.mexc.com/api-docs/spot-v3/market-data-endpoints#exchange-information
import { z } from "zod";
import type { Instrument } from "#core/instrument.ts";
import { type StateWords, stateOfWord } from "../../reading/instrument-words.ts";
import {
  incrementsOf,
  type InstrumentList,
  listInstruments,
  spotPair,
} from "../../reading/listed-instruments.ts";
import { parseJson } from "../../reading/text-fields.ts";

/** The id of the venue. */
export const MEXC = "mexc";

/** Some listings have names outside of ASCII. */
const ASSET = /^[\p{L}\p{N}._]{1,32}$/u;

/** For splitting a symbol that no list explains; the longest that fits. */
const QUOTE_ASSETS = "USDT USDC USDE USD1 TUSD USDF BTC ETH EUR BRL".split(" ");

/** `status`; what is offline (3) is left out. */
const STATES: StateWords = { "1": "trading", "2": "halted" };
const PAUSED: ReadonlySet<string> = new Set(["2"]);

const listSchema = z.object({ symbols: z.array(z.unknown()) });

const decimals = z.number().int().min(0).max(32).optional().catch(undefined);

const symbolSchema = z.object({
  symbol: z.string().min(1),
  status: z.string(),
  baseAsset: z.string().regex(ASSET),
  quoteAsset: z.string().regex(ASSET),
  baseAssetPrecision: decimals,
  quotePrecision: decimals,
});

/** Reads `exchangeInfo`; undefined if the body is none. Pairs that are not online are left out. */
export function parseMexcSymbols(body: string): InstrumentList | undefined {
  const list = listSchema.safeParse(parseJson(body));
  return list.success ? listInstruments(list.data.symbols, pairOf, PAUSED) : undefined;
}

function pairOf(entry: unknown): Instrument | undefined {
  const parsed = symbolSchema.safeParse(entry);
  if (!parsed.success || !Object.hasOwn(STATES, parsed.data.status)) return undefined;
  const { symbol, status, baseAsset: base, quoteAsset: quote } = parsed.data;
  // What has another name could not be told without the list.
  if (symbol !== base + quote) return undefined;
  const price = stepOf(parsed.data.quotePrecision);
  const size = stepOf(parsed.data.baseAssetPrecision);
  return {
    ...spotPair(MEXC, symbol, { base, quote }),
    ...incrementsOf({ price, size }),
    ...stateOfWord(STATES, status),
  };
}

function stepOf(places: number | undefined): string | undefined {
  return places === undefined ? undefined : `1e-${places}`;
}

/** A pair from its name alone, by the quote assets that the venue is known to have. */
export function deriveMexcPair(venueSymbol: string): Instrument | undefined {
  const quote = QUOTE_ASSETS.find((asset) => venueSymbol.endsWith(asset));
  const base = quote === undefined ? "" : venueSymbol.slice(0, -quote.length);
  if (quote === undefined || !ASSET.test(base)) return undefined;
  return spotPair(MEXC, venueSymbol, { base, quote });
}
