import { describe, expect, test } from "vitest";
import { VENUE_TIME_AHEAD_US_MAX, VENUE_TIME_US_MIN, VenueClock } from "./venue-clock.ts";

const NOW_US = 1_790_000_000_000_000;
const HOUR_US = 3_600_000_000;

function start() {
  const states: string[] = [];
  const clock = new VenueClock((state, offsetUs) => states.push(`${state} ${offsetUs / 1e6} s`));
  /** So many events in turn, whose times are this far from ours. */
  const take = (count: number, offsetUs: number): boolean[] =>
    Array.from({ length: count }, () => clock.judge(NOW_US + offsetUs, NOW_US, true));
  return { clock, states, take };
}

describe("a time", () => {
  test.each([
    [NOW_US, true],
    [NOW_US + VENUE_TIME_AHEAD_US_MAX, true],
    [NOW_US + VENUE_TIME_AHEAD_US_MAX + 1, false],
    [VENUE_TIME_US_MIN, true],
    [VENUE_TIME_US_MIN - 1, false],
    [0, false],
    [-62_135_596_800_000_000, false],
    [Number.NaN, false],
  ])("of %d is sane where the venue's clock is ours: %s", (venueTimeUs, sane) => {
    const { clock, take } = start();
    take(3, 0);
    expect(clock.judge(venueTimeUs, NOW_US, true)).toBe(sane);
  });

  test("is right from the first event on, however far our clock is behind", () => {
    const { take } = start();
    expect(take(40, 2 * HOUR_US)).not.toContain(false);
  });

  test("of history is judged, and says nothing of the venue's clock", () => {
    const { clock, take } = start();
    for (let index = 0; index < 16; index += 1) {
      expect(clock.judge(NOW_US - 24 * HOUR_US, NOW_US, false)).toBe(true);
    }
    expect(clock.offsetUs).toBeUndefined();
    expect(take(1, 2 * HOUR_US)).toEqual([true]);
    expect(clock.judge(NOW_US + 2 * HOUR_US, NOW_US, false)).toBe(true);
    expect(clock.judge(NOW_US + 4 * HOUR_US, NOW_US, false)).toBe(false);
  });

  test("that is damaged stands out from the others, seven of sixteen at most", () => {
    const { take } = start();
    take(16, -50_000);
    expect(take(7, 30 * HOUR_US)).not.toContain(true);
  });

  test("that is right is lost for seven events after our clock has stepped back", () => {
    const { take } = start();
    take(16, -50_000);
    const judged = take(16, 2 * HOUR_US);
    expect(judged.indexOf(true)).toBe(7);
    expect(judged.slice(7)).not.toContain(false);
  });
});

describe("our clock", () => {
  test.each([
    [0, []],
    [1_000_000, []],
    [1_000_001, ["behind 1.000001 s"]],
    [2 * HOUR_US, ["behind 7200 s"]],
    [-60_000_000, []],
    [-60_000_001, ["ahead -60.000001 s"]],
  ])("is told if the venue's is %d us ahead of it", (offsetUs, told) => {
    const { clock, states, take } = start();
    take(48, offsetUs);
    expect(states).toEqual(told);
    expect(clock.offsetUs).toBe(offsetUs);
  });

  test("is told to be right again, and not for a few events that are late", () => {
    const { states, take } = start();
    take(16, 5_000_000);
    take(16, -1_000);
    take(7, -HOUR_US);
    take(9, -1_000);
    expect(states).toEqual(["behind 5 s", "right -0.001 s"]);
  });
});
