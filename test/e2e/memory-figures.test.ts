// What events cost in memory. The figures are the same on every machine but for a few percent, so
// that a bound a little above them shows what grew.
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";

const FLAGS = ["--expose-gc", "--max-semi-space-size=256", "--no-opt"];
const SCRIPT = join(import.meta.dirname, "../support/memory-figures.mjs");

let figures: Readonly<Record<string, number>> = {};
beforeAll(() => {
  const printed = execFileSync(process.execPath, [...FLAGS, SCRIPT], { encoding: "utf8" });
  figures = JSON.parse(printed) as Record<string, number>;
});

test.each([
  ["allocatedToEncodeATrade", "trades encoded, 16 a batch, in bytes for each", 50, 785],
  ["allocatedToDecodeATrade", "trades decoded to columns, 16 a batch, in bytes for each", 50, 455],
  ["keptOfATopicOfOneTrade", "a publisher's topic that had one trade, in bytes", 1_000, 5_000],
  [
    "keptOfATopicOfManyTrades",
    "a publisher's topic that had 2,000 trades, a batch each, in bytes",
    40_000,
    90_000,
  ],
])("%s: %s", (name, _, atLeast, atMost) => {
  // Below the first bound the measurement is broken: so little cannot be.
  expect(figures[name]).toBeGreaterThan(atLeast);
  expect(figures[name]).toBeLessThanOrEqual(atMost);
});
