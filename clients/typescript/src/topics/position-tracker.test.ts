import { describe, expect, test } from "vitest";
import { PositionTracker, type BatchPosition } from "./position-tracker.ts";

const batch = (firstSequence: number, more: Partial<BatchPosition> = {}): BatchPosition => ({
  epoch: 1,
  firstSequence,
  count: 1,
  skipped: 0,
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
    [12, "loss"],
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
    [9, "next"],
    [10, "next"],
    [8, "loss"],
  ])("a batch of 20 that merged %i events away after 10 is %s", (skipped, expected) => {
    expect(startedAt(10).observe(batch(20, { skipped }))).toBe(expected);
  });

  test("a loss says up to where, and moves the position behind its batch", () => {
    const tracker = startedAt(10);
    expect(tracker.observe(batch(20, { skipped: 4, count: 2 }))).toBe("loss");
    expect([tracker.lostTo, tracker.skip]).toEqual([15, 0]);
    expect(tracker.position).toEqual({ epoch: 1, sequence: 21 });
  });

  test("a duplicate does not move the position", () => {
    const tracker = startedAt(10);
    tracker.observe(batch(3));
    expect(tracker.position).toEqual({ epoch: 1, sequence: 10 });
  });

  test("known events that were merged away are not skipped twice", () => {
    const tracker = startedAt(10);
    expect(tracker.observe(batch(9, { skipped: 3, count: 4 }))).toBe("next");
    expect([tracker.skip, tracker.sequence]).toEqual([2, 12]);
  });

  test("a snapshot is the state at its first sequence, however many rows it has", () => {
    const tracker = startedAt(10);
    expect(tracker.observe(batch(30, { snapshot: true, count: 4 }))).toBe("state");
    expect(tracker.sequence).toBe(30);
    expect(tracker.observe(batch(29, { snapshot: true }))).toBe("duplicate");
    expect(tracker.observe(batch(1, { snapshot: true, epoch: 2 }))).toBe("state");
    expect(tracker.position).toEqual({ epoch: 2, sequence: 1 });
  });

  test.each([1, 11])("a new epoch starts anew, at its event %i too", (first) => {
    const tracker = startedAt(10);
    expect(tracker.observe(batch(first, { epoch: 2 }))).toBe("restart");
    expect(tracker.position).toEqual({ epoch: 2, sequence: first });
  });

  test("announced sequences are no new loss, others are", () => {
    const told = startedAt(10);
    told.announceMissing(11, 14);
    told.announceMissing(15, 19);
    expect(told.observe(batch(20))).toBe("next");
    expect(told.observe(batch(22))).toBe("loss");
    const short = startedAt(10);
    short.announceMissing(11, 18);
    expect(short.observe(batch(20))).toBe("loss");
    const late = startedAt(10);
    late.announceMissing(12, 19);
    expect(late.observe(batch(20))).toBe("loss");
  });

  test("without a position the first batch sets it", () => {
    const tracker = new PositionTracker();
    expect(tracker.position).toBeUndefined();
    expect(tracker.observe(batch(5, { count: 2 }))).toBe("next");
    expect(tracker.position).toEqual({ epoch: 1, sequence: 6 });
  });
});
