import { describe, expect, test } from "vitest";
import { InvariantError } from "#core/assert.ts";
import { orderOf, sharedBatch } from "#test/support/shared-batches.ts";
import { SYNC_LIMITS, SyncRig } from "#test/support/sync-rig.ts";
import { TopicHistory } from "./topic-history.ts";
import { SYNC_TABLE } from "./topic-sync-table.ts";
import type { SyncEvent, SyncState } from "./topic-sync-table.ts";
import { TopicSync } from "./topic-sync.ts";

const REFUSED = { kind: "unavailable", message: "refused" } as const;

type Row = {
  readonly event: SyncEvent;
  readonly what?: string;
  /** What led here, besides the state's own way. */
  readonly given?: (rig: SyncRig) => void;
  readonly run: (rig: SyncRig) => void;
  readonly next: SyncState | "a bug";
  readonly does?: readonly string[];
};

const batch6 = (rig: SyncRig): void => rig.batch(6);
const snapshot5 = (rig: SyncRig): void => rig.snapshot(5);
const refused = (rig: SyncRig): void => rig.sync.queryFailed(REFUSED);
const loss = (rig: SyncRig): void => rig.sync.lossSuspected(false);
const wanted = (rig: SyncRig): void => rig.sync.startWanted();
const attached = (rig: SyncRig): void => rig.sync.attached();
const due = (rig: SyncRig): void => rig.sync.retryDue();
const replaced = (rig: SyncRig): void => rig.sync.publisherChanged({ epoch: 2, isNewcomer: false });
const restarted = (rig: SyncRig): void => rig.sync.publisherChanged({ epoch: 2, isNewcomer: true });
const foreign = (rig: SyncRig): void => rig.batch(1, 1, 7);
const close = (rig: SyncRig): void => rig.sync.closed();
const unused = (rig: SyncRig): void => void (rig.subscribed = false);
/** Batches that outgrow the history, so that it has no snapshot and a query is under way. */
const outgrown = (rig: SyncRig): void =>
  [6, 7, 8, 9, 10].forEach((sequence) => rig.batch(sequence));

