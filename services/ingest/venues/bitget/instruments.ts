// https://www.bitget.com/docs/uta/public/Instruments
import { canonicalDecimal } from "@tickwire/proto/model";
import { z } from "zod";
import type { Instrument } from "#core/instrument.ts";
import type { FeedAdapter } from "../../feed/feed-adapter.ts";
import { type StateWords, stateOfWord } from "../../reading/instrument-words.ts";
import {
  incrementsOf,
  type InstrumentList,
  listInstruments,
  spotPair,
} from "../../reading/listed-instruments.ts";
import { parseJson } from "../../reading/text-fields.ts";
import { epochTimeUs, isBadTime } from "../../reading/venue-time.ts";

/** The parts of the venue as its messages name them; REST has the names in capitals. */
export const BITGET_MARKETS = ["spot", "usdt-futures", "usdc-futures", "coin-futures"] as const;

/** One of the parts of the venue. */
export type BitgetMarket = (typeof BITGET_MARKETS)[number];

const VENUE = "bitget";

/** An asset name that can be part of a symbol. Some listings have names outside ASCII. */
const ASSET = /^[\p{L}\p{N}._]+$/u;

/** Quote assets of spot, for splitting a symbol that no list explains; longer ones first. */
const SPOT_QUOTES = ["USDT", "USDC", "USDE", "USD1", "BTC", "ETH", "EUR", "BRL", "BGB"];

/** What a symbol ends with in each part of the venue where it names a perpetual. */
const PERPETUAL_ENDINGS = {
  "usdt-futures": ["USDT"],
  "usdc-futures": ["PERP"],
  // The form that replaced `BTCUSD` in September 2026.
  "coin-futures": ["USD_CM"],
} as const;

const QUOTES = { "usdt-futures": "USDT", "usdc-futures": "USDC", "coin-futures": "USD" } as const;

/** The words of spot, then those of contracts. */
const STATES: StateWords = {
  online: "trading",
  gray: "trading",
  halt: "halted",
  normal: "trading",
  listed: "pre-open",
  maintain: "maintenance",
  limit_open: "reduce-only",
};

const listSchema = z.object({ data: z.array(z.unknown()) });

const listedSchema = z.object({
  symbol: z.string().min(1),
  category: z.string(),
  baseCoin: z.string().regex(ASSET),
  quoteCoin: z.string().regex(ASSET),
  status: z.string().optional().catch(undefined),
  pricePrecision: z.string().optional().catch(undefined),
  quantityPrecision: z.string().optional().catch(undefined),
  priceMultiplier: z.string().optional().catch(undefined),
  quantityMultiplier: z.string().optional().catch(undefined),
  /** One of these says `perpetual` or `delivery`; `symbolType` may be the kind of the asset. */
  type: z.string().optional().catch(undefined),
  symbolType: z.string().optional().catch(undefined),
  deliveryTime: z.string().optional().catch(undefined),
});

/** What a symbol names. */
export type Assets = { readonly base: string; readonly quote: string };

type Listed = z.infer<typeof listedSchema>;

/** One request for each part of the venue. */
export const bitgetInstrumentsRequests: FeedAdapter["instrumentsRequests"] = ({ rest }) =>
  BITGET_MARKETS.map((market) => ({
    url: `${rest}/api/v3/market/instruments?category=${market.toUpperCase()}`,
    weight: 1,
  }));

/**
 * Reads a list of one part of the venue; undefined if the body is not one. Left out and counted:
 * what is offline, dated contracts without a date, and names that another instrument has.
 */
export function parseBitgetInstruments(body: string): InstrumentList | undefined {
  const list = listSchema.safeParse(parseJson(body));
  return list.success ? listInstruments(list.data.data, toInstrument) : undefined;
}

