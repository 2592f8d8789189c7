/**
 * What is exported is used: by a shipped file, or by the unit test beside it. A name that only
 * some other test uses, or only its own file, is no part of what the file offers. In folders of
 * tests the users are tests, so any other file counts.
 */

import { isCode, isGenerated, isTest, type SourceFile } from "./source-files.ts";
import { filesReferencedBy, referencesOf, resolveSpecifier } from "./specifiers.ts";
import { PUBLISHED } from "./workspace.ts";
import { childOf, lineOf, listOf, syntaxOf, textOf, type SyntaxNode } from "./syntax.ts";

/** Files that no import of ours need reach, with what starts them; published ones besides. */
const ENTRIES: Readonly<Record<string, string>> = {
  "clients/dashboard/src/main.ts": "index.html",
  "clients/examples/arbitrage-alerts/src/main.ts": "npm start in its folder",
  "clients/examples/plain-pages/page.js": "index.html beside it",
  "clients/examples/plain-pages/event-source.js": "event-source.html beside it",
  "clients/examples/plain-pages/serve.js": "npm start in its folder",
  "clients/examples/recorder/src/main.ts": "npm start in its folder",
  "clients/examples/terminal-watcher/src/main.ts": "npm start in its folder",
  "clients/examples/worker-thread/src/main.ts": "npm start in its folder",
  "clients/examples/worker-thread/src/worker.ts": "main.ts beside it",
  "clients/examples/market-maker/src/main.ts": "npm start in its folder",
  "clients/examples/react-hooks/src/main.tsx": "index.html in its folder",
  "clients/examples/vue-app/src/main.ts": "index.html in its folder",
  "clients/examples/vue-app/vite.config.ts": "vite",
  "clients/dashboard/vite.config.ts": "vite",
  "docs/.vitepress/config.mjs": "vitepress",
  "docs/collect-pages.mjs": "npm run docs:build",
  "proto/breaking.mjs": "npm run check:proto",
  "proto/generate.mjs": "npm run generate",
  "services/cli/bundle.mjs": "npm run build",
  "services/cli/rehearsal.mjs": "rehearsals.mjs",
  "services/cli/tickwire.mjs": "the program",
  "services/cli/output/cli-document.ts": "writes docs/cli.md through its test",
  "services/cli/output/metrics-document.ts": "writes docs/metrics.md through its test",
  "services/config/config-document.ts": "writes docs/configuration.md through its test",
  "proto/vectors.mjs": "writes the vectors for other clients; run by hand",
  "test/bench/run.mjs": "npm run bench",
  "test/load/run.mjs": "npm run load",
  "test/load/connect-storm.ts": "a script that k6 runs",
  "test/load/steady-mix.ts": "a script that k6 runs",
  "test/load/slow-readers.ts": "a script that k6 runs",
  "test/load/rpc-mix.ts": "a script that k6 runs",
  "services/cli/process/gateway-thread.ts": "the program of a thread of a gateway",
  "test/load/reconnect-storm.ts": "a script that k6 runs",
  "test/packages/try.mjs": "installs the packages in empty projects; run by hand",
  "test/bench/load/tickwire-server.mjs": "a process of the benchmark fanout",
  "test/bench/load/assembled-server.mjs": "a process of the benchmark fanout",
  "test/bench/load/uws-server.mjs": "a process of the benchmark fanout",
  "test/bench/suite/ingest-capture.mjs": "a process of the benchmark ingest",
  "test/bench/suite/references/ws-server.mjs": "a process of the benchmark peers",
  "test/bench/suite/references/socket-io-server.mjs": "a process of the benchmark peers",
  "test/bench/suite/references/centrifugo-server.mjs": "a process of the benchmark peers",
  "test/bench/suite/bytes.ts": "a benchmark that run.mjs reads by its path",
  "test/bench/suite/client-page.mjs": "the page of the benchmark client",
  "test/bench/client-bundle.bench.mjs": "measures; run by hand",
  "test/conformance/connect/server.mjs": "a process that connect.test has the runner start",
  "test/conformance/transport-failing-process.mjs": "a process that transports.test starts",
  "test/bench/crc32.bench.mjs": "measures; run by hand",
  "test/bench/json-tape.bench.mjs": "measures; run by hand",
  "test/bench/strangers.bench.mjs": "measures; run by hand",
  "test/bench/derive.bench.mjs": "measures; run by hand",
  "test/bench/standby.bench.mjs": "measures; run by hand",
  "test/bench/strangers/attacks.mjs": "a process of strangers.bench.mjs",
  "test/bench/dashboard.bench.mjs": "measures; run by hand",
  "test/bench/dashboard/market.mjs": "a process of dashboard.bench.mjs",
  "test/bench/drain.bench.mjs": "measures; run by hand",
  "test/bench/http-streams.bench.mjs": "measures; run by hand",
  "test/bench/slow-readers.bench.mjs": "measures; run by hand",
  "test/bench/slow-readers/reader.mjs": "a process of slow-readers.bench.mjs",
  "test/bench/drain/clients.mjs": "a process of drain.bench.mjs",
  "test/bench/recording-kills.bench.mjs": "shows; run by hand",
  "test/bench/capacity.bench.mjs": "measures; run by hand",
  "test/bench/views.bench.mjs": "measures; run by hand",
  "test/bench/turns/gateway.mjs": "a process of stall and strangers.bench.mjs",
  "test/bench/turns/bare-server.mjs": "a process of the benchmark stall",
  "test/bench/turns/loads.mjs": "a process of the benchmark stall",
  "test/random.mjs": "npm run test:random",
  "test/report.mjs": ".ci/run",
  "test/support/memory-figures.mjs": "a process that memory-figures.test starts",
  "test/support/gateway-memory-figures.mjs": "a process that memory-figures.test starts",
  "test/support/second-attempts.ts": "vitest, which reports to it",
  "test/support/steady-fast-check.ts": "vitest.config.ts, in place of fast-check",
  "test/support/cut-corpus.mjs": "makes test/fixtures/corpus; run by hand",
  "vitest.config.ts": "vitest",
};

