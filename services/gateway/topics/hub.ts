import { BusError } from "#bus/bus.ts";
import type { Bus, BusEvent } from "#bus/bus.ts";
import { eventSubject } from "#bus/subject.ts";
import type { CancelTimer, Clock } from "#core/clock.ts";
import { formatTopic } from "#core/topic.ts";
import type { GatewayMetrics } from "../metrics.ts";
import { QueryGate } from "../catalog/query-gate.ts";
import { TopicFeed } from "./topic-feed.ts";
import type { TopicName } from "./topic-feed.ts";
import type { RingLimits } from "./topic-state.ts";

/** What the hub needs of the gateway. */
export type HubParts = {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly metrics: GatewayMetrics;
  readonly limits: RingLimits & {
    readonly queryTimeoutMs: number;
    readonly queriesInFlightMax: number;
    readonly topicsMax: number;
    readonly topicLingerMs: number;
  };
};

/**
 * Every topic that some session uses, once: however many sessions, there is one subscription on the
 * bus. A topic that nobody uses any more is kept for a while, because a client that reconnects
 * wants it again.
 */
export class Hub {
  readonly #parts: HubParts;
  readonly #gate: QueryGate;
  readonly #feeds = new Map<string, TopicFeed>();
  readonly #lingering = new Map<TopicFeed, CancelTimer>();
  readonly #stopListening: () => void;
  #nextId = 1;

  constructor(parts: HubParts) {
    this.#parts = parts;
    this.#gate = new QueryGate(parts.limits.queriesInFlightMax, (waiting) => {
      parts.metrics.queriesWaiting.set(waiting);
    });
    this.#stopListening = parts.bus.onEvent((event) => this.#onBusEvent(event));
  }

  get topics(): number {
    return this.#feeds.size;
  }

  /**
   * The topic's feed, with one more hold on it; undefined if `topicsMax` are followed already or
   * the bus is closed.
   */
  hold(name: TopicName): TopicFeed | undefined {
    const topic = formatTopic(name);
    let feed = this.#feeds.get(topic);
    if (feed === undefined) {
      if (this.#feeds.size >= this.#parts.limits.topicsMax && !this.#evictLingering()) {
        return undefined;
      }
      const created = this.#create(name);
      if (created === undefined) return undefined;
      feed = created;
      this.#nextId += 1;
      this.#feeds.set(topic, feed);
      this.#parts.metrics.topics.set(this.#feeds.size);
    }
    feed.holds += 1;
    this.#lingering.get(feed)?.();
    this.#lingering.delete(feed);
    return feed;
  }

  /** Gives one hold back. The feed lives on for `topicLingerMs` after the last. */
  release(feed: TopicFeed): void {
    feed.holds -= 1;
    if (feed.holds > 0 || this.#feeds.get(feed.topic) !== feed) return;
    const cancel = this.#parts.clock.after(this.#parts.limits.topicLingerMs, () => {
      this.#drop(feed);
    });
    this.#lingering.set(feed, cancel);
  }

  /** The feeds of one venue. */
  feedsOf(venue: string): TopicFeed[] {
    return [...this.#feeds.values()].filter((feed) => feed.name.venue === venue);
  }

  /** Leaves every topic. Idempotent. */
  close(): void {
    this.#stopListening();
    for (const cancel of this.#lingering.values()) cancel();
    this.#lingering.clear();
    for (const feed of this.#feeds.values()) feed.close();
    this.#feeds.clear();
    this.#parts.metrics.topics.set(0);
  }

  #create(name: TopicName): TopicFeed | undefined {
    try {
      return new TopicFeed(this.#nextId, name, { ...this.#parts, gate: this.#gate });
    } catch (error) {
      if (error instanceof BusError) return undefined;
      throw error;
    }
  }

  /** Makes room by dropping the topic that has been unused for longest. */
  #evictLingering(): boolean {
    const [oldest] = this.#lingering.keys();
    if (oldest === undefined) return false;
    this.#drop(oldest);
    return true;
  }

  #drop(feed: TopicFeed): void {
    this.#lingering.get(feed)?.();
    this.#lingering.delete(feed);
    this.#feeds.delete(feed.topic);
    feed.close();
    this.#parts.metrics.topics.set(this.#feeds.size);
  }

  #onBusEvent(event: BusEvent): void {
    if (event.kind === "reconnected") {
      // What was published meanwhile is gone, and a quiet topic would not show it.
      for (const feed of this.#feeds.values()) feed.resync(false);
    } else if (event.kind === "slow-consumer") {
      for (const feed of this.#feeds.values()) {
        if (eventSubject(feed.name) === event.pattern) feed.resync(false);
      }
    }
  }
}
