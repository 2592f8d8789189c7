import { visibleText } from "#core/visible-text.ts";
import { painted, type TextStyle } from "./colours.ts";

/** A part of a line. */
export type Cell = string | { readonly text: string; readonly style: TextStyle };

type TableOptions = {
  /** Names of columns; those of numbers begin with `>`, and stand at the right. */
  readonly header: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
  /** How wide the terminal is; undefined where there is none, and everything is shown. */
  readonly columns: number | undefined;
  readonly hasColours: boolean;
};

const GAP = "  ";
/** A column that is cut keeps this much. */
const WIDTH_MIN = 6;

/**
 * The lines of a table that is no wider than the terminal: the widest columns are cut first, with
 * `…` where something is missing.
 */
export function tableLines({ header, rows, columns, hasColours }: TableOptions): string[] {
  const names = header.map((name) => name.replace(/^>/, ""));
  const texts = rows.map((row) => row.map((cell) => visibleText(textOf(cell))));
  const widths = fittingWidths(
    names.map((name, index) =>
      Math.max(name.length, ...texts.map((row) => row[index]?.length ?? 0)),
    ),
    columns,
  );
  const lineOf = (cells: readonly string[], styleOf: (index: number) => TextStyle): string =>
    cells
      .map((text, index) => {
        const width = widths[index] ?? 0;
        const shown = text.length > width ? `${text.slice(0, Math.max(0, width - 1))}…` : text;
        const space = " ".repeat(width - shown.length);
        const style = hasColours ? styleOf(index) : "plain";
        const isRight = header[index]?.startsWith(">") === true;
        const isLast = index === cells.length - 1;
        if (isRight) return space + painted(shown, style);
        return painted(shown, style) + (isLast ? "" : space);
      })
      .join(GAP)
      .trimEnd();
  return [
    lineOf(names, () => "title"),
    ...texts.map((row, at) => lineOf(row, (index) => styleOfCell(rows[at]?.[index]))),
  ];
}

function textOf(cell: Cell): string {
  return typeof cell === "string" ? cell : cell.text;
}

function styleOfCell(cell: Cell | undefined): TextStyle {
  return cell === undefined || typeof cell === "string" ? "plain" : cell.style;
}

/** Takes from the widest columns until all fit. */
function fittingWidths(natural: readonly number[], columns: number | undefined): number[] {
  const widths = [...natural];
  if (columns === undefined) return widths;
  const gaps = GAP.length * Math.max(0, widths.length - 1);
  let over = widths.reduce((sum, width) => sum + width, gaps) - columns;
  while (over > 0) {
    const widest = Math.max(...widths);
    if (widest <= WIDTH_MIN) break;
    widths[widths.lastIndexOf(widest)] = widest - 1;
    over -= 1;
  }
  return widths;
}
