import { channelToWire } from "@tickwire/proto/codec";
import { BusError } from "#bus/bus.ts";
import type { Bus, BusSubscription } from "#bus/bus.ts";
import { announceSubject, DISCOVER_SUBJECT } from "#bus/subject.ts";
import { assert } from "#core/assert.ts";
import type { CancelTimer, Clock } from "#core/clock.ts";
import type { Logger } from "#core/logger.ts";
import { encodeAnnouncement } from "#wire/bus-codec.ts";
import type { TopicProgress } from "./publisher.ts";

/** What is announced of one venue. */
export type AnnouncedVenue = {
  readonly venue: string;
  /** `version` rises with each change of what is streamed. */
  readonly streamed: { readonly version: number };
  /** In which epoch it is published, and of which it goes on from; `epoch` is 0 while it is not. */
  readonly publisher: {
    readonly epoch: number;
    readonly continuedEpoch: number | undefined;
    /** Where its topics stand that moved lately; see `Publisher.takeProgress`. */
    takeProgress(): readonly TopicProgress[];
  };
  /** Of the term; 0 for a publisher that is alone by construction. */
  readonly fencingToken?: number;
  /** Of several ingestors that share the venue's instruments; absent where there is one. */
  readonly shard?: { readonly shardIndex: number; readonly shardCount: number };
};

type AnnouncementsOptions = {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly publisherId: string;
  /** Announced as well, so that everyone judges this publisher by its own interval. */
  readonly announceIntervalMs: number;
  /** Those that are not published now are not announced. */
  readonly venues: readonly AnnouncedVenue[];
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
    assert(options.publisherId !== "", "a publisher has an identity");
    this.#options = options;
  }

  /** Announces now and regularly from now on. To be called once, when queries are answered. */
  start(): void {
    assert(this.#subscription === undefined, "announcements are started once");
    this.#subscription = this.#options.bus.subscribe(DISCOVER_SUBJECT, () => this.announce());
    this.announce();
    this.#scheduleRound();
  }

  /** Announces every venue at once, or this one, out of turn. */
  announce(only?: string): void {
    for (const { venue } of this.#options.venues) {
      if (only === undefined || only === venue) this.#send(venue, [], false);
    }
  }

  /** Says that this publisher does not publish the venue any more. It still has its epoch. */
  leave(venue: string): void {
    if (this.#subscription !== undefined) this.#send(venue, [], true);
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
    const pages: ProgressPage[] = [];
    for (const { venue, publisher } of this.#options.venues) {
      const rows = publisher.epoch > 0 ? publisher.takeProgress() : [];
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
    const { bus, logger, venues, publisherId, announceIntervalMs } = this.#options;
    const announced = venues.find((one) => one.venue === venue);
    if (announced === undefined || announced.publisher.epoch === 0) return;
    const { epoch, continuedEpoch = 0 } = announced.publisher;
    const announcement = {
      ingestorId: publisherId,
      venue,
      catalogVersion: announced.streamed.version,
      announceIntervalMs,
      epoch,
      leaving,
      fencingToken: announced.fencingToken ?? 0,
      continuesEpoch: continuedEpoch,
      shardIndex: announced.shard?.shardIndex ?? 0,
      shardCount: announced.shard?.shardCount ?? 0,
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
