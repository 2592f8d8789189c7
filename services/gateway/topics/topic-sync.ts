import { backoffDelayMs } from "@tickwire/proto/model";
import { assert, InvariantError } from "#core/assert.ts";
import { relationOf } from "./batch-order.ts";
import type { BatchOrder } from "./batch-order.ts";
import { HeldBatches } from "./held-batches.ts";
import type { HeldBatch } from "./held-batches.ts";
import type { SharedBatch } from "./shared-batch.ts";
import { noLongerFollowed, startInconsistent } from "./sync-parts.ts";
import type { SyncActions, TopicSnapshot, TopicSyncParts } from "./sync-parts.ts";
import type { TopicHistory } from "./topic-history.ts";
import type { TopicFailure } from "./topic-subscriber.ts";
import { SYNC_TABLE } from "./topic-sync-table.ts";
import type { SyncCell, SyncEvent, SyncState } from "./topic-sync-table.ts";

/** Topics that lost one ingestor do not all ask again at once. */
const RETRY_BACKOFF = { baseMs: 250, maxMs: 5_000 };
/** Snapshots that do not fit what the bus delivered, before those who wait are refused. */
const INCONSISTENCIES_MAX = 3;

/**
 * The state machine of one topic: takes what happens and answers with actions. It has no bus and no
 * timer, so whatever order things happen in can be tried. States, events and invariants stand in
 * topic-sync-table.ts.
 */
export class TopicSync {
  readonly #parts: TopicSyncParts;
  readonly #history: TopicHistory;
  readonly #actions: SyncActions;
  readonly #held: HeldBatches;
  #state: SyncState = "cold";
  #query: "none" | "under-way" | "outdated" = "none";
  #retryArmed = false;
  /** Since the last success, for the time between retries. */
  #failures = 0;
  #inconsistencies = 0;
  /** Subscribers get the next snapshot even if nothing turns out to be lost. */
  #redeliver = false;
  /** A snapshot that overtook events which are still on their way. Only while live. */
  #early: TopicSnapshot | undefined;

  constructor(parts: TopicSyncParts) {
    this.#parts = parts;
    this.#history = parts.history;
    this.#actions = parts.actions;
    this.#held = new HeldBatches(parts.limits);
  }

  get state(): SyncState {
    return this.#state;
  }

  /** The hot path: one table look-up, one comparison, one append, and the subscribers. */
  batchReceived(order: BatchOrder, batch: SharedBatch): void {
    const { does } = this.#cell("batchReceived");
    if (does === "append") this.#append(order, batch);
    else if (does === "hold") this.#hold(order, batch);
  }

