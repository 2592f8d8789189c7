// Why the batch codec is not protobufjs: facts about protobufjs 8 that the code relies on. If one
// of these fails after an upgrade, read what the codec does about it before changing the test.
import { tickwire } from "@tickwire/proto/protobufjs";
import { BatchWriter, readBusEvents } from "@tickwire/proto/codec";
import protobuf from "protobufjs/minimal.js";
import { describe, expect, test } from "vitest";

const position = (sequence: unknown): Uint8Array =>
  tickwire.v1.Position.encode({ sequence } as tickwire.v1.Position.$Properties).finish();

describe("protobufjs", () => {
  test("writes a bigint as 0 without an error", () => {
    const { sequence } = tickwire.v1.Position.decode(position(7n));
    expect(String(sequence)).toBe("0");
  });

  test("decodes a 64-bit field to a Long, even where a number would do", () => {
    const { sequence } = tickwire.v1.Position.decode(position(7));
    expect(sequence).toBeInstanceOf(protobuf.util.Long);
    expect(typeof sequence).toBe("object");
  });

  test("writes whatever a number beyond 2^53 was rounded to, without an error", () => {
    const { sequence } = tickwire.v1.Position.decode(position(Number(2n ** 53n + 3n)));
    expect(String(sequence)).toBe("9007199254740996");
  });
});

describe("importing and using our packages", () => {
  test("leaves Long in place for everybody else in the process", async () => {
    const { Long } = protobuf.util;
    const readers = ["int64", "uint64", "sint64", "fixed64", "sfixed64"] as const;
    const before = readers.map((name) => protobuf.Reader.prototype[name]);
    await import("@tickwire/proto/protobufjs");
    await import("@tickwire/proto/messages");
    await import("@tickwire/proto/service");
    const writer = new BatchWriter({ kind: "trades", epoch: 1 });
    readBusEvents(writer.writePosition({ publishedTimeUs: 1 }));
    expect(protobuf.util.Long).toBe(Long);
    expect(typeof Long).toBe("function");
    expect(readers.map((name) => protobuf.Reader.prototype[name])).toEqual(before);
    const bytes = new protobuf.Writer().uint64(5).finish();
    expect(new protobuf.Reader(bytes).uint64()).toBeInstanceOf(Long);
  });

  test("leaves the default root of protobufjs to others", async () => {
    await import("@tickwire/proto/protobufjs");
    expect(protobuf.roots["default"]).toBeUndefined();
    expect(protobuf.roots["tickwire"]).toBeDefined();
  });
});
