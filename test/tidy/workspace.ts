/** The published packages of the workspace, as their package.json files export them. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { joinPath, ROOT } from "./source-files.ts";

/** The files of the project's top folder, without those whose names begin with a point. */
const TOP_FILES = new Set([
  "ARCHITECTURE.md",
  "CHANGELOG.md",
  "CONTRIBUTING.md",
  "LICENSE",
  "README.md",
  "SECURITY.md",
  "package-lock.json",
  "package.json",
  "tsconfig.json",
  "vitest.config.ts",
]);

/** Paths at the top that belong to nothing: what a tool has left there is easily committed. */
export function findStrays(paths: readonly string[]): string[] {
  return paths.filter((path) => {
    return !path.includes("/") && !path.startsWith(".") && !TOP_FILES.has(path);
  });
}

type Conditions = string | { readonly [condition: string]: Conditions };
type Manifest = {
  readonly name: string;
  readonly exports?: { readonly [subpath: string]: Conditions };
  readonly workspaces?: readonly string[];
};

/** The sources behind each specifier that is published; where there are several, Node's is last. */
export const PUBLISHED: ReadonlyMap<string, readonly string[]> = readPublished();

function readPublished(): Map<string, readonly string[]> {
  const published = new Map<string, readonly string[]>();
  for (const folder of foldersOf(readManifest("package.json").workspaces ?? [])) {
    const { name, exports = {} } = readManifest(`${folder}/package.json`);
    for (const [subpath, conditions] of Object.entries(exports)) {
      const sources = sourcesOf(conditions).map((path) => joinPath(`${folder}/package.json`, path));
      published.set(name + subpath.slice(1), [...new Set(sources)]);
    }
  }
  return published;
}

/** The sources among the targets of an export: what is built of them is not in the tree. */
function sourcesOf(conditions: Conditions): string[] {
  if (typeof conditions === "string")
    return /\.d\.ts$|\/dist\//.test(conditions) ? [] : [conditions];
  const { source } = conditions;
  return source === undefined ? Object.values(conditions).flatMap(sourcesOf) : sourcesOf(source);
}

function foldersOf(workspaces: readonly string[]): string[] {
  return workspaces
    .flatMap((pattern) => {
      if (!pattern.endsWith("/*")) return [pattern];
      const parent = pattern.slice(0, -2);
      return readdirSync(join(ROOT, parent)).map((name) => `${parent}/${name}`);
    })
    .filter((folder) => existsSync(join(ROOT, folder, "package.json")));
}

function readManifest(path: string): Manifest {
  return JSON.parse(readFileSync(join(ROOT, path), "utf8")) as Manifest;
}
