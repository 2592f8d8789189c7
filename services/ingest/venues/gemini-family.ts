// What both of Gemini's public feeds share: how pairs are named and listed.
// https://docs.gemini.com/rest/market-data (GET /v1/symbols)
import { z } from "zod";
import type { Instrument } from "#core/instrument.ts";
import type { FeedEndpoints, RestRequest } from "../feed/feed-adapter.ts";
import { parseJson } from "./text-fields.ts";

/** How a feed writes a pair that REST lists as `btcusd`. */
export type GeminiNaming = {
  readonly venue: string;
  readonly venueSymbolOf: (listed: string) => string;
};

/** The assets that pairs are quoted in, longer names before those that they end in. */
const QUOTES = "rlusd gusd usdt usdc usd eur gbp sgd dai btc eth bch ltc fil".split(" ");

/** Bases of pairs in GUSD have at least so many letters: `mogusd` is MOG in USD. */
const GUSD_BASE_LENGTH_MIN = 3;

const listSchema = z.array(z.unknown());

/** The request that lists pairs. What is known of each has a page of its own: too many requests. */
export function geminiSymbolsRequest(endpoints: FeedEndpoints): RestRequest {
  return { url: `${endpoints.rest.replace(/\/+$/, "")}/v1/symbols`, weight: 1 };
}

export function isGeminiSymbolsUrl(url: string): boolean {
  return /\/v1\/symbols\/?(\?|$)/.test(url);
}

/**
 * Reads a list of symbols; undefined if the body is not one. Pairs in an asset that is not known as
 * one are left out and counted.
 */
export function parseGeminiSymbols(
  body: string,
  naming: GeminiNaming,
): { readonly instruments: readonly Instrument[]; readonly skipped: number } | undefined {
  const list = listSchema.safeParse(parseJson(body));
  if (!list.success) return undefined;
  const bySymbol = new Map<string, Instrument>();
  for (const listed of list.data) {
    if (typeof listed !== "string") continue;
    const instrument = deriveGeminiInstrument(naming.venueSymbolOf(listed), naming);
    if (instrument === undefined || bySymbol.has(instrument.symbol)) continue;
    bySymbol.set(instrument.symbol, instrument);
  }
  return { instruments: [...bySymbol.values()], skipped: list.data.length - bySymbol.size };
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
  const quote = quoteText.toUpperCase();
  return {
    venue,
    symbol: isPerpetual ? `${base}-${quote}-PERP` : `${base}-${quote}`,
    venueSymbol,
    kind: isPerpetual ? "perpetual" : "spot",
    base,
    quote,
    settle: quote,
    inverse: false,
  };
}

function isPairIn(pair: string, quote: string): boolean {
  const length = pair.length - quote.length;
  return pair.endsWith(quote) && length >= (quote === "gusd" ? GUSD_BASE_LENGTH_MIN : 1);
}
