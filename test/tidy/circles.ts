/** Files that need each other, be it only for their types, cannot be read one after the other. */

import { isCode, isTest, type SourceFile } from "./source-files.ts";
import { filesReferencedBy } from "./specifiers.ts";

/** Every group of files each of which leads to all the others, by whatever kind of import. */
export function findCircles(files: readonly SourceFile[]): string[] {
  const code = files.filter(({ path }) => isCode(path) && !isTest(path));
  const arrows = new Map(code.map((file) => [file.path, filesReferencedBy(file)]));
  const reachable = new Map(code.map(({ path }) => [path, reachableFrom(path, arrows)]));
  const told = new Set<string>();
  const problems: string[] = [];
  for (const [path, ahead] of reachable) {
    if (told.has(path) || !ahead.has(path)) continue;
    const circle = [...ahead].filter((other) => reachable.get(other)?.has(path)).toSorted();
    for (const member of circle) told.add(member);
    problems.push(`these files import each other in a circle: ${circle.join(", ")}`);
  }
  return problems;
}

/** Where the arrows lead from a file, itself included only if they lead back. */
function reachableFrom(
  path: string,
  arrows: ReadonlyMap<string, readonly string[]>,
): ReadonlySet<string> {
  const seen = new Set<string>();
  const open = [path];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const target of arrows.get(next) ?? []) {
      if (seen.has(target)) continue;
      seen.add(target);
      open.push(target);
    }
  }
  return seen;
}
