// Prints results as a table that fits a terminal.

/** Three digits that matter, with thousands apart. */
export function figure(value) {
  if (value === undefined || Number.isNaN(value)) return "";
  if (Math.abs(value) >= 1_000) return Math.round(value).toLocaleString("en-US");
  return Number(value.toPrecision(3)).toString();
}

const COLUMNS = [
  ["measure", ({ measure }) => measure, "left"],
  ["candidate", ({ candidate }) => candidate, "left"],
  ["min", ({ min }) => figure(min), "right"],
  ["median", ({ median }) => figure(median), "right"],
  ["max", ({ max }) => figure(max), "right"],
  ["unit", ({ unit }) => unit, "left"],
  ["ratio", ({ ratio }) => (ratio === undefined ? "" : `${figure(ratio)} x`), "right"],
  ["goal", ({ target }) => target ?? "", "left"],
];

export function formatTable(rows) {
  const cells = [
    COLUMNS.map(([title]) => title),
    ...rows.map((row) => COLUMNS.map(([, of]) => of(row))),
  ];
  const widths = COLUMNS.map((_, index) => Math.max(...cells.map((line) => line[index].length)));
  return cells
    .map((line) =>
      line
        .map((text, index) =>
          COLUMNS[index][2] === "right" ? text.padStart(widths[index]) : text.padEnd(widths[index]),
        )
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
