import fc from "fast-check";
import { Registry } from "prom-client";
import { describe, expect, test } from "vitest";
import { FakeConnection } from "#test/support/fake-connection.ts";
import { ManualClock } from "#test/support/manual-clock.ts";
import { sharedBatch } from "#test/support/shared-batches.ts";
import { createGatewayMetrics } from "../../metrics.ts";
import type { SharedBatch } from "../../topics/shared-batch.ts";
import { Flusher } from "./flusher.ts";
import { Outbound } from "./outbound.ts";
import type { OutboundLimits } from "./outbound.ts";

const LIMITS: OutboundLimits = {
  outboundBytesMax: 4_000,
  writeAheadBytesMax: 300,
  compressBytesMin: 50,
  flightBytesMax: 8_000,
  lagNoticeMs: 600,
  lagMsMax: 2_500,
};
const SESSIONS = 3;
const LIST_FRAME_BYTES_MAX = 16 * 1024;

/** Sessions of one gateway; those that are not `quick` are asked about each frame. */
class Rig {
  readonly clock = new ManualClock();
  readonly connections: FakeConnection[] = [];
  readonly outbounds: Outbound[] = [];
  /** What each session heard and did, in order. */
  readonly events: string[][] = [];
  readonly flusher: Flusher;
  readonly registry = new Registry();
  readonly #lists: Int32Array;
  readonly #turns: (() => void)[] = [];

