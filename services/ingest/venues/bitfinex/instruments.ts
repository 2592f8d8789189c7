// https://docs.bitfinex.com/reference/rest-public-conf
import type { Instrument } from "#core/instrument.ts";
import {
  type InstrumentList,
  listInstruments,
  spotPair,
} from "../../reading/listed-instruments.ts";
import { parseJson } from "../../reading/text-fields.ts";

const VENUE = "bitfinex";

/** What the venue calls Tether's dollar; `pub:map:currency:sym` gives `USDt` for it. */
const ASSET_NAMES: ReadonlyMap<string, string> = new Map([["UST", "USDT"]]);

const ASSET = /^[A-Z0-9]{1,24}$/;

/**
 * Reads `[["BTCUSD","AAVE:USD",...]]`, pairs or futures; undefined if the body is not such a list.
 * What cannot be split into two assets is left out and counted.
 */
export function parsePairs(body: string, url: string): InstrumentList | undefined {
  const lists = /pub:list:pair:/.test(url) ? parseJson(body) : undefined;
  if (!Array.isArray(lists) || !lists.every((list) => Array.isArray(list))) return undefined;
  return listInstruments(lists.flat() as readonly unknown[], (pair) =>
    typeof pair === "string" ? derivePair(`t${pair}`) : undefined,
  );
}

/**
 * An instrument from `tBTCUSD`, `tAAVE:USD` or `tBTCF0:USTF0`, whose F0 says that it is a
 * perpetual. Names without a colon are two assets of three letters.
 */
export function derivePair(venueSymbol: string): Instrument | undefined {
  if (!venueSymbol.startsWith("t")) return undefined;
  const name = venueSymbol.slice(1);
  const colon = name.indexOf(":");
  if (colon < 0 && name.length !== 6) return undefined;
  const names =
    colon < 0 ? [name.slice(0, 3), name.slice(3)] : [name.slice(0, colon), name.slice(colon + 1)];
  const isPerpetual = names.every((asset) => asset.endsWith("F0") && asset.length > 2);
  const [base = "", quote = ""] = names.map((part) => {
    const asset = isPerpetual ? part.slice(0, -2) : part;
    return ASSET_NAMES.get(asset) ?? asset;
  });
  if (!ASSET.test(base) || !ASSET.test(quote)) return undefined;
  const pair = spotPair(VENUE, venueSymbol, { base, quote });
  return isPerpetual ? { ...pair, symbol: `${pair.symbol}-PERP`, kind: "perpetual" } : pair;
}
