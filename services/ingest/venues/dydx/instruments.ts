// https://docs.dydx.xyz/indexer-client/http/markets/get_perpetual_markets
import { z } from "zod";
import type { Instrument } from "#core/instrument.ts";
import { type StateWords, stateOfWord } from "../../reading/instrument-words.ts";
import {
  incrementsOf,
  type InstrumentList,
  listInstruments,
} from "../../reading/listed-instruments.ts";
import { isRecord, parseJson } from "../../reading/text-fields.ts";

/** The id of the venue. */
export const DYDX = "dydx";

/** What every market is quoted in by its name, and what is paid. */
const QUOTE = "USD";
const SETTLE = "USDC";

const ASSET = /^[\p{L}\p{N}._$]{1,64}$/u;

/** Markets that never traded, or never will again. */
const LEFT_OUT: ReadonlySet<unknown> = new Set(["INITIALIZING", "FINAL_SETTLEMENT"]);

const STATES: StateWords = {
  ACTIVE: "trading",
  POST_ONLY: "post-only",
  CANCEL_ONLY: "cancel-only",
  PAUSED: "halted",
};

const marketSchema = z.object({
  ticker: z.string(),
  status: z.string().optional().catch(undefined),
  tickSize: z.string().optional().catch(undefined),
  stepSize: z.string().optional().catch(undefined),
});

/** Reads the object of all markets; undefined if the body is none. */
export function parseDydxMarkets(body: string): InstrumentList | undefined {
  const json = parseJson(body);
  const markets = isRecord(json) ? json["markets"] : undefined;
  return isRecord(markets) ? listInstruments(Object.values(markets), marketOf) : undefined;
}

function marketOf(entry: unknown): Instrument | undefined {
  const parsed = marketSchema.safeParse(entry);
  if (!parsed.success || LEFT_OUT.has(parsed.data.status)) return undefined;
  const { ticker, status, tickSize: price, stepSize: size } = parsed.data;
  const market = deriveDydxMarket(ticker);
  if (market === undefined) return undefined;
  return { ...market, ...incrementsOf({ price, size }), ...stateOfWord(STATES, status) };
}

/**
 * A market from its name alone: `BTC-USD`. A market of one pool names the pool and the token's
 * address behind the asset (`FARTCOIN,RAYDIUM,9BB6...-USD`).
 */
export function deriveDydxMarket(venueSymbol: string): Instrument | undefined {
  const end = venueSymbol.lastIndexOf("-");
  const [base = ""] = venueSymbol.slice(0, Math.max(end, 0)).split(",");
  if (!ASSET.test(base) || venueSymbol.slice(end + 1) !== QUOTE) return undefined;
  return {
    venue: DYDX,
    symbol: `${base}-${QUOTE}-PERP`,
    venueSymbol,
    kind: "perpetual",
    base,
    quote: QUOTE,
    settle: SETTLE,
    inverse: false,
    sizeUnit: "base",
  };
}
