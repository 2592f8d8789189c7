import { expect, test } from "vitest";
import { ManualClock } from "./manual-clock.ts";

test("timers run in order of time, then of creation, each at its own time", () => {
  const clock = new ManualClock(0);
  const log: string[] = [];
  const note = (name: string) => (): void => void log.push(`${name} ${clock.nowUs()}`);
  clock.after(2, note("b"));
  clock.after(1, note("a"));
  clock.after(2, note("c"));
  clock.after(3, note("late"));
  const cancel = clock.after(2, note("cancelled"));
  cancel();
  cancel();
  clock.advance(2.5);
  expect(log).toEqual(["a 1000", "b 2000", "c 2000"]);
  expect([clock.nowUs(), clock.pending, clock.nextUs]).toEqual([2_500, 1, 3_000]);
});

test("timers set by timers run in the same advance if they come due", () => {
  const clock = new ManualClock(0);
  let ticks = 0;
  const tick = (): void => {
    ticks++;
    clock.after(10, tick);
  };
  clock.after(10, tick);
  clock.advance(99.999);
  expect(ticks).toBe(9);
  clock.advance(0.001);
  expect(ticks).toBe(10);
});

test("time never goes back", () => {
  const clock = new ManualClock(1_000);
  clock.advanceTo(500);
  expect(clock.nowUs()).toBe(1_000);
});
