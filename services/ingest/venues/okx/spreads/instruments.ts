// https://www.okx.com/docs-v5/en/#spread-trading-rest-api-get-spreads-public
import { z } from "zod";
import type { Instrument } from "#core/instrument.ts";
import { stateOfWord } from "../../../reading/instrument-words.ts";
import {
  incrementsOf,
  type InstrumentList,
  listInstruments,
} from "../../../reading/listed-instruments.ts";
import { parseJson } from "../../../reading/text-fields.ts";
import { deriveOkxInstrument, OKX_STATES } from "../instruments.ts";

/** The id of the venue. */
export const OKX_SPREADS = "okx-spreads";

/** Between the legs of a spread, and in the names of some of them (`BTC-USD_UM-SWAP`). */
const JOINT = "_";

const listSchema = z.object({ code: z.literal("0"), data: z.array(z.unknown()) });

const spreadSchema = z.object({
  sprdId: z.string().min(1),
  state: z.string(),
  baseCcy: z.string(),
  quoteCcy: z.string(),
  szCcy: z.string(),
  tickSz: z.string().optional().catch(undefined),
  lotSz: z.string().optional().catch(undefined),
});

/** Spreads that trade, or may again; one is expired with the first of its legs. */
const LISTED: ReadonlySet<string> = new Set(["live", "suspend"]);

/** Reads the list of spreads; undefined if the body is none. */
export function parseOkxSpreads(body: string): InstrumentList | undefined {
  const list = listSchema.safeParse(parseJson(body));
  return list.success ? listInstruments(list.data.data, spreadOf) : undefined;
}

/** The list says what sizes count; a spread that counts a third asset has no form here. */
function spreadOf(entry: unknown): Instrument | undefined {
  const parsed = spreadSchema.safeParse(entry);
  if (!parsed.success || !LISTED.has(parsed.data.state)) return undefined;
  const { sprdId, baseCcy: base, quoteCcy: quote, szCcy, tickSz, lotSz } = parsed.data;
  const spread = deriveOkxSpread(sprdId);
  if (spread === undefined || (szCcy !== base && szCcy !== quote)) return undefined;
  return {
    ...spread,
    base,
    quote,
    sizeUnit: szCcy === base ? "base" : "quote",
    ...incrementsOf({ price: tickSz, size: lotSz }),
    ...stateOfWord(OKX_STATES, parsed.data.state),
  };
}

/**
 * A spread from its id, which names the leg that is sold and the one that is bought:
 * `BTC-USDT_BTC-USDT-SWAP`. Between contracts that are margined in the coin, sizes count dollars.
 */
export function deriveOkxSpread(venueSymbol: string): Instrument | undefined {
  const legs = legsOf(venueSymbol);
  if (legs === undefined) return undefined;
  const [sold, bought] = legs;
  const inverse = sold.inverse && bought.inverse;
  const ends = legs.flatMap(({ expiryTimeUs }) => (expiryTimeUs === undefined ? [] : expiryTimeUs));
  return {
    venue: OKX_SPREADS,
    symbol: `${sold.symbol}${JOINT}${bought.symbol}`,
    venueSymbol,
    kind: "combo",
    base: sold.base,
    quote: sold.quote,
    settle: inverse ? sold.base : sold.quote,
    inverse,
    sizeUnit: inverse ? "quote" : "base",
    ...(ends.length === 0 ? {} : { expiryTimeUs: Math.min(...ends) }),
  };
}

function legsOf(venueSymbol: string): readonly [Instrument, Instrument] | undefined {
  const parts = venueSymbol.split(JOINT);
  for (let cut = 1; cut < parts.length; cut += 1) {
    const sold = deriveOkxInstrument(parts.slice(0, cut).join(JOINT));
    const bought = deriveOkxInstrument(parts.slice(cut).join(JOINT));
    if (sold !== undefined && bought !== undefined) return [sold, bought];
  }
  return undefined;
}
