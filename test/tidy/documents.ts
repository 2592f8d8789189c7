/** Documents, the lockfile and generated files. */

import { isGenerated, joinPath, type SourceFile } from "./source-files.ts";

/** One title a document, and relative links that lead to a file and to a heading in it. */
export function checkMarkdown(
  file: SourceFile,
  files: readonly SourceFile[],
  exists: (path: string) => boolean,
): string[] {
  if (!file.path.endsWith(".md")) return [];
  const prose = proseOf(file.text);
  const problems: string[] = [];
  const titles = prose.split("\n").filter((line) => line.startsWith("# ")).length;
  if (titles !== 1) problems.push(`${file.path} has ${titles} first-level headings, not 1`);
  for (const match of prose.matchAll(/\]\(([^)\s]+)\)/g)) {
    const [address = "", anchor] = (match[1] ?? "").split("#");
    if (/^[a-z]+:/.test(address)) continue;
    const path = address === "" ? file.path : joinPath(file.path, address);
    const target = files.find((candidate) => candidate.path === path);
    if (!exists(path)) {
      problems.push(`${file.path} links to ${address}, which is not there`);
    } else if (anchor !== undefined && !anchorsOf(target?.text ?? "").includes(anchor)) {
      problems.push(`${file.path} links to #${anchor} of ${path}, which has no such heading`);
    }
  }
  return problems;
}

/** Generated files say so in their first lines. */
export function checkGenerated(file: SourceFile): string[] {
  if (!isGenerated(file.path)) return [];
  return /GENERATED/.test(file.text.slice(0, 400)) ? [] : [`${file.path} lacks the banner`];
}

/** The lockfile names no download address. */
export function checkLockfile(file: SourceFile): string[] {
  if (!file.path.endsWith("package-lock.json")) return [];
  return /"resolved": "https?:/.test(file.text)
    ? [`${file.path} has download addresses; .npmrc keeps them out`]
    : [];
}

function proseOf(text: string): string {
  return text.replace(/```[\s\S]*?```/g, "");
}

/** The anchors of the headings, by GitHub's rule. */
function anchorsOf(text: string): string[] {
  return [...proseOf(text).matchAll(/^#+ (.+)$/gm)].map((match) =>
    (match[1] ?? "")
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, "")
      .trim()
      .replaceAll(" ", "-"),
  );
}
