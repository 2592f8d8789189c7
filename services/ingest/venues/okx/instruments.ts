// https://www.okx.com/docs-v5/en/#public-data-rest-api-get-instruments
// https://www.okx.com/docs-v5/en/#public-data-rest-api-get-mark-price
import {
  canonicalDecimal,
  decimalScale,
  formatDecimal,
  fromBigInt,
  parseMantissa,
} from "@tickwire/proto/model";
import { z } from "zod";
import type { Instrument, InstrumentKind } from "#core/instrument.ts";
import type { FeedEndpoints, RestRequest } from "../../feed/feed-adapter.ts";
import { addressText } from "../../reading/address-text.ts";
import { expiryDayOfDigits } from "../../reading/expiry-days.ts";
import { type StateWords, stateOfWord } from "../../reading/instrument-words.ts";
import {
  incrementsOf,
  type InstrumentList,
  listInstruments,
  spotPair,
} from "../../reading/listed-instruments.ts";
import { isRecord, parseJson, textOf } from "../../reading/text-fields.ts";
import { epochTimeUs } from "../../reading/venue-time.ts";

const VENUE = "okx";

/** An asset name that can be part of a symbol. */
const ASSET = /^[\p{L}\p{N}.]+$/u;
/**
 * `USD_UM`: contracts on the same pair as the coin-margined ones, but margined in dollars;
 * `USD_UM_XPERP`: those of five years that pay funding. The suffix stays in our symbol, or several
 * instruments would have the same.
 */
const QUOTE = /^([\p{L}\p{N}.]+)((?:_[A-Z0-9]+)*)$/u;
const STRIKE = /^\d+(\.\d+)?$/;

/** Instruments in these states do not trade (again). Pauses and auctions are not among them. */
const ENDED = new Set(["expired", "test"]);

export const OKX_STATES: StateWords = {
  live: "trading",
  suspend: "halted",
  rebase: "halted",
  preopen: "pre-open",
  settling: "settling",
  expired: "delisted",
};

/** The venue's word for a kind of instrument; spreads are no instruments to it. */
export const OKX_TYPE_OF_KIND: Readonly<Partial<Record<InstrumentKind, string>>> = {
  spot: "SPOT",
  perpetual: "SWAP",
  future: "FUTURES",
  option: "OPTION",
};

const listSchema = z.object({ code: z.literal("0"), data: z.array(z.unknown()) });

const instrumentSchema = z.object({
  instId: z.string().min(1),
  instType: z.enum(["SPOT", "SWAP", "FUTURES", "OPTION"]),
  state: z.string().optional().catch(undefined),
  settleCcy: z.string().optional().catch(undefined),
  ctVal: z.string().optional().catch(undefined),
  ctMult: z.string().optional().catch(undefined),
  ctValCcy: z.string().optional().catch(undefined),
  ctType: z.string().optional().catch(undefined),
  tickSz: z.string().optional().catch(undefined),
  lotSz: z.string().optional().catch(undefined),
  expTime: z.string().optional().catch(undefined),
});

type ListedInstrument = z.infer<typeof instrumentSchema>;

/**
 * The lists of all types. Options are listed by family only, and which families there are shows in
 * their mark prices, so those are asked for first.
 */
export function okxInstrumentsRequests(endpoints: FeedEndpoints): readonly RestRequest[] {
  const base = `${endpoints.rest}/api/v5/public`;
  return [
    { url: `${base}/instruments?instType=SPOT`, weight: 1 },
    { url: `${base}/instruments?instType=SWAP`, weight: 1 },
    { url: `${base}/instruments?instType=FUTURES`, weight: 1 },
    { url: `${base}/mark-price?instType=OPTION`, weight: 1 },
  ];
}

/**
 * The options of the next family. Which ones are still to come is kept in the fragment of the
 * address, which is never sent.
 */
export function nextOkxInstrumentsRequest(
  request: RestRequest,
  body: string,
): RestRequest | undefined {
  const [address = "", fragment = ""] = request.url.split("#");
  const waiting = isMarkPrices(address) ? familiesOf(body) : fragment.split(",");
  const [next = "", ...rest] = waiting;
  if (next === "") return undefined;
  const base = address.replace(/\/public\/.*$/, "/public");
  const url = `${base}/instruments?instType=OPTION&instFamily=${addressText(next) ?? ""}`;
  return { url: rest.length === 0 ? url : `${url}#${rest.join(",")}`, weight: 1 };
}

/** `BTC-USD` of `BTC-USD-261225-100000-C`, each once. */
function familiesOf(body: string): readonly string[] {
  const list = listSchema.safeParse(parseJson(body));
  const families = new Set<string>();
  for (const entry of list.success ? list.data.data : []) {
    const { instId } = isRecord(entry) ? entry : {};
    if (typeof instId !== "string" || deriveOkxInstrument(instId)?.kind !== "option") continue;
    families.add(instId.split("-").slice(0, 2).join("-"));
  }
  return [...families];
}

function isMarkPrices(url: string): boolean {
  return /\/public\/mark-price\?/.test(url);
}

