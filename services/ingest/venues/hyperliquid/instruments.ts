// https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/info-endpoint/perpetuals
// https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/info-endpoint/spot
import { canonicalDecimal } from "@tickwire/proto/model";
import { z } from "zod";
import type { Instrument } from "#core/instrument.ts";
import type { FeedAdapter } from "../../feed/feed-adapter.ts";
import { parseJson } from "../../reading/text-fields.ts";

const VENUE = "hyperliquid";

/** What the perpetuals of the venue's own exchange are priced and paid in. */
const PERPETUAL_QUOTE = "USDC";

/** Names are the venue's own, lower-case letters included: `kPEPE` is a thousand PEPE. */
const ASSET = /^[\p{L}\p{N}._]+$/u;

/** Of 1,200 a minute, lists and trades cost this much. */
export const HYPERLIQUID_INFO_WEIGHT = 20;

const perpetualsSchema = z.object({ universe: z.array(z.unknown()) });

const perpetualSchema = z.object({
  name: z.string().regex(ASSET),
  szDecimals: z.number().int().min(0).max(32),
  isDelisted: z.boolean().optional(),
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

type InstrumentList = ReturnType<FeedAdapter["parseInstruments"]>;

/** Perpetuals and spot pairs, told apart by the body of the request alone. */
export const hyperliquidInstrumentsRequests: FeedAdapter["instrumentsRequests"] = ({ rest }) =>
  ["meta", "spotMeta"].map((type) => ({
    url: `${rest}/info`,
    weight: HYPERLIQUID_INFO_WEIGHT,
    method: "POST",
    body: JSON.stringify({ type }),
  }));

/**
 * Reads either list; undefined if the body is neither. Left out and counted: what is delisted, and
 * pairs whose symbol another one has, since names of spot tokens are not unique for ever.
 */
export const parseHyperliquidInstruments: FeedAdapter["parseInstruments"] = (body) => {
  const json = parseJson(body);
  const spot = spotSchema.safeParse(json);
  if (spot.success) return distinct(spot.data.universe, pairReader(spot.data.tokens));
  const perpetuals = perpetualsSchema.safeParse(json);
  return perpetuals.success ? distinct(perpetuals.data.universe, toPerpetual) : undefined;
};

function distinct(
  entries: readonly unknown[],
  read: (entry: unknown) => Instrument | undefined,
): InstrumentList {
  const bySymbol = new Map<string, Instrument>();
  for (const entry of entries) {
    const instrument = read(entry);
    if (instrument === undefined || bySymbol.has(instrument.symbol)) continue;
    bySymbol.set(instrument.symbol, instrument);
  }
  return { instruments: [...bySymbol.values()], skipped: entries.length - bySymbol.size };
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
  const sizeIncrement = canonicalDecimal(`1e-${decimals}`);
  return sizeIncrement === undefined ? {} : { sizeIncrement };
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
  return {
    venue: VENUE,
    symbol: `${base}-${quote}`,
    venueSymbol,
    kind: "spot",
    base,
    quote,
    settle: quote,
    inverse: false,
    sizeUnit: "base",
  };
}
