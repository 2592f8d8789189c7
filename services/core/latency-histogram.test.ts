import { describe, expect, test } from "vitest";
import { latencyAt, LATENCY_SECONDS_BOUNDS, LatencyHistogram } from "./latency-histogram.ts";

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

describe("the latency below which a part of all lies", () => {
  test("is nothing where nothing was counted", () => {
    expect(latencyAt(new LatencyHistogram().counts, 0.5)).toBeUndefined();
  });

  test.each([
    [0.5, 750],
    [0.9, 950],
    [0.25, 625],
  ])("%d of ten between 0.5 and 1 ms lies evenly between them", (part, expectedUs) => {
    const histogram = new LatencyHistogram();
    for (let count = 0; count < 10; count += 1) histogram.observe(800);
    expect(latencyAt(histogram.counts, part)).toBeCloseTo(expectedUs, 6);
  });

  test("counts what is beyond all bounds as the last of them", () => {
    const histogram = new LatencyHistogram();
    histogram.observe(99e6);
    expect(latencyAt(histogram.counts, 0.5)).toBe(30e6);
    const early = new LatencyHistogram();
    early.observe(-99e6);
    expect(latencyAt(early.counts, 0.5)).toBe(-1e6);
  });

  test("finds the slow tenth behind the quick rest", () => {
    const histogram = new LatencyHistogram();
    for (let count = 0; count < 90; count += 1) histogram.observe(400);
    for (let count = 0; count < 10; count += 1) histogram.observe(90_000);
    expect(latencyAt(histogram.counts, 0.5)).toBeLessThanOrEqual(500);
    expect(latencyAt(histogram.counts, 0.99)).toBeGreaterThan(50_000);
  });
});
