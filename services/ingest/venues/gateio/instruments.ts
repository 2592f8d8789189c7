// What Gate lists.
// https://www.gate.com/docs/developers/apiv4/en/#list-all-currency-pairs-supported
// https://www.gate.com/docs/developers/apiv4/en/#list-all-futures-contracts
import { canonicalDecimal } from "@tickwire/proto/model";
import { z } from "zod";
import type { Instrument } from "#core/instrument.ts";
import { type StateWords, stateOfWord } from "../../reading/instrument-words.ts";
import {
  incrementsOf,
  type InstrumentList,
  listInstruments,
  spotPair,
} from "../../reading/listed-instruments.ts";
import { parseJson } from "../../reading/text-fields.ts";

/** The ids of the two venues that Gate is here. */
export const GATEIO = "gateio";
export const GATEIO_FUTURES = "gateio-futures";

/** Names are in any script; the underscore parts base and quote. */
const ASSET = /^[\p{L}\p{N}.$-]{1,32}$/u;

/** What contracts are settled in, by the name that the venue's addresses have for it. */
export const GATE_SETTLES = ["usdt", "btc", "usd1"] as const;
type GateSettle = (typeof GATE_SETTLES)[number];

/** Where one may only buy or only sell, orders match all the same. */
const PAIR_STATES: StateWords = {
  tradable: "trading",
  buyable: "trading",
  sellable: "trading",
  untradable: "halted",
};

/** Of pairs that are halted, not opened yet, or ended. */
const PAUSED: ReadonlySet<string> = new Set(["untradable"]);

const DELISTING = "delisting";

const CONTRACT_STATES: StateWords = {
  trading: "trading",
  prelaunch: "pre-open",
  circuit_breaker: "halted",
  [DELISTING]: "reduce-only",
};

const listSchema = z.array(z.unknown());

const pairSchema = z.object({
  id: z.string(),
  base: z.string(),
  quote: z.string(),
  trade_status: z.string(),
  precision: z.number().int().min(0).max(64),
  amount_precision: z.number().int().min(0).max(64),
});

const contractSchema = z.object({
  name: z.string(),
  type: z.string(),
  quanto_multiplier: z.string(),
  order_price_round: z.string(),
  status: z.string().optional().catch(undefined),
  in_delisting: z.boolean().optional().catch(undefined),
  position_size: z.union([z.number(), z.string()]).optional().catch(undefined),
  enable_decimal: z.boolean().optional().catch(undefined),
});

type Contract = z.infer<typeof contractSchema>;

/**
 * Reads the list of spot pairs; undefined if the body is none. Left out and counted: pairs that do
 * not trade, and any that would get a name that another one has.
 */
export function parseGatePairs(body: string): InstrumentList | undefined {
  return parseList(body, (entry) => {
    const parsed = pairSchema.safeParse(entry);
    if (!parsed.success) return undefined;
    const { id, base, quote, precision, amount_precision: sizeDecimals } = parsed.data;
    const instrument = deriveGatePair(id);
    if (instrument?.base !== base || instrument.quote !== quote) return undefined;
    return {
      ...instrument,
      ...incrementsOf({ price: `1e-${precision}`, size: `1e-${sizeDecimals}` }),
      ...stateOfWord(PAIR_STATES, parsed.data.trade_status),
    };
  });
}

/** The same for the contracts of one settle asset, which the address names. */
export function parseGateContracts(body: string, url: string): InstrumentList | undefined {
  const settle = settleOfUrl(url);
  return parseList(body, (entry) => {
    const parsed = contractSchema.safeParse(entry);
    if (!parsed.success || settle === undefined || hasEnded(parsed.data)) return undefined;
    const { name, type, quanto_multiplier: multiplier, status } = parsed.data;
    const inverse = type === "inverse";
    const instrument = deriveGateContract(name);
    if (instrument === undefined || instrument.inverse !== inverse) return undefined;
    if (instrument.settle !== settle.toUpperCase()) return undefined;
    // Inverse contracts are worth one dollar; their multiplier is written as 0.
    const contractSize = inverse ? "1" : canonicalDecimal(multiplier);
    if (contractSize === undefined || contractSize === "0") return undefined;
    return {
      ...instrument,
      contractSize,
      ...incrementsOf({ price: parsed.data.order_price_round }),
      // Some contracts trade in fractions, whose step no list gives.
      ...(parsed.data.enable_decimal === true ? {} : { sizeIncrement: "1" }),
      ...stateOfWord(CONTRACT_STATES, parsed.data.in_delisting === true ? DELISTING : status),
    };
  });
}

/** A spot pair from its name alone. */
export function deriveGatePair(venueSymbol: string): Instrument | undefined {
  const [base = "", quote = "", ...rest] = venueSymbol.split("_");
  if (rest.length > 0 || !ASSET.test(base) || !ASSET.test(quote)) return undefined;
  return spotPair(GATEIO, venueSymbol, { base, quote });
}

/**
 * A perpetual from its name alone: what is quoted in USD is settled in its base asset, which only
 * bitcoin is, everything else in its quote asset.
 */
export function deriveGateContract(venueSymbol: string): Instrument | undefined {
  const pair = deriveGatePair(venueSymbol);
  if (pair === undefined) return undefined;
  const { base, quote } = pair;
  const inverse = quote === "USD";
  if (inverse ? base !== "BTC" : quote !== "USDT" && quote !== "USD1") return undefined;
  return {
    ...pair,
    venue: GATEIO_FUTURES,
    symbol: `${base}-${quote}-PERP`,
    kind: "perpetual",
    settle: inverse ? base : quote,
    inverse,
    sizeUnit: "contract",
  };
}

/** The part of the futures venue that an address serves. */
function settleOfUrl(url: string): GateSettle | undefined {
  const name = /\/futures\/([a-z0-9]+)\//.exec(url)?.[1];
  return GATE_SETTLES.find((settle) => settle === name);
}

/** The same by an instrument. */
export function settleOf(instrument: Instrument): GateSettle {
  return GATE_SETTLES.find((settle) => settle === instrument.settle.toLowerCase()) ?? "usdt";
}

function hasEnded(contract: Contract): boolean {
  const { status, in_delisting: inDelisting, position_size: positions } = contract;
  if (status !== undefined) return status === "delisted" || status === "prelaunch";
  return inDelisting === true && Number(positions ?? 0) === 0;
}

function parseList(
  body: string,
  toInstrument: (entry: unknown) => Instrument | undefined,
): InstrumentList | undefined {
  const list = listSchema.safeParse(parseJson(body));
  return list.success ? listInstruments(list.data, toInstrument, PAUSED) : undefined;
}
