// How pairs are named and listed, which both of Gemini's public feeds share.
// https://docs.gemini.com/rest/market-data (GET /v1/symbols, GET /v1/symbols/details/:symbol)
import { z } from "zod";
import type { Instrument } from "#core/instrument.ts";
import { asJsonArray, asJsonObject, parseJsonText } from "#core/json-text.ts";
import { type StateWords, stateOfWord } from "../../reading/instrument-words.ts";
import {
  incrementsOf,
  type InstrumentList,
  listInstruments,
  spotPair,
} from "../../reading/listed-instruments.ts";

/** How a feed writes a pair that REST lists as `btcusd`. */
export type GeminiNaming = {
  readonly venue: string;
  readonly venueSymbolOf: (listed: string) => string;
};

/** The assets that pairs are quoted in, longer names before those that they end in. */
const QUOTES = "rlusd gusd usdt usdc usd eur gbp sgd dai btc eth bch ltc fil sol".split(" ");

/** Bases of pairs in GUSD have at least so many letters. */
const GUSD_BASE_LENGTH_MIN = 2;

/** Bases that end in a G and are sold for USD: `paxgusd` is PAXG in USD, not PAX in GUSD. */
const USD_PAIRS_LIKE_GUSD = new Set(["paxgusd", "wcfgusd", "mogusd", "dogusd"]);

const GEMINI_STATES: StateWords = {
  open: "trading",
  closed: "closed",
  cancel_only: "cancel-only",
  post_only: "post-only",
  limit_only: "limit-only",
};

/** Of pairs that are halted, and of those that ended. */
const PAUSED: ReadonlySet<string> = new Set(["closed"]);

/** Of one pair. Numbers are texts here, so that a step of 1E-8 is read as it is written. */
const detailsSchema = z.object({
  symbol: z.string().regex(/^[A-Za-z0-9]+$/),
  base_currency: z.string().regex(/^[A-Za-z0-9]+$/),
  quote_currency: z.string().regex(/^[A-Za-z0-9]+$/),
  tick_size: z.string().nullish().catch(undefined),
  quote_increment: z.string().nullish().catch(undefined),
  status: z.string().nullish().catch(undefined),
  product_type: z.string().nullish().catch(undefined),
  contract_type: z.string().nullish().catch(undefined),
});

/**
 * Reads a list of symbols, or the details of one or many; undefined if the body is neither. Pairs
 * in an asset that is not known as one are left out of a list and counted.
 */
export function parseGeminiSymbols(body: string, naming: GeminiNaming): InstrumentList | undefined {
  const json = parseJsonText(body);
  const one = asJsonObject(json);
  if (one !== undefined && !detailsSchema.safeParse(one).success) return undefined;
  const entries = one === undefined ? asJsonArray(json) : [one];
  if (entries === undefined) return undefined;
  const read = (entry: unknown): Instrument | undefined =>
    typeof entry === "string"
      ? deriveGeminiInstrument(naming.venueSymbolOf(entry), naming)
      : instrumentOfDetails(entry, naming);
  return listInstruments(entries, read, PAUSED);
}

/**
 * `tick_size` is the step of sizes, `quote_increment` that of prices. Of contracts only linear ones
 * are known: what one of another type is worth is nowhere written, so it is left out.
 */
function instrumentOfDetails(
  entry: unknown,
  { venue, venueSymbolOf }: GeminiNaming,
): Instrument | undefined {
  const details = detailsSchema.safeParse(entry);
  if (!details.success) return undefined;
  const { status, product_type: product, contract_type: contract } = details.data;
  const { quote_increment: price, tick_size: size } = details.data;
  const listed = details.data.symbol.toLowerCase();
  const isPerpetual = product === "swap" || listed.endsWith("perp");
  if (contract?.toLowerCase() === "inverse") return undefined;
  const base = details.data.base_currency.toUpperCase();
  const quote = details.data.quote_currency.toUpperCase();
  return {
    ...instrumentOf(venue, venueSymbolOf(listed), { base, quote, isPerpetual }),
    ...incrementsOf({ price: price ?? "", size: size ?? "" }),
    ...stateOfWord(GEMINI_STATES, status?.toLowerCase()),
  };
}

/** An instrument from its symbol alone (`btcusd`, `btcgusdperp`); undefined if it is none. */
export function deriveGeminiInstrument(
  venueSymbol: string,
  { venue, venueSymbolOf }: GeminiNaming,
): Instrument | undefined {
  const text = venueSymbol.toLowerCase();
  if (!/^[a-z0-9]+$/.test(text) || venueSymbolOf(text) !== venueSymbol) return undefined;
  const isPerpetual = text.endsWith("perp");
  const pair = isPerpetual ? text.slice(0, -"perp".length) : text;
  const quoteText = QUOTES.find((quote) => isPairIn(pair, quote));
  if (quoteText === undefined) return undefined;
  const base = pair.slice(0, -quoteText.length).toUpperCase();
  return instrumentOf(venue, venueSymbol, { base, quote: quoteText.toUpperCase(), isPerpetual });
}

/** One contract is one unit of the base, which is what sizes count. */
function instrumentOf(
  venue: string,
  venueSymbol: string,
  names: { readonly base: string; readonly quote: string; readonly isPerpetual: boolean },
): Instrument {
  const pair = spotPair(venue, venueSymbol, names);
  if (!names.isPerpetual) return pair;
  const symbol = `${pair.symbol}-PERP`;
  return { ...pair, symbol, kind: "perpetual", contractSize: "1", sizeUnit: "base" };
}

function isPairIn(pair: string, quote: string): boolean {
  if (quote === "gusd" && USD_PAIRS_LIKE_GUSD.has(pair)) return false;
  const length = pair.length - quote.length;
  return pair.endsWith(quote) && length >= (quote === "gusd" ? GUSD_BASE_LENGTH_MIN : 1);
}
