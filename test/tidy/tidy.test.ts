import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { VENUES } from "#ingest/venues/registry.ts";
import {
  checkEffects,
  checkGenerated,
  checkLayers,
  checkLockfile,
  checkMarkdown,
  checkMarks,
  checkName,
  checkSize,
  checkVenueNames,
  findOrphans,
  type SourceFile,
} from "./rules.ts";

const root = join(import.meta.dirname, "../..");
const venues = Object.keys(VENUES);
const files = readTree();

/** Files that something other than an import starts. */
const ENTRIES = [
  /^services\/cli\/main\.ts$/,
  /^clients\/typescript\/src\/index(\.[a-z]+)?\.ts$/,
  /^proto\/(codec|codec\/batch|model)\/index\.ts$/,
  /^proto\/index\.d\.ts$/,
  // Writes docs/configuration.md, through its test.
  /^services\/config\/config-document\.ts$/,
  // Contracts without a value: imported as types only where they are used.
  /\/types\.ts$/,
];

describe("the tree", () => {
  test("imports go one way", () => {
    expect(files.flatMap(checkLayers)).toEqual([]);
  });

  test("effects stay at the edge", () => {
    expect(files.flatMap(checkEffects)).toEqual([]);
  });

  test("files and lines have readable sizes", () => {
    expect(files.flatMap(checkSize)).toEqual([]);
  });

  test("nothing unfinished, focused or swallowed", () => {
    expect(files.flatMap(checkMarks)).toEqual([]);
  });

  test("files are named for what they hold", () => {
    expect(files.flatMap(checkName)).toEqual([]);
  });

  test("the feed driver knows no venue", () => {
    expect(files.flatMap((file) => checkVenueNames(file, venues))).toEqual([]);
  });

  test("generated files say so", () => {
    expect(files.flatMap(checkGenerated)).toEqual([]);
  });

  test("documents have one title and links that resolve", () => {
    const exists = (path: string) => existsSync(join(root, path));
    expect(files.flatMap((file) => checkMarkdown(file, exists))).toEqual([]);
  });

  test("the lockfile names no download address", () => {
    expect(files.flatMap(checkLockfile)).toEqual([]);
  });

  test("no file is imported by nothing", () => {
    expect(findOrphans(files, ENTRIES)).toEqual([]);
  });

  test("every venue of the registry has a file and fixtures with their source", () => {
    const paths = new Set(files.map((file) => file.path));
    const missing = venues.flatMap((venue) => {
      const folder = venue.replace("-", "/");
      const adapter =
        venue === "simulated"
          ? "services/ingest/simulated/simulated.ts"
          : `services/ingest/venues/${folder}/adapter.ts`;
      return [adapter, `test/fixtures/venues/${folder}/SOURCE.md`].filter(
        (path) => !paths.has(path),
      );
    });
    expect(missing).toEqual([]);
  });
});

describe("each rule can fail", () => {
  const source = (path: string, text: string): SourceFile => ({ path, text });

  test("layers", () => {
    const upward = source("services/core/a.ts", 'import { x } from "#ingest/x.ts";');
    expect(checkLayers(upward)).toHaveLength(1);
    const second = source("services/gateway/hub.ts", 'import uws from "uWebSockets.js";');
    expect(checkLayers(second)).toHaveLength(1);
    const side = source("services/gateway/a.ts", 'import { x } from "#ingest/x.ts";');
    expect(checkLayers(side)).toHaveLength(1);
  });

  test("effects", () => {
    expect(checkEffects(source("services/core/a.ts", "const t = Date.now();"))).toHaveLength(1);
    expect(checkEffects(source("services/core/a.ts", "// Date.now() is not used"))).toEqual([]);
    expect(checkEffects(source("services/cli/a.ts", "Date.now()"))).toEqual([]);
  });

  test("sizes", () => {
    expect(checkSize(source("services/core/a.ts", "a\n".repeat(500)))).toHaveLength(1);
    expect(checkSize(source("services/core/a.ts", "a\n".repeat(499)))).toEqual([]);
    expect(checkSize(source("services/core/a.ts", "a ".repeat(51)))).toHaveLength(1);
    expect(checkSize(source("services/core/a.ts", "a ".repeat(50)))).toEqual([]);
  });

  test("marks", () => {
    expect(checkMarks(source("services/core/a.ts", "// TODO later"))).toHaveLength(1);
    expect(checkMarks(source("a.test.ts", "test.only()"))).toHaveLength(1);
    expect(checkMarks(source("services/core/a.ts", "try { a(); } catch {}"))).toHaveLength(1);
    expect(checkMarks(source("services/core/a.ts", "export enum A { B }"))).toHaveLength(1);
  });

  test("names", () => {
    expect(checkName(source("services/core/string-utils.ts", ""))).toHaveLength(1);
    expect(checkName(source("services/core/topic.ts", ""))).toEqual([]);
  });

  test("venue names in the driver", () => {
    const file = source("services/ingest/feed/feed-session.ts", 'if (venue === "kraken") a();');
    expect(checkVenueNames(file, ["kraken"])).toHaveLength(1);
  });

  test("banners", () => {
    expect(checkGenerated(source("proto/gen/wire.js", "export {};"))).toHaveLength(1);
  });

  test("documents", () => {
    const nowhere = () => false;
    expect(checkMarkdown(source("a.md", "# A\n\n# B\n"), nowhere)).toHaveLength(1);
    expect(checkMarkdown(source("a.md", "# A\n[b](b.md)\n"), nowhere)).toHaveLength(1);
    expect(checkMarkdown(source("a.md", "# A\n```\n# not a title\n```\n"), nowhere)).toEqual([]);
  });

  test("lockfile", () => {
    const text = '"resolved": "https://example.org/a.tgz"';
    expect(checkLockfile(source("package-lock.json", text))).toHaveLength(1);
  });

  test("orphans", () => {
    const lonely = source("services/core/lonely.ts", "export const a = 1;");
    const user = source("services/core/user.ts", 'import { b } from "./used.ts";');
    const used = source("services/core/used.ts", "export const b = 1;");
    expect(findOrphans([lonely, user, used], [/user\.ts$/])).toHaveLength(1);
  });
});

function readTree(): SourceFile[] {
  const listed = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
    cwd: root,
    encoding: "utf8",
  });
  return listed
    .split("\n")
    .filter((path) => /\.(ts|mjs|proto|md|json)$/.test(path) && existsSync(join(root, path)))
    .map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));
}
