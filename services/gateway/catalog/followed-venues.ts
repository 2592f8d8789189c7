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
import { fencingTokenOf, NO_TOKEN } from "#core/fencing-token.ts";
import type { Logger } from "#core/logger.ts";
import { isVenueId } from "#core/topic.ts";
import { quotedText } from "#core/visible-text.ts";
import { decodeAnnouncement } from "#wire/bus-codec.ts";
import { WireError } from "#wire/frame-codec.ts";
import type { GatewayMetrics } from "../metrics.ts";
import { isPartition, partitionId } from "./venue-partition.ts";
import type { VenuePartition } from "./venue-partition.ts";
import { VenuePublishers } from "./venue-publishers.ts";
import type { FollowedIdentity, FollowedPublisher } from "./venue-publishers.ts";

/** What a publisher says of itself. */
export type Announcement = ReturnType<typeof decodeAnnouncement>;

/** What following venues needs of the gateway. */
type FollowedVenuesParts = {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: GatewayMetrics;
  readonly limits: {
    readonly queryTimeoutMs: number;
    /** A venue that nobody has announced may still be so long after asking who is there. */
    readonly discoveryMs: number;
  };
  /** A venue without instruments makes room for another, and is forgotten when it is lost. */
  readonly hasInstruments: (partition: VenuePartition) => boolean;
  readonly listener: {
    /** The partition's topics are those of another publisher from now on. */
    onAdopted(partition: VenuePartition, publisher: FollowedPublisher): void;
    /** The followed publisher announced itself. */
    onAnnounced(partition: VenuePartition, announcement: Announcement): void;
    /** Nobody publishes the partition any more. */
    onLost(partition: VenuePartition, sinceTimeUs: number): void;
    /** The publisher that was lost is back, in the epoch that it had. */
    onRecovered(partition: VenuePartition): void;
    /** Nobody has published the partition for long. */
    onForgotten(partition: VenuePartition): void;
  };
};

