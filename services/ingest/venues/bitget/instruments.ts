// https://www.bitget.com/docs/uta/public/Instruments
import { canonicalDecimal } from "@tickwire/proto/model";
import { z } from "zod";
import type { Instrument } from "#core/instrument.ts";
import type { FeedAdapter } from "../../feed/feed-adapter.ts";
import { millisecondsTimeUs, parseJson } from "../../reading/text-fields.ts";
import { isBadTime } from "../../reading/venue-time.ts";

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

const listSchema = z.object({ data: z.array(z.unknown()) });

const listedSchema = z.object({
  symbol: z.string().min(1),
  category: z.string(),
  baseCoin: z.string().regex(ASSET),
  quoteCoin: z.string().regex(ASSET),
  status: z.string().optional(),
  pricePrecision: z.string().optional(),
  quantityPrecision: z.string().optional(),
  priceMultiplier: z.string().optional(),
  quantityMultiplier: z.string().optional(),
  /** One of these says `perpetual` or `delivery`; `symbolType` may be the kind of the asset. */
  type: z.string().optional(),
  symbolType: z.string().optional(),
  deliveryTime: z.string().optional(),
});

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
export const parseBitgetInstruments: FeedAdapter["parseInstruments"] = (body) => {
  const list = listSchema.safeParse(parseJson(body));
  if (!list.success) return undefined;
  const bySymbol = new Map<string, Instrument>();
  for (const entry of list.data.data) {
    const parsed = listedSchema.safeParse(entry);
    if (!parsed.success || parsed.data.status === "offline") continue;
    const instrument = toInstrument(parsed.data);
    if (instrument === undefined || bySymbol.has(instrument.symbol)) continue;
    bySymbol.set(instrument.symbol, instrument);
  }
  const instruments = [...bySymbol.values()];
  return { instruments, skipped: list.data.data.length - instruments.length };
};

function toInstrument(listed: Listed): Instrument | undefined {
  const { symbol: venueSymbol, baseCoin: base } = listed;
  const market = BITGET_MARKETS.find((known) => known === listed.category.toLowerCase());
  if (market === undefined) return undefined;
  if (market === "spot") {
    return { ...spot(venueSymbol, base, listed.quoteCoin), ...incrementsOf(listed) };
  }
  // The list calls the quote asset of a USDC contract USD or USDC; its margin says which contract
  // of two of a pair is meant.
  const quote = market === "usdc-futures" ? QUOTES[market] : listed.quoteCoin;
  const assets = { base, quote };
  const isDated = listed.type === "delivery" || listed.symbolType === "delivery";
  if (!isDated) return { ...contract(venueSymbol, market, assets), ...incrementsOf(listed) };
  const expiryTimeUs = millisecondsTimeUs(listed.deliveryTime);
  if (expiryTimeUs === undefined || isBadTime(expiryTimeUs)) return undefined;
  const day = new Date(expiryTimeUs / 1000).toISOString().slice(0, 10).replaceAll("-", "");
  return {
    ...contract(venueSymbol, market, assets),
    symbol: `${base}-${quote}-${day}`,
    kind: "future",
    expiryTimeUs,
    ...incrementsOf(listed),
  };
}

/** The multiplier is the step, the precision only says how many decimals are written. */
function incrementsOf(listed: Listed): Pick<Instrument, "priceIncrement" | "sizeIncrement"> {
  const { priceMultiplier, pricePrecision, quantityMultiplier, quantityPrecision } = listed;
  const priceIncrement = stepOf(priceMultiplier, pricePrecision);
  const sizeIncrement = stepOf(quantityMultiplier, quantityPrecision);
  return {
    ...(priceIncrement === undefined ? {} : { priceIncrement }),
    ...(sizeIncrement === undefined ? {} : { sizeIncrement }),
  };
}

function stepOf(multiplier: string | undefined, precision: string | undefined): string | undefined {
  const step = canonicalDecimal(multiplier ?? "");
  if (step !== undefined && step !== "0") return step;
  return precision !== undefined && /^\d{1,2}$/.test(precision)
    ? canonicalDecimal(`1e-${precision}`)
    : undefined;
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
    const quote = SPOT_QUOTES.find((asset) => isNamed(venueSymbol, asset));
    return quote === undefined
      ? undefined
      : spot(venueSymbol, venueSymbol.slice(0, -quote.length), quote);
  }
  const ending = PERPETUAL_ENDINGS[market].find((each) => isNamed(venueSymbol, each));
  if (ending === undefined) return undefined;
  const base = venueSymbol.slice(0, -ending.length);
  return contract(venueSymbol, market, { base, quote: QUOTES[market] });
}

function isNamed(venueSymbol: string, ending: string): boolean {
  return venueSymbol.endsWith(ending) && venueSymbol !== ending;
}

function spot(venueSymbol: string, base: string, quote: string): Instrument {
  return {
    venue: VENUE,
    symbol: `${base}-${quote}`,
    venueSymbol,
    venueMarket: "spot",
    kind: "spot",
    base,
    quote,
    settle: quote,
    inverse: false,
    sizeUnit: "base",
  };
}

/** Sizes of coin-margined contracts count US dollars, those of all others the base asset. */
function contract(
  venueSymbol: string,
  market: Exclude<BitgetMarket, "spot">,
  { base, quote }: { readonly base: string; readonly quote: string },
): Instrument {
  const inverse = market === "coin-futures";
  return {
    venue: VENUE,
    symbol: `${base}-${quote}-PERP`,
    venueSymbol,
    venueMarket: market,
    kind: "perpetual",
    base,
    quote,
    settle: inverse ? base : quote,
    inverse,
    sizeUnit: inverse ? "quote" : "base",
  };
}
