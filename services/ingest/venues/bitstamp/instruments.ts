// The markets of Bitstamp.
// https://www.bitstamp.net/api/#tag/Market-info/operation/GetMarkets
import { canonicalDecimal } from "@tickwire/proto/model";
import { z } from "zod";
import type { Instrument } from "#core/instrument.ts";
import { type StateWords, stateOfWord } from "../../reading/instrument-words.ts";
import {
  incrementsOf,
  type InstrumentList,
  listInstruments,
} from "../../reading/listed-instruments.ts";
import { parseJson } from "../../reading/text-fields.ts";

/** The venue's id. */
export const BITSTAMP = "bitstamp";

/** The end of a perpetual's name (`BTC/USD-PERP`) and, in small letters, of its symbol. */
const PERPETUAL = "-PERP";

/** An asset as the venue writes it, such as `1INCH`. */
const ASSET = /^[A-Z0-9]{1,32}$/;

const STATES: StateWords = { Enabled: "trading", Disabled: "halted" };

/** Of markets that are halted, and of those that ended. */
const PAUSED: ReadonlySet<string> = new Set(["Disabled"]);

const listSchema = z.array(z.unknown());

const marketSchema = z.object({
  /** `BTC/USD`, or `BTC/USD-PERP`. */
  name: z.string(),
  market_symbol: z.string().optional().catch(undefined),
  /** Its name in the list that came before `markets`. */
  url_symbol: z.string().optional().catch(undefined),
  trading: z.string(),
  market_type: z.string().optional().catch(undefined),
  payoff_type: z.string().optional().catch(undefined),
  contract_size: z.string().optional().catch(undefined),
  base_decimals: z.number().int().min(0).max(32),
  counter_decimals: z.number().int().min(0).max(32),
});

type Market = z.infer<typeof marketSchema>;

/**
 * Reads the body of `markets`, or of the list that came before it; undefined if it is neither. Left
 * out and counted: markets that do not trade, kinds without a Tickwire form, and any whose name
 * another one has.
 */
export function parseMarkets(body: string): InstrumentList | undefined {
  const list = listSchema.safeParse(parseJson(body));
  if (!list.success) return undefined;
  const venueSymbols = new Set<string>();
  const read = (entry: unknown): Instrument | undefined => {
    const parsed = marketSchema.safeParse(entry);
    const instrument = parsed.success ? toInstrument(parsed.data) : undefined;
    if (instrument === undefined || venueSymbols.has(instrument.venueSymbol)) return undefined;
    venueSymbols.add(instrument.venueSymbol);
    return instrument;
  };
  return listInstruments(list.data, read, PAUSED);
}

function toInstrument(market: Market): Instrument | undefined {
  const { name, market_type: type = "SPOT", payoff_type: payoff } = market;
  const perpetual = type === "PERPETUAL";
  if (!perpetual && type !== "SPOT") return undefined;
  if (perpetual !== name.endsWith(PERPETUAL)) return undefined;
  // Every perpetual is linear; another kind would need another contract size.
  if (perpetual && payoff !== undefined && payoff !== "Linear") return undefined;
  const venueSymbol = market.market_symbol ?? market.url_symbol;
  const instrument = venueSymbol === undefined ? undefined : named(name, venueSymbol);
  if (instrument === undefined) return undefined;
  const contractSize = canonicalDecimal(market.contract_size ?? "1");
  return {
    ...instrument,
    ...(perpetual && contractSize !== undefined ? { contractSize } : {}),
    ...incrementsOf({ price: `1e-${market.counter_decimals}`, size: `1e-${market.base_decimals}` }),
    ...stateOfWord(STATES, market.trading),
  };
}

/** The venue's symbol out of a name such as `BTC/USD-PERP`, which some answers give instead. */
export function venueSymbolOfName(name: string): string {
  return name.replace("/", "").toLowerCase();
}

/** An instrument from its name; undefined if that is not one. */
function named(name: string, venueSymbol: string): Instrument | undefined {
  const perpetual = name.endsWith(PERPETUAL);
  const pair = perpetual ? name.slice(0, -PERPETUAL.length) : name;
  const [base = "", quote = "", ...rest] = pair.split("/");
  if (rest.length > 0 || !ASSET.test(base) || !ASSET.test(quote)) return undefined;
  return {
    venue: BITSTAMP,
    symbol: `${base}-${quote}${perpetual ? PERPETUAL : ""}`,
    venueSymbol,
    kind: perpetual ? "perpetual" : "spot",
    base,
    quote,
    settle: quote,
    inverse: false,
    // Of perpetuals, too: one contract is one unit of the base asset.
    sizeUnit: "base",
  };
}

/**
 * Quote assets, longest first. Those that end like another (`xrprlusd` is XRP/RLUSD, `prlusd` would
 * be PRL/USD) cannot be told apart without the list.
 */
const QUOTES = ["usdt", "usdc", "pax", "usd", "eur", "gbp", "btc", "eth"];
const AMBIGUOUS = /(?:rlusd|pyusd|gusd|xusd)$/;
/** Assets whose own name looks ambiguous, against the dollar. */
const UNAMBIGUOUS = new Set(["gusdusd", "rlusdusd", "pyusdusd"]);

/**
 * An instrument from its venue symbol alone; undefined if the symbol can be read in more than one
 * way.
 */
export function deriveMarket(venueSymbol: string): Instrument | undefined {
  const perpetual = venueSymbol.endsWith(PERPETUAL.toLowerCase());
  const pair = perpetual ? venueSymbol.slice(0, -PERPETUAL.length) : venueSymbol;
  if (AMBIGUOUS.test(pair) && !UNAMBIGUOUS.has(pair)) return undefined;
  const quote = QUOTES.find((each) => pair.endsWith(each) && pair !== each);
  if (quote === undefined || pair !== pair.toLowerCase()) return undefined;
  const name = `${pair.slice(0, -quote.length)}/${quote}`.toUpperCase();
  return named(perpetual ? name + PERPETUAL : name, venueSymbol);
}
