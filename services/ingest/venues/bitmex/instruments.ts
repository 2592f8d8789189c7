// What BitMEX lists.
// https://www.bitmex.com/api/explorer/#!/Instrument/Instrument_getActive
// https://support.bitmex.com/hc/en-gb/articles/6299296145565 (the values of `typ`)
import { canonicalDecimal } from "@tickwire/proto/model";
import { z } from "zod";
import type { Instrument, InstrumentKind } from "#core/instrument.ts";
import { asJsonArray, parseJsonText } from "#core/json-text.ts";
import { type StateWords, stateOfWord } from "../../reading/instrument-words.ts";
import { type InstrumentList, listInstruments } from "../../reading/listed-instruments.ts";
import { parseIsoTimeUs } from "../../reading/venue-time.ts";

/** The venue's id. */
export const BITMEX = "bitmex";

/**
 * Classification codes of what has a Tickwire form; indices, spreads, options and bets (`FFICSX`)
 * do not.
 */
const KINDS: ReadonlyMap<string, InstrumentKind> = new Map<string, InstrumentKind>([
  /** Perpetuals on coins, on currencies, on shares. */
  ["FFWCSX", "perpetual"],
  ["FFWCSF", "perpetual"],
  ["FFSCSX", "perpetual"],
  ["FFCCSX", "future"],
  ["IFXXXP", "spot"],
]);

/** Closed markets open again; settled and unlisted ones do not. */
const BITMEX_STATES: StateWords = {
  Open: "trading",
  Closed: "closed",
  Halted: "halted",
  Settling: "settling",
};

/** What may become of an instrument that was listed. */
export const BITMEX_CHANGES: StateWords = {
  ...BITMEX_STATES,
  Settled: "delisted",
  Unlisted: "delisted",
};

/** The venue's own names of assets, and those of their smallest units, which it settles in. */
const ASSETS: ReadonlyMap<string, string> = new Map([
  ["XBT", "BTC"],
  ["XBt", "BTC"],
  ["Gwei", "ETH"],
]);

const ASSET = /^[A-Z0-9.]{1,32}$/;

/** Assets that contracts quoted in them are settled in; what is quoted in others pays bitcoin. */
const SETTLING_QUOTES = new Set(["USDT", "USDC", "USD1", "RLUSD", "ETH"]);

/** Numbers are texts here, so that a tick of 1e-8 is read as it is written. */
const number = z.string().nullish().catch(undefined);

const instrumentSchema = z.object({
  symbol: z.string().min(1),
  state: z.string(),
  typ: z.string(),
  underlying: z.string().min(1),
  quoteCurrency: z.string().min(1),
  settlCurrency: z.string().nullish().catch(undefined),
  expiry: z.string().nullish().catch(undefined),
  isInverse: z.boolean().default(false).catch(false),
  isQuanto: z.boolean().default(false).catch(false),
  tickSize: number,
  lotSize: number,
  multiplier: number,
  underlyingToPositionMultiplier: number,
  underlyingToSettleMultiplier: number,
});

type Listed = z.infer<typeof instrumentSchema>;

/**
 * Reads the list of active instruments; undefined if the body is none. Left out and counted: what
 * no longer trades, what has no Tickwire form, and any that would get the name of another one.
 */
export function parseBitmexInstruments(body: string): InstrumentList | undefined {
  const list = asJsonArray(parseJsonText(body));
  if (list === undefined) return undefined;
  const venueSymbols = new Set<string>();
  return listInstruments(list, (entry) => {
    const parsed = instrumentSchema.safeParse(entry);
    if (!parsed.success || venueSymbols.has(parsed.data.symbol)) return undefined;
    const instrument = toInstrument(parsed.data);
    if (instrument !== undefined) venueSymbols.add(instrument.venueSymbol);
    return instrument;
  });
}

function toInstrument(listed: Listed): Instrument | undefined {
  const { symbol: venueSymbol, typ, isInverse: inverse } = listed;
  const kind = KINDS.get(typ);
  const base = baseOf(listed);
  const quote = assetOf(listed.quoteCurrency);
  const settle = assetOf(listed.settlCurrency || listed.quoteCurrency);
  if (kind === undefined || !Object.hasOwn(BITMEX_STATES, listed.state)) return undefined;
  if (![base, quote, settle].every((asset) => ASSET.test(asset))) return undefined;
  const named = { base, quote, settle, kind };
  const expiryTimeUs = kind === "future" ? parseIsoTimeUs(listed.expiry) : undefined;
  if (kind === "future" && !(expiryTimeUs !== undefined && expiryTimeUs > 0)) return undefined;
  const priceIncrement = positive(listed.tickSize);
  const sizeIncrement = positive(listed.lotSize);
  const contractSize = contractSizeOf(listed);
  return {
    venue: BITMEX,
    symbol: symbolOf(named, listed.expiry ?? ""),
    venueSymbol,
    ...named,
    inverse,
    sizeUnit: "contract",
    ...(contractSize === undefined ? {} : { contractSize }),
    ...(priceIncrement === undefined ? {} : { priceIncrement }),
    ...(sizeIncrement === undefined ? {} : { sizeIncrement }),
    ...(expiryTimeUs === undefined ? {} : { expiryTimeUs }),
    ...stateOfWord(BITMEX_STATES, listed.state),
  };
}

