import { tickwire } from "@tickwire/proto/protobufjs";
import fc from "fast-check";
import { Registry } from "prom-client";
import { beforeEach, describe, expect, test } from "vitest";
import { laneOf } from "#test/support/lane-of.ts";
import { encodeServerMessages } from "#wire/frame-codec.ts";
import { FakeConnection } from "#test/support/fake-connection.ts";
import { ManualClock } from "#test/support/manual-clock.ts";
import { sharedBatch } from "#test/support/shared-batches.ts";
import { createGatewayMetrics } from "../../metrics.ts";
import { Flusher } from "./flusher.ts";
import { Outbound } from "./outbound.ts";

const { ServerFrame } = tickwire.v1;
const KIB = 1_024;

/** What a client makes of the frames, pieces put together by protobufjs and nothing of ours. */
function receivedOf(frames: readonly (readonly number[])[]): string[] {
  const pieces = new Map<number, number[]>();
  const seen: string[] = [];
  const read = (bytes: Uint8Array): void => {
    const { messages, batches } = ServerFrame.decode(bytes);
    for (const { reply, pong, part } of messages) {
      if (reply) seen.push(`reply ${reply.callId}`);
      if (pong) seen.push(`pong ${String(pong.nonce)}`);
      if (!part) continue;
      const lane = pieces.get(part.lane ?? 0) ?? [];
      lane.push(...(part.data ?? []));
      pieces.set(part.lane ?? 0, lane);
      if (part.isVoid) seen.push("void");
      if (!part.isLast && !part.isVoid) continue;
      pieces.delete(part.lane ?? 0);
      if (part.isLast) read(Uint8Array.from(lane));
    }
    for (const batch of batches) seen.push(`batch ${batch.topicId}`);
  };
  for (const frame of frames) read(Uint8Array.from(frame));
  expect([...pieces.keys()]).toEqual([]);
  return seen;
}

