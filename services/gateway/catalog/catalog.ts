import type { Instrument } from "@tickwire/proto/service";
import type { Bus, BusMessage, BusSubscription } from "#bus/bus.ts";
import { ANNOUNCE_SUBJECT, DISCOVER_SUBJECT, querySubject } from "#bus/subject.ts";
import type { CancelTimer, Clock } from "#core/clock.ts";
import { isSymbol, isVenueId } from "#core/topic.ts";
import { quotedText } from "#core/visible-text.ts";
import { decodeAnnouncement, decodeCatalogReply, decodeQueryReply } from "#wire/bus-codec.ts";
import type { Logger } from "#core/logger.ts";
import type { GatewayMetrics } from "../metrics.ts";
import type { VenueStanding } from "./unknown-name.ts";
import { indexByVenueSymbol, joinedBySymbol } from "./venue-symbols.ts";

/** What changed at a venue. */
export type CatalogEvent =
  | {
      readonly kind: "changed";
      readonly venue: string;
      readonly added: readonly Instrument[];
      readonly removed: readonly Instrument[];
    }
  /** Its ingestor has fallen silent. */
  | { readonly kind: "lost"; readonly venue: string; readonly sinceTimeUs: number }
  /** Its ingestor is back. */
  | { readonly kind: "recovered"; readonly venue: string };

/** What the catalog needs of the gateway. */
type CatalogParts = {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: GatewayMetrics;
  readonly limits: {
    readonly queryTimeoutMs: number;
    readonly instrumentsMax: number;
    readonly readyVenuesMin: number;
    /** A venue that nobody has announced may still be so long after asking who is there. */
    readonly discoveryMs: number;
  };
};

type Venue = {
  readonly id: string;
  /** Catalog version per ingestor, as last fetched. */
  readonly versions: Map<string, number>;
  bySymbol: Map<string, Instrument>;
  byVenueSymbol: Map<string, Instrument>;
  /** By symbol. */
  sorted: readonly Instrument[];
  /** Set when its catalog was fetched and the venue had listed everything by then. */
  listed: boolean;
  heardAtUs: number;
  /** By ingestor: when it is lost without another announcement. */
  readonly lostAtUs: Map<string, number>;
  cancelLoss: CancelTimer | undefined;
  lostSinceUs: number | undefined;
  fetching: boolean;
};

/** An ingestor that was silent for this many of the intervals that it announced is lost. */
const MISSED_ANNOUNCEMENTS_MAX = 3;
/** Of an ingestor that announces none, as those before the field did. */
const ANNOUNCE_INTERVAL_MS_DEFAULT = 2_000;
/** An ingestor that announces a longer one is taken at this. */
const ANNOUNCE_INTERVAL_MS_MAX = 600_000;
/** Venues, and ingestors of one venue, beyond this are not followed. */
const VENUES_MAX = 1_000;
const INGESTORS_PER_VENUE_MAX = 100;
const EMPTY = new Uint8Array(0);

/** The venues and instruments that there are, by what ingestors announce on the bus. */
export class Catalog {
  readonly #parts: CatalogParts;
  readonly #venues = new Map<string, Venue>();
  readonly #listeners = new Set<(event: CatalogEvent) => void>();
  readonly #subscription: BusSubscription;
  #instruments = 0;
  /** Whoever was there when we asked has had the time to say so. */
  #discovered = false;
  #cancelDiscovery: CancelTimer = () => {};
  #closed = false;

