import fc from "fast-check";
import { Registry } from "prom-client";
import { beforeEach, describe, expect, test } from "vitest";
import { laneOf } from "#test/support/lane-of.ts";
import type { TopicLane } from "#test/support/lane-of.ts";
import { FakeConnection } from "#test/support/fake-connection.ts";
import { sharedBatch } from "#test/support/shared-batches.ts";
import { ManualClock } from "#test/support/manual-clock.ts";
import { Flusher } from "./flusher.ts";
import { createGatewayMetrics } from "../../metrics.ts";
import type { GatewayLatency } from "../../metrics.ts";
import { Outbound } from "./outbound.ts";
import type { OutboundLimits } from "./outbound.ts";
import type { SharedBatch } from "../../topics/shared-batch.ts";
import { SendResult } from "../../transport/transport.ts";

/** The topic of `lane`, and another. */
const [TOPIC, OTHER] = [1, 2];

function batch(value: number, size = 10, events = 1, topicId = TOPIC): SharedBatch {
  return sharedBatch(value, value, { bytes: size, fill: value, events, topicId });
}

const LIMITS = {
  outboundBytesMax: 1_000,
  writeAheadBytesMax: 300,
  compressBytesMin: 50,
  flightBytesMax: 1_000_000,
  lagNoticeMs: 5_000,
  lagMsMax: 30_000,
};

let limits: { -readonly [Limit in keyof OutboundLimits]: OutboundLimits[Limit] };

let registry: Registry;
let clock: ManualClock;
let turns: (() => void)[];
let flusher: Flusher;
let connection: FakeConnection;
let outbound: Outbound;
let newOutbound: () => Outbound;
let lane: TopicLane;
let events: string[];
let latency: GatewayLatency;

beforeEach(() => {
  registry = new Registry();
  clock = new ManualClock();
  turns = [];
  const metrics = createGatewayMetrics(registry);
  latency = metrics.latencies.of({ venue: "fake", channel: "trades" });
  const scheduler = { endOfTurn: (callback: () => void) => void turns.push(callback) };
  flusher = new Flusher({ clock, scheduler, flushIntervalMsMax: 10, metrics });
  connection = new FakeConnection();
  events = [];
  newOutbound = () => new Outbound(connection, limits, { flusher, metrics }, listener);
  const listener = {
    onLag: () => void events.push("lag"),
    onRecovered: () => void events.push("recovered"),
    onSlow: () => void events.push("slow"),
    sendProbe: (number: number) => connection.ping(number),
  };
  limits = { ...LIMITS };
  outbound = newOutbound();
  lane = laneOf(outbound.lanes, TOPIC);
});

function turn(): void {
  for (const callback of turns.splice(0)) callback();
}