/** What is expected, written by hand from what the states mean. */
const ROWS: { readonly [State in SyncState]: readonly Row[] } = {
  cold: [
    { event: "batchReceived", run: batch6, next: "cold" },
    { event: "snapshotArrived", run: snapshot5, next: "a bug" },
    { event: "queryFailed", run: refused, next: "a bug" },
    {
      event: "batchReceived",
      what: "of another epoch",
      run: foreign,
      next: "cold",
      does: ["foreign 7"],
    },
    { event: "lossSuspected", run: loss, next: "syncing", does: ["ask"] },
    { event: "publisherChanged", run: replaced, next: "cold" },
    { event: "startWanted", run: wanted, next: "syncing", does: ["ask"] },
    { event: "attached", run: attached, next: "a bug" },
    { event: "retryDue", run: due, next: "a bug" },
    { event: "closed", run: close, next: "closed", does: ["answer unavailable"] },
  ],
  syncing: [
    { event: "batchReceived", run: batch6, next: "syncing" },
    {
      event: "snapshotArrived",
      what: "with the batches that follow it",
      given: (rig) => [4, 5, 6].forEach((sequence) => rig.batch(sequence)),
      run: snapshot5,
      next: "live",
      does: ["deliver state 5", "deliver 6-6", "answer ok"],
    },
    {
      event: "snapshotArrived",
      what: "older than a batch that is held",
      given: (rig) => rig.batch(7),
      run: snapshot5,
      next: "syncing",
      does: ["deliver state 5", "ask"],
    },
    {
      event: "snapshotArrived",
      what: "of another epoch",
      run: (rig) => rig.snapshot(5, 7),
      next: "cold",
      does: ["answer unavailable"],
    },
    {
      event: "snapshotArrived",
      what: "that does not fit, for the third time",
      given: (rig) => {
        rig.batch(7);
        rig.snapshot(5);
        rig.batch(9);
        rig.snapshot(7);
        rig.batch(12);
      },
      run: (rig) => rig.snapshot(9),
      next: "cold",
      does: ["deliver state 9", "answer unavailable"],
    },
    { event: "queryFailed", run: refused, next: "cold", does: ["answer unavailable"] },
    {
      event: "queryFailed",
      what: "of a query from before a loss",
      given: loss,
      run: refused,
      next: "syncing",
      does: ["ask"],
    },
    {
      event: "batchReceived",
      what: "of another epoch",
      run: foreign,
      next: "syncing",
      does: ["foreign 7"],
    },
    { event: "lossSuspected", run: loss, next: "syncing" },
    { event: "publisherChanged", run: replaced, next: "syncing" },
    { event: "startWanted", run: wanted, next: "syncing" },
    { event: "attached", run: attached, next: "a bug" },
    { event: "retryDue", run: due, next: "a bug" },
    { event: "closed", run: close, next: "closed", does: ["answer unavailable"] },
  ],
  live: [
    { event: "batchReceived", run: batch6, next: "live", does: ["deliver 6-6"] },
    { event: "batchReceived", what: "again", run: (rig) => rig.batch(5), next: "live" },
    {
      event: "batchReceived",
      what: "with events missing before it",
      run: (rig) => rig.batch(8),
      next: "resyncing",
      does: ["ask"],
    },
    {
      event: "batchReceived",
      what: "of another epoch",
      run: foreign,
      next: "live",
      does: ["foreign 7"],
    },
    { event: "publisherChanged", run: replaced, next: "resyncing", does: ["ask"] },
    {
      event: "publisherChanged",
      what: "to one that begins",
      run: restarted,
      next: "resyncing",
      does: ["ask"],
    },
    {
      event: "snapshotArrived",
      what: "when it is wanted again",
      given: outgrown,
      run: (rig) => rig.snapshot(10),
      next: "live",
      does: ["answer ok"],
    },
    {
      event: "snapshotArrived",
      what: "ahead of what has come",
      given: outgrown,
      run: (rig) => rig.snapshot(11),
      next: "live",
      does: ["noticed missing 1", "gap 11-11", "deliver state 11", "answer ok"],
    },
    {
      event: "snapshotArrived",
      what: "from before what the history has",
      given: outgrown,
      run: snapshot5,
      next: "live",
      does: ["retry after 250", "answer unavailable"],
    },
    {
      event: "snapshotArrived",
      what: "of an epoch that has not come yet",
      given: outgrown,
      run: (rig) => rig.snapshot(11, 2),
      next: "live",
      does: ["retry after 250", "answer unavailable"],
    },
    {
      event: "queryFailed",
      given: outgrown,
      run: refused,
      next: "live",
      does: ["retry after 250", "answer unavailable"],
    },
    { event: "lossSuspected", run: loss, next: "resyncing", does: ["ask"] },
    { event: "lossSuspected", given: outgrown, run: loss, next: "resyncing" },
    { event: "startWanted", run: wanted, next: "live", does: ["answer ok"] },
    {
      event: "startWanted",
      what: "of which there is none",
      given: outgrown,
      run: wanted,
      next: "live",
    },
    { event: "attached", run: attached, next: "live" },
    {
      event: "attached",
      what: "without a start",
      given: (rig) => {
        outgrown(rig);
        refused(rig);
      },
      run: attached,
      next: "resyncing",
      does: ["cancel retry", "ask"],
    },
    {
      event: "retryDue",
      given: (rig) => {
        outgrown(rig);
        refused(rig);
      },
      run: due,
      next: "live",
      does: ["ask"],
    },
    { event: "retryDue", what: "that was not asked for", run: due, next: "a bug" },
    { event: "snapshotArrived", what: "that was not asked for", run: snapshot5, next: "a bug" },
    { event: "closed", run: close, next: "closed", does: ["answer unavailable"] },
  ],
  resyncing: [
    { event: "batchReceived", run: batch6, next: "resyncing", does: ["deliver 6-6"] },
    {
      event: "batchReceived",
      what: "with events missing before it",
      run: (rig) => rig.batch(8),
      next: "resyncing",
    },
    {
      event: "batchReceived",
      what: "of another epoch",
      run: foreign,
      next: "resyncing",
      does: ["foreign 7"],
    },
    {
      event: "batchReceived",
      what: "from a publisher that did not answer, and is there again",
      given: refused,
      run: (rig) => rig.batch(8),
      next: "resyncing",
      does: ["cancel retry", "ask"],
    },
    {
      event: "batchReceived",
      what: "once more from one that publishes and does not answer",
      given: (rig) => {
        refused(rig);
        batch6(rig);
        refused(rig);
      },
      run: (rig) => rig.batch(8),
      next: "resyncing",
    },
    {
      event: "batchReceived",
      what: "of another epoch, while a retry is armed",
      given: refused,
      run: foreign,
      next: "resyncing",
      does: ["foreign 7"],
    },
    {
      event: "snapshotArrived",
      what: "where nothing was lost",
      given: (rig) => rig.batch(6),
      run: snapshot5,
      next: "live",
      does: ["answer ok"],
    },
    {
      event: "snapshotArrived",
      what: "where something was lost",
      run: (rig) => rig.snapshot(7),
      next: "live",
      does: ["noticed missing 2", "gap 6-7", "deliver state 7", "answer ok"],
    },
    {
      event: "snapshotArrived",
      what: "with batches around it and a hole before them",
      given: (rig) => [8, 9].forEach((sequence) => rig.batch(sequence)),
      run: (rig) => rig.snapshot(8),
      next: "live",
      does: ["noticed missing 2", "gap 6-7", "deliver state 8", "deliver 9-9", "answer ok"],
    },
    {
      event: "snapshotArrived",
      what: "that is behind a batch which came before it was asked for",
      given: (rig) => {
        rig.batch(9_000);
        rig.sync.lossSuspected(false);
        rig.snapshot(5);
      },
      run: (rig) => rig.snapshot(5),
      next: "live",
      does: ["noticed incredible 1", "answer ok"],
    },
    {
      event: "snapshotArrived",
      what: "of another epoch",
      run: (rig) => rig.snapshot(5, 7),
      next: "resyncing",
      does: ["retry after 250", "answer unavailable"],
    },
    {
      event: "snapshotArrived",
      what: "of the publisher that is followed now",
      given: (rig) => {
        replaced(rig);
        rig.snapshot(5);
        rig.batch(52, 53, 2);
      },
      run: (rig) => rig.snapshot(51, 2),
      next: "live",
      does: ["epoch 2/51", "deliver state 51", "deliver 52-53", "answer ok"],
    },
    { event: "publisherChanged", run: replaced, next: "resyncing" },
    {
      event: "publisherChanged",
      what: "with a batch that is held and continues",
      given: (rig) => {
        rig.sync.lossSuspected(true);
        rig.batch(6);
      },
      run: restarted,
      next: "resyncing",
      does: ["deliver 6-6"],
    },
    {
      event: "snapshotArrived",
      what: "where nothing was lost but the state is wanted",
      given: (rig) => {
        rig.sync.lossSuspected(true);
        rig.snapshot(4);
        rig.taken();
      },
      run: snapshot5,
      next: "live",
      does: ["deliver state 5", "answer ok"],
    },
    {
      event: "snapshotArrived",
      what: "older than a batch that is held",
      given: (rig) => rig.batch(9),
      run: snapshot5,
      next: "resyncing",
      does: ["answer ok", "ask"],
    },
    {
      event: "snapshotArrived",
      what: "to a query from before another loss",
      given: loss,
      run: snapshot5,
      next: "resyncing",
      does: ["ask"],
    },
    {
      event: "queryFailed",
      run: refused,
      next: "resyncing",
      does: ["retry after 250", "answer unavailable"],
    },
    {
      event: "queryFailed",
      what: "while nobody is subscribed",
      given: unused,
      run: refused,
      next: "resyncing",
      does: ["answer unavailable"],
    },
    { event: "lossSuspected", run: loss, next: "resyncing" },
    {
      event: "lossSuspected",
      what: "while a retry is armed",
      given: refused,
      run: loss,
      next: "resyncing",
      does: ["cancel retry", "ask"],
    },
    { event: "startWanted", run: wanted, next: "resyncing" },
    {
      event: "startWanted",
      what: "while a retry is armed",
      given: refused,
      run: wanted,
      next: "resyncing",
      does: ["cancel retry", "ask"],
    },
    { event: "attached", run: attached, next: "resyncing" },
    {
      event: "attached",
      what: "while a retry is armed",
      given: refused,
      run: attached,
      next: "resyncing",
    },
    {
      event: "attached",
      what: "after a query that failed for nobody",
      given: (rig) => {
        unused(rig);
        refused(rig);
      },
      run: attached,
      next: "resyncing",
      does: ["ask"],
    },
    { event: "retryDue", given: refused, run: due, next: "resyncing", does: ["ask"] },
    { event: "retryDue", what: "that was not asked for", run: due, next: "a bug" },
    { event: "closed", run: close, next: "closed", does: ["answer unavailable"] },
    {
      event: "closed",
      what: "while a retry is armed",
      given: refused,
      run: close,
      next: "closed",
      does: ["cancel retry", "answer unavailable"],
    },
  ],
  closed: [
    { event: "batchReceived", run: batch6, next: "closed" },
    { event: "snapshotArrived", run: snapshot5, next: "closed" },
    { event: "queryFailed", run: refused, next: "closed" },
    { event: "lossSuspected", run: loss, next: "closed" },
    { event: "publisherChanged", run: replaced, next: "closed" },
    { event: "startWanted", run: wanted, next: "closed", does: ["answer unavailable"] },
    { event: "attached", run: attached, next: "closed" },
    { event: "retryDue", run: due, next: "a bug" },
    { event: "closed", run: close, next: "closed" },
  ],
};

