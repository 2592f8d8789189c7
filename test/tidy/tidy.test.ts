import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { VENUES } from "#ingest/venues/registry.ts";
import { findCircles } from "./circles.ts";
import { checkGenerated, checkLockfile, checkMarkdown } from "./documents.ts";
import { checkEffects, findNeedlessEdges } from "./effects.ts";
import {
  findMissingPublished,
  findNeedlessEntries,
  findOrphans,
  findUnusedExports,
} from "./exports.ts";
import { globalsOf } from "./globals.ts";
import { checkImporters, checkLayers, findNeedlessPermissions } from "./layers.ts";
import { checkMarks } from "./marks.ts";
import { checkMentions, readKnown } from "./mentions.ts";
import { checkName, checkSize } from "./sizes.ts";
import { readTree, ROOT, scriptOf, type SourceFile } from "./source-files.ts";
import { referencesOf, resolveSpecifier } from "./specifiers.ts";
import { checkTables } from "./tables.ts";
import { findStrays } from "./workspace.ts";
import {
  checkFamilies,
  checkVenueFile,
  checkVenueNames,
  checkVenueTestFile,
  findMissingVenueFiles,
} from "./venues.ts";

test("a file of the top folder that is none of the project's is told", () => {
  const paths = [".gitignore", "README.md", "services/a.ts", "isolate-0x1-v8.log"];
  expect(findStrays(paths)).toEqual(["isolate-0x1-v8.log"]);
});

describe("the tree", () => {
  const files = readTree();
  const venues = Object.keys(VENUES);

  test("imports go one way", () => {
    expect(told(files.flatMap((file) => checkLayers(file)))).toBe("");
  });

  test("packages with one importer have one", () => {
    expect(told(files.flatMap((file) => checkImporters(file)))).toBe("");
  });

  test("no import is permitted that nobody needs", () => {
    expect(told(findNeedlessPermissions(files))).toBe("");
  });

  test("effects stay at the edge", () => {
    expect(told(files.flatMap((file) => checkEffects(file)))).toBe("");
  });

  test("the edge has no file and no effect too many", () => {
    expect(told(findNeedlessEdges(files))).toBe("");
  });

  test("no name of a venue's is looked up in an object", () => {
    expect(told(files.flatMap(checkTables))).toBe("");
  });

  test("no files need each other", () => {
    expect(told(findCircles(files))).toBe("");
  });

  test("what is exported is used", () => {
    expect(told(findUnusedExports(files))).toBe("");
  });

  test("every file is imported or is an entry", () => {
    expect(told(findOrphans(files))).toBe("");
  });

  test("no entry is named that is none", () => {
    expect(told(findNeedlessEntries(files))).toBe("");
    expect(told(findMissingPublished(files))).toBe("");
  });

  test("files and lines have readable sizes", () => {
    expect(told(files.flatMap(checkSize))).toBe("");
  });

  test("files are named for what they hold", () => {
    expect(told(files.flatMap(checkName))).toBe("");
  });

  test("nothing is unfinished, focused or swallowed", () => {
    expect(told(files.flatMap(checkMarks))).toBe("");
  });

  test("a venue's folder holds the files that every venue has", () => {
    expect(told(files.flatMap((file) => checkVenueFile(file, venues)))).toBe("");
    expect(told(findMissingVenueFiles(files, venues))).toBe("");
    expect(told(files.flatMap((file) => checkVenueTestFile(file, venues)))).toBe("");
  });

  test("no venue family knows another", () => {
    expect(told(files.flatMap(checkFamilies))).toBe("");
  });

  test("what drives the venues knows none of them", () => {
    expect(told(files.flatMap((file) => checkVenueNames(file, venues)))).toBe("");
  });

  test("generated files say so", () => {
    expect(told(files.flatMap(checkGenerated))).toBe("");
  });

  test("documents have one title and links that lead somewhere", () => {
    const exists = (path: string): boolean => existsSync(join(ROOT, path));
    expect(told(files.flatMap((file) => checkMarkdown(file, files, exists)))).toBe("");
  });

  test("documents name settings, metrics, commands and codes that there are", () => {
    const known = readKnown(files);
    expect(known.settings.size * known.metrics.size * known.closeCodes.size).toBeGreaterThan(0);
    expect(told(files.flatMap((file) => checkMentions(file, known)))).toBe("");
  });

  test("nothing that a tool has left lies in the top folder", () => {
    // An archive of the project has no repository, and nothing is committed from it.
    if (!existsSync(join(ROOT, ".git"))) return;
    const tracked = execFileSync("git", ["ls-files", "-z"], { cwd: ROOT, encoding: "utf8" });
    expect(findStrays(tracked.split("\0").filter((path) => path !== ""))).toEqual([]);
  });

  test("the lockfile names no download address", () => {
    expect(told(files.flatMap(checkLockfile))).toBe("");
  });
});

