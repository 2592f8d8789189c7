import { WireError } from "@tickwire/proto/codec";
import { ClientMessageCodec, ServerMessageCodec } from "@tickwire/proto/messages";
import { describe, expect, test } from "vitest";
import { ManualClock } from "../../../../test/support/manual-clock.ts";
import { encodeFrame } from "../../test/fake-gateway.ts";
import { Calls } from "../rpc/calls.ts";
import { Subscriptions } from "../topics/subscriptions.ts";
import { FrameCodec, FrameReader, SESSION_MEMBERS } from "./frame.ts";
import type { SessionLink } from "./session-part.ts";

const BATCHES_TAG = 0x12;
const FRAMES = new FrameCodec([SESSION_MEMBERS]);

function element(...content: readonly number[]): Uint8Array {
  return Uint8Array.of(BATCHES_TAG, content.length, ...content);
}

/** What is handed on of a frame, in order. */
function partsOf(frame: Uint8Array): string[] {
  const parts: string[] = [];
  const reader = new FrameReader(FRAMES, {
    message: ({ kind }) => parts.push(kind),
    batch: (bytes, start, end) => parts.push([...bytes.subarray(start, end)].join(" ")),
  });
  reader.read(frame);
  return parts;
}

describe("a frame", () => {
  test("hands on its messages before its batches, whatever stands first", () => {
    const probe = encodeFrame({ messages: [{ probe: { number: 1 } }] });
    const frame = Buffer.concat([element(8, 1), probe, element(8, 2)]);
    expect(partsOf(frame)).toEqual(["probe", "8 1", "8 2"]);
  });

  test("that is cut off ends the reading", () => {
    const cut = element(8, 1).subarray(0, -1);
    expect(() => partsOf(cut)).toThrow(WireError);
  });

  test("of which a handler throws hands on nothing more", () => {
    const seen: number[] = [];
    const reader = new FrameReader(FRAMES, {
      message: () => undefined,
      batch: (_bytes, start) => {
        seen.push(start);
        throw new WireError("malformed", "no topic id");
      },
    });
    expect(() => reader.read(Buffer.concat([element(8, 1), element(8, 2)]))).toThrow(WireError);
    expect(seen).toEqual([2]);
  });
});

describe("a frame that comes in pieces", () => {
  const part = (lane: number, data: Uint8Array, more: object = {}) =>
    encodeFrame({ messages: [{ part: { lane, data, ...more } }] });
  const probe = encodeFrame({ messages: [{ probe: { number: 1 } }] });

  test("is read in the place of its last, and others come between", () => {
    const whole = Buffer.concat([element(8, 1), probe]);
    const frame = Buffer.concat([
      part(2, whole.subarray(0, 3)),
      part(1, probe.subarray(0, 1)),
      probe,
      part(2, whole.subarray(3), { isLast: true }),
      part(1, probe.subarray(1), { isLast: true }),
    ]);
    expect(partsOf(frame)).toEqual(["probe", "probe", "8 1", "probe"]);
  });

  test("is forgotten when the gateway gives it up, and its lane begins anew", () => {
    const frame = Buffer.concat([
      part(2, Uint8Array.of(99, 99)),
      part(2, new Uint8Array(), { isVoid: true }),
      part(2, element(8, 3), { isLast: true }),
    ]);
    expect(partsOf(frame)).toEqual(["8 3"]);
  });

  test("ends the reading if it is damaged, or of too many lanes", () => {
    expect(() => partsOf(part(1, Uint8Array.of(18, 9), { isLast: true }))).toThrow(WireError);
    const lanes = (count: number) =>
      Buffer.concat(Array.from({ length: count }, (_, lane) => part(lane, Uint8Array.of(1))));
    expect(partsOf(lanes(8))).toEqual([]);
    expect(() => partsOf(lanes(9))).toThrow(WireError);
  });

  test("may come to 64 MiB, and no byte more", () => {
    const large = (bytes: number) => {
      const half = new Uint8Array(bytes / 2);
      return Buffer.concat([part(1, half), part(1, new Uint8Array(bytes - half.length))]);
    };
    expect(partsOf(large(64 * 1024 * 1024))).toEqual([]);
    expect(() => partsOf(large(64 * 1024 * 1024 + 2))).toThrow(WireError);
  });
});

/** Number, letter and kind of the members of a oneof. */
function membersOf({ fields }: (typeof ClientMessageCodec)["spec"]): string[] {
  return fields.map(({ number, kind, name }) => `${number}${kind}${name}`);
}

describe("the messages of a client", () => {
  const link = { clock: new ManualClock() } as unknown as SessionLink;
  const subscriptions = new Subscriptions(link, []);
  const calls = new Calls(link, { callTimeoutMs: 1, callsQueuedMax: 1, interceptors: [] });
  const parts = [SESSION_MEMBERS, subscriptions.members, calls.members];

  test.each([
    ["outbound", ClientMessageCodec],
    ["inbound", ServerMessageCodec],
  ] as const)("%s have the numbers that the schema gives them", (direction, { spec }) => {
    const named = parts.flatMap((part) => Object.keys(part[direction]));
    expect(named.length).toBeGreaterThan(4);
    expect(membersOf(spec)).toEqual(expect.arrayContaining(named));
    expect(new Set(named).size).toBe(named.length);
  });
});
