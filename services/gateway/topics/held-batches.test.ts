import { describe, expect, test } from "vitest";
import { orderOf, sharedBatch } from "#test/support/shared-batches.ts";
import { HeldBatches } from "./held-batches.ts";

const LIMITS = { ringBytesMax: 100, ringBatchesMax: 3 };

function add(held: HeldBatches, first: number, last = first, bytes = 10): void {
  held.add(orderOf(first, last), sharedBatch(first, last, { bytes }));
}

function taken(held: HeldBatches): number[] {
  return held.take().map(({ batch }) => batch.firstSequence);
}

test("what was held is given away once, in the order of its sequences", () => {
  const held = new HeldBatches(LIMITS);
  for (const first of [8, 5, 6]) add(held, first);
  expect(taken(held)).toEqual([5, 6, 8]);
  expect([held.batches, held.bytes, taken(held)]).toEqual([0, 0, []]);
});

describe("there is room", () => {
  test.each([
    ["for one batch less than ringBatchesMax", [10, 10], false],
    ["for ringBatchesMax batches", [10, 10, 10], false],
    ["not for one more", [10, 10, 10, 10], true],
    ["for ringBytesMax bytes less one", [50, 49], false],
    ["for ringBytesMax bytes", [50, 50], false],
    ["not for one byte more", [50, 51], true],
  ])("%s", (_, sizes, isOverfull) => {
    const held = new HeldBatches(LIMITS);
    sizes.forEach((bytes, index) => add(held, index + 1, index + 1, bytes));
    expect(held.isOverfull).toBe(isOverfull);
  });
});

describe("the oldest go", () => {
  test("above ringBatchesMax batches", () => {
    const held = new HeldBatches(LIMITS);
    for (const first of [1, 2, 3, 4]) add(held, first);
    expect(held.trim()).toBe(1);
    expect([held.batches, held.bytes]).toEqual([3, 30]);
    expect(taken(held)).toEqual([2, 3, 4]);
  });

  test("above ringBytesMax bytes, as many as it takes", () => {
    const held = new HeldBatches(LIMITS);
    for (const [first, bytes] of [
      [1, 50],
      [2, 50],
      [3, 51],
    ] as const) {
      add(held, first, first, bytes);
    }
    expect(held.trim()).toBe(2);
    expect(held.bytes).toBe(51);
    add(held, 4, 4, 101);
    expect(held.trim()).toBe(2);
    expect([held.batches, held.bytes]).toEqual([0, 0]);
  });
});

describe("a publisher that answers less than it has sent", () => {
  test("did not send what was here before it was asked", () => {
    const held = new HeldBatches(LIMITS);
    add(held, 6, 7);
    add(held, 6, 8);
    held.queryBegins();
    add(held, 900);
    expect(held.dropIncredible(7)).toBe(1);
    expect([held.batches, held.bytes]).toEqual([2, 20]);
    expect(taken(held)).toEqual([6, 900]);
  });

  test("may have sent what came since", () => {
    const held = new HeldBatches(LIMITS);
    held.queryBegins();
    add(held, 9);
    expect(held.dropIncredible(7)).toBe(0);
  });

  test("is judged by what is left when older batches had to go", () => {
    const held = new HeldBatches(LIMITS);
    add(held, 8);
    held.queryBegins();
    for (const first of [9, 10, 11]) add(held, first);
    held.trim();
    expect(held.dropIncredible(7)).toBe(0);
    expect(taken(held)).toEqual([9, 10, 11]);
  });
});

test("nothing is left after clearing", () => {
  const held = new HeldBatches(LIMITS);
  add(held, 1);
  held.clear();
  expect([held.batches, held.bytes, taken(held)]).toEqual([0, 0, []]);
});