test("of a component of Vue the script is judged, on the lines on which it stands", () => {
  const component =
    '<!-- on top -->\n<script setup lang="ts">\nconst a = 1;\n</script>\n<template>';
  expect(scriptOf(component).split("\n")).toEqual(["", "", "const a = 1;", ""]);
});

test.each([
  ["a.tsx", "export const a = <b>{d}</b>;"],
  ["a.vue", "export const a = d as string;"],
])("the syntax of %s is read", (path, text) => {
  expect(checkMarks({ path, text })).toEqual([]);
  expect(() => checkMarks({ path, text: "export const = 1;" })).toThrow("does not parse");
});

describe("specifiers", () => {
  const specifiersOf = (text: string): (string | undefined)[] =>
    referencesOf(source("services/core/a.ts", text)).map(({ specifier }) => specifier);

  test.each([
    ['import { a } from "./b.ts";'],
    ['import\n  {\n a }\nfrom\n"./b.ts"'],
    ["import { a } from './b.ts';"],
    ['import a from "./b.ts";'],
    ['import * as a from "./b.ts";'],
    ['import "./b.ts";'],
    ['import type { A } from "./b.ts";'],
    ['import a = require("./b.ts");'],
    ['export { a } from "./b.ts";'],
    ['export type { A } from "./b.ts";'],
    ['export * from "./b.ts";'],
    ['export * as a from "./b.ts";'],
    ['const a = await import("./b.ts");'],
    ["const a = await import(`./b.ts`);"],
    ['type A = typeof import("./b.ts");'],
    ['type A = import("./b.ts").B;'],
    ['const a = new URL("./b.ts", import.meta.url);'],
    ['const a = require("./b.ts");'],
    ['const a = require.resolve("./b.ts");'],
    ['const a = import.meta.resolve("./b.ts");'],
  ])("%s is seen", (text) => {
    expect(specifiersOf(text)).toEqual(["./b.ts"]);
  });

  test("comments and texts are no imports", () => {
    expect(specifiersOf('// import "./b.ts"\nconst a = \'import "./b.ts"\';')).toEqual([]);
  });

  test("a computed import is told, not overlooked", () => {
    expect(specifiersOf("await import(a);")).toEqual([undefined]);
    expect(checkLayers(source("services/core/a.ts", "await import(a);"))).toHaveLength(1);
  });

  test.each([
    ["./b.ts", "services/core/b.ts"],
    ["../wire/b.ts?raw", "services/wire/b.ts"],
    ["#wire/b.ts", "services/wire/b.ts"],
    ["#core/../wire/b.ts", "services/wire/b.ts"],
    ["#test/support/b.ts", "test/support/b.ts"],
    ["../../dist/services/wire/b.js", "services/wire/b.ts"],
    ["@tickwire/proto/model", "proto/model/index.ts"],
    ["@tickwire/client", "clients/typescript/src/index.node.ts"],
  ])("%s leads to %s", (specifier, path) => {
    expect(resolveSpecifier("services/core/a.ts", specifier).path).toBe(path);
  });

  test("modules of Node are the same with and without their prefix", () => {
    expect(resolveSpecifier("a.ts", "fs").packageName).toBe("node:fs");
    expect(resolveSpecifier("a.ts", "node:fs").packageName).toBe("node:fs");
  });
});

