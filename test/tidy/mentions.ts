/** Names in documents: settings, metrics, commands with their options, and close codes exist. */

import { isGenerated, type SourceFile } from "./source-files.ts";

/** What there is, read off the pages that are made of the program itself. */
interface Known {
  readonly settings: ReadonlySet<string>;
  readonly metrics: ReadonlySet<string>;
  /** The options of each command; a command within another one as `token make`. */
  readonly commands: ReadonlyMap<string, ReadonlySet<string>>;
  readonly closeCodes: ReadonlySet<string>;
}

/** Documents that tell of earlier versions, where names may be gone. */
const OF_BEFORE = /(^|\/)CHANGELOG\.md$|^docs\/adr\//;

const SECTIONS = "bus|streamLog|ingest|derive|gateway|admin|log|shutdown";
const SETTING = new RegExp(
  `(?:\`|--set '?)((?:${SECTIONS})\\.[a-zA-Z][a-zA-Z.]*[a-zA-Z])(?=[\`=])`,
  "g",
);
const METRIC = /\btickwire_[a-z]+_[a-z_]+\b/g;
const COMMAND = /(?:^|`|\$\(|&& )(?:npx )?tickwire ((?:token |keys )?[a-z][a-z-]*)([^\n`]*)/gm;
const CLOSE_CODE = /\b4(?:00|01|50|51)\d\b/g;

/** Reads the generated reference pages. */
export function readKnown(files: readonly SourceFile[]): Known {
  const textOf = (path: string): string => files.find((file) => file.path === path)?.text ?? "";
  const rowsOf = (path: string): string[] =>
    [...textOf(path).matchAll(/^\| `([^`]+)`/gm)].map((match) => match[1] ?? "");
  const commands = new Map<string, ReadonlySet<string>>();
  for (const section of textOf("docs/cli.md")
    .split(/^### tickwire /m)
    .slice(1)) {
    const [name = ""] = section.split("\n");
    commands.set(name, new Set(section.match(/--[a-z][a-z-]*/g)));
  }
  return {
    settings: new Set(rowsOf("docs/configuration.md")),
    metrics: new Set(rowsOf("docs/metrics.md")),
    commands,
    closeCodes: new Set(
      [...textOf("proto/README.md").matchAll(/^\| (4\d{3}) \|/gm)].map((match) => match[1] ?? ""),
    ),
  };
}

/** What a document names that is not there. */
export function checkMentions(file: SourceFile, known: Known): string[] {
  if (!file.path.endsWith(".md") || isGenerated(file.path) || OF_BEFORE.test(file.path)) return [];
  const { text } = file;
  const problems: string[] = [];
  for (const [, key = ""] of text.matchAll(SETTING)) {
    if (!isSetting(key, known.settings)) problems.push(`the setting ${key}`);
  }
  for (const [name] of text.matchAll(METRIC)) {
    if (!isMetric(name, known.metrics)) problems.push(`the metric ${name}`);
  }
  for (const [, name = "", rest = ""] of text.matchAll(COMMAND)) {
    const options = known.commands.get(name);
    if (options === undefined) {
      problems.push(`the command ${name}`);
      continue;
    }
    const [own = ""] = rest.split(/[|;#]| && | > /);
    for (const option of own.match(/(?<=\s)--[a-z][a-z-]*/g) ?? []) {
      if (!options.has(option) && !EVERYWHERE.has(option)) {
        problems.push(`the option ${option} of ${name}`);
      }
    }
  }
  for (const [code] of text.matchAll(CLOSE_CODE)) {
    if (!known.closeCodes.has(code)) problems.push(`the close code ${code}`);
  }
  return problems.map((problem) => `${file.path} names ${problem}, which is not there`);
}

/** Options that every command has. */
const EVERYWHERE: ReadonlySet<string> = new Set(["--help", "--color", "--no-color"]);

/** A key or a group of keys; what looks like one and is the name of a source file is none. */
function isSetting(name: string, settings: ReadonlySet<string>): boolean {
  if (name.endsWith(".ts")) return true;
  for (const key of settings) {
    if (key === name || key.startsWith(`${name}.`)) return true;
  }
  return false;
}

/** A metric, a series of a histogram, or what several names begin with. */
function isMetric(name: string, metrics: ReadonlySet<string>): boolean {
  if (metrics.has(name) || metrics.has(name.replace(/_(bucket|sum|count)$/, ""))) return true;
  return name.endsWith("_") && [...metrics].some((metric) => metric.startsWith(name));
}
