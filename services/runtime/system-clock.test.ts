import { afterEach, expect, test, vi } from "vitest";
import { SystemClock } from "./system-clock.ts";

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

test("counts microseconds since 1970 in whole numbers", () => {
  const clock = new SystemClock();
  const nowUs = clock.nowUs();
  expect(Number.isSafeInteger(nowUs)).toBe(true);
  expect(Math.abs(nowUs / 1000 - Date.now())).toBeLessThan(1000);
});

test("never goes back while the wall clock runs evenly", () => {
  const clock = new SystemClock();
  let last = 0;
  for (let i = 0; i < 10_000; i++) {
    const nowUs = clock.nowUs();
    expect(nowUs).toBeGreaterThanOrEqual(last);
    last = nowUs;
  }
});

test("follows a step of the wall clock, and ignores what is no step", () => {
  vi.useFakeTimers({ toFake: ["Date", "performance"], now: 1_000_000 });
  const clock = new SystemClock();
  expect(clock.nowUs()).toBe(1_000_000_000);
  vi.setSystemTime(1_000_005);
  expect(clock.nowUs()).toBe(1_000_000_000);
  vi.setSystemTime(1_000_006);
  expect(clock.nowUs()).toBe(1_000_006_000);
  vi.setSystemTime(900_000);
  expect(clock.nowUs()).toBe(900_000_000);
});

test("a process held up between reading its two clocks is no step", () => {
  vi.useFakeTimers({ toFake: ["Date", "performance"], now: 1_000_000 });
  const clock = new SystemClock();
  const before = clock.nowUs();
  const held = vi.spyOn(performance, "now");
  // The reading of the wall clock is 50 ms old when the fine clock is read.
  held.mockReturnValueOnce(50);
  expect(clock.nowUs()).toBe(before + 50_000);
  held.mockRestore();
  expect(clock.nowUs()).toBe(before);
});

test("calls back once after the delay, unless cancelled", () => {
  vi.useFakeTimers();
  const clock = new SystemClock();
  const fired: string[] = [];
  clock.after(10, () => fired.push("kept"));
  const cancel = clock.after(10, () => fired.push("cancelled"));
  cancel();
  cancel();
  vi.advanceTimersByTime(9);
  expect(fired).toEqual([]);
  vi.advanceTimersByTime(100);
  expect(fired).toEqual(["kept"]);
});

test("waits out a delay longer than one timer can hold", () => {
  vi.useFakeTimers();
  const clock = new SystemClock();
  let fired = 0;
  clock.after(2_147_483_647 + 5, () => fired++);
  vi.advanceTimersByTime(2_147_483_647 + 4);
  expect(fired).toBe(0);
  vi.advanceTimersByTime(1);
  expect(fired).toBe(1);
});

test("says for how long the thread had nothing to do", async () => {
  const clock = new SystemClock();
  const [idleUs, startedUs] = [clock.idleUs(), clock.monotonicUs()];
  // On a busy machine a timer may be due before the thread came to rest.
  while (clock.idleUs() === idleUs) {
    await new Promise((resolve) => void setTimeout(resolve, 50));
  }
  const restedUs = clock.idleUs() - idleUs;
  expect(restedUs).toBeGreaterThan(0);
  expect(restedUs).toBeLessThanOrEqual(clock.monotonicUs() - startedUs + 1_000);
  // Whoever is busy is not idle, however long.
  const before = clock.idleUs();
  const untilUs = clock.monotonicUs() + 20_000;
  while (clock.monotonicUs() < untilUs);
  expect(clock.idleUs()).toBe(before);
});
