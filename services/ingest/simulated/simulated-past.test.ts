import { expect, test } from "vitest";
import { DAY_US, mergeMinutes, SimulatedPast } from "./simulated-past.ts";

const END_US = 1_700_000_040_000_000;
const MINUTE_US = 60_000_000;

function pastOf(seed = 1): SimulatedPast {
  return new SimulatedPast({
    seed,
    endUs: END_US,
    endTicks: 9_500_000,
    days: 3,
    volatilityBps: 0.9,
    orderLots: 4_000,
    tradesPerMinute: 60,
  });
}

/** All days, oldest first. */
function minutesOf(past: SimulatedPast): ReturnType<SimulatedPast["minutesOfDay"]> {
  return [2, 1, 0].flatMap((day) => past.minutesOfDay(day));
}

test("it ends when and where the market opened, and has no seam between days", () => {
  const minutes = minutesOf(pastOf());
  expect(minutes).toHaveLength(3 * 1_440);
  expect(minutes[0]?.openTimeUs).toBe(END_US - 3 * DAY_US);
  expect(minutes.at(-1)?.openTimeUs).toBe(END_US - MINUTE_US);
  expect(minutes.at(-1)?.closeTicks).toBe(9_500_000);
  for (const [index, minute] of minutes.entries()) {
    const before = minutes[index - 1] ?? minute;
    expect(minute.openTimeUs - before.openTimeUs).toBe(index === 0 ? 0 : MINUTE_US);
    expect(minute.openTicks).toBe(index === 0 ? minute.openTicks : before.closeTicks);
  }
});

test("each candle is one that trades could have made", () => {
  for (const minute of minutesOf(pastOf())) {
    const { openTicks, highTicks, lowTicks, closeTicks, volumeLots, tradeCount } = minute;
    expect(lowTicks).toBeLessThanOrEqual(Math.min(openTicks, closeTicks));
    expect(highTicks).toBeGreaterThanOrEqual(Math.max(openTicks, closeTicks));
    expect(lowTicks).toBeGreaterThan(0);
    expect(tradeCount).toBeGreaterThan(0);
    expect(volumeLots >= BigInt(tradeCount)).toBe(true);
    expect(minute.turnover >= volumeLots * BigInt(lowTicks)).toBe(true);
    expect(minute.turnover <= volumeLots * BigInt(highTicks)).toBe(true);
  }
});

test("a day that is asked for again is the same, and one that never was is empty", () => {
  expect(pastOf().minutesOfDay(1)).toEqual(pastOf().minutesOfDay(1));
  expect(pastOf().minutesOfDay(1)).not.toEqual(pastOf(2).minutesOfDay(1));
  expect(pastOf().minutesOfDay(3)).toEqual([]);
  expect(pastOf().minutesOfDay(-1)).toEqual([]);
});

test("longer candles hold exactly their minutes", () => {
  const minutes = minutesOf(pastOf());
  const hours = mergeMinutes(minutes, 60 * MINUTE_US);
  const sum = (list: typeof minutes) => list.reduce((total, each) => total + each.volumeLots, 0n);
  expect(sum(hours)).toBe(sum(minutes));
  for (const hour of hours) {
    const own = minutes.filter(
      ({ openTimeUs: at }) => at >= hour.openTimeUs && at < hour.openTimeUs + 60 * MINUTE_US,
    );
    expect(hour).toMatchObject({
      openTicks: own[0]?.openTicks,
      closeTicks: own.at(-1)?.closeTicks,
      highTicks: Math.max(...own.map((each) => each.highTicks)),
      lowTicks: Math.min(...own.map((each) => each.lowTicks)),
      tradeCount: own.reduce((total, each) => total + each.tradeCount, 0),
    });
  }
});