describe("a flush", () => {
  test("sends everything of the turn as one frame, control first", () => {
    lane.push(batch(2, 3));
    outbound.pushControl(Uint8Array.of(1, 1));
    lane.push(batch(3, 2));
    expect(connection.sent).toHaveLength(0);
    turn();
    expect(connection.sent.map((frame) => frame.bytes)).toEqual([[1, 1, 2, 2, 2, 3, 3]]);
    turn();
    expect(connection.sent).toHaveLength(1);
  });

  test("keeps an ordered message behind the batches before it and before those after", () => {
    lane.push(batch(2, 2));
    lane.pushMessage(Uint8Array.of(9));
    lane.push(batch(3, 2));
    outbound.pushControl(Uint8Array.of(1));
    turn();
    expect(connection.sent.map((frame) => frame.bytes)).toEqual([
      [1, 2, 2],
      [9, 3, 3],
    ]);
  });

  test("an urgent message does not wait for what the transport has yet to send", () => {
    connection.stuck = true;
    connection.buffered = 300;
    lane.push(batch(2, 2));
    outbound.sendUrgent(Uint8Array.of(7));
    turn();
    expect(connection.sent.map((frame) => frame.bytes)).toEqual([[7]]);
  });

  test("an urgent message that the transport refuses is sent first when there is room", () => {
    connection.bufferMax = 0;
    outbound.sendUrgent(Uint8Array.of(7));
    lane.push(batch(2, 2));
    connection.bufferMax = 100;
    turn();
    expect(connection.sent.map((frame) => frame.bytes)).toEqual([[7, 2, 2]]);
  });

  test("leaves out what was taken back, and only that", async () => {
    const other = laneOf(outbound.lanes, OTHER);
    for (const value of [2, 3, 2, 4]) {
      if (value === 2) other.push(batch(value, 2, 1, OTHER));
      else lane.push(batch(value, 2));
    }
    outbound.takeBack(new Set([OTHER]));
    turn();
    expect(connection.sent.map((frame) => frame.bytes)).toEqual([[3, 3, 4, 4]]);
    expect(outbound.owedBytes).toBe(0);
    outbound.close();
    const metric = await registry
      .getSingleMetric("tickwire_gateway_owed_at_end_events_total")
      ?.get();
    expect(metric?.values).toEqual([]);
  });

  test("happens once a turn however many sessions and batches there are", () => {
    for (let index = 0; index < 100; index += 1) lane.push(batch(1));
    expect(turns).toHaveLength(1);
  });

  test.each([
    [49, false, false],
    [50, false, true],
    [50, true, true],
    [51, true, true],
  ])("of %i bytes is compressed only if the client accepted and it is large", (size, _, large) => {
    lane.push(batch(1, size));
    turn();
    outbound.compress = true;
    lane.push(batch(1, size));
    turn();
    expect(connection.sent.map((frame) => frame.compress)).toEqual([false, large]);
  });

  test.each([
    [512 * 1024 - 1, true],
    [512 * 1024, true],
    [512 * 1024 + 1, false],
  ])("of %i bytes, one batch, is compressed: %s", (size, isCompressed) => {
    outbound.compress = true;
    lane.push(batch(1, size));
    turn();
    expect(connection.sent.map((frame) => frame.compress)).toEqual([isCompressed]);
  });

  test("is sent as it is while there is no time to compress it, which is counted", async () => {
    const skipped = async (): Promise<number | undefined> => {
      const metric = registry.getSingleMetric("tickwire_gateway_compressions_skipped_total");
      return (await metric?.get())?.values[0]?.value;
    };
    const send = connection.send.bind(connection);
    connection.send = (frame, compress) => {
      if (compress) clock.hold(60);
      return send(frame, compress);
    };
    outbound.compress = true;
    const isCompressed = (): boolean | undefined => {
      lane.push(batch(1, 100));
      clock.hold(100);
      turn();
      return connection.sent.at(-1)?.compress;
    };
    expect([isCompressed(), isCompressed(), isCompressed()]).toEqual([true, false, false]);
    expect(await skipped()).toBe(2);
    lane.push(batch(1, 49));
    turn();
    expect(await skipped()).toBe(2);
    clock.advance(50);
    expect(isCompressed()).toBe(true);
    expect(connection.sent.map(({ bytes }) => bytes.length)).toEqual([100, 100, 100, 49, 100]);
  });

  test("cuts frames at a quarter of what may be under way, but never an entry", () => {
    const kib = 1024;
    for (const size of [200, 56, 1, 300, 1]) lane.push(batch(1, size * kib));
    for (let round = 0; round < 6; round += 1) {
      turn();
      outbound.onAnswer(connection.pings.at(-1) ?? 0, clock.nowUs());
    }
    const sizes = connection.sent.map((frame) => frame.bytes.length / kib);
    expect(sizes).toEqual([200, 56, 1, 300, 1]);
  });

  test("cuts frames at 256 KiB, however quickly the client answers", () => {
    const kib = 1024;
    limits = { ...LIMITS, outboundBytesMax: 1e9, flightBytesMax: 16 * kib * kib };
    outbound = newOutbound();
    lane = laneOf(outbound.lanes, TOPIC);
    for (let index = 0; index < 400; index += 1) lane.push(batch(1, 64 * kib));
    for (let round = 0; round < 20; round += 1) {
      turn();
      outbound.onAnswer(connection.pings.at(-1) ?? 0, clock.nowUs());
    }
    const sizes = connection.sent.map((frame) => frame.bytes.length / kib);
    expect([sizes[0], Math.max(...sizes)]).toEqual([64, 256]);
    expect(outbound.owedBytes).toBe(0);
  });

  test("that took long lets the next wait as long, up to the limit", () => {
    connection.send = (frame) => {
      clock.advance(4);
      connection.sent.push({ bytes: [...frame], compress: false });
      return SendResult.Sent;
    };
    lane.push(batch(1));
    turn();
    lane.push(batch(2));
    turn();
    expect(connection.sent).toHaveLength(1);
    clock.advance(3);
    expect(connection.sent).toHaveLength(1);
    clock.advance(1);
    expect(connection.sent).toHaveLength(2);
  });
});

