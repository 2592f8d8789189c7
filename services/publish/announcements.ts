import { channelToWire } from "@tickwire/proto/codec";
import { BusError } from "#bus/bus.ts";
import type { Bus, BusSubscription } from "#bus/bus.ts";
import { announceSubject, DISCOVER_SUBJECT } from "#bus/subject.ts";
import { assert } from "#core/assert.ts";
import type { CancelTimer, Clock } from "#core/clock.ts";
import type { Logger } from "#core/logger.ts";
import { encodeAnnouncement } from "#wire/bus-codec.ts";
import type { PublisherIdentity } from "./publisher-identity.ts";
import type { TopicProgress } from "./publisher.ts";

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
  /** Where the topics of these venues stand that moved lately; see `Publisher.takeProgress`. */
  readonly takeProgress: () => readonly TopicProgress[];
};

/** Topics in one announcement: encoding and reading one takes well below a millisecond. */
export const PROGRESS_ROWS_MAX = 1_000;
/** Between announcements of one round, so that many topics do not keep a process busy at once. */
const ROUND_SPACING_MS = 5;

type ProgressPage = { readonly venue: string; readonly rows: readonly TopicProgress[] };

/**
 * Tells everyone on the bus which venues a publisher has: at the start, at its interval, when
 * somebody asks, whenever the owner says that something changed, and when the publisher leaves. At
 * its interval it also says where the topics stand that moved, in as many announcements as that
 * takes: whoever has lost the last of a topic's events would not find out by the next.
 */
export class Announcements {
  readonly #options: AnnouncementsOptions;
  #subscription: BusSubscription | undefined;
  #cancelTimer: CancelTimer | undefined;
  /** What of the round is still to be said. Every round says it all anew. */
  #pages: ProgressPage[] = [];
  #cancelPage: CancelTimer | undefined;

  constructor(options: AnnouncementsOptions) {
    assert(options.announceIntervalMs > 0, "a publisher announces itself at a positive interval");
    assert(options.identity.publisherId !== "", "a publisher has an identity");
    this.#options = options;
  }

  /** Announces now and regularly from now on. To be called once, when queries are answered. */
  start(): void {
    assert(this.#subscription === undefined, "announcements are started once");
    this.#subscription = this.#options.bus.subscribe(DISCOVER_SUBJECT, () => this.announce());
    this.announce();
    this.#scheduleRound();
  }

  /** Announces every venue at once, out of turn. */
  announce(): void {
    for (const { venue } of this.#options.venues) this.#send(venue, [], false);
  }

  /**
   * Says where everything stands and that nothing more will come, then falls silent. To be called
   * after the last batch was given to the bus. Idempotent.
   */
  close(): void {
    if (this.#subscription === undefined) return;
    this.#subscription.unsubscribe();
    this.#subscription = undefined;
    this.#cancelTimer?.();
    this.#cancelPage?.();
    const pages = [...this.#pages, ...this.#takePages()];
    for (const { venue, rows } of pages) this.#send(venue, rows, false);
    for (const { venue } of this.#options.venues) this.#send(venue, [], true);
  }

  #scheduleRound(): void {
    const { clock, announceIntervalMs } = this.#options;
    this.#cancelTimer = clock.after(announceIntervalMs, () => {
      this.#scheduleRound();
      this.announce();
      this.#pages = this.#takePages();
      this.#cancelPage?.();
      this.#sendPage();
    });
  }

  /** The venues' progress in pages of at most PROGRESS_ROWS_MAX topics. */
  #takePages(): ProgressPage[] {
    const byVenue = new Map<string, TopicProgress[]>();
    for (const row of this.#options.takeProgress()) {
      const rows = byVenue.get(row.venue);
      if (rows === undefined) byVenue.set(row.venue, [row]);
      else rows.push(row);
    }
    const pages: ProgressPage[] = [];
    for (const [venue, rows] of byVenue) {
      for (let from = 0; from < rows.length; from += PROGRESS_ROWS_MAX) {
        pages.push({ venue, rows: rows.slice(from, from + PROGRESS_ROWS_MAX) });
      }
    }
    return pages;
  }

  #sendPage(): void {
    const page = this.#pages.shift();
    if (page === undefined) return;
    this.#send(page.venue, page.rows, false);
    if (this.#pages.length === 0) return;
    this.#cancelPage = this.#options.clock.after(ROUND_SPACING_MS, () => this.#sendPage());
  }

  #send(venue: string, rows: readonly TopicProgress[], leaving: boolean): void {
    const { bus, logger, venues, identity, announceIntervalMs } = this.#options;
    const announced = venues.find((one) => one.venue === venue);
    if (announced === undefined) return;
    const announcement = {
      ingestorId: identity.publisherId,
      venue,
      catalogVersion: announced.streamed.version,
      announceIntervalMs,
      epoch: identity.epoch,
      leaving,
      progress: rows.map(({ symbol, channel, sequence }) => {
        return { symbol, channel: channelToWire(channel), sequence };
      }),
    };
    try {
      bus.publish(announceSubject(venue), encodeAnnouncement(announcement));
    } catch (error) {
      // The next announcement follows soon, and a bus that is down says so by its own events.
      if (!(error instanceof BusError)) throw error;
      logger.debug({ code: error.code }, "the bus did not take an announcement");
    }
  }
}
