import { z } from "zod";

/**
 * For a tree that is checked once, with which a start begins: a schema would compile a function
 * for it first, which takes longer than the check.
 */
export const CHECKED_ONCE = { jitless: true } as const;

/** Every environment variable of Tickwire starts with this. */
export const VARIABLE_PREFIX = "TICKWIRE_";

/** One setting of a configuration tree. */
export type ConfigVariable = {
  /** From the root of the tree, such as `["gateway", "port"]`. */
  readonly path: readonly string[];
  /** The path with dots, as in files, messages and `--set`. */
  readonly key: string;
  /** The environment variable, such as `TICKWIRE_GATEWAY__PORT`. */
  readonly variable: string;
  /** What it takes, in words. */
  readonly type: string;
  /** As JSON; undefined if it has none. */
  readonly defaultText: string | undefined;
  /** From the schema's description; empty if it has none. */
  readonly doc: string;
  /**
   * The value for a text of an environment variable; the text itself if it is not of the right
   * form.
   */
  readonly parseText: (text: string) => unknown;
};

/** The part of JSON Schema that a configuration uses. */
type JsonSchema = {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly const?: string | number | boolean | null;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
  readonly minimum?: number;
  readonly maximum?: number;
};

/** A setting that somebody gives as text. */
type GivenSetting = Pick<ConfigVariable, "path" | "parseText">;

/**
 * The setting at a dotted key, or of an environment variable; undefined if there is none. Looks at
 * nothing else of the tree: a start has no time for all of it.
 */
export function findSetting(
  schema: z.ZodType,
  sought: { readonly key: string } | { readonly variable: string },
): GivenSetting | undefined {
  const isKey = "key" in sought;
  if (!isKey && !sought.variable.startsWith(VARIABLE_PREFIX)) return undefined;
  const parts = isKey
    ? sought.key.split(".")
    : sought.variable.slice(VARIABLE_PREFIX.length).split("__");
  const path: string[] = [];
  let at: z.core.$ZodType = schema;
  for (const part of parts) {
    const shape = shapeOf(at);
    const names = shape === undefined ? [] : Object.keys(shape);
    const name = names.find((each) => (isKey ? each : variablePart(each)) === part);
    if (shape === undefined || name === undefined) return undefined;
    path.push(name);
    at = shape[name] as z.core.$ZodType;
  }
  if (shapeOf(at) !== undefined) return undefined;
  const leaf = jsonSchemaOf(at);
  return { path, parseText: (text) => parseText(text, leaf) };
}

/** What a schema's values may be left out of or replaced by, which says nothing of their names. */
const WRAPPERS: ReadonlySet<string> = new Set(["default", "prefault", "optional", "readonly"]);

/** The settings of a group; undefined for what is a setting itself. */
function shapeOf(schema: z.core.$ZodType): Readonly<Record<string, unknown>> | undefined {
  let { def } = (schema as z.core.$ZodTypes)._zod;
  for (;;) {
    if (def.type === "object") return def.shape;
    const inner = WRAPPERS.has(def.type) ? (def as z.core.$ZodOptionalDef).innerType : undefined;
    if (inner === undefined) return undefined;
    ({ def } = (inner as z.core.$ZodTypes)._zod);
  }
}

function jsonSchemaOf(schema: z.core.$ZodType): JsonSchema {
  const options = { io: "input", unrepresentable: "any", reused: "inline" } as const;
  return z.toJSONSchema(schema, options) as JsonSchema;
}

/**
 * Every setting of a tree of strict objects, in the schema's order. A list, a record or a union is
 * one setting: lists of plain values are written `a,b`, anything else as JSON.
 */
export function listVariables(schema: z.ZodType): ConfigVariable[] {
  const root = jsonSchemaOf(schema);
  const defaults = schema.safeParse({}, CHECKED_ONCE);
  const variables: ConfigVariable[] = [];
  collect(root, [], defaults.success ? defaults.data : undefined, variables);
  return variables;
}

