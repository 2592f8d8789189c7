// One more field of an event is one line of the schema: on a copy of proto/, with that line, the
// field travels, is read by protobufjs, and is in the client's events and in what is printed.
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import protobuf from "protobufjs";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type * as Codec from "@tickwire/proto/codec";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const FILES = ["tickwire", "generator", "generate.mjs", "package.json", "codec", "model"];
// Inside the package of the client, which exports it to nobody.
const EVENTS = "clients/typescript/src/events/row-event.ts";
type EventOf = (kind: object, info: object, batch: object, index: number) => object;
const CANDLE = path.join("proto", "tickwire/v1/candle.proto");
const BATCH = path.join("proto", "tickwire/v1/batch.proto");

let copy = "";

beforeAll(() => {
  // Below the repository, whose configuration says how TypeScript is run.
  copy = mkdtempSync(path.join(ROOT, "node_modules/.added-field-"));
  for (const name of FILES) {
    cpSync(path.join(ROOT, "proto", name), path.join(copy, "proto", name), { recursive: true });
  }
  symlinkSync(path.join(ROOT, "node_modules"), path.join(copy, "node_modules"), "junction");
  const candle = path.join(copy, CANDLE);
  const text = readFileSync(candle, "utf8");
  writeFileSync(candle, text.replace(/}\s*$/, "  optional string twap = 13;\n}\n"));
  const { stderr } = spawnSync(process.execPath, [path.join(copy, "proto/generate.mjs")], {
    encoding: "utf8",
  });
  if (stderr !== "") throw new Error(stderr);
});

afterAll(() => {
  vi.doUnmock("@tickwire/proto/model");
  rmSync(copy, { recursive: true, force: true });
});

const TIMES = { venueTimeUs: undefined, receivedTimeUs: 1_767_225_600_000_000 };
const CANDLES = ["1.25", undefined].map((twap) => ({
  ...TIMES,
  intervalMs: 60_000,
  openTimeUs: TIMES.receivedTimeUs,
  open: "1",
  high: "2",
  low: "1",
  close: "2",
  volume: "3",
  closed: true,
  twap,
}));

test("gives the batch a column and changes no number that was given", () => {
  const before = readFileSync(path.join(ROOT, BATCH), "utf8").split("\n");
  const after = readFileSync(path.join(copy, BATCH), "utf8").split("\n");
  const added = after.filter((line) => !before.includes(line) || line.endsWith("Of candles."));
  expect(added.filter((line) => line.includes("="))).toEqual([
    expect.stringMatching(/^ {2}repeated sint64 twaps = \d+;$/),
  ]);
  expect(after).toHaveLength(before.length + 2);
});

test("travels in batches, and protobufjs finds it in its column", async () => {
  const codec = (await import(path.join(copy, "proto/codec/index.ts"))) as typeof Codec;
  const writer = new codec.BatchWriter({ kind: "candles", epoch: 1 });
  const init = { publishedTimeUs: TIMES.receivedTimeUs };
  const batches = writer.write({ kind: "candles", rows: CANDLES }, init);
  const rows = batches.flatMap((batch): readonly object[] => {
    return codec.rowsOf(codec.readBusEvents(batch)).rows;
  });
  expect(rows).toEqual(CANDLES);

  const root = new protobuf.Root();
  root.resolvePath = (_, target) => path.resolve(copy, "proto", target);
  root.loadSync(path.join(copy, "proto/tickwire/bus/v1/bus.proto"));
  const more = writer.write({ kind: "candles", rows: [CANDLES[0]!] }, init)[0]!;
  const next = { ...CANDLES[0]!, twap: "1.5" };
  const changed = writer.write({ kind: "candles", rows: [next] }, init)[0]!;
  const messages = [more, changed].map(({ bytes, start, end }) =>
    root.lookupType("tickwire.bus.v1.BusBatch").decode(bytes.subarray(start, end)).toJSON(),
  );
  // From 1.25 to 1.5 at the scale of 2 that the base says.
  expect(messages[1]).toMatchObject({ batch: { twaps: ["25"] } });
});

test("is in what is printed and in what the client hands on", async () => {
  vi.resetModules();
  vi.doMock("@tickwire/proto/model", () => import(path.join(copy, "proto/model/index.ts")));
  const { EventJson } = await import("#wire/event-json.ts");
  const { rowEvent } = (await import(path.join(ROOT, EVENTS))) as { rowEvent: EventOf };
  const { EVENT_KINDS } = await import("@tickwire/proto/model");
  const kind = EVENT_KINDS.find(({ type }) => type === "candle")!;
  const source = { venue: "v", symbol: "A", venueSymbol: "A" };
  const head = { epoch: 1, sequence: 1 };
  const printed = CANDLES.map((row) =>
    new EventJson().format(source, head, { type: "candle", row }),
  );
  expect(printed.map((line) => (JSON.parse(line) as { twap?: string }).twap)).toEqual([
    "1.25",
    undefined,
  ]);
  const batch = {
    topicId: 1,
    epoch: 1,
    firstSequence: 1,
    count: 2,
    skipped: 0,
    snapshot: false,
    publishedTimeUs: 1,
    receivedTimesUs: [1, 1],
    venueTimesUs: [undefined, undefined],
    kind: "candles" as const,
    rows: CANDLES,
  };
  const info = { ...source, topic: "v:A/candles", channel: "candles" as const };
  expect([0, 1].map((index) => rowEvent(kind, info, batch, index))).toMatchObject([
    { twap: 1.25, twapText: "1.25", closeText: "2" },
    { twap: undefined, twapText: undefined },
  ]);
});
