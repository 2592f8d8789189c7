// https://docs.kraken.com/api/docs/futures-api/trading/get-instruments
import { canonicalDecimal } from "@tickwire/proto/model";
import { z } from "zod";
import type { Instrument } from "#core/instrument.ts";
import { parseJsonText } from "#core/json-text.ts";
import { type StateWords, stateOfWord } from "../../../reading/instrument-words.ts";
import { type InstrumentList, listInstruments } from "../../../reading/listed-instruments.ts";
import { isBadTime, parseIsoTimeUs } from "../../../reading/venue-time.ts";

const VENUE = "kraken-futures";

/** Kraken's old names of two assets, which the symbols of contracts still use. */
const ASSET_NAMES: ReadonlyMap<string, string> = new Map([
  ["XBT", "BTC"],
  ["XDG", "DOGE"],
]);

/**
 * The class of a contract, its pair, and the day of those that end: `PI_XBTUSD`,
 * `FF_ETHUSD_261225`.
 * Some assets have lower-case letters in their name (`AAPLx`).
 */
const SYMBOL = /^([PF])([IFV])_([A-Za-z0-9]+?)(USDT|USDC|USD|EUR|GBP|XBT)(?:_(\d{6}))?$/;

/** The venue has a flag and no words. */
const TRADEABLE = "tradeable";
const NOT_TRADEABLE = "not tradeable";

const STATES: StateWords = { [TRADEABLE]: "trading", [NOT_TRADEABLE]: "halted" };

/** Of contracts that are halted, and of those that ended. */
const PAUSED: ReadonlySet<string> = new Set([NOT_TRADEABLE]);

const listSchema = z.object({ instruments: z.array(z.unknown()) });

/** Numbers are read as their texts, which keeps them exact. */
const instrumentSchema = z.object({
  symbol: z.string().min(1),
  tradeable: z.union([z.boolean(), z.string()]).optional().catch(undefined),
  tickSize: z.string().nullish().catch(undefined),
  contractSize: z.string().nullish().catch(undefined),
  contractValueTradePrecision: z.string().nullish().catch(undefined),
  lastTradingTime: z.string().nullish().catch(undefined),
});

/**
 * Reads a list of instruments; undefined if the body is not one. Indices and contracts that do not
 * trade are left out and counted.
 */
export function parseFuturesInstruments(body: string): InstrumentList | undefined {
  const list = listSchema.safeParse(parseJsonText(body));
  return list.success ? listInstruments(list.data.instruments, contractOf, PAUSED) : undefined;
}

function contractOf(entry: unknown): Instrument | undefined {
  const parsed = instrumentSchema.safeParse(entry);
  const { data } = parsed;
  const derived = data && deriveFuturesInstrument(streamSymbolOf(data.symbol));
  if (data === undefined || derived === undefined) return undefined;
  const contractSize = canonicalDecimal(data.contractSize ?? "");
  const priceIncrement = canonicalDecimal(data.tickSize ?? "");
  const sizeIncrement = stepOf(data.contractValueTradePrecision);
  const expiryTimeUs = parseIsoTimeUs(data.lastTradingTime);
  const ends = derived.kind === "future" && expiryTimeUs !== undefined;
  const word = String(data.tradeable) === "false" ? NOT_TRADEABLE : TRADEABLE;
  return {
    ...derived,
    ...(contractSize === undefined ? {} : { contractSize }),
    ...(priceIncrement === undefined ? {} : { priceIncrement }),
    ...(sizeIncrement === undefined ? {} : { sizeIncrement }),
    ...(ends && !isBadTime(expiryTimeUs) ? { expiryTimeUs } : {}),
    ...stateOfWord(STATES, word),
  };
}

/**
 * The name of a contract in the stream. Lists wrote it in lower case (`pi_xbtusd`) in 2021 and
 * 2022; mixed case is the name of an asset (`PF_AAPLxUSD`).
 */
export function streamSymbolOf(symbol: string): string {
  return symbol === symbol.toLowerCase() ? symbol.toUpperCase() : symbol;
}

/** Decimals of a size, which are negative where sizes go by tens or thousands. */
function stepOf(precision: string | null | undefined): string | undefined {
  if (precision === null || precision === undefined || !/^-?\d{1,2}$/.test(precision)) {
    return undefined;
  }
  return canonicalDecimal(`1e${-Number(precision)}`);
}

/**
 * An instrument from its symbol alone; undefined if it is none. An asset may have a linear and an
 * inverse contract of the same kind, which only the asset that they settle in tells apart: the
 * inverse one names it (`BTC-USD_BTC-PERP` for PI_XBTUSD, `BTC-USD-PERP` for PF_XBTUSD).
 */
export function deriveFuturesInstrument(venueSymbol: string): Instrument | undefined {
  const parts = SYMBOL.exec(venueSymbol);
  if (parts === null) return undefined;
  const [, term, shape, oldBase = "", oldQuote = "", day] = parts;
  if ((term === "F") !== (day !== undefined)) return undefined;
  const base = ASSET_NAMES.get(oldBase) ?? oldBase;
  const quote = ASSET_NAMES.get(oldQuote) ?? oldQuote;
  const inverse = shape === "I";
  const settle = inverse ? base : quote;
  const pair = inverse ? `${base}-${quote}_${settle}` : `${base}-${quote}`;
  const vanilla = shape === "V" ? `${pair}_V` : pair;
  return {
    venue: VENUE,
    symbol: day === undefined ? `${vanilla}-PERP` : `${vanilla}-20${day}`,
    venueSymbol,
    kind: day === undefined ? "perpetual" : "future",
    base,
    quote,
    settle,
    inverse,
    // The flexible contracts count units of their asset, the others contracts.
    sizeUnit: shape === "F" ? "base" : "contract",
  };
}
