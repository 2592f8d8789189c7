import { createControlCodec, WireError, type ControlCodec } from "@tickwire/proto/codec";
import {
  AccessCodec,
  AuthenticateCodec,
  BookChecksumCodec,
  HelloCodec,
  NoticeCodec,
  PartCodec,
  PingCodec,
  PongCodec,
  ProbeAnswerCodec,
  ProbeCodec,
  RequestRefusedCodec,
  SubscribeCodec,
  SubscribeResultCodec,
  UnsubscribeCodec,
  UpdateCodec,
  WelcomeCodec,
  type MessageCodec,
} from "@tickwire/proto/messages";
import { tickwire } from "@tickwire/proto/protobufjs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as Control from "./control-messages.ts";

type AnyCodec = MessageCodec<object>;
type AnyControl = ControlCodec<object>;

const PAIRS: readonly (readonly [string, AnyControl, AnyCodec])[] = [
  ["Access", Control.AccessControl, AccessCodec],
  ["Authenticate", Control.AuthenticateControl, AuthenticateCodec],
  ["BookChecksum", Control.BookChecksumControl, BookChecksumCodec],
  ["Hello", Control.HelloControl, HelloCodec],
  ["Notice", Control.NoticeControl, NoticeCodec],
  ["Part", Control.PartControl, PartCodec],
  ["Ping", Control.PingControl, PingCodec],
  ["Pong", Control.PongControl, PongCodec],
  ["Probe", Control.ProbeControl, ProbeCodec],
  ["ProbeAnswer", Control.ProbeAnswerControl, ProbeAnswerCodec],
  ["Subscribe", Control.SubscribeControl, SubscribeCodec],
  ["SubscribeResult", Control.SubscribeResultControl, SubscribeResultCodec],
  ["Unsubscribe", Control.UnsubscribeControl, UnsubscribeCodec],
  ["Update", Control.UpdateControl, UpdateCodec],
  ["Welcome", Control.WelcomeControl, WelcomeCodec],
] as unknown as readonly (readonly [string, AnyControl, AnyCodec])[];

/** Any value of a message, by its specification. */
function valueOf({ fields }: AnyCodec["spec"]): fc.Arbitrary<object> {
  const record = fields.map(({ name, kind, repeated, enum: words, message }) => {
    const single: Readonly<Record<string, () => fc.Arbitrary<unknown>>> = {
      b: () => fc.boolean(),
      s: () => fc.string({ unit: "grapheme", maxLength: 30 }),
      u: () => fc.nat({ max: 2 ** 32 - 1 }),
      U: () => fc.maxSafeNat(),
      I: () => fc.maxSafeNat(),
      y: () => fc.uint8Array({ maxLength: 40 }).map((bytes) => Uint8Array.from(bytes)),
      e: () => fc.constantFrom(...words!.numberOf.keys()),
      m: () => valueOf(message!),
    };
    const value = single[kind]!();
    return [name, repeated ? fc.array(value, { maxLength: 4 }) : value] as const;
  });
  return fc.record(Object.fromEntries(record), { requiredKeys: [] });
}

/** The same message as protobufjs understands it. */
function byProtobufjs(name: string, bytes: Uint8Array): Uint8Array {
  const { [name as "Hello"]: type } = tickwire.v1;
  return type.encode(type.decode(bytes)).finish();
}

describe.each(PAIRS)("%s", (name, control, codec) => {
  test("is read as the generated codec and protobufjs have it", () => {
    const check = (value: object) => {
      const bytes = codec.encode(value);
      expect(control.decode(bytes)).toEqual(codec.decode(bytes));
      expect(control.decode(byProtobufjs(name, bytes))).toEqual(codec.decode(bytes));
    };
    fc.assert(fc.property(valueOf(codec.spec), check), { numRuns: 50 });
  });

  test("is written so that the generated codec and protobufjs read it", () => {
    const check = (value: object) => {
      const bytes = control.encode(value);
      expect(codec.decode(bytes)).toEqual(codec.decode(codec.encode(value)));
      expect(codec.decode(byProtobufjs(name, bytes))).toEqual(codec.decode(bytes));
    };
    fc.assert(fc.property(valueOf(codec.spec), check), { numRuns: 50 });
  });

  test("that is damaged is refused with WireError or read, and nothing else", () => {
    const check = (value: object, place: number, byte: number) => {
      const bytes = codec.encode(value);
      if (bytes.length > 0) bytes[place % bytes.length] = byte;
      let failure: unknown = new WireError("malformed", "of a message that was read");
      try {
        control.decode(bytes);
      } catch (error) {
        failure = error;
      }
      expect(failure).toBeInstanceOf(WireError);
    };
    const any = [valueOf(codec.spec), fc.nat(), fc.nat({ max: 255 })] as const;
    fc.assert(fc.property(...any, check), { numRuns: 50 });
  });
});

describe("a control message", () => {
  const outer = createControlCodec<object>("Ua m*list msingle u*numbers Isigned ylast", [
    createControlCodec("ux uy"),
    createControlCodec("ux uy"),
  ]);

  test("in pieces is put together, and of a number the last one counts", () => {
    const first = outer.encode({ a: 1, single: { x: 1 }, list: [{ x: 1 }] });
    const second = outer.encode({ a: 2, single: { y: 2 }, list: [{ y: 2 }] });
    expect(outer.decode(Buffer.concat([first, second]))).toMatchObject({
      a: 2,
      single: { x: 1, y: 2 },
      list: [
        { x: 1, y: 0 },
        { x: 0, y: 2 },
      ],
    });
  });

  test("takes lists of numbers packed and one by one", () => {
    const bytes = Uint8Array.of(4 * 8 + 2, 2, 1, 2, 4 * 8, 3);
    expect(outer.decode(bytes)).toMatchObject({ numbers: [1, 2, 3] });
  });

  test("passes over fields that it does not know, and over those of another wire type", () => {
    const bytes = Uint8Array.of(9 * 8, 1, 8 + 2, 1, 7, 4 * 8 + 1, 1, 2, 3, 4, 5, 6, 7, 8, 8, 5);
    expect(outer.decode(bytes)).toMatchObject({ a: 5, numbers: [] });
  });

  test("reads negative numbers, and refuses those beyond 2^53", () => {
    const ones = Array.from({ length: 9 }, () => 0xff);
    expect(outer.decode(Uint8Array.of(5 * 8, ...ones, 1))).toMatchObject({ signed: -1 });
    expect(() => outer.decode(Uint8Array.of(8, ...ones, 1))).toThrow(WireError);
  });

  test.each([
    ["a number below 0", { a: -1 }],
    ["a number beyond 2^53", { a: 2 ** 53 }],
    ["what is no number", { a: "x" }],
  ])("is not written with %s", (_, value) => {
    expect(() => outer.encode(value)).toThrow(WireError);
  });

  test("of a refusal has what is read of it", () => {
    const all = {
      requestId: 7,
      retryAfterMs: 250,
      message: "slower",
      code: "CODE_ABORTED",
    } as const;
    const bytes = RequestRefusedCodec.encode(all);
    expect(Control.RequestRefusedControl.decode(bytes)).toEqual({
      requestId: 7,
      retryAfterMs: 250,
    });
  });
});