/** Exports that nobody uses who counts. */
export function findUnusedExports(
  files: readonly SourceFile[],
  entries: Readonly<Record<string, string>> = ENTRIES,
): string[] {
  const code = files.filter(({ path }) => isCode(path) && !path.endsWith(".d.ts"));
  const users = usersByName(code);
  return code
    .filter(({ path }) => !isGenerated(path) && !isEntry(path, entries))
    .flatMap((file) =>
      exportsOf(file)
        .filter(({ name }) => {
          const paths = [
            ...(users.get(`${file.path} ${name}`) ?? []),
            ...(users.get(`${file.path} *`) ?? []),
          ];
          return !paths.some((user) => counts(user, file.path));
        })
        .map(
          ({ name, line }) =>
            `${file.path}:${line} exports ${name}, which no other file uses that counts`,
        ),
    );
}

/** Files that nothing imports and nothing starts. */
export function findOrphans(
  files: readonly SourceFile[],
  entries: Readonly<Record<string, string>> = ENTRIES,
): string[] {
  const code = files.filter(({ path }) => isCode(path) && !path.endsWith(".d.ts"));
  const importers = new Map<string, string[]>();
  for (const file of code) {
    for (const path of filesReferencedBy(file)) {
      importers.set(path, [...(importers.get(path) ?? []), file.path]);
    }
  }
  return code
    .filter(({ path }) => !path.endsWith(".test.ts") && !isEntry(path, entries))
    .filter(({ path }) => !importers.get(path)?.some((user) => isTest(path) || !isTest(user)))
    .map(({ path }) => `${path} is imported by nothing`);
}

/** What package.json files publish although it is not there. */
export function findMissingPublished(
  files: readonly SourceFile[],
  published: ReadonlyMap<string, readonly string[]> = PUBLISHED,
): string[] {
  const paths = new Set(files.map(({ path }) => path));
  return [...published].flatMap(([specifier, sources]) =>
    sources
      .filter((path) => !paths.has(path))
      .map((path) => `${specifier} is published from ${path}, which is not there`),
  );
}

/** Entries that are not there, or that an import reaches anyway. */
export function findNeedlessEntries(
  files: readonly SourceFile[],
  entries: Readonly<Record<string, string>> = ENTRIES,
): string[] {
  const lonely = new Set(findOrphans(files, {}).map((problem) => problem.split(" ")[0]));
  const offered = new Set(findUnusedExports(files, {}).map((problem) => problem.split(":")[0]));
  const paths = new Set(files.map(({ path }) => path));
  return Object.keys(entries).flatMap((entry) => {
    if (!paths.has(entry)) return [`the entry ${entry} is not there`];
    if (lonely.has(entry) || offered.has(entry)) return [];
    return [`the entry ${entry} is needless: imports reach it and all that it exports`];
  });
}

const PUBLISHED_PATHS = new Set([...PUBLISHED.values()].flat());

function isEntry(path: string, entries: Readonly<Record<string, string>>): boolean {
  return Object.hasOwn(entries, path) || PUBLISHED_PATHS.has(path);
}

function counts(user: string, exporter: string): boolean {
  if (user === exporter) return false;
  if (isTest(exporter) || !isTest(user)) return true;
  return user === exporter.replace(/\.(ts|mjs|js)$/, ".test.ts");
}

/** The files that take a name from a file, by "path name". */
function usersByName(code: readonly SourceFile[]): Map<string, string[]> {
  const users = new Map<string, string[]>();
  for (const file of code) {
    for (const { specifier, names } of referencesOf(file)) {
      const { path } = specifier === undefined ? {} : resolveSpecifier(file.path, specifier);
      for (const name of names) {
        const key = `${path} ${name}`;
        const known = users.get(key);
        if (known === undefined) users.set(key, [file.path]);
        else known.push(file.path);
      }
    }
  }
  return users;
}

type NamedExport = { readonly name: string; readonly line: number };

/** The names that a file exports, without those that it hands on whole by `export *`. */
function exportsOf(file: SourceFile): NamedExport[] {
  return listOf(syntaxOf(file).program, "body").flatMap((statement) =>
    namesExportedBy(statement).map((name) => ({ name, line: lineOf(file, statement.start) })),
  );
}

function namesExportedBy(statement: SyntaxNode): string[] {
  if (statement.type === "ExportDefaultDeclaration") return ["default"];
  if (statement.type !== "ExportNamedDeclaration") return [];
  const specifiers = listOf(statement, "specifiers").map((node) => childOf(node, "exported"));
  const declaration = childOf(statement, "declaration");
  const declared =
    declaration === undefined
      ? []
      : [childOf(declaration, "id"), ...listOf(declaration, "declarations").flatMap(boundBy)];
  return [...specifiers, ...declared].flatMap((node) => textOf(node) ?? []);
}

function boundBy(declarator: SyntaxNode): SyntaxNode[] {
  const id = childOf(declarator, "id");
  if (id === undefined || id.type === "Identifier") return id === undefined ? [] : [id];
  return listOf(id, "properties").flatMap((property) => childOf(property, "value") ?? []);
}
