import { assert, InvariantError } from "#core/assert.ts";
import { relationOf } from "./batch-order.ts";
import type { BatchOrder, TopicPosition } from "./batch-order.ts";
import { HeldBatches } from "./held-batches.ts";
import type { HeldBatch } from "./held-batches.ts";
import { QueryRetry } from "./query-retry.ts";
import type { SharedBatch } from "./shared-batch.ts";
import { noLongerFollowed, startInconsistent } from "./sync-parts.ts";
import type { SyncActions, TopicSnapshot, TopicSyncParts } from "./sync-parts.ts";
import type { TopicHistory } from "./topic-history.ts";
import type { TopicFailure } from "./topic-subscriber.ts";
import { SYNC_TABLE } from "./topic-sync-table.ts";
import type { SyncCell, SyncEvent, SyncState } from "./topic-sync-table.ts";

/** Snapshots that do not fit what the bus delivered, before those who wait are refused. */
const INCONSISTENCIES_MAX = 3;
/** More events are not missing without a word of their publisher. */
const PASSED_EVENTS_MAX = 100_000;

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
  /** Of a publisher of which it is not decided yet whether it is followed. */
  readonly #undecided: HeldBatches;
  /** Whether each event stands for itself, so that a hole costs nothing but what is in it. */
  readonly #standsAlone: boolean;
  readonly #retry: QueryRetry;
  #state: SyncState = "cold";
  #query: "none" | "under-way" | "outdated" = "none";
  #inconsistencies = 0;
  /** Of the publisher that is followed: batches of any other have no effect. */
  #epoch: number | undefined;
  /** Subscribers get the next snapshot even if nothing turns out to be lost. */
  #redeliver = false;
  /** Some subscriber has no state yet, and cannot be given anything before it. */
  #someoneIsStateless = false;

  constructor(parts: TopicSyncParts) {
    this.#parts = parts;
    this.#history = parts.history;
    this.#actions = parts.actions;
    this.#held = new HeldBatches(parts.limits);
    this.#undecided = new HeldBatches(parts.limits);
    this.#retry = new QueryRetry(parts);
    this.#epoch = parts.epoch;
    this.#standsAlone = parts.startKind !== "snapshot";
  }

  get state(): SyncState {
    return this.#state;
  }

  /** The hot path: one table look-up, some comparisons, one append, and the subscribers. */
  batchReceived(order: BatchOrder, batch: SharedBatch): void {
    const { does } = this.#cell("batchReceived");
    if (does === "append") this.#append(order, batch);
    else if (does === "follow") {
      this.#follow(order, batch);
      if (order.epoch === this.#epoch && this.#retry.heard()) this.#ask();
    } else if (does === "hold") this.#hold(order, batch);
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

  /**
   * Follows another epoch. Of one that is new, subscribers get every event from the first on, where
   * events stand for themselves; else what follows the next snapshot.
   */
  publisherChanged(to: { readonly epoch: number; readonly isNewcomer: boolean }): void {
    const { does } = this.#cell("publisherChanged");
    if (does === "ignore") return;
    assert(to.epoch !== this.#epoch, "another publisher has another epoch");
    // What came of the old one and continues is nobody's loss.
    if (this.#isFollowed) this.#finishEpoch(this.#held.take());
    this.#held.clear();
    this.#epoch = to.epoch;
    this.#inconsistencies = 0;
    switch (does) {
      case "take":
        break;
      case "outdate":
        this.#query = "outdated";
        break;
      case "resync":
        // What changes a state is understood with the state alone, which the answer brings.
        if (to.isNewcomer && this.#standsAlone) {
          this.#beginEpoch({ epoch: to.epoch, sequence: 0 }, undefined);
        }
        this.#resync("publisherChanged");
        break;
    }
    for (const { order, batch } of this.#undecided.take()) this.batchReceived(order, batch);
  }

  /**
   * The publisher that is followed now has said that it goes on from this position of the epoch
   * before; `missed` is what came of that epoch after what is here. Nobody has lost anything if
   * that leads to the position, and the topic goes on in the new epoch with the same sequences.
   */
  continued(from: TopicPosition, missed: readonly HeldBatch[]): void {
    const { does } = this.#cell("continued");
    const epoch = this.#epoch;
    if (does === "ignore" || this.#isFollowed || epoch === undefined) return;
    const history = this.#history;
    if (history.epoch !== from.epoch || this.#someoneIsStateless) return;
    for (const { order, batch } of missed) {
      const isNext = relationOf(history, order) === "next" && batch.lastSequence <= from.sequence;
      if (isNext) this.#deliverNext(order, batch);
    }
    if (history.sequence !== from.sequence) return;
    this.#actions.epochChanged({ epoch, sequence: from.sequence }, true);
    history.continueIn(epoch);
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
    if (startless) {
      this.#redeliver = true;
      this.#someoneIsStateless = true;
    }
    if (does === "serve" && startless) this.#resync("attached");
    if (does === "ask" && !this.#retry.isArmed) this.#ask();
  }

  retryDue(): void {
    const { does } = this.#cell("retryDue");
    this.#retry.due();
    if (does === "ask" || this.#history.wantsSnapshot) this.#ask();
  }

  /** Whoever waits is told. Idempotent. */
  closed(): void {
    if (this.#cell("closed").does === "ignore") return;
    this.#enter("closed", "closed");
    this.#retry.cancel();
    this.#held.clear();
    this.#undecided.clear();
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
    return this.#standsAlone || this.#history.hasSnapshot;
  }

  /** Whether the history, and with it every subscriber, is in the epoch that is followed. */
  get #isFollowed(): boolean {
    return this.#history.epoch === this.#epoch;
  }

  #append(order: BatchOrder, batch: SharedBatch): void {
    switch (relationOf(this.#history, order)) {
      case "next":
        this.#deliverNext(order, batch);
        this.#settleHistory();
        return;
      case "duplicate":
        return;
      case "gap":
        if (this.#mayPass(order)) {
          this.#passHole(order, batch);
          this.#settleHistory();
          return;
        }
        this.#hold(order, batch);
        this.#resync("batchReceived");
        return;
      case "epoch":
        this.#leaveAside(order, batch);
        return;
    }
  }

  /** Of another publisher, which may be followed in a moment: then its first words count. */
  #leaveAside(order: BatchOrder, batch: SharedBatch): void {
    if (this.#actions.mayBeFollowed(order.epoch)) {
      this.#undecided.add(order, batch);
      const dropped = this.#undecided.trim();
      if (dropped > 0) this.#actions.noticed("overflow", dropped);
      return;
    }
    // It was decided: the others are what this one is.
    for (const undecided of this.#undecided.take()) this.#actions.foreign(undecided.order);
    this.#actions.foreign(order);
  }

  /** While something may be missing, what continues is delivered all the same. */
  #follow(order: BatchOrder, batch: SharedBatch): void {
    const mayGoOn = this.#isFollowed && !this.#redeliver;
    if (mayGoOn && relationOf(this.#history, order) === "next") {
      this.#deliverNext(order, batch);
      this.#trim();
    } else {
      this.#hold(order, batch);
    }
  }

  #deliverNext(order: BatchOrder, batch: SharedBatch): void {
    this.#history.append(order, batch);
    this.#actions.deliver(batch);
  }

  #hold(order: BatchOrder, batch: SharedBatch): void {
    if (order.epoch !== this.#epoch) {
      this.#leaveAside(order, batch);
      return;
    }
    this.#held.add(order, batch);
    if (!this.#held.isOverfull) return;
    if (this.#isFollowed && this.#standsAlone && this.#state !== "syncing") {
      // The publisher has not answered for as long as this took: what is here is delivered.
      this.#deliverInOrder(this.#held.take(), true);
    } else {
      this.#actions.noticed("overflow", this.#held.trim());
    }
  }

  #resync(event: SyncEvent): void {
    this.#enter(event, "resyncing");
    if (this.#query === "none") this.#ask();
    else this.#query = "outdated";
  }

  #trim(): void {
    const dropped = this.#history.trim();
    if (dropped > 0) this.#actions.noticed("trimmed", dropped);
  }

  /** Keeps the history within its limits and its snapshot young. */
  #settleHistory(): void {
    this.#trim();
    if (this.#standsAlone || this.#retry.isArmed || !this.#history.wantsSnapshot) return;
    // In the background: the history is trimmed whether or not the answer comes.
    if (this.#actions.isSubscribed()) this.#ask();
  }

  /**
   * Makes the topic live. The publisher says where it stands, and its answer comes after all that
   * it had published before: what is not here by now, and is not ahead of the answer, is lost.
   */
  #synchronize(snapshot: TopicSnapshot): void {
    const { epoch, sequence } = snapshot.position;
    if (epoch !== this.#epoch) {
      this.#fail("snapshotArrived", startInconsistent(this.#parts.topic));
      return;
    }
    const incredible = this.#held.dropIncredible(sequence);
    if (incredible > 0) this.#actions.noticed("incredible", incredible);
    const held = this.#held.take();
    if (this.#isFollowed && this.#state === "resyncing") this.#catchUp(snapshot, held);
    else this.#startAnew(snapshot);
    // A hole behind the answer may be one of the bus, or a batch that nobody published.
    const rest = this.#deliverInOrder(held, false);
    this.#retry.answered();
    if (rest.length === 0 && !this.#redeliver) {
      this.#inconsistencies = 0;
      this.#enter("snapshotArrived", "live");
      this.#settleHistory();
      this.#actions.answer(undefined);
      return;
    }
    // The next answer will be as far as that.
    for (const { order, batch } of rest) this.#held.add(order, batch);
    this.#inconsistencies += 1;
    if (this.#state === "resyncing" && this.#hasStart) this.#actions.answer(undefined);
    if (this.#inconsistencies < INCONSISTENCIES_MAX) this.#ask();
    else this.#fail("snapshotArrived", startInconsistent(this.#parts.topic));
  }

  /** Brings the subscribers, who are in this epoch, to the snapshot. */
  #catchUp(snapshot: TopicSnapshot, held: readonly HeldBatch[]): void {
    const history = this.#history;
    const { sequence } = snapshot.position;
    const before = held.filter(({ batch }) => batch.lastSequence <= sequence);
    if (!this.#someoneIsStateless) this.#deliverInOrder(before, this.#standsAlone);
    if (history.sequence < sequence) {
      this.#reportHoles(before, sequence);
      history.reset(snapshot.position, snapshot.batch);
      this.#deliverState(snapshot);
    } else {
      history.installSnapshot(snapshot.position, snapshot.batch);
      const mayDeliver = history.sequence === sequence || snapshot.batch === undefined;
      if (this.#redeliver && mayDeliver) this.#deliverState(snapshot);
    }
  }

  #startAnew(snapshot: TopicSnapshot): void {
    // Nobody has anything of a topic that is about to get its first state.
    if (this.#state === "syncing") this.#history.reset(snapshot.position, snapshot.batch);
    else this.#beginEpoch(snapshot.position, snapshot.batch);
    this.#deliverState(snapshot);
  }

  #deliverState({ batch }: TopicSnapshot): void {
    this.#redeliver = false;
    this.#someoneIsStateless = false;
    if (batch !== undefined) this.#actions.deliver(batch);
  }

  /** Gives what is here of an epoch that is not followed any more. */
  #finishEpoch(held: readonly HeldBatch[]): void {
    const last = held.at(-1)?.batch.lastSequence ?? 0;
    if (!this.#someoneIsStateless) {
      this.#deliverInOrder(held, this.#standsAlone);
    } else if (last > this.#history.sequence) {
      // Nobody can be given changes before the state that somebody waits for, and it will not come.
      this.#actions.noticed("overflow", held.length);
      const { epoch } = this.#history;
      this.#reportGap(this.#history.sequence + 1, last);
      this.#history.reset({ epoch, sequence: last }, undefined);
    }
  }

  #beginEpoch(start: TopicPosition, state: SharedBatch | undefined): void {
    this.#actions.epochChanged(start, false);
    this.#history.reset(start, state);
  }

  /**
   * Delivers what continues, and leaves out what is here already. A hole is told and passed over,
   * or it ends the walk: what is left is returned.
   */
  #deliverInOrder(held: readonly HeldBatch[], passHoles: boolean): readonly HeldBatch[] {
    const rest = this.#walk(held, passHoles);
    this.#trim();
    return rest;
  }

  #walk(held: readonly HeldBatch[], passHoles: boolean): readonly HeldBatch[] {
    for (const [index, { order, batch }] of held.entries()) {
      switch (relationOf(this.#history, order)) {
        case "next":
          this.#deliverNext(order, batch);
          break;
        case "gap":
          if (!passHoles) return held.slice(index);
          this.#passHole(order, batch);
          break;
        case "duplicate":
          break;
        case "epoch":
          throw new InvariantError("only batches of the epoch that is followed are held");
      }
    }
    return [];
  }

  /**
   * Whether the hole before the batch is told at once: there is no time to ask for what is in it,
   * no state that it is missing from, and it is small enough to be one.
   */
  #mayPass({ baseSequence }: BatchOrder): boolean {
    const isHole = baseSequence - this.#history.sequence <= PASSED_EVENTS_MAX;
    return this.#standsAlone && isHole && this.#actions.isOverloaded();
  }

  /** Tells what is missing before the batch, and goes on with it. */
  #passHole(order: BatchOrder, batch: SharedBatch): void {
    this.#reportGap(this.#history.sequence + 1, order.baseSequence);
    this.#history.continueAt(order, batch);
    this.#actions.deliver(batch);
  }

  /** What is not here up to `lastSequence`. The rest has come, and is in the state behind it. */
  #reportHoles(held: readonly HeldBatch[], lastSequence: number): void {
    let { sequence } = this.#history;
    for (const { order, batch } of held) {
      if (order.baseSequence > sequence) this.#reportGap(sequence + 1, order.baseSequence);
      sequence = Math.max(sequence, batch.lastSequence);
    }
    if (sequence < lastSequence) this.#reportGap(sequence + 1, lastSequence);
  }

  #reportGap(missingFirst: number, missingLast: number): void {
    this.#actions.noticed("missing", missingLast - missingFirst + 1);
    this.#actions.reportGap(missingFirst, missingLast);
  }

  /** Takes a newer snapshot into the history, so that starts stay short. */
  #refresh(snapshot: TopicSnapshot): void {
    const { epoch, sequence } = snapshot.position;
    // The answer comes after what was published before it: it tells a loss that nothing else did.
    if (epoch === this.#history.epoch && sequence > this.#history.sequence) {
      this.#catchUp(snapshot, []);
    } else if (!this.#history.installSnapshot(snapshot.position, snapshot.batch)) {
      this.#fail("snapshotArrived", startInconsistent(this.#parts.topic));
      return;
    }
    this.#retry.answered();
    this.#actions.answer(undefined);
  }

  #fail(event: SyncEvent, failure: TopicFailure): void {
    this.#inconsistencies = 0;
    if (this.#state === "syncing") {
      assert(!this.#actions.isSubscribed(), "nobody is subscribed before the first snapshot");
      this.#enter(event, "cold");
    } else if (this.#query === "none" && this.#actions.isSubscribed()) {
      this.#retry.arm();
    }
    this.#actions.answer(failure);
  }

  /** Starts a query unless one is under way. */
  #ask(): void {
    if (this.#query !== "none") return;
    this.#retry.cancel();
    this.#query = "under-way";
    this.#held.queryBegins();
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
}
