import { describe, expect, test } from "vitest";
import { lastSequenceOf, relationOf } from "./batch-order.ts";

const HERE = { epoch: 5, sequence: 10 };

function order(firstSequence: number, count = 1, baseSequence = firstSequence - 1, epoch = 5) {
  return { epoch, baseSequence, skipped: firstSequence - 1 - baseSequence, count };
}

describe("to somebody who has everything up to 10, a batch", () => {
  test.each([
    ["of 11 is next", order(11), "next"],
    ["of 11 to 13 is next", order(11, 3), "next"],
    ["of 9 to 11 is next: one event of it is new", order(9, 3), "next"],
    ["of 8 to 10 is a duplicate", order(8, 3), "duplicate"],
    ["of 12 leaves 11 out", order(12), "gap"],
    ["of 20 that replaces what followed 10 is next", order(20, 1, 10), "next"],
    ["of 20 that replaces what followed 11 leaves 11 out", order(20, 1, 11), "gap"],
    ["of 20 that replaces what followed 4 is next", order(20, 1, 4), "next"],
    ["of an epoch above is of another publisher", order(1, 1, 0, 6), "epoch"],
    ["of an epoch below is of another publisher, too", order(11, 1, 10, 4), "epoch"],
  ] as const)("%s", (_, given, relation) => {
    expect(relationOf(HERE, given)).toBe(relation);
  });
});

test("the last sequence counts the first", () => {
  expect([lastSequenceOf(order(7)), lastSequenceOf(order(7, 4))]).toEqual([7, 10]);
});
