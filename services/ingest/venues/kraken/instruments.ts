// The pairs of Kraken, as both versions of its public feed name them.
// https://docs.kraken.com/exchange/api-reference/spot-rest (GET /0/public/AssetPairs)
import { z } from "zod";
import type { Instrument } from "#core/instrument.ts";
import type { FeedEndpoints, RestRequest } from "../../feed/feed-adapter.ts";
import { type StateWords, stateOfWord } from "../../reading/instrument-words.ts";
import {
  incrementsOf,
  type InstrumentList,
  listInstruments,
  spotPair,
} from "../../reading/listed-instruments.ts";
import { parseJson } from "../../reading/text-fields.ts";

/** Kraken's old names of two assets, which v1 and REST still use. */
const ASSET_NAMES: ReadonlyMap<string, string> = new Map([
  ["XBT", "BTC"],
  ["XDG", "DOGE"],
]);

/** Some assets have lower-case letters in their name (`AAPLx`). */
const ASSET = /^[A-Za-z0-9.]{1,32}$/;

/** Of pairs, and of the exchange as a whole. */
export const KRAKEN_STATES: StateWords = {
  online: "trading",
  cancel_only: "cancel-only",
  post_only: "post-only",
  limit_only: "limit-only",
  reduce_only: "reduce-only",
  maintenance: "maintenance",
  work_in_progress: "pre-open",
  delisted: "delisted",
};

const listSchema = z.object({ result: z.record(z.string(), z.unknown()) });

const pairSchema = z.object({
  wsname: z.string(),
  status: z.string().optional().catch(undefined),
  execution_venue: z.string().optional().catch(undefined),
  pair_decimals: z.number().int().min(0).max(32),
  lot_decimals: z.number().int().min(0).max(32),
  /** May be in exponent notation. */
  tick_size: z.string().optional().catch(undefined),
});

/** How a version of the feed names a pair that REST calls `wsname`. */
type KrakenNaming = {
  readonly venue: string;
  readonly venueSymbolOf: (wsname: string) => string;
};

/** The requests that list pairs: those of currencies, and those of stocks as tokens (`AAPLx`). */
export function assetPairsRequests(endpoints: FeedEndpoints): readonly RestRequest[] {
  const url = `${endpoints.rest}/0/public/AssetPairs`;
  return [
    { url, weight: 1 },
    { url: `${url}?aclass_base=${TOKENIZED}`, weight: 1 },
  ];
}

const TOKENIZED = "tokenized_asset";

/**
 * What requests for the data of a pair add to their address. The names of stocks as tokens end in a
 * small x, which those of currencies do not have.
 */
export function assetClassQuery({ base }: Instrument): string {
  return base.endsWith("x") ? `&asset_class=${TOKENIZED}` : "";
}

/**
 * Reads an AssetPairs body; undefined if it is not one. Pairs without a WebSocket name (dark pools)
 * and those that would get a symbol that another one has are left out and counted.
 */
export function parseAssetPairs(body: string, naming: KrakenNaming): InstrumentList | undefined {
  const list = listSchema.safeParse(parseJson(body));
  if (!list.success) return undefined;
  return listInstruments(Object.values(list.data.result), (entry) => toInstrument(entry, naming));
}

function toInstrument(entry: unknown, naming: KrakenNaming): Instrument | undefined {
  const parsed = pairSchema.safeParse(entry);
  if (!parsed.success || parsed.data.status === "delisted") return undefined;
  if (!isOfExchange(parsed.data.execution_venue)) return undefined;
  const { wsname, tick_size: tickSize, pair_decimals, lot_decimals } = parsed.data;
  const instrument = deriveKrakenInstrument(naming.venueSymbolOf(wsname), naming.venue);
  if (instrument === undefined) return undefined;
  const price = tickSize ?? `1e-${pair_decimals}`;
  const increments = incrementsOf({ price, size: `1e-${lot_decimals}` });
  return { ...instrument, ...increments, ...stateOfWord(KRAKEN_STATES, parsed.data.status) };
}

/**
 * Since April 2026 the same pair may be listed for another place of execution too, whose book is
 * another one.
 */
export function isOfExchange(executionVenue: string | undefined): boolean {
  return executionVenue === undefined || executionVenue === "international";
}

/** The pair as v2 writes it: `XBT/USD` is `BTC/USD` there. */
export function modernPairName(wsname: string): string {
  return wsname.split("/").map(modernAssetName).join("/");
}

/**
 * An instrument from `BASE/QUOTE` alone, in the old or the new names; undefined if it is no such
 * text.
 */
export function deriveKrakenInstrument(venueSymbol: string, venue: string): Instrument | undefined {
  const parts = venueSymbol.split("/");
  const [base, quote] = parts.map(modernAssetName);
  if (parts.length !== 2 || base === undefined || quote === undefined) return undefined;
  if (!ASSET.test(base) || !ASSET.test(quote)) return undefined;
  return spotPair(venue, venueSymbol, { base, quote });
}

function modernAssetName(asset: string): string {
  return ASSET_NAMES.get(asset) ?? asset;
}
