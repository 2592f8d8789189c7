// What HTX lists: spot pairs and linear contracts.
// https://www.htx.com/en-us/opend/newApiPages/?id=7ec51cb5-7773-11ed-9966-0242ac110003
// https://www.htx.com/en-us/opend/newApiPages/?id=8cb73c34-77b5-11ed-9966-0242ac110003
import { canonicalDecimal } from "@tickwire/proto/model";
import { z } from "zod";
import type { Instrument } from "#core/instrument.ts";
import { parseJsonText } from "#core/json-text.ts";
import { type StateWords, stateOfWord } from "../../reading/instrument-words.ts";
import {
  incrementsOf,
  type InstrumentList,
  listInstruments,
  spotPair,
} from "../../reading/listed-instruments.ts";

/** The id of the venue. */
export const HTX = "htx";

// Numbers come as their texts.
const integer = z.string().regex(/^\d{1,2}$/);
const listSchema = z.object({ data: z.array(z.unknown()) });

const pairSchema = z.object({
  symbol: z.string(),
  bc: z.string(),
  qc: z.string(),
  state: z.string(),
  pp: integer,
  ap: integer,
});

/** As the venue's older list has it. */
const olderPairSchema = z
  .object({
    symbol: z.string(),
    "base-currency": z.string(),
    "quote-currency": z.string(),
    state: z.string(),
    "price-precision": integer,
    "amount-precision": integer,
  })
  .transform((pair) => ({
    symbol: pair.symbol,
    bc: pair["base-currency"],
    qc: pair["quote-currency"],
    state: pair.state,
    pp: pair["price-precision"],
    ap: pair["amount-precision"],
  }));

const contractSchema = z.object({
  contract_code: z.string(),
  contract_size: z.string(),
  price_tick: z.string(),
  contract_status: z.string(),
  delivery_time: z.string().optional().catch(undefined),
});

/** `fuse` is a circuit breaker. */
const PAIR_STATES: StateWords = {
  online: "trading",
  "pre-online": "pre-open",
  "not-online": "pre-open",
  suspend: "halted",
  fuse: "halted",
  offline: "closed",
};

/** A settlement comes every eight hours. */
export const HTX_CONTRACT_STATES: StateWords = {
  "1": "trading",
  "2": "pre-open",
  "3": "halted",
  "4": "pre-open",
  "5": "settling",
  "6": "settling",
  "7": "settling",
};

/** Of what is not opened yet, is halted, or has ended. */
const PAIRS_PAUSED: ReadonlySet<string> = new Set([
  "pre-online",
  "not-online",
  "suspend",
  "fuse",
  "offline",
]);

/** As `PAIRS_PAUSED`. */
export const HTX_CONTRACTS_PAUSED: ReadonlySet<string> = new Set(["2", "3", "4", "6"]);

/** Of contracts: being delisted, and delivered. */
const CONTRACTS_ENDED: ReadonlySet<string> = new Set(["0", "8"]);

/** Undefined if the body is none of the lists. What does not trade is left out and counted. */
export function parseHtxInstruments(body: string, url: string): InstrumentList | undefined {
  const list = listSchema.safeParse(parseJsonText(body));
  if (!list.success) return undefined;
  return url.includes("swap_contract_info")
    ? listInstruments(list.data.data, contractOf, HTX_CONTRACTS_PAUSED)
    : listInstruments(list.data.data, pairOf, PAIRS_PAUSED);
}

/**
 * A linear contract from its code. A spot pair's symbol does not say where its base ends, so only
 * the list can tell.
 */
function deriveHtxContract(venueSymbol: string): Instrument | undefined {
  const match = /^([A-Z0-9]{1,24})-(USDT|USDC|USDD)(?:-(\d{6}))?$/.exec(venueSymbol);
  const [, base, quote, date] = match ?? [];
  if (base === undefined || quote === undefined) return undefined;
  return {
    venue: HTX,
    symbol: `${base}-${quote}-${date === undefined ? "PERP" : `20${date}`}`,
    venueSymbol,
    kind: date === undefined ? "perpetual" : "future",
    base,
    quote,
    settle: quote,
    inverse: false,
    sizeUnit: "contract",
  };
}

/** Quote assets, current and retired, for splitting a name that no list explains. */
const QUOTE_ASSETS: readonly string[] =
  "usdt husd usdc usdd tusd trx btc eth eur gbp rub try uah brl ht".split(" ");

/**
 * An instrument from its name alone: a contract, or a pair whose quote asset HTX is known to use.
 * Undefined if it is neither.
 */
export function deriveHtxInstrument(venueSymbol: string): Instrument | undefined {
  const contract = deriveHtxContract(venueSymbol);
  if (contract !== undefined || !/^[a-z0-9]{2,48}$/.test(venueSymbol)) return contract;
  const quote = QUOTE_ASSETS.find((asset) => venueSymbol.endsWith(asset) && venueSymbol !== asset);
  if (quote === undefined) return undefined;
  return upperCasePair(venueSymbol, venueSymbol.slice(0, -quote.length), quote);
}

function upperCasePair(venueSymbol: string, base: string, quote: string): Instrument {
  return spotPair(HTX, venueSymbol, { base: base.toUpperCase(), quote: quote.toUpperCase() });
}

function pairOf(entry: unknown): Instrument | undefined {
  const parsed = z.union([pairSchema, olderPairSchema]).safeParse(entry);
  if (!parsed.success || !Object.hasOwn(PAIR_STATES, parsed.data.state)) return undefined;
  const { symbol, bc, qc, pp, ap } = parsed.data;
  const isPair = /^[a-z0-9]{1,24}$/.test(bc) && /^[a-z0-9]{1,24}$/.test(qc);
  if (!isPair || symbol !== `${bc}${qc}`) return undefined;
  return {
    ...upperCasePair(symbol, bc, qc),
    ...incrementsOf({ price: `1e-${pp}`, size: `1e-${ap}` }),
    ...stateOfWord(PAIR_STATES, parsed.data.state),
  };
}

function contractOf(entry: unknown): Instrument | undefined {
  const parsed = contractSchema.safeParse(entry);
  if (!parsed.success || CONTRACTS_ENDED.has(parsed.data.contract_status)) return undefined;
  const instrument = deriveHtxContract(parsed.data.contract_code);
  const contractSize = canonicalDecimal(parsed.data.contract_size);
  if (instrument === undefined || contractSize === undefined || contractSize === "0") {
    return undefined;
  }
  const { delivery_time: delivery = "" } = parsed.data;
  const isDated = instrument.kind === "future";
  if (isDated && !/^[1-9]\d{12}$/.test(delivery)) return undefined;
  return {
    ...instrument,
    contractSize,
    ...incrementsOf({ price: parsed.data.price_tick, size: "1" }),
    ...stateOfWord(HTX_CONTRACT_STATES, parsed.data.contract_status),
    ...(isDated ? { expiryTimeUs: Number(delivery) * 1000 } : {}),
  };
}
