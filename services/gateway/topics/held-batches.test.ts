import { describe, expect, test } from "vitest";
import { orderOf, sharedBatch } from "#test/support/shared-batches.ts";
import { HeldBatches } from "./held-batches.ts";

const LIMITS = { ringBytesMax: 100, ringBatchesMax: 3 };

function add(
  held: HeldBatches,
  first: number,
  last = first,
  options: { epoch?: number; bytes?: number } = {},
) {
  const { epoch = 1, bytes = 10 } = options;
  return held.add(orderOf(first, last, epoch), sharedBatch(first, last, { bytes }));
}

function following(held: HeldBatches, sequence: number, epoch = 1) {
  return held.following({ epoch, sequence })?.map(({ batch }) => batch.firstSequence);
}

describe("what follows a snapshot", () => {
  test("is every held batch after it", () => {
    const held = new HeldBatches(LIMITS);
    add(held, 5);
    add(held, 6, 7);
    add(held, 8);
    expect(following(held, 5)).toEqual([6, 8]);
    expect(following(held, 8)).toEqual([]);
    expect(following(held, 20)).toEqual([]);
  });

  test("is not known if a batch is missing between, and is again for a later snapshot", () => {
    const held = new HeldBatches(LIMITS);
    add(held, 6);
    add(held, 8);
    expect(following(held, 5)).toBeUndefined();
    expect(following(held, 7)).toEqual([8]);
    expect(following(held, 3)).toBeUndefined();
  });

  test("leaves out what came twice, and what an epoch before has left", () => {
    const held = new HeldBatches({ ringBytesMax: 1_000, ringBatchesMax: 9 });
    add(held, 90);
    add(held, 6, 6, { epoch: 2 });
    add(held, 7, 7, { epoch: 2 });
    add(held, 6, 6, { epoch: 2 });
    expect(following(held, 5, 2)).toEqual([6, 7]);
  });

  test("is not known if an epoch began after the snapshot", () => {
    const held = new HeldBatches(LIMITS);
    add(held, 1, 1, { epoch: 2 });
    expect(following(held, 50, 1)).toBeUndefined();
    expect(following(held, 0, 2)).toEqual([1]);
  });
});

describe("the oldest go", () => {
  test("above ringBatchesMax batches", () => {
    const held = new HeldBatches(LIMITS);
    expect([1, 2, 3, 4].map((first) => add(held, first))).toEqual([0, 0, 0, 1]);
    expect([held.batches, held.bytes]).toEqual([3, 30]);
    expect(following(held, 1)).toEqual([2, 3, 4]);
  });

  test("above ringBytesMax bytes, as many as it takes", () => {
    const held = new HeldBatches(LIMITS);
    expect([add(held, 1, 1, { bytes: 50 }), add(held, 2, 2, { bytes: 50 })]).toEqual([0, 0]);
    expect(add(held, 3, 3, { bytes: 51 })).toBe(2);
    expect(held.bytes).toBe(51);
    expect(add(held, 4, 4, { bytes: 101 })).toBe(2);
    expect([held.batches, held.bytes]).toEqual([0, 0]);
  });
});

test("nothing is left after clearing", () => {
  const held = new HeldBatches(LIMITS);
  add(held, 1);
  held.clear();
  expect([held.batches, held.bytes, following(held, 0)]).toEqual([0, 0, []]);
});
