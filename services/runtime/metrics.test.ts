import { expect, test } from "vitest";
import { createMetrics } from "./metrics.ts";

test("a registry has the process's metrics and says which build runs", async () => {
  const text = await createMetrics({ version: "1.2.3" }).metrics();
  expect(text).toContain("process_cpu_seconds_total");
  expect(text).toContain("nodejs_eventloop_lag_seconds");
  expect(text).toMatch(/tickwire_build_info\{version="1\.2\.3",node="[\d.]+"\} 1/);
});

test("two registries in one process do not know each other", () => {
  expect(() => {
    createMetrics({ version: "1" });
    createMetrics({ version: "2" });
  }).not.toThrow();
});