function toInstrument(entry: unknown): Instrument | undefined {
  const parsed = listedSchema.safeParse(entry);
  if (!parsed.success || parsed.data.status === "offline") return undefined;
  const listed = parsed.data;
  const { symbol: venueSymbol, baseCoin: base } = listed;
  const market = BITGET_MARKETS.find((known) => known === listed.category.toLowerCase());
  if (market === undefined) return undefined;
  const increments = { ...stepsOf(listed), ...stateOfWord(STATES, listed.status) };
  if (market === "spot") {
    return { ...spot(venueSymbol, { base, quote: listed.quoteCoin }), ...increments };
  }
  // The list calls the quote asset of a USDC contract USD or USDC; its margin says which contract
  // of two of a pair is meant.
  const quote = market === "usdc-futures" ? QUOTES[market] : listed.quoteCoin;
  const perpetual = contract(venueSymbol, market, { base, quote });
  const isDated = listed.type === "delivery" || listed.symbolType === "delivery";
  if (!isDated) return { ...perpetual, ...increments };
  const expiryTimeUs = epochTimeUs(listed.deliveryTime);
  if (expiryTimeUs === undefined || isBadTime(expiryTimeUs)) return undefined;
  const day = new Date(expiryTimeUs / 1000).toISOString().slice(0, 10).replaceAll("-", "");
  const symbol = `${base}-${quote}-${day}`;
  return { ...perpetual, symbol, kind: "future", expiryTimeUs, ...increments };
}

/** The multiplier is the step, the precision only says how many decimals are written. */
function stepsOf(listed: Listed): ReturnType<typeof incrementsOf> {
  const { priceMultiplier, pricePrecision, quantityMultiplier, quantityPrecision } = listed;
  return incrementsOf({
    price: stepOf(priceMultiplier, pricePrecision),
    size: stepOf(quantityMultiplier, quantityPrecision),
  });
}

function stepOf(multiplier = "", precision = ""): string {
  const step = canonicalDecimal(multiplier);
  if (step !== undefined && step !== "0") return step;
  return /^\d{1,2}$/.test(precision) ? `1e-${precision}` : "";
}

/**
 * The same instrument as in the list, without increments; undefined if the name is not of one, or
 * of a dated contract, whose day the name does not say.
 */
export function deriveBitgetInstrument(
  venueSymbol: string,
  venueMarket?: string,
): Instrument | undefined {
  const market = BITGET_MARKETS.find((known) => known === venueMarket);
  if (market === undefined || !ASSET.test(venueSymbol)) return undefined;
  if (market === "spot") {
    const assets = assetsOf(venueSymbol, SPOT_QUOTES);
    return assets === undefined ? undefined : spot(venueSymbol, assets);
  }
  const assets = assetsOf(venueSymbol, PERPETUAL_ENDINGS[market]);
  if (assets === undefined) return undefined;
  return contract(venueSymbol, market, { base: assets.base, quote: QUOTES[market] });
}

/** Splits a symbol before the first of these endings that it has; undefined if it has none. */
export function assetsOf(venueSymbol: string, endings: readonly string[]): Assets | undefined {
  const quote = endings.find((ending) => venueSymbol.endsWith(ending) && venueSymbol !== ending);
  return quote === undefined ? undefined : { base: venueSymbol.slice(0, -quote.length), quote };
}

function spot(venueSymbol: string, assets: Assets): Instrument {
  return { ...spotPair(VENUE, venueSymbol, assets), venueMarket: "spot", sizeUnit: "base" };
}

/** Sizes of coin-margined contracts count US dollars, those of all others the base asset. */
function contract(
  venueSymbol: string,
  venueMarket: Exclude<BitgetMarket, "spot">,
  assets: Assets,
): Instrument {
  const inverse = venueMarket === "coin-futures";
  return {
    ...spotPair(VENUE, venueSymbol, assets),
    symbol: `${assets.base}-${assets.quote}-PERP`,
    venueMarket,
    kind: "perpetual",
    settle: inverse ? assets.base : assets.quote,
    inverse,
    sizeUnit: inverse ? "quote" : "base",
  };
}
