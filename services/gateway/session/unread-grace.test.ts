import { expect, test } from "vitest";
import { ManualClock } from "#test/support/manual-clock.ts";
import { afterReading } from "./unread-grace.ts";

test.each([0, 1, 249, 250, 251, 10_000])("comes after %d ms, and not before", (delayMs) => {
  const clock = new ManualClock();
  let calls = 0;
  afterReading(clock, delayMs, () => void (calls += 1));
  if (delayMs > 0) clock.advance(delayMs - 1);
  expect(calls).toBe(0);
  clock.advance(1);
  expect([calls, clock.pending]).toEqual([1, 0]);
});

test.each([0, 100, 9_900])("is cancelled after %d ms", (atMs) => {
  const clock = new ManualClock();
  const cancel = afterReading(clock, 10_000, () => expect.unreachable());
  clock.advance(atMs);
  cancel();
  expect(clock.pending).toBe(0);
});

test("of a process that stood still, sockets come before it", () => {
  // Timers that are due run first when the process goes on, and each timer counts from then.
  const due: (() => void)[] = [];
  const clock = {
    nowUs: () => 0,
    monotonicUs: () => 0,
    after: (_delayMs: number, callback: () => void) => {
      due.push(callback);
      return () => void due.splice(due.indexOf(callback), 1);
    },
  };
  let calls = 0;
  const cancel = afterReading(clock, 10_000, () => void (calls += 1));
  for (const timer of due.splice(0)) timer();
  // The socket is read in the same turn, and has what was waited for.
  cancel();
  for (const timer of due.splice(0)) timer();
  expect(calls).toBe(0);
});
