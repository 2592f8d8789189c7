import { channelFromWire } from "@tickwire/proto/codec";
import type { Instrument } from "@tickwire/proto/service";
import type { Bus } from "#bus/bus.ts";
import type { Clock } from "#core/clock.ts";
import type { Channel } from "#core/instrument.ts";
import type { Logger } from "#core/logger.ts";
import { isChannel } from "#core/topic.ts";
import type { GatewayMetrics } from "../metrics.ts";
import type { TurnLine, Turns, Work } from "../turns/turns.ts";
import { fetchCatalog } from "./catalog-fetch.ts";
import type { FetchedCatalog } from "./catalog-fetch.ts";
import { FollowedVenues } from "./followed-venues.ts";
import type { Announcement } from "./followed-venues.ts";
import type { VenueStanding } from "./unknown-name.ts";
import { VenueInstruments } from "./venue-instruments.ts";
import type { FollowedPublisher } from "./venue-publishers.ts";

/** What changed at a venue. */
export type CatalogEvent =
  | {
      readonly kind: "changed";
      readonly venue: string;
      /** By symbol. */
      readonly added: ReadonlyMap<string, Instrument>;
      readonly removed: readonly Instrument[];
    }
  /** Its ingestor has fallen silent. */
  | { readonly kind: "lost"; readonly venue: string; readonly sinceTimeUs: number }
  /** Its ingestor is back, in the epoch that it had. */
  | { readonly kind: "recovered"; readonly venue: string }
  /** Its topics are those of another publisher from now on. */
  | { readonly kind: "publisher"; readonly venue: string; readonly publisher: FollowedPublisher }
  /** Where its publisher says that its topics stand. */
  | {
      readonly kind: "progress";
      readonly venue: string;
      readonly epoch: number;
      readonly topics: readonly AnnouncedTopic[];
    };

/** A topic with the sequence of the last event that was published of it. */
type AnnouncedTopic = {
  readonly symbol: string;
  readonly channel: Channel;
  readonly sequence: number;
};

/** What the catalog needs of the gateway. */
type CatalogParts = {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: GatewayMetrics;
  /** For what happens to all instruments of a venue at once. */
  readonly turns: Turns;
  readonly limits: {
    readonly queryTimeoutMs: number;
    readonly instrumentsMax: number;
    readonly readyVenuesMin: number;
    /** A venue that nobody has announced may still be so long after asking who is there. */
    readonly discoveryMs: number;
  };
};

/** A venue's list, and what is known of it. */
type Listing = {
  readonly instruments: VenueInstruments;
  /** Of the followed publisher's catalog, as last fetched; undefined before that. */
  version: number | undefined;
  isFetching: boolean;
};

/** The venues and instruments that there are, by what ingestors announce on the bus. */
export class Catalog {
  readonly #parts: CatalogParts;
  readonly #listings = new Map<string, Listing>();
  readonly #listeners = new Set<(event: CatalogEvent) => void>();
  readonly #venues: FollowedVenues;
  readonly #line: TurnLine;
  #instruments = 0;
  #closed = false;

