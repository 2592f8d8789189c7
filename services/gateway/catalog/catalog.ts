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
import { mergedBySymbol, VenueInstruments } from "./venue-instruments.ts";
import { areWhole, mayHave, partitionId } from "./venue-partition.ts";
import type { VenuePartition } from "./venue-partition.ts";
import type { FollowedIdentity, FollowedPublisher } from "./venue-publishers.ts";
import { VenueSymbols } from "./venue-symbols.ts";

/** What changed at a venue. */
export type CatalogEvent =
  | {
      readonly kind: "changed";
      readonly venue: string;
      /** By symbol. */
      readonly added: ReadonlyMap<string, Instrument>;
      readonly removed: readonly Instrument[];
    }
  /** The ingestor of a part of it has fallen silent. */
  | { readonly kind: "lost"; readonly partition: VenuePartition; readonly sinceTimeUs: number }
  /** That ingestor is back, in the epoch that it had. */
  | { readonly kind: "recovered"; readonly partition: VenuePartition }
  /** The topics of a part are those of another publisher from now on. */
  | {
      readonly kind: "publisher";
      readonly partition: VenuePartition;
      readonly publisher: FollowedPublisher;
    }
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

/** The list of a venue, or of a part of it, and what is known of it. */
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
      hasInstruments: (partition) => (this.#listing(partition)?.instruments.size ?? 0) > 0,
      listener: {
        onAdopted: (partition, publisher) => this.#onAdopted(partition, publisher),
        onAnnounced: (partition, announcement) => this.#onAnnounced(partition, announcement),
        onLost: (partition, sinceTimeUs) => this.#onLost(partition, sinceTimeUs),
        onRecovered: (partition) => this.#emit({ kind: "recovered", partition }),
        onForgotten: (partition) => this.#onForgotten(partition),
      },
    });
  }

  /** Whether enough venues are known to serve clients. */
  get ready(): boolean {
    const venues = this.venues.filter((venue) =>
      this.#listingsOf(venue).some(({ instruments }) => instruments.size > 0),
    );
    return venues.length >= this.#parts.limits.readyVenuesMin;
  }

  /** Instruments of all venues together. */
  get size(): number {
    return this.#instruments;
  }

  /** Instruments of one venue. */
  sizeOf(venue: string): number {
    return this.#listingsOf(venue).reduce((sum, { instruments }) => sum + instruments.size, 0);
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
    const whole = this.#listings.get(venue);
    if (whole !== undefined) return whole.instruments.get(symbol);
    for (const { instruments } of this.#listingsOf(venue)) {
      const instrument = instruments.get(symbol);
      if (instrument !== undefined) return instrument;
    }
    return undefined;
  }

  /**
   * By Tickwire's symbol or the venue's own. Tickwire's wins; of several instruments with one venue
   * symbol spot does, then perpetuals, futures, options, combos, and then the first by Tickwire's
   * symbol.
   */
  find(venue: string, symbol: string): Instrument | undefined {
    const whole = this.#listings.get(venue);
    if (whole !== undefined) return whole.instruments.find(symbol);
    const bySymbol = this.instrument(venue, symbol);
    if (bySymbol !== undefined) return bySymbol;
    const named = new VenueSymbols();
    for (const { instruments } of this.#listingsOf(venue)) {
      const instrument = instruments.find(symbol);
      if (instrument !== undefined) named.add(instrument);
    }
    return named.get(symbol);
  }

  /** Whether all that the venue has is known here. */
  standingOf(venue: string): VenueStanding {
    const partitions = this.#venues.partitionsOf(venue);
    if (partitions.length > 0) {
      const areListed = partitions.every((each) => this.#listing(each)?.instruments.listed);
      return areListed && areWhole(partitions) ? "listed" : "not-ready";
    }
    return this.#venues.discovered && this.ready ? "unknown" : "not-ready";
  }

  /** The parts of a venue that anybody has announced; none if it is unknown. */
  partitionsOf(venue: string): readonly VenuePartition[] {
    return this.#venues.partitionsOf(venue);
  }

  /** The part of the venue that has a symbol, or would; undefined if nobody announced it. */
  partitionOf(venue: string, symbol: string): VenuePartition | undefined {
    const partitions = this.#venues.partitionsOf(venue);
    if (partitions.length <= 1) return partitions[0];
    // While it is being divided anew, two parts may have the symbol by their shards.
    return (
      partitions.find((each) => this.#listing(each)?.instruments.get(symbol) !== undefined) ??
      partitions.find((each) => mayHave(each, symbol))
    );
  }

  /** Since when the ingestor of a topic is silent; undefined if it is there or unknown. */
  lostSinceUs(venue: string, symbol: string): number | undefined {
    const partition = this.partitionOf(venue, symbol);
    return partition === undefined ? undefined : this.#venues.lostSinceUs(partition);
  }

  /** The same of a part of a venue. */
  partLostSinceUs(partition: VenuePartition): number | undefined {
    return this.#venues.lostSinceUs(partition);
  }

  /** Whose messages count for a topic; undefined before anybody announced it. */
  publisherOf(venue: string, symbol: string): FollowedIdentity | undefined {
    const partition = this.partitionOf(venue, symbol);
    return partition === undefined ? undefined : this.#venues.publisherOf(partition);
  }

  /** The same of a part of a venue. */
  publisherOfPart(partition: VenuePartition): FollowedIdentity | undefined {
    return this.#venues.publisherOf(partition);
  }

  /** Whether it is being found out if the publisher of this epoch is to be followed. */
  mayFollow(venue: string, symbol: string, epoch: number): boolean {
    const partition = this.partitionOf(venue, symbol);
    return partition !== undefined && this.#venues.mayFollow(partition, epoch);
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
    const whole = this.#listings.get(venue);
    if (whole !== undefined) return whole.instruments.all();
    return mergedBySymbol(this.#listingsOf(venue).map(({ instruments }) => instruments.all()));
  }

  /** Those whose symbol comes after `symbol`. A change of the catalog meanwhile is not seen. */
  instrumentsAfter(venue: string, symbol: string): Iterable<Instrument> {
    const whole = this.#listings.get(venue);
    if (whole !== undefined) return whole.instruments.after(symbol);
    const lists = this.#listingsOf(venue).map(({ instruments }) => instruments.after(symbol));
    return mergedBySymbol(lists);
  }

  /** Stops listening. Idempotent. */
  close(): void {
    this.#closed = true;
    this.#line.clear();
    this.#venues.close();
    this.#listeners.clear();
  }

  #onAnnounced(partition: VenuePartition, announcement: Announcement): void {
    const { ingestorId: publisherId, catalogVersion } = announcement;
    this.#tellProgress(announcement);
    const listing = this.#listingOf(partition);
    // An ingestor that has just started does not know its instruments yet; none of them is gone.
    if (catalogVersion === 0 || listing.version === catalogVersion || listing.isFetching) return;
    listing.isFetching = true;
    // Failures are logged in the function; the next announcement tries again.
    void this.#fetch(listing, { partition, publisherId, catalogVersion });
  }

  #tellProgress({ venue, epoch, progress }: Announcement): void {
    if (progress.length === 0) return;
    const topics = progress.flatMap(({ symbol, channel, sequence }) => {
      const name = channelFromWire(channel);
      return isChannel(name) ? [{ symbol, channel: name, sequence }] : [];
    });
    this.#emit({ kind: "progress", venue, epoch, topics });
  }

  #listing(partition: VenuePartition): Listing | undefined {
    return this.#listings.get(partitionId(partition));
  }

  #listingsOf(venue: string): Listing[] {
    return this.#venues.partitionsOf(venue).flatMap((each) => this.#listing(each) ?? []);
  }

  #listingOf(partition: VenuePartition): Listing {
    const known = this.#listing(partition);
    if (known !== undefined) return known;
    const instruments = new VenueInstruments();
    const listing: Listing = { instruments, version: undefined, isFetching: false };
    this.#listings.set(partitionId(partition), listing);
    return listing;
  }

  async #fetch(
    listing: Listing,
    announced: {
      readonly partition: VenuePartition;
      readonly publisherId: string;
      readonly catalogVersion: number;
    },
  ): Promise<void> {
    const { logger, metrics } = this.#parts;
    const { partition, publisherId, catalogVersion } = announced;
    const { venue } = partition;
    try {
      // Of what is not all there is, no difference would make the whole.
      const known = listing.instruments.isWhole ? listing.version : undefined;
      const mayBeEmpty = listing.instruments.size === 0;
      const versions = { announced: catalogVersion, known, mayBeEmpty };
      const fetched = await fetchCatalog(this.#parts, { venue, publisherId }, versions);
      if (this.#closed || this.#listing(partition) !== listing) return;
      if (this.#venues.publisherOf(partition)?.publisherId !== publisherId) return;
      listing.version = fetched.version;
      await this.#line.run(this.#replace(partition, listing, fetched));
    } catch (error) {
      if (this.#closed) return;
      metrics.catalogFetchesFailed.inc();
      logger.warn({ venue, error }, "the catalog of a venue could not be fetched");
    } finally {
      listing.isFetching = false;
    }
  }

  *#replace(partition: VenuePartition, listing: Listing, fetched: FetchedCatalog): Work {
    const { logger, metrics, limits } = this.#parts;
    const { venue } = partition;
    const { instruments } = listing;
    const before = instruments.size;
    const room = limits.instrumentsMax - (this.#instruments - before);
    const { added, removed, leftOut } = yield* instruments.replace(fetched, room, this.#line);
    // The venue may have been forgotten meanwhile, and what it had with it.
    if (this.#listing(partition) !== listing) return;
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

  #onAdopted(partition: VenuePartition, publisher: FollowedPublisher): void {
    this.#listingOf(partition).version = undefined;
    this.#emit({ kind: "publisher", partition, publisher });
  }

  #onLost(partition: VenuePartition, sinceTimeUs: number): void {
    // It may list other instruments when it is back.
    this.#listingOf(partition).version = undefined;
    this.#emit({ kind: "lost", partition, sinceTimeUs });
  }

  /** Its instruments are gone. */
  #onForgotten(partition: VenuePartition): void {
    const { venue } = partition;
    const removed = [...(this.#listing(partition)?.instruments.all() ?? [])];
    this.#listings.delete(partitionId(partition));
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