describe("the lanes", () => {
  const KIB = 1024;

  test("put control before replies before market data, each in its own order", () => {
    lane.push(batch(7, 1));
    outbound.pushReply(1, Uint8Array.of(4));
    outbound.pushControl(Uint8Array.of(1));
    lane.push(batch(8, 1));
    outbound.pushReply(1, Uint8Array.of(5));
    outbound.pushControl(Uint8Array.of(2));
    turn();
    expect(connection.sent.map((frame) => frame.bytes)).toEqual([[1, 2, 4, 5, 7, 8]]);
  });

  test("let a reply overtake bulk data that waits, at the next frame", () => {
    connection.stuck = true;
    limits.writeAheadBytesMax = 1;
    for (let value = 10; value < 15; value += 1) lane.push(batch(value, 60 * KIB));
    turn();
    expect(connection.sent.map((frame) => frame.bytes[0])).toEqual([10]);
    outbound.pushReply(1, Uint8Array.of(4));
    outbound.pushControl(Uint8Array.of(1));
    connection.buffered = 0;
    outbound.onDrain();
    turn();
    expect(connection.sent[1]?.bytes).toEqual([1, 4]);
    outbound.onAnswer(connection.pings.at(-1) ?? 0, clock.nowUs());
    connection.buffered = 0;
    turn();
    expect(connection.sent[2]?.bytes[0]).toBe(11);
  });

  test("let control overtake replies that fill more than a frame", () => {
    limits.writeAheadBytesMax = 1;
    connection.stuck = true;
    for (const value of [4, 5]) outbound.pushReply(value, new Uint8Array(200 * KIB).fill(value));
    lane.push(batch(9, 1));
    turn();
    outbound.pushControl(Uint8Array.of(1));
    connection.buffered = 0;
    turn();
    outbound.onAnswer(connection.pings.at(-1) ?? 0, clock.nowUs());
    connection.buffered = 0;
    turn();
    const starts = connection.sent.map((frame) => [frame.bytes[0], frame.bytes.length]);
    // Large replies and market data take turns.
    expect(starts).toEqual([
      [4, 200 * KIB],
      [1, 1],
      [9, 1],
    ]);
  });

  test("let a small reply overtake a large one, but not what follows it of its own call", () => {
    connection.stuck = true;
    outbound.pushReply(1, new Uint8Array(100 * KIB).fill(1));
    outbound.pushReply(2, new Uint8Array(100 * KIB).fill(2));
    turn();
    outbound.pushReply(2, Uint8Array.of(22));
    outbound.pushReply(3, Uint8Array.of(33));
    connection.buffered = 0;
    for (let round = 0; round < 6; round += 1) {
      turn();
      connection.buffered = 0;
      outbound.onAnswer(connection.pings.at(-1) ?? 0, clock.nowUs());
    }
    expect(connection.sent.map(({ bytes }) => bytes[0])).toEqual([1, 33, 2, 22]);
    expect(outbound.replyBytes).toBe(0);
  });

  test("of topics share one order of arrival", () => {
    const other = laneOf(outbound.lanes, OTHER);
    lane.push(batch(2, 1));
    other.push(batch(3, 1, 1, OTHER));
    lane.push(batch(4, 1));
    turn();
    expect(connection.sent.map((frame) => frame.bytes)).toEqual([[2, 3, 4]]);
  });

  test("put messages about topics that follow each other into one frame", () => {
    lane.push(batch(2, 1));
    for (const value of [7, 8]) lane.pushMessage(Uint8Array.of(value));
    lane.push(batch(3, 1));
    turn();
    expect(connection.sent.map((frame) => frame.bytes)).toEqual([[2], [7, 8, 3]]);
  });

  test("are closed when the transport finds out while it sends that the client is gone", () => {
    lane.push(batch(2, 10, 3));
    connection.send = () => {
      outbound.close();
      return SendResult.Sent;
    };
    turn();
    expect(events).toEqual([]);
    expect(outbound.owedBytes).toBe(0);
  });
});