type Venue = VenuePartition & {
  readonly publishers: VenuePublishers;
  heardAtUs: number;
  lostSinceUs: number | undefined;
  /** While what its publisher said last is dealt with: that it stops. */
  isLeaving: boolean;
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

/** The venues that ingestors announce on the bus, and whom of them each is followed from. */
export class FollowedVenues {
  readonly #parts: FollowedVenuesParts;
  /** Partitions of venues by their id; mostly a venue is one. */
  readonly #venues = new Map<string, Venue>();
  readonly #subscription: BusSubscription;
  /** Whoever was there when we asked has had the time to say so. */
  #discovered = false;
  #cancelDiscovery: CancelTimer = () => {};
  readonly #logged = new Map<string, CancelTimer>();

  /** Starts to listen and asks who is there. */
  constructor(parts: FollowedVenuesParts) {
    this.#parts = parts;
    this.#subscription = parts.bus.subscribe(ANNOUNCE_PATTERN, (message) => {
      this.#onAnnouncement(message);
    });
    this.discover();
  }

  /** Venue ids, sorted. */
  get ids(): string[] {
    return [...new Set(Array.from(this.#venues.values(), ({ venue }) => venue))].sort();
  }

  /** Whether whoever was there when we asked last has had the time to say so. */
  get discovered(): boolean {
    return this.#discovered;
  }

  /** The parts of a venue that anybody has announced; none if it is unknown. */
  partitionsOf(venue: string): readonly VenuePartition[] {
    const whole = this.#venues.get(venue);
    if (whole !== undefined) return [whole];
    return [...this.#venues.values()].filter((each) => each.venue === venue);
  }

  /** Since when the partition's ingestor is silent; undefined if it is there or unknown. */
  lostSinceUs(partition: VenuePartition): number | undefined {
    return this.#venues.get(partitionId(partition))?.lostSinceUs;
  }

  /** Whose messages count for the partition's topics; undefined before anybody announced it. */
  publisherOf(partition: VenuePartition): FollowedIdentity | undefined {
    return this.#venues.get(partitionId(partition))?.publishers.followed;
  }

  /** Whether it is being found out if the publisher of this epoch is to be followed. */
  mayFollow(partition: VenuePartition, epoch: number): boolean {
    return this.#venues.get(partitionId(partition))?.publishers.mayFollow(epoch) ?? false;
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

  /** Our own connection to the bus is gone: nobody is judged by what is not heard. */
  busDown(): void {
    for (const { publishers } of this.#venues.values()) publishers.busDown();
  }

  /** It is there again: every ingestor has all of its time to announce itself. */
  busUp(): void {
    for (const { publishers } of this.#venues.values()) publishers.busUp();
    this.discover();
  }

  /** Stops listening. Idempotent. */
  close(): void {
    this.#cancelDiscovery();
    this.#subscription.unsubscribe();
    for (const venue of this.#venues.values()) {
      venue.publishers.close();
      venue.cancelForget?.();
    }
    for (const cancel of this.#logged.values()) cancel();
  }

  #askWhoIsThere(): void {
    try {
      this.#parts.bus.publish(DISCOVER_SUBJECT, EMPTY);
    } catch (error) {
      this.#parts.logger.warn({ error }, "cannot ask the ingestors to announce themselves");
    }
  }

  #onAnnouncement(message: BusMessage): void {
    let announcement: Announcement;
    try {
      announcement = decodeAnnouncement(message.payload);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#refuse(undefined);
      this.#logSometimes({ error }, "an announcement could not be read");
      return;
    }
    const { ingestorId: publisherId, epoch } = announcement;
    if (!this.#isOfItsSubject(announcement.venue, message.subject)) return;
    const { venue: id, shardIndex, shardCount } = announcement;
    const partition = { venue: id, shardIndex, shardCount };
    if (!isPartition(partition)) {
      this.#refuse(undefined);
      return;
    }
    const venue = this.#venueOf(partition);
    if (venue === undefined) return;
    const intervalMs = intervalOf(announcement.announceIntervalMs);
    const { fencingToken, continuesEpoch } = announcement;
    const isTerm = fencingToken === NO_TOKEN || fencingTokenOf(epoch) === fencingToken;
    const isIdentity = isPublisherId(publisherId) && epoch > 0 && isTerm;
    const heard = { publisherId, epoch, intervalMs, fencingToken, continuesEpoch };
    if (!isIdentity || !venue.publishers.heard(heard)) {
      this.#refuse(venue);
      return;
    }
    if (venue.publishers.followed?.publisherId === publisherId) {
      venue.heardAtUs = this.#parts.clock.nowUs();
      this.#parts.listener.onAnnounced(venue, announcement);
    }
    if (!announcement.leaving) return;
    venue.isLeaving = true;
    venue.publishers.left(publisherId);
    venue.isLeaving = false;
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
    const isKnown = venue !== undefined && this.#parts.hasInstruments(venue);
    this.#parts.metrics.announcementsRefused.inc({ venue: isKnown ? venue.venue : "" });
  }

  /** Once in LOG_INTERVAL_MS of each message. */
  #logSometimes(fields: object, message: string): void {
    if (this.#logged.has(message)) return;
    const over = this.#parts.clock.after(LOG_INTERVAL_MS, () => this.#logged.delete(message));
    this.#logged.set(message, over);
    this.#parts.logger.warn(fields, message);
  }

  #venueOf(partition: VenuePartition): Venue | undefined {
    const id = partitionId(partition);
    const known = this.#venues.get(id);
    if (known !== undefined) return known;
    if (this.#venues.size >= VENUES_MAX && !this.#forgetEmptyVenue()) {
      this.#refuse(undefined);
      const { venue } = partition;
      this.#logSometimes({ venue, venuesMax: VENUES_MAX }, "there is no room for a venue");
      return undefined;
    }
    const venue: Venue = {
      ...partition,
      publishers: new VenuePublishers({
        clock: this.#parts.clock,
        ping: (publisherId) => this.#ping({ venue: partition.venue, publisherId }),
        listener: {
          onAdopted: (publisher) => this.#onAdopted(venue, publisher),
          onLost: () => this.#onLost(venue),
          onRecovered: () => this.#onRecovered(venue),
        },
      }),
      heardAtUs: 0,
      lostSinceUs: undefined,
      isLeaving: false,
      cancelForget: undefined,
    };
    this.#venues.set(id, venue);
    return venue;
  }

  /** Makes room: of the venues without instruments, the one known longest goes. */
  #forgetEmptyVenue(): boolean {
    for (const venue of this.#venues.values()) {
      if (this.#parts.hasInstruments(venue)) continue;
      this.#forget(venue);
      return true;
    }
    return false;
  }

  #forget(venue: Venue): void {
    venue.publishers.close();
    venue.cancelForget?.();
    this.#venues.delete(partitionId(venue));
    this.#parts.listener.onForgotten(venue);
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

  #onAdopted(venue: Venue, publisher: FollowedPublisher): void {
    const { publisherId, epoch } = publisher;
    const { venue: id, shardIndex, shardCount } = venue;
    const shard = shardCount === 0 ? {} : { shard: `${shardIndex}/${shardCount}` };
    const fields = { venue: id, ...shard, publisherId: quotedText(publisherId), epoch };
    this.#parts.logger.info(fields, "the venue is followed from this ingestor");
    venue.cancelForget?.();
    venue.lostSinceUs = undefined;
    this.#parts.listener.onAdopted(venue, publisher);
    // Another one was known already: its catalog is fetched with its next announcement.
    if (!publisher.isNewcomer) this.#askWhoIsThere();
  }

  #onLost(venue: Venue): void {
    const { logger, metrics, clock, listener } = this.#parts;
    const { venue: id, heardAtUs } = venue;
    if (!this.#parts.hasInstruments(venue)) {
      this.#forget(venue);
      return;
    }
    venue.cancelForget = clock.after(LOST_VENUE_KEPT_MS, () => this.#forget(venue));
    venue.lostSinceUs = heardAtUs;
    metrics.ingestorsLost.inc({ venue: id });
    const fields = { venue: id, sinceTimeUs: heardAtUs };
    if (venue.isLeaving) logger.info(fields, "the ingestor has said that it stops");
    else logger.warn(fields, "the ingestor is lost");
    listener.onLost(venue, heardAtUs);
  }

  #onRecovered(venue: Venue): void {
    venue.cancelForget?.();
    venue.lostSinceUs = undefined;
    this.#parts.logger.info({ venue: venue.venue }, "the ingestor is back");
    this.#parts.listener.onRecovered(venue);
  }
}

function intervalOf(announcedMs: number): number {
  if (announcedMs === 0) return ANNOUNCE_INTERVAL_MS_DEFAULT;
  return Math.min(Math.max(announcedMs, ANNOUNCE_INTERVAL_MS_MIN), ANNOUNCE_INTERVAL_MS_MAX);
}
