// https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/info-endpoint/perpetuals
// https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/info-endpoint/spot
import { z } from "zod";
import type { Instrument } from "#core/instrument.ts";
import {
  incrementsOf,
  type InstrumentList,
  listInstruments,
  spotPair,
} from "../../reading/listed-instruments.ts";
import { parseJson } from "../../reading/text-fields.ts";
import { hyperliquidQuote } from "./rest.ts";

const VENUE = "hyperliquid";

/** What the perpetuals of the venue's own exchange are priced and paid in. */
const PERPETUAL_QUOTE = "USDC";

/** Names are the venue's own, lower-case letters included: `kPEPE` is a thousand PEPE. */
const ASSET = /^[\p{L}\p{N}._]+$/u;

/** What an exchange that somebody runs on the venue lists: `xyz:TSLA`. */
const BUILDER_COIN = /^([A-Za-z0-9]{1,16}):(.+)$/;

const perpetualsSchema = z.object({
  universe: z.array(z.unknown()),
  collateralToken: z.number().int().min(0).optional().catch(undefined),
});

const perpetualSchema = z.object({
  name: z.string(),
  szDecimals: z.number().int().min(0).max(32),
  isDelisted: z.boolean().optional().catch(undefined),
});

const spotSchema = z.object({ tokens: z.array(z.unknown()), universe: z.array(z.unknown()) });

const tokenSchema = z.object({
  name: z.string().regex(ASSET),
  index: z.number().int().min(0),
  szDecimals: z.number().int().min(0).max(32),
});

const pairSchema = z.object({
  name: z.string().regex(/^(@\d+|[^\s@]+\/[^\s@]+)$/),
  tokens: z.tuple([z.number().int(), z.number().int()]),
});

/**
 * Reads any of the lists; undefined if the body is none. Left out and counted: what is delisted,
 * pairs whose symbol another one has, since names of spot tokens are not unique for ever, and
 * exchanges of others whose quote asset is not known.
 */
export function parseHyperliquidInstruments(body: string, url: string): InstrumentList | undefined {
  const json = parseJson(body);
  // The names of exchanges, whose lists follow.
  if (Array.isArray(json)) return { instruments: [], skipped: 0 };
  const spot = spotSchema.safeParse(json);
  if (spot.success) return listInstruments(spot.data.universe, pairReader(spot.data.tokens));
  const perpetuals = perpetualsSchema.safeParse(json);
  if (!perpetuals.success) return undefined;
  const { universe, collateralToken = 0 } = perpetuals.data;
  const quote = hyperliquidQuote(url, collateralToken);
  return listInstruments(universe, (entry) => toPerpetual(entry, quote));
}

function toPerpetual(entry: unknown, builderQuote: string | undefined): Instrument | undefined {
  const parsed = perpetualSchema.safeParse(entry);
  if (!parsed.success || parsed.data.isDelisted === true) return undefined;
  const { name, szDecimals } = parsed.data;
  const instrument = BUILDER_COIN.test(name) ? builderPerpetual(name, builderQuote) : own(name);
  return instrument === undefined ? undefined : { ...instrument, ...sizeStep(szDecimals) };
}

/** A perpetual of the venue's own exchange. */
function own(name: string): Instrument | undefined {
  return ASSET.test(name) ? perpetual(name) : undefined;
}

/** One of an exchange that somebody runs; its name stands behind the pair: `TSLA-USDC_xyz-PERP`. */
function builderPerpetual(name: string, quote: string | undefined): Instrument | undefined {
  const [, dex = "", base = ""] = BUILDER_COIN.exec(name) ?? [];
  if (quote === undefined || !ASSET.test(base)) return undefined;
  const symbol = `${base}-${quote}_${dex}-PERP`;
  return { ...perpetual(name), symbol, base, quote, settle: quote };
}

function pairReader(tokens: readonly unknown[]): (entry: unknown) => Instrument | undefined {
  const byIndex = new Map<number, z.infer<typeof tokenSchema>>();
  for (const token of tokens) {
    const parsed = tokenSchema.safeParse(token);
    if (parsed.success) byIndex.set(parsed.data.index, parsed.data);
  }
  return (entry) => {
    const parsed = pairSchema.safeParse(entry);
    if (!parsed.success) return undefined;
    const [base, quote] = parsed.data.tokens.map((index) => byIndex.get(index));
    if (base === undefined || quote === undefined) return undefined;
    return { ...pair(parsed.data.name, base.name, quote.name), ...sizeStep(base.szDecimals) };
  };
}

/** Prices have five significant figures, so that their step moves with the price: none is given. */
function sizeStep(decimals: number): Pick<Instrument, "sizeIncrement"> {
  return incrementsOf({ size: `1e-${decimals}` });
}

/**
 * The same instrument as in the list, without its step. Undefined for pairs that only have a number
 * (`@107`), and for exchanges that others run on the venue (`xyz:TSLA`), whose quote asset the name
 * does not say.
 */
export function deriveHyperliquidInstrument(venueSymbol: string): Instrument | undefined {
  const [base, quote, ...rest] = venueSymbol.split("/");
  if (base === undefined || !ASSET.test(base) || rest.length > 0) return undefined;
  if (quote === undefined) return perpetual(base);
  return ASSET.test(quote) ? pair(venueSymbol, base, quote) : undefined;
}

function perpetual(coin: string): Instrument {
  return {
    venue: VENUE,
    symbol: `${coin}-${PERPETUAL_QUOTE}-PERP`,
    venueSymbol: coin,
    kind: "perpetual",
    base: coin,
    quote: PERPETUAL_QUOTE,
    settle: PERPETUAL_QUOTE,
    inverse: false,
    sizeUnit: "base",
  };
}

function pair(venueSymbol: string, base: string, quote: string): Instrument {
  return { ...spotPair(VENUE, venueSymbol, { base, quote }), sizeUnit: "base" };
}