describe("layers", () => {
  test.each([
    ["services/core/a.ts", "#ingest/b.ts", "upwards"],
    ["services/core/a.ts", "node:fs", "from the pure middle to Node"],
    ["services/core/a.ts", "@tickwire/proto/codec", "more of the protocol than the arithmetic"],
    ["services/core/a.ts", "#core/../wire/b.ts", "through a name that turns around"],
    ["services/wire/a.ts", "#bus/b.ts", "sideways"],
    ["services/publish/a.ts", "#ingest/b.ts", "from the publisher to one who publishes"],
    ["services/ingest/a.ts", "../gateway/hub.ts", "sideways, by a relative path"],
    ["services/gateway/a.ts", "#ingest/b.ts", "sideways, by a name"],
    ["services/gateway/a.ts", "#runtime/logger.ts", "the process, from a service"],
    ["clients/typescript/src/a.ts", "../../../services/core/topic.ts", "the server, from a client"],
    ["clients/typescript/src/a.ts", "../../../proto/model/decimal.ts", "past a package's door"],
    ["services/ingest/reading/a.ts", "../venues/kraken/decoder.ts", "a venue, from the readings"],
    ["services/ingest/feed/a.ts", "../venues/registry.ts", "a venue, from the feed"],
    ["services/ingest/feed/a.ts", "../reading/b.ts", "the readings, from the feed"],
    ["services/ingest/venues/kraken/decoder.ts", "../../venue/b.ts", "the driver, from a venue"],
    ["services/ingest/limits.ts", "./feed/b.ts", "a room, from what every room knows"],
    ["services/gateway/transport/a.ts", "../rpc/b.ts", "a method, from a transport"],
    ["services/gateway/catalog/a.ts", "../topics/b.ts", "topics, from the catalog"],
    ["services/gateway/topics/a.ts", "../session/b.ts", "a session, from the topics"],
    ["services/gateway/session/a.ts", "../http/b.ts", "HTTP, from a session"],
    ["services/gateway/http/a.ts", "../main.ts", "the parts list, from a part"],
  ])("%s may not import %s: %s", (path, specifier) => {
    expect(checkLayers(source(path, `import "${specifier}";`))).not.toEqual([]);
    expect(checkLayers(source(path, `type A = import("${specifier}").A;`))).not.toEqual([]);
  });

  test.each([
    ["services/core/a.ts", "./b.ts"],
    ["services/core/a.ts", "@tickwire/proto/model"],
    ["services/ingest/venues/kraken/decoder.ts", "../../reading/b.ts"],
    ["services/ingest/venue/a.ts", "../feed/b.ts"],
    ["services/gateway/session/outbound/a.ts", "../../topics/b.ts"],
    ["services/gateway/main.ts", "./session/b.ts"],
    ["services/core/a.test.ts", "#ingest/b.ts"],
  ])("%s may import %s", (path, specifier) => {
    expect(checkLayers(source(path, `import "${specifier}";`))).toEqual([]);
  });

  test("other areas are reached by name, the own one by a path", () => {
    const byPath = source("services/core/a.test.ts", 'import "../wire/b.ts";');
    expect(checkLayers(byPath)).toHaveLength(1);
    const byName = source("services/core/a.test.ts", 'import "#core/b.ts";');
    expect(checkLayers(byName)).toHaveLength(1);
  });

  test("a package with one importer has no second", () => {
    const second = source("services/gateway/a.ts", 'import uws from "uWebSockets.js";');
    expect(checkImporters(second)).toHaveLength(1);
    const owner = source("services/gateway/transport/uws-module.ts", second.text);
    expect(checkImporters(owner)).toEqual([]);
  });

  test("permissions that nobody needs are told", () => {
    const file = source("services/core/a.ts", 'import "./b.ts"; import "zod";');
    const layers = [
      { place: "services/core/", may: ["zod", "ws", "services/wire/a.ts"] },
      { place: "services/gone/", may: [] },
    ];
    const importers = [{ packageName: "zod", places: ["services/core/", "services/wire/"] }];
    expect(findNeedlessPermissions([file], layers, importers)).toEqual([
      "the layer services/gone/ has no file",
      "layers may import ws, but none of them does",
      "layers may import services/wire/a.ts, but none of them does",
      "services/wire/ is named as an importer of zod, but does not import it",
    ]);
  });
});

