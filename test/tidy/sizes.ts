/** Files stay small enough to read, lines short enough to compare, names say what a file holds. */

import { isCode, isGenerated, isTest, type SourceFile } from "./source-files.ts";
import { syntaxOf, walk } from "./syntax.ts";

const LINES_MAX = 500;
const TEST_LINES_MAX = 800;
const COLUMNS_MAX = 100;
/** A text or an address that is longer than this may stand on a line that is too long with it. */
const UNBREAKABLE_COLUMNS = 40;

/** Too many lines or columns. A quoted payload or an address cannot be broken, and may be long. */
export function checkSize(file: SourceFile): string[] {
  if (!isCode(file.path) || isGenerated(file.path)) return [];
  const lines = file.text.split("\n");
  const linesMax = isTest(file.path) ? TEST_LINES_MAX : LINES_MAX;
  const problems: string[] = [];
  if (lines.length - 1 > linesMax) {
    problems.push(`${file.path} has ${lines.length - 1} lines, more than ${linesMax}`);
  }
  let start = 0;
  lines.forEach((line, index) => {
    const end = start + line.length;
    if (line.length > COLUMNS_MAX && !hasUnbreakable(file, { start, end })) {
      problems.push(`${file.path}:${index + 1} has ${line.length} columns`);
    }
    start = end + 1;
  });
  return problems;
}

/** Whether a long literal stands on the line, or an address in a comment. */
function hasUnbreakable(file: SourceFile, line: { start: number; end: number }): boolean {
  if (/https?:\/\/\S{20,}/.test(file.text.slice(line.start, line.end))) return true;
  let found = false;
  walk(syntaxOf(file).program, ({ type, start, end }) => {
    if (type !== "Literal" && type !== "TemplateLiteral") return;
    const columns = Math.min(end, line.end) - Math.max(start, line.start);
    if (columns > UNBREAKABLE_COLUMNS) found = true;
  });
  return found;
}

const BANNED_NAMES = /(^|[-/])(utils?|helpers?|managers?|common)(\.|-|\/)/;

/** Files are nouns of the domain. */
export function checkName(file: SourceFile): string[] {
  if (!/^(services|proto|clients|test)\//.test(file.path)) return [];
  return BANNED_NAMES.test(file.path) ? [`${file.path} is named for nothing`] : [];
}
