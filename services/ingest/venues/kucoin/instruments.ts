// What KuCoin lists on spot.
// https://www.kucoin.com/docs-new/rest/spot-trading/market-data/get-all-symbols
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
export const KUCOIN = "kucoin";

/** The venue has a flag and no words. */
const ENABLED = "enableTrading";
const DISABLED = "trading not enabled";

const STATES: StateWords = { [ENABLED]: "trading", [DISABLED]: "halted" };

/** Of pairs that are halted, not opened yet, or ended. */
const PAUSED: ReadonlySet<string> = new Set([DISABLED]);

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
export function parseKucoinSymbols(body: string): InstrumentList | undefined {
  const list = listSchema.safeParse(parseJson(body));
  return list.success ? listInstruments(list.data.data, pairOf, PAUSED) : undefined;
}

function pairOf(entry: unknown): Instrument | undefined {
  const parsed = symbolSchema.safeParse(entry);
  if (!parsed.success) return undefined;
  const { symbol, quoteCurrency, priceIncrement: price, baseIncrement: size } = parsed.data;
  const pair = deriveKucoinPair(symbol);
  if (pair?.quote !== quoteCurrency) return undefined;
  const word = parsed.data.enableTrading ? ENABLED : DISABLED;
  return { ...pair, ...incrementsOf({ price, size }), ...stateOfWord(STATES, word) };
}

/** A pair from its name alone. */
export function deriveKucoinPair(venueSymbol: string): Instrument | undefined {
  const [base = "", quote = "", ...rest] = venueSymbol.split("-");
  if (rest.length > 0 || !ASSET.test(base) || !ASSET.test(quote)) return undefined;
  return spotPair(KUCOIN, venueSymbol, { base, quote });
}
