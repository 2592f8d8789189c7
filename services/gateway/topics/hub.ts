import { assert } from "#core/assert.ts";
import { BusError } from "#bus/bus.ts";
import type { Bus, BusEvent } from "#bus/bus.ts";
import { parseEventSubject } from "#bus/subject.ts";
import type { CancelTimer, Clock } from "#core/clock.ts";
import type { Logger } from "#core/logger.ts";
import { formatTopic } from "#core/topic.ts";
import type { Topic } from "#core/topic.ts";
import type { Catalog, CatalogEvent } from "../catalog/catalog.ts";
import { partitionId } from "../catalog/venue-partition.ts";
import type { VenuePartition } from "../catalog/venue-partition.ts";
import type { FollowedPublisher } from "../catalog/venue-publishers.ts";
import type { GatewayMetrics } from "../metrics.ts";
import type { Scheduler } from "../turns/scheduler.ts";
import type { TurnLine, Turns, Work } from "../turns/turns.ts";
import { VenueGates } from "../turns/query-gate.ts";
import { TopicFeed } from "./topic-feed.ts";
import { DelayedTopics } from "./delay/delayed-topics.ts";
import { DelaySpace } from "./delay/delay-queue.ts";
import type { FeedWatch } from "./topic-feed.ts";
import type { RingLimits } from "./topic-history.ts";
import type { ResumeParts } from "./topic-past.ts";
import { TopicViews } from "./conflation/topic-views.ts";
import { ViewBudget } from "./conflation/view-budget.ts";
import { ViewClock } from "./conflation/view-clock.ts";
import type { TopicView } from "./topic-view.ts";
import { RAW_VIEW } from "./view-options.ts";
import type { ViewOptions } from "./view-options.ts";
import { troubleState, VenueTroubles } from "./venue-trouble.ts";

/** What the hub needs of the gateway. */
type HubParts = {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: GatewayMetrics;
  /** For what happens to all topics of a venue at once. */
  readonly turns: Turns;
  /** For views that many are due at once. */
  readonly scheduler: Scheduler;
  /** Whose messages count for a venue. */
  readonly catalog: Pick<Catalog, "publisherOf" | "mayFollow" | "partitionOf" | "instrument">;
  /** In [0, 1). */
  readonly random: () => number;
  /** For clients who come back. */
  readonly resume: ResumeParts;
  readonly limits: RingLimits & {
    readonly queryTimeoutMs: number;
    readonly queriesInFlightMax: number;
    readonly topicsMax: number;
    readonly topicLingerMs: number;
    readonly delayBytesMax: number;
    readonly viewsMax: number;
  };
};

/** Who asks for a view. */
type ViewAsker = {
  /** Topics that it has already. */
  readonly topics: number;
  /** The view of the topic that it has, and releases when it has got the other one. */
  readonly leaving?: TopicView;
};

/** Why a view cannot be had now. */
export type NoRoom = "topicsMax" | "topicsShare" | "viewsMax" | "bus";

/** So much of `topicsMax` is kept for those who have few topics. */
const KEPT_SHARE = 1 / 8;

/** A topic that the gateway follows, with the views of it that there are. */
type FollowedTopic = {
  readonly feed: TopicFeed;
  readonly views: TopicViews;
  /** The same for who may have it only later. */
  readonly delayed: DelayedTopics;
  /** Uses of the views by sessions, attached or about to be. */
  holds: number;
  /** Set while nobody uses the topic; calling it keeps the topic. */
  cancelDrop: CancelTimer | undefined;
};

/** Between two log lines about the same trouble of one venue. */
const LOG_INTERVAL_MS = 10_000;
/** A book that views cannot follow is compared with its publisher so soon, and not more often. */
const UNREADABLE_RESYNC_MS = 1_000;

/**
 * Every topic that some session uses, once: however many sessions, there is one subscription on the
 * bus. A topic that nobody uses any more is kept for a while, because a client that reconnects
 * wants it again.
 */
