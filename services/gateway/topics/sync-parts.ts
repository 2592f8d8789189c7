import type { BatchOrder, TopicPosition } from "./batch-order.ts";
import type { SharedBatch } from "./shared-batch.ts";
import type { StartKind } from "./start-kind.ts";
import type { RingLimits, TopicHistory } from "./topic-history.ts";
import type { TopicFailure } from "./topic-subscriber.ts";

/** The state of a topic at a position; `batch` is undefined if it has none, as trades do not. */
export type TopicSnapshot = {
  readonly position: TopicPosition;
  readonly batch: SharedBatch | undefined;
};

/**
 * What the state machine has done by others. Each is called synchronously, from within the event
 * that it answers; none may bring the next event before it returns, but `answer`, which comes last.
 */
export type SyncActions = {
  /** To every subscriber. */
  deliver(batch: SharedBatch): void;
  /** Tells every subscriber that these events of the history's epoch will not come. */
  reportGap(missingFirst: number, missingLast: number): void;
  /**
   * Tells every subscriber that the topic goes on after `start`, which is of another epoch. The
   * history still is where the old one ended for us. `continues` if nothing lies between the two.
   */
  epochChanged(start: TopicPosition, continues: boolean): void;
  /** Asks for a snapshot. `snapshotArrived` or `queryFailed` follows, once. */
  ask(): void;
  /** `retryDue` follows, once, unless `cancelRetry` comes before. */
  retryAfter(delayMs: number): void;
  cancelRetry(): void;
  /** Answers everybody who waits for a start: undefined says that there is one now. */
  answer(failure: TopicFailure | undefined): void;
  /** Whether so much comes that there is no time to ask for what is missing. */
  isOverloaded(): boolean;
  /** Whether anybody is subscribed. */
  isSubscribed(): boolean;
  /**
   * For the metrics. `missing`: events, once for each gap. `trimmed`: batches that the history had
   * no more room for. `overflow`: batches that had no room to wait. `incredible`: batches that
   * their publisher has not published.
   */
  noticed(what: "missing" | "trimmed" | "overflow" | "incredible", count: number): void;
  /** Whether it is being found out if the publisher of this epoch is to be followed. */
  mayBeFollowed(epoch: number): boolean;
  /** A batch of an epoch that is not followed came, and was left aside. */
  foreign(order: BatchOrder): void;
};

/** What the state machine of a topic is made of. */
export type TopicSyncParts = {
  /** As clients write it, for what they are told. */
  readonly topic: string;
  readonly startKind: StartKind;
  /** Of the publisher that is followed; undefined if there is none yet. */
  readonly epoch: number | undefined;
  /** What was received. Changed by the state machine alone. */
  readonly history: TopicHistory;
  readonly limits: RingLimits;
  /** In [0, 1), for the time between retries. */
  readonly random: () => number;
  readonly actions: SyncActions;
};

/** Snapshots and events of the topic contradict each other for now. */
export function startInconsistent(topic: string): TopicFailure {
  const message = `the state of ${topic} does not fit its latest events yet`;
  return { kind: "unavailable", message };
}

/** The gateway has left the topic, as it does when it shuts down. */
export function noLongerFollowed(topic: string): TopicFailure {
  return { kind: "unavailable", message: `the gateway no longer follows ${topic}` };
}
