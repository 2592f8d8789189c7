import { describe, expect, test } from "vitest";
import { SyncRig } from "#test/support/sync-rig.ts";

const replaced = (rig: SyncRig): void => {
  rig.sync.publisherChanged({ epoch: 2, isNewcomer: false });
};
const restarted = (rig: SyncRig): void => {
  rig.sync.publisherChanged({ epoch: 2, isNewcomer: true });
};

describe("trades, whose past cannot be had again,", () => {
  const none = (sequence: number, epoch = 1) => ({
    position: { epoch, sequence },
    batch: undefined,
  });

  test("go on after a gap, which is told, as soon as the publisher says that it was one", () => {
    const rig = SyncRig.in("live", "none");
    rig.taken();
    rig.batch(8);
    rig.batch(9);
    expect(rig.taken()).toEqual(["ask"]);
    rig.sync.snapshotArrived(none(8));
    expect(rig.taken()).toEqual([
      "noticed missing 2",
      "gap 6-7",
      "deliver 8-8",
      "deliver 9-9",
      "answer ok",
    ]);
    expect(rig.sync.state).toBe("live");
    expect(rig.history.position).toEqual({ epoch: 1, sequence: 9 });
  });

  test.each([
    [100_005, "none", true],
    [100_006, "none", false],
    [8, "snapshot", false],
  ] as const)(
    "while too much comes, a batch at %d (%s) is told at once: %s",
    (at, kind, isTold) => {
      const rig = SyncRig.in("live", kind);
      rig.taken();
      rig.overloaded = true;
      rig.batch(at + 1);
      const told = [`noticed missing ${at - 5}`, `gap 6-${at}`, `deliver ${at + 1}-${at + 1}`];
      expect(rig.taken()).toEqual(isTold ? told : ["ask"]);
      expect(rig.sync.state).toBe(isTold ? "live" : "resyncing");
    },
  );

  test("are not moved by a batch that their publisher has not published", () => {
    const rig = SyncRig.in("live", "none");
    rig.taken();
    rig.batch(9_000_000_000);
    rig.batch(6);
    expect(rig.taken()).toEqual(["ask", "deliver 6-6"]);
    rig.sync.snapshotArrived(none(6));
    expect(rig.taken()).toEqual(["noticed incredible 1", "answer ok"]);
    rig.batch(7);
    expect(rig.taken()).toEqual(["deliver 7-7"]);
  });

  test("that were missed while the bus was away are told as a gap", () => {
    const rig = SyncRig.in("resyncing", "none");
    rig.batch(9);
    rig.taken();
    rig.sync.snapshotArrived(none(8));
    expect(rig.taken()).toEqual(["noticed missing 3", "gap 6-8", "deliver 9-9", "answer ok"]);
  });

  test("that came are delivered, each hole between them told, whatever the answer says", () => {
    const rig = SyncRig.in("resyncing", "none");
    for (const sequence of [6, 9, 12]) rig.batch(sequence);
    expect(rig.taken().slice(-1)).toEqual(["deliver 6-6"]);
    rig.sync.snapshotArrived(none(13));
    expect(rig.taken()).toEqual([
      "noticed missing 2",
      "gap 7-8",
      "deliver 9-9",
      "noticed missing 2",
      "gap 10-11",
      "deliver 12-12",
      "noticed missing 1",
      "gap 13-13",
      "answer ok",
    ]);
  });

  test("that came late are put in their place while the publisher is asked", () => {
    const rig = SyncRig.in("live", "none");
    rig.taken();
    for (const sequence of [8, 7, 6]) rig.batch(sequence);
    expect(rig.taken()).toEqual(["ask", "deliver 6-6"]);
    rig.sync.snapshotArrived(none(8));
    expect(rig.taken()).toEqual(["deliver 7-7", "deliver 8-8", "answer ok"]);
  });

  test("go on without an answer when there is no more room to wait for it", () => {
    const rig = SyncRig.in("live", "none");
    rig.taken();
    for (const sequence of [8, 9, 10, 11]) rig.batch(sequence);
    expect(rig.taken()).toEqual(["ask"]);
    rig.batch(12);
    expect(rig.taken()).toEqual([
      "noticed missing 2",
      "gap 6-7",
      ...[8, 9, 10, 11, 12].map((sequence) => `deliver ${sequence}-${sequence}`),
      "noticed trimmed 1",
    ]);
  });

  test("do not begin before the first answer, however many wait for it", () => {
    const rig = SyncRig.in("syncing", "none");
    for (const sequence of [7, 8, 9]) rig.batch(sequence);
    rig.sync.snapshotArrived({ position: { epoch: 1, sequence: 5 }, batch: undefined });
    for (const sequence of [10, 11, 12]) rig.batch(sequence);
    rig.taken();
    rig.sync.snapshotArrived({ position: { epoch: 1, sequence: 9 }, batch: undefined });
    expect([rig.sync.state, rig.history.sequence]).toEqual(["live", 12]);
    expect(rig.taken().filter((action) => action.startsWith("gap"))).toEqual([]);
  });

  test("of a publisher that begins are delivered from the first on, without waiting", () => {
    const rig = SyncRig.in("live", "none");
    rig.taken();
    restarted(rig);
    rig.batch(1, 3, 2);
    expect(rig.taken()).toEqual(["epoch 2/0", "ask", "deliver 1-3"]);
    rig.batch(6, 6, 2);
    rig.sync.snapshotArrived(none(6, 2));
    expect(rig.taken()).toEqual(["noticed missing 2", "gap 4-5", "deliver 6-6", "answer ok"]);
  });

  test("of a publisher that was there before follow from where it stands", () => {
    const rig = SyncRig.in("live", "none");
    rig.taken();
    replaced(rig);
    rig.batch(50, 51, 2);
    rig.sync.snapshotArrived(none(49, 2));
    expect(rig.taken()).toEqual(["ask", "epoch 2/49", "deliver 50-51", "answer ok"]);
  });

  test("of a publisher that was asked about meanwhile are delivered when it is followed", () => {
    const rig = SyncRig.in("live", "none");
    rig.taken();
    rig.undecided = 2;
    rig.batch(1, 2, 2);
    rig.batch(3, 3, 2);
    expect(rig.taken()).toEqual([]);
    restarted(rig);
    expect(rig.taken()).toEqual(["epoch 2/0", "ask", "deliver 1-2", "deliver 3-3"]);
  });

  test("of a publisher that was asked about and is not followed are left aside", () => {
    const rig = SyncRig.in("live", "none");
    rig.taken();
    rig.undecided = 2;
    rig.batch(1, 2, 2);
    rig.undecided = undefined;
    rig.batch(3, 3, 2);
    expect(rig.taken()).toEqual(["foreign 2", "foreign 2"]);
  });

  test("of the publisher before are left aside, wherever its epoch lies", () => {
    for (const epoch of [2, Number.MAX_SAFE_INTEGER]) {
      const rig = SyncRig.in("live", "none");
      rig.sync.publisherChanged({ epoch, isNewcomer: true });
      rig.taken();
      rig.batch(6);
      expect(rig.taken()).toEqual(["foreign 1"]);
    }
  });
});
