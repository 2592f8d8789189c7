import { assert } from "#core/assert.ts";
import type { CancelTimer, Clock } from "#core/clock.ts";
import { isLaterToken, NO_TOKEN } from "#core/fencing-token.ts";
import { FOLLOW_TABLE } from "./publisher-table.ts";
import type { FollowEvent, FollowState } from "./publisher-table.ts";

/** A publisher as it announced itself. */
export type AnnouncedPublisher = {
  readonly publisherId: string;
  readonly epoch: number;
  readonly intervalMs: number;
  /** Of its term; none if absent. */
  readonly fencingToken?: number;
  /** The epoch that its own goes on from; 0 or absent if it began anew. */
  readonly continuesEpoch?: number;
};

/** Whose messages count for a venue. */
export type FollowedPublisher = Pick<AnnouncedPublisher, "publisherId" | "epoch"> & {
  /**
   * It was first heard of less than one of its intervals ago, as after a restart, and goes on from
   * nothing: whatever it published is news to everybody, from sequence 1 on.
   */
  readonly isNewcomer: boolean;
  /** It goes on from another one: topic by topic it says whether nothing was lost. */
  readonly continues?: boolean;
};

/** Who that is, after it was adopted. */
export type FollowedIdentity = Omit<FollowedPublisher, "isNewcomer" | "continues">;

type VenuePublishersParts = {
  readonly clock: Clock;
  /**
   * Asks a publisher for a sign of life. `gone` is certain; `no-answer` proves nothing, because it
   * may be held up.
   */
  readonly ping: (publisherId: string) => Promise<"there" | "gone" | "no-answer">;
  readonly listener: {
    /** Another publisher is followed from now on. */
    onAdopted(publisher: FollowedPublisher): void;
    /** Nobody publishes the venue. */
    onLost(): void;
    /** The one that was lost is there again, in the epoch that it had. */
    onRecovered(): void;
  };
};

/** A publisher that is there besides the followed one. */
type Other = {
  readonly publisher: AnnouncedPublisher;
  isNewcomer: boolean;
  readonly cancelNovelty: CancelTimer;
  cancelExpiry: CancelTimer;
};

/** A publisher that was silent for this many of the intervals that it announced is lost. */
const MISSED_ANNOUNCEMENTS_MAX = 3;
/** Publishers of one venue besides the followed one; the one heard of first makes room. */
export const OTHER_PUBLISHERS_MAX = 16;

/**
 * Who publishes one venue, and which of them is followed. States, events and invariants stand in
 * publisher-table.ts. Times are counted in timers alone, so that neither a step of a clock nor a
 * stop of our own process makes anybody late: after a stop one interval has passed, not all that
 * the stop lasted.
 */
export class VenuePublishers {
  readonly #parts: VenuePublishersParts;
  #state: FollowState = "nobody";
  #followed: AnnouncedPublisher | undefined;
  readonly #others = new Map<string, Other>();
  /** Intervals of the followed one that passed without a word. */
  #missed = 0;
  #cancelInterval: CancelTimer | undefined;
  #pinging = false;
  #busIsDown = false;
  #closed = false;

  constructor(parts: VenuePublishersParts) {
    this.#parts = parts;
  }

  get state(): FollowState {
    return this.#state;
  }

  /** The one whose messages count; the last one that was followed while none is there. */
  get followed(): AnnouncedPublisher | undefined {
    return this.#followed;
  }

  /** Whether the followed one is being asked for a sign of life, and this one would be next. */
  mayFollow(epoch: number): boolean {
    const next = this.#nextOther();
    return this.#pinging && next?.publisher.epoch === epoch;
  }

  /** Publishers that are known besides the followed one. */
  get others(): number {
    return this.#others.size;
  }

