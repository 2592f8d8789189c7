import { describe, expect, test } from "vitest";
import { z } from "zod";
import { configSchema } from "./config.ts";
import { findSetting, listVariables } from "./config-variables.ts";
import { ConfigError } from "./config-error.ts";
import { loadConfig, type ConfigSources } from "./load-config.ts";

const SCHEMA = z.strictObject({
  gateway: z
    .strictObject({
      port: z.int().min(0).max(65535).default(8080).describe("Where it listens."),
      outboundBytesMax: z.int().min(1).default(1000),
      compression: z.boolean().default(true),
      origins: z.array(z.string()).default([]),
      kind: z.enum(["uws", "node"]).default("uws"),
      ratio: z.number().max(1).optional(),
      address: z.union([z.string(), z.null()]).default(null),
    })
    .prefault({}),
  venues: z.record(z.string(), z.strictObject({ symbols: z.array(z.string()) })).default({}),
});

const load = (sources: ConfigSources) => loadConfig(SCHEMA, sources);

function problemsOf(sources: ConfigSources): string[] {
  try {
    load(sources);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ key, problem, origin }) => `${key}: ${problem} (${origin})`);
  }
  return [];
}

const file = (value: unknown) => ({ name: "c.json", text: JSON.stringify(value) });

test("without sources there are the defaults, frozen to the bottom", () => {
  const config = load({});
  expect(config.gateway.port).toBe(8080);
  expect(Object.isFrozen(config.gateway)).toBe(true);
  expect(Object.isFrozen(config.gateway.origins)).toBe(true);
});

test("flags win over environment, environment over file, file over defaults", () => {
  const sources = {
    file: file({ gateway: { port: 1, outboundBytesMax: 1, compression: false } }),
    environment: { TICKWIRE_GATEWAY__PORT: "2", TICKWIRE_GATEWAY__OUTBOUND_BYTES_MAX: "2" },
    flags: [{ flag: "--port", key: "gateway.port", value: "3" }],
  };
  const { gateway } = load(sources);
  expect(gateway).toMatchObject({ port: 3, outboundBytesMax: 2, compression: false, kind: "uws" });
});

test("a program's own defaults lie between the schema's and the user's", () => {
  const defaults = { gateway: { port: 5, kind: "node" } };
  const { gateway } = load({ defaults, file: file({ gateway: { port: 6 } }) });
  expect(gateway).toMatchObject({ port: 6, kind: "node", outboundBytesMax: 1000 });
});

test("objects merge by key and lists are replaced", () => {
  const config = load({
    file: file({ gateway: { origins: ["a", "b"] }, venues: { kraken: { symbols: ["X"] } } }),
    environment: {
      TICKWIRE_GATEWAY__ORIGINS: "c",
      TICKWIRE_VENUES: '{"binance":{"symbols":["Y"]}}',
    },
  });
  expect(config.gateway.origins).toEqual(["c"]);
  expect(Object.keys(config.venues)).toEqual(["kraken", "binance"]);
});

test.each([
  ["TICKWIRE_GATEWAY__COMPRESSION", "false", "compression", false],
  ["TICKWIRE_GATEWAY__ORIGINS", "", "origins", []],
  ["TICKWIRE_GATEWAY__ORIGINS", "a, b", "origins", ["a", "b"]],
  ["TICKWIRE_GATEWAY__ORIGINS", '["a,b"]', "origins", ["a,b"]],
  ["TICKWIRE_GATEWAY__KIND", "node", "kind", "node"],
  ["TICKWIRE_GATEWAY__RATIO", "0.5", "ratio", 0.5],
  ["TICKWIRE_GATEWAY__ADDRESS", "null", "address", "null"],
  ["TICKWIRE_GATEWAY__ADDRESS", "42", "address", "42"],
])("%s=%s is read by the type of its key", (name, text, key, expected) => {
  const { gateway } = load({ environment: { [name]: text } });
  expect((gateway as Record<string, unknown>)[key]).toEqual(expected);
});

test("every bad key is named at once, with where it came from", () => {
  const problems = problemsOf({
    file: file({ gateway: { kind: "quic", nonsense: 1 }, other: true }),
    environment: {
      TICKWIRE_GATEWAY__PORT: "many",
      TICKWIRE_GATEWAY__PROT: "1",
      TICKWIRE_GATEWAY__RATIO: "2",
    },
    flags: [
      { flag: "--bytes", key: "gateway.outboundBytesMax", value: "0" },
      { flag: "--set", key: "gateway.absent", value: "1" },
    ],
  });
  const [unknown, ...rest] = problems;
  expect(unknown).toBe(
    "TICKWIRE_GATEWAY__PROT: unknown variable; did you mean TICKWIRE_GATEWAY__PORT? (environment)",
  );
  expect(rest.toSorted()).toEqual([
    "gateway.absent: unknown key (flag --set)",
    expect.stringMatching(/^gateway\.kind: .*"uws"\|"node".*\(file c\.json\)$/),
    "gateway.nonsense: unknown key (file c.json)",
    expect.stringMatching(/^gateway\.outboundBytesMax: .*\(flag --bytes\)$/),
    expect.stringMatching(/^gateway\.port: .*number.*\(environment TICKWIRE_GATEWAY__PORT\)$/),
    expect.stringMatching(/^gateway\.ratio: .*\(environment TICKWIRE_GATEWAY__RATIO\)$/),
    "other: unknown key (file c.json)",
  ]);
});

