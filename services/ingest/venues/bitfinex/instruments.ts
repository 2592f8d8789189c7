// https://docs.bitfinex.com/reference/rest-public-conf
import type { Instrument } from "#core/instrument.ts";

const VENUE = "bitfinex";

/** What the venue calls Tether's dollar; `pub:map:currency:sym` gives `USDt` for it. */
const ASSET_NAMES: Readonly<Record<string, string>> = { UST: "USDT" };

const ASSET = /^[A-Z0-9]{1,24}$/;

/**
 * Reads `[["BTCUSD","AAVE:USD",...]]`, pairs or futures; undefined if the body is not such a list.
 * What cannot be split into two assets is left out and counted.
 */
export function parsePairs(
  body: string,
  url: string,
): { readonly instruments: readonly Instrument[]; readonly skipped: number } | undefined {
  if (!/pub:list:pair:/.test(url)) return undefined;
  let lists: unknown;
  try {
    lists = JSON.parse(body);
  } catch {
    return undefined;
  }
  if (!Array.isArray(lists) || !lists.every((list) => Array.isArray(list))) return undefined;
  const pairs = lists.flat() as readonly unknown[];
  const bySymbol = new Map<string, Instrument>();
  for (const pair of pairs) {
    const instrument = typeof pair === "string" ? derivePair(`t${pair}`) : undefined;
    if (instrument === undefined || bySymbol.has(instrument.symbol)) continue;
    bySymbol.set(instrument.symbol, instrument);
  }
  return { instruments: [...bySymbol.values()], skipped: pairs.length - bySymbol.size };
}

/**
 * An instrument from `tBTCUSD`, `tAAVE:USD` or `tBTCF0:USTF0`, whose F0 says that it is a
 * perpetual. Names without a colon are two assets of three letters.
 */
export function derivePair(venueSymbol: string): Instrument | undefined {
  if (!venueSymbol.startsWith("t")) return undefined;
  const pair = venueSymbol.slice(1);
  const colon = pair.indexOf(":");
  if (colon < 0 && pair.length !== 6) return undefined;
  const names =
    colon < 0 ? [pair.slice(0, 3), pair.slice(3)] : [pair.slice(0, colon), pair.slice(colon + 1)];
  const isPerpetual = names.every((name) => name.endsWith("F0") && name.length > 2);
  const [base = "", quote = ""] = names.map((name) => {
    const asset = isPerpetual ? name.slice(0, -2) : name;
    return ASSET_NAMES[asset] ?? asset;
  });
  if (!ASSET.test(base) || !ASSET.test(quote)) return undefined;
  const common = { venue: VENUE, venueSymbol, base, quote, settle: quote, inverse: false };
  return isPerpetual
    ? { ...common, symbol: `${base}-${quote}-PERP`, kind: "perpetual" }
    : { ...common, symbol: `${base}-${quote}`, kind: "spot" };
}
