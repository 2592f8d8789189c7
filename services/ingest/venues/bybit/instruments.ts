// https://bybit-exchange.github.io/docs/v5/market/instrument
import { canonicalDecimal } from "@tickwire/proto/model";
import { z } from "zod";
import type { Instrument } from "#core/instrument.ts";
import type { FeedEndpoints, RestRequest } from "../../feed/feed-adapter.ts";
import { addressText } from "../../reading/address-text.ts";
import { type ListedState, type StateWords, stateOfWord } from "../../reading/instrument-words.ts";
import {
  incrementsOf,
  type InstrumentList,
  listInstruments,
} from "../../reading/listed-instruments.ts";
import { parseJson } from "../../reading/text-fields.ts";
import { epochTimeUs } from "../../reading/venue-time.ts";
import { BYBIT_CATEGORIES, type BybitCategory, categoryOfUrl } from "./requests.ts";

const VENUE = "bybit";

/** Options are listed by base asset; for one that has none the list is empty. */
const OPTION_BASES = ["BTC", "ETH", "SOL", "XRP", "MNT", "DOGE", "XAUT"];

/** Instruments in these states do not trade any more. */
const ENDED = new Set(["Closed", "Delivering", "Settling"]);

const STATES: StateWords = { Trading: "trading", PreLaunch: "pre-open" };

/** Phases of a contract before its launch, which say more than its status. */
const PHASES: StateWords = {
  NotStarted: "pre-open",
  CallAuction: "auction",
  CallAuctionNoCancel: "auction",
  CrossMatching: "auction",
  ContinuousTrading: "trading",
  Finished: "trading",
};

/** An asset name that can be part of a symbol. */
const ASSET = /^[\p{L}\p{N}.]+$/u;

/** Quote assets of spot, longest first, for splitting a symbol that no list explains. */
const SPOT_QUOTES =
  "USDT USDC USDE USDR USDQ USD1 RLUSD EUR BRL PLN TRY BRZ DAI BTC ETH MNT SOL".split(" ");

const MONTHS = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split(" ");

const listSchema = z.object({
  retCode: z.literal(0),
  result: z.object({
    category: z.enum(BYBIT_CATEGORIES).optional().catch(undefined),
    list: z.array(z.unknown()),
    nextPageCursor: z.string().optional().catch(undefined),
  }),
});

const instrumentSchema = z.object({
  symbol: z.string().min(1),
  status: z.string().optional().catch(undefined),
  contractType: z.string().optional().catch(undefined),
  baseCoin: z.string().regex(ASSET),
  quoteCoin: z.string().regex(ASSET),
  settleCoin: z.string().regex(ASSET).optional().catch(undefined),
  deliveryTime: z.string().optional().catch(undefined),
  preListingInfo: z
    .object({ curAuctionPhase: z.string().optional().catch(undefined) })
    .nullish()
    .catch(undefined),
  priceFilter: z
    .object({ tickSize: z.string().optional().catch(undefined) })
    .optional()
    .catch(undefined),
  lotSizeFilter: z
    .object({
      qtyStep: z.string().optional().catch(undefined),
      basePrecision: z.string().optional().catch(undefined),
    })
    .optional()
    .catch(undefined),
});

type ListedInstrument = z.infer<typeof instrumentSchema>;

/** What `parseInstruments` of a feed adapter returns. */
/**
 * The first page of each list. Spot comes in one page; contracts that are traded before their
 * listing have a list of their own.
 */
export function bybitInstrumentsRequests(endpoints: FeedEndpoints): readonly RestRequest[] {
  const base = `${endpoints.rest}/v5/market/instruments-info?category=`;
  const queries = [
    "spot",
    "linear&limit=1000",
    "linear&status=PreLaunch&limit=1000",
    "inverse&limit=1000",
    ...OPTION_BASES.map((asset) => `option&baseCoin=${asset}&limit=1000`),
  ];
  return queries.map((query) => ({ url: base + query, weight: 1 }));
}

/** The page that the answer's cursor points to. */
export function nextBybitInstrumentsRequest(
  request: RestRequest,
  body: string,
): RestRequest | undefined {
  const list = listSchema.safeParse(parseJson(body));
  const cursor = list.success ? (list.data.result.nextPageCursor ?? "") : "";
  if (cursor === "") return undefined;
  const first = request.url.replace(/&cursor=[^&]*/, "");
  // The cursor may come percent-encoded already; encoding it again would name another page.
  const isEncoded = /%[0-9A-Fa-f]{2}/.test(cursor);
  const next = isEncoded ? cursor : addressText(cursor);
  return next === undefined ? undefined : { url: `${first}&cursor=${next}`, weight: 1 };
}