describe("effects", () => {
  const effects = (text: string): string[] => checkEffects(source("services/core/a.ts", text), []);

  test.each([
    ["Date.now();"],
    ["new Date();"],
    ["Date();"],
    ["const { now } = Date;"],
    ['Date["now"]();'],
    ["performance.now();"],
    ["setTimeout(a, 1);"],
    ["const timer = setTimeout;"],
    ["setInterval(a, 1);"],
    ["setImmediate(a);"],
    ["queueMicrotask(a);"],
    ["AbortSignal.timeout(1);"],
    ["Math.random();"],
    ["const { random } = Math;"],
    ["Math[a]();"],
    ["crypto.randomUUID();"],
    ['import { randomUUID } from "node:crypto";'],
    ['import { randomUUID } from "crypto";'],
    ["fetch(a);"],
    ["const get = { fetch };"],
    ["new WebSocket(a);"],
    ["process.env.A;"],
    ["process.hrtime.bigint();"],
    ["process.exit(1);"],
    ["console.log(a);"],
    ['require("ws");'],
    ["globalThis.fetch(a);"],
    ['import { readFileSync } from "node:fs";'],
    ['import { setTimeout } from "node:timers/promises";'],
    ["function a() { const fetch = 1; } fetch(b);"],
    ["declare const fetch: () => void; fetch();"],
  ])("%s is an effect", (text) => {
    expect(effects(text)).not.toEqual([]);
  });

  test.each([
    ["new Date(0);"],
    ["Date.parse(a);"],
    ["a instanceof Date;"],
    ["Math.max(1, 2);"],
    ["structuredClone(a);"],
    ["clock.setTimeout(a);"],
    ["function a(fetch) { return fetch(1); }"],
    ["const a = ({ process = 1, ...console }) => process + console;"],
    ["for (const document of a) document.b();"],
    ["try { a(); } catch (global) { b(global); }"],
    ["type A = ReturnType<typeof setTimeout>;"],
    ["const a = { fetch: 1 }; a.fetch;"],
    ['import type { Socket } from "node:net";'],
    ['import { type Socket } from "node:net";'],
    ['import { isIP } from "node:net";'],
    ["// Date.now() is not used"],
    ['"Date.now()";'],
  ])("%s is none", (text) => {
    expect(effects(text)).toEqual([]);
  });

  test("names are told apart by scope", () => {
    const text = "import { fetch } from './a.ts'; fetch(); console.log(fetch);";
    expect(globalsOf(source("a.ts", text)).map(({ name }) => name)).toEqual(["console.log"]);
  });

  test("the edge is allowed what it is named for, and needs it", () => {
    const file = source("services/core/a.ts", "Date.now(); fetch(a);");
    const edge = { path: file.path, effects: ["time", "timers"] } as const;
    expect(checkEffects(file, [edge])).toEqual([
      "services/core/a.ts:1 uses fetch; take it as an argument",
    ]);
    const gone = { path: "services/core/gone.ts", effects: ["time"] } as const;
    expect(findNeedlessEdges([file], [edge, gone])).toEqual([
      "the edge file services/core/a.ts is allowed timers, but has none of it",
      "the edge file services/core/gone.ts is not there",
    ]);
  });
});