/**
 * The environment variable of a path: `["gateway", "bytesMax"]` is `TICKWIRE_GATEWAY__BYTES_MAX`.
 */
function variableOf(path: readonly string[]): string {
  return VARIABLE_PREFIX + path.map(variablePart).join("__");
}

function variablePart(name: string): string {
  return name.replace(/([a-z0-9])([A-Z])/g, "$1_$2").toUpperCase();
}

function collect(
  schema: JsonSchema,
  path: readonly string[],
  defaultValue: unknown,
  into: ConfigVariable[],
): void {
  if (schema.properties !== undefined) {
    for (const [name, property] of Object.entries(schema.properties)) {
      const inner = isRecord(defaultValue) ? defaultValue[name] : undefined;
      collect(property, [...path, name], inner ?? property.default, into);
    }
    return;
  }
  into.push({
    path,
    key: path.join("."),
    variable: variableOf(path),
    type: describeType(schema),
    defaultText: defaultValue === undefined ? undefined : JSON.stringify(defaultValue),
    doc: schema.description ?? "",
    parseText: (text) => parseText(text, schema),
  });
}

function describeType(schema: JsonSchema): string {
  const options = alternatives(schema);
  const [only] = options;
  if (options.length > 1) return options.map(describeType).join(" or ");
  if (only === undefined) return "JSON";
  if (only.enum !== undefined) return only.enum.map(String).join(" \\| ");
  if (only.const !== undefined) return String(only.const);
  switch (only.type) {
    case "integer":
    case "number":
      return `${only.type}${describeRange(only)}`;
    case "string":
      return "text";
    case "boolean":
      return "true \\| false";
    case "array":
      return isPlain(only.items) ? `list of ${describeType(only.items ?? {})}` : "JSON list";
    case "object":
      return "JSON object";
    case "null":
      return "null";
    case undefined:
    default:
      return "JSON";
  }
}

function describeRange(schema: JsonSchema): string {
  const minimum = isBound(schema.minimum) ? schema.minimum : undefined;
  const maximum = isBound(schema.maximum) ? schema.maximum : undefined;
  if (minimum === undefined && maximum === undefined) return "";
  if (maximum === undefined) return ` ≥ ${minimum}`;
  if (minimum === undefined) return ` ≤ ${maximum}`;
  return ` ${minimum} to ${maximum}`;
}

/** False for the bounds of safe integers, which every whole number has. */
function isBound(value: number | undefined): boolean {
  return value !== undefined && Math.abs(value) < Number.MAX_SAFE_INTEGER;
}

function parseText(text: string, schema: JsonSchema): unknown {
  for (const option of alternatives(schema)) {
    const value = parseAs(text, option);
    if (value !== undefined) return value;
  }
  return text;
}

function parseAs(text: string, schema: JsonSchema): unknown {
  const choices = schema.enum ?? (schema.const === undefined ? undefined : [schema.const]);
  if (choices !== undefined) return choices.find((choice) => String(choice) === text);
  switch (schema.type) {
    case "boolean":
      return text === "true" ? true : text === "false" ? false : undefined;
    case "integer":
    case "number":
      return /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined;
    case "string":
      return text;
    case "null":
      return text === "null" ? null : undefined;
    case "array":
      if (isPlain(schema.items) && !text.trimStart().startsWith("[")) {
        return splitList(text).map((part) => parseText(part, schema.items ?? {}));
      }
      return parseJson(text);
    case undefined:
    default:
      return parseJson(text);
  }
}

function alternatives(schema: JsonSchema): readonly JsonSchema[] {
  if (schema.anyOf !== undefined) return schema.anyOf.flatMap(alternatives);
  const { type } = schema;
  if (typeof type !== "object") return [schema];
  return type.map((one) => ({ ...schema, type: one }));
}

function isPlain(schema: JsonSchema | undefined): boolean {
  if (schema === undefined) return false;
  return alternatives(schema).every(
    (option) => option.type !== "object" && option.type !== "array",
  );
}

function splitList(text: string): string[] {
  return text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON: the text stays as it is, and the schema says what is wrong with it.
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
