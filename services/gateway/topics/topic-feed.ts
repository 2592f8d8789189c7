import type { BusBatch } from "@tickwire/proto/codec";
import type { BusMessage, BusSubscription } from "#bus/bus.ts";
import { eventSubject } from "#bus/subject.ts";
import type { CancelTimer, Clock } from "#core/clock.ts";
import { formatTopic } from "#core/topic.ts";
import type { Topic } from "#core/topic.ts";
import { channelNumberOf } from "#wire/codes.ts";
import type { GatewayLatency, GatewayMetrics } from "../metrics.ts";
import type { FollowedPublisher } from "../catalog/venue-publishers.ts";
import { orderOf, relationOf } from "./batch-order.ts";
import type { TopicPosition } from "./batch-order.ts";
import { readNews } from "./bus-news.ts";
import type { EarlierEvents } from "./earlier-epochs.ts";
import { EpochEnds } from "./epoch-ends.ts";
import type { HeldBatch } from "./held-batches.ts";
import { queryHistory } from "./history-query.ts";
import { SharedBatch, SharedTopic } from "./shared-batch.ts";
import { querySnapshot } from "./snapshot-query.ts";
import type { SnapshotQueryParts } from "./snapshot-query.ts";
import { startKindOf } from "./start-kind.ts";
import { TopicBackfill } from "./topic-backfill.ts";
import { TopicHistory } from "./topic-history.ts";
import type { RingLimits } from "./topic-history.ts";
import { TopicPast } from "./topic-past.ts";
import type { ResumeParts } from "./topic-past.ts";
import { TopicStarts } from "./topic-start.ts";
import type { TopicLoss } from "./topic-start.ts";
import { Subscribers } from "./subscribers.ts";
import type { AttachOptions, Attached, TopicFailure, TopicSubscriber } from "./topic-subscriber.ts";
import type { SyncActions } from "./sync-parts.ts";
import { TopicSync } from "./topic-sync.ts";

/** What a feed needs of the gateway. */
type TopicFeedParts = SnapshotQueryParts & {
  readonly clock: Clock;
  readonly metrics: GatewayMetrics;
  /** In [0, 1). */
  readonly random: () => number;
  readonly limits: RingLimits;
  readonly resume: ResumeParts;
  readonly watch: FeedWatch;
};

/** Who hears of what happens to a feed besides its subscribers. Called synchronously. */
export type FeedWatch = {
  /** Subscribers were told that events are missing. */
  onLoss(name: Topic): void;
  /** The topic goes on with another publisher, and what lies between the two is not known. */
  onReplaced(name: Topic): void;
  /** A batch that cannot be read, or be one of the topic, was left aside. */
  onBadBatch(name: Topic): void;
  /** Whether it is being found out if the publisher of this epoch is to be followed. */
  mayBeFollowed(name: Topic, epoch: number): boolean;
  /** A batch of an epoch that is not followed was left aside. */
  onForeign(name: Topic, epoch: number): void;
  /** The publisher says that it has published what did not come. */
  onStall(name: Topic, stall: { readonly sequence: number; readonly announced: number }): void;
};

/** Whose batches of a topic count. */
type TopicPublisher = { readonly publisherId: string; readonly epoch: number };

/** Nothing came between so many stalls: it is the subscription that is broken. */
const STALLS_TO_RESUBSCRIBE = 2;

/** Answers in a row that did not come, until what was asked for is told as missing. */
const UNANSWERED_MAX = 3;

/**
 * One topic: frames what the bus brings once and hands it to every subscriber. When it may do so,
 * and what else there is to be done, is decided by its state machine (topic-sync.ts).
 */
