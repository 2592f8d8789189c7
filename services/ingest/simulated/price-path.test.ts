import { expect, test } from "vitest";
import { PricePath, PULSE_US, PULSES_MAX, REGIMES, type RegimeName } from "./price-path.ts";
import { SeededRandom } from "./seeded-random.ts";

const START_US = 1_700_000_040_000_000;
const START_TICKS = 1_000_000;
const HOUR_PULSES = 36_000;

function createPath(seed: number, options: { leader?: PricePath; volatilityBps?: number } = {}) {
  return new PricePath({
    random: new SeededRandom(seed),
    startTicks: START_TICKS,
    volatilityBps: options.volatilityBps ?? 1,
    leader: options.leader,
  });
}

/** The price after each pulse. */
function walk(path: PricePath, pulses: number, visit: (path: PricePath) => void = () => {}) {
  return Array.from({ length: pulses }, (_, pulse) => {
    path.advance(START_US + pulse * PULSE_US);
    visit(path);
    return path.fairTicks;
  });
}

test("the same seed gives the same path, however often it is asked for", () => {
  const [often, once, other] = [createPath(1), createPath(1), createPath(2)];
  for (const path of [often, once, other]) path.advance(START_US);
  for (let timeUs = START_US; timeUs <= START_US + 20 * PULSE_US; timeUs += 7_000) {
    often.advance(timeUs);
  }
  for (const path of [often, once, other]) path.advance(START_US + 20 * PULSE_US);
  expect(once.fairTicks).toBe(often.fairTicks);
  expect(other.fairTicks).not.toBe(often.fairTicks);
});

test.each([1, 2, 3])("an hour has each regime and moves like a market (seed %i)", (seed) => {
  const seen = new Map<RegimeName, number>();
  let activity = 0;
  const prices = walk(createPath(seed), HOUR_PULSES, (path) => {
    seen.set(path.regime, (seen.get(path.regime) ?? 0) + 1);
    activity += path.activity;
  });
  expect([...seen.keys()].toSorted()).toEqual(Object.keys(REGIMES).toSorted());
  const range = (Math.max(...prices) - Math.min(...prices)) / START_TICKS;
  // One basis point a second is 0.6 % in an hour for a plain random walk.
  expect(range).toBeGreaterThan(0.003);
  expect(range).toBeLessThan(0.1);
  expect(activity / HOUR_PULSES).toBeGreaterThan(0.8);
  expect(activity / HOUR_PULSES).toBeLessThan(1.5);
});

test("a volatility of 0 stands still", () => {
  expect(new Set(walk(createPath(4, { volatilityBps: 0 }), 3_000))).toEqual(new Set([START_TICKS]));
});

test("in a hundred days the price stays in sight of where it started", () => {
  const path = createPath(5, { volatilityBps: 3 });
  let [low, high] = [Infinity, 0];
  // Each advance is of the longest time that is made up for: a minute.
  for (let step = 0; step < 2_000; step += 1) {
    path.advance(START_US + step * PULSES_MAX * PULSE_US);
    low = Math.min(low, path.fairTicks);
    high = Math.max(high, path.fairTicks);
  }
  expect(low).toBeGreaterThan(START_TICKS / 4.01);
  expect(high).toBeLessThan(START_TICKS * 4.01);
});

test("a market follows its leader in part", () => {
  const leader = createPath(6);
  const follower = createPath(7, { leader });
  const alone = createPath(7);
  const returns = (prices: readonly number[]) =>
    prices.slice(10).map((price, index) => price / (prices[index] ?? 1) - 1);
  const followed = returns(walk(follower, HOUR_PULSES));
  const ofLeader = returns(walk(createPath(6), HOUR_PULSES));
  const unrelated = returns(walk(alone, HOUR_PULSES));
  expect(correlation(followed, ofLeader)).toBeGreaterThan(0.3);
  expect(correlation(followed, ofLeader)).toBeLessThan(0.98);
  expect(Math.abs(correlation(unrelated, ofLeader))).toBeLessThan(0.3);
});

test("a pause of hours is not made up for", () => {
  const path = createPath(8);
  path.advance(START_US);
  const before = path.fairTicks;
  path.advance(START_US + 10 * 3_600_000_000);
  expect(Math.abs(path.fairTicks / before - 1)).toBeLessThan(0.02);
  // It goes on from there, at once.
  const after = path.fairTicks;
  path.advance(START_US + 10 * 3_600_000_000 + PULSE_US);
  expect(path.fairTicks).not.toBe(after);
});

function correlation(left: readonly number[], right: readonly number[]): number {
  const mean = (values: readonly number[]) =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const [leftMean, rightMean] = [mean(left), mean(right)];
  const covariance = mean(
    left.map((value, i) => (value - leftMean) * ((right[i] ?? 0) - rightMean)),
  );
  const deviation = (values: readonly number[], center: number) =>
    Math.sqrt(mean(values.map((value) => (value - center) ** 2)));
  return covariance / (deviation(left, leftMean) * deviation(right, rightMean));
}