  /**
   * A publisher announced itself. False, and nothing is done, if it contradicts what the same
   * publisher said before: an identity has one epoch.
   */
  heard(publisher: AnnouncedPublisher): boolean {
    const { publisherId, epoch } = publisher;
    const known =
      this.#followed?.publisherId === publisherId
        ? this.#followed
        : this.#others.get(publisherId)?.publisher;
    if (known !== undefined && known.epoch !== epoch) return false;
    if (known === this.#followed && known !== undefined) {
      this.#followed = publisher;
      this.#happen("followedHeard");
    } else {
      const token = this.#followed?.fencingToken ?? NO_TOKEN;
      const isLater = token !== NO_TOKEN && isLaterToken(tokenOf(publisher), token);
      this.#happen(isLater ? "laterHeard" : "otherHeard", this.#note(publisher));
      if (this.#followed?.publisherId !== publisherId) this.#challenge();
    }
    return true;
  }

  /** A publisher said that nothing more will come of it. */
  left(publisherId: string): void {
    this.#forget(publisherId);
    if (this.#followed?.publisherId === publisherId) this.#happen("followedLeft");
  }

  /** Our own connection to the bus is gone: what is silent now may well be there. */
  busDown(): void {
    this.#busIsDown = true;
    this.#cancelInterval?.();
    this.#cancelInterval = undefined;
    for (const { cancelExpiry } of this.#others.values()) cancelExpiry();
  }

  /** It is there again: everybody has all of their time to announce themselves. */
  busUp(): void {
    if (!this.#busIsDown) return;
    this.#busIsDown = false;
    this.#missed = 0;
    if (this.#state === "followed") this.#armInterval();
    for (const other of this.#others.values()) other.cancelExpiry = this.#expiryOf(other.publisher);
  }

  /** Nothing happens afterwards. Idempotent. */
  close(): void {
    this.#closed = true;
    this.#cancelInterval?.();
    for (const publisherId of this.#others.keys()) this.#forget(publisherId);
  }

  #happen(event: FollowEvent, heard?: Other): void {
    const { listener } = this.#parts;
    switch (FOLLOW_TABLE[this.#state][event].does) {
      case "keep":
        this.#armInterval();
        return;
      case "recover":
        this.#enter(event, "followed");
        this.#armInterval();
        listener.onRecovered();
        return;
      case "adopt":
        assert(heard !== undefined, "who is adopted was heard");
        this.#adopt(event, heard);
        return;
      case "replace":
        this.#replace(event);
        return;
      case "note":
      case "ignore":
        return;
    }
  }

  #enter(event: FollowEvent, state: FollowState): void {
    const { next } = FOLLOW_TABLE[this.#state][event];
    assert(next.includes(state), `${event} leads from ${this.#state} to ${next.join(" or ")}`);
    this.#state = state;
  }

  #adopt(event: FollowEvent, { publisher, isNewcomer }: Other): void {
    this.#enter(event, "followed");
    this.#forget(publisher.publisherId);
    this.#followed = publisher;
    this.#armInterval();
    const { publisherId, epoch, continuesEpoch = 0 } = publisher;
    const continues = continuesEpoch > 0;
    this.#parts.listener.onAdopted({
      publisherId,
      epoch,
      isNewcomer: isNewcomer && !continues,
      continues,
    });
  }

  /**
   * The one of the latest term; of those the one that is known for longest, which has kept on
   * announcing itself.
   */
  #nextOther(): Other | undefined {
    let next: Other | undefined;
    for (const other of this.#others.values()) {
      const token = tokenOf(other.publisher);
      if (next === undefined || isLaterToken(token, tokenOf(next.publisher))) next = other;
    }
    return next;
  }

  #replace(event: FollowEvent): void {
    this.#cancelInterval?.();
    this.#cancelInterval = undefined;
    const other = this.#nextOther();
    if (other !== undefined) {
      this.#adopt(event, other);
      return;
    }
    this.#enter(event, "silent");
    this.#parts.listener.onLost();
  }

  /**
   * A venue has a second publisher. After a crash and a restart it is the first one that is gone:
   * the bus knows, so nobody has to wait for three intervals.
   */
  #challenge(): void {
    const challenged = this.#followed;
    if (challenged === undefined || this.#pinging || this.#busIsDown) return;
    this.#pinging = true;
    // It never rejects: what goes wrong proves nothing, and is one of its answers.
    void this.#parts.ping(challenged.publisherId).then((answer) => {
      this.#pinging = false;
      if (this.#closed || this.#followed?.publisherId !== challenged.publisherId) return;
      if (answer === "there" && this.#state === "followed") this.#happen("followedHeard");
      if (answer === "gone") this.#happen("followedGone");
    });
  }

  #note(publisher: AnnouncedPublisher): Other {
    const { publisherId, intervalMs } = publisher;
    const known = this.#others.get(publisherId);
    if (known !== undefined) {
      known.cancelExpiry();
      known.cancelExpiry = this.#expiryOf(publisher);
      return known;
    }
    const [oldest] = this.#others.keys();
    if (this.#others.size >= OTHER_PUBLISHERS_MAX && oldest !== undefined) this.#forget(oldest);
    const cancelNovelty = this.#parts.clock.after(
      intervalMs,
      () => void (other.isNewcomer = false),
    );
    const cancelExpiry = this.#expiryOf(publisher);
    const other: Other = { publisher, isNewcomer: true, cancelNovelty, cancelExpiry };
    this.#others.set(publisherId, other);
    return other;
  }

  #forget(publisherId: string): void {
    const other = this.#others.get(publisherId);
    other?.cancelNovelty();
    other?.cancelExpiry();
    this.#others.delete(publisherId);
  }

  #expiryOf({ publisherId, intervalMs }: AnnouncedPublisher): CancelTimer {
    if (this.#busIsDown) return () => {};
    return this.#parts.clock.after(intervalMs * MISSED_ANNOUNCEMENTS_MAX, () => {
      this.#others.delete(publisherId);
    });
  }

  #armInterval(): void {
    this.#missed = 0;
    this.#cancelInterval?.();
    this.#cancelInterval = undefined;
    if (!this.#busIsDown) this.#countInterval();
  }

  #countInterval(): void {
    const followed = this.#followed;
    assert(followed !== undefined, "an interval is that of the followed publisher");
    this.#cancelInterval = this.#parts.clock.after(followed.intervalMs, () => {
      this.#missed += 1;
      if (this.#missed < MISSED_ANNOUNCEMENTS_MAX) this.#countInterval();
      else this.#happen("followedSilent");
    });
  }
}

function tokenOf({ fencingToken = NO_TOKEN }: AnnouncedPublisher): number {
  return fencingToken;
}
