import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { beforeEach, expect, test } from "vitest";
import { MetricSums } from "./metric-sums.ts";
import type { WorkerPlace } from "./worker-place.ts";
import type { WorkerQuestions } from "./worker-questions.ts";

class FakeWorker {
  readonly registry = new Registry();
  readonly frames = new Counter({ name: "frames_total", help: "h", registers: [this.registry] });
  readonly open = new Gauge({ name: "open", help: "h", registers: [this.registry] });
  readonly lag = new Gauge({
    name: "lag",
    help: "h",
    aggregator: "max",
    registers: [this.registry],
  });
  readonly seconds = new Histogram({
    name: "seconds",
    help: "h",
    buckets: [1],
    registers: [this.registry],
  });
}

let workers: (FakeWorker | undefined)[];
let sums: MetricSums;

beforeEach(() => {
  workers = [new FakeWorker(), new FakeWorker()];
  const places = [0, 1].map((index) => ({ index })) as unknown as WorkerPlace[];
  const ask = (place: WorkerPlace): Promise<unknown> => {
    return Promise.resolve(workers[place.index]?.registry.getMetricsAsJSON());
  };
  sums = new MetricSums(places, { ask } as unknown as WorkerQuestions);
});

async function valueOf(name: string): Promise<number> {
  const text = await sums.text();
  return Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1]);
}

test("counts and gauges are summed, but for those that say that the largest counts", async () => {
  for (const [index, worker] of workers.entries()) {
    worker?.frames.inc(10 + index);
    worker?.open.set(3);
    worker?.lag.set(index);
    worker?.seconds.observe(0.5);
  }
  expect(await valueOf("frames_total")).toBe(21);
  expect(await valueOf("open")).toBe(6);
  expect(await valueOf("lag")).toBe(1);
  expect(await valueOf("seconds_count")).toBe(2);
});

test("what is counted never falls, however often workers die or do not answer", async () => {
  let expected = 0;
  for (let life = 0; life < 5; life += 1) {
    workers[0]?.frames.inc(7);
    workers[0]?.open.set(1);
    expected += 7;
    expect(await valueOf("frames_total")).toBe(expected);
    workers[0] = undefined;
    expect(await valueOf("frames_total")).toBe(expected);
    expect(await valueOf("open")).toBe(0);
    sums.keep(0);
    expect(await valueOf("frames_total")).toBe(expected);
    workers[0] = new FakeWorker();
  }
});
