/**
 * The files that the rules judge, and what their paths say about them. A rule is a function of
 * files; it returns every problem that it finds, in sentences.
 */

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A file of the tree; its path is relative to the root and has forward slashes. */
export type SourceFile = { readonly path: string; readonly text: string };

/** What is read: the rest are pictures, data and settings of other programs. */
const READ = /\.(tsx?|vue|mjs|js|proto|md|json)$/;

export const ROOT = join(import.meta.dirname, "../..");

/** Every file that git knows or would add, so that a new file is judged before it is committed. */
export function readTree(): SourceFile[] {
  const listed = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
    cwd: ROOT,
    encoding: "utf8",
  });
  return [...new Set(listed.split("\n"))]
    .filter((path) => READ.test(path) && existsSync(join(ROOT, path)))
    .map((path) => {
      const text = readFileSync(join(ROOT, path), "utf8");
      return { path, text: path.endsWith(".vue") ? scriptOf(text) : text };
    });
}

/** The script of a component of Vue, on the lines on which it stands. */
export function scriptOf(text: string): string {
  const [before = "", script = ""] = text.split(/<script[^>]*>|<\/script>/);
  return before.replace(/[^\n]/g, "") + script;
}

/** Programs: what has imports. Fixtures are data, whatever they are called. */
export function isCode(path: string): boolean {
  return /\.(tsx?|vue|mjs|js)$/.test(path) && !path.startsWith("test/fixtures/");
}

/** Code that serves tests only: test files and the folders of what they share. */
export function isTest(path: string): boolean {
  return /\.test\.tsx?$|(^|\/)test\//.test(path);
}

export function isGenerated(path: string): boolean {
  return path.startsWith("proto/gen/");
}

/** What is shipped, as opposed to what tests or configures it. */
export function isShipped(path: string): boolean {
  return /^(services|proto|clients)\//.test(path) && !isTest(path);
}

/** The path that `target` means when it is written in the file `from`. */
export function joinPath(from: string, target: string): string {
  const parts = from.split("/").slice(0, -1);
  for (const part of target.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "." && part !== "") parts.push(part);
  }
  return parts.join("/");
}
