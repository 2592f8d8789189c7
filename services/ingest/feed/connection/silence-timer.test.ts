import { expect, test } from "vitest";
import { ManualClock } from "#test/support/manual-clock.ts";
import { startSilenceTimer } from "./silence-timer.ts";

function start(limitsMs: readonly number[]) {
  const clock = new ManualClock(0);
  const checkedMs: number[] = [];
  const stop = startSilenceTimer({
    clock,
    limitsMs,
    check: () => checkedMs.push(clock.nowUs() / 1000),
  });
  return { clock, checkedMs, stop };
}

test("checks four times within the shortest silence that is allowed", () => {
  const { clock, checkedMs } = start([60_000, 4_000]);
  clock.advance(4_000);
  expect(checkedMs).toEqual([1_000, 2_000, 3_000, 4_000]);
});

test("does not check in a turn that comes late: what came meanwhile is read first", () => {
  const { clock, checkedMs } = start([4_000]);
  clock.hold(10_000);
  expect(checkedMs).toEqual([]);
  clock.advance(1_000);
  expect(checkedMs).toEqual([11_000]);
});

test("never checks more often than every millisecond", () => {
  const { clock, checkedMs } = start([1]);
  clock.advance(5);
  expect(checkedMs).toEqual([1, 2, 3, 4, 5]);
});

test("does nothing where no channel is judged", () => {
  const { clock, checkedMs, stop } = start([]);
  expect(clock.pending).toBe(0);
  stop();
  expect(checkedMs).toEqual([]);
});

test("stops for good, also from within a check", () => {
  const { clock, checkedMs, stop } = start([4_000]);
  clock.advance(1_000);
  stop();
  stop();
  clock.advance(10_000);
  expect(checkedMs).toEqual([1_000]);
  expect(clock.pending).toBe(0);
  const other = new ManualClock(0);
  let checks = 0;
  const stopOther = startSilenceTimer({
    clock: other,
    limitsMs: [4_000],
    check: () => {
      checks += 1;
      stopOther();
    },
  });
  other.advance(10_000);
  expect(checks).toBe(1);
});