  /** Starts to listen and asks who is there. */
  constructor(parts: CatalogParts) {
    this.#parts = parts;
    this.#subscription = parts.bus.subscribe(ANNOUNCE_SUBJECT, (message) => {
      this.#onAnnouncement(message);
    });
    this.discover();
  }

  /** Whether enough venues are known to serve clients. */
  get ready(): boolean {
    let venues = 0;
    for (const venue of this.#venues.values()) if (venue.bySymbol.size > 0) venues += 1;
    return venues >= this.#parts.limits.readyVenuesMin;
  }

  /** Venue ids, sorted. */
  get venues(): string[] {
    return [...this.#venues.keys()].sort();
  }

  /** Returns a function that removes the listener. */
  onEvent(listener: (event: CatalogEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Asks every ingestor to announce itself. */
  discover(): void {
    const { clock, limits } = this.#parts;
    this.#discovered = false;
    this.#cancelDiscovery();
    this.#cancelDiscovery = clock.after(limits.discoveryMs, () => {
      this.#discovered = true;
    });
    try {
      this.#parts.bus.publish(DISCOVER_SUBJECT, EMPTY);
    } catch (error) {
      this.#parts.logger.warn({ error }, "cannot ask the ingestors to announce themselves");
    }
  }

  /** By Tickwire's symbol. */
  instrument(venue: string, symbol: string): Instrument | undefined {
    return this.#venues.get(venue)?.bySymbol.get(symbol);
  }

  /**
   * By Tickwire's symbol or the venue's own. Tickwire's wins; of several instruments with one venue
   * symbol spot does, then perpetuals, futures, options, and then the first by Tickwire's symbol.
   */
  find(venue: string, symbol: string): Instrument | undefined {
    const known = this.#venues.get(venue);
    return known?.bySymbol.get(symbol) ?? known?.byVenueSymbol.get(symbol);
  }

  /** Whether all that the venue has is known here. */
  standingOf(venue: string): VenueStanding {
    const known = this.#venues.get(venue);
    if (known !== undefined) return known.listed ? "listed" : "not-ready";
    return this.#discovered && this.ready ? "unknown" : "not-ready";
  }

  /** Since when the venue's ingestor is silent; undefined if it is there or unknown. */
  lostSinceUs(venue: string): number | undefined {
    return this.#venues.get(venue)?.lostSinceUs;
  }

  /** All instruments, by venue and symbol. */
  *instruments(): Iterable<Instrument> {
    for (const id of this.venues) yield* this.instrumentsOf(id);
  }

  /** The instruments of one venue, in the order of its catalog; none if it is unknown. */
  instrumentsOf(venue: string): Iterable<Instrument> {
    return this.#venues.get(venue)?.bySymbol.values() ?? [];
  }

  /** Those of them whose symbol comes after `symbol`. A catalog that changes meanwhile is not seen. */
  *instrumentsAfter(venue: string, symbol: string): Iterable<Instrument> {
    const sorted = this.#venues.get(venue)?.sorted ?? [];
    let low = 0;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((sorted[middle]?.symbol ?? "") <= symbol) low = middle + 1;
      else high = middle;
    }
    for (let index = low; index < sorted.length; index += 1) yield sorted[index] as Instrument;
  }

  /** Stops listening. Idempotent. */
  close(): void {
    this.#closed = true;
    this.#cancelDiscovery();
    this.#subscription.unsubscribe();
    for (const venue of this.#venues.values()) venue.cancelLoss?.();
    this.#listeners.clear();
  }

  #onAnnouncement(message: BusMessage): void {
    let announcement: ReturnType<typeof decodeAnnouncement>;
    try {
      announcement = decodeAnnouncement(message.payload);
    } catch (error) {
      this.#parts.logger.warn({ error }, "an announcement could not be read");
      return;
    }
    const { ingestorId, catalogVersion, announceIntervalMs } = announcement;
    const venue = this.#heard(announcement.venue);
    if (venue === undefined) return;
    this.#expectNext(venue, ingestorId, announceIntervalMs);
    // An ingestor that has just started does not know its instruments yet; none of them is gone.
    if (catalogVersion === 0) return;
    if (venue.versions.get(ingestorId) === catalogVersion || venue.fetching) return;
    venue.fetching = true;
    // Failures are logged in the function; the next announcement tries again.
    void this.#fetch(venue, ingestorId, catalogVersion);
  }

  #heard(id: string): Venue | undefined {
    let venue = this.#venues.get(id);
    if (venue === undefined) {
      if (!isVenueId(id)) {
        this.#parts.logger.warn({ venue: quotedText(id) }, "an announcement names no venue id");
        return undefined;
      }
      if (this.#venues.size >= VENUES_MAX) return undefined;
      venue = {
        id,
        versions: new Map(),
        bySymbol: new Map(),
        byVenueSymbol: new Map(),
        sorted: [],
        listed: false,
        heardAtUs: 0,
        lostAtUs: new Map(),
        cancelLoss: undefined,
        lostSinceUs: undefined,
        fetching: false,
      };
      this.#venues.set(id, venue);
    }
    venue.heardAtUs = this.#parts.clock.nowUs();
    if (venue.lostSinceUs !== undefined) {
      venue.lostSinceUs = undefined;
      this.#parts.logger.info({ venue: id }, "the ingestor is back");
      this.#emit({ kind: "recovered", venue: id });
    }
    return venue;
  }

  async #fetch(venue: Venue, ingestorId: string, announcedVersion: number): Promise<void> {
    const { bus, limits, logger } = this.#parts;
    try {
      const subject = querySubject({ venue: venue.id, query: "catalog" });
      const bytes = await bus.request(subject, EMPTY, { timeoutMs: limits.queryTimeoutMs });
      const reply = decodeQueryReply(bytes);
      if (reply.error !== undefined) throw new Error(reply.error.message);
      const { instruments, incomplete } = decodeCatalogReply(reply.payload);
      if (this.#closed) return;
      if (venue.versions.size >= INGESTORS_PER_VENUE_MAX) venue.versions.clear();
      venue.versions.set(ingestorId, announcedVersion);
      const named = instruments.filter(isNamedByTheRules);
      // What a venue has not listed again yet is not gone.
      const all = incomplete ? joinedBySymbol(venue.bySymbol, named) : named;
      this.#replace(venue, all);
      venue.listed = !incomplete;
    } catch (error) {
      if (!this.#closed)
        logger.warn({ venue: venue.id, error }, "the catalog of a venue could not be fetched");
    } finally {
      venue.fetching = false;
    }
  }

  #replace(venue: Venue, instruments: readonly Instrument[]): void {
    const room = this.#parts.limits.instrumentsMax - (this.#instruments - venue.bySymbol.size);
    const kept = instruments.slice(0, Math.max(0, room));
    const { metrics } = this.#parts;
    metrics.instrumentsLeftOut.set({ venue: venue.id }, instruments.length - kept.length);
    if (kept.length < instruments.length) {
      const fields = { venue: venue.id, refused: instruments.length - kept.length };
      this.#parts.logger.warn(
        fields,
        "there are more instruments than instrumentsMax; the rest is left out",
      );
    }
    const before = venue.bySymbol;
    // Sorted once here, because a Map keeps its order and every list is given in this one.
    const sorted = kept.toSorted((one, other) => (one.symbol < other.symbol ? -1 : 1));
    const now = new Map(sorted.map((instrument) => [instrument.symbol, instrument]));
    this.#instruments += now.size - before.size;
    venue.bySymbol = now;
    venue.sorted = sorted;
    venue.byVenueSymbol = indexByVenueSymbol(sorted);
    const added = kept.filter((instrument) => differs(before.get(instrument.symbol), instrument));
    const removed = [...before.values()].filter((instrument) => !now.has(instrument.symbol));
    if (added.length === 0 && removed.length === 0) return;
    const counts = { added: added.length, removed: removed.length, instruments: now.size };
    this.#parts.logger.info({ venue: venue.id, ...counts }, "the catalog of a venue changed");
    this.#emit({ kind: "changed", venue: venue.id, added, removed });
  }

  /** Each ingestor is judged by its own interval; of several, the most patient one decides. */
  #expectNext(venue: Venue, ingestorId: string, announcedMs: number): void {
    const { clock } = this.#parts;
    const intervalMs =
      announcedMs === 0
        ? ANNOUNCE_INTERVAL_MS_DEFAULT
        : Math.min(announcedMs, ANNOUNCE_INTERVAL_MS_MAX);
    if (venue.lostAtUs.size >= INGESTORS_PER_VENUE_MAX) venue.lostAtUs.clear();
    venue.lostAtUs.set(ingestorId, venue.heardAtUs + MISSED_ANNOUNCEMENTS_MAX * intervalMs * 1000);
    venue.cancelLoss?.();
    const delayMs = (Math.max(...venue.lostAtUs.values()) - venue.heardAtUs) / 1000;
    venue.cancelLoss = clock.after(delayMs, () => this.#lose(venue));
  }

  #lose(venue: Venue): void {
    const { logger, metrics } = this.#parts;
    venue.lostSinceUs = venue.heardAtUs;
    // An ingestor that comes back may count its versions anew, so the same one may mean another.
    venue.versions.clear();
    venue.lostAtUs.clear();
    metrics.ingestorsLost.inc({ venue: venue.id });
    logger.warn({ venue: venue.id, sinceTimeUs: venue.heardAtUs }, "the ingestor is lost");
    this.#emit({ kind: "lost", venue: venue.id, sinceTimeUs: venue.heardAtUs });
  }

  #emit(event: CatalogEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}

/**
 * Whether clients could subscribe to it: a catalog on the bus follows the same rules as what a
 * venue lists, whoever published it.
 */
function isNamedByTheRules({ symbol, venueSymbol }: Instrument): boolean {
  return isSymbol(symbol) && venueSymbol !== "";
}

/** Whether the instrument is new, or streamed on other channels than before. */
function differs(before: Instrument | undefined, now: Instrument): boolean {
  return before === undefined || before.channels.join() !== now.channels.join();
}
