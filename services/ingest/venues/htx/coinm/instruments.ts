// What HTX lists of contracts that are margined in their coin: swaps, and futures with an end.
// https://www.htx.com/en-us/opend/newApiPages/?id=28c2ff82-77ae-11ed-9966-0242ac110003
// https://www.htx.com/en-us/opend/newApiPages/?id=5d51f7a8-77b6-11ed-9966-0242ac110003
import { canonicalDecimal } from "@tickwire/proto/model";
import { z } from "zod";
import type { Instrument } from "#core/instrument.ts";
import { parseJsonText } from "#core/json-text.ts";
import { expiryDayOfDigits } from "../../../reading/expiry-days.ts";
import { stateOfWord } from "../../../reading/instrument-words.ts";
import {
  incrementsOf,
  type InstrumentList,
  listInstruments,
} from "../../../reading/listed-instruments.ts";
import { HTX_CONTRACT_STATES, HTX_CONTRACTS_PAUSED } from "../instruments.ts";

/** The id of the venue. */
export const HTX_COINM = "htx-coinm";

const QUOTE = "USD";

const listSchema = z.object({ data: z.array(z.unknown()) });

/** Numbers come as their texts. */
const contractSchema = z.object({
  contract_code: z.string(),
  contract_size: z.string(),
  price_tick: z.string(),
  contract_status: z.string(),
  delivery_time: z.string().optional().catch(undefined),
});

/** Undefined if the body is neither list. What does not trade is left out and counted. */
export function parseHtxCoinmInstruments(body: string): InstrumentList | undefined {
  const list = listSchema.safeParse(parseJsonText(body));
  return list.success
    ? listInstruments(list.data.data, contractOf, HTX_CONTRACTS_PAUSED)
    : undefined;
}

function contractOf(entry: unknown): Instrument | undefined {
  const parsed = contractSchema.safeParse(entry);
  if (!parsed.success || !Object.hasOwn(HTX_CONTRACT_STATES, parsed.data.contract_status))
    return undefined;
  const instrument = deriveHtxCoinmInstrument(parsed.data.contract_code);
  const contractSize = canonicalDecimal(parsed.data.contract_size);
  if (instrument === undefined || contractSize === undefined || contractSize === "0") {
    return undefined;
  }
  const { delivery_time: delivery = "", price_tick: price } = parsed.data;
  const ends = instrument.kind === "future" && /^[1-9]\d{12}$/.test(delivery);
  return {
    ...instrument,
    contractSize,
    ...incrementsOf({ price, size: "1" }),
    ...stateOfWord(HTX_CONTRACT_STATES, parsed.data.contract_status),
    ...(ends ? { expiryTimeUs: Number(delivery) * 1000 } : {}),
  };
}

/** A contract from its code: a swap (`BTC-USD`), or a future and the day it ends (`BTC261225`). */
export function deriveHtxCoinmInstrument(venueSymbol: string): Instrument | undefined {
  const [, swap] = /^([A-Z0-9]{1,24})-USD$/.exec(venueSymbol) ?? [];
  const [, dated, digits = ""] = /^([A-Z0-9]{0,23}[A-Z])(\d{6})$/.exec(venueSymbol) ?? [];
  const base = swap ?? dated;
  const expiry = dated === undefined ? undefined : expiryDayOfDigits(digits);
  if (base === undefined || (dated !== undefined && expiry === undefined)) return undefined;
  return {
    venue: HTX_COINM,
    symbol: `${base}-${QUOTE}-${expiry?.day ?? "PERP"}`,
    venueSymbol,
    kind: expiry === undefined ? "perpetual" : "future",
    base,
    quote: QUOTE,
    settle: base,
    inverse: true,
    sizeUnit: "contract",
    ...(expiry === undefined ? {} : { expiryTimeUs: expiry.timeUs }),
  };
}
