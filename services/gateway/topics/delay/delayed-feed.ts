import type { CancelTimer, Clock } from "#core/clock.ts";
import type { Topic } from "#core/topic.ts";
import type { GatewayMetrics } from "../../metrics.ts";
import type { TopicPosition } from "../batch-order.ts";
import type { EarlierEvents } from "../earlier-epochs.ts";
import { EpochEnds } from "../epoch-ends.ts";
import { SharedTopic } from "../shared-batch.ts";
import type { SharedBatch } from "../shared-batch.ts";
import { Subscribers } from "../subscribers.ts";
import { startKindOf } from "../start-kind.ts";
import { TopicHistory } from "../topic-history.ts";
import type { RingLimits } from "../topic-history.ts";
import { TopicStarts } from "../topic-start.ts";
import type { TopicLoss } from "../topic-start.ts";
import type {
  AttachOptions,
  Attached,
  EpochChange,
  TopicFailure,
  TopicSubscriber,
} from "../topic-subscriber.ts";
import type { ViewFeed } from "../view-feed.ts";
import { DelayQueue } from "./delay-queue.ts";
import type { Delayed, DelayedLoss, DelaySpace } from "./delay-queue.ts";

type DelayedFeedParts = {
  /** The topic as it is published. */
  readonly feed: ViewFeed;
  readonly delayMs: number;
  readonly clock: Clock;
  readonly space: DelaySpace;
  readonly limits: RingLimits;
  readonly metrics: Pick<GatewayMetrics, "conflated" | "delayOverflows">;
};

/** Told in one turn of the event loop, where very much is due at once. */
const TOLD_PER_TURN_MAX = 256;
/** A topic for which there was no space is tried again so often. */
const RETRY_MS = 1_000;
/** A state is noted this often in what a history holds, so that it never lacks one. */
const STATES_PER_HISTORY = 4;

/**
 * A topic as it was some time ago, for all who may have it no sooner: one subscriber of the topic,
 * which tells its own everything that happens in its order, so much later. It has a history of its
 * own, so that subscriptions start and resume where the delay is, and nobody learns from it what is
 * going on now.
 *
 * What holds, and what enforces it:
 * 1. Nothing is told before its time: everything passes through the queue, starts and states too.
 * 2. What is told is whole and in order, or a gap says what is not. Where there is no space in the
 *    queue, the feed leaves the topic, and goes on as soon as there is: with what came between as
 *    long as the topic has it, or else behind one gap.
 * 3. The topic itself, and whoever has it without a delay, pay nothing but one subscriber more.
 */
export class DelayedFeed implements ViewFeed, TopicSubscriber {
  /** Bytes that were delivered to each subscriber. */
  sentBytes = 0;
  readonly #parts: DelayedFeedParts;
  readonly #queue: DelayQueue;
  readonly #history: TopicHistory;
  readonly #starts: TopicStarts;
  readonly #ends = new EpochEnds();
  readonly #needsState: boolean;
  readonly #subscribers: Subscribers;
  #waiting: ((failure: TopicFailure | undefined) => void)[] = [];
  /** Up to here the topic was put into the queue; undefined before it began. */
  #queuedTo: TopicPosition | undefined;
  #bytesSinceState = 0;
  #batchesSinceState = 0;
  #isAttached = false;
  #isStarted = false;
  #isClosed = false;
  #cancelTimer: CancelTimer | undefined;
  #cancelRetry: CancelTimer | undefined;

