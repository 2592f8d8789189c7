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

/**
 * What a venue of the family lists: spot pairs, or futures margined in the quote asset, or in the
 * base asset.
 */
export type BinanceMarket = "spot" | "usdm" | "coinm";

/** Quote assets, current and retired, for splitting a symbol that no list explains. */
const QUOTE_ASSETS: Readonly<Record<BinanceMarket, readonly string[]>> = {
  spot: longestFirst([
    ..."USDT USDC FDUSD BUSD TUSD USDP USDS USD1 USDE PAX DAI VAI EURI UST".split(" "),
    ..."BTC ETH BNB XRP TRX DOGE DOT SOL XUSD BFUSD RLUSD".split(" "),
    ..."EUR GBP AUD TRY BRL RUB UAH NGN ZAR BIDR IDRT BKRW BVND GYEN JPY MXN ARS PLN RON CZK".split(
      " ",
    ),
    ..."COP KZT".split(" "),
  ]),
  usdm: longestFirst("USDT USDC BUSD FDUSD USD1 BTC".split(" ")),
  coinm: ["USD"],
};

/** An asset name that can be part of a symbol. Some listings have names outside ASCII. */
const ASSET = /^[\p{L}\p{N}._]+$/u;
const DATED = /^([^_]+)_(\d{6})$/;

const FUTURES_ENDED = new Set(["CLOSE", "SETTLING", "DELIVERED", "DELIVERING"]);

/** Statuses of symbols that will not trade (again); nothing ever comes on their streams. */
const ENDED: Readonly<Record<BinanceMarket, ReadonlySet<string>>> = {
  spot: new Set(),
  usdm: FUTURES_ENDED,
  coinm: FUTURES_ENDED,
};

/** Delisted, or paused for maintenance: nothing tells the two apart. */
const PAUSED: ReadonlySet<string> = new Set(["BREAK"]);
const NONE: ReadonlySet<string> = new Set();

const STATES: StateWords = {
  TRADING: "trading",
  PRE_TRADING: "pre-open",
  PENDING_TRADING: "pre-open",
  AUCTION_MATCH: "auction",
  HALT: "halted",
  CANCEL_ONLY: "cancel-only",
  BREAK: "maintenance",
  END_OF_DAY: "closed",
  POST_TRADING: "closed",
  PRE_SETTLE: "settling",
  PRE_DELIVERING: "settling",
};

/** What is told of contracts on a connection; those that have ended, the list leaves out. */
export const CONTRACT_STATES: StateWords = {
  ...STATES,
  SETTLING: "settling",
  DELIVERING: "settling",
  CLOSE: "delisted",
  DELIVERED: "delisted",
};

/** Those on shares and metals (TRADIFI) differ in what they follow, not in how they trade. */
const PERPETUAL_CONTRACTS = new Set(["PERPETUAL", "TRADIFI_PERPETUAL"]);
const DATED_CONTRACTS = new Set(["CURRENT_MONTH", "NEXT_MONTH", "CURRENT_QUARTER", "NEXT_QUARTER"]);

const listSchema = z.object({ symbols: z.array(z.unknown()) });

const symbolSchema = z.object({
  symbol: z.string().min(1),
  status: z.string().optional().catch(undefined),
  /** What COIN-M calls its status. */
  contractStatus: z.string().optional().catch(undefined),
  contractSize: z.number().int().positive().optional().catch(undefined),
  contractType: z.string().optional().catch(undefined),
  deliveryDate: z.number().int().positive().optional().catch(undefined),
  baseAsset: z.string().regex(ASSET),
  quoteAsset: z.string().regex(ASSET),
  marginAsset: z.string().regex(ASSET).optional().catch(undefined),
  filters: z
    .array(
      z.object({
        filterType: z.string(),
        tickSize: z.string().optional().catch(undefined),
        stepSize: z.string().optional().catch(undefined),
      }),
    )
    .default([]),
});

type ListedSymbol = z.infer<typeof symbolSchema>;

/**
 * Reads an `exchangeInfo` body; undefined if it is not one. Left out and counted: symbols that no
 * longer trade, contract types without a Tickwire form, and any symbol whose name another one has.
 * On spot, BREAK means either delisted or paused for maintenance, and nothing tells them apart;
 * while not one symbol trades it is maintenance, and all are kept.
 */
