import type { Channel } from "#core/instrument.ts";
import type { RecordedRequest } from "../feed/feed-adapter.ts";

/** One kind of address that recordings of a venue hold. */
type RecordedAddress = {
  /** Matched against the address up to its query. Its first group, if it has one, is the symbol. */
  readonly path: RegExp;
  /** The parameter of the query that holds the symbol, where it is not in the path. */
  readonly symbolIn?: string;
  /** The venue's symbol out of what the address writes, where that is not the same. */
  readonly venueSymbolOf?: (written: string) => string;
  /** The parameter of the query that names the part of the venue, where there are parts. */
  readonly marketIn?: string;
  readonly venueMarketOf?: (written: string) => string;
} & (
  | { readonly kind: "instruments" | "book-snapshot" | "trades" }
  /** The answer to a poll is about all instruments if its address names none. */
  | { readonly kind: "poll"; readonly channel: Channel }
);

/**
 * What recorded requests were for, by a table of a venue's addresses: `recordedRequest` of its
 * adapter. The first entry that fits counts. An address that lacks the symbol which it should have
 * is none of them.
 */
export function recordedRequestOf(
  addresses: readonly RecordedAddress[],
): (url: string) => RecordedRequest | undefined {
  return (url) => {
    const [withoutFragment = ""] = url.split("#", 1);
    const cut = withoutFragment.indexOf("?");
    const path = cut < 0 ? withoutFragment : withoutFragment.slice(0, cut);
    const query = new URLSearchParams(cut < 0 ? "" : withoutFragment.slice(cut + 1));
    for (const address of addresses) {
      const match = address.path.exec(path);
      if (match !== null) return requestOf(address, match[1], query);
    }
    return undefined;
  };
}

function requestOf(
  address: RecordedAddress,
  inPath: string | undefined,
  query: URLSearchParams,
): RecordedRequest | undefined {
  const {
    kind,
    symbolIn,
    marketIn,
    venueSymbolOf = asWritten,
    venueMarketOf = asWritten,
  } = address;
  if (kind === "instruments") return { kind };
  const written = symbolIn === undefined ? decoded(inPath) : (query.get(symbolIn) ?? undefined);
  const venueSymbol = written === undefined ? undefined : venueSymbolOf(written);
  const part = marketIn === undefined ? null : query.get(marketIn);
  const market = part === null ? {} : { venueMarket: venueMarketOf(part) };
  if (kind === "poll") return { kind, channel: address.channel, venueSymbol, ...market };
  return venueSymbol === undefined ? undefined : { kind, venueSymbol, ...market };
}

function asWritten(written: string): string {
  return written;
}

function decoded(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  try {
    return decodeURIComponent(text);
  } catch {
    // Damaged, and so the name of nothing.
    return text;
  }
}
