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
};

type CatalogFetchParts = {
  readonly bus: Bus;
  readonly limits: { readonly queryTimeoutMs: number; readonly instrumentsMax: number };
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
  announcedVersion: number,
): Promise<FetchedCatalog> {
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt += 1) {
    const catalog = await fetchPages(parts, address, announcedVersion);
    if (catalog !== undefined) return catalog;
  }
  throw new CatalogContradiction(`the catalog changed ${ATTEMPTS_MAX} times while it was fetched`);
}

/** Undefined if the catalog changed between two pages. */
async function fetchPages(
  parts: CatalogFetchParts,
  address: QueryAddress,
  announcedVersion: number,
): Promise<FetchedCatalog | undefined> {
  const instruments: Instrument[] = [];
  let version: number | undefined;
  let afterSymbol = "";
  for (;;) {
    const page = await fetchPage(parts, address, afterSymbol);
    if (page.catalogVersion < announcedVersion) {
      const versions = `${page.catalogVersion} after ${announcedVersion} was announced`;
      throw new CatalogContradiction(`the catalog is of version ${versions}`);
    }
    if (version !== undefined && page.catalogVersion !== version) return undefined;
    version = page.catalogVersion;
    for (const instrument of bySymbol(page.instruments)) {
      // Whoever says that more follows, behind the same symbol, would be asked for ever.
      if (instrument.symbol <= afterSymbol) {
        throw new CatalogContradiction("the symbols of the catalog do not rise");
      }
      afterSymbol = instrument.symbol;
      if (isNamedByTheRules(instrument, address.venue)) instruments.push(instrument);
    }
    if (!page.more) return { version, instruments, incomplete: page.incomplete };
    // One more than there is room for shows that there are too many.
    if (instruments.length > parts.limits.instrumentsMax) {
      return { version, instruments, incomplete: true };
    }
  }
}

async function fetchPage(parts: CatalogFetchParts, address: QueryAddress, afterSymbol: string) {
  const subject = querySubject({ ...address, query: "catalog" });
  const payload = encodeCatalogRequest({ afterSymbol });
  const { queryTimeoutMs: timeoutMs } = parts.limits;
  const reply = decodeQueryReply(await parts.bus.request(subject, payload, { timeoutMs }));
  if (reply.error !== undefined)
    throw new CatalogContradiction(foreignMessage(reply.error.message));
  const page = decodeCatalogReply(reply.payload);
  // A version rises with an instrument, so there is no version of a catalog that has none.
  if (page.instruments.length === 0)
    throw new CatalogContradiction("a page of the catalog is empty");
  return page;
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
