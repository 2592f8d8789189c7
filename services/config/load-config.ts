import { didYouMean } from "#core/nearest.ts";
import type { z } from "zod";
import { ConfigError, type ConfigProblem } from "./config-error.ts";
import {
  CHECKED_ONCE,
  findSetting,
  listVariables,
  VARIABLE_PREFIX,
  type ConfigVariable,
} from "./config-variables.ts";

/** A setting from the command line. */
export type ConfigFlag = {
  /** As typed, such as `--port`. */
  readonly flag: string;
  /** Dotted key. */
  readonly key: string;
  /** Text is read like an environment variable's; anything else is taken as it is. */
  readonly value: unknown;
};

export type ConfigSources = {
  /** Settings of the program that asks, below everything that a user gives. */
  readonly defaults?: object;
  /** Text of a JSON file and its name for messages. */
  readonly file?: { readonly name: string; readonly text: string };
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Variables that have the prefix, but are no settings. */
  readonly ignoredVariables?: readonly string[];
  readonly flags?: readonly ConfigFlag[];
};

type Tree = { [name: string]: unknown };

/**
 * Merges defaults (the schema's, then the program's) < file < environment < flags, validates the
 * whole and freezes it. Objects merge by key, lists are replaced. Throws `ConfigError` that names
 * every bad key, with where it came from.
 */
export function loadConfig<Schema extends z.ZodType>(
  schema: Schema,
  sources: ConfigSources,
): z.output<Schema> {
  const merge = new Merge(schema);
  if (sources.defaults !== undefined) merge.addDefaults(sources.defaults);
  if (sources.file !== undefined) merge.addFile(sources.file);
  merge.addEnvironment(sources.environment ?? {}, sources.ignoredVariables ?? []);
  for (const flag of sources.flags ?? []) merge.addFlag(flag);
  const result = schema.safeParse(merge.tree, CHECKED_ONCE);
  const problems = [...merge.problems];
  if (!result.success)
    problems.push(...result.error.issues.flatMap((issue) => merge.explain(issue)));
  if (!result.success || problems.length > 0) throw new ConfigError(problems);
  return freezeDeep(result.data);
}

class Merge {
  readonly tree: Tree = {};
  readonly problems: ConfigProblem[] = [];
  readonly #schema: z.ZodType;
  #listed: readonly ConfigVariable[] | undefined;
  /** Dotted key of each value that was set, and who set it last. */
  readonly #origins = new Map<string, string>();

  constructor(schema: z.ZodType) {
    this.#schema = schema;
  }

  addDefaults(defaults: object): void {
    this.#assign(this.tree, defaults as Tree, [], "default");
  }

  addFile(file: { readonly name: string; readonly text: string }): void {
    const origin = `file ${file.name}`;
    let value: unknown;
    try {
      value = JSON.parse(file.text);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.problems.push({ key: file.name, problem: `not JSON: ${reason}`, origin: "file" });
      return;
    }
    if (isTree(value)) this.#assign(this.tree, value, [], origin);
    else this.problems.push({ key: file.name, problem: "not a JSON object", origin: "file" });
  }

  addEnvironment(
    environment: Readonly<Record<string, string | undefined>>,
    ignored: readonly string[],
  ): void {
    for (const name of Object.keys(environment).toSorted()) {
      const text = environment[name];
      if (text === undefined || !name.startsWith(VARIABLE_PREFIX) || ignored.includes(name))
        continue;
      const variable = findSetting(this.#schema, { variable: name });
      if (variable === undefined) {
        const names = this.#variables().map((each) => each.variable);
        const problem = `unknown variable${didYouMean(name, names)}`;
        this.problems.push({ key: name, problem, origin: "environment" });
      } else {
        this.#set(variable.path, variable.parseText(text), `environment ${name}`);
      }
    }
  }

  addFlag({ flag, key, value }: ConfigFlag): void {
    const parsed =
      typeof value === "string"
        ? (findSetting(this.#schema, { key })?.parseText(value) ?? value)
        : value;
    this.#set(key.split("."), parsed, `flag ${flag}`);
  }

  /** The problems of one zod issue; one for each unknown key. */
  explain(issue: z.core.$ZodIssue): ConfigProblem[] {
    const path = issue.path.map(String);
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map((name) => {
        const key = [...path, name];
        const keys = this.#variables().map((each) => each.key);
        const meant = didYouMean(key.join("."), keys);
        return this.#problem(key, `unknown key${meant}`);
      });
    }
    return [this.#problem(path, issue.message)];
  }

  /** Listed when first asked for: a start without mistakes has no use for the list. */
  #variables(): readonly ConfigVariable[] {
    this.#listed ??= listVariables(this.#schema);
    return this.#listed;
  }

  #problem(path: readonly string[], problem: string): ConfigProblem {
    return { key: path.join(".") || "(whole)", problem, origin: this.#originOf(path) };
  }

  /** Who set the value at a path: itself, else the nearest value around it, else one inside it. */
  #originOf(path: readonly string[]): string {
    for (let length = path.length; length > 0; length--) {
      const origin = this.#origins.get(path.slice(0, length).join("."));
      if (origin !== undefined) return origin;
    }
    const inside = `${path.join(".")}.`;
    for (const [key, origin] of this.#origins) if (key.startsWith(inside)) return origin;
    return "default";
  }

  #set(path: readonly string[], value: unknown, origin: string): void {
    let wrapped = value;
    for (const name of path.toReversed()) wrapped = { [name]: wrapped };
    this.#assign(this.tree, wrapped as Tree, [], origin);
  }

  #assign(target: Tree, source: Tree, path: readonly string[], origin: string): void {
    for (const [name, value] of Object.entries(source)) {
      const inner = [...path, name];
      if (name === "__proto__") {
        this.problems.push({ key: inner.join("."), problem: "unknown key", origin });
        continue;
      }
      const existing = target[name];
      if (isTree(value) && isTree(existing)) {
        this.#assign(existing, value, inner, origin);
      } else if (isTree(value)) {
        const copy: Tree = {};
        target[name] = copy;
        this.#origins.set(inner.join("."), origin);
        this.#assign(copy, value, inner, origin);
      } else {
        target[name] = value;
        this.#origins.set(inner.join("."), origin);
      }
    }
  }
}

function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function freezeDeep<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const inner of Object.values(value)) freezeDeep(inner);
  return value;
}
