import { backoffDelayMs } from "@tickwire/proto/model";
import type { CancelTimer } from "#core/clock.ts";
import { quotedText } from "#core/visible-text.ts";
import type { FeedSubscription } from "../feed-adapter.ts";
import type { FeedLink, RefusedEvent } from "./feed-link.ts";
import type { FeedSessionOptions } from "./feed-session-options.ts";
import { refusalKindOf, type RefusalKind } from "./refusals.ts";
import { halvesOf, namesOf } from "./refused-requests.ts";
import type { SubscriptionRequests } from "./subscription-requests.ts";
import type { SubscriptionWatch } from "./subscription-watch.ts";
import type { Watched } from "./watched-subscription.ts";

type SessionRefusalsOptions = FeedSessionOptions & {
  readonly watch: SubscriptionWatch;
  readonly requests: SubscriptionRequests;
  /** The connection that leads now. */
  readonly link: () => FeedLink | undefined;
  /** How long the answers to so many frames may take. */
  readonly answerUs: (frames: number) => number;
  /** What was asked for is so already. */
  readonly onConfirmed: (link: FeedLink, subscription: FeedSubscription) => void;
};

/**
 * What becomes of the subscriptions that a venue refuses: those refused for the sake of one are
 * asked for in halves until it is alone, those refused for the moment after waits that grow.
 */
export class SessionRefusals {
  readonly #options: SessionRefusalsOptions;
  /** How many were asked for together with this one since a request was divided. */
  #partSizes = new WeakMap<Watched, number>();
  /** Parts of refused requests that wait to be asked for. */
  #parts: (readonly FeedSubscription[])[] = [];
  #cancelParts: CancelTimer | undefined;

  constructor(options: SessionRefusalsOptions) {
    this.#options = options;
  }

  /** One frame refused all of this. */
  onRefused(link: FeedLink, refused: readonly RefusedEvent[]): void {
    const { adapter, policy, onConfirmed } = this.#options;
    const [first] = refused;
    if (first === undefined) return;
    const kind = refusalKindOf(first, adapter.refusals);
    const watched = this.#watchedOf(refused);
    if (kind === "harmless") {
      for (const { subscription } of watched) onConfirmed(link, subscription);
      return;
    }
    if (kind === "too-fast") link.slowDown(policy.tooFastPauseMs);
    this.#report(first, kind, watched);
    // What another connection than ours is refused is asked for again once that leads.
    if (link !== this.#options.link()) return;
    const halves = this.#halvesOf(watched);
    if (halves === undefined) {
      const words = quotedText([first.code, first.reason].filter(Boolean).join(" "));
      for (const each of watched) this.#onRefusedAlone(each, { kind, words });
    } else {
      this.#askForParts(halves);
    }
  }

  /** What waits was asked for on the connection that is gone. */
  onDisconnected(): void {
    this.#forgetParts();
    this.#partSizes = new WeakMap();
  }

  /** Undefined for what is refused for its own sake. */
  #halvesOf(watched: readonly Watched[]): readonly (readonly FeedSubscription[])[] | undefined {
    const { adapter, bookDepth, recorded } = this.#options;
    if (recorded === true) return undefined;
    // A venue may refuse more than was asked for, such as all of an instrument: then dividing the
    // request does not divide the refusal.
    const isMore = watched.some((each) => (this.#partSizes.get(each) ?? Infinity) < watched.length);
    const subscriptions = watched.map(({ subscription }) => subscription);
    return isMore ? undefined : halvesOf(subscriptions, { adapter, bookDepth });
  }

  #watchedOf(refused: readonly RefusedEvent[]): readonly Watched[] {
    const { catalog, watch } = this.#options;
    const found = new Set<Watched>();
    for (const { venueSymbol, venueMarket, channel } of refused) {
      if (venueSymbol === undefined || channel === undefined) continue;
      const instrument = catalog.byVenueSymbol(venueSymbol, venueMarket);
      const watched = instrument && watch.find(instrument, channel);
      if (watched !== undefined) found.add(watched);
    }
    return [...found];
  }

  #report(
    { reason, code, venueSymbol }: RefusedEvent,
    kind: RefusalKind,
    watched: readonly Watched[],
  ): void {
    const { counters, logger, adapter } = this.#options;
    counters.refusals += 1;
    const refused = namesOf(watched.map(({ subscription }) => subscription));
    const fields = { venue: adapter.venue, kind, code, reason: quotedText(reason), venueSymbol };
    logger.warn({ ...fields, refused }, "subscription refused");
  }

  #onRefusedAlone(
    watched: Watched,
    { kind, words }: { readonly kind: RefusalKind; readonly words: string },
  ): void {
    const { policy, recorded, watch, clock } = this.#options;
    const isOften = watched.refusals + 1 >= policy.refusalsMax;
    // In a recording nobody asks again.
    const final = recorded === true || kind === "final" || isOften;
    // What is known to pass is asked for in its pace, however long it takes.
    const isOver = kind === "final" || (kind === "unknown" && isOften);
    const waitMs = isOver ? policy.finalRefusalMs : this.#waitMs(watched.refusals);
    const askAgainUs = clock.monotonicUs() + waitMs * 1000;
    watch.onRefused(watched, { final, words, askAgainUs });
  }

  #waitMs(refusals: number): number {
    const { policy, random } = this.#options;
    const limits = { baseMs: policy.refusalBackoffBaseMs, maxMs: policy.refusalBackoffMsMax };
    // Half of the longest wait at least, so that what is refused at once is not asked for at once.
    return Math.max(backoffDelayMs({ attempt: refusals, limits, random }), limits.baseMs / 2);
  }

  /** Asks for the parts of a refused request, each by itself, a little later. */
  #askForParts(parts: readonly (readonly FeedSubscription[])[]): void {
    const { clock, policy } = this.#options;
    this.#parts.push(...parts);
    this.#cancelParts ??= clock.after(policy.refusedPartsDelayMs, () => {
      const waiting = this.#parts;
      this.#forgetParts();
      for (const part of waiting) this.#askFor(part);
    });
  }

  #forgetParts(): void {
    this.#cancelParts?.();
    this.#cancelParts = undefined;
    this.#parts = [];
  }

  #askFor(part: readonly FeedSubscription[]): void {
    const { clock, requests, watch, answerUs } = this.#options;
    const link = this.#options.link();
    if (link === undefined || !link.isOpen) return;
    const nowUs = clock.monotonicUs();
    for (const { instrument, channel } of part) {
      const watched = watch.find(instrument, channel);
      if (watched === undefined) continue;
      this.#partSizes.set(watched, part.length);
      watch.awaitAnswer(watched, nowUs, nowUs + answerUs(1));
    }
    requests.repeat(link, part);
  }
}
