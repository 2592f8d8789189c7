// https://docs.cdp.coinbase.com/api-reference/exchange-api/rest-api/products/get-all-known-trading-pairs
import { z } from "zod";
import type { Instrument } from "#core/instrument.ts";
import {
  firstFlag,
  type ListedState,
  type StateWords,
  stateOfWord,
} from "../../reading/instrument-words.ts";
import {
  incrementsOf,
  type InstrumentList,
  listInstruments,
  spotPair,
} from "../../reading/listed-instruments.ts";
import { isRecord, parseJson } from "../../reading/text-fields.ts";

const VENUE = "coinbase";

const productSchema = z.object({
  id: z.string(),
  base_currency: z.string().regex(/^[A-Za-z0-9.]+$/),
  quote_currency: z.string().regex(/^[A-Za-z0-9.]+$/),
  quote_increment: z.string().optional().catch(undefined),
  base_increment: z.string().optional().catch(undefined),
});

/** What the venue calls what it does not let one do; the first that is so says most. */
const FLAGS: StateWords = {
  auction_mode: "auction",
  trading_disabled: "halted",
  cancel_only: "cancel-only",
  post_only: "post-only",
  limit_only: "limit-only",
};

const STATES: StateWords = { ...FLAGS, online: "trading", offline: "halted", delisted: "delisted" };

/** The state of a product as a list or the status channel has it. */
export function productState(product: Readonly<Record<string, unknown>>): ListedState {
  const { status } = product;
  const flag = status === "online" || status === undefined ? firstFlag(product, FLAGS) : undefined;
  return stateOfWord(STATES, flag ?? status);
}

/**
 * Reads a list of products; undefined if the body is not one. Delisted products and names that
 * cannot be part of a symbol are left out and counted.
 */
export function parseProducts(body: string): InstrumentList | undefined {
  const products = parseJson(body);
  return Array.isArray(products) ? listInstruments(products, instrumentOf) : undefined;
}

function instrumentOf(product: unknown): Instrument | undefined {
  const parsed = productSchema.safeParse(product);
  if (!parsed.success || !isRecord(product)) return undefined;
  const state = productState(product);
  if (state.state === "delisted") return undefined;
  const { id, base_currency: base, quote_currency: quote } = parsed.data;
  const { quote_increment: price = "", base_increment: size = "" } = parsed.data;
  return { ...productOf(id, { base, quote }), ...incrementsOf({ price, size }), ...state };
}

/**
 * A pair by the name of its product: an auction (`BTCAUCTION-USD`) is of the same assets as the
 * pair that it opens, and is another market.
 */
function productOf(
  id: string,
  assets: { readonly base: string; readonly quote: string },
): Instrument {
  const pair = spotPair(VENUE, id, assets);
  return deriveProduct(id) === undefined ? pair : { ...pair, symbol: id };
}

/** An instrument from its product id alone; undefined if it is none. */
export function deriveProduct(venueSymbol: string): Instrument | undefined {
  const [, base, quote] = /^([A-Z0-9]+)-([A-Z0-9]+)$/.exec(venueSymbol) ?? [];
  if (base === undefined || quote === undefined) return undefined;
  return spotPair(VENUE, venueSymbol, { base, quote });
}
