import { readBatchHeader, WireError } from "@tickwire/proto/codec";
import type { BatchSummary } from "@tickwire/proto/codec";
import type { BusMessage, BusSubscription } from "#bus/bus.ts";
import { eventSubject } from "#bus/subject.ts";
import type { CancelTimer, Clock } from "#core/clock.ts";
import { formatTopic } from "#core/topic.ts";
import type { Topic } from "#core/topic.ts";
import { wrapBatch } from "#wire/frame-codec.ts";
import type { GatewayMetrics } from "../metrics.ts";
import { isPlausible, lastSequenceOf } from "./batch-order.ts";
import type { TopicPosition } from "./batch-order.ts";
import type { SharedBatch } from "./shared-batch.ts";
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
  readonly #labels: { readonly venue: string; readonly channel: string };
  readonly #history: TopicHistory;
  readonly #starts: TopicStarts;
  readonly #sync: TopicSync;
  readonly #subscription: BusSubscription;
  readonly #subscribers = new Set<TopicSubscriber>();
  #waiting: ((failure: TopicFailure | undefined) => void)[] = [];
  #cancelRetry: CancelTimer | undefined;
  #priceScale = 0;
  #sizeScale = 0;

  /** Subscribes at once and asks for a first snapshot. Throws BusError if the bus is closed. */
  constructor(id: number, name: Topic, parts: TopicFeedParts) {
    const { limits } = parts;
    const startKind = startKindOf(name.channel);
    const history = new TopicHistory(limits);
    this.id = id;
    this.name = name;
    this.topic = formatTopic(name);
    this.#parts = parts;
    this.#labels = { venue: name.venue, channel: name.channel };
    this.#history = history;
    this.#starts = new TopicStarts({
      startKind,
      snapshotNeeded: name.channel === "book",
      history,
      share: (batch, sequence) => this.#share(batch, { firstSequence: sequence, count: 1 }),
    });
    const actions = this.#actions();
    this.#sync = new TopicSync({ topic: this.topic, startKind, history, limits, actions });
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

  /** Of the newest batch; 0 before the first. */
  get priceScale(): number {
    return this.#priceScale;
  }

  /** Of the newest batch; 0 before the first. */
  get sizeScale(): number {
    return this.#sizeScale;
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
      this.#parts.metrics.resumes.inc({ outcome });
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

  /** Gives every subscriber a batch that the gateway made itself; the position stays. */
  announce(batch: Uint8Array, events: number): void {
    const { sequence } = this.#history;
    this.#deliver(this.#shareState(batch, { firstSequence: sequence, count: events }));
  }

  /** Leaves the bus. Whoever waits is told. Idempotent. */
  close(): void {
    this.#subscription.unsubscribe();
    this.#subscribers.clear();
    this.#sync.closed();
  }

  #onMessage(message: BusMessage): void {
    const { metrics, clock } = this.#parts;
    const header = readOrder(message.payload);
    if (header === undefined) {
      metrics.badBatches.inc(this.#labels);
      return;
    }
    if (header.count === 0) return;
    metrics.batches.inc(this.#labels);
    metrics.publishToReceiveSeconds.observe(
      this.#labels,
      (clock.nowUs() - header.publishedTimeUs) / 1e6,
    );
    this.#keepScales(header);
    this.#sync.batchReceived(header, this.#share(message.payload, header));
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
        if (what === "gap") metrics.busGaps.inc(this.#labels, count);
        else if (what === "epoch") metrics.epochChanges.inc(this.#labels, count);
        else metrics.ringTrims.inc(count);
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
    const { header } = answer;
    const position = { epoch: header.epoch, sequence: header.firstSequence };
    if (header.count > 0) this.#keepScales(header);
    const batch = header.count > 0 ? this.#shareState(answer.batch, header) : undefined;
    this.#sync.snapshotArrived({ position, batch });
  }

  #answerWaiting(failure: TopicFailure | undefined): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const callback of waiting) callback(failure);
  }

  #keepScales(header: BatchSummary): void {
    this.#priceScale = header.priceScale;
    this.#sizeScale = header.sizeScale;
  }

  /** Events, each with a sequence of its own. */
  #share(payload: Uint8Array, at: { readonly firstSequence: number; readonly count: number }) {
    const lastSequence = lastSequenceOf(at);
    return this.#frame(payload, {
      events: at.count,
      firstSequence: at.firstSequence,
      lastSequence,
    });
  }

  /** A state, all of it at one sequence. */
  #shareState(payload: Uint8Array, at: { readonly firstSequence: number; readonly count: number }) {
    const { firstSequence } = at;
    return this.#frame(payload, { events: at.count, firstSequence, lastSequence: firstSequence });
  }

  #frame(
    payload: Uint8Array,
    at: Pick<SharedBatch, "events" | "firstSequence" | "lastSequence">,
  ): SharedBatch {
    const { events, firstSequence, lastSequence } = at;
    const bytes = wrapBatch(this.id, payload);
    const { id: topicId } = this;
    return { bytes, topicId, events, firstSequence, lastSequence, labels: this.#labels };
  }
}

/** The head of a batch; undefined if it cannot be read or its numbers cannot be true. */
function readOrder(payload: Uint8Array): BatchSummary | undefined {
  let header: BatchSummary;
  try {
    header = readBatchHeader(payload);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
  return header.count === 0 || isPlausible(header) ? header : undefined;
}