function outcomeOf(
  rig: SyncRig,
  run: (rig: SyncRig) => void,
): { next: Row["next"]; does: string[] } {
  try {
    run(rig);
  } catch (error) {
    if (!(error instanceof InvariantError)) throw error;
    return { next: "a bug", does: rig.taken() };
  }
  return { next: rig.sync.state, does: rig.taken() };
}

const STATES = Object.keys(ROWS) as SyncState[];
const EVENTS = ROWS.cold.map(({ event }) => event);

describe.each(STATES)("while %s", (state) => {
  test.each(ROWS[state].map((row) => [`${row.event} ${row.what ?? ""}`.trim(), row] as const))(
    "%s",
    (_, { given, run, next, does }) => {
      const rig = SyncRig.in(state);
      given?.(rig);
      expect(rig.sync.state).toBe(state);
      rig.taken();
      expect(outcomeOf(rig, run)).toEqual({ next, does: does ?? [] });
    },
  );

  test.each(EVENTS)("the table says of %s exactly what was seen above", (event) => {
    const rows = ROWS[state].filter((row) => row.event === event);
    const seen = new Set(rows.flatMap(({ next }) => (next === "a bug" ? [] : [next])));
    expect(rows).not.toEqual([]);
    expect([...SYNC_TABLE[state][event].next].sort()).toEqual([...seen].sort());
  });
});

