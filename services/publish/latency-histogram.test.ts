import { expect, test } from "vitest";
import { LATENCY_SECONDS_BOUNDS, LatencyHistogram } from "./latency-histogram.ts";

test("a latency at a bound is in its bucket, above it in the next, and negative ones count", () => {
  for (const [index, bound] of LATENCY_SECONDS_BOUNDS.entries()) {
    const histogram = new LatencyHistogram();
    histogram.observe(bound * 1e6 - 1);
    histogram.observe(bound * 1e6);
    histogram.observe(bound * 1e6 + 1);
    expect([histogram.counts[index], histogram.counts[index + 1]]).toEqual([2, 1]);
    expect(histogram.sumUs).toBeCloseTo(bound * 3e6, 3);
  }
});