export function parseExchangeInfo(
  body: string,
  { venue, market }: { venue: string; market: BinanceMarket },
): InstrumentList | undefined {
  const list = listSchema.safeParse(parseJson(body));
  if (!list.success) return undefined;
  const isOpen = list.data.symbols.some(isTrading);
  const ended = isOpen ? ENDED[market] : NONE;
  const venueNames = new Set<string>();
  const read = (entry: unknown): Instrument | undefined => {
    const parsed = symbolSchema.safeParse(entry);
    if (!parsed.success || ended.has(statusOf(parsed.data) ?? "")) return undefined;
    if (venueNames.has(parsed.data.symbol)) return undefined;
    const instrument = toInstrument(parsed.data, venue, market);
    if (instrument === undefined) return undefined;
    venueNames.add(instrument.venueSymbol);
    return { ...instrument, ...stateOfWord(STATES, statusOf(parsed.data)) };
  };
  return listInstruments(list.data.symbols, read, isOpen ? PAUSED : NONE);
}

/**
 * An instrument from its venue symbol alone, by the quote assets that Binance is known to use;
 * undefined if none fits. The same symbol as the list would give it, without increments.
 */
export function deriveBinanceInstrument(
  venueSymbol: string,
  { venue, market }: { venue: string; market: BinanceMarket },
): Instrument | undefined {
  const dated = market === "spot" ? null : DATED.exec(venueSymbol);
  const perpetual = market === "coinm" ? /^(.+)_PERP$/.exec(venueSymbol) : null;
  if (market === "coinm" && dated === null && perpetual === null) return undefined;
  const pair = dated?.[1] ?? perpetual?.[1] ?? venueSymbol;
  if (!/^[\p{Lu}\p{Lo}\p{N}]+$/u.test(pair)) return undefined;
  const quote = QUOTE_ASSETS[market].find((asset) => pair.endsWith(asset) && pair !== asset);
  if (quote === undefined) return undefined;
  const base = pair.slice(0, -quote.length);
  const common = {
    venue,
    venueSymbol,
    base,
    quote,
    settle: market === "coinm" ? base : quote,
    inverse: market === "coinm",
    ...contractOf(market, undefined),
  };
  if (market === "spot") return { ...common, symbol: `${base}-${quote}`, kind: "spot" };
  if (dated === null) return { ...common, symbol: `${base}-${quote}-PERP`, kind: "perpetual" };
  const expiry = expiryDayOfDigits(dated[2] ?? "");
  if (expiry === undefined) return undefined;
  const symbol = `${base}-${quote}-${expiry.day}`;
  return { ...common, symbol, kind: "future", expiryTimeUs: expiry.timeUs };
}

function toInstrument(
  listed: ListedSymbol,
  venue: string,
  market: BinanceMarket,
): Instrument | undefined {
  const { baseAsset: base, quoteAsset: quote, symbol: venueSymbol } = listed;
  const stepsOf = (filter: string) => listed.filters.find((each) => each.filterType === filter);
  const increments = incrementsOf({
    price: stepsOf("PRICE_FILTER")?.tickSize,
    size: stepsOf("LOT_SIZE")?.stepSize,
  });
  if (market === "spot") return { ...spotPair(venue, venueSymbol, { base, quote }), ...increments };
  const pair = `${base}-${quote}`;
  const settle = listed.marginAsset ?? quote;
  const common = {
    venue,
    venueSymbol,
    base,
    quote,
    settle,
    inverse: settle === base,
    ...contractOf(market, listed.contractSize),
    ...increments,
  };
  if (PERPETUAL_CONTRACTS.has(listed.contractType ?? "")) {
    return { ...common, symbol: `${pair}-PERP`, kind: "perpetual" };
  }
  const expiry = expiryDayOfDigits(DATED.exec(venueSymbol)?.[2] ?? "");
  if (!DATED_CONTRACTS.has(listed.contractType ?? "") || expiry === undefined) return undefined;
  const expiryTimeUs =
    listed.deliveryDate === undefined ? expiry.timeUs : listed.deliveryDate * 1000;
  return { ...common, symbol: `${pair}-${expiry.day}`, kind: "future", expiryTimeUs };
}

/** COIN-M counts contracts; the other venues of the family units of the base asset. */
function contractOf(
  market: BinanceMarket,
  contractSize: number | undefined,
): Pick<Instrument, "sizeUnit" | "contractSize"> {
  if (market !== "coinm") return {};
  const size = contractSize === undefined ? {} : { contractSize: String(contractSize) };
  return { sizeUnit: "contract", ...size };
}

function statusOf({ status, contractStatus }: ListedSymbol): string | undefined {
  return contractStatus ?? status;
}

function isTrading(entry: unknown): boolean {
  const listed = entry as { readonly status?: unknown; readonly contractStatus?: unknown } | null;
  return (listed?.contractStatus ?? listed?.status) === "TRADING";
}

/** So that FDUSD is tried before USD-like endings of it. */
function longestFirst(assets: readonly string[]): readonly string[] {
  return assets.toSorted((a, b) => b.length - a.length);
}
