// Says which figures moved between two runs of the suite beyond what the runs themselves vary by.
import { figure } from "./table.mjs";

const keyOf = ({ measure, candidate, unit }) => `${measure} | ${candidate} | ${unit}`;

const measureOf = ({ measure, unit }) => `${measure} | ${unit}`;

/** What counts: the ratio where there is one, because absolute figures differ by machine. */
const valueOf = ({ ratio, median }) => ratio ?? median;

/** What few rounds may hide of how far they lie apart, where they differ at all. */
const SPREAD_MIN = 0.05;

/** How far the rounds of a row lie from their median, as a part of it. */
function spreadOf(row) {
  const value = valueOf(row);
  if (value === 0) return 0;
  const { ratio, ratioMin = ratio, ratioMax = ratio } = row;
  const [min, max] = ratio === undefined ? [row.min, row.max] : [ratioMin, ratioMax];
  const spread = Math.max(value - min, max - value) / value;
  return row.min === row.max ? spread : Math.max(SPREAD_MIN, spread);
}

/**
 * By what is measured, how far the same candidate once more was from itself: what a run says of
 * its own noise, which rounds that are few may not show.
 */
function noiseOf({ rows }) {
  const noise = new Map();
  for (const { measure, candidate, ratio } of rows) {
    if (ratio === undefined || !candidate.endsWith("again")) continue;
    noise.set(measure, Math.max(Math.abs(ratio - 1), noise.get(measure) ?? 0));
  }
  return noise;
}

/** Of these units more is better; of times, bytes and processor time it is less. */
const isMoreBetter = (unit) => unit.endsWith("/s") || unit.endsWith("/CPU-s");

/**
 * Rows of `now` whose value differs from that of the same row in `before` by more than both runs
 * vary, as lines of text. Rows without a ratio are compared only on the same machine, and not at
 * all if they are what others are a ratio to. A row that
 * only one of them has is told, unless `isPart` says that `now` is to have only some.
 */
export function movedRows(before, now, { isPart = false } = {}) {
  const known = new Map(before.rows.map((row) => [keyOf(row), row]));
  const noises = [noiseOf(before), noiseOf(now)];
  // What others are a ratio to is the measure of the machine, not of anything that was changed.
  const compared = new Set(now.rows.filter(({ ratio }) => ratio !== undefined).map(measureOf));
  const isReference = (row) => row.ratio === undefined && compared.has(measureOf(row));
  const sameMachine = before.machine.cpu === now.machine.cpu;
  const lines = [];
  for (const row of now.rows) {
    const key = keyOf(row);
    const old = known.get(key);
    known.delete(key);
    if (row.candidate.endsWith("again") || isReference(row)) continue;
    if (old === undefined) lines.push(`${key}: new, ${figure(valueOf(row))}`);
    if (old === undefined || (row.ratio === undefined && !sameMachine)) continue;
    const change = valueOf(row) / valueOf(old) - 1;
    const ofRuns = noises.map((noise) => noise.get(row.measure) ?? 0);
    const noise = Math.max(spreadOf(row), spreadOf(old), ...ofRuns);
    if (Math.abs(change) <= noise || Number.isNaN(change)) continue;
    const percent = `${change > 0 ? "+" : ""}${(change * 100).toFixed(0)} %`;
    const values = `${figure(valueOf(old))} -> ${figure(valueOf(row))}`;
    const verdict = change > 0 === isMoreBetter(row.unit) ? "better" : "worse";
    const limits = `noise ${(noise * 100).toFixed(0)} %`;
    lines.push(`${key}: ${values} (${percent}, ${limits}), ${verdict}`);
  }
  if (!isPart) lines.push(...[...known.keys()].map((key) => `${key}: gone`));
  return lines;
}