/** Reads one page; undefined if the body is none. */
export function parseBybitInstruments(body: string, url: string): InstrumentList | undefined {
  const list = listSchema.safeParse(parseJson(body));
  if (!list.success) return undefined;
  const category = categoryOfUrl(url) ?? list.data.result.category;
  if (category === undefined) return undefined;
  return listInstruments(list.data.result.list, (entry) => {
    const parsed = instrumentSchema.safeParse(entry);
    if (!parsed.success || ENDED.has(parsed.data.status ?? "")) return undefined;
    return toInstrument(parsed.data, category);
  });
}

function toInstrument(listed: ListedInstrument, category: BybitCategory): Instrument | undefined {
  const { symbol: venueSymbol, baseCoin: base, quoteCoin } = listed;
  const settle = listed.settleCoin ?? quoteCoin;
  const deliveryTimeUs = epochTimeUs(listed.deliveryTime);
  const { priceFilter, lotSizeFilter: lot } = listed;
  const size = lot?.qtyStep ?? lot?.basePrecision;
  const details = {
    ...incrementsOf({ price: priceFilter?.tickSize, size }),
    ...bybitState(listed.status, listed.preListingInfo?.curAuctionPhase),
  };
  if (category === "spot") {
    return { ...spot({ venueSymbol, base, quote: quoteCoin }), ...details };
  }
  if (category === "option") {
    const option = optionOf(venueSymbol);
    if (option === undefined || option.base !== base) return undefined;
    return { ...option, settle, ...details, ...expiryField(deliveryTimeUs) };
  }
  const names = { venueSymbol, base, quote: quoteCoin, settle };
  switch (listed.contractType) {
    case "LinearPerpetual":
    case "InversePerpetual":
      return { ...perpetual(names, category), ...details };
    case "LinearFutures":
    case "InverseFutures": {
      // Inverse futures are named by a letter for the month, so only the list knows their day.
      const time = expiryOfName(venueSymbol)?.timeUs ?? deliveryTimeUs;
      if (time === undefined || Number.isNaN(time)) return undefined;
      return { ...future(names, category, time), ...details, ...expiryField(deliveryTimeUs) };
    }
    case undefined:
    default:
      return undefined;
  }
}

/** Of a contract by its status, or by its phase while it is not launched. */
export function bybitState(status: unknown, phase: unknown): ListedState {
  const phased = stateOfWord(PHASES, phase);
  const isPhased = status === "PreLaunch" && phased.state !== undefined;
  return isPhased ? phased : stateOfWord(STATES, status);
}

function expiryField(timeUs: number | undefined): { readonly expiryTimeUs?: number } {
  return timeUs === undefined || Number.isNaN(timeUs) ? {} : { expiryTimeUs: timeUs };
}

/**
 * An instrument from its venue symbol and category alone, with the symbol that the list gives it;
 * undefined if it is none, or its day of expiry is not in its name.
 */
export function deriveBybitInstrument(
  venueSymbol: string,
  venueMarket: string | undefined,
): Instrument | undefined {
  switch (venueMarket) {
    case "spot":
      return deriveSpot(venueSymbol);
    case "linear":
      return deriveLinear(venueSymbol);
    case "inverse": {
      const base = /^([\p{L}\p{N}]+)USD$/u.exec(venueSymbol)?.[1];
      if (base === undefined) return undefined;
      return perpetual({ venueSymbol, base, quote: "USD", settle: base }, "inverse");
    }
    case "option":
      return optionOf(venueSymbol);
    case undefined:
    default:
      return undefined;
  }
}

function deriveSpot(venueSymbol: string): Instrument | undefined {
  const quote = SPOT_QUOTES.find((asset) => venueSymbol.endsWith(asset) && venueSymbol !== asset);
  const base = venueSymbol.slice(0, -(quote?.length ?? 0));
  return quote === undefined || !ASSET.test(base) ? undefined : spot({ venueSymbol, base, quote });
}