describe("a connection that does not drain", () => {
  beforeEach(() => {
    connection.stuck = true;
  });

  test("is written ahead to the limit and gets the rest, in order, when it drains", () => {
    for (let value = 1; value <= 6; value += 1) {
      lane.push(batch(value, 100));
      turn();
    }
    expect(connection.sent.map((frame) => frame.bytes[0])).toEqual([1, 2, 3]);
    outbound.pushControl(Uint8Array.of(9));
    connection.buffered = 0;
    outbound.onDrain();
    turn();
    expect(connection.sent[3]?.bytes).toEqual([9, ...[4, 5, 6].flatMap((v) => batchOf(v, 100))]);
  });

  test("keeps what the transport refused", () => {
    connection.bufferMax = 50;
    lane.push(batch(1, 60));
    turn();
    expect(connection.sent).toHaveLength(0);
    connection.bufferMax = 100;
    outbound.onDrain();
    turn();
    expect(connection.sent).toHaveLength(1);
  });

  test.each([
    [500, []],
    [510, ["lag"]],
    [1_000, ["lag"]],
    [1_010, ["lag", "slow"]],
  ])("with %i bytes owed has caused %o", (owed, expected) => {
    for (let bytes = 0; bytes < owed; bytes += 10) {
      lane.push(batch(1, 10));
      turn();
    }
    expect(outbound.owedBytes).toBe(owed);
    expect(events.slice(0, 2)).toEqual(expected);
  });

  test("is told again only after it has caught up to a quarter", () => {
    const owe = (bytes: number) => {
      lane.push(batch(1, bytes));
      turn();
    };
    owe(600);
    connection.buffered = 250;
    owe(300);
    expect(events).toEqual(["lag"]);
    connection.buffered = 0;
    outbound.onDrain();
    turn();
    connection.buffered = 0;
    owe(10);
    expect(events).toEqual(["lag"]);
    // That less is owed says nothing before the client has read something.
    outbound.onAnswer(connection.pings.at(-1) ?? 0, clock.monotonicUs());
    turn();
    connection.buffered = 0;
    owe(600);
    expect(events).toEqual(["lag", "recovered", "lag"]);
  });

  test("may be owed large starts without being slow, until it has caught up once", () => {
    lane.pushStart(batch(1, 400));
    lane.pushStart(batch(2, 5_000));
    turn();
    expect(events).toEqual([]);
    connection.buffered = 0;
    outbound.onDrain();
    turn();
    connection.buffered = 0;
    lane.push(batch(3, 1_001));
    turn();
    expect(events).toContain("slow");
  });

  test("is counted for what it did not get, once, and accepts nothing more", async () => {
    lane.push(batch(1, 300, 7));
    turn();
    lane.push(batch(2, 10, 2));
    lane.push(batch(3, 10, 3));
    outbound.close();
    outbound.close();
    lane.push(batch(4, 10, 50));
    turn();
    const metric = await registry
      .getSingleMetric("tickwire_gateway_owed_at_end_events_total")
      ?.get();
    expect(metric?.values).toMatchObject([
      { value: 5, labels: { venue: "fake", channel: "book" } },
    ]);
    expect(connection.sent).toHaveLength(1);
  });
});

function batchOf(value: number, size: number): number[] {
  return Array.from({ length: size }, () => value);
}

test("a long queue is served in order across compaction", () => {
  connection.stuck = true;
  connection.buffered = 300;
  const sizes = 5_000;
  for (let index = 0; index < sizes; index += 1) lane.push(batch(index % 251, 200));
  turn();
  connection.stuck = false;
  for (let round = 0; round < 10; round += 1) {
    connection.buffered = 0;
    outbound.onAnswer(connection.pings.at(-1) ?? 0, clock.nowUs());
    outbound.onDrain();
    turn();
  }
  const values = connection.sent.flatMap((frame) => frame.bytes.filter((_, at) => at % 200 === 0));
  expect(values).toEqual(Array.from({ length: sizes }, (_, index) => index % 251));
});

