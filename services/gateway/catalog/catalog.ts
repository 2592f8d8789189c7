import { channelFromWire } from "@tickwire/proto/codec";
import type { Instrument } from "@tickwire/proto/service";
import type { Bus, BusMessage, BusSubscription } from "#bus/bus.ts";
import { BusError } from "#bus/bus.ts";
import type { QueryAddress } from "#bus/subject.ts";
import {
  ANNOUNCE_PATTERN,
  announceSubject,
  DISCOVER_SUBJECT,
  isPublisherId,
  querySubject,
} from "#bus/subject.ts";
import type { CancelTimer, Clock } from "#core/clock.ts";
import type { Channel } from "#core/instrument.ts";
import { isChannel, isVenueId } from "#core/topic.ts";
import { quotedText } from "#core/visible-text.ts";
import { decodeAnnouncement } from "#wire/bus-codec.ts";
import { WireError } from "#wire/frame-codec.ts";
import { fetchCatalog } from "./catalog-fetch.ts";
import { VenuePublishers } from "./venue-publishers.ts";
import type { FollowedPublisher } from "./venue-publishers.ts";
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
  readonly publishers: VenuePublishers;
  /** Of the followed publisher's catalog, as last fetched; undefined before that. */
  version: number | undefined;
  bySymbol: Map<string, Instrument>;
  byVenueSymbol: Map<string, Instrument>;
  /** By symbol. */
  sorted: readonly Instrument[];
  /** Set when its catalog was fetched and the venue had listed everything by then. */
  listed: boolean;
  heardAtUs: number;
  lostSinceUs: number | undefined;
  /** While what its publisher said last is dealt with: that it stops. */
  isLeaving: boolean;
  fetching: boolean;
  /** Of the time after which a lost venue is forgotten. */
  cancelForget: CancelTimer | undefined;
};

