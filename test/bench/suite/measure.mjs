// How the suite measures: candidates alternate within each round, so that what the machine does
// besides meets all of them alike, and CPU time is counted, so that waiting costs nobody anything.
import { cpus, loadavg } from "node:os";

/** More turns of this say more than fewer that are longer. */
let cpuNsATurn = 22_000_000;
/** Of a turn of which nothing is kept, in which code is compiled, where no more is asked for. */
let cpuNsToCompile = 80_000_000;
/** Rounds at the start of which nothing is kept. */
let roundsLeftOut = 1;
let isQuick = false;

/** For a run that shows that the suite works: its figures mean nothing. */
export function measureQuickly() {
  cpuNsATurn = 3_000_000;
  cpuNsToCompile = cpuNsATurn;
  roundsLeftOut = 0;
  isQuick = true;
}

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
 * Asks each candidate once a round for a figure that it measures itself, in turns that start with
 * another one each round. The first round is left out, in which files are read from the disk,
 * unless what is measured runs already. `nextRound` prepares a round, in time that nobody counts.
 *
 * @param {Record<string, () => unknown>} candidates
 * @returns What each candidate said, one figure a round.
 */
export async function alternateFigures(candidates, { rounds, isWarm = false, nextRound }) {
  const names = Object.keys(candidates);
  const samples = Object.fromEntries(names.map((name) => [name, []]));
  const leftOut = isWarm ? 0 : roundsLeftOut;
  for (let round = 0; round < rounds + leftOut; round += 1) {
    nextRound?.();
    for (let place = 0; place < names.length; place += 1) {
      const name = names[(place + round) % names.length];
      const figure = await candidates[name]();
      if (round >= leftOut) samples[name].push(figure);
    }
  }
  return samples;
}

/**
 * Gives each candidate a turn a round, long enough to be measured. The turns start with another
 * candidate each round, and the first round, in which code is compiled, is left out. A candidate
 * does its work and returns how many units it did; it may return a promise. One that is not to be
 * measured whole returns its units with the CPU time in `ns` that they took. `toCompileNs` is the
 * CPU time of a turn of the round that is left out.
 *
 * @typedef {number | { units: number; ns: number }} Done
 * @param {Record<string, () => Done | Promise<Done>>} candidates
 * @returns CPU nanoseconds for a unit, by candidate, one number a round.
 */
export async function alternate(candidates, { rounds, toCompileNs }) {
  const names = Object.keys(candidates);
  const samples = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round < rounds + roundsLeftOut; round += 1) {
    const compileNs = isQuick ? cpuNsToCompile : (toCompileNs ?? cpuNsToCompile);
    const turnNs = round < roundsLeftOut ? compileNs : cpuNsATurn;
    for (let place = 0; place < names.length; place += 1) {
      const name = names[(place + round) % names.length];
      globalThis.gc?.();
      const before = cpuNs();
      let units = 0;
      let spentNs = 0;
      do {
        const begunNs = cpuNs();
        const done = await candidates[name]();
        const whole = typeof done === "number";
        units += whole ? done : done.units;
        spentNs += whole ? cpuNs() - begunNs : done.ns;
      } while (cpuNs() - before < turnNs);
      const perUnit = spentNs / units;
      if (round >= roundsLeftOut) samples[name].push(perUnit);
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
  const rounds = samples.length;
  if (reference === undefined) return { measure, candidate, unit, ...summary, target, rounds };
  const ratios = samples.map((value, index) => value / (reference[index] ?? Number.NaN));
  const ratio = median(ratios);
  const ratioMin = Math.min(...ratios);
  const ratioMax = Math.max(...ratios);
  const line = { measure, candidate, unit, ...summary };
  return { ...line, ratio, ratioMin, ratioMax, target, rounds };
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