export class TopicFeed {
  /** In every batch; unique in this gateway, never 0. */
  readonly id: number;
  readonly name: Topic;
  readonly topic: string;
  readonly #parts: TopicFeedParts;
  /** Apart from the other parts, which are looked up by name: it is asked for each batch. */
  readonly #clock: Clock;
  readonly #shared: SharedTopic;
  readonly #latency: GatewayLatency;
  /** Number of the schema's Channel, which every batch of the topic has. */
  readonly #channel: number;
  readonly #history: TopicHistory;
  readonly #starts: TopicStarts;
  readonly #past: TopicPast;
  readonly #backfill: TopicBackfill;
  readonly #sync: TopicSync;
  #subscription: BusSubscription;
  /** Whose batches count; undefined before anybody announced the venue. */
  #publisher: TopicPublisher | undefined;
  /** It goes on from the one before, mostly without a loss. */
  #continues = false;
  readonly #ends = new EpochEnds();
  /** The furthest that the publisher said it has come. */
  #announced: TopicPosition = { epoch: 0, sequence: 0 };
  /** Stalls in a row without a batch between them. */
  #stalls = 0;
  /** Answers in a row that brought nothing of what lies between here and there. */
  #unanswered = 0;
  #receivedAtUs = 0;
  readonly #subscribers: Subscribers;
  /** Bytes that were delivered to each subscriber. */
  sentBytes = 0;
  #waiting: ((failure: TopicFailure | undefined) => void)[] = [];
  #cancelRetry: CancelTimer | undefined;

