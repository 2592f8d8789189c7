// https://docs.cdp.coinbase.com/api-reference/advanced-trade-api/rest-api/public/list-public-products
import { canonicalDecimal } from "@tickwire/proto/model";
import { z } from "zod";
import type { Instrument } from "#core/instrument.ts";
import { firstFlag, type StateWords, stateOfWord } from "../../../reading/instrument-words.ts";
import {
  incrementsOf,
  type InstrumentList,
  listInstruments,
  spotPair,
} from "../../../reading/listed-instruments.ts";
import { parseJson } from "../../../reading/text-fields.ts";
import { isBadTime, parseIsoTimeUs } from "../../../reading/venue-time.ts";

const VENUE = "coinbase-advanced";

const ASSET = /^[A-Za-z0-9.]+$/;

const listSchema = z.object({ products: z.array(z.unknown()) });

const productSchema = z.object({
  product_id: z.string().min(1),
  product_type: z.string().nullish().catch(undefined),
  base_currency_id: z.string().nullish().catch(undefined),
  quote_currency_id: z.string().regex(ASSET),
  price_increment: z.string().nullish().catch(undefined),
  quote_increment: z.string().nullish().catch(undefined),
  base_increment: z.string().nullish().catch(undefined),
  status: z.string().nullish().catch(undefined),
  is_disabled: z.boolean().nullish().catch(undefined),
  trading_disabled: z.boolean().nullish().catch(undefined),
  cancel_only: z.boolean().nullish().catch(undefined),
  post_only: z.boolean().nullish().catch(undefined),
  limit_only: z.boolean().nullish().catch(undefined),
  auction_mode: z.boolean().nullish().catch(undefined),
  alias: z.string().nullish().catch(undefined),
  future_product_details: z
    .object({
      contract_expiry: z.string().nullish().catch(undefined),
      contract_expiry_type: z.string().nullish().catch(undefined),
      contract_root_unit: z.string().nullish().catch(undefined),
      contract_size: z.string().nullish().catch(undefined),
      display_name: z.string().nullish().catch(undefined),
      funding_rate: z.string().nullish().catch(undefined),
      perpetual_details: z
        .object({ funding_rate: z.string().nullish().catch(undefined) })
        .nullish()
        .catch(undefined),
    })
    .nullish()
    .catch(undefined),
});

type Product = z.infer<typeof productSchema>;

type Details = NonNullable<Product["future_product_details"]>;

/** What the venue calls what it does not let one do; the first that is so says most. */
const FLAGS: StateWords = {
  is_disabled: "halted",
  auction_mode: "auction",
  trading_disabled: "halted",
  cancel_only: "cancel-only",
  post_only: "post-only",
  limit_only: "limit-only",
};

const STATES: StateWords = { ...FLAGS, online: "trading", offline: "halted" };

/** Of products that are halted, and of those that ended. */
const PAUSED: ReadonlySet<string> = new Set(["is_disabled"]);

/**
 * Reads a list of products; undefined if the body is not one. What no longer trades is left out and
 * counted. An alias (`BTC-USDC`) has the product that it stands for as its market: the venue sends
 * its data under that name.
 */
export function parseAdvancedProducts(body: string): InstrumentList | undefined {
  const list = listSchema.safeParse(parseJson(body));
  return list.success ? listInstruments(list.data.products, toInstrument, PAUSED) : undefined;
}

function toInstrument(entry: unknown): Instrument | undefined {
  const parsed = productSchema.safeParse(entry);
  if (!parsed.success || isLeftOut(parsed.data)) return undefined;
  const product = parsed.data;
  const instrument = instrumentOf(product);
  const price = product.price_increment ?? product.quote_increment ?? "";
  const increments = incrementsOf({ price, size: product.base_increment ?? "" });
  const state = stateOfWord(STATES, firstFlag(product, FLAGS) ?? product.status);
  return instrument === undefined ? undefined : { ...instrument, ...increments, ...state };
}

function isLeftOut({ status }: Product): boolean {
  return status === "delisted";
}

