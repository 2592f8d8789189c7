import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join, posix } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";

// What npm would publish, listed without publishing it.

const ROOT = join(import.meta.dirname, "..", "..");

type Exports = string | { readonly [condition: string]: Exports };

type Manifest = {
  readonly private?: boolean;
  readonly engines?: object;
  readonly publishConfig?: object;
  readonly keywords?: readonly string[];
};

async function packedFiles(workspace: string): Promise<string[]> {
  const pack = ["pack", "--dry-run", "--json", "--ignore-scripts"];
  const { stdout } = await promisify(execFile)("npm", pack, { cwd: join(ROOT, workspace) });
  const [report] = JSON.parse(stdout) as { files: { path: string }[] }[];
  return (report?.files ?? []).map(({ path }) => path);
}

function targetsOf(exports: Exports): string[] {
  if (typeof exports === "string") return [posix.normalize(exports)];
  return Object.values(exports).flatMap(targetsOf);
}

describe.each(["proto", "clients/typescript"])("the package of %s", (workspace) => {
  test("has every file that its exports name, under any condition, and no tests", async () => {
    const text = await readFile(join(ROOT, workspace, "package.json"), "utf8");
    const { exports } = JSON.parse(text) as { exports: Exports };
    const files = await packedFiles(workspace);
    expect(targetsOf(exports).filter((target) => !files.includes(target))).toEqual([]);
    expect(files.filter((file) => /\.test\.|tsbuildinfo/.test(file))).toEqual([]);
    expect(files).toContain("README.md");
  });

  test("says what npm shows and asks of who publishes and installs it", async () => {
    const read = (path: string) => readFile(join(ROOT, path), "utf8");
    const manifest = JSON.parse(await read(`${workspace}/package.json`)) as Manifest;
    const root = JSON.parse(await read("package.json")) as Manifest;
    expect(manifest.engines).toEqual(root.engines);
    expect(manifest.publishConfig).toEqual({ access: "public" });
    expect(manifest.keywords?.length).toBeGreaterThan(3);
    expect(manifest.private).toBeUndefined();
    expect(await packedFiles(workspace)).toContain("LICENSE");
    expect(await read(`${workspace}/LICENSE`)).toBe(await read("LICENSE"));
  });

  test("has the source of every source map", async () => {
    const files = await packedFiles(workspace);
    const missing: string[] = [];
    for (const file of files.filter((name) => name.endsWith(".js.map"))) {
      const map = await readFile(join(ROOT, workspace, file), "utf8");
      for (const source of (JSON.parse(map) as { sources: string[] }).sources) {
        const path = posix.join(posix.dirname(file), source);
        if (!files.includes(path)) missing.push(`${file}: ${path}`);
      }
    }
    expect(missing).toEqual([]);
  });
});
