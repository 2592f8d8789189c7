// What KuCoin lists of futures.
// https://www.kucoin.com/docs-new/rest/futures-trading/market-data/get-all-symbols
import { canonicalDecimal } from "@tickwire/proto/model";
import { z } from "zod";
import type { Instrument } from "#core/instrument.ts";
import { parseJsonText } from "#core/json-text.ts";
import { type StateWords, stateOfWord } from "../../../reading/instrument-words.ts";
import {
  incrementsOf,
  type InstrumentList,
  listInstruments,
} from "../../../reading/listed-instruments.ts";

/** The id of the venue. */
export const KUCOIN_FUTURES = "kucoin-futures";

const listSchema = z.object({ data: z.array(z.unknown()) });

/** Numbers are read as their texts. */
const contractSchema = z.object({
  symbol: z.string(),
  type: z.string(),
  status: z.string(),
  baseCurrency: z.string(),
  quoteCurrency: z.string(),
  settleCurrency: z.string(),
  isInverse: z.boolean(),
  multiplier: z.string(),
  tickSize: z.string().optional().catch(undefined),
  lotSize: z.string().optional().catch(undefined),
  expireDate: z.string().nullish().catch(undefined),
});

type Contract = z.infer<typeof contractSchema>;

/** A contract in any other state has ended. */
const STATES: StateWords = {
  Init: "pre-open",
  Open: "trading",
  Paused: "halted",
  CancelOnly: "cancel-only",
  BeingSettled: "settling",
};

/** Of what is not opened yet, and of what ends. */
const PAUSED: ReadonlySet<string> = new Set(["Init", "BeingSettled"]);

/** `FFWCSX` has no end, `FFICSX` ends with a month. */
const KINDS: ReadonlyMap<string, "perpetual" | "future"> = new Map([
  ["FFWCSX", "perpetual"],
  ["FFICSX", "future"],
]);

const ASSET = /^[\p{L}\p{N}.$]{1,32}$/u;

/** A contract without an end: `XBTUSDTM`, `XBTUSDM`. */
const PERPETUAL = /^([\p{L}\p{N}.$]{1,30}?)(USDT|USDC|USD)M$/u;

/** Reads the list of contracts; undefined if the body is none. */
export function parseKucoinContracts(body: string): InstrumentList | undefined {
  const list = listSchema.safeParse(parseJsonText(body));
  return list.success ? listInstruments(list.data.data, contractOf, PAUSED) : undefined;
}

function contractOf(entry: unknown): Instrument | undefined {
  const parsed = contractSchema.safeParse(entry);
  if (!parsed.success || !Object.hasOwn(STATES, parsed.data.status)) return undefined;
  const listed = parsed.data;
  const kind = KINDS.get(listed.type);
  const instrument = kind === "future" ? datedContractOf(listed) : perpetualOf(listed);
  if (kind === undefined || instrument === undefined) return undefined;
  // A contract on dollars has its worth with a minus sign before it.
  const contractSize = canonicalDecimal(listed.multiplier.replace(/^-/, ""));
  if (contractSize === undefined || contractSize === "0") return undefined;
  const increments = incrementsOf({ price: listed.tickSize, size: listed.lotSize });
  return { ...instrument, contractSize, ...increments, ...stateOfWord(STATES, listed.status) };
}

/** The list must agree with the name, so that a contract is the same with the list and without. */
function perpetualOf(listed: Contract): Instrument | undefined {
  const instrument = deriveKucoinContract(listed.symbol);
  if (instrument === undefined || assetOf(listed.quoteCurrency) !== instrument.quote) {
    return undefined;
  }
  const settle = assetOf(listed.settleCurrency);
  return { ...instrument, settle, inverse: listed.isInverse };
}

/** The name says no more than the month in which it ends (`XBTMZ26`). */
function datedContractOf(listed: Contract): Instrument | undefined {
  const [base, quote] = [assetOf(listed.baseCurrency), assetOf(listed.quoteCurrency)];
  const expiryMs = /^[1-9]\d{12}$/.test(listed.expireDate ?? "") ? Number(listed.expireDate) : 0;
  if (expiryMs === 0 || !ASSET.test(base) || !ASSET.test(quote)) return undefined;
  const day = new Date(expiryMs).toISOString().slice(0, 10).replaceAll("-", "");
  return {
    venue: KUCOIN_FUTURES,
    symbol: `${base}-${quote}-${day}`,
    venueSymbol: listed.symbol,
    kind: "future",
    base,
    quote,
    settle: assetOf(listed.settleCurrency),
    inverse: listed.isInverse,
    sizeUnit: "contract",
    expiryTimeUs: expiryMs * 1000,
  };
}

/**
 * A contract without an end from its name alone: those on dollars are margined in the coin. When a
 * dated one ends, only the list can tell.
 */
export function deriveKucoinContract(venueSymbol: string): Instrument | undefined {
  const [, name, quote] = PERPETUAL.exec(venueSymbol) ?? [];
  if (name === undefined || quote === undefined) return undefined;
  const base = assetOf(name);
  const inverse = quote === "USD";
  return {
    venue: KUCOIN_FUTURES,
    symbol: `${base}-${quote}-PERP`,
    venueSymbol,
    kind: "perpetual",
    base,
    quote,
    settle: inverse ? base : quote,
    inverse,
    sizeUnit: "contract",
  };
}

/** As everybody else calls it. */
function assetOf(name: string): string {
  return name === "XBT" ? "BTC" : name;
}