describe("circles, exports and orphans", () => {
  test("a circle of types is a circle", () => {
    const a = source("services/core/a.ts", 'import type { B } from "./b.ts";');
    const b = source("services/core/b.ts", 'export { C } from "./c.ts";');
    const c = source("services/core/c.ts", 'type A = import("./a.ts").A;');
    const d = source("services/core/d.ts", 'import "./a.ts";');
    expect(findCircles([a, b, c, d])).toEqual([
      `these files import each other in a circle: ${[a, b, c].map(({ path }) => path).join(", ")}`,
    ]);
    expect(findCircles([a, b, d])).toEqual([]);
  });

  test.each([
    ["export const a = 1;"],
    ["export function a() {}"],
    ["export class a {}"],
    ["export type a = 1;"],
    ["export interface a {}"],
    ["const b = 1; export { b as a };"],
    ["export const { b: a } = c;"],
    ['export { a } from "./c.ts";'],
  ])("%s needs a user", (text) => {
    const file = source("services/core/a.ts", text);
    const user = (path: string): SourceFile =>
      source(path, 'import { a } from "#core/a.ts"; import { c } from "#core/c.ts";');
    expect(findUnusedExports([file])).toHaveLength(1);
    expect(findUnusedExports([file, user("services/wire/b.ts")])).toEqual([]);
    // Its own test may reach in; what only other tests use is no part of the program.
    expect(findUnusedExports([file, user("services/core/a.test.ts")])).toEqual([]);
    expect(findUnusedExports([file, user("services/core/b.test.ts")])).toHaveLength(1);
    expect(findUnusedExports([file, user("test/e2e/b.ts")])).toHaveLength(1);
    expect(findUnusedExports([file], { [file.path]: "published" })).toEqual([]);
  });

  test("another name of the same file is not a use", () => {
    const file = source("services/core/a.ts", "export const a = 1; export const b = a;");
    const user = source("services/core/c.ts", 'import { b } from "./a.ts";');
    expect(findUnusedExports([file, user])).toEqual([
      "services/core/a.ts:1 exports a, which no other file uses that counts",
    ]);
  });

  test("a file that nothing imports is told, and what only a test imports", () => {
    const lonely = source("services/core/lonely.ts", "");
    const user = source("services/core/user.ts", 'import "./used.ts";');
    const used = source("services/core/used.ts", "");
    const tested = source("services/core/tested.ts", "");
    const its = source("services/core/tested.test.ts", 'import "./tested.ts";');
    expect(findOrphans([lonely, user, used, tested, its], { [user.path]: "started" })).toEqual([
      "services/core/lonely.ts is imported by nothing",
      "services/core/tested.ts is imported by nothing",
    ]);
  });

  test("a published file that is not there is told", () => {
    const there = source("proto/model/index.ts", "");
    const published = new Map([["@tickwire/proto/model", [there.path, "proto/gone.ts"]]]);
    expect(findMissingPublished([there], published)).toHaveLength(1);
  });

  test("entries that are none are told", () => {
    const user = source("services/core/user.ts", 'import "./used.ts";');
    const used = source("services/core/used.ts", "");
    const entries = { [user.path]: "started", [used.path]: "", "services/gone.ts": "" };
    expect(findNeedlessEntries([user, used], entries)).toHaveLength(2);
  });
});

