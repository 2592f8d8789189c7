// https://exchange-docs.crypto.com/exchange/v1/rest-ws/index.html#public-get-instruments
import { z } from "zod";
import type { Instrument } from "#core/instrument.ts";
import { expiryDayOfDigits } from "../../reading/expiry-days.ts";
import { type StateWords, stateOfWord } from "../../reading/instrument-words.ts";
import {
  incrementsOf,
  type InstrumentList,
  listInstruments,
  spotPair,
} from "../../reading/listed-instruments.ts";
import { parseJson } from "../../reading/text-fields.ts";

/** The id of the venue. */
export const CRYPTOCOM = "cryptocom";

const ASSET = /^[\p{L}\p{N}.]{1,32}$/u;

/** The quote asset of contracts, as far as their name alone tells it. */
const CONTRACT_QUOTE = "USD";

/** The venue has a flag and no words. */
const TRADABLE = "tradable";
const NOT_TRADABLE = "not tradable";

const STATES: StateWords = { [TRADABLE]: "trading", [NOT_TRADABLE]: "halted" };

/** Of instruments that are halted, and of those that ended. */
const PAUSED: ReadonlySet<string> = new Set([NOT_TRADABLE]);

const listSchema = z.object({ result: z.object({ data: z.array(z.unknown()) }) });

const entrySchema = z.object({
  symbol: z.string(),
  inst_type: z.enum(["CCY_PAIR", "PERPETUAL_SWAP", "FUTURE"]),
  base_ccy: z.string().regex(ASSET),
  quote_ccy: z.string().regex(ASSET),
  price_tick_size: z.string().optional().catch(undefined),
  qty_tick_size: z.string().optional().catch(undefined),
  tradable: z.boolean().optional().catch(undefined),
  expiry_timestamp_ms: z.number().int().positive().max(9e12).optional().catch(undefined),
});

type Entry = z.infer<typeof entrySchema>;

/** Reads the list; undefined if the body is none. Options and what does not trade are left out. */
export function parseCryptocomInstruments(body: string): InstrumentList | undefined {
  const list = listSchema.safeParse(parseJson(body));
  return list.success ? listInstruments(list.data.result.data, instrumentOf, PAUSED) : undefined;
}

function instrumentOf(entry: unknown): Instrument | undefined {
  const parsed = entrySchema.safeParse(entry);
  if (!parsed.success) return undefined;
  const { data } = parsed;
  const instrument = listedInstrument(data);
  if (instrument === undefined) return undefined;
  const { price_tick_size: price, qty_tick_size: size } = data;
  const word = data.tradable === false ? NOT_TRADABLE : TRADABLE;
  return { ...instrument, ...incrementsOf({ price, size }), ...stateOfWord(STATES, word) };
}

function listedInstrument(entry: Entry): Instrument | undefined {
  const { symbol, inst_type: type, base_ccy: base, quote_ccy: quote } = entry;
  if (type === "CCY_PAIR") return spotPair(CRYPTOCOM, symbol, { base, quote });
  const [, suffix] = symbol.split("-");
  if (type === "PERPETUAL_SWAP") {
    return suffix === "PERP" ? contract(symbol, suffix, { base, quote }) : undefined;
  }
  const future = contract(symbol, suffix, { base, quote });
  const expiryMs = entry.expiry_timestamp_ms;
  if (future?.kind !== "future" || expiryMs === undefined) return future;
  return { ...future, expiryTimeUs: expiryMs * 1000 };
}

/** Undefined if neither `PERP` nor a day follows the name's first part. */
function contract(
  venueSymbol: string,
  suffix: string | undefined,
  { base, quote }: { readonly base: string; readonly quote: string },
): Instrument | undefined {
  const common = {
    venue: CRYPTOCOM,
    venueSymbol,
    base,
    quote,
    settle: quote,
    inverse: false,
    sizeUnit: "base",
  } as const;
  if (suffix === "PERP") {
    return { ...common, symbol: `${base}-${quote}-PERP`, kind: "perpetual" };
  }
  const expiry = expiryDayOfDigits(suffix ?? "");
  if (expiry === undefined) return undefined;
  const symbol = `${base}-${quote}-${expiry.day}`;
  return { ...common, symbol, kind: "future", expiryTimeUs: expiry.timeUs };
}

/**
 * An instrument from its name alone: `BTC_USDT`, `BTCUSD-PERP`, `BTCUSD-261225`. Contracts in
 * another quote asset than US dollars are known from the list only.
 */
export function deriveCryptocomInstrument(venueSymbol: string): Instrument | undefined {
  const [base = "", quote = "", ...others] = venueSymbol.split("_");
  if (others.length > 0 || !ASSET.test(base)) {
    return others.length > 0 ? undefined : deriveContract(venueSymbol);
  }
  return ASSET.test(quote) ? spotPair(CRYPTOCOM, venueSymbol, { base, quote }) : undefined;
}

function deriveContract(venueSymbol: string): Instrument | undefined {
  const [pair = "", suffix, ...others] = venueSymbol.split("-");
  const base = pair.slice(0, -CONTRACT_QUOTE.length);
  if (others.length > 0 || !pair.endsWith(CONTRACT_QUOTE) || !ASSET.test(base)) return undefined;
  return contract(venueSymbol, suffix, { base, quote: CONTRACT_QUOTE });
}
