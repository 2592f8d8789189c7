import { TopicHistory } from "#gateway/topics/topic-history.ts";
import type { SharedBatch } from "#gateway/topics/shared-batch.ts";
import type { StartKind } from "#gateway/topics/start-kind.ts";
import type { SyncState } from "#gateway/topics/topic-sync-table.ts";
import { TopicSync } from "#gateway/topics/topic-sync.ts";
import { orderOf, sharedBatch } from "./shared-batches.ts";

/** Of its history. */
export const SYNC_LIMITS = { ringBytesMax: 1_000, ringBatchesMax: 4 };

/** A state machine that writes down what it does. Its snapshots are at sequence 5 of epoch 1. */
export class SyncRig {
  readonly done: string[] = [];
  readonly history = new TopicHistory(SYNC_LIMITS);
  readonly sync: TopicSync;
  subscribed = false;
  /** Of a publisher of which it is not decided yet whether it is followed. */
  undecided: number | undefined;
  overloaded = false;
  /** Each retry waits as long as it ever may. */
  random = 1;

  constructor(startKind: StartKind = "snapshot") {
    this.sync = new TopicSync({
      topic: "fake:A-USD/book",
      startKind,
      epoch: 1,
      history: this.history,
      limits: SYNC_LIMITS,
      random: () => this.random,
      actions: {
        deliver: (batch) => this.done.push(`deliver ${range(batch)}`),
        reportGap: (first, last) => this.done.push(`gap ${first}-${last}`),
        epochChanged: (start) => this.done.push(`epoch ${start.epoch}/${start.sequence}`),
        mayBeFollowed: (epoch) => epoch === this.undecided,
        foreign: (order) => this.done.push(`foreign ${order.epoch}`),
        ask: () => this.done.push("ask"),
        retryAfter: (delayMs) => this.done.push(`retry after ${delayMs}`),
        cancelRetry: () => this.done.push("cancel retry"),
        answer: (failure) => this.done.push(`answer ${failure?.kind ?? "ok"}`),
        isOverloaded: () => this.overloaded,
        isSubscribed: () => this.subscribed,
        noticed: (what, count) => this.done.push(`noticed ${what} ${count}`),
      },
    });
  }

  batch(first: number, last = first, epoch = 1, bytes = 9): void {
    this.sync.batchReceived(orderOf(first, last, epoch), sharedBatch(first, last, { bytes }));
  }

  snapshot(sequence: number, epoch = 1): void {
    const batch = sharedBatch(sequence, sequence, { events: 3, isState: true });
    this.sync.snapshotArrived({ position: { epoch, sequence }, batch });
  }

  /** What was done since the last call. */
  taken(): string[] {
    return this.done.splice(0);
  }

  static in(state: SyncState, startKind: StartKind = "snapshot"): SyncRig {
    const rig = new SyncRig(startKind);
    if (state === "closed") rig.sync.closed();
    if (state === "cold" || state === "closed") return rig;
    rig.sync.startWanted();
    if (state === "syncing") return rig;
    rig.snapshot(5);
    rig.sync.attached();
    rig.subscribed = true;
    if (state === "resyncing") rig.sync.lossSuspected(false);
    return rig;
  }
}

function range({ firstSequence, lastSequence, isState }: SharedBatch): string {
  return isState ? `state ${firstSequence}` : `${firstSequence}-${lastSequence}`;
}