/** `BTCUSDT` and `BTCPERP` (in USDC), `BTCUSDT-25DEC26` and `BTC-25DEC26` (in USDC). */
function deriveLinear(venueSymbol: string): Instrument | undefined {
  const [pair = "", day, ...rest] = venueSymbol.split("-");
  if (rest.length > 0) return undefined;
  const ending = day === undefined ? /(USDT|PERP)$/.exec(pair)?.[1] : /(USDT)?$/.exec(pair)?.[1];
  const base = pair.slice(0, pair.length - (ending?.length ?? 0));
  if (!ASSET.test(base) || (day === undefined && ending === undefined)) return undefined;
  const quote = ending === "USDT" ? "USDT" : "USDC";
  const names = { venueSymbol, base, quote, settle: quote };
  if (day === undefined) return perpetual(names, "linear");
  const expiry = expiryOf(day);
  return expiry === undefined ? undefined : future(names, "linear", expiry.timeUs);
}

type Names = {
  readonly venueSymbol: string;
  readonly base: string;
  readonly quote: string;
  readonly settle: string;
};

function spot(names: Omit<Names, "settle">): Instrument {
  const { base, quote } = names;
  return {
    venue: VENUE,
    venueMarket: "spot",
    ...names,
    symbol: `${base}-${quote}`,
    kind: "spot",
    settle: quote,
    inverse: false,
    sizeUnit: "base",
  };
}

/** Sizes of inverse contracts count dollars, all others the base asset. */
function sizesOf(category: "linear" | "inverse"): Pick<Instrument, "inverse" | "sizeUnit"> {
  const inverse = category === "inverse";
  return { inverse, sizeUnit: inverse ? "quote" : "base" };
}

function perpetual(names: Names, category: "linear" | "inverse"): Instrument {
  const symbol = `${names.base}-${names.quote}-PERP`;
  const common = { venue: VENUE, venueMarket: category, ...names, ...sizesOf(category) };
  return { ...common, symbol, kind: "perpetual" };
}

function future(names: Names, category: "linear" | "inverse", expiryTimeUs: number): Instrument {
  const day = new Date(expiryTimeUs / 1000).toISOString().slice(0, 10).replaceAll("-", "");
  const symbol = `${names.base}-${names.quote}-${day}`;
  const common = { venue: VENUE, venueMarket: category, ...names, ...sizesOf(category) };
  return { ...common, symbol, kind: "future", expiryTimeUs };
}

/**
 * `BTC-25DEC26-100000-C`, in USDC, or the same with `-USDT` behind it. The list says that the
 * former are quoted in USD; they are paid in USDC, and what pays them is what tells the two apart.
 */
function optionOf(venueSymbol: string): Instrument | undefined {
  const [base = "", day = "", strike = "", side, settle = "USDC", ...rest] = venueSymbol.split("-");
  const expiry = expiryOf(day);
  if (!ASSET.test(base) || !/^[A-Z]+$/.test(settle) || rest.length > 0) return undefined;
  if (expiry === undefined || !/^\d+(\.\d+)?$/.test(strike)) return undefined;
  if (side !== "C" && side !== "P") return undefined;
  return {
    venue: VENUE,
    venueMarket: "option",
    venueSymbol,
    symbol: `${base}-${settle}-${expiry.day}-${strike}-${side}`,
    kind: "option",
    base,
    quote: settle,
    settle,
    inverse: false,
    sizeUnit: "base",
    expiryTimeUs: expiry.timeUs,
    strike: canonicalDecimal(strike) ?? strike,
    optionType: side === "C" ? "call" : "put",
  };
}

function expiryOfName(venueSymbol: string): { readonly timeUs: number } | undefined {
  return expiryOf(venueSymbol.split("-")[1] ?? "");
}

/** `25DEC26`, at 08:00 UTC. Undefined for days that do not exist. */
function expiryOf(text: string): { readonly day: string; readonly timeUs: number } | undefined {
  const parts = /^(\d{1,2})([A-Z]{3})(\d{2})$/.exec(text);
  const month = MONTHS.indexOf(parts?.[2] ?? "");
  if (parts === null || month < 0) return undefined;
  const time = new Date(Date.UTC(2000 + Number(parts[3]), month, Number(parts[1]), 8));
  if (time.getUTCMonth() !== month) return undefined;
  const day = time.toISOString().slice(0, 10).replaceAll("-", "");
  return { day, timeUs: time.getTime() * 1000 };
}