describe("sizes, names and marks", () => {
  test("files have a maximum of lines", () => {
    expect(checkSize(source("services/core/a.ts", "a;\n".repeat(501)))).toHaveLength(1);
    expect(checkSize(source("services/core/a.ts", "a;\n".repeat(500)))).toEqual([]);
    expect(checkSize(source("services/core/a.test.ts", "a;\n".repeat(801)))).toHaveLength(1);
    expect(checkSize(source("services/core/a.test.ts", "a;\n".repeat(800)))).toEqual([]);
  });

  test("lines have a maximum of columns, unless they quote something long", () => {
    expect(checkSize(source("services/core/a.ts", `// ${"a ".repeat(49)}`))).toHaveLength(1);
    expect(checkSize(source("services/core/a.ts", `// ${"a ".repeat(48)}`))).toEqual([]);
    expect(checkSize(source("services/core/a.ts", `a("${"a ".repeat(50)}");`))).toEqual([]);
    expect(checkSize(source("services/core/a.ts", `a({${"a, ".repeat(40)}}, "b");`))).toHaveLength(
      1,
    );
  });

  test("no file is named for nothing", () => {
    expect(checkName(source("services/core/string-utils.ts", ""))).toHaveLength(1);
    expect(checkName(source("services/core/topic.ts", ""))).toEqual([]);
  });

  test.each([
    ["services/core/a.ts", "// TODO later"],
    ["a.test.ts", "test.only();"],
    ["a.test.ts", "describe.skip();"],
    ["services/core/a.ts", "try { a(); } catch {}"],
    ["services/core/a.ts", "try { a(); } catch (error) {\n}"],
    ["services/core/a.ts", "a.catch(() => {});"],
    ["services/core/a.ts", "export enum A { B }"],
    ["a.proto", "// FIXME"],
  ])("%s may not hold %s", (path, text) => {
    expect(checkMarks(source(path, text))).toHaveLength(1);
  });

  test.each([["try { a(); } catch { /* it is closed already */ }"], ["test.skipIf(a)();"]])(
    "%s is fine",
    (text) => {
      expect(checkMarks(source("a.test.ts", text))).toEqual([]);
    },
  );
});

describe("venues", () => {
  const venues = ["kraken", "kraken-v1", "okx"];

  test.each([
    ["services/ingest/venues/kraken/risk.ts"],
    ["services/ingest/venues/kraken.ts"],
    ["services/ingest/venues/other/adapter.ts"],
    ["services/ingest/venues/okx/v1/adapter.ts"],
  ])("%s is no file of a venue", (path) => {
    expect(checkVenueFile(source(path, ""), venues)).toHaveLength(1);
  });

  test.each([
    ["services/ingest/venues/registry.ts"],
    ["services/ingest/venues/kraken/adapter.ts"],
    ["services/ingest/venues/kraken/sides.test.ts"],
    ["services/ingest/venues/kraken/v1/adapter.ts"],
  ])("%s is one", (path) => {
    expect(checkVenueFile(source(path, ""), venues)).toEqual([]);
  });

  test("families do not import each other, members of one may", () => {
    const path = "services/ingest/venues/kraken/v1/adapter.ts";
    expect(checkFamilies(source(path, 'import "../../okx/fields.ts";'))).toHaveLength(1);
    expect(checkFamilies(source(path, 'import "../fields.ts";'))).toEqual([]);
  });

  test("a venue without its files is told, and files without their venue", () => {
    expect(findMissingVenueFiles([], ["kraken-v1"])).toHaveLength(3);
    const fixture = source("test/fixtures/venues/other/SOURCE.md", "");
    const dialect = source("test/support/dialects/other/dialect.ts", "");
    expect(checkVenueTestFile(fixture, venues)).toHaveLength(1);
    expect(checkVenueTestFile(dialect, venues)).toHaveLength(1);
    const registry = source("test/support/dialects/registry.ts", "");
    expect(checkVenueTestFile(registry, venues)).toEqual([]);
  });

  test("the driver names no venue", () => {
    const text = 'if (venue === "kraken") a();';
    expect(checkVenueNames(source("services/ingest/feed/a.ts", text), venues)).toHaveLength(1);
    const comment = source("services/ingest/feed/a.ts", "// kraken repeats itself");
    expect(checkVenueNames(comment, venues)).toEqual([]);
  });
});

