import { expect, test } from "vitest";
import { MarketStatistics, MINUTES_MAX } from "./market-statistics.ts";

const MINUTE_US = 60_000_000;
const START_US = 28_333_333 * MINUTE_US;

test("a minute's candle is made of its trades and closes once", () => {
  const statistics = new MarketStatistics();
  expect(statistics.day(START_US)).toBeUndefined();
  statistics.onTrade(START_US + 5, 100, 3);
  statistics.onTrade(START_US + 6, 90, 2);
  statistics.onTrade(START_US + 7, 120, 1);
  statistics.onTrade(START_US + 8, 110, 4);
  expect(statistics.closeMinute(START_US + MINUTE_US - 1)).toBeUndefined();
  expect(statistics.closeMinute(START_US + MINUTE_US)).toEqual({
    openTimeUs: START_US,
    openTicks: 100,
    highTicks: 120,
    lowTicks: 90,
    closeTicks: 110,
    volumeLots: 10n,
    turnover: 1040n,
    tradeCount: 4,
  });
  expect(statistics.closeMinute(START_US + 2 * MINUTE_US)).toBeUndefined();
  expect(statistics.current).toBeUndefined();
});

test("statistics cover the last 24 hours and no more", () => {
  const statistics = new MarketStatistics();
  statistics.onTrade(START_US, 500, 1);
  statistics.closeMinute(START_US + MINUTE_US);
  const secondUs = START_US + MINUTE_US;
  statistics.onTrade(secondUs, 100, 2);
  statistics.closeMinute(secondUs + MINUTE_US);
  const lastUs = START_US + MINUTES_MAX * MINUTE_US;
  statistics.onTrade(lastUs, 200, 3);
  const whole = { openTicks: 500, highTicks: 500, volumeLots: 6n, turnover: 1300n };
  expect(statistics.day(lastUs)).toMatchObject({ ...whole, lastTicks: 200, lastLots: 3 });
  const later = { openTicks: 100, highTicks: 200, lowTicks: 100, volumeLots: 5n, turnover: 800n };
  expect(statistics.day(lastUs + 1)).toMatchObject(later);
});
