import { describe, expect, test } from "vitest";
import { PositionTracker, type BatchPosition } from "./position-tracker.ts";

const batch = (firstSequence: number, more: Partial<BatchPosition> = {}): BatchPosition => ({
  epoch: 1,
  firstSequence,
  count: 1,
  previousSequence: 0,
  snapshot: false,
  ...more,
});

function startedAt(sequence: number): PositionTracker {
  const tracker = new PositionTracker();
  tracker.start({ epoch: 1, sequence });
  return tracker;
}

describe("PositionTracker", () => {
  test.each([
    [9, "duplicate"],
    [10, "duplicate"],
    [11, "next"],
    [12, "gap"],
  ])("after 10, a batch of %i is %s", (first, expected) => {
    expect(startedAt(10).observe(batch(first))).toBe(expected);
  });

  test("known events at the head of a batch are to be skipped", () => {
    const tracker = startedAt(10);
    expect(tracker.observe(batch(9, { count: 5 }))).toBe("next");
    expect([tracker.skip, tracker.sequence]).toEqual([2, 13]);
    expect(tracker.observe(batch(14))).toBe("next");
    expect(tracker.skip).toBe(0);
  });

  test.each([
    [10, "next"],
    [9, "next"],
    [11, "gap"],
  ])("a merged batch of 20 that goes on from %i after 10 is %s", (previousSequence, expected) => {
    expect(startedAt(10).observe(batch(20, { previousSequence }))).toBe(expected);
  });

  test("a gap and a duplicate do not move the position", () => {
    const tracker = startedAt(10);
    tracker.observe(batch(12));
    tracker.observe(batch(3));
    expect(tracker.position).toEqual({ epoch: 1, sequence: 10 });
  });

  test("a snapshot is the state at its first sequence, however many rows it has", () => {
    const tracker = startedAt(10);
    expect(tracker.observe(batch(30, { snapshot: true, count: 4 }))).toBe("state");
    expect(tracker.sequence).toBe(30);
    expect(tracker.observe(batch(29, { snapshot: true }))).toBe("duplicate");
    expect(tracker.observe(batch(1, { snapshot: true, epoch: 2 }))).toBe("state");
    expect(tracker.position).toEqual({ epoch: 2, sequence: 1 });
  });

  test("a new epoch restarts at its first event and is a gap anywhere else", () => {
    expect(startedAt(10).observe(batch(1, { epoch: 2 }))).toBe("restart");
    expect(startedAt(10).observe(batch(11, { epoch: 2 }))).toBe("gap");
  });

  test("announced sequences are no gap, others are", () => {
    const told = startedAt(10);
    told.announceMissing(11, 14);
    told.announceMissing(15, 19);
    expect(told.observe(batch(20))).toBe("next");
    expect(told.observe(batch(22))).toBe("gap");
    const short = startedAt(10);
    short.announceMissing(11, 18);
    expect(short.observe(batch(20))).toBe("gap");
    const late = startedAt(10);
    late.announceMissing(12, 19);
    expect(late.observe(batch(20))).toBe("gap");
  });

  test("without a position the first batch sets it", () => {
    const tracker = new PositionTracker();
    expect(tracker.position).toBeUndefined();
    expect(tracker.observe(batch(5, { count: 2 }))).toBe("next");
    expect(tracker.position).toEqual({ epoch: 1, sequence: 6 });
  });
});
