import type { Instrument } from "#core/instrument.ts";
import { bookSyncOf } from "../book-sync-of.ts";
import type { FeedSubscribeOptions, FeedSubscription } from "../feed-adapter.ts";
import type { VenueContext } from "../venue-context.ts";
import type { FeedLink } from "./feed-link.ts";
import type { SessionCounters } from "./feed-session-options.ts";

type SubscriptionRequestsOptions = VenueContext & {
  readonly counters: Pick<SessionCounters, "resubscribes" | "snapshotsRequested">;
};

/**
 * What a session asks of the venue on its connection, in the venue's own frames. Each frame has a
 * request id that no other frame of the session has.
 */
export class SubscriptionRequests {
  readonly #options: SubscriptionRequestsOptions;
  #requestId = 1;

  constructor(options: SubscriptionRequestsOptions) {
    this.#options = options;
  }

  /**
   * Sends what a new connection begins with. How many frames subscribe; none if its address alone
   * does.
   */
  begin(link: FeedLink, subscriptions: readonly FeedSubscription[]): number {
    const { adapter } = this.#options;
    const opening = this.#numbered((options) => adapter.openingFrames?.(options) ?? []);
    const subscribing = subscriptions.length === 0 ? [] : this.#subscribing(link, subscriptions);
    link.send([...opening, ...subscribing]);
    return subscribing.length;
  }

  /** Asks for more on a connection that is open. How many frames that takes. */
  subscribe(link: FeedLink, subscriptions: readonly FeedSubscription[]): number {
    const frames = this.#subscribing(link, subscriptions);
    link.send(frames);
    return frames.length;
  }

  /** Ends subscriptions for good. */
  unsubscribe(link: FeedLink, subscriptions: readonly FeedSubscription[]): void {
    link.send(this.#ending(link, subscriptions));
  }

  /** Asks for what tells of the market as a whole. */
  subscribeMarket(link: FeedLink, url: string): void {
    const { adapter } = this.#options;
    link.send(this.#numbered((options) => adapter.marketFrames?.(url, options) ?? []));
  }

  /** Asks once more for what the venue has not confirmed. */
  repeat(link: FeedLink, subscriptions: readonly FeedSubscription[]): void {
    this.#options.counters.resubscribes += subscriptions.length;
    link.send(this.#subscribing(link, subscriptions));
  }

  /** Ends subscriptions and makes them anew. Does nothing on a connection that is not open. */
  renew(link: FeedLink | undefined, subscriptions: readonly FeedSubscription[]): void {
    const { counters } = this.#options;
    if (link === undefined || !link.isOpen) return;
    counters.resubscribes += subscriptions.length;
    const ending = this.#ending(link, subscriptions);
    link.send([...ending, ...this.#subscribing(link, subscriptions)]);
  }

  /** Asks for the snapshot of a book in the way in which it comes on the connection. */
  askForBook(link: FeedLink | undefined, instrument: Instrument): void {
    const { adapter, bookDepth, counters } = this.#options;
    if (bookSyncOf(adapter, instrument, { bookDepth }).snapshot === "in-band") {
      this.renew(link, [{ instrument, channel: "book" }]);
      return;
    }
    const frames = this.#numbered((options) => adapter.snapshotFrames?.(instrument, options) ?? []);
    counters.snapshotsRequested += 1;
    link?.send(frames);
  }

  #ending(link: FeedLink, subscriptions: readonly FeedSubscription[]): readonly string[] {
    const { adapter } = this.#options;
    return this.#numbered(
      (options) =>
        link.decoder.unsubscribeFrames?.(subscriptions, options) ??
        adapter.unsubscribeFrames(subscriptions, options),
    );
  }

  /** Some requests depend on what the connection has already. */
  #subscribing(link: FeedLink, subscriptions: readonly FeedSubscription[]): readonly string[] {
    const { adapter } = this.#options;
    return this.#numbered(
      (options) =>
        link.decoder.subscribeFrames?.(subscriptions, options) ??
        adapter.subscribeFrames(subscriptions, options),
    );
  }

  #numbered(make: (options: FeedSubscribeOptions) => readonly string[]): readonly string[] {
    const { bookDepth } = this.#options;
    const frames = make({ requestId: this.#requestId, bookDepth });
    this.#requestId += frames.length;
    return frames;
  }
}