test("a publisher that is followed again goes on where it was, if nothing came between", () => {
  const rig = SyncRig.in("live");
  rig.taken();
  replaced(rig);
  rig.sync.publisherChanged({ epoch: 1, isNewcomer: false });
  rig.batch(6);
  rig.snapshot(5);
  rig.snapshot(6);
  expect(rig.taken()).toEqual(["ask", "deliver 6-6", "ask", "answer ok"]);
});

test("a snapshot between two events of one batch does not fit; the next is asked for later", () => {
  const rig = SyncRig.in("live");
  outgrown(rig);
  rig.batch(11, 13);
  rig.taken();
  rig.snapshot(12);
  expect(rig.taken()).toEqual(["retry after 250", "answer unavailable"]);
});

test("a batch that has no room to wait is part of the gap and of the state behind it", () => {
  const rig = SyncRig.in("live");
  rig.taken();
  rig.batch(8, 8, 1, SYNC_LIMITS.ringBytesMax + 1);
  expect(rig.taken()).toEqual(["noticed overflow 1", "ask"]);
  rig.snapshot(8);
  expect(rig.taken()).toEqual(["noticed missing 3", "gap 6-8", "deliver state 8", "answer ok"]);
});

test("an answer lets the next failure wait as little as the first", () => {
  const rig = SyncRig.in("resyncing");
  refused(rig);
  due(rig);
  refused(rig);
  due(rig);
  rig.snapshot(5);
  loss(rig);
  rig.taken();
  refused(rig);
  expect(rig.taken()[0]).toBe("retry after 250");
});