function instrumentOf(product: Product): Instrument | undefined {
  const details = product.future_product_details;
  const derived = deriveAdvancedProduct(product.product_id);
  if (details === null || details === undefined || product.product_type !== "FUTURE") {
    const { base_currency_id: id, quote_currency_id: quote } = product;
    const base = id ?? "";
    if (!ASSET.test(base)) return undefined;
    // Another market of the same assets, such as an auction, has a name of its own.
    const pair = spotPair(VENUE, product.product_id, { base, quote });
    const alias = product.alias ?? "";
    const named = alias === "" ? pair : { ...pair, venueMarket: alias };
    return derived?.kind === "spot" ? { ...named, symbol: derived.symbol } : named;
  }
  if (derived === undefined || derived.kind === "spot") return undefined;
  const root = details.contract_root_unit ?? "";
  const contractSize = canonicalDecimal(details.contract_size ?? "");
  const own = {
    ...derived,
    base: ASSET.test(root) ? root : derived.base,
    ...(contractSize === undefined ? {} : { contractSize }),
  };
  if (derived.kind !== "future") return own;
  if (isPerpetual(details)) return { ...own, symbol: perpetualOf(derived.base), kind: "perpetual" };
  const expiryTimeUs = parseIsoTimeUs(details.contract_expiry);
  if (expiryTimeUs === undefined || isBadTime(expiryTimeUs)) return own;
  return { ...own, expiryTimeUs };
}

/**
 * Perpetuals in the American style end years from now and are called dated ones
 * (`BIP-20DEC30-CDE`). Funding tells them apart.
 */
function isPerpetual({ funding_rate: rate, perpetual_details: more, display_name: name }: Details) {
  return (rate ?? "") !== "" || (more?.funding_rate ?? "") !== "" || /\bPERP\b/.test(name ?? "");
}

function perpetualOf(code: string): string {
  return `${code}-USD-PERP`;
}

/** Where every perpetual of today has its end, as their ids say it. */
const PERPETUAL_END = "20DEC30";

const MONTHS = "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC";

/**
 * An instrument from its product id alone; undefined if it is none. `BTC-USD` is spot,
 * `BTC-PERP-INTX` a perpetual in USDC. `BIT-24APR26-CDE` is a dated contract in USD, whose code
 * stays the base of its symbol, since contracts of several sizes exist on one asset (BIT, BTI).
 * What ends on 20 December 2030 is a perpetual in the American style.
 */
export function deriveAdvancedProduct(
  venueSymbol: string,
  venueMarket?: string,
): Instrument | undefined {
  const perpetual = /^([A-Z0-9]+)-PERP-INTX$/.exec(venueSymbol)?.[1];
  if (perpetual !== undefined) {
    return {
      ...contract({ venueSymbol, base: perpetual, quote: "USDC" }),
      symbol: `${perpetual}-USDC-PERP`,
      kind: "perpetual",
    };
  }
  const dated = /^([A-Z0-9]+)-(\d\d)([A-Z]{3})(\d\d)-CDE$/.exec(venueSymbol);
  if (dated !== null) {
    const [, code = "", day = "", monthName = "", year = ""] = dated;
    const month = MONTHS.indexOf(monthName) / 3 + 1;
    if (!Number.isInteger(month) || month < 1) return undefined;
    const common = contract({ venueSymbol, base: code, quote: "USD" });
    if (`${day}${monthName}${year}` === PERPETUAL_END) {
      return { ...common, symbol: perpetualOf(code), kind: "perpetual" };
    }
    const date = `20${year}${String(month).padStart(2, "0")}${day}`;
    return { ...common, symbol: `${code}-USD-${date}`, kind: "future" };
  }
  const [, base, quote] = /^([A-Z0-9]+)-([A-Z0-9]+)$/.exec(venueSymbol) ?? [];
  if (base === undefined || quote === undefined) return undefined;
  const pair = spotPair(VENUE, venueSymbol, { base, quote });
  return venueMarket === undefined ? pair : { ...pair, venueMarket };
}

type Names = { readonly venueSymbol: string; readonly base: string; readonly quote: string };

function contract({ venueSymbol, base, quote }: Names): Omit<Instrument, "symbol" | "kind"> {
  const common = { venue: VENUE, venueSymbol, base, quote, settle: quote };
  return { ...common, inverse: false, sizeUnit: "contract" };
}
