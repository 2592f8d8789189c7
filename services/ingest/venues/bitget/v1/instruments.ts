// https://bitgetlimited.github.io/apidoc/en/spot/#get-symbols
// https://bitgetlimited.github.io/apidoc/en/mix/#get-all-symbols
import { z } from "zod";
import type { Instrument } from "#core/instrument.ts";
import type { FeedAdapter } from "../../../feed/feed-adapter.ts";
import { type StateWords, stateOfWord } from "../../../reading/instrument-words.ts";
import {
  incrementsOf,
  type InstrumentList,
  listInstruments,
  spotPair,
} from "../../../reading/listed-instruments.ts";
import { parseJson } from "../../../reading/text-fields.ts";
import { type Assets, assetsOf } from "../instruments.ts";

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

const STATES: StateWords = { online: "trading", gray: "trading", halt: "halted" };

const spotSchema = z.object({
  symbolName: nameSchema,
  baseCoin: nameSchema,
  quoteCoin: nameSchema,
  priceScale: placesSchema,
  quantityScale: placesSchema,
  status: z.string().optional().catch(undefined),
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
export function parseBitgetV1Instruments(body: string): InstrumentList | undefined {
  const list = listSchema.safeParse(parseJson(body));
  if (!list.success) return undefined;
  return listInstruments(list.data.data, (entry) => toSpot(entry) ?? toContract(entry));
}

function toSpot(entry: unknown): Instrument | undefined {
  const parsed = spotSchema.safeParse(entry);
  if (!parsed.success || parsed.data.status === "offline") return undefined;
  const { symbolName, baseCoin: base, quoteCoin: quote, priceScale, quantityScale } = parsed.data;
  return {
    ...spot(symbolName, { base, quote }),
    ...incrementsOf({ price: `1e-${priceScale}`, size: `1e-${quantityScale}` }),
    ...stateOfWord(STATES, parsed.data.status),
  };
}

function toContract(entry: unknown): Instrument | undefined {
  const parsed = contractSchema.safeParse(entry);
  if (!parsed.success) return undefined;
  const { symbol, baseCoin: base, quoteCoin, priceEndStep, pricePlace, volumePlace } = parsed.data;
  const [, venueSymbol, type] = /^([^_]+)_(UMCBL|DMCBL|CMCBL)$/.exec(symbol) ?? [];
  if (venueSymbol === undefined) return undefined;
  const quote = type === "CMCBL" ? "USDC" : quoteCoin;
  return {
    ...perpetual(venueSymbol, { base, quote }, type === "DMCBL" ? base : quote),
    ...incrementsOf({ price: `${priceEndStep}e-${pricePlace}`, size: `1e-${volumePlace}` }),
  };
}

/** The same instrument as in the list, without increments; undefined if the name is not of one. */
export function deriveBitgetV1Instrument(
  venueSymbol: string,
  venueMarket?: string,
): Instrument | undefined {
  if (!ASSET.test(venueSymbol)) return undefined;
  if (venueMarket === SPOT_MARKET) {
    const assets = assetsOf(venueSymbol, SPOT_QUOTES);
    return assets === undefined ? undefined : spot(venueSymbol, assets);
  }
  if (venueMarket !== MIX_MARKET || venueSymbol.includes("_")) return undefined;
  const named = assetsOf(venueSymbol, ["USDT", "USD", "PERP"]);
  if (named === undefined) return undefined;
  const { base } = named;
  const quote = named.quote === "PERP" ? "USDC" : named.quote;
  return perpetual(venueSymbol, { base, quote }, quote === "USD" ? base : quote);
}

function spot(venueSymbol: string, assets: Assets): Instrument {
  const pair = spotPair(VENUE, venueSymbol, assets);
  return { ...pair, venueMarket: SPOT_MARKET, sizeUnit: "base" };
}

/** Sizes count the base asset whatever the margin is paid in, so that none is inverse. */
function perpetual(venueSymbol: string, assets: Assets, settle: string): Instrument {
  return {
    ...spotPair(VENUE, venueSymbol, assets),
    symbol: `${assets.base}-${assets.quote}-PERP`,
    venueMarket: MIX_MARKET,
    kind: "perpetual",
    settle,
    sizeUnit: "base",
  };
}