  constructor(quick: boolean, limits = LIMITS, sessions = SESSIONS) {
    const metrics = createGatewayMetrics(this.registry);
    const scheduler = { endOfTurn: (callback: () => void) => void this.#turns.push(callback) };
    const { clock } = this;
    this.flusher = new Flusher({ clock, scheduler, flushIntervalMsMax: 0, metrics });
    const { fanOut } = this.flusher;
    if (!quick) fanOut.quick.allow = () => {};
    const lists: number[] = [];
    for (let session = 0; session < sessions; session += 1) {
      const connection = new FakeConnection();
      const heard: string[] = [];
      const outbound = new Outbound(
        connection,
        limits,
        { flusher: this.flusher, metrics },
        {
          onLag: ({ owedBytes, lagMs }) => void heard.push(`lags ${owedBytes} ${lagMs}`),
          onRecovered: () => void heard.push("recovers"),
          onSlow: () => {
            heard.push("slow");
            outbound.close();
          },
          sendProbe: (number) => {
            heard.push(`probe ${number} after ${connection.sent.length}`);
            return connection.ping(number);
          },
        },
      );
      this.connections.push(connection);
      this.outbounds.push(outbound);
      this.events.push(heard);
      lists.push(outbound.lanes.seat!.list);
    }
    this.#lists = Int32Array.from(lists);
  }

  /** Puts a batch into the lists of these sessions. */
  deliver(batch: SharedBatch, sessions = [...this.#lists.keys()]): void {
    const lists = Int32Array.from(sessions, (session) => this.#lists[session]!);
    this.flusher.fanOut.deliver(batch, lists, lists.length);
  }

  turn(): void {
    for (const callback of this.#turns.splice(0)) callback();
  }

  async metric(name: string): Promise<number> {
    const read = await this.registry.getSingleMetric(name)?.get();
    return (read?.values ?? []).reduce((sum, { value }) => sum + value, 0);
  }
}

/** Calls back for each frame that leaves without its session. */
function onPassed({ flusher }: Rig, callback: () => void): void {
  const { quick } = flusher.fanOut;
  const count = quick.passed.bind(quick);
  quick.passed = (list, bytes) => {
    callback();
    count(list, bytes);
  };
}

const session = fc.nat({ max: SESSIONS - 1 });
type Act = (rig: Rig, place: number) => void;
const batchAct = fc
  .record({ size: fc.integer({ min: 1, max: 120 }), to: fc.subarray([0, 1, 2], { minLength: 1 }) })
  .map(({ size, to }): Act => (rig, place) => {
    rig.deliver(sharedBatch(place + 1, place + 1, { bytes: size, fill: place & 255 }), to);
  });
const simple = (act: (rig: Rig, who: number) => void) =>
  session.map(
    (who): Act =>
      (rig) =>
        act(rig, who),
  );
const acts = fc.oneof(
  { weight: 14, arbitrary: batchAct },
  { weight: 14, arbitrary: fc.constant<Act>((rig) => rig.turn()) },
  {
    weight: 4,
    arbitrary: fc.integer({ min: 1, max: 700 }).map(
      (ms): Act =>
        (rig) =>
          rig.clock.advance(ms),
    ),
  },
  {
    weight: 8,
    arbitrary: simple(({ outbounds, connections, clock }, who) => {
      outbounds[who]!.onAnswer(connections[who]!.pings.at(-1) ?? 0, clock.monotonicUs());
    }),
  },
  {
    weight: 1,
    arbitrary: fc.oneof(
      simple(({ outbounds }, who) => outbounds[who]!.pushControl(Uint8Array.of(251, 252))),
      simple(({ outbounds }, who) => outbounds[who]!.pushReply(7, new Uint8Array(20).fill(253))),
      simple(({ outbounds }, who) => outbounds[who]!.takeBack(new Set([1]))),
      simple(({ outbounds }, who) => outbounds[who]!.shed(new Set([1]))),
      simple(({ outbounds }, who) => outbounds[who]!.sendUrgent(Uint8Array.of(254))),
      // As the session does when its client is welcome.
      simple(({ outbounds }, who) => {
        outbounds[who]!.compress = true;
        outbounds[who]!.pushControl(Uint8Array.of(250));
      }),
      simple(({ connections }, who) => void (connections[who]!.stuck = true)),
      simple(({ connections }, who) => void (connections[who]!.bufferMax = 40)),
      simple(({ connections, outbounds }, who) => {
        connections[who]!.stuck = false;
        connections[who]!.buffered = 0;
        connections[who]!.bufferMax = Number.POSITIVE_INFINITY;
        outbounds[who]!.onDrain();
      }),
      simple(({ outbounds }, who) => outbounds[who]!.close()),
    ),
  },
);

test("a session that is not asked gets the frames, probes and verdicts of one that is", async () => {
  let passed = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(acts, { minLength: 50, maxLength: 200, size: "max" }),
      async (steps) => {
        const rigs = [new Rig(true), new Rig(false)] as const;
        const [quick, asked] = rigs;
        onPassed(quick, () => (passed += 1));
        for (const [place, step] of steps.entries()) {
          for (const rig of rigs) step(rig, place);
          // Whoever looks at a session has it asked, so only now and then.
          if (place % 40 !== 39) continue;
          const owed = ({ outbounds }: Rig) => outbounds.map(({ owedBytes }) => owedBytes);
          expect(owed(quick)).toEqual(owed(asked));
        }
        for (const rig of rigs) rig.turn();
        expect(quick.events).toEqual(asked.events);
        const sent = ({ connections }: Rig) => connections.map((connection) => connection.sent);
        expect(sent(quick)).toEqual(sent(asked));
        const queued = ({ outbounds }: Rig) => outbounds.map((one) => one.queuedMarketBytes);
        expect(queued(quick)).toEqual(queued(asked));
        for (const name of ["frames_sent_total", "sent_bytes_total", "owed_at_end_events_total"]) {
          const metric = `tickwire_gateway_${name}`;
          const counts = [await quick.metric(metric), await asked.metric(metric)];
          expect([name, counts[0]]).toEqual([name, counts[1]]);
        }
      },
    ),
    { numRuns: 40 },
  );
  expect(passed).toBeGreaterThan(50);
}, 120_000);

/** A rig whose sessions have had their first frames, and answered what they were asked. */
function settledRig(sessions = SESSIONS, limits = LIMITS): Rig {
  const rig = new Rig(true, limits, sessions);
  rig.clock.advance(10_000);
  for (let frame = 1; frame <= 2; frame += 1) {
    rig.deliver(sharedBatch(frame, frame, { bytes: 4 }));
    rig.turn();
    for (const [place, outbound] of rig.outbounds.entries()) {
      const [probe] = rig.connections[place]!.pings.splice(0);
      if (probe !== undefined) outbound.onAnswer(probe, rig.clock.monotonicUs());
    }
  }
  return rig;
}

describe("lists of the same batches", () => {
  test("leave as one frame that is put together once", () => {
    const rig = settledRig(50);
    const frames = new Set<Uint8Array>();
    for (const connection of rig.connections) {
      const send = connection.send.bind(connection);
      connection.send = (frame, compress) => {
        frames.add(frame);
        return send(frame, compress);
      };
    }
    rig.deliver(sharedBatch(3, 3, { bytes: 4, fill: 3 }));
    rig.deliver(sharedBatch(4, 4, { bytes: 2, fill: 4 }));
    rig.turn();
    expect(frames.size).toBe(1);
    for (const { sent } of rig.connections) expect(sent.at(-1)?.bytes).toEqual([3, 3, 3, 3, 4, 4]);
  });

  test("are told apart from those that only begin or end alike", () => {
    const rig = settledRig();
    const [first, second, third] = [3, 4, 5].map((fill) =>
      sharedBatch(fill, fill, { bytes: 1, fill }),
    ) as [SharedBatch, SharedBatch, SharedBatch];
    rig.deliver(first, [0, 1]);
    rig.deliver(second, [0, 2]);
    rig.deliver(third, [0, 1, 2]);
    rig.turn();
    const last = rig.connections.map(({ sent }) => sent.at(-1)?.bytes);
    expect(last).toEqual([
      [3, 4, 5],
      [3, 5],
      [4, 5],
    ]);
    rig.deliver(second, [1]);
    rig.turn();
    expect(rig.connections[1]!.sent.at(-1)?.bytes).toEqual([4]);
  });
});

describe("a frame from a list", () => {
  const roomy = { ...LIMITS, outboundBytesMax: 1e6, flightBytesMax: 1e6, writeAheadBytesMax: 1e6 };

  test.each([
    [LIST_FRAME_BYTES_MAX - 1, true],
    [LIST_FRAME_BYTES_MAX, true],
    [LIST_FRAME_BYTES_MAX + 1, false],
  ])("of %d bytes leaves without its session: %s", (bytes, expected) => {
    const rig = settledRig(1, roomy);
    let passed = 0;
    onPassed(rig, () => (passed += 1));
    rig.deliver(sharedBatch(3, 3, { bytes, fill: 9 }));
    rig.turn();
    expect(rig.connections[0]!.sent.at(-1)?.bytes).toHaveLength(bytes);
    expect(passed).toBe(expected ? 1 : 0);
  });

  test("leaves without its session as soon as the probe before it is answered", () => {
    const rig = new Rig(true, roomy, 1);
    const [outbound, connection] = [rig.outbounds[0]!, rig.connections[0]!];
    let passed = 0;
    onPassed(rig, () => (passed += 1));
    rig.clock.advance(10_000);
    rig.deliver(sharedBatch(1, 1, { bytes: 4 }));
    rig.turn();
    expect([passed, connection.pings]).toEqual([0, [1]]);
    outbound.onAnswer(1, rig.clock.monotonicUs());
    rig.deliver(sharedBatch(2, 2, { bytes: 4 }));
    rig.turn();
    expect([passed, connection.sent.length]).toEqual([1, 2]);
    // What the transport holds back is the session's to look after.
    connection.buffered = 5;
    outbound.onAnswer(1, rig.clock.monotonicUs());
    rig.clock.advance(2_000);
    rig.deliver(sharedBatch(3, 3, { bytes: 4 }));
    rig.turn();
    expect(connection.pings).toEqual([1, 2]);
    outbound.onAnswer(2, rig.clock.monotonicUs());
    rig.deliver(sharedBatch(4, 4, { bytes: 4 }));
    rig.turn();
    expect([passed, connection.sent.length]).toEqual([1, 4]);
  });

  test("that a closed session does not get is counted as owed", async () => {
    const rig = settledRig(1);
    rig.deliver(sharedBatch(3));
    rig.outbounds[0]!.close();
    rig.turn();
    expect(rig.connections[0]!.sent).toHaveLength(2);
    expect(await rig.metric("tickwire_gateway_owed_at_end_events_total")).toBe(1);
  });
});

describe("sessions whose topics bring as much as can be sent", () => {
  const sessions = 40;
  const batchesPerTurn = 30;
  const receiveMs = 12;
  const largeLimits = {
    ...LIMITS,
    outboundBytesMax: 1_000_000,
    writeAheadBytesMax: 100_000,
    flightBytesMax: 1_000_000,
  };

  test("get it soon, also behind a moment in which nothing was sent", async () => {
    const rig = settledRig(sessions, largeLimits);
    const { clock, connections, outbounds } = rig;
    for (const connection of connections) {
      const send = connection.send.bind(connection);
      connection.send = (frame, compress) => {
        clock.advance(0.05 + frame.byteLength / 1_500);
        return send(frame, compress);
      };
      connection.ping = (number) => {
        outbounds[connections.indexOf(connection)]!.onAnswer(number, clock.monotonicUs());
        return true;
      };
    }
    let sequence = 2;
    const receive = (): void => {
      clock.advance(receiveMs);
      for (let batch = 0; batch < batchesPerTurn; batch += 1) {
        sequence += 1;
        rig.deliver(sharedBatch(sequence, sequence, { bytes: 10 }));
      }
    };
    const turns = (count: number): void => {
      for (let turn = 0; turn < count; turn += 1) {
        receive();
        rig.turn();
      }
    };
    for (let missed = 0; missed < 8; missed += 1) receive();
    turns(100);
    const fullBefore = await rig.metric("tickwire_gateway_full_lists_total");
    const framesBefore = connections.map(({ sent }) => sent.length);
    turns(90);
    expect(await rig.metric("tickwire_gateway_full_lists_total")).toBe(fullBefore);
    // A frame every third turn at the latest.
    for (const [place, { sent }] of connections.entries()) {
      expect(sent.length - framesBefore[place]!).toBeGreaterThanOrEqual(30);
    }
  });
});
