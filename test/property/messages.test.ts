import fc from "fast-check";
import protobuf from "protobufjs";
import { WireError } from "@tickwire/proto/codec";
import * as messages from "@tickwire/proto/messages";
import {
  MessageJsonError,
  messageFromJson,
  messageToJson,
  type MessageCodec,
} from "@tickwire/proto/service";
import { describe, expect, test } from "vitest";
import {
  encodeByOracle,
  loadMessageTypes,
  messageArbitrary,
  oracleJson,
  type Message,
} from "./message-arbitraries.ts";

// Our codec of every message against protobufjs, which reads the schema by code of its own.

const types = loadMessageTypes();
const numRuns = 60;

function codecOf(type: protobuf.Type): MessageCodec<Message> {
  const codec = (messages as unknown as Record<string, MessageCodec<Message>>)[`${type.name}Codec`];
  if (codec === undefined) throw new Error(`no codec of ${type.fullName}`);
  return codec;
}

function errorOf(action: () => unknown): unknown {
  try {
    action();
    return undefined;
  } catch (error) {
    return error;
  }
}

/** Fields that no schema of ours has, of every wire type, a group within a group among them. */
const unknownFields = fc
  .array(
    fc.constantFrom(
      [0xc0, 0x3e, 0xff, 0x01],
      [0xc1, 0x3e, 1, 2, 3, 4, 5, 6, 7, 8],
      [0xc2, 0x3e, 2, 0xff, 0xff],
      [0xc3, 0x3e, 0xcb, 0x3e, 0x08, 5, 0xcc, 0x3e, 0xc4, 0x3e],
      [0xc5, 0x3e, 1, 2, 3, 4],
    ),
    { maxLength: 4 },
  )
  .map((fields) => Uint8Array.from(fields.flat()));

test("every message of the schema has a codec of its full name", () => {
  const names = types.map((type) => type.fullName.slice(1));
  expect(names).toContain("tickwire.v1.ServerMessage");
  expect(types.map((type) => codecOf(type).name)).toEqual(names);
});

describe.each(types.map((type) => [type.name, type] as const))("%s", (_, type) => {
  const codec = codecOf(type);
  const values = messageArbitrary(type);

  test("is read from what protobufjs writes", () => {
    fc.assert(
      fc.property(values, (value) => {
        expect(codec.decode(encodeByOracle(type, value))).toEqual(value);
      }),
      { numRuns },
    );
  });

  test("is written so that protobufjs reads the same, and JSON is the same", () => {
    fc.assert(
      fc.property(values, (value) => {
        const bytes = codec.encode(value);
        expect(codec.decode(bytes)).toEqual(value);
        const json = messageToJson(codec, value);
        expect(json).toEqual(oracleJson(type, bytes));
        const parsed: unknown = JSON.parse(JSON.stringify(json));
        expect(messageFromJson(codec, parsed)).toEqual(value);
      }),
      { numRuns },
    );
  });

  test("is read past unknown fields", () => {
    fc.assert(
      fc.property(values, unknownFields, unknownFields, (value, before, after) => {
        const bytes = Uint8Array.of(...before, ...codec.encode(value), ...after);
        expect(codec.decode(bytes)).toEqual(value);
      }),
      { numRuns: 20 },
    );
  });

  test("in pieces is merged, as the specification asks", () => {
    fc.assert(
      fc.property(values, values, (first, second) => {
        const [a, b] = [codec.encode(first), codec.encode(second)];
        const bytes = Uint8Array.of(...a, ...b);
        expect(messageToJson(codec, codec.decode(bytes))).toEqual(
          withoutDefaults(type, oracleJson(type, bytes)),
        );
      }),
      { numRuns: 20 },
    );
  });

  test("that is damaged is refused by a typed error or read as something", () => {
    const damage = fc.record({ at: fc.nat(), byte: fc.nat(255), cut: fc.nat() });
    fc.assert(
      fc.property(values, damage, (value, { at, byte, cut }) => {
        const bytes = codec.encode(value);
        if (bytes.length === 0) return;
        const cutOff = bytes.slice(0, cut % bytes.length);
        const changed = bytes.slice();
        changed[at % bytes.length] = byte;
        for (const damaged of [cutOff, changed]) {
          const error = errorOf(() => codec.encode(codec.decode(damaged)));
          expect(error === undefined || error instanceof WireError).toBe(true);
        }
      }),
      { numRuns },
    );
  });

  test("as JSON with anything in it is refused by a typed error or read as something", () => {
    fc.assert(
      fc.property(fc.json({ depthSize: "small" }), (text) => {
        const names = Object.keys(type.fields);
        const json: unknown = JSON.parse(text);
        const documents = [json, ...names.map((name) => ({ [name]: json }))];
        for (const document of documents) {
          const error = errorOf(() => messageFromJson(codec, document));
          expect(error === undefined || error instanceof MessageJsonError).toBe(true);
        }
      }),
      { numRuns: 20 },
    );
  });
});

