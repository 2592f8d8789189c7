// What any protobuf encoder may do to a batch is read as what we write ourselves.
import { isDeepStrictEqual } from "node:util";
import { BatchReader, BatchWriter } from "@tickwire/proto/codec";
import type { BatchRows, BusBatch } from "@tickwire/proto/codec";
import fc from "fast-check";
import protobuf from "protobufjs/minimal.js";
import { describe, expect, test } from "vitest";
import { topicHistories } from "#test/support/wire-arbitraries.ts";
import { batchInFrame } from "#test/support/wire-client.ts";

type Field = { readonly tag: number; readonly bytes: Uint8Array };

/** The fields of a message, each with its tag, found by protobufjs. */
function fieldsOf(message: Uint8Array): Field[] {
  const reader = protobuf.Reader.create(message);
  const fields: Field[] = [];
  while (reader.pos < reader.len) {
    const start = reader.pos;
    const tag = reader.uint32();
    reader.skipType(tag & 7, 0, tag >>> 3);
    fields.push({ tag, bytes: message.subarray(start, reader.pos) });
  }
  return fields;
}

function joined(fields: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(fields.flatMap((field) => [...field]));
}

const TEXTS_AND_ROWS = new Set([22, 23, 40, 41, 42]);

type Change = (batch: Uint8Array) => Uint8Array;

/** Batches of a history that do not read as they were written once they are changed. */
function unlikeIn(history: readonly BatchRows[], change: Change): unknown[] {
  const writer = new BatchWriter({ kind: history[0]?.kind ?? "trades", epoch: 9 });
  const [plain, changed] = [new BatchReader(), new BatchReader()];
  const batches = history.flatMap((rows): BusBatch[] => writer.write(rows, { publishedTimeUs: 1 }));
  const unlike: unknown[] = [];
  for (const [index, batch] of batches.entries()) {
    const bytes = batchInFrame(batch, index === 0 || batch.rebase);
    const expected = plain.read(bytes);
    const reading = changed.read(change(bytes));
    if (!isDeepStrictEqual(reading, expected)) unlike.push([reading, expected]);
  }
  return unlike;
}

function property(change: Change) {
  return fc.property(topicHistories, (history) => unlikeIn(history, change).length === 0);
}

describe("a batch reads the same", () => {
  test("with its fields in reverse order, as long as lists keep theirs", () => {
    const alike = property((batch) => {
      const fields = fieldsOf(batch);
      const isList = ({ tag }: Field): boolean => TEXTS_AND_ROWS.has(tag >>> 3);
      const others = fields.filter((field) => !isList(field)).toReversed();
      return joined([...others, ...fields.filter(isList)].map(({ bytes }) => bytes));
    });
    expect(fc.check(alike)).toMatchObject({ failed: false });
  });

  test("with unknown fields of every wire type around it", () => {
    // Field 127 as a varint, 64 bits, bytes, groups in groups, and 32 bits.
    const hex = "f83fff01f93f0102030405060708fa3f020909fb3f0801fb3ffc3ffc3ffd3f01020304";
    const unknown = Uint8Array.from(Buffer.from(hex, "hex"));
    const alike = property((batch) => joined([unknown, batch, unknown]));
    expect(fc.check(alike)).toMatchObject({ failed: false });
  });

  test("with a known field of another wire type than the schema's", () => {
    // 8 (skipped) as 32 bits, 17 (last_sequence) as bytes.
    const other = Uint8Array.of(0x45, 1, 2, 3, 4, 0x8a, 0x01, 1, 0);
    const alike = property((batch) => joined([batch, other]));
    expect(fc.check(alike)).toMatchObject({ failed: false });
  });

  test("with columns cut into pieces", () => {
    const alike = property((batch) => {
      const pieces = fieldsOf(batch).flatMap(({ tag, bytes }) => {
        const field = tag >>> 3;
        const isColumn = (tag & 7) === 2 && field !== 7 && !TEXTS_AND_ROWS.has(field);
        return isColumn ? inPieces(tag, bytes) : [bytes];
      });
      return joined(pieces);
    });
    expect(fc.check(alike)).toMatchObject({ failed: false });
  });
});

/** A packed column as one unpacked value and the rest packed. */
function inPieces(tag: number, field: Uint8Array): Uint8Array[] {
  const reader = protobuf.Reader.create(field);
  reader.uint32();
  const content = Uint8Array.from(reader.bytes());
  const values = protobuf.Reader.create(content);
  values.skipType(0);
  const first = protobuf.Writer.create().uint32((tag >>> 3) << 3);
  const rest = protobuf.Writer.create().uint32(tag).bytes(content.subarray(values.pos));
  return [first.finish(), content.subarray(0, values.pos), rest.finish()];
}
