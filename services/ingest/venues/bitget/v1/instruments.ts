// https://bitgetlimited.github.io/apidoc/en/spot/#get-symbols
// https://bitgetlimited.github.io/apidoc/en/mix/#get-all-symbols
import { canonicalDecimal } from "@tickwire/proto/model";
import { z } from "zod";
import type { Instrument } from "#core/instrument.ts";
import type { FeedAdapter } from "../../../feed/feed-adapter.ts";
import { parseJson } from "../../../reading/text-fields.ts";

/** The feed's names of its two parts, in lower case as its messages write them. */
export const SPOT_MARKET = "sp";
export const MIX_MARKET = "mc";

const VENUE = "bitget-v1";
const ASSET = /^[\p{L}\p{N}._]+$/u;
const SPOT_QUOTES = ["USDT", "USDC", "BTC", "ETH"];

/** Contracts margined in USDT, in coins, in USDC. */
const PRODUCT_TYPES = ["umcbl", "dmcbl", "cmcbl"];

const listSchema = z.object({ data: z.array(z.unknown()) });
const placesSchema = z.string().regex(/^\d{1,2}$/);
const nameSchema = z.string().regex(ASSET);

const spotSchema = z.object({
  symbolName: nameSchema,
  baseCoin: nameSchema,
  quoteCoin: nameSchema,
  priceScale: placesSchema,
  quantityScale: placesSchema,
  status: z.string().optional(),
});

const contractSchema = z.object({
  symbol: z.string(),
  baseCoin: nameSchema,
  quoteCoin: nameSchema,
  priceEndStep: z.string().regex(/^\d+$/),
  pricePlace: placesSchema,
  volumePlace: placesSchema,
});

/** The requests for spot pairs and for each type of contracts. */
export const bitgetV1InstrumentsRequests: FeedAdapter["instrumentsRequests"] = ({ rest }) => {
  const contracts = PRODUCT_TYPES.map(
    (type) => `${rest}/api/mix/v1/market/contracts?productType=${type}`,
  );
  return [`${rest}/api/spot/v1/public/products`, ...contracts].map((url) => ({ url, weight: 1 }));
};

/**
 * Reads either list; undefined if the body is not one. Pairs that are offline, dated contracts and
 * names that another instrument has are left out and counted.
 */
export const parseBitgetV1Instruments: FeedAdapter["parseInstruments"] = (body) => {
  const list = listSchema.safeParse(parseJson(body));
  if (!list.success) return undefined;
  const bySymbol = new Map<string, Instrument>();
  for (const entry of list.data.data) {
    const instrument = toSpot(entry) ?? toContract(entry);
    if (instrument === undefined || bySymbol.has(instrument.symbol)) continue;
    bySymbol.set(instrument.symbol, instrument);
  }
  const instruments = [...bySymbol.values()];
  return { instruments, skipped: list.data.data.length - instruments.length };
};

function toSpot(entry: unknown): Instrument | undefined {
  const parsed = spotSchema.safeParse(entry);
  if (!parsed.success || parsed.data.status === "offline") return undefined;
  const { symbolName, baseCoin, quoteCoin, priceScale, quantityScale } = parsed.data;
  return {
    ...spot(symbolName, baseCoin, quoteCoin),
    ...increments(`1e-${priceScale}`, `1e-${quantityScale}`),
  };
}

function toContract(entry: unknown): Instrument | undefined {
  const parsed = contractSchema.safeParse(entry);
  if (!parsed.success) return undefined;
  const { symbol, baseCoin, quoteCoin, priceEndStep, pricePlace, volumePlace } = parsed.data;
  const [, venueSymbol, type] = /^([^_]+)_(UMCBL|DMCBL|CMCBL)$/.exec(symbol) ?? [];
  if (venueSymbol === undefined) return undefined;
  const settle = type === "DMCBL" ? baseCoin : type === "CMCBL" ? "USDC" : quoteCoin;
  const quote = type === "CMCBL" ? "USDC" : quoteCoin;
  return {
    ...perpetual(venueSymbol, { base: baseCoin, quote, settle }),
    ...increments(`${priceEndStep}e-${pricePlace}`, `1e-${volumePlace}`),
  };
}

/** The same instrument as in the list, without increments; undefined if the name is not of one. */
export function deriveBitgetV1Instrument(
  venueSymbol: string,
  venueMarket?: string,
): Instrument | undefined {
  if (!ASSET.test(venueSymbol)) return undefined;
  if (venueMarket === SPOT_MARKET) {
    const quote = SPOT_QUOTES.find((asset) => isPairWith(venueSymbol, asset));
    return quote === undefined
      ? undefined
      : spot(venueSymbol, venueSymbol.slice(0, -quote.length), quote);
  }
  if (venueMarket !== MIX_MARKET || venueSymbol.includes("_")) return undefined;
  for (const ending of ["USDT", "USD", "PERP"]) {
    if (!isPairWith(venueSymbol, ending)) continue;
    const base = venueSymbol.slice(0, -ending.length);
    const quote = ending === "PERP" ? "USDC" : ending;
    return perpetual(venueSymbol, { base, quote, settle: ending === "USD" ? base : quote });
  }
  return undefined;
}

function isPairWith(venueSymbol: string, quote: string): boolean {
  return venueSymbol.endsWith(quote) && venueSymbol !== quote;
}

function spot(venueSymbol: string, base: string, quote: string): Instrument {
  return {
    venue: VENUE,
    symbol: `${base}-${quote}`,
    venueSymbol,
    venueMarket: SPOT_MARKET,
    kind: "spot",
    base,
    quote,
    settle: quote,
    inverse: false,
    sizeUnit: "base",
  };
}

/** Sizes count the base asset whatever the margin is paid in, so that none is inverse. */
function perpetual(
  venueSymbol: string,
  assets: { readonly base: string; readonly quote: string; readonly settle: string },
): Instrument {
  return {
    venue: VENUE,
    symbol: `${assets.base}-${assets.quote}-PERP`,
    venueSymbol,
    venueMarket: MIX_MARKET,
    kind: "perpetual",
    ...assets,
    inverse: false,
    sizeUnit: "base",
  };
}

function increments(
  price: string,
  size: string,
): Pick<Instrument, "priceIncrement" | "sizeIncrement"> {
  const priceIncrement = canonicalDecimal(price);
  const sizeIncrement = canonicalDecimal(size);
  return {
    ...(priceIncrement === undefined || priceIncrement === "0" ? {} : { priceIncrement }),
    ...(sizeIncrement === undefined ? {} : { sizeIncrement }),
  };
}