  constructor(parts: DelayedFeedParts) {
    const { feed, limits, space } = parts;
    const { venue, channel } = feed.name;
    const startKind = startKindOf(channel);
    this.#parts = parts;
    this.#queue = new DelayQueue(space);
    this.#history = new TopicHistory(limits);
    this.#needsState = startKind === "snapshot";
    this.#subscribers = new Subscribers(parts.metrics);
    this.#starts = new TopicStarts({
      startKind,
      snapshotNeeded: channel === "book",
      history: this.#history,
      shared: new SharedTopic(feed.id, { venue, channel }),
      ends: this.#ends,
      // What of it may be seen is not known, so that it is told as lost.
      earlier: () => undefined,
    });
    this.#begin();
  }

  get id(): number {
    return this.#parts.feed.id;
  }

  get name(): Topic {
    return this.#parts.feed.name;
  }

  get topic(): string {
    return this.#parts.feed.topic;
  }

  get position(): TopicPosition {
    return this.#history.position;
  }

  get sequence(): number {
    return this.#history.sequence;
  }

  /** The first subscriber waits until what the topic was at its request is old enough. */
  whenReady(callback: (failure: TopicFailure | undefined) => void): void {
    if (this.#isReady) callback(undefined);
    else this.#waiting.push(callback);
  }

  attach(subscriber: TopicSubscriber, options: AttachOptions): Attached {
    this.#subscribers.add(subscriber);
    const attached = this.#starts.startOf(options);
    this.countResume(options, attached);
    return attached;
  }

  detach(subscriber: TopicSubscriber): void {
    this.#subscribers.delete(subscriber);
  }

  unlist(subscriber: TopicSubscriber): void {
    this.#subscribers.unlist(subscriber);
  }

  countResume(options: AttachOptions, attached: Attached): void {
    this.#parts.feed.countResume(options, attached);
  }

  historySince(position: TopicPosition): readonly SharedBatch[] | undefined {
    const resumed = this.#history.resume(position);
    return resumed?.next === undefined ? resumed?.batches : undefined;
  }

  lossUntil(resume: TopicPosition | undefined, position: TopicPosition): TopicLoss {
    return this.#starts.lossUntil(resume, position);
  }

  earlierEvents(resume: TopicPosition): EarlierEvents | undefined {
    return this.#starts.earlierEvents(resume);
  }

  deliver(batch: SharedBatch): void {
    batch.keep();
    if (!this.#push({ kind: "batch", batch })) return;
    this.#queued(batch.lastSequence);
    if (!this.#needsState || batch.isState) return;
    this.#bytesSinceState += batch.keptBytes;
    this.#batchesSinceState += 1;
    this.#noteState();
  }

  gap(missingFirst: number, missingLast: number): void {
    if (!this.#push({ kind: "gap", first: missingFirst, last: missingLast })) return;
    this.#queued(missingLast);
  }

  epochChanged(change: EpochChange): void {
    if (!this.#push({ kind: "epoch", change })) return;
    this.#queuedTo = change.start;
    // The states that were noted are of the old epoch.
    this.#batchesSinceState = this.#parts.limits.ringBatchesMax;
  }

  /** Leaves the topic. Whoever waits is told. Idempotent. */
  close(): void {
    this.#isClosed = true;
    this.#cancelTimer?.();
    this.#cancelRetry?.();
    this.#leave();
    this.#queue.clear();
    const failure = { kind: "unavailable", message: "the gateway does not follow it" } as const;
    this.#answerWaiting(failure);
  }

  get #isReady(): boolean {
    return this.#isStarted && (!this.#needsState || this.#history.hasSnapshot);
  }

  /** Joins the topic as soon as that is possible. */
  #begin(): void {
    this.#parts.feed.whenReady((failure) => {
      if (this.#isClosed) return;
      if (failure === undefined) {
        this.#join();
        return;
      }
      this.#answerWaiting(failure);
      this.#retryLater();
    });
  }

  #join(): void {
    const before = this.#queuedTo;
    if (before !== undefined && this.#goOn(before)) return;
    const { position, batches } = this.#attach(undefined);
    // A state from before what was told would lead subscribers back.
    const isBack = before?.epoch === position.epoch && position.sequence < before.sequence;
    if (isBack) {
      this.#leave();
      this.#retryLater();
      return;
    }
    const loss = before === undefined ? undefined : this.#lossOf(before, position);
    if (!this.#push({ kind: "start", loss, position, batches })) return;
    const { epoch } = position;
    this.#queuedTo = { epoch, sequence: batches.at(-1)?.lastSequence ?? position.sequence };
  }

  /** Goes on where there was no space any more, without a loss. False if that is not possible. */
  #goOn(before: TopicPosition): boolean {
    const { continuity, batches, next } = this.#attach(before);
    // Behind an epoch that nothing goes on from, a topic begins anew.
    if (continuity !== "resumed" || next?.change.continues === false) return false;
    if (!this.#push({ kind: "sequel", batches, next })) return false;
    const last = batches.at(-1);
    if (last !== undefined) this.#queued(last.lastSequence);
    if (next === undefined) return true;
    const { epoch, sequence } = next.change.start;
    this.#queuedTo = { epoch, sequence: next.batches.at(-1)?.lastSequence ?? sequence };
    return true;
  }

  #attach(resume: TopicPosition | undefined): Attached {
    this.#leave();
    this.#isAttached = true;
    this.#bytesSinceState = 0;
    this.#batchesSinceState = 0;
    return this.#parts.feed.attach(this, { snapshot: true, resume });
  }

  /** What came while there was no space, and is not in what the topic begins with now. */
  #lossOf(before: TopicPosition, start: TopicPosition): DelayedLoss | undefined {
    if (before.epoch !== start.epoch) {
      const { ended = before } = this.#parts.feed.lossUntil(before, start);
      return { kind: "epoch", change: { ended, start, continues: false } };
    }
    if (start.sequence <= before.sequence) return undefined;
    return { kind: "gap", first: before.sequence + 1, last: start.sequence };
  }

  #queued(sequence: number): void {
    const { epoch } = this.#queuedTo ?? { epoch: 0 };
    this.#queuedTo = { epoch, sequence };
  }

  #leave(): void {
    if (!this.#isAttached) return;
    this.#isAttached = false;
    this.#parts.feed.detach(this);
  }

  #push(what: Delayed): boolean {
    const { clock, delayMs, metrics } = this.#parts;
    const { venue, channel } = this.name;
    if (this.#queue.push(what, clock.monotonicUs() + delayMs * 1_000)) {
      this.#arm();
      return true;
    }
    metrics.delayOverflows.inc({ venue, channel });
    this.#leave();
    this.#retryLater();
    return false;
  }

  #retryLater(): void {
    this.#cancelRetry?.();
    this.#cancelRetry = this.#parts.clock.after(RETRY_MS, () => {
      if (!this.#isAttached) this.#begin();
    });
  }

  /** Takes the state of now along, for those who come when it is old enough. */
  #noteState(): void {
    const { ringBytesMax, ringBatchesMax } = this.#parts.limits;
    const isEnough =
      this.#bytesSinceState * STATES_PER_HISTORY >= ringBytesMax ||
      this.#batchesSinceState * STATES_PER_HISTORY >= ringBatchesMax;
    if (!isEnough) return;
    const looker: TopicSubscriber = { deliver: NOTHING, gap: NOTHING, epochChanged: NOTHING };
    const { feed } = this.#parts;
    const { position, batches } = feed.attach(looker, { snapshot: true, resume: undefined });
    feed.detach(looker);
    const [state] = batches;
    if (state?.isState !== true) return;
    this.#bytesSinceState = 0;
    this.#batchesSinceState = 0;
    this.#push({ kind: "snapshot", position, state });
  }

  #arm(): void {
    const { nextUs } = this.#queue;
    if (nextUs === undefined || this.#cancelTimer !== undefined || this.#isClosed) return;
    const { clock } = this.#parts;
    const waitMs = Math.max(0, Math.ceil((nextUs - clock.monotonicUs()) / 1_000));
    this.#cancelTimer = clock.after(waitMs, () => {
      this.#cancelTimer = undefined;
      this.#tellDue();
      this.#arm();
    });
  }

  #tellDue(): void {
    const nowUs = this.#parts.clock.monotonicUs();
    for (let told = 0; told < TOLD_PER_TURN_MAX; told += 1) {
      const what = this.#queue.take(nowUs);
      if (what === undefined) break;
      this.#tell(what);
    }
    if (this.#isReady) this.#answerWaiting(undefined);
  }

  #tell(what: Delayed): void {
    switch (what.kind) {
      case "start":
        if (what.loss !== undefined) this.#tell(what.loss);
        this.#start(what.position, what.batches);
        return;
      case "sequel":
        for (const batch of what.batches) this.#take(batch);
        if (what.next === undefined) return;
        this.#tell({ kind: "epoch", change: what.next.change });
        for (const batch of what.next.batches) this.#take(batch);
        return;
      case "snapshot":
        this.#history.installSnapshot(what.position, what.state);
        return;
      case "batch":
        this.#take(what.batch);
        return;
      case "gap":
        this.#subscribers.gap(what.first, what.last);
        return;
      case "epoch":
        this.#changeEpoch(what.change);
        this.#subscribers.epochChanged(what.change);
        return;
    }
  }

  #changeEpoch({ ended, start, continues }: EpochChange): void {
    this.#ends.ended(ended);
    const isWhole = this.#history.epoch === ended.epoch && this.sequence === ended.sequence;
    if (continues && isWhole) this.#history.continueIn(start.epoch);
    else this.#history.reset(start, undefined);
  }

  /** The topic began, or goes on behind a gap: whoever is there gets the state. */
  #start(position: TopicPosition, batches: readonly SharedBatch[]): void {
    const [first, ...rest] = batches;
    const state = first?.isState === true ? first : undefined;
    this.#history.reset(position, state);
    this.#isStarted = true;
    if (state !== undefined) this.#hand(state);
    for (const batch of state === undefined ? batches : rest) this.#take(batch);
  }

  #take(batch: SharedBatch): void {
    const { epoch } = this.#history;
    const { lastSequence, events } = batch;
    if (batch.isState) {
      const position = { epoch, sequence: lastSequence };
      const isHere = lastSequence === this.#history.sequence;
      if (!isHere || !this.#history.installSnapshot(position, batch)) {
        this.#history.reset(position, batch);
      }
    } else {
      const baseSequence = lastSequence - events;
      const order = { epoch, baseSequence, skipped: 0, count: events };
      if (baseSequence <= this.#history.sequence) this.#history.append(order, batch);
      else this.#history.continueAt(order, batch);
      this.#history.trim();
    }
    this.#hand(batch);
  }

  #hand(batch: SharedBatch): void {
    this.sentBytes += batch.byteLength;
    this.#subscribers.deliver(batch);
  }

  #answerWaiting(failure: TopicFailure | undefined): void {
    for (const callback of this.#waiting.splice(0)) callback(failure);
  }
}

const NOTHING = (): void => undefined;
