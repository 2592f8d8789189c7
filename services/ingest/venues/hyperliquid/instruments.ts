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

const VENUE = "hyperliquid";

/** What the perpetuals of the venue's own exchange are priced and paid in. */
const PERPETUAL_QUOTE = "USDC";

/** Names are the venue's own, lower-case letters included: `kPEPE` is a thousand PEPE. */
const ASSET = /^[\p{L}\p{N}._]+$/u;

const perpetualsSchema = z.object({ universe: z.array(z.unknown()) });

const perpetualSchema = z.object({
  name: z.string().regex(ASSET),
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
 * Reads either list; undefined if the body is neither. Left out and counted: what is delisted, and
 * pairs whose symbol another one has, since names of spot tokens are not unique for ever.
 */
export function parseHyperliquidInstruments(body: string): InstrumentList | undefined {
  const json = parseJson(body);
  const spot = spotSchema.safeParse(json);
  if (spot.success) return listInstruments(spot.data.universe, pairReader(spot.data.tokens));
  const perpetuals = perpetualsSchema.safeParse(json);
  return perpetuals.success ? listInstruments(perpetuals.data.universe, toPerpetual) : undefined;
}

function toPerpetual(entry: unknown): Instrument | undefined {
  const parsed = perpetualSchema.safeParse(entry);
  if (!parsed.success || parsed.data.isDelisted === true) return undefined;
  return { ...perpetual(parsed.data.name), ...sizeStep(parsed.data.szDecimals) };
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
 * (`@107`), and for exchanges that others run on the venue (`dex:COIN`).
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
