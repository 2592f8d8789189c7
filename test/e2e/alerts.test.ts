// What an operator takes from infra: alerts that promtool has tried, and a dashboard, both on
// metrics and labels that there are.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { describedMetrics, everyMetric } from "#cli/output/metrics-document.ts";

const INFRA = path.join(import.meta.dirname, "../../infra");
const PROMTOOL = spawnSync("promtool", ["--version"]).status === 0;

if (!PROMTOOL) {
  process.stdout.write(
    "SKIPPED: alerts are not tried; there is no promtool (Debian: prometheus)\n",
  );
}

const read = (file: string): string => readFileSync(path.join(INFRA, file), "utf8");
const metrics = new Map(describedMetrics(everyMetric()).map((metric) => [metric.name, metric]));

/** What a query may say besides the labels of our metrics: those that Prometheus gives itself. */
const GIVEN_LABELS = ["job", "instance", "le"];

/** The problems of a query: metrics that are none, and labels that a metric has not. */
function problemsOf(query: string): string[] {
  const problems: string[] = [];
  const names = query.matchAll(/\b(?:tickwire|process|nodejs)_[a-z0-9_]+\b(?:\{([^}]*)\})?/g);
  for (const [match, selector = ""] of names) {
    const full = match.replace(/\{.*$/, "");
    const metric = metrics.get(full) ?? metrics.get(full.replace(/_(bucket|sum|count)$/, ""));
    if (metric === undefined) {
      problems.push(`there is no metric ${full}`);
      continue;
    }
    if (full.endsWith("_bucket") !== (metric.type === "histogram" && full !== metric.name)) {
      problems.push(`${full} is no series of the ${metric.type} ${metric.name}`);
    }
    const labels = [...selector.matchAll(/(\w+) *(?:=~|!~|!=|=)/g)].map(([, label = ""]) => label);
    const known = [...GIVEN_LABELS, ...(metric.labelNames ?? [])];
    for (const label of labels) {
      if (!known.includes(label)) problems.push(`${full} has no label ${label}`);
    }
  }
  return problems;
}

test.each([
  ["sum(tickwire_gateway_lost_total)", "there is no metric tickwire_gateway_lost_total"],
  ['tickwire_gateway_closes_total{venue="a"}', "tickwire_gateway_closes_total has no label venue"],
  [
    "rate(tickwire_gateway_closes_total_bucket[5m])",
    "tickwire_gateway_closes_total_bucket is no series of the counter tickwire_gateway_closes_total",
  ],
])("a query that is wrong is found: %s", (query, problem) => {
  expect(problemsOf(query)).toEqual([problem]);
});

describe("alerts", () => {
  const names = [...read("prometheus/alerts.yaml").matchAll(/- alert: (\w+)/g)].map(
    ([, name = ""]) => name,
  );
  const tried = read("prometheus/alerts.test.yaml");

  test.each(names)("%s is tried with numbers that raise it, and with some that do not", (name) => {
    expect(tried).toContain(`name: ${name} is raised\n`);
    expect(tried).toContain(`name: ${name} is not raised\n`);
  });

  test.skipIf(!PROMTOOL)("do what alerts.test.yaml says", () => {
    const args = ["test", "rules", path.join(INFRA, "prometheus/alerts.test.yaml")];
    const result = spawnSync("promtool", args, { encoding: "utf8" });
    expect(result.stdout + result.stderr).toContain("SUCCESS");
    expect(result.status).toBe(0);
  });

  test("ask for metrics and labels that there are", () => {
    const queries = read("prometheus/alerts.yaml").replaceAll(/summary: .*/g, "");
    expect(problemsOf(queries)).toEqual([]);
  });
});

describe("the dashboard", () => {
  type Panel = { title: string; type: string; targets?: { expr: string }[]; description?: string };
  const dashboard = JSON.parse(read("grafana/tickwire.json")) as {
    panels: (Panel & { gridPos: { x: number; y: number; w: number; h: number } })[];
    templating: { list: { name: string; query: string | { query: string } }[] };
  };
  const drawn = dashboard.panels.filter(({ type }) => type !== "row");

  test("asks for metrics and labels that there are, and groups by none that there is not", () => {
    const queries = drawn.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
    expect(queries.length).toBeGreaterThan(25);
    expect(queries.flatMap(problemsOf)).toEqual([]);
    const groups = queries.flatMap((query) => [...query.matchAll(/ by \(([^)]+)\)/g)]);
    const labels = new Set([...metrics.values()].flatMap(({ labelNames = [] }) => labelNames));
    for (const [, list = ""] of groups) {
      for (const label of list.split(", ")) expect([...labels, ...GIVEN_LABELS]).toContain(label);
    }
  });

  test("has the variables that its queries use", () => {
    const variables = dashboard.templating.list.map(({ name }) => name);
    const text = JSON.stringify(drawn);
    const used = [...text.matchAll(/\$\{?([a-z]\w+)/g)].map(([, name = ""]) => name);
    expect(new Set(used)).toEqual(new Set(variables));
    const asked = dashboard.templating.list.map(({ query }) => JSON.stringify(query));
    expect(asked.flatMap(problemsOf)).toEqual([]);
  });

  test("says of each panel what it shows, and lays none over another", () => {
    expect(drawn.filter(({ description }) => !description?.endsWith("."))).toEqual([]);
    const overlaps: string[] = [];
    for (const [index, { gridPos: a, title }] of dashboard.panels.entries()) {
      if (a.x + a.w > 24) overlaps.push(`${title} and the edge`);
      for (const { gridPos: b, title: other } of dashboard.panels.slice(index + 1)) {
        const apart = a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y;
        if (!apart) overlaps.push(`${title} and ${other}`);
      }
    }
    expect(overlaps).toEqual([]);
  });
});

test("documents for operators name metrics that there are", () => {
  for (const name of ["operations.md", "admin.md", "tracing.md"]) {
    const text = readFileSync(path.join(INFRA, "../docs", name), "utf8");
    const named = text.match(/\btickwire_[a-z0-9_]+/g) ?? [];
    expect(named.filter((metric) => !metrics.has(metric))).toEqual([]);
  }
});

describe("what is dropped, left out or refused", () => {
  const table = readFileSync(path.join(INFRA, "../docs/operations.md"), "utf8");
  /** Counters of events that somebody did not get: each has its line in the table for operators. */
  const counted = [...metrics.keys()].filter((name) =>
    /_(missing|skipped|undelivered|owed_at_end)_?.*events_total$|_(foreign|bad)_batches_total$/.test(
      name,
    ),
  );

  test("is named in the operators' table, by venue and channel", () => {
    expect(counted.length).toBeGreaterThan(6);
    expect(counted.filter((name) => !table.includes(`\`${name}\``))).toEqual([]);
    const without = counted.filter((name) => {
      const labels = metrics.get(name)?.labelNames ?? [];
      return !labels.includes("venue") || !labels.includes("channel");
    });
    expect(without).toEqual([]);
  });
});
