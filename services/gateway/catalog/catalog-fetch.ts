import type { Instrument } from "@tickwire/proto/service";
import type { Bus } from "#bus/bus.ts";
import { querySubject } from "#bus/subject.ts";
import type { QueryAddress } from "#bus/subject.ts";
import { isSymbol } from "#core/topic.ts";
import { foreignMessage } from "#core/visible-text.ts";
import { decodeCatalogReply, decodeQueryReply, encodeCatalogRequest } from "#wire/bus-codec.ts";

/** All that a publisher has of a venue. */
export type FetchedCatalog = {
  readonly version: number;
  /** Those that clients could subscribe to, by symbol, each once. */
  readonly instruments: readonly Instrument[];
  /** The venue has not listed everything yet. */
  readonly incomplete: boolean;
  /** Of what was there before these are gone, and the rest stays; undefined if all was fetched. */
  readonly removedSymbols: readonly string[] | undefined;
};

type CatalogFetchParts = {
  readonly bus: Bus;
  readonly limits: { readonly queryTimeoutMs: number; readonly instrumentsMax: number };
};

/** The version that is announced, and what is known of the same publisher. */
type CatalogVersions = {
  readonly announced: number;
  readonly known: number | undefined;
  /** No instrument of this part is known, so that it may have none. */
  readonly mayBeEmpty: boolean;
};

/** A catalog that changes while its pages come is asked for so many times before it is given up. */
const ATTEMPTS_MAX = 5;

/** A catalog that contradicts what its publisher announced, or itself. It is not taken. */
class CatalogContradiction extends Error {}

/**
 * Asks a publisher for its catalog, page by page. Rejects if it does not answer, says that it
 * cannot, or says what cannot be true: then nothing is known, and nothing is gone.
 */
export async function fetchCatalog(
  parts: CatalogFetchParts,
  address: QueryAddress,
  versions: CatalogVersions,
): Promise<FetchedCatalog> {
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt += 1) {
    const catalog = await fetchPages(parts, address, versions);
    if (catalog !== undefined) return catalog;
  }
  throw new CatalogContradiction(`the catalog changed ${ATTEMPTS_MAX} times while it was fetched`);
}

/** Undefined if the catalog changed between two pages. */
async function fetchPages(
  parts: CatalogFetchParts,
  address: QueryAddress,
  { announced, known, mayBeEmpty }: CatalogVersions,
): Promise<FetchedCatalog | undefined> {
  const instruments: Instrument[] = [];
  const removedSymbols: string[] = [];
  let isDifference = known !== undefined;
  let version: number | undefined;
  let afterSymbol = "";
  for (;;) {
    const request = { afterSymbol, ...(known === undefined ? {} : { sinceVersion: known }) };
    const page = await fetchPage(parts, address, request);
    const isNothing = page.instruments.length === 0 && !page.difference;
    // A shard may have none of the instruments that are wanted. What has just gone may have been
    // all that there was, and is said by a difference. Else no catalog is without an instrument.
    if (isNothing && (!mayBeEmpty || page.incomplete || page.more)) {
      throw new CatalogContradiction("a page of the catalog is empty");
    }
    if (page.catalogVersion < announced) {
      const versions = `${page.catalogVersion} after ${announced} was announced`;
      throw new CatalogContradiction(`the catalog is of version ${versions}`);
    }
    if (version !== undefined && page.catalogVersion !== version) return undefined;
    if (version !== undefined && page.difference !== isDifference) return undefined;
    version = page.catalogVersion;
    isDifference = page.difference;
    for (const symbol of page.removedSymbols) removedSymbols.push(symbol);
    for (const instrument of bySymbol(page.instruments)) {
      // Whoever says that more follows, behind the same symbol, would be asked for ever.
      if (instrument.symbol <= afterSymbol) {
        throw new CatalogContradiction("the symbols of the catalog do not rise");
      }
      afterSymbol = instrument.symbol;
      if (isNamedByTheRules(instrument, address.venue)) instruments.push(instrument);
    }
    const lastRemoved = page.removedSymbols.at(-1) ?? "";
    if (lastRemoved > afterSymbol) afterSymbol = lastRemoved;
    if (page.more && afterSymbol === request.afterSymbol) {
      throw new CatalogContradiction("a page of the catalog has nothing, and more is to follow");
    }
    const { more, incomplete } = page;
    const removed = isDifference ? removedSymbols : undefined;
    if (!more) return { version, instruments, incomplete, removedSymbols: removed };
    // One more than there is room for shows that there are too many.
    if (instruments.length > parts.limits.instrumentsMax) {
      return { version, instruments, incomplete: true, removedSymbols: removed };
    }
  }
}

async function fetchPage(
  parts: CatalogFetchParts,
  address: QueryAddress,
  request: { readonly afterSymbol: string; readonly sinceVersion?: number },
) {
  const subject = querySubject({ ...address, query: "catalog" });
  const payload = encodeCatalogRequest(request);
  const { queryTimeoutMs: timeoutMs } = parts.limits;
  const reply = decodeQueryReply(await parts.bus.request(subject, payload, { timeoutMs }));
  if (reply.error !== undefined)
    throw new CatalogContradiction(foreignMessage(reply.error.message));
  return decodeCatalogReply(reply.payload);
}

/** In the order of their symbols; pages come so already. */
function bySymbol(page: readonly Instrument[]): readonly Instrument[] {
  const rises = page.every(
    ({ symbol }, index) => index === 0 || (page[index - 1]?.symbol ?? "") < symbol,
  );
  return rises ? page : page.toSorted((one, other) => (one.symbol < other.symbol ? -1 : 1));
}

/**
 * Whether clients could subscribe to it: a catalog on the bus follows the same rules as what a
 * venue lists, whoever published it, and lists no other venue's instruments.
 */
function isNamedByTheRules(instrument: Instrument, venue: string): boolean {
  const { symbol, venueSymbol } = instrument;
  return instrument.venue === venue && isSymbol(symbol) && venueSymbol !== "";
}
