import { describe, expect, test } from "vitest";
import { createPrng } from "#test/support/prng.ts";
import { orderOf, sharedBatch } from "#test/support/shared-batches.ts";
import type { SharedBatch } from "./shared-batch.ts";
import { TopicHistory } from "./topic-history.ts";

const LIMITS = { ringBytesMax: 1_000, ringBatchesMax: 10 };
function batch(first: number, last = first, bytes = 10): SharedBatch {
  return sharedBatch(first, last, { bytes });
}

function at(sequence: number, epoch = 1) {
  return { epoch, sequence };
}

function started(sequence = 5): TopicHistory {
  const history = new TopicHistory(LIMITS);
  history.reset(at(sequence), batch(sequence));
  return history;
}

const firsts = (start: { readonly batches: readonly SharedBatch[] } | undefined) =>
  start?.batches.map((entry) => entry.firstSequence);

describe("a batch", () => {
  test("that continues moves the position to its last event", () => {
    const history = started(5);
    history.append(orderOf(6, 8), batch(6, 8));
    expect(history.position).toEqual(at(8));
    expect(history.lastBatch).toMatchObject({ firstSequence: 6, lastSequence: 8 });
  });

  test("that was conflated is resumed from where it says, and not from between", () => {
    const history = started(5);
    history.append(orderOf(9, 9, 1, 5), batch(9));
    expect(firsts(history.resume(at(5)))).toEqual([9]);
    expect(firsts(history.resume(at(8)))).toEqual([9]);
    expect(history.resume(at(4))).toBeUndefined();
  });

  test.each([
    ["leaves events out", orderOf(7)],
    ["is there already", orderOf(5)],
    ["belongs to another epoch", orderOf(6, 6, 2)],
  ])("that %s is a bug of the caller", (_, wrong) => {
    const history = started(5);
    expect(() => history.append(wrong, batch(wrong.baseSequence + 1))).toThrow(
      "only the next batch",
    );
    expect(history.position).toEqual(at(5));
    expect(history.batches).toBe(0);
  });

  test("that does not end where its head says is a bug of the caller", () => {
    expect(() => started(5).append(orderOf(6, 8), batch(6, 7))).toThrow("ends where its head says");
  });

  test("that goes on after a loss is all that is left, without a snapshot", () => {
    const history = started(5);
    history.append(orderOf(6), batch(6));
    history.continueAt(orderOf(20, 22, 2), batch(20, 22));
    expect(history.position).toEqual(at(22, 2));
    expect(history.hasSnapshot).toBe(false);
    expect(history.resume(at(5))).toBeUndefined();
    expect(firsts(history.resume(at(19, 2)))).toEqual([20]);
  });
});

describe("a start", () => {
  test("is the snapshot and everything after it", () => {
    const history = started(5);
    history.append(orderOf(6), batch(6));
    history.append(orderOf(7), batch(7));
    expect(history.startFromSnapshot()?.position).toEqual(at(5));
    expect(firsts(history.startFromSnapshot())).toEqual([5, 6, 7]);
  });

  test("uses a newer snapshot from then on, while what came before can still be resumed", () => {
    const history = started(5);
    for (const sequence of [6, 7, 8]) history.append(orderOf(sequence), batch(sequence));
    expect(history.installSnapshot(at(7), batch(7, 7, 99))).toBe(true);
    expect(firsts(history.startFromSnapshot())).toEqual([7, 8]);
    expect(firsts(history.resume(at(5)))).toEqual([6, 7, 8]);
  });

  test.each([
    ["ahead of what is here", at(9)],
    ["of another epoch", at(6, 2)],
    ["inside a batch", at(7)],
    ["before what the ring holds", at(4)],
  ])("does not use a snapshot %s", (_, position) => {
    const history = started(5);
    history.append(orderOf(6), batch(6));
    history.append(orderOf(7, 8), batch(7, 8));
    expect(history.installSnapshot(position, batch(position.sequence))).toBe(false);
    expect(history.startFromSnapshot()?.position).toEqual(at(5));
  });

  test("without history is empty at the position", () => {
    const history = new TopicHistory(LIMITS);
    history.reset(at(0), undefined);
    expect(history.startFromSnapshot()).toEqual({ position: at(0), batches: [] });
    expect(history.lastBatch).toBeUndefined();
  });
});