describe("of what is too large for a frame", () => {
  let connection: FakeConnection;
  let outbound: Outbound;
  let turns: (() => void)[];
  let clock: ManualClock;

  beforeEach(() => {
    turns = [];
    clock = new ManualClock();
    connection = new FakeConnection();
    const metrics = createGatewayMetrics(new Registry());
    const scheduler = { endOfTurn: (callback: () => void) => void turns.push(callback) };
    const flusher = new Flusher({ clock, scheduler, flushIntervalMsMax: 10, metrics });
    const limits = {
      outboundBytesMax: 10_000 * KIB,
      writeAheadBytesMax: 100 * KIB,
      compressBytesMin: KIB,
      flightBytesMax: 1_000 * KIB,
      lagNoticeMs: 5_000,
      lagMsMax: 30_000,
    };
    const listener = {
      onLag: () => undefined,
      onRecovered: () => undefined,
      onSlow: () => undefined,
      sendProbe: (number: number) => connection.ping(number),
    };
    outbound = new Outbound(connection, limits, { flusher, metrics }, listener);
    outbound.mayCut = true;
  });

  function turn(): void {
    for (const callback of turns.splice(0)) callback();
  }

  function turnsUntilQuiet(): void {
    for (let round = 0; round < 2_000 && outbound.owedBytes > 0; round += 1) {
      turn();
      clock.advance(1);
      outbound.onAnswer(connection.pings.at(-1) ?? 0, clock.nowUs());
    }
  }

  /** A batch of a topic as the wire has it, padded with an unknown field. */
  function batch(topicId: number, bytes: number) {
    const tradeIds = ["x".repeat(bytes)];
    const value = ServerFrame.encode({ batches: [{ topicId, tradeIds }] }).finish();
    return Object.defineProperty(sharedBatch(1, 1, { bytes: 1, topicId }), "bytes", { value });
  }

  const reply = (callId: number, bytes: number) =>
    encodeServerMessages([{ kind: "reply", value: { callId, response: new Uint8Array(bytes) } }]);
  const pong = (nonce: number) =>
    encodeServerMessages([{ kind: "pong", value: { nonce, serverTimeUs: 1 } }]);

  test("a client that puts no pieces together gets it whole", () => {
    outbound.mayCut = false;
    laneOf(outbound.lanes, 1).push(batch(1, 300 * KIB));
    turn();
    expect(connection.sent).toHaveLength(1);
  });

  test("no frame carries much, and what is urgent comes between the pieces", () => {
    laneOf(outbound.lanes, 1).push(batch(1, 300 * KIB));
    turn();
    outbound.pushControl(pong(7));
    outbound.pushReply(2, reply(2, 10));
    turnsUntilQuiet();
    expect(receivedOf(connection.sent.map(({ bytes }) => bytes))).toEqual([
      "pong 7",
      "reply 2",
      "batch 1",
    ]);
    expect(connection.sent.length).toBeGreaterThan(4);
  });

  test("large replies and market data take turns, piece by piece", () => {
    laneOf(outbound.lanes, 1).push(batch(1, 200 * KIB));
    outbound.pushReply(2, reply(2, 200 * KIB));
    turnsUntilQuiet();
    const frames = connection.sent.map(({ bytes }) => bytes);
    expect(receivedOf(frames)).toHaveLength(2);
    const lanes = frames.map(
      (frame) => ServerFrame.decode(Uint8Array.from(frame)).messages[0]?.part?.lane,
    );
    expect(lanes.slice(0, 4)).toEqual([1, 2, 1, 2]);
  });

  test("what nobody wants any more is given up between two pieces", () => {
    laneOf(outbound.lanes, 1).push(batch(1, 300 * KIB));
    laneOf(outbound.lanes, 2).push(batch(2, 10));
    turn();
    expect(outbound.owedBytes).toBeGreaterThan(200 * KIB);
    outbound.takeBack(new Set([1]));
    expect(outbound.owedBytes).toBeLessThan(KIB);
    turnsUntilQuiet();
    expect(receivedOf(connection.sent.map(({ bytes }) => bytes))).toEqual(["void", "batch 2"]);
    expect(outbound.owedBytes).toBe(0);
  });

  test("news that has left in part is not shed", () => {
    const lane = laneOf(outbound.lanes, 1);
    lane.push(batch(1, 300 * KIB));
    turn();
    lane.push(batch(1, 10));
    expect([...outbound.shed(new Set([1])).keys()]).toEqual([1]);
    turnsUntilQuiet();
    expect(receivedOf(connection.sent.map(({ bytes }) => bytes))).toEqual(["batch 1"]);
  });

  test("everything arrives once and in the order of its lane, whatever is cut", () => {
    const act = fc.record({
      kind: fc.constantFrom("topic", "topic", "reply", "pong", "turn", "answer"),
      bytes: fc.oneof(fc.integer({ min: 1, max: 3 * KIB }), fc.integer({ min: 1, max: 90 * KIB })),
    });
    fc.assert(
      fc.property(fc.array(act, { maxLength: 40 }), (acts) => {
        connection.sent.length = 0;
        const expected: Record<string, string[]> = { topic: [], reply: [], pong: [] };
        const lane = laneOf(outbound.lanes, 1);
        for (const [index, { kind, bytes }] of acts.entries()) {
          if (kind === "turn") turn();
          else if (kind === "answer") {
            outbound.onAnswer(connection.pings.at(-1) ?? 0, clock.nowUs());
          } else if (kind === "topic") {
            lane.push(batch(1, bytes));
            expected["topic"]!.push("batch 1");
          } else if (kind === "reply") {
            outbound.pushReply(index + 1, reply(index + 1, bytes));
            expected["reply"]!.push(`reply ${index + 1}`);
          } else {
            outbound.pushControl(pong(index));
            expected["pong"]!.push(`pong ${index}`);
          }
        }
        turnsUntilQuiet();
        const seen = receivedOf(connection.sent.map(({ bytes }) => bytes));
        expect(seen.filter((item) => item.startsWith("batch"))).toEqual(expected["topic"]);
        expect(seen.filter((item) => item.startsWith("pong"))).toEqual(expected["pong"]);
        const replies = seen.filter((item) => item.startsWith("reply"));
        expect(replies.sort()).toEqual(expected["reply"]!.sort());
        expect(outbound.owedBytes).toBe(0);
      }),
      { numRuns: 60 },
    );
  });
});