export class Hub {
  readonly #parts: HubParts;
  readonly #gates: VenueGates;
  readonly #topics = new Map<string, FollowedTopic>();
  /** Those that nobody uses, the longest unused first. */
  readonly #lingering = new Set<FollowedTopic>();
  readonly #stopListening: () => void;
  readonly #watch: FeedWatch;
  readonly #troubles: VenueTroubles;
  readonly #line: TurnLine;
  /** Of what publishers answer, where that takes long to read. */
  readonly #answerLine: TurnLine;
  readonly #viewClock: ViewClock;
  readonly #viewBudget: ViewBudget;
  readonly #delaySpace: DelaySpace;
  /** Topics with a batch that could not be read, until they are compared with their publisher. */
  readonly #unreadable = new Map<TopicFeed, CancelTimer>();
  /** What was logged lately of which venue, until when it is not logged again. */
  readonly #logged = new Map<string, CancelTimer>();
  #nextId = 1;

  constructor(parts: HubParts) {
    this.#parts = parts;
    this.#gates = new VenueGates(parts.limits.queriesInFlightMax, (waiting) => {
      parts.metrics.queriesWaiting.set(waiting);
    });
    this.#stopListening = parts.bus.onEvent((event) => this.#onBusEvent(event));
    this.#troubles = new VenueTroubles(parts);
    this.#line = parts.turns.open();
    this.#answerLine = parts.turns.open();
    this.#viewClock = new ViewClock(parts);
    this.#viewBudget = new ViewBudget(parts.limits.viewsMax, parts.metrics);
    this.#delaySpace = new DelaySpace(parts.limits.delayBytesMax, parts.metrics);
    this.#watch = {
      onLoss: (name) => this.#onLoss(name, "bus-gap"),
      onBadBatch: ({ venue, channel }) => {
        this.#logSometimes({ venue, channel }, "batches that cannot be read are left aside");
      },
      onReplaced: (name) => this.#onLoss(name, "ingestor-replaced"),
      mayBeFollowed: ({ venue, symbol }, epoch) => {
        const { catalog } = parts;
        // It is followed, and the topic that asks has not had its turn to hear of it.
        const isFollowed = catalog.publisherOf(venue, symbol)?.epoch === epoch;
        return isFollowed || catalog.mayFollow(venue, symbol, epoch);
      },
      onForeign: ({ venue, channel }, epoch) => {
        const fields = { venue, channel, epoch };
        this.#logSometimes(fields, "batches of an epoch that is not followed are left aside");
      },
      onStall: (name, { sequence, announced }) => {
        const fields = { venue: name.venue, channel: name.channel, sequence, announced };
        this.#logSometimes(fields, "a topic has not come as far as its publisher announced");
      },
    };
  }

  /** Topics that are followed on the bus, used or kept for a while. */
  get topics(): number {
    return this.#topics.size;
  }

  /**
   * The view of the topic, or one that does for it, with one more hold on it; undefined if there is
   * no room for it, of which `noRoomFor` says more. Whoever holds a view gives it back with
   * `release`.
   */
  hold(
    name: Topic,
    options: ViewOptions = RAW_VIEW,
    asker: ViewAsker = { topics: 0 },
  ): TopicView | undefined {
    const known = this.#topics.get(formatTopic(name));
    if (known === undefined && this.#isBeyondShare(asker.topics)) return undefined;
    const followed = known ?? this.#follow(name);
    if (followed === undefined) return undefined;
    const { delayMs = 0 } = options;
    const { views, delayed } = followed;
    const view =
      delayMs === 0
        ? views.hold(options, asker.leaving)
        : delayed.hold(delayMs, options, asker.leaving);
    if (view === undefined) {
      if (followed.holds === 0 && followed.cancelDrop === undefined) this.#linger(followed);
      return undefined;
    }
    followed.holds += 1;
    followed.cancelDrop?.();
    followed.cancelDrop = undefined;
    this.#lingering.delete(followed);
    return view;
  }

  /** Why the topic was not to be had just now, by one who has so many. */
  noRoomFor(name: Topic, topics: number): NoRoom {
    if (this.follows(name)) return "viewsMax";
    if (this.#freeTopics <= 0) return "topicsMax";
    return this.#isBeyondShare(topics) ? "topicsShare" : "bus";
  }

  /** Views that were made, of all topics together. */
  get views(): number {
    return this.#viewBudget.used;
  }

  /** Every topic that is followed, in the order of their numbers. */
  each(): Iterable<Pick<FollowedTopic, "feed" | "views" | "holds">> {
    return this.#topics.values();
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
    assert(followed.feed.id === view.id, `${view.topic} was released after it was dropped`);
    assert(followed.holds > 0, `${view.topic} was released more often than held`);
    const { delayMs = 0 } = view.options;
    if (delayMs === 0) followed.views.release(view);
    else followed.delayed.release(delayMs, view);
    this.#giveBack(followed);
  }

  #giveBack(followed: FollowedTopic): void {
    followed.holds -= 1;
    if (followed.holds === 0) this.#linger(followed);
  }

  /**
   * The topics of this part of a venue are those of this publisher from now on. Unless it goes on
   * from the one before, whoever follows a status is told: what happened at the venue between the
   * two is in nobody's numbers.
   */
  follow(partition: VenuePartition, publisher: FollowedPublisher): void {
    this.#troubles.cancel(partitionId(partition));
    this.#line.add(this.#followInTurns(partition, publisher));
  }

  /** What the catalog says of publishers. That instruments came or went is nothing to topics. */
  onCatalogEvent(event: Exclude<CatalogEvent, { readonly kind: "changed" }>): void {
    switch (event.kind) {
      case "lost":
        this.venueDown(event.partition, "ingestor-lost", event.sinceTimeUs);
        return;
      case "recovered":
        this.venueBack(event.partition);
        return;
      case "publisher":
        this.follow(event.partition, event.publisher);
        return;
      case "progress":
        this.progressed(event.venue, event.epoch, event.topics);
        return;
    }
  }

  /** Every channel of the part is down, as everybody who follows a status is told. */
  venueDown(
    partition: VenuePartition,
    reason: "ingestor-lost" | "bus-down",
    sinceTimeUs: number,
  ): void {
    const trouble = { state: "down", reason, sinceTimeUs } as const;
    this.#troubles.tell(partitionId(partition), this.feedsOf(partition), trouble);
  }

  /**
   * The part's publisher is there again. The statuses are our own since it was down, so those are
   * sent again in any case; of the other topics only what was missed.
   */
  venueBack(partition: VenuePartition): void {
    this.#troubles.cancel(partitionId(partition));
    this.#line.add(this.#compareInTurns(partition));
  }

  /** The venue's publisher says where its topics stand. */
  progressed(
    venue: string,
    epoch: number,
    topics: readonly (Omit<Topic, "venue"> & { readonly sequence: number })[],
  ): void {
    for (const { symbol, channel, sequence } of topics) {
      const followed = this.#topics.get(formatTopic({ venue, symbol, channel }));
      followed?.feed.progressed({ epoch, sequence });
    }
  }

  /** The feeds of a part of a venue. */
  feedsOf(partition: VenuePartition): TopicFeed[] {
    const { venue, shardCount } = partition;
    const id = partitionId(partition);
    const { catalog } = this.#parts;
    const feeds = Array.from(this.#topics.values(), ({ feed }) => feed);
    return feeds.filter(({ name }) => {
      if (name.venue !== venue) return false;
      if (shardCount === 0) return true;
      const own = catalog.partitionOf(venue, name.symbol);
      return own !== undefined && partitionId(own) === id;
    });
  }

  /** Leaves every topic. Idempotent. */
  close(): void {
    this.#stopListening();
    this.#troubles.close();
    this.#line.clear();
    this.#answerLine.clear();
    for (const cancel of this.#logged.values()) cancel();
    this.#logged.clear();
    this.#viewClock.close();
    for (const cancel of this.#unreadable.values()) cancel();
    this.#unreadable.clear();
    for (const { feed, cancelDrop, delayed } of this.#topics.values()) {
      cancelDrop?.();
      delayed.close();
      feed.close();
    }
    this.#topics.clear();
    this.#lingering.clear();
    this.#parts.metrics.topics.set(0);
  }

  #follow(name: Topic): FollowedTopic | undefined {
    if (this.#topics.size >= this.#parts.limits.topicsMax && !this.#dropLongestUnused()) {
      return undefined;
    }
    let feed: TopicFeed;
    try {
      const publisher = this.#parts.catalog.publisherOf(name.venue, name.symbol);
      const gate = this.#gates.of(name.venue);
      const parts = { ...this.#parts, gate, watch: this.#watch, line: this.#answerLine };
      feed = new TopicFeed(this.#nextId, name, publisher, parts);
    } catch (error) {
      if (error instanceof BusError) return undefined;
      throw error;
    }
    this.#nextId += 1;
    const { metrics } = this.#parts;
    const onUnreadable = (): void => this.#onUnreadable(feed);
    const [clock, budget, space] = [this.#viewClock, this.#viewBudget, this.#delaySpace];
    const viewParts = { clock, budget, metrics, onUnreadable };
    const views = new TopicViews(feed, viewParts);
    const delayed = new DelayedTopics({
      ...this.#parts,
      feed,
      space,
      viewParts,
      onBegin: () => void (followed.holds += 1),
      onEnd: () => this.#giveBack(followed),
    });
    const followed: FollowedTopic = { feed, views, delayed, holds: 0, cancelDrop: undefined };
    this.#topics.set(feed.topic, followed);
    this.#parts.metrics.topics.set(this.#topics.size);
    return followed;
  }

  /** Topics that could be followed besides those that somebody uses. */
  get #freeTopics(): number {
    return this.#parts.limits.topicsMax - this.#topics.size + this.#lingering.size;
  }

  /**
   * Whether who has so many topics may bring no other one. While many are free anybody may; of the
   * last ones only those who have fewer than are left. So whoever takes many leaves room for who
   * wants few, however many do so.
   */
  #isBeyondShare(topics: number): boolean {
    const free = this.#freeTopics;
    return free <= this.#parts.limits.topicsMax * KEPT_SHARE && topics >= free;
  }

  #linger(followed: FollowedTopic): void {
    this.#lingering.add(followed);
    followed.cancelDrop = this.#parts.clock.after(this.#parts.limits.topicLingerMs, () => {
      this.#drop(followed);
    });
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

  *#followInTurns(partition: VenuePartition, publisher: FollowedPublisher): Work {
    const sinceTimeUs = this.#parts.clock.nowUs();
    const trouble = { state: "gap", reason: "ingestor-replaced", sinceTimeUs } as const;
    for (const feed of this.feedsOf(partition)) {
      if (this.#line.isOver) yield;
      const isTold = feed.name.channel === "status" && !publisher.continues;
      if (isTold) this.#troubles.tellOne(feed, trouble);
      feed.follow(publisher);
    }
  }

  *#compareInTurns(partition: VenuePartition): Work {
    for (const feed of this.feedsOf(partition)) {
      if (this.#line.isOver) yield;
      feed.resync(feed.name.channel === "status");
    }
  }

  /** Events of a channel are missing, and what its status says now is what it said before. */
  #onLoss({ venue, symbol, channel }: Topic, reason: "bus-gap" | "ingestor-replaced"): void {
    const status = this.#topics.get(formatTopic({ venue, symbol, channel: "status" }))?.feed;
    if (status === undefined || channel === "status") return;
    const nowUs = this.#parts.clock.nowUs();
    const trouble = { state: "gap", reason, sinceTimeUs: nowUs } as const;
    status.announce(troubleState(status.position, [channel], trouble, nowUs));
    status.resync(true);
  }

  /** A batch passed every check of its head, and its events cannot be read. */
  #onUnreadable(feed: TopicFeed): void {
    const { venue, channel } = feed.name;
    this.#parts.metrics.badBatches.inc({ venue, channel });
    this.#watch.onBadBatch(feed.name);
    if (channel !== "book" || this.#unreadable.has(feed)) return;
    // Not at once: the feed is delivering. A publisher that sends more of the kind costs no more.
    const cancel = this.#parts.clock.after(UNREADABLE_RESYNC_MS, () => {
      this.#unreadable.delete(feed);
      feed.resync(true);
    });
    this.#unreadable.set(feed, cancel);
  }

  /** Once in LOG_INTERVAL_MS of each venue and message: what is logged is counted besides. */
  #logSometimes(
    fields: { readonly venue: string; readonly channel: string },
    message: string,
  ): void {
    const key = `${fields.venue} ${message}`;
    if (this.#logged.has(key)) return;
    const over = this.#parts.clock.after(LOG_INTERVAL_MS, () => this.#logged.delete(key));
    this.#logged.set(key, over);
    this.#parts.logger.warn(fields, message);
  }

  #onBusEvent(event: BusEvent): void {
    // A bus that is back is the gateway's to tell: every venue of it is.
    if (event.kind !== "slow-consumer") return;
    const name = parseEventSubject(event.pattern);
    if (name !== undefined) this.#topics.get(formatTopic(name))?.feed.resync(false);
  }
}