/**
 * One pair may be had in contracts that pay different assets: `ETHUSD` pays bitcoin and
 * `ETHUSD_ETH` ether. What pays another asset than most of its quote do has it in its name, as the
 * venue's symbol does: `ETH-USD_ETH-PERP`.
 */
function symbolOf(
  named: Pick<Instrument, "base" | "quote" | "settle" | "kind">,
  expiry: string,
): string {
  const { base, quote, settle, kind } = named;
  if (kind === "spot") return `${base}-${quote}`;
  const usual = SETTLING_QUOTES.has(quote) ? quote : "BTC";
  const pair = `${base}-${quote}${settle === usual ? "" : `_${settle}`}`;
  return kind === "perpetual"
    ? `${pair}-PERP`
    : `${pair}-${expiry.slice(0, 10).replaceAll("-", "")}`;
}

/** A number before the asset is of the contract (`100BONKUSDT`) and stays part of the base. */
function baseOf({ symbol, underlying }: Listed): string {
  const count = /^(\d+)/.exec(symbol)?.[1] ?? "";
  return underlying.startsWith(count) ? assetOf(underlying) : count + assetOf(underlying);
}

function assetOf(name: string): string {
  return ASSETS.get(name) ?? name.toUpperCase();
}

/**
 * What one contract is worth, in the quote asset if inverse, else in the base asset. Of quanto
 * contracts it is fixed in neither.
 */
function contractSizeOf(listed: Listed): string | undefined {
  const { underlyingToPositionMultiplier: perUnit, multiplier } = listed;
  if (listed.isInverse) {
    const same = multiplier !== undefined && multiplier === listed.underlyingToSettleMultiplier;
    return same ? "1" : undefined;
  }
  if (listed.isQuanto || perUnit === undefined || perUnit === null) return undefined;
  // So many contracts are one unit: always a power of ten.
  const zeros = /^10*$/.test(perUnit) ? perUnit.length - 1 : undefined;
  return zeros === undefined ? undefined : canonicalDecimal(`1e-${zeros}`);
}

function positive(text: string | null | undefined): string | undefined {
  const value = canonicalDecimal(text ?? "0");
  return value === "0" || value?.startsWith("-") === true ? undefined : value;
}

/** A pair, and the month of those that end: `ETHUSD`, `XBTUSDTZ26`, `ADAM21`. */
const CONTRACT = /^([A-Z0-9]{2,16}?)(USDT|USD)?(?:([FGHJKMNQUVXZ])(\d\d))?$/;
const SPOT = /^([A-Z0-9]{2,16})_(USDT)$/;
const MONTH_CODES = "FGHJKMNQUVXZ";
const DAY_MS = 86_400_000;

/**
 * An instrument from its venue symbol alone, as the lists of 2021 and after have them: contracts on
 * bitcoin in dollars are inverse, all others in dollars pay bitcoin too, those that name no quote
 * are quoted in bitcoin, and months end with their last Friday, at noon.
 */
export function deriveBitmexInstrument(venueSymbol: string): Instrument | undefined {
  const spot = SPOT.exec(venueSymbol);
  const [, name, named, month, year] = CONTRACT.exec(venueSymbol) ?? [];
  const base = assetOf(spot?.[1] ?? name ?? "");
  // Without a quote or a month it could be anything.
  if (base === "" || (spot === null && named === undefined && month === undefined)) {
    return undefined;
  }
  const quote = spot?.[2] ?? named ?? (base === "BTC" ? "USD" : "BTC");
  const settle = quote === "USDT" ? quote : "BTC";
  const ends = month === undefined ? undefined : endOf(2000 + Number(year), month);
  const kind = spot !== null ? "spot" : ends === undefined ? "perpetual" : "future";
  const pair = { base, quote, settle, kind } as const;
  return {
    venue: BITMEX,
    symbol: symbolOf(pair, ends?.toISOString() ?? ""),
    venueSymbol,
    ...pair,
    inverse: kind !== "spot" && base === "BTC" && quote === "USD",
    sizeUnit: "contract",
    ...(ends === undefined ? {} : { expiryTimeUs: ends.getTime() * 1000 }),
  };
}

/** Noon of the last Friday of a month. */
function endOf(year: number, code: string): Date {
  const lastDay = new Date(Date.UTC(year, MONTH_CODES.indexOf(code) + 1, 0, 12));
  const daysAfterFriday = (lastDay.getUTCDay() + 2) % 7;
  return new Date(lastDay.getTime() - daysAfterFriday * DAY_MS);
}