test("batches that a start waits for are as many as the history keeps; the oldest go", () => {
  const rig = SyncRig.in("syncing");
  for (const sequence of [6, 7, 8, 9]) rig.batch(sequence);
  expect(rig.taken()).toEqual(["ask"]);
  rig.batch(10);
  expect(rig.taken()).toEqual(["noticed overflow 1"]);
  rig.snapshot(5);
  expect(rig.sync.state).toBe("syncing");
  rig.snapshot(10);
  expect(rig.sync.state).toBe("live");
  expect(rig.history.position.sequence).toBe(10);
});

test("batches that a start waited for are let go when it is here", () => {
  const rig = SyncRig.in("syncing");
  for (const sequence of [6, 7]) rig.batch(sequence);
  rig.snapshot(5);
  rig.sync.lossSuspected(true);
  rig.taken();
  for (const sequence of [8, 9, 10, 11]) rig.batch(sequence);
  expect(rig.taken()).toEqual([]);
  rig.batch(12);
  expect(rig.taken()).toEqual(["noticed overflow 1"]);
});

test("a batch that the bus brings twice while a topic starts is delivered once", () => {
  const rig = SyncRig.in("syncing");
  for (const sequence of [6, 6, 7, 6]) rig.batch(sequence);
  rig.taken();
  rig.snapshot(5);
  expect(rig.taken()).toEqual(["deliver state 5", "deliver 6-6", "deliver 7-7", "answer ok"]);
});

test("somebody who subscribes to a topic that lost its start is given the next snapshot", () => {
  const rig = SyncRig.in("resyncing");
  rig.snapshot(5);
  outgrown(rig);
  rig.sync.attached();
  rig.taken();
  rig.snapshot(10);
  expect(rig.taken()).toEqual(["ask"]);
  rig.snapshot(10);
  expect(rig.taken()).toEqual(["deliver state 10", "answer ok"]);
});

test("what clients are told names the topic and nothing of the inside", () => {
  const answers: string[] = [];
  const actions = {
    deliver: () => {},
    reportGap: () => {},
    epochChanged: () => {},
    mayBeFollowed: () => false,
    foreign: () => {},
    ask: () => {},
    retryAfter: () => {},
    cancelRetry: () => {},
    answer: (failure: { readonly message: string } | undefined) =>
      void answers.push(failure?.message ?? "ok"),
    isOverloaded: () => false,
    isSubscribed: () => false,
    noticed: () => {},
  };
  const history = new TopicHistory(SYNC_LIMITS);
  const parts = {
    topic: "fake:A/book",
    startKind: "snapshot",
    history,
    limits: SYNC_LIMITS,
  } as const;
  const sync = new TopicSync({ ...parts, epoch: 1, random: () => 1, actions });
  sync.startWanted();
  for (const sequence of [5, 9, 13]) {
    sync.batchReceived(orderOf(sequence + 4), sharedBatch(sequence + 4));
    sync.snapshotArrived({
      position: { epoch: 1, sequence },
      batch: sharedBatch(sequence, sequence, { events: 3, isState: true }),
    });
  }
  sync.closed();
  expect(answers).toEqual([
    "the state of fake:A/book does not fit its latest events yet",
    "the gateway no longer follows fake:A/book",
  ]);
});
