// How the suite measures: candidates alternate within each round, so that what the machine does
// besides meets all of them alike, and CPU time is counted, so that waiting costs nobody anything.
import { cpus, loadavg } from "node:os";

/** CPU nanoseconds of this process, of all its threads, so far. */
export function cpuNs() {
  const { user, system } = process.cpuUsage();
  return (user + system) * 1_000;
}

function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * Runs each candidate once a round, in turns that start with another one each round, and leaves out
 * the first round, in which code is compiled. A candidate does its work and returns how many units
 * it did; it may return a promise. One that is not to be measured whole returns its units with
 * the CPU time in `ns` that they took.
 *
 * @param {Record<string, () => unknown>} candidates
 * @returns CPU nanoseconds for a unit, by candidate, one number a round.
 */
export async function alternate(candidates, { rounds }) {
  const names = Object.keys(candidates);
  const samples = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round <= rounds; round += 1) {
    for (let place = 0; place < names.length; place += 1) {
      const name = names[(place + round) % names.length];
      globalThis.gc?.();
      const before = cpuNs();
      const done = await candidates[name]();
      const { units, ns = cpuNs() - before } = typeof done === "number" ? { units: done } : done;
      const perUnit = ns / units;
      if (round > 0) samples[name].push(perUnit);
    }
  }
  return samples;
}

/**
 * One line of a result: what was measured, in which unit, and its value in each round. With a
 * reference, the ratio of each round to that of the reference is what counts.
 */
export function row(measure, candidate, unit, samples, { reference, target } = {}) {
  const summary = { min: Math.min(...samples), median: median(samples), max: Math.max(...samples) };
  const ratio =
    reference === undefined
      ? undefined
      : median(samples.map((value, index) => value / (reference[index] ?? Number.NaN)));
  return { measure, candidate, unit, ...summary, ratio, target, rounds: samples.length };
}

/** What the figures were measured on. */
export function machine() {
  return {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    loadAtStart: Number(loadavg()[0]?.toFixed(2)),
    node: process.version,
    v8: process.versions.v8,
    platform: `${process.platform} ${process.arch}`,
  };
}
