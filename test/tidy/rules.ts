/**
 * The style, as functions of a file's path and text. Each returns what is wrong, in sentences; tidy.test.ts
 * runs them over the tree and shows that each can fail.
 */

/** A file of the tree, path relative to its root with forward slashes. */
export type SourceFile = { readonly path: string; readonly text: string };

const IMPORT = /(?:^|\n)\s*(?:import|export)\s[^;]*?from\s+"([^"]+)"|import\("([^"]+)"\)/g;

/** The module specifiers that a file imports, statically or dynamically. */
export function importsOf(file: SourceFile): string[] {
  return [...file.text.matchAll(IMPORT)].map((match) => match[1] ?? match[2] ?? "");
}

/** Who may import what, by the folder of the importer; first match wins. */
const LAYERS: readonly { readonly folder: string; readonly allowed: readonly RegExp[] }[] = [
  { folder: "proto/model/", allowed: [/^\.\//] },
  {
    folder: "proto/codec/batch/",
    allowed: [/^\.\//, /^\.\.\/[a-z-]+\.ts$/, /^\.\.\/\.\.\/(model|gen)\//],
  },
  {
    folder: "proto/codec/",
    allowed: [/^\.\//, /^\.\.\/(model|gen)\//, /^protobufjs\/minimal\.js$/],
  },
  { folder: "services/core/", allowed: [/^\.\//, /^#core\//, /^@tickwire\/proto\/model$/] },
  { folder: "services/wire/", allowed: [/^\.\//, /^#core\//, /^@tickwire\/proto/] },
  { folder: "services/bus/", allowed: [/^\.\//, /^#core\//, /^@nats-io\//, /^node:/] },
  {
    folder: "services/publish/",
    allowed: [
      /^\.\//,
      /^#(core|wire|bus|publish|ingest)\//,
      /^@tickwire\/proto\/(codec|model|service)$/,
      /^node:/,
    ],
  },
  {
    folder: "services/ingest/",
    allowed: [
      /^\.\.?\//,
      /^#(core|wire|bus|publish|ingest)\//,
      /^@tickwire\/proto\/(codec|model|service)$/,
      /^(ws|zod|prom-client)$/,
      /^node:/,
    ],
  },
  {
    folder: "services/gateway/",
    allowed: [
      /^\.\.?\//,
      /^#(core|wire|bus|gateway)\//,
      /^@tickwire\/proto\/(codec|model|service)$/,
      /^(ws|zod|prom-client)$/,
      /^uWebSockets\.js(-node24)?$/,
      /^node:/,
    ],
  },
  {
    folder: "services/runtime/",
    allowed: [/^\.\//, /^#core\//, /^#runtime\//, /^(pino|prom-client|zod)$/, /^node:/],
  },
  {
    folder: "services/config/",
    allowed: [
      /^\.\//,
      /^#(core|runtime)\//,
      // The whole configuration is one tree: its sections are defined beside what they configure.
      /^#(ingest|gateway)\/config\.ts$/,
      /^zod$/,
      /^node:/,
    ],
  },
  { folder: "clients/typescript/src/", allowed: [/^\.\.?\//, /^@tickwire\/proto/, /^ws$/] },
];

/** Packages that exactly one file may import. */
const ONE_IMPORTER: readonly { readonly module: RegExp; readonly file: RegExp }[] = [
  { module: /^@nats-io\//, file: /^services\/bus\/nats-bus\.ts$/ },
  { module: /^uWebSockets\.js/, file: /^services\/gateway\/transport\/uws\/uws-module\.ts$/ },
  { module: /^@tickwire\/proto$/, file: /^(services\/wire|clients\/typescript\/src)\// },
  { module: /^commander$/, file: /^services\/cli\// },
  { module: /^pino$/, file: /^services\/runtime\/logger\.ts$/ },
  { module: /^ws$/, file: /(web-socket-dialer|node-transport|node-web-socket|index\.node)\.ts$/ },
];

/** Imports go one way, and some packages have one importer. Tests may import what they test. */
export function checkLayers(file: SourceFile): string[] {
  if (isTest(file.path)) return [];
  const layer = LAYERS.find((candidate) => file.path.startsWith(candidate.folder));
  const problems: string[] = [];
  for (const specifier of importsOf(file)) {
    if (layer !== undefined && !layer.allowed.some((pattern) => pattern.test(specifier))) {
      problems.push(`${file.path} may not import ${specifier}`);
    }
    for (const rule of ONE_IMPORTER) {
      if (rule.module.test(specifier) && !rule.file.test(file.path) && inServices(file.path)) {
        problems.push(`${file.path} imports ${specifier}, which belongs to ${rule.file.source}`);
      }
    }
  }
  return problems;
}

/** Effects and the only places that may have them. */
const EFFECTS: readonly { readonly pattern: RegExp; readonly name: string }[] = [
  { pattern: /\bprocess\.env\b/, name: "process.env" },
  { pattern: /\bDate\.now\(/, name: "Date.now" },
  { pattern: /\bperformance\.now\(/, name: "performance.now" },
  { pattern: /(?<![.\w])setTimeout\(/, name: "setTimeout" },
  { pattern: /(?<![.\w])setInterval\(/, name: "setInterval" },
  { pattern: /\bMath\.random\b/, name: "Math.random" },
  { pattern: /\bconsole\./, name: "console" },
];

const EFFECT_FILES: readonly RegExp[] = [
  /^services\/(cli|config|runtime)\//,
  /^services\/(ingest|gateway)\/main\.ts$/,
  // Adapters to the outside world, named for it.
  /^services\/ingest\/feed\/connection\/web-socket-dialer\.ts$/,
  /^services\/ingest\/feed\/rest\/fetch-rest-client\.ts$/,
  /^services\/gateway\/transport\/(uws|node)\/(uws|node)-transport\.ts$/,
  /^services\/bus\/nats-bus\.ts$/,
  /^clients\/typescript\/src\/environment\.ts$/,
];

/** Time, randomness, environment and output are arguments everywhere but at the edge. */
export function checkEffects(file: SourceFile): string[] {
  if (isTest(file.path) || !inSource(file.path) || !isCode(file.path)) return [];
  if (EFFECT_FILES.some((pattern) => pattern.test(file.path))) return [];
  const code = withoutComments(file.text);
  return EFFECTS.filter((effect) => effect.pattern.test(code)).map(
    (effect) => `${file.path} uses ${effect.name}; take it as an argument`,
  );
}

const LINES_MAX = 500;
const TEST_LINES_MAX = 800;
const COLUMNS_MAX = 100;

/** Files stay small enough to read, lines short enough to compare. */
export function checkSize(file: SourceFile): string[] {
  if (!file.path.endsWith(".ts") || isGenerated(file.path)) return [];
  const lines = file.text.split("\n");
  const linesMax = isTest(file.path) ? TEST_LINES_MAX : LINES_MAX;
  const problems: string[] = [];
  if (lines.length > linesMax) {
    problems.push(`${file.path} has ${lines.length} lines, more than ${linesMax}`);
  }
  lines.forEach((line, index) => {
    // A quoted payload or an address cannot be broken.
    if (line.length > COLUMNS_MAX && !/["'`/]\S{40,}|https?:|["'`{]/.test(line)) {
      problems.push(`${file.path}:${index + 1} has ${line.length} columns`);
    }
  });
  return problems;
}

/** Unfinished marks, focused tests and sleeping do not land. */
export function checkMarks(file: SourceFile): string[] {
  if (!/\.(ts|mjs|proto)$/.test(file.path) || isGenerated(file.path)) return [];
  if (file.path.startsWith("test/tidy/")) return [];
  const problems: string[] = [];
  if (/\b(FIXME|TODO|XXX)\b/.test(file.text)) problems.push(`${file.path} has an unfinished mark`);
  if (/\b(it|test|describe)\.(only|todo)\b/.test(file.text)) {
    problems.push(`${file.path} focuses or postpones a test`);
  }
  if (/catch\s*(\([^)]*\))?\s*\{\s*\}/.test(file.text)) {
    problems.push(`${file.path} swallows an error without a word`);
  }
  if (isCode(file.path) && /^\s*(export\s+)?(const\s+)?enum\s/m.test(file.text)) {
    problems.push(`${file.path} has an enum; use a constant object`);
  }
  return problems;
}

const BANNED_NAMES = /(^|[-/])(utils?|helpers?|managers?|common)(\.|-|\/)/;

/** Files are nouns of the domain. */
export function checkName(file: SourceFile): string[] {
  return inSource(file.path) && BANNED_NAMES.test(file.path)
    ? [`${file.path} is named for nothing`]
    : [];
}

/** A venue's quirks stay in the venue's file. */
export function checkVenueNames(file: SourceFile, venues: readonly string[]): string[] {
  if (!file.path.startsWith("services/ingest/feed/") || isTest(file.path)) return [];
  const code = withoutComments(file.text).toLowerCase();
  return venues
    .filter((venue) => new RegExp(`\\b${venue}\\b`).test(code))
    .map((venue) => `${file.path} names the venue ${venue}`);
}

/** Generated files say so in their first lines. */
export function checkGenerated(file: SourceFile): string[] {
  if (!isGenerated(file.path)) return [];
  return /GENERATED/.test(file.text.slice(0, 400)) ? [] : [`${file.path} lacks the banner`];
}

/** One H1 a document, and its relative links lead somewhere. */
export function checkMarkdown(file: SourceFile, exists: (path: string) => boolean): string[] {
  if (!file.path.endsWith(".md")) return [];
  const prose = file.text.replace(/```[\s\S]*?```/g, "");
  const problems: string[] = [];
  const headings = prose.split("\n").filter((line) => line.startsWith("# ")).length;
  if (headings !== 1) problems.push(`${file.path} has ${headings} first-level headings, not 1`);
  for (const match of prose.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)) {
    const target = match[1] ?? "";
    if (/^[a-z]+:/.test(target)) continue;
    if (!exists(joinPath(file.path, target))) {
      problems.push(`${file.path} links to ${target}, which is not there`);
    }
  }
  return problems;
}

/** The lockfile names no download address. */
export function checkLockfile(file: SourceFile): string[] {
  if (!file.path.endsWith("package-lock.json")) return [];
  return /"resolved": "https?:/.test(file.text)
    ? [`${file.path} has download addresses; .npmrc keeps them out`]
    : [];
}

/** Source files that nothing imports and nothing starts. */
export function findOrphans(files: readonly SourceFile[], entries: readonly RegExp[]): string[] {
  const imported = new Set<string>();
  // What only a test uses is dead.
  for (const file of files.filter(({ path }) => !isTest(path))) {
    for (const specifier of importsOf(file)) imported.add(resolveSpecifier(file.path, specifier));
  }
  return files
    .filter((file) => inSource(file.path) && file.path.endsWith(".ts") && !isTest(file.path))
    .filter((file) => !isGenerated(file.path) && !imported.has(file.path))
    .filter((file) => !entries.some((entry) => entry.test(file.path)))
    .map((file) => `${file.path} is imported by nothing`);
}

function resolveSpecifier(from: string, specifier: string): string {
  if (specifier.startsWith("#test/")) return specifier.slice(1);
  if (specifier.startsWith("#")) return `services/${specifier.slice(1)}`;
  if (specifier.startsWith(".")) return joinPath(from, specifier);
  return specifier;
}

function joinPath(from: string, target: string): string {
  const parts = from.split("/").slice(0, -1);
  for (const part of target.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "." && part !== "") parts.push(part);
  }
  return parts.join("/");
}

function isCode(path: string): boolean {
  return /\.(ts|mjs|js)$/.test(path);
}

function inServices(path: string): boolean {
  return path.startsWith("services/");
}

function inSource(path: string): boolean {
  return /^(services|proto|clients)\//.test(path);
}

function isTest(path: string): boolean {
  return /\.test\.ts$|(^|\/)test\//.test(path);
}

function isGenerated(path: string): boolean {
  return path.startsWith("proto/gen/");
}

/** Good enough for rules about identifiers: block comments and whole-line comments go. */
function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|\s)\/\/.*$/gm, "$1");
}
