import { expect, test } from "vitest";
import { LatencyHistogram } from "./latency-histogram.ts";
import { LatencyWindow } from "./latency-window.ts";

const SECOND_US = 1_000_000;

function observe(histogram: LatencyHistogram, latencyUs: number, times: number): void {
  for (let time = 0; time < times; time += 1) histogram.observe(latencyUs);
}

test("a window forgets what lies more than 20 s back, if it is read often", () => {
  const histogram = new LatencyHistogram();
  const window = new LatencyWindow();
  const read = (seconds: number) => window.read([histogram], seconds * SECOND_US);
  expect(read(0)).toBeUndefined();
  observe(histogram, 900_000, 100);
  expect(read(2)?.count).toBe(100);
  observe(histogram, 400, 50);
  expect(read(10)?.count).toBe(150);
  expect(read(15)).toEqual({ count: 150, p50Us: expect.any(Number), p99Us: expect.any(Number) });
  observe(histogram, 400, 30);
  const late = read(20);
  expect(late?.count).toBe(30);
  expect(late?.p99Us).toBeLessThanOrEqual(500);
  expect(read(30)).toBeUndefined();
});

test("several histograms count as one, and none says nothing", () => {
  const [one, other] = [new LatencyHistogram(), new LatencyHistogram()];
  observe(one, 400, 50);
  observe(other, 90_000, 50);
  const percentiles = new LatencyWindow().read([one, other], 0);
  expect(percentiles?.count).toBe(100);
  expect(percentiles?.p50Us).toBe(500);
  expect(percentiles?.p99Us).toBe(99_000);
  expect(new LatencyWindow().read([], 0)).toBeUndefined();
});