  /** Starts to listen and asks who is there. */
  constructor(parts: CatalogParts) {
    this.#parts = parts;
    this.#line = parts.turns.open();
    this.#venues = new FollowedVenues({
      ...parts,
      hasInstruments: (venue) => (this.#listings.get(venue)?.instruments.size ?? 0) > 0,
      listener: {
        onAdopted: (venue, publisher) => this.#onAdopted(venue, publisher),
        onAnnounced: (announcement) => this.#onAnnounced(announcement),
        onLost: (venue, sinceTimeUs) => this.#onLost(venue, sinceTimeUs),
        onRecovered: (venue) => this.#emit({ kind: "recovered", venue }),
        onForgotten: (venue) => this.#onForgotten(venue),
      },
    });
  }

  /** Whether enough venues are known to serve clients. */
  get ready(): boolean {
    let venues = 0;
    for (const { instruments } of this.#listings.values()) if (instruments.size > 0) venues += 1;
    return venues >= this.#parts.limits.readyVenuesMin;
  }

  /** Instruments of all venues together. */
  get size(): number {
    return this.#instruments;
  }

  /** Instruments of one venue. */
  sizeOf(venue: string): number {
    return this.#listings.get(venue)?.instruments.size ?? 0;
  }

  /** Venue ids, sorted. */
  get venues(): string[] {
    return this.#venues.ids;
  }

  /** Returns a function that removes the listener. */
  onEvent(listener: (event: CatalogEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Asks every ingestor to announce itself. */
  discover(): void {
    this.#venues.discover();
  }

  /** By Tickwire's symbol. */
  instrument(venue: string, symbol: string): Instrument | undefined {
    return this.#listings.get(venue)?.instruments.get(symbol);
  }

  /**
   * By Tickwire's symbol or the venue's own. Tickwire's wins; of several instruments with one venue
   * symbol spot does, then perpetuals, futures, options, combos, and then the first by Tickwire's
   * symbol.
   */
  find(venue: string, symbol: string): Instrument | undefined {
    return this.#listings.get(venue)?.instruments.find(symbol);
  }

  /** Whether all that the venue has is known here. */
  standingOf(venue: string): VenueStanding {
    if (this.#venues.has(venue)) {
      return this.#listings.get(venue)?.instruments.listed === true ? "listed" : "not-ready";
    }
    return this.#venues.discovered && this.ready ? "unknown" : "not-ready";
  }

  /** Since when the venue's ingestor is silent; undefined if it is there or unknown. */
  lostSinceUs(venue: string): number | undefined {
    return this.#venues.lostSinceUs(venue);
  }

  /** Whose messages count for the venue's topics; undefined before anybody announced it. */
  publisherOf(venue: string): Omit<FollowedPublisher, "isNewcomer"> | undefined {
    return this.#venues.publisherOf(venue);
  }

  /** Whether it is being found out if the publisher of this epoch is to be followed. */
  mayFollow(venue: string, epoch: number): boolean {
    return this.#venues.mayFollow(venue, epoch);
  }

  /** Our own connection to the bus is gone: nobody is judged by what is not heard. */
  busDown(): void {
    this.#venues.busDown();
  }

  /** It is there again: every ingestor has all of its time to announce itself. */
  busUp(): void {
    this.#venues.busUp();
  }

  /** All instruments, by venue and symbol. */
  *instruments(): Iterable<Instrument> {
    for (const id of this.venues) yield* this.instrumentsOf(id);
  }

  /** The instruments of one venue, by symbol; none if it is unknown. */
  instrumentsOf(venue: string): Iterable<Instrument> {
    return this.#listings.get(venue)?.instruments.all() ?? [];
  }

  /** Those whose symbol comes after `symbol`. A change of the catalog meanwhile is not seen. */
  instrumentsAfter(venue: string, symbol: string): Iterable<Instrument> {
    return this.#listings.get(venue)?.instruments.after(symbol) ?? [];
  }

  /** Stops listening. Idempotent. */
  close(): void {
    this.#closed = true;
    this.#line.clear();
    this.#venues.close();
    this.#listeners.clear();
  }

  #onAnnounced(announcement: Announcement): void {
    const { venue, ingestorId: publisherId, catalogVersion } = announcement;
    this.#tellProgress(announcement);
    const listing = this.#listingOf(venue);
    // An ingestor that has just started does not know its instruments yet; none of them is gone.
    if (catalogVersion === 0 || listing.version === catalogVersion || listing.isFetching) return;
    listing.isFetching = true;
    // Failures are logged in the function; the next announcement tries again.
    void this.#fetch(listing, { venue, publisherId, catalogVersion });
  }

  #tellProgress({ venue, epoch, progress }: Announcement): void {
    if (progress.length === 0) return;
    const topics = progress.flatMap(({ symbol, channel, sequence }) => {
      const name = channelFromWire(channel);
      return isChannel(name) ? [{ symbol, channel: name, sequence }] : [];
    });
    this.#emit({ kind: "progress", venue, epoch, topics });
  }

  #listingOf(venue: string): Listing {
    const known = this.#listings.get(venue);
    if (known !== undefined) return known;
    const instruments = new VenueInstruments();
    const listing: Listing = { instruments, version: undefined, isFetching: false };
    this.#listings.set(venue, listing);
    return listing;
  }

  async #fetch(
    listing: Listing,
    announced: {
      readonly venue: string;
      readonly publisherId: string;
      readonly catalogVersion: number;
    },
  ): Promise<void> {
    const { logger, metrics } = this.#parts;
    const { venue, publisherId, catalogVersion } = announced;
    try {
      // Of what is not all there is, no difference would make the whole.
      const known = listing.instruments.isWhole ? listing.version : undefined;
      const versions = { announced: catalogVersion, known };
      const fetched = await fetchCatalog(this.#parts, { venue, publisherId }, versions);
      if (this.#closed || this.#listings.get(venue) !== listing) return;
      if (this.publisherOf(venue)?.publisherId !== publisherId) return;
      listing.version = fetched.version;
      await this.#line.run(this.#replace(venue, listing, fetched));
    } catch (error) {
      if (this.#closed) return;
      metrics.catalogFetchesFailed.inc();
      logger.warn({ venue, error }, "the catalog of a venue could not be fetched");
    } finally {
      listing.isFetching = false;
    }
  }

  *#replace(venue: string, listing: Listing, fetched: FetchedCatalog): Work {
    const { logger, metrics, limits } = this.#parts;
    const { instruments } = listing;
    const before = instruments.size;
    const room = limits.instrumentsMax - (this.#instruments - before);
    const { added, removed, leftOut } = yield* instruments.replace(fetched, room, this.#line);
    // The venue may have been forgotten meanwhile, and what it had with it.
    if (this.#listings.get(venue) !== listing) return;
    this.#instruments += instruments.size - before;
    metrics.instrumentsLeftOut.set({ venue }, leftOut);
    if (leftOut > 0) {
      const message = "there are more instruments than instrumentsMax; the rest is left out";
      logger.warn({ venue, refused: leftOut }, message);
    }
    if (added.size === 0 && removed.length === 0) return;
    const counts = { added: added.size, removed: removed.length, instruments: instruments.size };
    logger.info({ venue, ...counts }, "the catalog of a venue changed");
    this.#emit({ kind: "changed", venue, added, removed });
  }

  #onAdopted(venue: string, publisher: FollowedPublisher): void {
    this.#listingOf(venue).version = undefined;
    this.#emit({ kind: "publisher", venue, publisher });
  }

  #onLost(venue: string, sinceTimeUs: number): void {
    // It may list other instruments when it is back.
    this.#listingOf(venue).version = undefined;
    this.#emit({ kind: "lost", venue, sinceTimeUs });
  }

  /** Its instruments are gone. */
  #onForgotten(venue: string): void {
    const removed = [...this.instrumentsOf(venue)];
    this.#listings.delete(venue);
    if (removed.length === 0) return;
    const fields = { venue, instruments: removed.length };
    this.#parts.logger.info(fields, "a venue that is gone is forgotten");
    this.#instruments -= removed.length;
    this.#emit({ kind: "changed", venue, added: new Map(), removed });
  }

  #emit(event: CatalogEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}