describe("documents", () => {
  const check = (text: string, exists = true): string[] => {
    const file = source("a.md", text);
    return checkMarkdown(file, [file, source("b.md", "# The *b*, again\n")], () => exists);
  };

  test("documents", () => {
    expect(check("# A\n\n# B\n")).toHaveLength(1);
    expect(check("no title")).toHaveLength(1);
    expect(check("# A\n```\n# not a title\n```\n")).toEqual([]);
    expect(check("# A\n[b](b.md)\n", false)).toHaveLength(1);
    expect(check("# A\n[b](b.md#the-b-again) [a](#a) [c](https://c.d/#e)\n")).toEqual([]);
    expect(check("# A\n[b](b.md#the-c)\n")).toHaveLength(1);
  });

  test("a name that is not there is told, and one that is there is not", () => {
    const known = readKnown([
      source("docs/configuration.md", "| `gateway.port` | x |\n| `bus.nats.servers` | x |\n"),
      source("docs/metrics.md", "| `tickwire_gateway_lag_seconds` | histogram |\n"),
      source("docs/cli.md", "### tickwire top\n--once\n### tickwire token make\n--sub\n"),
      source("proto/README.md", "| 4001 | SLOW_CONSUMER |\n"),
    ]);
    const check = (text: string, path = "a.md"): string[] =>
      checkMentions(source(path, text), known);
    expect(check("`gateway.port` `bus.nats` `--set gateway.port=1`")).toEqual([]);
    expect(check("`gateway.prot`")).toHaveLength(1);
    expect(check("--set gateway.prot=1")).toHaveLength(1);
    expect(check("tickwire_gateway_lag_seconds_bucket")).toEqual([]);
    expect(check("tickwire_gateway_leg_seconds")).toHaveLength(1);
    expect(check("npx tickwire top --once | jq --raw\n`tickwire token make --sub a`")).toEqual([]);
    expect(check("npx tickwire tip")).toHaveLength(1);
    expect(check("npx tickwire top --twice")).toHaveLength(1);
    expect(check("closed with 4001, 4096 bytes")).toEqual([]);
    expect(check("closed with 4009")).toHaveLength(1);
    expect(check("closed with 4009", "CHANGELOG.md")).toEqual([]);
  });

  test("a table that a venue's names are looked up in, and that is no Map, is told", () => {
    const check = (text: string, path = "services/ingest/venues/x/fields.ts"): string[] =>
      checkTables(source(path, text));
    expect(check("const NAMES: Readonly<Record<string, string>> = {};")).toHaveLength(1);
    expect(check("export const NAMES: Record<string, string> = {};")).toHaveLength(1);
    expect(check("return NAMES[name as keyof typeof NAMES];")).toHaveLength(1);
    expect(check("Object.hasOwn(NAMES, n) ? NAMES[n as keyof typeof NAMES] : 0")).toEqual([]);
    expect(check("const NAMES: ReadonlyMap<string, string> = new Map();")).toEqual([]);
    expect(check("const NAMES: Partial<Record<Channel, string>> = {};")).toEqual([]);
    expect(check("const A: Record<string, string> = {};", "services/cli/a.ts")).toEqual([]);
  });

  test("a generated file without its banner is told", () => {
    expect(checkGenerated(source("proto/gen/wire.js", "export {};"))).toHaveLength(1);
    expect(checkGenerated(source("proto/gen/wire.js", "// GENERATED\n"))).toEqual([]);
  });

  test("a lockfile with addresses is told", () => {
    const text = '"resolved": "https://example.org/a.tgz"';
    expect(checkLockfile(source("package-lock.json", text))).toHaveLength(1);
  });
});

function source(path: string, text: string): SourceFile {
  return { path, text };
}

/** Every problem on a line of its own: a failure shows a text whole, but cuts a list short. */
function told(problems: readonly string[]): string {
  return problems.join("\n");
}
