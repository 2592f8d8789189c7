import { BusError } from "#bus/bus.ts";
import type { Bus, BusSubscription } from "#bus/bus.ts";
import { ANNOUNCE_SUBJECT, DISCOVER_SUBJECT } from "#bus/subject.ts";
import { assert } from "#core/assert.ts";
import type { CancelTimer, Clock } from "#core/clock.ts";
import type { Logger } from "#core/logger.ts";
import { encodeAnnouncement } from "#wire/bus-codec.ts";

/** Who publishes: the same words about every venue of one publisher. */
type PublisherIdentity = {
  /** New with each start of the process, and no time: nobody may conclude anything from it. */
  readonly publisherId: string;
  /** Of this start of the publisher; sequences of another epoch do not compare. */
  readonly epoch: number;
};

/** What is announced of one venue. */
type AnnouncedVenue = {
  readonly venue: string;
  /** `version` rises with each change of what is streamed. */
  readonly streamed: { readonly version: number };
};

type AnnouncementsOptions = {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly identity: PublisherIdentity;
  /** Announced as well, so that everyone judges this publisher by its own interval. */
  readonly announceIntervalMs: number;
  readonly venues: readonly AnnouncedVenue[];
};

/**
 * Tells everyone on the bus which venues a publisher has: at the start, at its interval, when
 * somebody asks, and whenever the owner says that something changed.
 */
export class Announcements {
  readonly #options: AnnouncementsOptions;
  #subscription: BusSubscription | undefined;
  #cancelTimer: CancelTimer | undefined;

  constructor(options: AnnouncementsOptions) {
    assert(options.announceIntervalMs > 0, "a publisher announces itself at a positive interval");
    assert(options.identity.publisherId !== "", "a publisher has an identity");
    this.#options = options;
  }

  /** Announces now and regularly from now on. To be called once, when queries are answered. */
  start(): void {
    assert(this.#subscription === undefined, "announcements are started once");
    this.#subscription = this.#options.bus.subscribe(DISCOVER_SUBJECT, () => this.announce());
    this.#announceRegularly();
  }

  /** Announces every venue at once, out of turn. */
  announce(): void {
    const { bus, logger, venues, identity, announceIntervalMs } = this.#options;
    try {
      for (const { venue, streamed } of venues) {
        const announcement = {
          ingestorId: identity.publisherId,
          venue,
          catalogVersion: streamed.version,
          announceIntervalMs,
          epoch: identity.epoch,
        };
        bus.publish(ANNOUNCE_SUBJECT, encodeAnnouncement(announcement));
      }
    } catch (error) {
      // The next announcement follows soon, and a bus that is down says so by its own events.
      if (!(error instanceof BusError)) throw error;
      logger.debug({ code: error.code }, "the bus did not take an announcement");
    }
  }

  /** Falls silent. Idempotent. */
  close(): void {
    this.#cancelTimer?.();
    this.#subscription?.unsubscribe();
  }

  #announceRegularly(): void {
    const { clock, announceIntervalMs } = this.#options;
    this.announce();
    this.#cancelTimer = clock.after(announceIntervalMs, () => this.#announceRegularly());
  }
}
