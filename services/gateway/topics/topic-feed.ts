import { readBusBatch, WireError } from "@tickwire/proto/codec";
import type { BusBatch } from "@tickwire/proto/codec";
import type { BusMessage, BusSubscription } from "#bus/bus.ts";
import { eventSubject } from "#bus/subject.ts";
import type { CancelTimer, Clock } from "#core/clock.ts";
import { formatTopic } from "#core/topic.ts";
import type { Topic } from "#core/topic.ts";
import { channelNumberOf } from "#wire/codes.ts";
import type { GatewayMetrics } from "../metrics.ts";
import type { BatchOrder, TopicPosition } from "./batch-order.ts";
import { SharedBatch, SharedTopic } from "./shared-batch.ts";
import { querySnapshot } from "./snapshot-query.ts";
import type { SnapshotQueryParts } from "./snapshot-query.ts";
import { startKindOf } from "./start-kind.ts";
import { TopicHistory } from "./topic-history.ts";
import type { RingLimits } from "./topic-history.ts";
import { TopicStarts } from "./topic-start.ts";
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
};

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
  readonly #shared: SharedTopic;
  /** Number of the schema's Channel, which every batch of the topic has. */
  readonly #channel: number;
  readonly #history: TopicHistory;
  readonly #starts: TopicStarts;
  readonly #sync: TopicSync;
  readonly #subscription: BusSubscription;
  readonly #subscribers = new Set<TopicSubscriber>();
  #waiting: ((failure: TopicFailure | undefined) => void)[] = [];
  #cancelRetry: CancelTimer | undefined;

  /** Subscribes at once and asks for a first snapshot. Throws BusError if the bus is closed. */
  constructor(id: number, name: Topic, parts: TopicFeedParts) {
    const { limits, random } = parts;
    const startKind = startKindOf(name.channel);
    const history = new TopicHistory(limits);
    this.id = id;
    this.name = name;
    this.topic = formatTopic(name);
    this.#parts = parts;
    const shared = new SharedTopic(id, { venue: name.venue, channel: name.channel });
    this.#shared = shared;
    this.#channel = channelNumberOf(name.channel);
    this.#history = history;
    this.#starts = new TopicStarts({
      startKind,
      snapshotNeeded: name.channel === "book",
      history,
      shared,
    });
    const actions = this.#actions();
    const { topic } = this;
    this.#sync = new TopicSync({ topic, startKind, history, limits, random, actions });
    this.#subscription = parts.bus.subscribe(eventSubject(name), (message) => {
      this.#onMessage(message);
    });
    this.#sync.startWanted();
  }

  get position(): TopicPosition {
    return this.#history.position;
  }

  /** The sequence of the position, without making an object. */
  get sequence(): number {
    return this.#history.sequence;
  }

  /**
   * Calls back (at once if possible) when `attach` can give a start, or with the reason why it
   * cannot.
   */
  whenReady(callback: (failure: TopicFailure | undefined) => void): void {
    this.#waiting.push(callback);
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
    if (options.resume !== undefined) {
      const outcome = attached.continuity === "resumed" ? "resumed" : "replaced";
      this.#parts.metrics.resumes.inc({ ...this.#shared.labels, outcome });
    }
    return attached;
  }

  /** Nothing is delivered to the subscriber afterwards. Idempotent. */
  detach(subscriber: TopicSubscriber): void {
    this.#subscribers.delete(subscriber);
  }

  /**
   * Compares with the ingestor, because something may have been lost without a trace. Subscribers
   * get a new snapshot if that is so, or in any case if `redeliver`.
   */
  resync(redeliver: boolean): void {
    this.#sync.lossSuspected(redeliver);
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
    this.#sync.closed();
  }

  #onMessage(message: BusMessage): void {
    const { metrics, clock } = this.#parts;
    const { labels } = this.#shared;
    const batch = readNews(message.payload, this.#channel);
    if (batch === undefined) {
      // As good as lost: the next one will not go on from what is here.
      metrics.badBatches.inc(labels);
      return;
    }
    if (batch.count === 0) return;
    metrics.batches.inc(labels);
    const delayUs = clock.nowUs() - batch.publishedTimeUs;
    metrics.publishToReceiveSeconds.observe(labels, delayUs / 1e6);
    this.#sync.batchReceived(orderOf(batch), SharedBatch.news(this.#shared, batch));
  }

  #deliver(batch: SharedBatch): void {
    for (const subscriber of this.#subscribers) subscriber.deliver(batch);
  }

  /** What the state machine does by others. Made once: nothing is made per batch. */
  #actions(): SyncActions {
    const { clock, metrics } = this.#parts;
    return {
      deliver: (batch) => this.#deliver(batch),
      reportGap: (missingFirst, missingLast) => {
        for (const subscriber of this.#subscribers) subscriber.gap(missingFirst, missingLast);
      },
      // It rejects only if we have a bug, and then the process ends.
      ask: () => void this.#ask(),
      retryAfter: (delayMs) => {
        this.#cancelRetry = clock.after(delayMs, () => this.#sync.retryDue());
      },
      cancelRetry: () => this.#cancelRetry?.(),
      answer: (failure) => this.#answerWaiting(failure),
      isSubscribed: () => this.#subscribers.size > 0,
      noticed: (what, count) => {
        if (what === "gap") metrics.busGaps.inc(this.#shared.labels, count);
        else if (what === "epoch") metrics.epochChanges.inc(this.#shared.labels, count);
        else metrics.ringTrims.inc(this.#shared.labels, count);
      },
    };
  }

  async #ask(): Promise<void> {
    const answer = await querySnapshot(this.#parts, this.name);
    if (this.#sync.state === "closed") return;
    this.#parts.metrics.snapshotQueries.inc({ outcome: answer.kind });
    if (answer.kind !== "ok") {
      this.#sync.queryFailed(answer);
      return;
    }
    const { batches } = answer;
    const [{ epoch, baseSequence, count }] = batches;
    const batch = count > 0 ? SharedBatch.state(this.#shared, batches) : undefined;
    this.#sync.snapshotArrived({ position: { epoch, sequence: baseSequence }, batch });
  }

  #answerWaiting(failure: TopicFailure | undefined): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const callback of waiting) callback(failure);
  }
}

/** A batch of news; undefined if it cannot be read or cannot be one of the topic. */
function readNews(payload: Uint8Array, channel: number): BusBatch | undefined {
  let batch: BusBatch;
  try {
    batch = readBusBatch(payload);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
  return batch.snapshot || batch.channel !== channel ? undefined : batch;
}

/** Apart from the batch, whose bytes are not ours to keep. */
function orderOf({ epoch, baseSequence, skipped, count }: BusBatch): BatchOrder {
  return { epoch, baseSequence, skipped, count };
}
