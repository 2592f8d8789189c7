import { describe, expect, test } from "vitest";
import { ManualClock } from "../../../../test/support/manual-clock.ts";
import { RetrySchedule } from "./retry-schedule.ts";

const BACKOFF = { baseMs: 1_000, maxMs: 8_000 };

/** A schedule whose jitter the test gives, with what was due and when. */
function scheduleWith(random: () => number) {
  const clock = new ManualClock();
  const startUs = clock.nowUs();
  const asked: { readonly atMs: number; readonly topics: readonly string[] }[] = [];
  const schedule: RetrySchedule = new RetrySchedule({
    clock,
    random,
    backoff: BACKOFF,
    onDue: (topics) => asked.push({ atMs: (clock.nowUs() - startUs) / 1_000, topics }),
  });
  return { clock, asked, schedule };
}

/** 0, 1/count, 2/count... and around again. */
function evenJitter(count: number): () => number {
  let next = 0;
  return () => (next++ % count) / count;
}

const topicsOf = (count: number) =>
  Array.from({ length: count }, (_, index) => `v:S${index}/trades`);

describe("a retry schedule", () => {
  test("lets a topic wait once, however often it is refused meanwhile", () => {
    const { clock, asked, schedule } = scheduleWith(() => 0.5);
    for (let round = 0; round < 5; round++) schedule.later("v:A/trades");
    expect(clock.pending).toBe(1);
    clock.advance(10_000);
    expect(asked).toEqual([{ atMs: 550, topics: ["v:A/trades"] }]);
  });

  test("asks for topics together that are due at nearly the same time", () => {
    const { clock, asked, schedule } = scheduleWith(evenJitter(152));
    for (const topic of topicsOf(152)) schedule.later(topic);
    clock.advance(BACKOFF.baseMs);
    expect(asked.length).toBeLessThanOrEqual(6);
    expect(new Set(asked.flatMap(({ topics }) => topics)).size).toBe(152);
    expect(asked.flatMap(({ topics }) => topics)).toHaveLength(152);
  });

  test("never asks before half of a topic's wait has passed", () => {
    const { clock, asked, schedule } = scheduleWith(evenJitter(2));
    // 100 ms and 550 ms, of which half is 275 ms.
    schedule.later("v:A/trades");
    schedule.later("v:B/trades");
    clock.advance(BACKOFF.baseMs);
    expect(asked.map(({ atMs, topics }) => [atMs, ...topics])).toEqual([
      [100, "v:A/trades"],
      [550, "v:B/trades"],
    ]);
  });

  test("asks for a topic no more that was asked for otherwise, or is not wanted", () => {
    const { clock, asked, schedule } = scheduleWith(() => 0.5);
    for (const topic of ["v:A/trades", "v:B/trades", "v:C/trades"]) schedule.later(topic);
    schedule.asked("v:A/trades");
    schedule.forget("v:B/trades");
    clock.advance(10_000);
    expect(asked.flatMap(({ topics }) => topics)).toEqual(["v:C/trades"]);
    expect(clock.pending).toBe(0);
  });

  test("has no timer when nobody waits", () => {
    const { clock, schedule } = scheduleWith(() => 0.5);
    schedule.later("v:A/trades");
    schedule.later("v:B/trades");
    schedule.forget("v:A/trades");
    schedule.forget("v:B/trades");
    expect(clock.pending).toBe(0);
    schedule.later("v:C/trades");
    schedule.cancelAll();
    expect(clock.pending).toBe(0);
  });

  test("asks at once for a topic that was calm, and later for one that was not", () => {
    const { clock, asked, schedule } = scheduleWith(() => 0.5);
    schedule.soon("v:A/trades");
    schedule.soon("v:A/trades");
    clock.advance(10_000);
    expect(asked.map(({ atMs }) => atMs)).toEqual([0, 550]);
  });
});
