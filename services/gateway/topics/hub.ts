import { assert } from "#core/assert.ts";
import { BusError } from "#bus/bus.ts";
import type { Bus, BusEvent } from "#bus/bus.ts";
import { eventSubject } from "#bus/subject.ts";
import type { CancelTimer, Clock } from "#core/clock.ts";
import { formatTopic } from "#core/topic.ts";
import type { Topic } from "#core/topic.ts";
import type { GatewayMetrics } from "../metrics.ts";
import { QueryGate } from "./query-gate.ts";
import { TopicFeed } from "./topic-feed.ts";
import type { RingLimits } from "./topic-history.ts";
import { RAW_VIEW, TopicView } from "./topic-view.ts";
import type { ViewOptions } from "./topic-view.ts";

/** What the hub needs of the gateway. */
type HubParts = {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly metrics: GatewayMetrics;
  /** In [0, 1). */
  readonly random: () => number;
  readonly limits: RingLimits & {
    readonly queryTimeoutMs: number;
    readonly queriesInFlightMax: number;
    readonly topicsMax: number;
    readonly topicLingerMs: number;
  };
};

/** A topic that the gateway follows, with the view of it that there is. */
type FollowedTopic = {
  readonly feed: TopicFeed;
  readonly view: TopicView;
  /** Uses of the view by sessions, attached or about to be. */
  holds: number;
  /** Set while nobody uses the topic; calling it keeps the topic. */
  cancelDrop: CancelTimer | undefined;
};

/**
 * Every topic that some session uses, once: however many sessions, there is one subscription on the
 * bus. A topic that nobody uses any more is kept for a while, because a client that reconnects
 * wants it again.
 */
export class Hub {
  readonly #parts: HubParts;
  readonly #gate: QueryGate;
  readonly #topics = new Map<string, FollowedTopic>();
  /** Those that nobody uses, the longest unused first. */
  readonly #lingering = new Set<FollowedTopic>();
  readonly #stopListening: () => void;
  #nextId = 1;

  constructor(parts: HubParts) {
    this.#parts = parts;
    this.#gate = new QueryGate(parts.limits.queriesInFlightMax, (waiting) => {
      parts.metrics.queriesWaiting.set(waiting);
    });
    this.#stopListening = parts.bus.onEvent((event) => this.#onBusEvent(event));
  }

  /** Topics that are followed on the bus, used or kept for a while. */
  get topics(): number {
    return this.#topics.size;
  }

  /**
   * The view of the topic, with one more hold on it; undefined if `topicsMax` are followed already
   * or the bus is closed. Whoever holds a view gives it back with `release`.
   */
  hold(name: Topic, options: ViewOptions = RAW_VIEW): TopicView | undefined {
    const followed = this.#topics.get(formatTopic(name)) ?? this.#follow(name, options);
    if (followed === undefined) return undefined;
    followed.holds += 1;
    followed.cancelDrop?.();
    followed.cancelDrop = undefined;
    this.#lingering.delete(followed);
    return followed.view;
  }

  /** Whether the topic is followed on the bus already. */
  follows(name: Topic): boolean {
    return this.#topics.has(formatTopic(name));
  }

  /** Gives one hold back. The topic is followed for `topicLingerMs` after the last. */
  release(view: TopicView): void {
    const followed = this.#topics.get(view.topic);
    // The hub was closed, and everything that it followed with it.
    if (followed === undefined) return;
    assert(followed.view === view, `the view of ${view.topic} was released after it was dropped`);
    assert(followed.holds > 0, `the view of ${view.topic} was released more often than held`);
    followed.holds -= 1;
    if (followed.holds > 0) return;
    this.#lingering.add(followed);
    followed.cancelDrop = this.#parts.clock.after(this.#parts.limits.topicLingerMs, () => {
      this.#drop(followed);
    });
  }

  /** The feeds of one venue. */
  feedsOf(venue: string): TopicFeed[] {
    const feeds = Array.from(this.#topics.values(), ({ feed }) => feed);
    return feeds.filter((feed) => feed.name.venue === venue);
  }

  /** Leaves every topic. Idempotent. */
  close(): void {
    this.#stopListening();
    for (const { feed, cancelDrop } of this.#topics.values()) {
      cancelDrop?.();
      feed.close();
    }
    this.#topics.clear();
    this.#lingering.clear();
    this.#parts.metrics.topics.set(0);
  }

  #follow(name: Topic, options: ViewOptions): FollowedTopic | undefined {
    if (this.#topics.size >= this.#parts.limits.topicsMax && !this.#dropLongestUnused()) {
      return undefined;
    }
    let feed: TopicFeed;
    try {
      feed = new TopicFeed(this.#nextId, name, { ...this.#parts, gate: this.#gate });
    } catch (error) {
      if (error instanceof BusError) return undefined;
      throw error;
    }
    this.#nextId += 1;
    const view = new TopicView(feed, options);
    const followed: FollowedTopic = { feed, view, holds: 0, cancelDrop: undefined };
    this.#topics.set(feed.topic, followed);
    this.#parts.metrics.topics.set(this.#topics.size);
    return followed;
  }

  /** Makes room; false if every topic is in use. */
  #dropLongestUnused(): boolean {
    const [oldest] = this.#lingering;
    if (oldest === undefined) return false;
    this.#drop(oldest);
    return true;
  }

  #drop(followed: FollowedTopic): void {
    assert(followed.holds === 0, `${followed.feed.topic} is dropped while somebody uses it`);
    followed.cancelDrop?.();
    this.#lingering.delete(followed);
    this.#topics.delete(followed.feed.topic);
    followed.feed.close();
    this.#parts.metrics.topics.set(this.#topics.size);
  }

  #onBusEvent(event: BusEvent): void {
    if (event.kind === "reconnected") {
      // What was published meanwhile is gone, and a quiet topic would not show it.
      for (const { feed } of this.#topics.values()) feed.resync(false);
    } else if (event.kind === "slow-consumer") {
      for (const { feed } of this.#topics.values()) {
        if (eventSubject(feed.name) === event.pattern) feed.resync(false);
      }
    }
  }
}