describe("the ring", () => {
  const fill = (count: number, bytes: number) => {
    const history = started(0);
    let dropped = 0;
    for (let sequence = 1; sequence <= count; sequence += 1) {
      history.append(orderOf(sequence), batch(sequence, sequence, bytes));
      dropped += history.trim();
    }
    return { history, dropped };
  };

  test.each([
    [9, 0, true],
    [10, 0, true],
    [11, 1, false],
  ])("with %i batches has dropped %i by count", (count, dropped, complete) => {
    const { history, dropped: actual } = fill(count, 1);
    expect(actual).toBe(dropped);
    expect(history.resume(at(0)) !== undefined).toBe(complete);
    expect(history.hasSnapshot).toBe(complete);
    expect(history.batches).toBe(Math.min(count, LIMITS.ringBatchesMax));
  });

  test.each([
    [333, 0],
    [334, 1],
  ])("with 3 batches of %i bytes has dropped %i by size", (bytes, dropped) => {
    const { history, dropped: actual } = fill(3, bytes);
    expect(actual).toBe(dropped);
    expect(history.bytes).toBeLessThanOrEqual(LIMITS.ringBytesMax);
  });

  test("asks for a snapshot when more than half of it lies after the last one", () => {
    const wants = (count: number) => fill(count, 1).history.wantsSnapshot;
    expect([wants(4), wants(5), wants(6)]).toEqual([false, false, true]);
    const { history } = fill(6, 1);
    history.installSnapshot(at(3), batch(3));
    expect(history.wantsSnapshot).toBe(false);
  });

  test("counts for its snapshot what lies after it, whichever way the snapshot came", () => {
    const history = started(0);
    for (let sequence = 1; sequence <= 8; sequence += 1) {
      history.append(orderOf(sequence), batch(sequence, sequence, 100));
    }
    expect(history.wantsSnapshot).toBe(true);
    history.installSnapshot(at(3), batch(3));
    expect(history.wantsSnapshot).toBe(false);
    history.append(orderOf(9), batch(9, 9, 1));
    expect(history.wantsSnapshot).toBe(true);
    history.reset(at(9), batch(9));
    expect(history.wantsSnapshot).toBe(false);
  });

  test("resumes the same after thousands of batches as after ten", () => {
    const { history, dropped } = fill(5_000, 1);
    expect(dropped).toBe(4_990);
    expect([history.batches, history.bytes]).toEqual([10, 10]);
    expect(firsts(history.resume(at(4_998)))).toEqual([4_999, 5_000]);
    expect(firsts(history.resume(at(4_990)))).toHaveLength(10);
    expect(history.resume(at(4_989))).toBeUndefined();
    history.reset(at(7), batch(7));
    expect([history.batches, firsts(history.startFromSnapshot())]).toEqual([0, [7]]);
  });

  test("without a snapshot wants one", () => {
    const history = new TopicHistory(LIMITS);
    history.continueAt(orderOf(4), batch(4));
    expect(history.wantsSnapshot).toBe(true);
  });

  test("resumes exactly or not at all, whatever the order of events", () => {
    for (let seed = 1; seed <= 50; seed += 1) {
      const random = createPrng(seed);
      const history = started(0);
      let last = 0;
      for (let step = 0; step < 40; step += 1) {
        const count = 1 + random.below(4);
        history.append(
          orderOf(last + 1, last + count),
          batch(last + 1, last + count, random.below(200)),
        );
        last += count;
        history.trim();
        const from = random.below(last + 1);
        const resumed = history.resume(at(from));
        const sequences = resumed?.batches.flatMap(({ firstSequence, lastSequence }) =>
          Array.from({ length: lastSequence - firstSequence + 1 }, (_, at) => firstSequence + at),
        );
        const missed = Array.from({ length: last - from }, (_, index) => from + 1 + index);
        expect(sequences ?? missed).toEqual(missed);
      }
    }
  });
});

describe("older batches", () => {
  const entry = (first: number, last = first, bytes = 10) => {
    return { batch: batch(first, last, bytes), baseSequence: first - 1 };
  };

  test("that lead to what is here let clients resume from before it", () => {
    const history = started(5);
    history.append(orderOf(6), batch(6));
    expect(history.keptAfter).toBe(5);
    expect(history.prepend([entry(3, 4), entry(5)])).toBe(true);
    expect(history.keptAfter).toBe(2);
    expect([history.reaches(at(2)), history.reaches(at(3)), history.reaches(at(4))]).toEqual([
      true,
      false,
      true,
    ]);
    expect(firsts(history.resume(at(2)))).toEqual([3, 5, 6]);
    expect(firsts(history.startFromSnapshot())).toEqual([5, 6]);
    expect([history.batches, history.bytes]).toEqual([3, 30]);
  });

  test("go in front of a history that has a snapshot and nothing else", () => {
    const history = started(5);
    expect(history.prepend([entry(5)])).toBe(true);
    expect(firsts(history.resume(at(4)))).toEqual([5]);
    history.append(orderOf(6), batch(6));
    expect(firsts(history.resume(at(4)))).toEqual([5, 6]);
  });

  test("that leave a hole, or are none, change nothing", () => {
    const history = started(5);
    history.append(orderOf(6), batch(6));
    expect(history.prepend([entry(4)])).toBe(false);
    expect(history.prepend([entry(5, 6)])).toBe(false);
    expect(history.prepend([])).toBe(false);
    expect(history.batches).toBe(1);
  });

  test("are taken as far as the limits allow, all of them or none", () => {
    for (const [bytes, isTaken] of [
      [990, true],
      [991, false],
    ] as const) {
      const history = started(5);
      history.append(orderOf(6), batch(6));
      expect(history.roomBytes).toBe(990);
      expect(history.prepend([entry(5, 5, bytes)])).toBe(isTaken);
    }
    for (const [count, isTaken] of [
      [9, true],
      [10, false],
    ] as const) {
      const history = started(20);
      history.append(orderOf(21), batch(21));
      const older = Array.from({ length: count }, (_, index) => entry(21 - count + index));
      expect(history.prepend(older)).toBe(isTaken);
      expect(history.roomBytes).toBe(isTaken ? 0 : 990);
    }
  });
});
