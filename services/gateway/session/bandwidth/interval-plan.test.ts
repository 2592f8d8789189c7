import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { VIEW_INTERVALS_MS } from "../../topics/view-options.ts";
import { narrowerIntervals, widerIntervals } from "./interval-plan.ts";
import type { IntervalChange, TopicRate } from "./interval-plan.ts";

function rate(bytesPerSecond: number, of: Partial<TopicRate> = {}): TopicRate {
  return { bytesPerSecond, intervalMs: 0, askedMs: 0, intervalMsMax: 10_000, ...of };
}

/** `place: interval` of each topic that changes. */
function text(changes: readonly IntervalChange[]): string[] {
  return changes.map(({ index, intervalMs }) => `${index}: ${intervalMs}`);
}

describe("with too much", () => {
  test("what comes to the bound and no more stays as it is, one byte more does not", () => {
    expect(widerIntervals([rate(600), rate(400)], 1_000)).toEqual([]);
    expect(widerIntervals([rate(601), rate(400)], 1_000)).not.toEqual([]);
  });

  test("the largest are sent less often, those below the level not", () => {
    const rates = [rate(100), rate(3_000), rate(200), rate(2_000), rate(2_000)];
    // 3,000 of 10,000 go to the small; 900 - 300 are left for three.
    expect(text(widerIntervals(rates, 1_000))).toEqual(["1: 100", "3: 100", "4: 100"]);
  });

  test("the more a topic is above the level, the longer its interval, four times at most", () => {
    const at = { intervalMs: 100 };
    const rates = [rate(1_000, at), rate(2_400, at), rate(9_000, at)];
    expect(text(widerIntervals(rates, 3_000))).toEqual(["0: 250", "1: 500", "2: 500"]);
  });

  test("nothing goes beyond the longest interval that does any good", () => {
    const rates = [rate(900, { intervalMs: 500, intervalMsMax: 1_000 }), rate(900)];
    expect(text(widerIntervals(rates, 100))).toEqual(["0: 1000", "1: 100"]);
    const all = [rate(900, { intervalMs: 1_000, intervalMsMax: 1_000 })];
    expect(widerIntervals(all, 100)).toEqual([]);
  });

  test("what cannot be helped is paid for by the others", () => {
    const rates = [rate(900, { intervalMs: 1_000, intervalMsMax: 1_000 }), rate(200), rate(10)];
    expect(text(widerIntervals(rates, 1_000))).toEqual(["1: 100", "2: 100"]);
  });
});

describe("with room", () => {
  const slowed = (bytesPerSecond: number, intervalMs: number, askedMs = 0) =>
    rate(bytesPerSecond, { intervalMs, askedMs });

  test("each slowed topic takes a step towards what was asked for, and not beyond", () => {
    expect(text(narrowerIntervals([slowed(10, 500), slowed(10, 500, 500)], 1_000))).toEqual([
      "0: 250",
    ]);
    expect(text(narrowerIntervals([slowed(10, 500, 400)], 1_000))).toEqual(["0: 400"]);
    expect(text(narrowerIntervals([slowed(10, 50)], 1_000))).toEqual(["0: 0"]);
  });

  test("the cheapest come first, as long as three quarters of the bound are enough", () => {
    const rates = [slowed(300, 100), slowed(100, 100), slowed(200, 100)];
    // 600 now; each doubles: 700, 900.
    expect(text(narrowerIntervals(rates, 1_000))).toEqual(["1: 50"]);
    expect(text(narrowerIntervals(rates, 1_200))).toEqual(["1: 50", "2: 50"]);
    expect(text(narrowerIntervals(rates, 900))).toEqual([]);
  });
});

const RATES = fc.array(
  fc.record({
    bytesPerSecond: fc.integer({ min: 0, max: 100_000 }),
    intervalMs: fc.constantFrom(0, ...VIEW_INTERVALS_MS),
    intervalMsMax: fc.constantFrom(1_000, 10_000),
    askedMs: fc.constantFrom(0, 100, 1_000),
  }),
  { maxLength: 12 },
);

test("whatever the rates, intervals stay within what is asked for, offered and of use", () => {
  fc.assert(
    fc.property(RATES, fc.integer({ min: 1, max: 200_000 }), (given, bound) => {
      const rates = given.map((each) => {
        const intervalMs = Math.max(each.askedMs, each.intervalMs);
        return { ...each, intervalMs, intervalMsMax: Math.max(each.intervalMsMax, each.askedMs) };
      });
      for (const { index, intervalMs } of widerIntervals(rates, bound)) {
        const before = rates[index]!;
        expect(intervalMs).toBeGreaterThan(before.intervalMs);
        expect(intervalMs).toBeLessThanOrEqual(before.intervalMsMax);
        expect(VIEW_INTERVALS_MS).toContain(intervalMs);
      }
      for (const { index, intervalMs } of narrowerIntervals(rates, bound)) {
        const before = rates[index]!;
        expect(intervalMs).toBeLessThan(before.intervalMs);
        expect(intervalMs).toBeGreaterThanOrEqual(before.askedMs);
      }
    }),
  );
});
