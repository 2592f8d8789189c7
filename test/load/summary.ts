// What a load leaves: a table on the terminal, and the same as JSON and as a page.
import { PROFILE } from "./settings.ts";

type Metric = {
  readonly type: string;
  readonly values: Readonly<Record<string, number>>;
  readonly thresholds?: Readonly<Record<string, { readonly ok: boolean }>>;
};
type SummaryData = { readonly metrics: Readonly<Record<string, Metric>> };

type Row = { readonly name: string; readonly values: string; readonly judgement: string };

const NAME = __ENV["LOAD_NAME"] ?? "load";
const FOLDER = __ENV["LOAD_RESULTS"] ?? ".";

const shown = (value: number) => (Number.isInteger(value) ? String(value) : value.toFixed(2));

function rowOf([name, { values, thresholds }]: [string, Metric]): Row {
  // k6 has no order of its own.
  const sorted = Object.entries(values).sort(([a], [b]) => a.localeCompare(b));
  const figures = sorted.map(([key, value]) => `${key} ${shown(value)}`);
  const judged = Object.entries(thresholds ?? {});
  const judgement = judged.map(([limit, { ok }]) => `${ok ? "kept" : "BROKEN"}: ${limit}`);
  return { name, values: figures.join(", "), judgement: judgement.join("; ") };
}

function textOf(rows: readonly Row[]): string {
  const width = Math.max(...rows.map(({ name }) => name.length)) + 2;
  const lines = rows.map(({ name, values, judgement }) =>
    `${name.padEnd(width)}${values}${judgement === "" ? "" : `  [${judgement}]`}`.trimEnd(),
  );
  return `\n${NAME}, profile ${PROFILE}\n\n${lines.join("\n")}\n`;
}

const ESCAPES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };
const escaped = (text: string) => text.replace(/[&<>]/g, (sign) => ESCAPES[sign] as string);

function pageOf(rows: readonly Row[]): string {
  const cells = rows.map(({ name, values, judgement }) => {
    const style = judgement.includes("BROKEN") ? ' class="broken"' : "";
    const texts = [name, values, judgement].map((text) => `<td>${escaped(text)}</td>`);
    return `<tr${style}>${texts.join("")}</tr>`;
  });
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>${NAME}</title>
<style>body{font:14px sans-serif;margin:2em}td,th{padding:4px 12px;text-align:left}
tr:nth-child(even){background:#f2f2f2}tr.broken{background:#fbd5d5}</style>
<h1>${NAME}, profile ${PROFILE}</h1>
<table><tr><th>Figure</th><th>Values</th><th>Limits</th></tr>
${cells.join("\n")}
</table></html>
`;
}

/** k6 calls it at the end; each key is a file that it writes. */
export function handleSummary({ metrics }: SummaryData): Record<string, string> {
  const all = Object.entries(metrics).sort(([a], [b]) => a.localeCompare(b));
  const rows = all.map(rowOf);
  return {
    stdout: textOf(rows),
    [`${FOLDER}/${NAME}.html`]: pageOf(rows),
    [`${FOLDER}/${NAME}.json`]: `${JSON.stringify({ name: NAME, profile: PROFILE, metrics }, null, 2)}\n`,
  };
}
