// The specification's examples, which are proto/vectors too, mean to our reader and to readers on
// two other protobuf libraries what stands beside them; and everything that our writer writes means
// the same to all three.
import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync, rmSync } from "node:fs";
import { BatchWriter, elementLength, putElement } from "@tickwire/proto/codec";
import type { BatchRows, BusBatch } from "@tickwire/proto/codec";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { topicHistories } from "#test/support/wire-arbitraries.ts";
import { ChainClient, ReferenceClient } from "#test/support/wire-client.ts";
import type { Resume, WireClient } from "#test/support/wire-client.ts";
import { decodersOf, loadWireSchema, runBuf, schemaFolder } from "#test/support/wire-schema.ts";

type Vector = {
  readonly name: string;
  readonly steps: readonly {
    readonly resume?: Resume;
    readonly frame: string;
    readonly batches: readonly unknown[];
  }[];
};

const folder = new URL("../../proto/vectors/", import.meta.url);
const vectors = readdirSync(folder).map(
  (file) => JSON.parse(readFileSync(new URL(file, folder), "utf8")) as Vector,
);
const decoders = decodersOf(loadWireSchema());
const clients: readonly [string, () => WireClient][] = [
  ["our reader", () => new ChainClient()],
  ...Object.entries(decoders).map(([name, decode]): [string, () => WireClient] => [
    name,
    () => new ReferenceClient(decode),
  ]),
];

describe.each(clients)("to %s", (_, createClient) => {
  test.each(vectors.map((vector) => [vector.name, vector] as const))("%s", (__, vector) => {
    const client = createClient();
    for (const { resume, frame, batches } of vector.steps) {
      if (resume !== undefined) client.resume(resume);
      expect(client.frame(Buffer.from(frame, "hex"))).toEqual(batches);
    }
  });
});

test("the vectors are the examples of the specification", () => {
  const script = new URL("../../proto/vectors.mjs", import.meta.url).pathname;
  expect(execFileSync(process.execPath, [script, "--check"], { encoding: "utf8" })).toBe("");
});

test("the schema passes buf's build, lint and format", () => {
  const schema = schemaFolder();
  try {
    for (const args of [["build"], ["lint"], ["format", "--diff", "--exit-code"]]) {
      expect(runBuf(schema, args).toString()).toBe("");
    }
  } finally {
    rmSync(schema, { recursive: true });
  }
});

function element(batch: BusBatch, withBase: boolean): Uint8Array {
  const bytes = new Uint8Array(elementLength(batch, 300, withBase));
  putElement(bytes, 0, batch, { topicId: 300, withBase });
  return bytes;
}

function written(history: readonly BatchRows[]): BusBatch[] {
  const writer = new BatchWriter({ kind: history[0]?.kind ?? "trades", epoch: 9 });
  return history.flatMap((rows) => writer.write(rows, { publishedTimeUs: 1_767_225_600_000_000 }));
}

describe("what our writer writes", () => {
  test.each(Object.entries(decoders))("means the same to a reader on %s", (_, decode) => {
    fc.assert(
      fc.property(topicHistories, (history) => {
        const ours = new ChainClient();
        const theirs = new ReferenceClient(decode);
        for (const [index, batch] of written(history).entries()) {
          const frame = element(batch, index === 0 || batch.rebase);
          const reading = ours.frame(frame);
          expect(reading[0]).toMatchObject({
            reading: "news",
            sequence: batch.baseSequence + batch.count,
          });
          expect(theirs.frame(frame)).toEqual(reading);
        }
      }),
      { numRuns: 300 },
    );
  });

  test("is one frame when several stand one after the other", () => {
    fc.assert(
      fc.property(topicHistories, (history) => {
        const frames = written(history).map((batch) => element(batch, true));
        const apart = new ChainClient();
        const whole = Buffer.concat(frames);
        const readings = frames.flatMap((frame) => apart.frame(frame));
        expect(new ChainClient().frame(whole)).toEqual(readings);
        for (const decode of Object.values(decoders)) {
          expect(new ReferenceClient(decode).frame(whole)).toEqual(readings);
        }
      }),
      { numRuns: 50 },
    );
  });

  test("is a BusBatch to the schema, with the same base", () => {
    fc.assert(
      fc.property(topicHistories, (history) => {
        for (const batch of written(history)) {
          for (const decode of Object.values(decoders)) {
            const bus = decode("tickwire.bus.v1.BusBatch", batch.bytes);
            const based = decode("tickwire.v1.ServerFrame", element(batch, true));
            const [whole] = based["batches"] as { base: unknown }[];
            expect(bus).toMatchObject({ count: batch.count, base: whole?.base });
            expect({ ...(bus["batch"] as object), topic_id: 300, base: bus["base"] }).toEqual(
              whole,
            );
          }
        }
      }),
      { numRuns: 50 },
    );
  });
});
