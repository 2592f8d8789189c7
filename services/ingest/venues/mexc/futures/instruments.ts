// https://mexcdevelop.github.io/apidocs/contract_v1_en/#get-the-contract-information
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
export const MEXC_FUTURES = "mexc-futures";

/** `state`; of 1 to 3 all that was traded is settled, or is about to be. */
const STATES: StateWords = { "0": "trading", "4": "halted" };
const PAUSED: ReadonlySet<string> = new Set(["4"]);

/** `futureType` of a contract without an end. */
const PERPETUAL = "1";

const ASSET = /^[\p{L}\p{N}._$]{1,32}$/u;
const NAME = /^(.+)_(USDT|USDC|USD1|USDE|USD)$/u;

const listSchema = z.object({ data: z.array(z.unknown()) });

/** Numbers are read as their texts. */
const contractSchema = z.object({
  symbol: z.string(),
  baseCoin: z.string().regex(ASSET),
  quoteCoin: z.string().regex(ASSET),
  settleCoin: z.string().regex(ASSET),
  contractSize: z.string(),
  state: z.string(),
  futureType: z.string().optional().catch(undefined),
  priceUnit: z.string().optional().catch(undefined),
  volUnit: z.string().optional().catch(undefined),
});

/** Reads the list of contracts; undefined if the body is none. */
export function parseMexcContracts(body: string): InstrumentList | undefined {
  const list = listSchema.safeParse(parseJsonText(body));
  return list.success ? listInstruments(list.data.data, contractOf, PAUSED) : undefined;
}

function contractOf(entry: unknown): Instrument | undefined {
  const parsed = contractSchema.safeParse(entry);
  if (!parsed.success) return undefined;
  const { symbol, baseCoin, quoteCoin, settleCoin: settle, state, ...listed } = parsed.data;
  if (!Object.hasOwn(STATES, state) || (listed.futureType ?? PERPETUAL) !== PERPETUAL) {
    return undefined;
  }
  const contractSize = canonicalDecimal(listed.contractSize);
  // What has another name could not be told without the list.
  if (contractSize === undefined || contractSize === "0" || symbol !== `${baseCoin}_${quoteCoin}`) {
    return undefined;
  }
  const { priceUnit: price, volUnit: size } = listed;
  return {
    ...contract(symbol, baseCoin, quoteCoin),
    settle,
    inverse: settle === baseCoin,
    contractSize,
    ...incrementsOf({ price, size }),
    ...stateOfWord(STATES, state),
  };
}

/** A contract from its name alone: those on dollars are margined in the coin. */
export function deriveMexcContract(venueSymbol: string): Instrument | undefined {
  const [, base = "", quote = ""] = NAME.exec(venueSymbol) ?? [];
  return ASSET.test(base) && quote !== "" ? contract(venueSymbol, base, quote) : undefined;
}

function contract(venueSymbol: string, base: string, quote: string): Instrument {
  const inverse = quote === "USD";
  return {
    venue: MEXC_FUTURES,
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
