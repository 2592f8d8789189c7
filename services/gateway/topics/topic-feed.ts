import { readBatchHeader } from "@tickwire/proto/codec";
import type { Bus, BusMessage, BusSubscription } from "#bus/bus.ts";
import { eventSubject, querySubject } from "#bus/subject.ts";
import type { CancelTimer, Clock } from "#core/clock.ts";
import { formatTopic } from "#core/topic.ts";
import type { Topic } from "#core/topic.ts";
import { decodeQueryReply } from "#wire/bus-codec.ts";
import { wrapBatch } from "#wire/frame-codec.ts";
import { latestAsState, startKindOf } from "./start-kind.ts";
import type { StartKind } from "./start-kind.ts";
import type { GatewayMetrics } from "../metrics.ts";
import type { SharedBatch } from "./shared-batch.ts";
import type { QueryGate } from "../catalog/query-gate.ts";
import { TopicState } from "./topic-state.ts";
import type { BatchOrder, RingLimits, TopicPosition } from "./topic-state.ts";
import type { AttachOptions, Attached, TopicFailure, TopicSubscriber } from "./topic-subscriber.ts";

/** What a feed needs of the gateway. */
export type TopicFeedParts = {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly metrics: GatewayMetrics;
  readonly gate: QueryGate;
  readonly limits: RingLimits & { readonly queryTimeoutMs: number };
};

type Snapshot = { readonly position: TopicPosition; readonly batch: SharedBatch | undefined };
type Buffered = { readonly order: BatchOrder; readonly batch: SharedBatch };

const RETRY_MS_MIN = 250;
const RETRY_MS_MAX = 5_000;
/** Snapshots that do not fit what the bus delivered, before those who wait are refused. */
const INCONSISTENCIES_MAX = 3;
const EMPTY = new Uint8Array(0);

/**
 * One topic: its subscription on the bus, its state, and who receives it. Batches are framed once,
 * here, and shared by every subscriber. It asks the ingestor for a snapshot when it starts, when
 * the bus lost something or the publisher started anew, and when its ring fills up.
 */
export class TopicFeed {
  /** In every batch; unique in this gateway, never 0. */
  readonly id: number;
  readonly name: Topic;
  readonly topic: string;
  readonly subscribers = new Set<TopicSubscriber>();
  priceScale = 0;
  sizeScale = 0;
  readonly #parts: TopicFeedParts;
  readonly #labels: { readonly venue: string; readonly channel: string };
  readonly #startKind: StartKind;
  readonly #state: TopicState;
  readonly #subscription: BusSubscription;
  #phase: "syncing" | "live" | "closed" = "syncing";
  #buffer: Buffered[] = [];
  #bufferBytes = 0;
  #waiting: ((failure: TopicFailure | undefined) => void)[] = [];
  #querying = false;
  #queryAgain = false;
  #failures = 0;
  #inconsistencies = 0;
  #redeliver = false;
  #pendingSnapshot: Snapshot | undefined;
  #latest: { readonly of: SharedBatch; readonly state: SharedBatch } | undefined;
  #cancelRetry: CancelTimer | undefined;

