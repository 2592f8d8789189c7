import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { describedMetrics, everyMetric, metricsDocument } from "./metrics-document.ts";

test("docs/metrics.md lists every metric as it is; vitest -u writes it anew", async () => {
  const path = join(import.meta.dirname, "../../../docs/metrics.md");
  await expect(metricsDocument()).toMatchFileSnapshot(path);
});

describe("metrics", () => {
  const metrics = describedMetrics(everyMetric());
  const own = metrics.filter(({ name }) => name.startsWith("tickwire_"));

  test("say what they are, in a sentence", () => {
    expect(own.length).toBeGreaterThan(60);
    expect(own.filter(({ help }) => !/^[A-Z1].+\.$/.test(help)).map(({ name }) => name)).toEqual(
      [],
    );
  });

  test("of time and size have their unit in the name, and counters end in _total", () => {
    const histograms = own.filter(({ type }) => type === "histogram");
    expect(histograms.filter(({ name }) => !/_(seconds|bytes)$/.test(name))).toEqual([]);
    const counters = own.filter(({ type }) => type === "counter");
    expect(counters.filter(({ name }) => !name.endsWith("_total"))).toEqual([]);
    const gauges = own.filter(({ type }) => type === "gauge");
    expect(gauges.filter(({ name }) => name.endsWith("_total"))).toEqual([]);
  });

  test("are in the document, each once", () => {
    const text = metricsDocument();
    for (const { name } of own) expect(text.split(`| \`${name}\` `)).toHaveLength(2);
  });
});