test.each([
  [0, true],
  [65535, true],
  [-1, false],
  [65536, false],
])("a bound holds just at and beyond it: port %i", (port, good) => {
  expect(problemsOf({ file: file({ gateway: { port } }) }).length === 0).toBe(good);
});

test("inside a list or record the origin is that of the whole value", () => {
  const problems = problemsOf({ environment: { TICKWIRE_VENUES: '{"x":{"symbols":[1]}}' } });
  expect(problems).toEqual([
    expect.stringMatching(/^venues\.x\.symbols\.0: .*\(environment TICKWIRE_VENUES\)$/),
  ]);
});

test("a file that is no JSON object is one problem that names it", () => {
  expect(problemsOf({ file: { name: "c.json", text: "{" } })).toEqual([
    expect.stringMatching(/^c\.json: not JSON: /),
  ]);
  expect(problemsOf({ file: { name: "c.json", text: "[]" } })).toEqual([
    "c.json: not a JSON object (file)",
  ]);
});

test("a key that would reach the prototype is refused and changes nothing", () => {
  const text = '{"gateway":{"__proto__":{"polluted":true}}}';
  expect(problemsOf({ file: { name: "c.json", text } })).toEqual([
    "gateway.__proto__: unknown key (file c.json)",
  ]);
  expect("polluted" in {}).toBe(false);
});

test("variables of other programs and ignored ones are left alone", () => {
  const environment = { PATH: "x", TICKWIRE_TEST_ONLY: "1" };
  expect(problemsOf({ environment, ignoredVariables: ["TICKWIRE_TEST_ONLY"] })).toEqual([]);
  expect(problemsOf({ environment })).toHaveLength(1);
});

test("the list of variables has names, types, defaults and descriptions", () => {
  const variables = listVariables(SCHEMA);
  expect(variables.map((variable) => variable.variable)).toEqual([
    "TICKWIRE_GATEWAY__PORT",
    "TICKWIRE_GATEWAY__OUTBOUND_BYTES_MAX",
    "TICKWIRE_GATEWAY__COMPRESSION",
    "TICKWIRE_GATEWAY__ORIGINS",
    "TICKWIRE_GATEWAY__KIND",
    "TICKWIRE_GATEWAY__RATIO",
    "TICKWIRE_GATEWAY__ADDRESS",
    "TICKWIRE_VENUES",
  ]);
  expect(variables[0]).toMatchObject({
    key: "gateway.port",
    type: "integer 0 to 65535",
    defaultText: "8080",
    doc: "Where it listens.",
  });
  expect(variables.map((variable) => variable.type).slice(1)).toEqual([
    "integer ≥ 1",
    "true \\| false",
    "list of text",
    "uws \\| node",
    "number ≤ 1",
    "text or null",
    "JSON object",
  ]);
  expect(variables[5]?.defaultText).toBeUndefined();
});

/** What settings read differently, or not at all. */
const TEXTS = ["", "7", "-1.5", "true", "null", "a", "a,b", "[1]", '{"a":1}', "x-17", "uws"];

describe("a setting that is looked up alone", () => {
  test.each([
    { name: "of the test", schema: SCHEMA },
    { name: "of the program", schema: configSchema },
  ])("reads texts as it does in the list: $name", ({ schema }) => {
    for (const listed of listVariables(schema)) {
      for (const sought of [{ key: listed.key }, { variable: listed.variable }]) {
        const found = findSetting(schema, sought);
        expect(found?.path).toEqual(listed.path);
        const read = TEXTS.map((text) => found?.parseText(text));
        expect(read).toEqual(TEXTS.map((text) => listed.parseText(text)));
      }
    }
  });

  test.each(["gateway", "", "gateway.", "gateway.port.x", "nothing", "gateway.constructor"])(
    "is not there at %j",
    (key) => {
      expect(findSetting(SCHEMA, { key })).toBeUndefined();
    },
  );

  test.each(["PATH", "TICKWIRE_", "TICKWIRE_GATEWAY", "TICKWIRE_GATEWAY__port"])(
    "is not what %j names",
    (variable) => {
      expect(findSetting(SCHEMA, { variable })).toBeUndefined();
    },
  );
});

test("a variable's name follows from its path", () => {
  const schema = z.strictObject({
    log: z.strictObject({ level: z.string() }),
    a: z.strictObject({ silenceMsMax: z.number() }),
  });
  expect(listVariables(schema).map(({ variable }) => variable)).toEqual([
    "TICKWIRE_LOG__LEVEL",
    "TICKWIRE_A__SILENCE_MS_MAX",
  ]);
});