  /** Subscribes at once and asks for a first snapshot. */
  constructor(id: number, name: Topic, parts: TopicFeedParts) {
    this.id = id;
    this.name = name;
    this.topic = formatTopic(name);
    this.#parts = parts;
    this.#labels = { venue: name.venue, channel: name.channel };
    this.#startKind = startKindOf(name.channel);
    this.#state = new TopicState(parts.limits);
    this.#subscription = parts.bus.subscribe(eventSubject(name), (message) => {
      this.#onMessage(message);
    });
    this.#query();
  }

  get position(): TopicPosition {
    return this.#state.position;
  }

  /**
   * Calls back (at once if possible) when `attach` can give a start, or with the reason why it
   * cannot.
   */
  whenReady(callback: (failure: TopicFailure | undefined) => void): void {
    if (this.#phase === "closed") {
      callback({ kind: "unavailable", message: `${this.topic} was closed` });
    } else if (
      this.#phase === "live" &&
      (this.#startKind !== "snapshot" || this.#state.hasSnapshot)
    ) {
      callback(undefined);
    } else {
      this.#waiting.push(callback);
      this.#query();
    }
  }

  /** Adds a subscriber. It receives what follows `batches`, which the caller sends first. */
  attach(subscriber: TopicSubscriber, options: AttachOptions): Attached {
    this.subscribers.add(subscriber);
    const { resume } = options;
    const resumed = resume === undefined ? undefined : this.#state.resume(resume);
    if (resume !== undefined) {
      this.#parts.metrics.resumes.inc({ outcome: resumed === undefined ? "replaced" : "resumed" });
    }
    if (resumed !== undefined) return { continuity: "resumed", missing: undefined, ...resumed };
    const start = this.#start(options.snapshot);
    return {
      continuity: resume === undefined ? "new" : "replaced",
      missing: this.#missingSince(resume),
      ...start,
    };
  }

  detach(subscriber: TopicSubscriber): void {
    this.subscribers.delete(subscriber);
  }

  /**
   * Compares with the ingestor, because something may have been lost without a trace. Subscribers
   * get a new snapshot if that is so, or in any case if `redeliver`.
   */
  resync(redeliver: boolean): void {
    if (this.#phase === "closed") return;
    if (redeliver) this.#redeliver = true;
    this.#phase = "syncing";
    this.#pendingSnapshot = undefined;
    this.#queryAgain = this.#querying;
    this.#query();
  }

  /** Gives every subscriber a batch that the gateway made itself; the position stays. */
  announce(batch: Uint8Array, events: number): void {
    const { sequence } = this.#state.position;
    this.#deliver(this.#share(batch, { firstSequence: sequence, count: events, at: sequence }));
  }

  /** Leaves the bus. Whoever waits is told. Idempotent. */
  close(): void {
    if (this.#phase === "closed") return;
    this.#phase = "closed";
    this.#subscription.unsubscribe();
    this.#cancelRetry?.();
    this.#buffer = [];
    this.subscribers.clear();
    this.#answerWaiting({ kind: "unavailable", message: `${this.topic} was closed` });
  }

  #start(snapshot: boolean): Pick<Attached, "position" | "batches"> {
    const nothing = { position: this.#state.position, batches: [] };
    if (!snapshot && this.name.channel !== "book") return nothing;
    switch (this.#startKind) {
      case "none":
        return nothing;
      case "last":
        return this.#startFromLast() ?? this.#state.startFromSnapshot() ?? nothing;
      case "snapshot":
        return this.#state.startFromSnapshot() ?? nothing;
    }
  }

  /** The latest event alone, as a state. Made when it is first wanted. */
  #startFromLast(): Pick<Attached, "position" | "batches"> | undefined {
    const last = this.#state.lastBatch;
    if (last === undefined) return undefined;
    if (this.#latest?.of !== last) {
      const at = { firstSequence: last.lastSequence, count: 1 };
      this.#latest = { of: last, state: this.#share(latestAsState(last.bytes), at) };
    }
    return { position: this.#state.position, batches: [this.#latest.state] };
  }

  #missingSince(resume: TopicPosition | undefined): Attached["missing"] {
    const { epoch, sequence } = this.#state.position;
    if (resume === undefined || this.#startKind !== "none") return undefined;
    if (resume.epoch !== epoch || resume.sequence >= sequence) return undefined;
    return { first: resume.sequence + 1, last: sequence };
  }

  #onMessage(message: BusMessage): void {
    const { metrics, clock } = this.#parts;
    let header: ReturnType<typeof readBatchHeader>;
    try {
      header = readBatchHeader(message.payload);
    } catch {
      metrics.badBatches.inc(this.#labels);
      return;
    }
    if (header.count === 0) return;
    metrics.batches.inc(this.#labels);
    metrics.publishToReceiveSeconds.observe(
      this.#labels,
      (clock.nowUs() - header.publishedTimeUs) / 1e6,
    );
    this.priceScale = header.priceScale;
    this.sizeScale = header.sizeScale;
    const batch = this.#share(message.payload, header);
    if (this.#phase === "live") this.#append(header, batch);
    else this.#hold(header, batch);
  }

  #share(
    payload: Uint8Array,
    at: { readonly firstSequence: number; readonly count: number; readonly at?: number },
  ): SharedBatch {
    return {
      bytes: wrapBatch(this.id, payload),
      topicId: this.id,
      events: at.count,
      firstSequence: at.firstSequence,
      lastSequence: at.at ?? at.firstSequence + at.count - 1,
      labels: this.#labels,
    };
  }

  /** Keeps a batch until the snapshot that it follows is here. */
  #hold(order: BatchOrder, batch: SharedBatch): void {
    this.#buffer.push({ order, batch });
    this.#bufferBytes += batch.bytes.byteLength;
    const { ringBatchesMax, ringBytesMax } = this.#parts.limits;
    while (this.#buffer.length > ringBatchesMax || this.#bufferBytes > ringBytesMax) {
      const oldest = this.#buffer.shift();
      if (oldest === undefined) break;
      this.#bufferBytes -= oldest.batch.bytes.byteLength;
      this.#parts.metrics.ringTrims.inc();
    }
  }

  #append(order: BatchOrder, batch: SharedBatch): void {
    const { metrics } = this.#parts;
    const appended = this.#state.append(order, batch);
    switch (appended.kind) {
      case "appended":
        this.#deliver(batch);
        this.#trim();
        return;
      case "duplicate":
        return;
      case "gap":
        metrics.busGaps.inc(this.#labels);
        for (const subscriber of this.subscribers) {
          subscriber.gap(appended.missingFirst, appended.missingLast);
        }
        break;
      case "epoch":
        metrics.epochChanges.inc(this.#labels);
        break;
    }
    if (this.#startKind === "snapshot") {
      this.#hold(order, batch);
      this.resync(true);
    } else {
      this.#state.skipTo(order, batch);
      this.#deliver(batch);
    }
  }

  #deliver(batch: SharedBatch): void {
    for (const subscriber of this.subscribers) subscriber.deliver(batch);
  }

  #trim(): void {
    const dropped = this.#state.trim();
    if (dropped > 0) this.#parts.metrics.ringTrims.inc(dropped);
    if (this.#pendingSnapshot !== undefined) this.#installPending();
    else if (this.#startKind === "snapshot" && this.#cancelRetry === undefined) {
      // In the background; the ring is trimmed whether or not the answer comes.
      if (!this.#querying && this.#state.wantsSnapshot && this.subscribers.size > 0) this.#query();
    }
  }

  #query(): void {
    if (this.#querying || this.#phase === "closed") return;
    this.#querying = true;
    this.#cancelRetry?.();
    this.#cancelRetry = undefined;
    // Both outcomes are handled in the function, so nothing is left to await.
    void this.#ask();
  }

  async #ask(): Promise<void> {
    const { metrics, gate, bus, limits } = this.#parts;
    const subject = querySubject({ ...this.name, query: "snapshot" });
    let outcome: Snapshot | TopicFailure;
    try {
      const reply = await gate.run(() =>
        bus.request(subject, EMPTY, { timeoutMs: limits.queryTimeoutMs }),
      );
      outcome = this.#readSnapshot(reply);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      outcome = { kind: "unavailable", message };
    }
    this.#querying = false;
    if (this.#phase === "closed") return;
    metrics.snapshotQueries.inc({ outcome: "kind" in outcome ? outcome.kind : "ok" });
    if (this.#queryAgain) {
      this.#queryAgain = false;
      this.#query();
    } else if ("kind" in outcome) {
      this.#fail(outcome);
    } else if (this.#phase === "live") {
      this.#pendingSnapshot = outcome;
      this.#installPending();
    } else {
      this.#synchronize(outcome);
    }
  }

  #readSnapshot(bytes: Uint8Array): Snapshot | TopicFailure {
    const reply = decodeQueryReply(bytes);
    if (reply.error !== undefined) {
      const kind = reply.error.code === "CODE_NOT_FOUND" ? "unknown" : "unavailable";
      return { kind, message: reply.error.message };
    }
    const header = readBatchHeader(reply.payload);
    const sequence = header.firstSequence;
    const position = { epoch: header.epoch, sequence };
    if (header.count === 0) return { position, batch: undefined };
    this.priceScale = header.priceScale;
    this.sizeScale = header.sizeScale;
    const at = { firstSequence: sequence, count: header.count, at: sequence };
    return { position, batch: this.#share(reply.payload, at) };
  }

  /** Those who wait are refused; those who are subscribed stay, and it is tried again. */
  #fail(failure: TopicFailure): void {
    this.#inconsistencies = 0;
    this.#answerWaiting(failure);
    if (this.subscribers.size === 0) return;
    const delayMs = Math.min(RETRY_MS_MIN * 2 ** this.#failures, RETRY_MS_MAX);
    this.#failures += 1;
    this.#cancelRetry = this.#parts.clock.after(delayMs, () => {
      this.#cancelRetry = undefined;
      if (this.#phase === "syncing" || this.#state.wantsSnapshot) this.#query();
    });
  }

  /** Puts the buffered batches behind the snapshot, if they follow it. */
  #synchronize(snapshot: Snapshot): void {
    const { epoch, sequence } = snapshot.position;
    const following = this.#buffer.filter(
      ({ order, batch }) =>
        order.epoch > epoch || (order.epoch === epoch && batch.lastSequence > sequence),
    );
    const before = this.#state.position;
    const trial = new TopicState(this.#parts.limits);
    trial.reset(snapshot.position, snapshot.batch);
    if (following.some(({ order, batch }) => trial.append(order, batch).kind !== "appended")) {
      // Older than what the bus has delivered since, or something is missing between: ask again.
      this.#inconsistencies += 1;
      if (this.#inconsistencies < INCONSISTENCIES_MAX) this.#query();
      else this.#fail(this.#inconsistent());
      return;
    }
    this.#inconsistencies = 0;
    this.#failures = 0;
    this.#buffer = [];
    this.#bufferBytes = 0;
    this.#phase = "live";
    this.#resume(snapshot, before, following);
    this.#answerWaiting(undefined);
  }

  #resume(snapshot: Snapshot, before: TopicPosition, following: readonly Buffered[]): void {
    const { epoch, sequence } = snapshot.position;
    const nothingLost = before.epoch === epoch && before.sequence === sequence;
    const redeliver = this.#redeliver || !nothingLost;
    this.#redeliver = false;
    if (nothingLost) this.#state.installSnapshot(snapshot.position, snapshot.batch);
    else this.#state.reset(snapshot.position, snapshot.batch);
    if (redeliver && snapshot.batch !== undefined) this.#deliver(snapshot.batch);
    if (redeliver && this.#startKind === "none") this.#reportLoss(before, snapshot.position);
    for (const { order, batch } of following) {
      if (this.#state.append(order, batch).kind === "appended") this.#deliver(batch);
    }
    this.#trim();
  }

  #reportLoss(before: TopicPosition, now: TopicPosition): void {
    if (before.epoch !== now.epoch || before.sequence >= now.sequence) return;
    for (const subscriber of this.subscribers) {
      subscriber.gap(before.sequence + 1, now.sequence);
    }
  }

  #installPending(): void {
    const pending = this.#pendingSnapshot;
    if (pending === undefined) return;
    const { epoch, sequence } = this.#state.position;
    // The answer overtook events that are still on their way.
    if (pending.position.epoch === epoch && pending.position.sequence > sequence) return;
    this.#pendingSnapshot = undefined;
    if (this.#state.installSnapshot(pending.position, pending.batch)) {
      this.#failures = 0;
      this.#answerWaiting(undefined);
    } else {
      this.#fail(this.#inconsistent());
    }
  }

  #inconsistent(): TopicFailure {
    return { kind: "unavailable", message: `no consistent start of ${this.topic} yet` };
  }

  #answerWaiting(failure: TopicFailure | undefined): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const callback of waiting) callback(failure);
  }
}
