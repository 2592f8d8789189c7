import { Writer } from "protobufjs/minimal.js";
import { describe, expect, test } from "vitest";
import { ProtobufFields, ProtobufKind } from "./protobuf-fields.ts";

type Field = { field: number; kind: number; number: number; text: string | undefined };

function fieldsOf(bytes: Uint8Array, start?: number, end?: number): Field[] {
  const fields = new ProtobufFields();
  fields.open(bytes, start, end);
  const found: Field[] = [];
  while (fields.next()) {
    const { field, kind, number, text } = fields;
    found.push({ field, kind, number, text });
  }
  return found;
}

function isDamaged(bytes: Uint8Array): boolean {
  const fields = new ProtobufFields();
  fields.open(bytes);
  while (fields.next());
  return fields.isDamaged;
}

/** What another implementation writes. */
function written(write: (writer: Writer) => void): Uint8Array {
  const writer = Writer.create();
  write(writer);
  return writer.finish();
}

describe("the fields of a protobuf message", () => {
  test("are told by number and kind, whatever their order", () => {
    const bytes = written((writer) =>
      writer
        .uint32((315 << 3) | 2)
        .string("87512.49")
        .uint32((1 << 3) | 0)
        .uint64(1_767_225_600_123)
        .uint32((3 << 3) | 2)
        .string("币安人生USDT")
        .uint32((7 << 3) | 1)
        .double(1.5)
        .uint32((8 << 3) | 5)
        .float(1.5),
    );
    expect(fieldsOf(bytes)).toEqual([
      { field: 315, kind: ProtobufKind.Bytes, number: Number.NaN, text: "87512.49" },
      { field: 1, kind: ProtobufKind.Varint, number: 1_767_225_600_123, text: undefined },
      { field: 3, kind: ProtobufKind.Bytes, number: Number.NaN, text: "币安人生USDT" },
      { field: 7, kind: ProtobufKind.Fixed64, number: Number.NaN, text: undefined },
      { field: 8, kind: ProtobufKind.Fixed32, number: Number.NaN, text: undefined },
    ]);
    expect(isDamaged(bytes)).toBe(false);
  });

  test("are read between two places alone", () => {
    const inner = written((writer) => writer.uint32((1 << 3) | 2).string("1.5"));
    const bytes = Uint8Array.from([0xff, ...inner, 0xff]);
    expect(fieldsOf(bytes, 1, 1 + inner.length)).toMatchObject([{ field: 1, text: "1.5" }]);
  });

  test.each([0, 1, 127, 128, 2 ** 31, 2 ** 42, Number.MAX_SAFE_INTEGER])(
    "%d is read as it was written",
    (value) => {
      const bytes = written((writer) => writer.uint32(8).uint64(value));
      expect(fieldsOf(bytes)).toMatchObject([{ number: value }]);
    },
  );

  test("a number that a double does not hold is none, and damages nothing", () => {
    const bytes = written((writer) => writer.uint32(8).int64(-1).uint32(16).uint32(5));
    expect(fieldsOf(bytes)).toMatchObject([{ number: Number.NaN }, { number: 5 }]);
    const beyond = Uint8Array.from([8, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10]);
    expect(fieldsOf(beyond)).toMatchObject([{ number: Number.NaN }]);
  });

  test("a message that is cut off is damaged, unless the cut is behind a field", () => {
    const bytes = written((writer) =>
      writer.uint32(8).uint64(1_767_225_600_123).uint32(18).string("87512.49"),
    );
    const whole = [0, 7, bytes.length];
    for (let length = 0; length <= bytes.length; length += 1) {
      expect([length, isDamaged(bytes.subarray(0, length))]).toEqual([
        length,
        !whole.includes(length),
      ]);
    }
  });

  test.each([
    ["a length beyond the end", [0x0a, 0x05, 0x31]],
    ["a group", [0x0b, 0x0c]],
    ["field number zero", [0x02, 0x01, 0x31]],
    ["a varint without an end", Array.from({ length: 12 }, () => 0xff)],
    ["a length that no double holds", [0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]],
  ])("%s is damage", (_what, bytes) => {
    expect(isDamaged(Uint8Array.from(bytes))).toBe(true);
  });
});