/** Of an ingestor that announces none, as those before the field did. */
const ANNOUNCE_INTERVAL_MS_DEFAULT = 2_000;
/** An ingestor that announces a shorter or a longer one is taken at these. */
const ANNOUNCE_INTERVAL_MS_MIN = 50;
const ANNOUNCE_INTERVAL_MS_MAX = 600_000;
/** Venues beyond this are not followed, unless one without instruments can make room. */
const VENUES_MAX = 1_000;
const VENUE_ID_LENGTH_MAX = 64;
/** A venue whose ingestor is lost is forgotten after this, and one without instruments at once. */
const LOST_VENUE_KEPT_MS = 3_600_000;
/** Messages about what anybody may cause are logged no more often. */
const LOG_INTERVAL_MS = 10_000;
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
  readonly #logged = new Map<string, CancelTimer>();

  /** Starts to listen and asks who is there. */
  constructor(parts: CatalogParts) {
    this.#parts = parts;
    this.#subscription = parts.bus.subscribe(ANNOUNCE_PATTERN, (message) => {
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
    this.#askWhoIsThere();
  }

  #askWhoIsThere(): void {
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
   * symbol spot does, then perpetuals, futures, options, combos, and then the first by Tickwire's
   * symbol.
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

  /** Whose messages count for the venue's topics; undefined before anybody announced it. */
  publisherOf(venue: string): Omit<FollowedPublisher, "isNewcomer"> | undefined {
    return this.#venues.get(venue)?.publishers.followed;
  }

  /** Whether it is being found out if the publisher of this epoch is to be followed. */
  mayFollow(venue: string, epoch: number): boolean {
    return this.#venues.get(venue)?.publishers.mayFollow(epoch) ?? false;
  }

  /** Our own connection to the bus is gone: nobody is judged by what is not heard. */
  busDown(): void {
    for (const { publishers } of this.#venues.values()) publishers.busDown();
  }

  /** It is there again: every ingestor has all of its time to announce itself. */
  busUp(): void {
    for (const { publishers } of this.#venues.values()) publishers.busUp();
    this.discover();
  }

  /** All instruments, by venue and symbol. */
  *instruments(): Iterable<Instrument> {
    for (const id of this.venues) yield* this.instrumentsOf(id);
  }

  /** The instruments of one venue, in the order of its catalog; none if it is unknown. */
  instrumentsOf(venue: string): Iterable<Instrument> {
    return this.#venues.get(venue)?.bySymbol.values() ?? [];
  }

  /** Those whose symbol comes after `symbol`. A change of the catalog meanwhile is not seen. */
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
    for (const venue of this.#venues.values()) {
      venue.publishers.close();
      venue.cancelForget?.();
    }
    for (const cancel of this.#logged.values()) cancel();
    this.#listeners.clear();
  }

  #onAnnouncement(message: BusMessage): void {
    let announcement: ReturnType<typeof decodeAnnouncement>;
    try {
      announcement = decodeAnnouncement(message.payload);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#refuse(undefined);
      this.#logSometimes({ error }, "an announcement could not be read");
      return;
    }
    const { ingestorId: publisherId, catalogVersion, epoch } = announcement;
    if (!this.#isOfItsSubject(announcement.venue, message.subject)) return;
    const venue = this.#venueOf(announcement.venue);
    if (venue === undefined) return;
    const intervalMs = intervalOf(announcement.announceIntervalMs);
    const isIdentity = isPublisherId(publisherId) && epoch > 0;
    if (!isIdentity || !venue.publishers.heard({ publisherId, epoch, intervalMs })) {
      this.#refuse(venue);
      return;
    }
    if (venue.publishers.followed?.publisherId === publisherId) {
      venue.heardAtUs = this.#parts.clock.nowUs();
      this.#tellProgress(venue, announcement);
      this.#fetchIfNew(venue, publisherId, catalogVersion);
    }
    if (!announcement.leaving) return;
    venue.isLeaving = true;
    venue.publishers.left(publisherId);
    venue.isLeaving = false;
  }

  #fetchIfNew(venue: Venue, publisherId: string, version: number): void {
    // An ingestor that has just started does not know its instruments yet; none of them is gone.
    if (version === 0 || venue.version === version || venue.fetching) return;
    venue.fetching = true;
    // Failures are logged in the function; the next announcement tries again.
    void this.#fetch(venue, publisherId, version);
  }

  #tellProgress(venue: Venue, announcement: ReturnType<typeof decodeAnnouncement>): void {
    const { epoch, progress } = announcement;
    if (progress.length === 0) return;
    const topics = progress.flatMap(({ symbol, channel, sequence }) => {
      const name = channelFromWire(channel);
      return isChannel(name) ? [{ symbol, channel: name, sequence }] : [];
    });
    this.#emit({ kind: "progress", venue: venue.id, epoch, topics });
  }

  /**
   * Whether the venue is one, and announced where it is to be: who may announce which venue is
   * decided by subjects.
   */
  #isOfItsSubject(venue: string, subject: string): boolean {
    if (isVenueId(venue) && venue.length <= VENUE_ID_LENGTH_MAX) {
      if (subject === announceSubject(venue)) return true;
    }
    this.#refuse(undefined);
    const fields = { venue: quotedText(venue), subject: quotedText(subject) };
    this.#logSometimes(fields, "an announcement names no venue, or another's subject");
    return false;
  }

  /** The label is a venue that there is: others are as many as somebody makes up. */
  #refuse(venue: Venue | undefined): void {
    const isKnown = venue !== undefined && venue.bySymbol.size > 0;
    this.#parts.metrics.announcementsRefused.inc({ venue: isKnown ? venue.id : "" });
  }

  /** Once in LOG_INTERVAL_MS of each message. */
  #logSometimes(fields: object, message: string): void {
    if (this.#logged.has(message)) return;
    const over = this.#parts.clock.after(LOG_INTERVAL_MS, () => this.#logged.delete(message));
    this.#logged.set(message, over);
    this.#parts.logger.warn(fields, message);
  }

  #venueOf(id: string): Venue | undefined {
    const known = this.#venues.get(id);
    if (known !== undefined) return known;
    if (this.#venues.size >= VENUES_MAX && !this.#forgetEmptyVenue()) {
      this.#refuse(undefined);
      this.#logSometimes({ venue: id, venuesMax: VENUES_MAX }, "there is no room for a venue");
      return undefined;
    }
    const venue: Venue = {
      id,
      publishers: new VenuePublishers({
        clock: this.#parts.clock,
        ping: (publisherId) => this.#ping({ venue: id, publisherId }),
        listener: {
          onAdopted: (publisher) => this.#onAdopted(venue, publisher),
          onLost: () => this.#onLost(venue),
          onRecovered: () => this.#onRecovered(venue),
        },
      }),
      version: undefined,
      bySymbol: new Map(),
      byVenueSymbol: new Map(),
      sorted: [],
      listed: false,
      heardAtUs: 0,
      lostSinceUs: undefined,
      isLeaving: false,
      fetching: false,
      cancelForget: undefined,
    };
    this.#venues.set(id, venue);
    return venue;
  }

  /** Makes room: of the venues without instruments, the one known longest goes. */
  #forgetEmptyVenue(): boolean {
    for (const venue of this.#venues.values()) {
      if (venue.bySymbol.size > 0) continue;
      this.#forget(venue);
      return true;
    }
    return false;
  }

  /** Nobody has published the venue for long: its instruments are gone. */
  #forget(venue: Venue): void {
    const { logger } = this.#parts;
    const { id } = venue;
    venue.publishers.close();
    venue.cancelForget?.();
    this.#venues.delete(id);
    if (venue.bySymbol.size === 0) return;
    logger.info(
      { venue: id, instruments: venue.bySymbol.size },
      "a venue that is gone is forgotten",
    );
    const removed = [...venue.bySymbol.values()];
    this.#instruments -= removed.length;
    venue.bySymbol.clear();
    this.#emit({ kind: "changed", venue: id, added: [], removed });
  }

  async #ping(to: QueryAddress): Promise<"there" | "gone" | "no-answer"> {
    const { bus, limits } = this.#parts;
    try {
      const subject = querySubject({ ...to, query: "ping" });
      await bus.request(subject, EMPTY, { timeoutMs: limits.queryTimeoutMs });
      return "there";
    } catch (error) {
      if (!(error instanceof BusError)) throw error;
      return error.code === "no-responders" ? "gone" : "no-answer";
    }
  }

  async #fetch(venue: Venue, publisherId: string, announcedVersion: number): Promise<void> {
    const { logger, metrics } = this.#parts;
    try {
      const address = { venue: venue.id, publisherId };
      const fetched = await fetchCatalog(this.#parts, address, announcedVersion);
      if (this.#closed || venue.publishers.followed?.publisherId !== publisherId) return;
      const { instruments, incomplete, version } = fetched;
      venue.version = version;
      // What a venue has not listed again yet is not gone.
      const all = incomplete ? joinedBySymbol(venue.bySymbol, instruments) : instruments;
      this.#replace(venue, all);
      venue.listed = !incomplete;
    } catch (error) {
      if (this.#closed) return;
      metrics.catalogFetchesFailed.inc();
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

  #onAdopted(venue: Venue, publisher: FollowedPublisher): void {
    const { publisherId, epoch } = publisher;
    const fields = { venue: venue.id, publisherId: quotedText(publisherId), epoch };
    this.#parts.logger.info(fields, "the venue is followed from this ingestor");
    venue.cancelForget?.();
    venue.lostSinceUs = undefined;
    venue.version = undefined;
    this.#emit({ kind: "publisher", venue: venue.id, publisher });
    // Another one was known already: its catalog is fetched with its next announcement.
    if (!publisher.isNewcomer) this.#askWhoIsThere();
  }

  #onLost(venue: Venue): void {
    const { logger, metrics, clock } = this.#parts;
    const { id, heardAtUs } = venue;
    if (venue.bySymbol.size === 0) {
      this.#forget(venue);
      return;
    }
    venue.cancelForget = clock.after(LOST_VENUE_KEPT_MS, () => this.#forget(venue));
    venue.lostSinceUs = heardAtUs;
    // It may list other instruments when it is back.
    venue.version = undefined;
    metrics.ingestorsLost.inc({ venue: id });
    const fields = { venue: id, sinceTimeUs: heardAtUs };
    if (venue.isLeaving) logger.info(fields, "the ingestor has said that it stops");
    else logger.warn(fields, "the ingestor is lost");
    this.#emit({ kind: "lost", venue: id, sinceTimeUs: heardAtUs });
  }

  #onRecovered(venue: Venue): void {
    venue.cancelForget?.();
    venue.lostSinceUs = undefined;
    this.#parts.logger.info({ venue: venue.id }, "the ingestor is back");
    this.#emit({ kind: "recovered", venue: venue.id });
  }

  #emit(event: CatalogEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}

function intervalOf(announcedMs: number): number {
  if (announcedMs === 0) return ANNOUNCE_INTERVAL_MS_DEFAULT;
  return Math.min(Math.max(announcedMs, ANNOUNCE_INTERVAL_MS_MIN), ANNOUNCE_INTERVAL_MS_MAX);
}

/** Whether the instrument is new, or streamed on other channels than before. */
function differs(before: Instrument | undefined, now: Instrument): boolean {
  return before === undefined || before.channels.join() !== now.channels.join();
}