  snapshotArrived(snapshot: TopicSnapshot): void {
    const { does } = this.#cell("snapshotArrived");
    if (does === "ignore" || !this.#takeAnswer()) return;
    if (does === "synchronize") this.#synchronize(snapshot);
    else this.#refresh(snapshot);
  }

  /** Those who wait are refused; those who are subscribed stay, and it is tried again. */
  queryFailed(failure: TopicFailure): void {
    const { does } = this.#cell("queryFailed");
    if (does === "ignore" || !this.#takeAnswer()) return;
    this.#fail("queryFailed", failure);
  }

  /**
   * Compares with the publisher. Subscribers get a new snapshot if something was lost, or in any
   * case if `redeliver`.
   */
  lossSuspected(redeliver: boolean): void {
    const { does } = this.#cell("lossSuspected");
    if (does === "ignore") return;
    if (redeliver) this.#redeliver = true;
    switch (does) {
      case "ask":
        this.#enter("lossSuspected", "syncing");
        this.#ask();
        return;
      case "outdate":
        this.#query = "outdated";
        return;
      case "resync":
        this.#resync("lossSuspected");
        return;
    }
  }

  /** `answer` follows, now or later. */
  startWanted(): void {
    switch (this.#cell("startWanted").does) {
      case "ask":
        if (this.#state === "cold") this.#enter("startWanted", "syncing");
        this.#ask();
        return;
      case "wait":
        return;
      case "serve":
        if (this.#hasStart) this.#actions.answer(undefined);
        else this.#ask();
        return;
      case "refuse":
        this.#actions.answer(noLongerFollowed(this.#parts.topic));
        return;
    }
  }

  /** It was ready when the subscriber asked, but that may have been a while ago. */
  attached(): void {
    const { does } = this.#cell("attached");
    if (does === "ignore") return;
    const startless = !this.#hasStart;
    if (startless) this.#redeliver = true;
    if (does === "serve" && startless) this.#resync("attached");
    if (does === "ask" && !this.#retryArmed) this.#ask();
  }

  retryDue(): void {
    const { does } = this.#cell("retryDue");
    assert(this.#retryArmed, "a retry that is due was asked for");
    this.#retryArmed = false;
    if (does === "ask" || this.#history.wantsSnapshot) this.#ask();
  }

  /** Whoever waits is told. Idempotent. */
  closed(): void {
    if (this.#cell("closed").does === "ignore") return;
    this.#enter("closed", "closed");
    this.#cancelRetry();
    this.#held.clear();
    this.#early = undefined;
    this.#actions.answer(noLongerFollowed(this.#parts.topic));
  }

  #cell<Event extends SyncEvent>(event: Event): SyncCell<Event> {
    const cell: SyncCell<Event> = SYNC_TABLE[this.#state][event];
    if (cell.does === "impossible") {
      throw new InvariantError(`${event} cannot happen to a topic that is ${this.#state}`);
    }
    return cell;
  }

  #enter(event: SyncEvent, state: SyncState): void {
    const { next } = SYNC_TABLE[this.#state][event];
    assert(next.includes(state), `${event} leads from ${this.#state} to ${next.join(" or ")}`);
    this.#state = state;
  }

  get #hasStart(): boolean {
    return this.#parts.startKind !== "snapshot" || this.#history.hasSnapshot;
  }

  #append(order: BatchOrder, batch: SharedBatch): void {
    switch (relationOf(this.#history, order)) {
      case "next":
        this.#history.append(order, batch);
        this.#actions.deliver(batch);
        this.#settleHistory();
        return;
      case "duplicate":
        return;
      case "gap":
        this.#actions.noticed("gap", 1);
        this.#actions.reportGap(this.#history.sequence + 1, order.baseSequence);
        break;
      case "epoch":
        this.#actions.noticed("epoch", 1);
        break;
    }
    if (this.#parts.startKind === "snapshot") {
      this.#hold(order, batch);
      this.#redeliver = true;
      this.#resync("batchReceived");
    } else {
      this.#history.continueAt(order, batch);
      this.#actions.deliver(batch);
    }
  }

  #hold(order: BatchOrder, batch: SharedBatch): void {
    const dropped = this.#held.add(order, batch);
    if (dropped > 0) this.#actions.noticed("trimmed", dropped);
  }

  #resync(event: SyncEvent): void {
    this.#enter(event, "resyncing");
    this.#early = undefined;
    if (this.#query === "none") this.#ask();
    else this.#query = "outdated";
  }

  /** Keeps the history within its limits and its snapshot young. */
  #settleHistory(): void {
    const dropped = this.#history.trim();
    if (dropped > 0) this.#actions.noticed("trimmed", dropped);
    if (this.#early !== undefined) {
      this.#refresh(this.#early);
    } else if (this.#parts.startKind === "snapshot" && !this.#retryArmed) {
      // In the background: the history is trimmed whether or not the answer comes.
      if (this.#history.wantsSnapshot && this.#actions.isSubscribed()) this.#ask();
    }
  }

  /** Makes the topic live with the snapshot and the held batches, if they follow it. */
  #synchronize(snapshot: TopicSnapshot): void {
    const following = this.#held.following(snapshot.position);
    if (following === undefined) {
      // The snapshot is older than what the bus has delivered since, or something is missing
      // between them: a newer one will fit.
      this.#inconsistencies += 1;
      if (this.#inconsistencies < INCONSISTENCIES_MAX) this.#ask();
      else this.#fail("snapshotArrived", startInconsistent(this.#parts.topic));
      return;
    }
    this.#inconsistencies = 0;
    this.#failures = 0;
    this.#held.clear();
    this.#enter("snapshotArrived", "live");
    this.#goOn(snapshot, following);
    this.#actions.answer(undefined);
  }

  /** Gives the subscribers what brings them from where they are to where the topic is. */
  #goOn(snapshot: TopicSnapshot, following: readonly HeldBatch[]): void {
    const { startKind } = this.#parts;
    const before = this.#history.position;
    const { epoch, sequence } = snapshot.position;
    const nothingLost = before.epoch === epoch && before.sequence === sequence;
    const redeliver = this.#redeliver || !nothingLost;
    this.#redeliver = false;
    if (nothingLost) this.#history.installSnapshot(snapshot.position, snapshot.batch);
    else this.#history.reset(snapshot.position, snapshot.batch);
    if (redeliver && snapshot.batch !== undefined) this.#actions.deliver(snapshot.batch);
    if (startKind === "none" && before.epoch === epoch && before.sequence < sequence) {
      this.#actions.reportGap(before.sequence + 1, sequence);
    }
    for (const { order, batch } of following) {
      this.#history.append(order, batch);
      this.#actions.deliver(batch);
    }
    this.#settleHistory();
  }

  /** Takes a newer snapshot into the history, so that starts stay short. */
  #refresh(snapshot: TopicSnapshot): void {
    const { epoch, sequence } = snapshot.position;
    if (epoch === this.#history.epoch && sequence > this.#history.sequence) {
      this.#early = snapshot;
      return;
    }
    this.#early = undefined;
    if (this.#history.installSnapshot(snapshot.position, snapshot.batch)) {
      this.#failures = 0;
      this.#actions.answer(undefined);
    } else {
      this.#fail("snapshotArrived", startInconsistent(this.#parts.topic));
    }
  }

  #fail(event: SyncEvent, failure: TopicFailure): void {
    this.#inconsistencies = 0;
    if (this.#state === "syncing") {
      assert(!this.#actions.isSubscribed(), "nobody is subscribed before the first snapshot");
      this.#enter(event, "cold");
    } else if (this.#query === "none" && this.#actions.isSubscribed()) {
      this.#cancelRetry();
      this.#retryArmed = true;
      const { random } = this.#parts;
      const attempt = this.#failures;
      this.#actions.retryAfter(backoffDelayMs({ attempt, limits: RETRY_BACKOFF, random }));
      this.#failures += 1;
    }
    this.#actions.answer(failure);
  }

  /** Starts a query unless one is under way. */
  #ask(): void {
    if (this.#query !== "none") return;
    this.#cancelRetry();
    this.#query = "under-way";
    this.#actions.ask();
  }

  /** Whether the answer may be used; if not, the next query is under way. */
  #takeAnswer(): boolean {
    assert(this.#query !== "none", "an answer comes to a query that is under way");
    const usable = this.#query === "under-way";
    this.#query = "none";
    if (!usable) this.#ask();
    return usable;
  }

  #cancelRetry(): void {
    if (!this.#retryArmed) return;
    this.#retryArmed = false;
    this.#actions.cancelRetry();
  }
}
