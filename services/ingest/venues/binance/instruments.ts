import { canonicalDecimal } from "@tickwire/proto/model";
import { z } from "zod";
import type { Instrument } from "#core/instrument.ts";
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
  spot: new Set(["BREAK"]),
  usdm: FUTURES_ENDED,
  coinm: FUTURES_ENDED,
};
const NONE_ENDED: ReadonlySet<string> = new Set();

/** Those on shares and metals (TRADIFI) differ in what they follow, not in how they trade. */
const PERPETUAL_CONTRACTS = new Set(["PERPETUAL", "TRADIFI_PERPETUAL"]);
const DATED_CONTRACTS = new Set(["CURRENT_MONTH", "NEXT_MONTH", "CURRENT_QUARTER", "NEXT_QUARTER"]);

const listSchema = z.object({ symbols: z.array(z.unknown()) });

const symbolSchema = z.object({
  symbol: z.string().min(1),
  status: z.string().optional(),
  /** What COIN-M calls its status. */
  contractStatus: z.string().optional(),
  contractSize: z.number().int().positive().optional(),
  contractType: z.string().optional(),
  deliveryDate: z.number().int().positive().optional(),
  baseAsset: z.string().regex(ASSET),
  quoteAsset: z.string().regex(ASSET),
  marginAsset: z.string().regex(ASSET).optional(),
  filters: z
    .array(
      z.object({
        filterType: z.string(),
        tickSize: z.string().optional(),
        stepSize: z.string().optional(),
      }),
    )
    .default([]),
});

type ListedSymbol = z.infer<typeof symbolSchema>;

/** What `parseInstruments` of a feed adapter returns. */
type InstrumentList = {
  readonly instruments: readonly Instrument[];
  readonly skipped: number;
};

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
  const instruments: Instrument[] = [];
  const ended = list.data.symbols.some(isTrading) ? ENDED[market] : NONE_ENDED;
  const names = new Set<string>();
  const venueNames = new Set<string>();
  for (const entry of list.data.symbols) {
    const parsed = symbolSchema.safeParse(entry);
    if (!parsed.success || ended.has(statusOf(parsed.data) ?? "")) continue;
    const instrument = toInstrument(parsed.data, venue, market);
    if (instrument === undefined) continue;
    if (names.has(instrument.symbol) || venueNames.has(instrument.venueSymbol)) continue;
    names.add(instrument.symbol);
    venueNames.add(instrument.venueSymbol);
    instruments.push(instrument);
  }
  return { instruments, skipped: list.data.symbols.length - instruments.length };
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
  const expiry = expiryOf(dated[2] ?? "");
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
  const increments = incrementsOf(listed);
  const pair = `${base}-${quote}`;
  if (market === "spot") {
    const settle = quote;
    const kind = "spot";
    return {
      venue,
      venueSymbol,
      base,
      quote,
      settle,
      inverse: false,
      symbol: pair,
      kind,
      ...increments,
    };
  }
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
  const expiry = expiryOf(DATED.exec(venueSymbol)?.[2] ?? "");
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

function incrementsOf(listed: ListedSymbol): Pick<Instrument, "priceIncrement" | "sizeIncrement"> {
  const tick = listed.filters.find((filter) => filter.filterType === "PRICE_FILTER")?.tickSize;
  const step = listed.filters.find((filter) => filter.filterType === "LOT_SIZE")?.stepSize;
  const priceIncrement = canonicalDecimal(tick ?? "0") ?? "0";
  const sizeIncrement = canonicalDecimal(step ?? "0") ?? "0";
  return {
    ...(priceIncrement === "0" ? {} : { priceIncrement }),
    ...(sizeIncrement === "0" ? {} : { sizeIncrement }),
  };
}

/** Contracts are named by day and delivered at 08:00 UTC. Undefined for days that do not exist. */
function expiryOf(yymmdd: string): { readonly day: string; readonly timeUs: number } | undefined {
  const day = `20${yymmdd}`;
  const [year, month, date] = [day.slice(0, 4), day.slice(4, 6), day.slice(6, 8)].map(Number);
  if (yymmdd.length !== 6 || year === undefined || month === undefined) return undefined;
  const time = new Date(Date.UTC(year, month - 1, date, 8));
  if (time.getUTCMonth() !== month - 1 || time.getUTCDate() !== date) return undefined;
  return { day, timeUs: time.getTime() * 1000 };
}

/** So that FDUSD is tried before USD-like endings of it. */
function longestFirst(assets: readonly string[]): readonly string[] {
  return assets.toSorted((a, b) => b.length - a.length);
}