describe("what is under way", () => {
  beforeEach(() => {
    limits.flightBytesMax = 400;
    limits.outboundBytesMax = 100_000;
    outbound = newOutbound();
    lane = laneOf(outbound.lanes, TOPIC);
  });

  test("is limited, and goes on with the client's answer", () => {
    for (let value = 0; value < 20; value += 1) {
      lane.push(batch(value, 100));
      turn();
    }
    expect(connection.sent).toHaveLength(4);
    const owed = [outbound.owedBytes];
    for (let round = 0; round < 4; round += 1) {
      outbound.onAnswer(connection.pings.at(-1) ?? 0, clock.nowUs());
      turn();
      owed.push(outbound.owedBytes);
    }
    expect(owed).toEqual([1_600, 1_200, 800, 400, 0]);
  });

  test("holds up neither control nor replies", () => {
    for (let value = 0; value < 5; value += 1) {
      lane.push(batch(value, 100));
      turn();
    }
    outbound.pushControl(Uint8Array.of(8));
    outbound.pushReply(1, Uint8Array.of(9));
    turn();
    expect(connection.sent.at(-1)?.bytes).toEqual([8, 9]);
  });

  test("tells how far behind a client is, though nothing more is sent to it", () => {
    lane.push(batch(1));
    turn();
    clock.advance(5_000);
    expect(events).toEqual([]);
    clock.advance(1_000);
    expect(events).toEqual(["lag"]);
    clock.advance(24_000);
    expect(events).toEqual(["lag"]);
    clock.advance(1_000);
    expect(events).toEqual(["lag", "slow"]);
  });

  test("is none when the client has answered, and then nobody looks", () => {
    lane.push(batch(1));
    turn();
    expect(clock.pending).toBe(1);
    outbound.onAnswer(connection.pings[0] ?? 0, clock.nowUs());
    expect(clock.pending).toBe(0);
    clock.advance(60_000);
    expect(events).toEqual([]);
  });

  test("to one client is nothing to another, whichever of them was sent something first", () => {
    const other = newOutbound();
    other.pushControl(Uint8Array.of(8));
    lane.push(batch(1));
    turn();
    clock.advance(3_000);
    expect([outbound.lagUs(clock.nowUs()), other.lagUs(clock.nowUs())]).toEqual([3_000_000, 0]);
    laneOf(other.lanes, TOPIC).push(batch(2));
    turn();
    clock.advance(1_000);
    expect(other.lagUs(clock.nowUs())).toBe(1_000_000);
    expect(newOutbound().lagUs(clock.nowUs())).toBe(0);
  });

  test("of a session that is over is looked at no more", () => {
    lane.push(batch(1));
    turn();
    outbound.close();
    outbound.onAnswer(connection.pings[0] ?? 0, clock.nowUs());
    expect(clock.pending).toBe(0);
  });

  test("does not count what waits behind the start of a subscription", () => {
    for (let value = 0; value < 20; value += 1) lane.pushStart(batch(value, 100));
    lane.push(batch(20, 100));
    turn();
    for (let second = 0; second < 10; second += 1) {
      clock.advance(3_000);
      outbound.onAnswer(connection.pings.at(-1) ?? 0, clock.nowUs());
      turn();
    }
    expect(events).toEqual([]);
  });

  test("is asked about again if the transport had no room for the question", () => {
    const ping = connection.ping.bind(connection);
    connection.ping = () => false;
    lane.push(batch(1));
    turn();
    connection.ping = ping;
    outbound.pushControl(Uint8Array.of(8));
    turn();
    expect(connection.pings).toHaveLength(1);
  });
});

/** What a client that was sent these frames makes of the lanes: entries are one byte long. */
function lanesOf(frames: readonly { readonly bytes: readonly number[] }[]) {
  const entries = frames.flatMap((frame) => frame.bytes);
  const ofLane = (of: number): number[] => entries.filter((entry) => entry >> 6 === of);
  return [ofLane(0), ofLane(1), ofLane(2), ofLane(3)];
}