/** What protobufjs read, without the defaults that were on the wire. */
function withoutDefaults(type: protobuf.Type, json: Message): Message {
  const codec = codecOf(type);
  return messageToJson(codec, messageFromJson(codec, json)) as Message;
}

describe("repeated numbers", () => {
  test("are read packed, unpacked and mixed", () => {
    const codec = messages.BatchCodec;
    fc.assert(
      fc.property(fc.array(fc.array(fc.nat()), { maxLength: 5 }), fc.boolean(), (parts, packs) => {
        const writer = new protobuf.Writer();
        parts.forEach((part, index) => {
          if (packs === (index % 2 === 0)) {
            writer.uint32((4 << 3) | 2).fork();
            for (const value of part) writer.uint64(value);
            writer.ldelim();
          } else {
            for (const value of part) writer.uint32(4 << 3).uint64(value);
          }
        });
        expect(codec.decode(Uint8Array.from(writer.finish())).sizes).toEqual(parts.flat());
      }),
    );
  });
});

describe("names that objects treat in a special way", () => {
  test("in JSON are unknown fields, and pollute nothing", () => {
    const json: unknown = JSON.parse('{"__proto__": {"polluted": 1}, "callId": 3}');
    expect(() => messageFromJson(messages.CancelCodec, json)).toThrow(MessageJsonError);
    const read = messageFromJson(messages.CancelCodec, json, { ignoreUnknownFields: true });
    expect(read).toEqual({ callId: 3 });
    expect(Object.getPrototypeOf(read)).toBe(Object.prototype);
    expect(({} as Message)["polluted"]).toBeUndefined();
  });

  test("in a map are keys like others, there and back", () => {
    const text = '{"metadata": {"__proto__": "a", "constructor": "b"}}';
    const read = messageFromJson(messages.CallCodec, JSON.parse(text));
    expect(Object.entries(read.metadata)).toEqual([
      ["__proto__", "a"],
      ["constructor", "b"],
    ]);
    const again = messages.CallCodec.decode(messages.CallCodec.encode(read));
    expect(JSON.stringify(messageToJson(messages.CallCodec, again))).toBe(text.replaceAll(" ", ""));
  });
});

describe("a varint of ten bytes", () => {
  const huge = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];

  test("is cut to the 32 bits of its field, as protobuf has it", () => {
    expect(messages.CancelCodec.decode(Uint8Array.of(0x08, ...huge))).toEqual({
      callId: 0xffff_ffff,
    });
  });

  test("is -1 where the field is signed, and refused where it is not", () => {
    expect(messages.PongCodec.decode(Uint8Array.of(0x10, ...huge)).serverTimeUs).toBe(-1);
    expect(() => messages.PongCodec.decode(Uint8Array.of(0x08, ...huge))).toThrow(
      expect.objectContaining({ code: "unsafe-integer" }),
    );
  });

  test("that goes on is refused", () => {
    expect(() => messages.PongCodec.decode(Uint8Array.of(0x10, ...huge.fill(0xff), 1))).toThrow(
      WireError,
    );
  });
});
