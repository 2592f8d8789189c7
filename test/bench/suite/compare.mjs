// Says which figures moved between two runs of the suite beyond what the runs themselves vary by.
import { figure } from "./table.mjs";

const keyOf = ({ measure, candidate, unit }) => `${measure} | ${candidate} | ${unit}`;

/** How far the rounds of a row lie apart, as a part of their median. */
const spreadOf = ({ min, max, median }) => (median === 0 ? 0 : (max - min) / median);

/** What counts: the ratio where there is one, because absolute figures differ by machine. */
const valueOf = ({ ratio, median }) => ratio ?? median;

/**
 * Rows of `now` whose value differs from that of the same row in `before` by more than both runs
 * vary, as lines of text. Rows without a ratio are compared only on the same machine.
 */
export function movedRows(before, now) {
  const known = new Map(before.rows.map((row) => [keyOf(row), row]));
  const sameMachine = before.machine.cpu === now.machine.cpu;
  const lines = [];
  for (const row of now.rows) {
    const old = known.get(keyOf(row));
    if (old === undefined || (row.ratio === undefined && !sameMachine)) continue;
    const change = valueOf(row) / valueOf(old) - 1;
    const noise = Math.max(spreadOf(row), spreadOf(old)) / 2;
    if (Math.abs(change) <= noise || Number.isNaN(change)) continue;
    const percent = `${change > 0 ? "+" : ""}${(change * 100).toFixed(0)} %`;
    const values = `${figure(valueOf(old))} -> ${figure(valueOf(row))}`;
    lines.push(`${keyOf(row)}: ${values} (${percent}, noise ${(noise * 100).toFixed(0)} %)`);
  }
  return lines;
}