test("whatever is queued, sent, refused and taken back: each lane arrives in order and whole", () => {
  const action = fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom("control", "reply", "topic", "other") },
    { weight: 3, arbitrary: fc.constant("turn") },
    { weight: 1, arbitrary: fc.constantFrom("refuse", "accept", "stick", "drain", "take back") },
  );
  fc.assert(
    fc.property(fc.array(action, { maxLength: 120 }), (actions) => {
      const sent = new FakeConnection();
      const metrics = createGatewayMetrics(new Registry());
      const parts = { flusher, metrics };
      const tested = new Outbound(sent, { ...LIMITS, writeAheadBytesMax: 20 }, parts, {
        onLag: () => {},
        onRecovered: () => {},
        onSlow: () => {},
        sendProbe: () => true,
      });
      const topic = laneOf(tested.lanes, TOPIC);
      const other = laneOf(tested.lanes, OTHER);
      // The lane is in the upper bits of an entry, its place in the lane in the lower ones.
      const expected: number[][] = [[], [], [], []];
      const counts = [0, 0, 0, 0];
      const next = (of: number): number => {
        const entry = (of << 6) | ((counts[of] ?? 0) & 63);
        counts[of] = (counts[of] ?? 0) + 1;
        expected[of]?.push(entry);
        return entry;
      };
      const actual = (): number[][] => lanesOf(sent.sent);
      const acts: Record<string, () => void> = {
        control: () => tested.pushControl(Uint8Array.of(next(0))),
        reply: () => tested.pushReply(1, Uint8Array.of(next(1))),
        topic: () => topic.push(batch(next(2), 1)),
        other: () => other.push(batch(next(3), 1, 1, OTHER)),
        turn,
        refuse: () => void (sent.bufferMax = 0),
        accept: () => void (sent.bufferMax = Number.POSITIVE_INFINITY),
        stick: () => void (sent.stuck = true),
        drain: () => {
          sent.buffered = 0;
          tested.onDrain();
        },
        "take back": () => {
          tested.takeBack(new Set([OTHER]));
          expected[3] = actual()[3] ?? [];
        },
      };
      for (const act of actions) {
        acts[act]?.();
        const waiting = expected.flat().length - actual().flat().length;
        expect(tested.owedBytes - sent.buffered).toBe(waiting);
      }
      sent.stuck = false;
      sent.bufferMax = Number.POSITIVE_INFINITY;
      sent.buffered = 0;
      tested.onDrain();
      turn();
      expect(actual()).toEqual(expected);
      expect(tested.owedBytes).toBe(0);
    }),
  );
});

describe("the way of a batch", () => {
  /** One frame with a batch that the gateway received so long ago. */
  function sendAged(ageUs: number, kept = false): void {
    const receivedAtUs = kept ? 0 : clock.monotonicUs() - ageUs;
    lane.push(sharedBatch(1, 1, { latency, receivedAtUs }));
    turn();
  }

  const counted = ({ counts }: { readonly counts: Float64Array }): number =>
    counts.reduce((sum, count) => sum + count, 0);

  test("through the gateway is measured for one frame in sixteen, the first among them", () => {
    clock.advance(60_000);
    sendAged(700);
    expect([counted(latency.receiveToSocket), latency.receiveToSocket.sumUs]).toEqual([1, 700]);
    for (let frame = 1; frame < 16; frame += 1) sendAged(1_000_000);
    expect(counted(latency.receiveToSocket)).toBe(1);
    sendAged(300);
    expect([counted(latency.receiveToSocket), latency.receiveToSocket.sumUs]).toEqual([2, 1_000]);
  });

  test("is not measured for what was kept, but for the next batch that was not", () => {
    clock.advance(60_000);
    sendAged(0, true);
    expect(counted(latency.receiveToSocket)).toBe(0);
    sendAged(400);
    expect([counted(latency.receiveToSocket), latency.receiveToSocket.sumUs]).toEqual([1, 400]);
  });

  test("is not measured while a start is sent, whose batches may be old", () => {
    clock.advance(60_000);
    const old = { latency, receivedAtUs: clock.monotonicUs() - 30_000_000 };
    lane.pushStart(sharedBatch(1, 1, old));
    turn();
    expect(counted(latency.receiveToSocket)).toBe(0);
    sendAged(400);
    expect([counted(latency.receiveToSocket), latency.receiveToSocket.sumUs]).toEqual([1, 400]);
  });

  test("to the client is the time until the probe behind it is answered", () => {
    clock.advance(60_000);
    sendAged(0);
    const [number] = connection.pings;
    clock.advance(42);
    outbound.onAnswer(number ?? 0, clock.monotonicUs());
    expect([counted(latency.socketToClient), latency.socketToClient.sumUs]).toEqual([1, 42_000]);
    outbound.onAnswer(number ?? 0, clock.monotonicUs());
    expect(counted(latency.socketToClient)).toBe(1);
  });
});

describe("a probe", () => {
  test("leaves together with the frame before it, every two seconds", () => {
    const answer = (): void => outbound.onAnswer(connection.pings.length, clock.monotonicUs());
    lane.push(batch(2));
    turn();
    expect(connection.pieces).toEqual([{ frames: 1, pings: 1 }]);
    answer();
    clock.advance(1_999);
    lane.push(batch(3));
    turn();
    expect(connection.pings).toHaveLength(1);
    expect(connection.pieces).toHaveLength(1);
    clock.advance(1);
    lane.push(batch(4));
    turn();
    expect(connection.pieces).toEqual([
      { frames: 1, pings: 1 },
      { frames: 1, pings: 1 },
    ]);
    expect(connection.sent).toHaveLength(3);
  });
});