/** Reads a list; undefined if the body is not one. Mark prices say nothing of the instruments. */
export function parseOkxInstruments(body: string, url: string): InstrumentList | undefined {
  const list = listSchema.safeParse(parseJson(body));
  if (!list.success) return undefined;
  if (isMarkPrices(url)) return { instruments: [], skipped: 0 };
  return listInstruments(list.data.data, toInstrument);
}

function toInstrument(entry: unknown): Instrument | undefined {
  const parsed = instrumentSchema.safeParse(entry);
  if (!parsed.success || ENDED.has(parsed.data.state ?? "")) return undefined;
  const listed = parsed.data;
  const named = deriveOkxInstrument(listed.instId);
  if (named === undefined || OKX_TYPE_OF_KIND[named.kind] !== listed.instType) return undefined;
  const settle = textOf(listed.settleCcy) ?? named.settle;
  const inverse = named.kind === "spot" ? false : (listed.ctType ?? "") === "inverse";
  const contractSize = contractSizeOf(listed, inverse ? named.quote : named.base);
  const expiryTimeUs = epochTimeUs(listed.expTime);
  return {
    ...named,
    settle,
    inverse,
    ...(contractSize === undefined ? {} : { contractSize }),
    ...incrementsOf({ price: listed.tickSz, size: listed.lotSz }),
    ...stateOfWord(OKX_STATES, listed.state),
    ...(expiryTimeUs === undefined || Number.isNaN(expiryTimeUs) || named.expiryTimeUs === undefined
      ? {}
      : { expiryTimeUs }),
  };
}

/** `ctVal` units times `ctMult`, if they are in the currency that an instrument counts in. */
function contractSizeOf(listed: ListedInstrument, currency: string): string | undefined {
  const { ctVal = "", ctMult = "", ctValCcy } = listed;
  if (ctValCcy !== currency) return undefined;
  const value = canonicalDecimal(ctVal);
  const multiplier = canonicalDecimal(ctMult === "" ? "1" : ctMult);
  if (value === undefined || multiplier === undefined) return undefined;
  const [valueScale, multiplierScale] = [decimalScale(value), decimalScale(multiplier)];
  const product =
    BigInt(parseMantissa(value, valueScale)) * BigInt(parseMantissa(multiplier, multiplierScale));
  return product > 0n
    ? formatDecimal(fromBigInt(product), valueScale + multiplierScale)
    : undefined;
}

/**
 * An instrument from its id alone, with the symbol that the list gives it; undefined if it is none.
 * Ids are `BTC-USDT`, `BTC-USDT-SWAP`, `BTC-USD-261225` and `BTC-USD-261225-100000-C`.
 */
export function deriveOkxInstrument(venueSymbol: string): Instrument | undefined {
  const [base = "", family = "", third, strike, side, ...rest] = venueSymbol.split("-");
  const quote = QUOTE.exec(family)?.[1];
  if (!ASSET.test(base) || quote === undefined || rest.length > 0) return undefined;
  const suffix = family.slice(quote.length);
  if (third === undefined) {
    if (suffix !== "") return undefined;
    return { ...spotPair(VENUE, venueSymbol, { base, quote }), sizeUnit: "base" };
  }
  // Contracts on dollars are margined in the coin, unless their name says otherwise.
  const isCoinMargined = quote === "USD" && suffix === "";
  const common = {
    venue: VENUE,
    venueSymbol,
    base,
    quote,
    settle: isCoinMargined ? base : quote,
    sizeUnit: "contract",
  } as const;
  const pair = `${base}-${family}`;
  if (third === "SWAP") {
    if (strike !== undefined) return undefined;
    return { ...common, symbol: `${pair}-PERP`, kind: "perpetual", inverse: isCoinMargined };
  }
  const expiry = expiryDayOfDigits(third);
  if (expiry === undefined) return undefined;
  const symbol = `${pair}-${expiry.day}`;
  const { timeUs: expiryTimeUs } = expiry;
  if (strike === undefined) {
    return { ...common, symbol, kind: "future", inverse: isCoinMargined, expiryTimeUs };
  }
  if (!STRIKE.test(strike) || (side !== "C" && side !== "P")) return undefined;
  return {
    ...common,
    symbol: `${symbol}-${strike}-${side}`,
    kind: "option",
    inverse: false,
    expiryTimeUs,
    strike: canonicalDecimal(strike) ?? strike,
    optionType: side === "C" ? "call" : "put",
  };
}

/** True for a dated future that pays funding as a perpetual does. */
export function isOkxXperp(instrument: Instrument): boolean {
  return instrument.kind === "future" && /_XPERP-/.test(instrument.venueSymbol);
}

/** The index that a derivative follows: `BTC-USD` for `BTC-USD_UM-SWAP`. */
export function okxIndexOf(venueSymbol: string): string | undefined {
  const [base = "", family = ""] = venueSymbol.split("-");
  const quote = QUOTE.exec(family)?.[1];
  return base === "" || quote === undefined ? undefined : `${base}-${quote}`;
}
