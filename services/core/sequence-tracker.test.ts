import { describe, expect, test } from "vitest";
import { createPrng } from "#test/support/prng.ts";
import { SequenceTracker } from "./sequence-tracker.ts";

const batch = (epoch: number, firstSequence: number, count = 1) => ({
  epoch,
  firstSequence,
  count,
});

describe("SequenceTracker", () => {
  test("takes the first batch as it comes, then wants the next sequence", () => {
    const tracker = new SequenceTracker();
    expect(tracker.observe(batch(7, 41, 2))).toBe("in-order");
    expect([tracker.epoch, tracker.sequence]).toEqual([7, 42]);
    expect(tracker.observe(batch(7, 43, 3))).toBe("in-order");
    expect(tracker.sequence).toBe(45);
  });

  test("reports a loss once, with its size", () => {
    const tracker = new SequenceTracker();
    tracker.observe(batch(1, 1, 10));
    expect(tracker.observe(batch(1, 14))).toBe("gap");
    expect(tracker.missed).toBe(3);
    expect(tracker.observe(batch(1, 15))).toBe("in-order");
    expect(tracker.missed).toBe(0);
  });

  test("what was seen is a duplicate, what was partly seen says how much", () => {
    const tracker = new SequenceTracker();
    tracker.observe(batch(1, 1, 10));
    expect(tracker.observe(batch(1, 10))).toBe("duplicate");
    expect(tracker.observe(batch(1, 1, 10))).toBe("duplicate");
    expect(tracker.observe(batch(1, 9, 3))).toBe("in-order");
    expect(tracker.covered).toBe(2);
    expect(tracker.sequence).toBe(11);
    expect(tracker.observe(batch(1, 12))).toBe("in-order");
    expect(tracker.covered).toBe(0);
  });

  test("a new epoch is a gap of unknown size, an old one is stale and changes nothing", () => {
    const tracker = new SequenceTracker();
    tracker.observe(batch(5, 100));
    expect(tracker.observe(batch(6, 1))).toBe("gap");
    expect([tracker.missed, tracker.epoch, tracker.sequence]).toEqual([0, 6, 1]);
    expect(tracker.observe(batch(5, 101))).toBe("stale-epoch");
    expect(tracker.observe(batch(6, 2))).toBe("in-order");
  });

  test("a snapshot's position is where it continues", () => {
    const tracker = new SequenceTracker();
    tracker.reset({ epoch: 3, sequence: 0 });
    expect(tracker.observe(batch(3, 2))).toBe("gap");
    expect(tracker.missed).toBe(1);
    tracker.reset({ epoch: 3, sequence: 10 });
    expect(tracker.observe(batch(3, 10))).toBe("duplicate");
    expect(tracker.observe(batch(3, 11))).toBe("in-order");
  });

  test("missed and seen add up to everything, whatever is dropped and repeated", () => {
    const random = createPrng(1);
    const tracker = new SequenceTracker();
    const seen = new Set<number>();
    let missed = 0;
    let first = 1;
    tracker.reset({ epoch: 1, sequence: 0 });
    for (let round = 0; round < 2_000; round++) {
      const count = 1 + random.below(5);
      const dropped = random.chance(0.2) && round < 1_999;
      const range = batch(1, first, count);
      first += count;
      if (dropped) continue;
      tracker.observe(range);
      missed += tracker.missed;
      for (let at = tracker.covered; at < count; at++) seen.add(range.firstSequence + at);
      expect(random.chance(0.2) ? tracker.observe(range) : "duplicate").toBe("duplicate");
    }
    expect(missed + seen.size).toBe(first - 1);
  });
});
