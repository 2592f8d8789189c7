import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { apiReport, surfaceOf } from "../support/client-api.mjs";
import { declarationsIn, exportedNames, undocumentedNames } from "../support/client-docs.mjs";

const REPORT = join(import.meta.dirname, "../../clients/typescript/api.txt");

test("the public surface of the client is the one under version control", async () => {
  // Where this fails the surface changed: `node test/support/client-api.mjs` writes the new one,
  // for its reader to see what users will.
  expect(apiReport()).toBe(await readFile(REPORT, "utf8"));
});

test("everything that a user can see says what it is", () => {
  const entries = ["index", "streams", "ticks", "lite", "rpc", "shared-worker"];
  const names = new Set(entries.flatMap((entry) => [...surfaceOf(`${entry}.d.ts`).keys()]));
  const client = declarationsIn("clients/typescript/dist");
  const missing = client.flatMap((file) => undocumentedNames(file, (name) => names.has(name)));
  for (const folder of ["codec", "model"]) {
    const exported = exportedNames(`proto/dist/${folder}/index.d.ts`);
    expect(exported.size).toBeGreaterThan(20);
    const files = declarationsIn(`proto/dist/${folder}`);
    const lacking = files.flatMap((file) => undocumentedNames(file, (name) => exported.has(name)));
    // Of what a codec is made of, the names are enough; fields of messages are in the schema.
    missing.push(...lacking.filter((name) => !name.includes(".d.ts: ") || !/\w\.\w+$/.test(name)));
  }
  expect(missing).toEqual([]);
  expect(names.size).toBeGreaterThan(80);
});

test("what says nothing would be found", () => {
  const lines = [
    "/** It says what it is. */",
    "export type Told = {",
    "    /** So does this. */",
    "    readonly told: string;",
    "    readonly untold: string;",
    "};",
    "export declare class Untold {",
    "    #private;",
    "    constructor(told: string);",
    "    /** The same by two names. */",
    "    get told(): string;",
    "    set told(value: string);",
    "    untold(): void;",
    "}",
    "export type Hidden = { a: 1 };",
  ];
  expect(undocumentedNames({ file: "a.d.ts", lines }, (name) => name !== "Hidden")).toEqual([
    "a.d.ts: Told.untold",
    "a.d.ts: Untold",
    "a.d.ts: Untold.untold",
  ]);
});

test("the report has everything that a user can see, and nothing that nobody can", () => {
  const surface = surfaceOf("index.d.ts");
  const text = (name: string) => surface.get(name)?.text;
  expect(text("Trade")).toBe('type Trade = EventHead<"trade"> & TradeFields;');
  expect(text("TradeFields")).toContain("readonly priceText: string;");
  expect(text("EventHead")).toContain("readonly venueTimeUs: number | undefined;");
  expect(text("dateOfUs")?.split("\n")).toHaveLength(2);
  expect(text("RpcError")).toContain("constructor(");
  expect(text("CHANNELS")).toBe("declare const CHANNELS: ChannelList;");
  expect(text("ChannelList")).toContain('"mark-price"');
  expect(text("LiveBook")).toContain("snapshot(depth?: number): BookSnapshot;");
  for (const name of ["LiveBook", "EventStream", "Client", "Trade"]) {
    expect(text(name)).not.toMatch(/#private|constructor|\bfedBy\(|\bpush\(/);
  }
  // A book is changed by its topic alone; a stream has a view that its user may change.
  expect(text("LiveBook")).not.toContain("update(");
  expect(text("EventStream")).toContain("update(options: ViewOptions): void;");
  expect([...surface.keys()]).not.toContain("Session");
});
