/**
 * How a topic gets and keeps a state that its subscribers can rely on.
 *
 * - `cold`: nothing is known, and nobody has asked for it or the last answer was of no use.
 * - `syncing`: the first snapshot is on its way; batches are held until it is here.
 * - `live`: every batch continues from the one before and goes to the subscribers at once.
 * - `resyncing`: something may have been lost. What continues goes to the subscribers all the same;
 *   what does not is held until the publisher has said where it stands.
 * - `closed`: the topic was left, for good.
 *
 * The invariants, and how each is enforced:
 *
 * 1. A state follows another only where the table allows it. Asserted at each change.
 * 2. An event that cannot happen in a state never does. Asserted: its cell is `impossible`.
 * 3. At most one query is under way, and an answer comes only to a query. `ask` is the only place
 *    that starts one and does nothing while one is under way; the answer is asserted to be awaited.
 * 4. An answer to a query from before a loss is not used. Whatever leads to `resyncing` marks the
 *    query that is under way as outdated; its answer only starts the next.
 * 5. A retry is armed only while no query is under way. `ask` cancels it; asserted when it is due.
 * 6. Whoever waits is answered. In `syncing` a query is always under way; in `live` one starts if
 *    there is no start to give; every answer to a query answers those who wait, or asks again, at
 *    most INCONSISTENCIES_MAX times. The property test drives it.
 * 7. While somebody is subscribed, a topic that is not live has a query under way or a retry armed.
 *    Nobody can subscribe before the first snapshot (`attached` is impossible there), a query that
 *    fails arms a retry if somebody is subscribed, and `attached` asks if neither is so. Whoever
 *    found no start, because it was trimmed meanwhile, gets the next snapshot.
 * 8. Batches are held only while the topic is not live, at most as many as the history keeps. Only
 *    the cells of these states hold, and becoming live lets go of all; tested at the limits.
 * 9. Subscribers have received what the history holds: a batch is appended and delivered in one
 *    step. The history asserts that each batch continues from the one before; the property test
 *    follows each subscriber and finds every event delivered, replaced by a state or told missing.
 * 10. Nothing is asked, armed or delivered after `closed`: every cell of it is `ignore` or
 *     `refuse`.
 * 11. Only batches of the epoch that is followed have any effect. Another epoch is counted and
 *     nothing else; which one is followed changes by `publisherChanged` alone, never by a batch.
 *     What it missed of the old one comes with `continued`, which only its successor can bring.
 * 12. What was received and continues is delivered: no cell drops it, and `take` gives everything
 *     that was held to the one walk that delivers, in order, and tells each hole exactly.
 * 13. A batch that jumps ahead moves nothing until its publisher has said that it has come as far:
 *     a gap is always held first, and what the answer contradicts is dropped and counted.
 */
export type SyncState = "cold" | "syncing" | "live" | "resyncing" | "closed";

/** What an event may lead to. `impossible` is a bug of ours if it happens. */
type Reactions = {
  /** The bus delivered a batch. */
  readonly batchReceived: "hold" | "append" | "follow" | "ignore";
  /** The answer to the query is a snapshot. */
  readonly snapshotArrived: "synchronize" | "refresh" | "ignore" | "impossible";
  /** The query was refused or not answered. */
  readonly queryFailed: "fail" | "ignore" | "impossible";
  /** The bus may have lost batches without a trace, or the publisher was away. */
  readonly lossSuspected: "ask" | "outdate" | "resync" | "ignore";
  /** The topic is that of another publisher, or of another run of it, from now on. */
  readonly publisherChanged: "take" | "outdate" | "resync" | "ignore";
  /** The new publisher goes on exactly where the one before ended. */
  readonly continued: "continue" | "ignore";
  /** Somebody waits until the topic has a start to give. */
  readonly startWanted: "ask" | "wait" | "serve" | "refuse";
  /** Somebody subscribes, and has been given what the history has to start from. */
  readonly attached: "serve" | "ask" | "ignore" | "impossible";
  /** The time that `retryAfter` asked for has passed. */
  readonly retryDue: "ask" | "refresh" | "impossible";
  /** The gateway leaves the topic. */
  readonly closed: "close" | "ignore";
};

/** What can happen to a topic. */
export type SyncEvent = keyof Reactions;

/** What an event does in a state, and which states may follow. */
export type SyncCell<Event extends SyncEvent = SyncEvent> = {
  readonly does: Reactions[Event];
  readonly next: readonly SyncState[];
};

type SyncTable = {
  readonly [State in SyncState]: { readonly [Event in SyncEvent]: SyncCell<Event> };
};

const IMPOSSIBLE = { does: "impossible", next: [] } as const;
const IGNORED = { does: "ignore", next: ["closed"] } as const;
const CLOSE = { does: "close", next: ["closed"] } as const;

/** Every state by every event. */
export const SYNC_TABLE: SyncTable = {
  cold: {
    batchReceived: { does: "hold", next: ["cold"] },
    snapshotArrived: IMPOSSIBLE,
    queryFailed: IMPOSSIBLE,
    lossSuspected: { does: "ask", next: ["syncing"] },
    publisherChanged: { does: "take", next: ["cold"] },
    continued: { does: "ignore", next: ["cold"] },
    startWanted: { does: "ask", next: ["syncing"] },
    attached: IMPOSSIBLE,
    retryDue: IMPOSSIBLE,
    closed: CLOSE,
  },
  syncing: {
    batchReceived: { does: "hold", next: ["syncing"] },
    snapshotArrived: { does: "synchronize", next: ["live", "syncing", "cold"] },
    queryFailed: { does: "fail", next: ["cold", "syncing"] },
    lossSuspected: { does: "outdate", next: ["syncing"] },
    publisherChanged: { does: "outdate", next: ["syncing"] },
    continued: { does: "ignore", next: ["syncing"] },
    startWanted: { does: "wait", next: ["syncing"] },
    attached: IMPOSSIBLE,
    retryDue: IMPOSSIBLE,
    closed: CLOSE,
  },
  live: {
    batchReceived: { does: "append", next: ["live", "resyncing"] },
    snapshotArrived: { does: "refresh", next: ["live"] },
    queryFailed: { does: "fail", next: ["live"] },
    lossSuspected: { does: "resync", next: ["resyncing"] },
    publisherChanged: { does: "resync", next: ["resyncing"] },
    continued: { does: "ignore", next: ["live"] },
    startWanted: { does: "serve", next: ["live"] },
    attached: { does: "serve", next: ["live", "resyncing"] },
    retryDue: { does: "refresh", next: ["live"] },
    closed: CLOSE,
  },
  resyncing: {
    batchReceived: { does: "follow", next: ["resyncing"] },
    snapshotArrived: { does: "synchronize", next: ["live", "resyncing"] },
    queryFailed: { does: "fail", next: ["resyncing"] },
    lossSuspected: { does: "resync", next: ["resyncing"] },
    publisherChanged: { does: "resync", next: ["resyncing"] },
    continued: { does: "continue", next: ["resyncing"] },
    startWanted: { does: "ask", next: ["resyncing"] },
    attached: { does: "ask", next: ["resyncing"] },
    retryDue: { does: "ask", next: ["resyncing"] },
    closed: CLOSE,
  },
  closed: {
    batchReceived: IGNORED,
    snapshotArrived: IGNORED,
    queryFailed: IGNORED,
    lossSuspected: IGNORED,
    publisherChanged: IGNORED,
    continued: IGNORED,
    startWanted: { does: "refuse", next: ["closed"] },
    attached: IGNORED,
    retryDue: IMPOSSIBLE,
    closed: IGNORED,
  },
};