  /** Subscribes at once and asks for a first snapshot. Throws BusError if the bus is closed. */
  constructor(
    id: number,
    name: Topic,
    publisher: TopicPublisher | undefined,
    parts: TopicFeedParts,
  ) {
    const { limits, random } = parts;
    const startKind = startKindOf(name.channel);
    const history = new TopicHistory(limits);
    this.id = id;
    this.name = name;
    this.topic = formatTopic(name);
    this.#parts = parts;
    this.#clock = parts.clock;
    const labels = { venue: name.venue, channel: name.channel };
    const latency = parts.metrics.latencies.of(labels);
    const shared = new SharedTopic(id, labels, latency);
    this.#latency = latency;
    this.#shared = shared;
    this.#subscribers = new Subscribers(parts.metrics);
    this.#channel = channelNumberOf(name.channel);
    this.#history = history;
    this.#past = new TopicPast({
      ...parts,
      name,
      shared,
      history,
      isOfEvents: startKind === "none",
      publisher: () => this.#publisher,
    });
    this.#starts = new TopicStarts({
      startKind,
      snapshotNeeded: name.channel === "book",
      history,
      shared,
      ends: this.#ends,
      earlier: (resume) => this.#past.eventsAfter(resume),
    });
    this.#backfill = new TopicBackfill({
      isSettled: (from) => this.#past.isSettled(from),
      fetch: (from) => this.#past.fetch(from),
    });
    const actions = this.#actions();
    this.#publisher = publisher;
    const topic = { topic: this.topic, startKind, epoch: publisher?.epoch };
    this.#sync = new TopicSync({ ...topic, history, limits, random, actions });
    this.#subscription = this.#subscribe();
    this.#sync.startWanted();
  }

  get position(): TopicPosition {
    return this.#history.position;
  }

  /** A state of `TopicSync`. */
  get state(): string {
    return this.#sync.state;
  }

  /** Of the position, without making an object. */
  get epoch(): number {
    return this.#history.epoch;
  }

  /** Memory of what is kept of the topic. */
  get historyBytes(): number {
    return this.#history.heldBytes;
  }

  /** When the bus brought its last batch, on the monotonic clock; 0 before the first. */
  get receivedAtUs(): number {
    return this.#receivedAtUs;
  }

  /** The sequence of the position, without making an object. */
  get sequence(): number {
    return this.#history.sequence;
  }

  /**
   * Calls back (at once if possible) when `attach` can give a start, or with the reason why it
   * cannot. What follows `from` is fetched from the publisher before, if it is not here.
   */
  whenReady(callback: (failure: TopicFailure | undefined) => void, from?: TopicPosition): void {
    const ready = (failure: TopicFailure | undefined): void => {
      if (failure !== undefined || from === undefined) callback(failure);
      else this.#backfill.reach(from, () => callback(undefined));
    };
    this.#waiting.push(ready);
    this.#sync.startWanted();
  }

  /**
   * Adds a subscriber, which waited until the topic was ready. It receives what follows `batches`,
   * which the caller sends first.
   */
  attach(subscriber: TopicSubscriber, options: AttachOptions): Attached {
    this.#sync.attached();
    this.#subscribers.add(subscriber);
    const attached = this.#starts.startOf(options);
    this.countResume(options, attached);
    return attached;
  }

  /** For views: counts how a client that had a position goes on. */
  countResume({ resume }: AttachOptions, attached: Attached): void {
    if (resume === undefined) return;
    const isResumed = attached.continuity === "resumed";
    const outcome = isResumed ? "resumed" : "replaced";
    // Whoever starts anew gets a state, or nothing where there are none.
    const layer = isResumed ? this.#past.layerOf(resume) : "snapshot";
    this.#countUndelivered(resume, attached);
    this.#parts.metrics.resumes.inc({ ...this.#shared.labels, outcome, layer });
  }

  /** For views: every batch after the position; undefined if part of that is gone. */
  historySince(position: TopicPosition): readonly SharedBatch[] | undefined {
    const resumed = this.#history.resume(position);
    return resumed?.next === undefined ? resumed?.batches : undefined;
  }

  /** For views: all that followed a position of an earlier epoch, if that is here. */
  earlierEvents(resume: TopicPosition): EarlierEvents | undefined {
    return this.#starts.earlierEvents(resume);
  }

  /** For views: how a client that comes from `resume` starts anew at `position`. */
  lossUntil(resume: TopicPosition | undefined, position: TopicPosition): TopicLoss {
    return this.#starts.lossUntil(resume, position);
  }

  /** Nothing is delivered to the subscriber afterwards. Idempotent. */
  detach(subscriber: TopicSubscriber): void {
    this.#subscribers.delete(subscriber);
  }

  /** The subscriber is called with the next batch, and hears how far it came. Idempotent. */
  unlist(subscriber: TopicSubscriber): void {
    this.#subscribers.unlist(subscriber);
  }

  /**
   * Compares with the ingestor, because something may have been lost without a trace. Subscribers
   * get a new snapshot if that is so, or in any case if `redeliver`.
   */
  resync(redeliver: boolean): void {
    this.#sync.lossSuspected(redeliver);
  }

  /** Takes what this publisher says, and nobody else. */
  follow(publisher: FollowedPublisher): void {
    const { publisherId, epoch, isNewcomer, continues = false } = publisher;
    this.#continues = continues;
    const before = this.#publisher;
    this.#publisher = { publisherId, epoch };
    this.#stalls = 0;
    if (before?.epoch !== epoch) this.#sync.publisherChanged({ epoch, isNewcomer });
  }

  /**
   * The publisher says that it has published the topic up to here. It said so after it had: what is
   * not here by now is lost, or our subscription is.
   */
  progressed(announced: TopicPosition): void {
    const { epoch, sequence } = announced;
    if (epoch !== this.#publisher?.epoch) return;
    if (epoch !== this.#announced.epoch || sequence > this.#announced.sequence) {
      this.#announced = announced;
    }
    const isBehind = this.#history.epoch === epoch && this.#history.sequence < sequence;
    if (this.#sync.state !== "live" || !isBehind) return;
    this.#stalls += 1;
    this.#parts.metrics.stalls.inc(this.#shared.labels);
    const { sequence: received } = this.#history;
    this.#parts.watch.onStall(this.name, { sequence: received, announced: sequence });
    if (this.#stalls >= STALLS_TO_RESUBSCRIBE) {
      this.#subscription.unsubscribe();
      this.#subscription = this.#subscribe();
      this.#stalls = 0;
    }
    this.#sync.lossSuspected(false);
  }

  /** Gives every subscriber a state that the gateway made itself; the position stays. */
  announce(state: readonly BusBatch[]): void {
    const [first, ...rest] = state;
    if (first !== undefined) this.#deliver(SharedBatch.state(this.#shared, [first, ...rest]));
  }

  /** Leaves the bus. Whoever waits is told. Idempotent. */
  close(): void {
    this.#subscription.unsubscribe();
    this.#subscribers.clear();
    this.#past.close();
    this.#sync.closed();
  }

  #subscribe(): BusSubscription {
    return this.#parts.bus.subscribe(eventSubject(this.name), (message) => {
      this.#onMessage(message);
    });
  }

  #onMessage(message: BusMessage): void {
    const clock = this.#clock;
    const batch = readNews(message, this.#channel);
    if (batch === undefined) {
      // As good as lost: the next one will not go on from what is here.
      this.#parts.metrics.badBatches.inc(this.#shared.labels);
      this.#parts.watch.onBadBatch(this.name);
      return;
    }
    if (batch.count === 0) return;
    this.#stalls = 0;
    // That a batch came is counted by this as well.
    this.#latency.publishToReceive.observe(clock.nowUs() - batch.publishedTimeUs);
    this.#receivedAtUs = clock.monotonicUs();
    const news = SharedBatch.news(this.#shared, batch, this.#receivedAtUs);
    this.#sync.batchReceived(batch, news);
  }

  #deliver(batch: SharedBatch): void {
    this.sentBytes += batch.byteLength;
    this.#subscribers.deliver(batch);
  }

  /** What the state machine does by others. Made once: nothing is made per batch. */
  #actions(): SyncActions {
    const { bus, clock, metrics, watch } = this.#parts;
    const { labels } = this.#shared;
    return {
      deliver: (batch) => this.#deliver(batch),
      reportGap: (missingFirst, missingLast) => {
        this.#subscribers.gap(missingFirst, missingLast);
        watch.onLoss(this.name);
      },
      epochChanged: (start, continues) => this.#onEpochChanged(start, continues),
      // It rejects only if we have a bug, and then the process ends.
      ask: () => void this.#ask(),
      retryAfter: (delayMs) => {
        this.#cancelRetry = clock.after(delayMs, () => this.#sync.retryDue());
      },
      cancelRetry: () => this.#cancelRetry?.(),
      answer: (failure) => this.#answerWaiting(failure),
      isOverloaded: () => bus.isOverloaded,
      isSubscribed: () => this.#subscribers.size > 0,
      mayBeFollowed: (epoch) => watch.mayBeFollowed(this.name, epoch),
      foreign: ({ epoch }) => {
        metrics.foreignBatches.inc(labels);
        watch.onForeign(this.name, epoch);
      },
      noticed: (what, count) => {
        if (what === "trimmed" || what === "overflow") metrics.ringTrims.inc(labels, count);
        else if (what === "incredible") metrics.badBatches.inc(labels, count);
        else {
          metrics.busGaps.inc(labels);
          metrics.busMissing.inc(labels, count);
        }
      },
    };
  }

  #onEpochChanged(start: TopicPosition, continues: boolean): void {
    const { metrics } = this.#parts;
    const { labels } = this.#shared;
    const { epoch, sequence } = this.#history;
    const announced = this.#announced.epoch === epoch ? this.#announced.sequence : 0;
    // What the old publisher has announced beyond that, its successor has had and published.
    const ended = { epoch, sequence: continues ? sequence : Math.max(sequence, announced) };
    this.#ends.ended(ended);
    if (continues) metrics.epochsContinued.inc(labels);
    else metrics.epochChanges.inc(labels);
    if (ended.sequence > sequence) metrics.busMissing.inc(labels, ended.sequence - sequence);
    this.#subscribers.epochChanged({ ended, start, continues });
    if (!continues) this.#past.epochEnds();
    if (!continues && this.#continues) this.#parts.watch.onReplaced(this.name);
  }

  /**
   * Delivers what the bus lost, by what the publisher answered, and the publisher still has. False
   * if it may have some of it that did not come, of a topic in which no state makes up for that.
   */
  async #fetchMissing(answered: TopicPosition): Promise<boolean> {
    const history = this.#history;
    const publisher = this.#publisher;
    const from = history.position;
    if (publisher?.epoch !== from.epoch || answered.epoch !== from.epoch) return true;
    if (answered.sequence <= from.sequence || this.#parts.bus.isOverloaded) return true;
    const take = (batches: readonly BusBatch[]): boolean => {
      for (const batch of batches) {
        const order = orderOf(batch);
        if (relationOf(history, order) !== "next") continue;
        const news = SharedBatch.news(this.#shared, batch);
        this.#countFetched(news);
        this.#sync.batchReceived(order, news);
      }
      return history.epoch === from.epoch;
    };
    const { publisherId } = publisher;
    const isAnswered = await queryHistory(this.#parts, this.name, publisherId, { from, take });
    return isAnswered || startKindOf(this.name.channel) !== "none";
  }

  #countFetched({ events }: SharedBatch): void {
    this.#parts.metrics.historyEvents.inc(this.#shared.labels, events);
  }

  get #isClosed(): boolean {
    return this.#sync.state === "closed";
  }

  async #ask(): Promise<void> {
    const publisherId = this.#publisher?.publisherId;
    const answer = await querySnapshot(this.#parts, this.name, publisherId);
    if (this.#isClosed) return;
    this.#parts.metrics.snapshotQueries.inc({ outcome: answer.kind });
    if (answer.kind !== "ok") {
      this.#sync.queryFailed(answer);
      return;
    }
    const { batches, continues } = answer;
    const [{ epoch, baseSequence, count }] = batches;
    const batch = count > 0 ? SharedBatch.state(this.#shared, batches) : undefined;
    const position = { epoch, sequence: baseSequence };
    // An announcement that says more than the publisher itself was not of the publisher.
    if (epoch === this.#announced.epoch && baseSequence < this.#announced.sequence) {
      this.#announced = position;
    }
    const isOn = continues === undefined || (await this.#goOn(continues, epoch));
    if (this.#isClosed) return;
    const isAnswered = (await this.#fetchMissing(position)) && isOn;
    if (this.#isClosed) return;
    this.#unanswered = isAnswered ? 0 : this.#unanswered + 1;
    if (!isAnswered && this.#unanswered < UNANSWERED_MAX) {
      const message = `the ingestor of ${this.name.venue} does not answer`;
      this.#sync.queryFailed({ kind: "unavailable", message });
      return;
    }
    this.#sync.snapshotArrived({ position, batch });
    // A client may come from there to a gateway that was not.
    if (continues !== undefined && this.#history.epoch === epoch) this.#history.notePast(continues);
  }

  /**
   * The publisher says that its epoch goes on from a position of the one that is here. False if the
   * bus brought no answer to what lies between.
   */
  async #goOn(from: TopicPosition, epoch: number): Promise<boolean> {
    const history = this.#history;
    const publisher = this.#publisher;
    if (publisher?.epoch !== epoch || history.epoch !== from.epoch) return true;
    let isAnswered = true;
    const missed: HeldBatch[] = [];
    if (history.sequence < from.sequence) {
      const take = (batches: readonly BusBatch[]): boolean => {
        for (const batch of batches) {
          missed.push({ order: orderOf(batch), batch: SharedBatch.news(this.#shared, batch) });
        }
        return missed.length < this.#parts.limits.ringBatchesMax;
      };
      const { position } = history;
      const { publisherId } = publisher;
      const range = { from: position, take };
      isAnswered = await queryHistory(this.#parts, this.name, publisherId, range);
      if (this.#isClosed || this.#publisher !== publisher) return true;
      for (const { batch } of missed) this.#countFetched(batch);
    }
    this.#sync.continued(from, missed);
    return isAnswered;
  }

  /** What lies between where the client was and where it starts, it does not get any more. */
  #countUndelivered(from: TopicPosition, attached: Attached): void {
    const { continuity, ended, position, batches, next } = attached;
    let events = 0;
    if (continuity !== "resumed") {
      const to = from.epoch === position.epoch ? position : ended;
      events = to === undefined ? 0 : to.sequence - from.sequence;
    } else if (next !== undefined) {
      const given = batches.at(-1)?.lastSequence ?? position.sequence;
      events = next.change.ended.sequence - given + (next.missing?.last ?? 0);
    }
    if (events > 0) this.#parts.metrics.undelivered.inc(this.#shared.labels, events);
  }

  #answerWaiting(failure: TopicFailure | undefined): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const callback of waiting) callback(failure);
  }
}
