import { setImmediate as nextTurn } from "node:timers/promises";
import { readBusBatch } from "@tickwire/proto/codec";
import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { BusError } from "#bus/bus.ts";
import type { Bus, BusMessage } from "#bus/bus.ts";
import { StreamLogError } from "#bus/stream-log.ts";
import { idleLine } from "#test/support/idle-line.ts";
import { ListedLog, tradeBatches } from "#test/support/listed-log.ts";
import { ManualClock } from "#test/support/manual-clock.ts";
import { resumeParts } from "#test/support/resume-parts.ts";
import {
  decodeHistoryRequest,
  encodeHistoryReply,
  encodeQueryReply,
  encodeSnapshotReply,
} from "#wire/bus-codec.ts";
import { encodeState } from "#wire/event-codec.ts";
import { EventLog } from "../history/event-log.ts";
import { createGatewayMetrics } from "../metrics.ts";
import { QueryGate } from "../turns/query-gate.ts";
import type { SharedBatch } from "./shared-batch.ts";
import { TopicFeed } from "./topic-feed.ts";
import type { Attached, TopicSubscriber } from "./topic-subscriber.ts";

const NAME = { venue: "fake", symbol: "A-USD", channel: "trades" } as const;
const SUBJECT = "md.v2.fake.trades.A-USD";
const SILENT = { info() {}, warn() {}, error() {}, debug() {} };
const NOBODY: TopicSubscriber = { deliver() {}, gap() {}, epochChanged() {} };

/** A gateway's feed, a log, and a publisher that says where it stands and keeps no history. */
class Rig {
  readonly clock = new ManualClock();
  readonly listed = new ListedLog();
  readonly metrics = createGatewayMetrics(new Registry());
  readonly resume: ReturnType<typeof resumeParts>;
  readonly feed: TopicFeed;
  publisher: { epoch: number; sequence: number };
  /** What the publisher answers with when it is asked for its history; none by default. */
  kept: readonly Uint8Array[] = [];
  #receive: (message: BusMessage) => void = () => {};

  constructor(
    publisher: { epoch: number; sequence: number },
    options: { ringBatchesMax?: number; hasLog?: boolean; budgetBytes?: number } = {},
  ) {
    this.publisher = publisher;
    const { clock, metrics, listed } = this;
    const log = new EventLog({ log: listed, clock, logger: SILENT, metrics });
    this.resume = resumeParts(options.hasLog === false ? undefined : log);
    if (options.budgetBytes !== undefined) {
      this.resume.budget.take(this.resume.budget.bytesMax - options.budgetBytes);
    }
    const { ringBatchesMax = 4 } = options;
    const limits = { ringBytesMax: 100_000, ringBatchesMax, queryTimeoutMs: 100 };
    this.feed = new TopicFeed(
      7,
      NAME,
      { publisherId: "p-1", epoch: publisher.epoch },
      {
        bus: this.#bus(),
        clock,
        metrics,
        random: () => 1,
        gate: new QueryGate(10),
        line: idleLine(),
        limits,
        resume: this.resume,
        watch: {
          onBadBatch: () => {},
          onLoss: () => {},
          onReplaced: () => {},
          mayBeFollowed: () => false,
          onForeign: () => {},
          onStall: () => {},
        },
      },
    );
  }

  /** The log has so many batches of one trade from the first of the epoch on. */
  log(epoch: number, count: number): void {
    const counts = Array.from({ length: count }, () => 1);
    for (const payload of tradeBatches({ epoch, counts })) this.listed.put(SUBJECT, payload);
  }

  /** Publishes one trade a batch, on the bus and in the log. */
  publish(count: number): void {
    const { epoch, sequence } = this.publisher;
    const counts = Array.from({ length: count }, () => 1);
    for (const payload of tradeBatches({ epoch, sequence, counts })) {
      this.listed.put(SUBJECT, payload);
      this.#receive({ subject: SUBJECT, payload, respond: () => {} });
    }
    this.publisher = { epoch, sequence: sequence + count };
  }

  async restart(epoch: number): Promise<void> {
    this.publisher = { epoch, sequence: 0 };
    this.feed.follow({ publisherId: `p-${epoch}`, epoch, isNewcomer: true });
    await settle();
  }

  /** How a client that comes back starts. */
  async come(epoch: number, sequence: number): Promise<Attached> {
    const from = { epoch, sequence };
    const ready = new Promise<void>((resolve, reject) => {
      const failed = (message: string) => reject(new Error(message));
      this.feed.whenReady((failure) => (failure ? failed(failure.message) : resolve()), from);
    });
    await ready;
    return this.feed.attach({ ...NOBODY }, { snapshot: true, resume: from });
  }

  #answer(payload: Uint8Array): Uint8Array {
    const { afterSequence } = decodeHistoryRequest(payload);
    const isAfter = (batch: Uint8Array): boolean =>
      readBusBatch(batch).baseSequence >= afterSequence;
    const reply = encodeHistoryReply(this.kept.filter(isAfter), this.publisher.sequence);
    return encodeQueryReply(reply);
  }

  /** How the clients that came were served, each kind once: by whom, and how often. */
  async layers(): Promise<Record<string, number>> {
    const { values } = await this.metrics.resumes.get();
    return Object.fromEntries(values.map(({ labels, value }) => [String(labels.layer), value]));
  }

  #bus(): Bus {
    return {
      subscribe: (pattern: string, receive: (message: BusMessage) => void) => {
        this.#receive = receive;
        return { pattern, unsubscribe: () => {} };
      },
      request: async (subject: string, payload: Uint8Array) => {
        if (subject.includes(".history.") && this.kept.length > 0) return this.#answer(payload);
        if (!subject.includes(".snapshot.")) throw new BusError("request-timeout", "no history");
        const { epoch, sequence } = this.publisher;
        const state = encodeState({ channel: "trades", epoch, sequence }, [], 9);
        return encodeQueryReply(encodeSnapshotReply(state));
      },
    } as unknown as Bus;
  }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await nextTurn();
}

const firsts = (batches: readonly SharedBatch[]) =>
  batches.map(({ firstSequence }) => firstSequence);
const upTo = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

test("a cold gateway gives what the log has, where the publisher keeps nothing", async () => {
  const rig = new Rig({ epoch: 4, sequence: 20 });
  rig.log(4, 20);
  await settle();
  const { continuity, batches } = await rig.come(4, 5);
  expect([continuity, firsts(batches)]).toEqual(["resumed", upTo(6, 20)]);
  expect((await rig.metrics.logEvents.get()).values[0]?.value).toBe(15);
  expect(await rig.layers()).toEqual({ log: 1 });
});

test("a cold gateway gives what the publisher keeps, and counts it so", async () => {
  const rig = new Rig({ epoch: 4, sequence: 20 });
  rig.log(4, 20);
  rig.kept = tradeBatches({ epoch: 4, counts: Array.from({ length: 20 }, () => 1) });
  await settle();
  const { continuity, batches } = await rig.come(4, 5);
  expect([continuity, firsts(batches)]).toEqual(["resumed", upTo(6, 20)]);
  // Behind what was fetched everything is the gateway's own.
  rig.publish(3);
  expect(firsts((await rig.come(4, 21)).batches)).toEqual([22, 23]);
  expect(await rig.layers()).toEqual({ publisher: 1, ring: 1 });
  expect((await rig.metrics.logEvents.get()).values).toEqual([]);
  expect((await rig.metrics.historyEvents.get()).values[0]?.value).toBe(15);
});

test("what the ring has dropped comes from the log, and goes again after a while", async () => {
  const rig = new Rig({ epoch: 4, sequence: 0 });
  await settle();
  rig.publish(20);
  const { continuity, batches } = await rig.come(4, 2);
  expect([continuity, firsts(batches)]).toEqual(["resumed", upTo(3, 20)]);
  rig.publish(3);
  expect(firsts((await rig.come(4, 2)).batches)).toEqual(upTo(3, 23));
  expect((await rig.come(4, 22)).continuity).toBe("resumed");
  // Only whoever needs what the log gave is counted as served from there.
  expect(await rig.layers()).toEqual({ log: 2, ring: 1 });
  const { bytes } = rig.resume.budget;
  expect(bytes).toBeGreaterThan(0);
  rig.clock.advance(10_000);
  expect(rig.resume.budget.bytes).toBe(0);
  rig.listed.truncate(23);
  expect((await rig.come(4, 2)).continuity).toBe("replaced");
  expect(await rig.layers()).toEqual({ log: 2, ring: 1, snapshot: 1 });
});

test.each([2, 10, 15, 16])("a hole at %i of the log gives nothing of it", async (hole) => {
  const rig = new Rig({ epoch: 4, sequence: 0 });
  await settle();
  rig.publish(20);
  rig.listed.remove(hole);
  const { continuity, batches, missing } = await rig.come(4, 1);
  expect({ continuity, batches, missing }).toEqual({
    continuity: "replaced",
    batches: [],
    missing: { first: 2, last: 20 },
  });
});

test.each([1, 17, 20])("a hole at %i of the log, where it is not needed, is none", async (hole) => {
  const rig = new Rig({ epoch: 4, sequence: 0 });
  await settle();
  rig.publish(20);
  rig.listed.remove(hole);
  expect(firsts((await rig.come(4, 1)).batches)).toEqual(upTo(2, 20));
});

test("the end of an epoch that is over comes from the log, and then the next one", async () => {
  const rig = new Rig({ epoch: 9, sequence: 6 });
  rig.log(4, 8);
  rig.log(9, 6);
  await settle();
  const attached = await rig.come(4, 5);
  expect(attached.continuity).toBe("resumed");
  expect(firsts(attached.batches)).toEqual([6, 7, 8]);
  expect(attached.next?.change).toEqual({
    ended: { epoch: 4, sequence: 8 },
    start: { epoch: 9, sequence: 0 },
    continues: false,
  });
  expect(firsts(attached.next?.batches ?? [])).toEqual(upTo(1, 6));
  expect(attached.next?.missing).toBeUndefined();
  expect(await rig.layers()).toEqual({ log: 1 });
});

test("a position of two epochs ago is replaced: what lies between would be told as nothing", async () => {
  const rig = new Rig({ epoch: 11, sequence: 6 });
  for (const epoch of [4, 9, 11]) rig.log(epoch, 6);
  await settle();
  expect(await rig.come(4, 3)).toMatchObject({ continuity: "replaced", batches: [] });
  expect(await rig.layers()).toEqual({ snapshot: 1 });
  // Of the epoch between, the end is there as ever.
  expect((await rig.come(9, 5)).continuity).toBe("resumed");
});

test("a gateway that saw two epochs end replaces the first, and tells how far it came", async () => {
  const rig = new Rig({ epoch: 4, sequence: 0 }, { hasLog: false, ringBatchesMax: 100 });
  await settle();
  rig.publish(8);
  await rig.restart(9);
  rig.publish(3);
  await rig.restart(11);
  rig.publish(2);
  expect(await rig.come(4, 6)).toMatchObject({
    continuity: "replaced",
    ended: { epoch: 4, sequence: 8 },
  });
  const { continuity, batches } = await rig.come(9, 1);
  expect([continuity, firsts(batches)]).toEqual(["resumed", [2, 3]]);
});

test("a gateway that was there when an epoch ended needs no log for it", async () => {
  const rig = new Rig({ epoch: 4, sequence: 0 }, { hasLog: false, ringBatchesMax: 100 });
  await settle();
  rig.publish(8);
  await rig.restart(9);
  rig.publish(3);
  const attached = await rig.come(4, 6);
  expect([attached.continuity, firsts(attached.batches)]).toEqual(["resumed", [7, 8]]);
  expect(firsts(attached.next?.batches ?? [])).toEqual([1, 2, 3]);
  rig.clock.advance(60_000);
  expect(await rig.come(4, 6)).toMatchObject({
    continuity: "replaced",
    ended: { epoch: 4, sequence: 8 },
  });
  expect(rig.resume.budget.bytes).toBe(0);
});

test("what the next epoch had first and nobody keeps is told as missing", async () => {
  const rig = new Rig({ epoch: 9, sequence: 6 });
  rig.log(4, 2);
  await settle();
  const attached = await rig.come(4, 1);
  expect(firsts(attached.batches)).toEqual([2]);
  expect(attached.next).toMatchObject({ batches: [], missing: { first: 1, last: 6 } });
});

test("an epoch of which the log has a part is replaced, as one that it does not have", async () => {
  const rig = new Rig({ epoch: 9, sequence: 0 });
  rig.log(4, 4);
  rig.listed.remove(3);
  await settle();
  expect((await rig.come(4, 1)).continuity).toBe("replaced");
  expect((await rig.come(5, 1)).continuity).toBe("replaced");
});

test("a log that does not answer makes a client start anew, and is not asked by the next", async () => {
  const rig = new Rig({ epoch: 4, sequence: 0 });
  await settle();
  rig.publish(20);
  rig.listed.failure = new StreamLogError("log-unavailable", "no");
  expect((await rig.come(4, 2)).continuity).toBe("replaced");
  const { asked } = rig.listed;
  expect((await rig.come(4, 3)).continuity).toBe("replaced");
  expect(rig.listed.asked).toBe(asked);
});

test("beyond what may be set aside for clients who come back, they start anew", async () => {
  const entry = new Rig({ epoch: 4, sequence: 0 });
  await settle();
  entry.publish(20);
  await entry.come(4, 2);
  const needed = entry.resume.budget.bytes;
  for (const [budgetBytes, continuity] of [
    [needed + 1, "resumed"],
    [needed, "resumed"],
    [needed - 1, "replaced"],
  ] as const) {
    const rig = new Rig({ epoch: 4, sequence: 0 }, { budgetBytes });
    await settle();
    rig.publish(20);
    expect((await rig.come(4, 2)).continuity).toBe(continuity);
  }
});

test("batches of the log are what the publisher sent, byte by byte", async () => {
  const rig = new Rig({ epoch: 4, sequence: 0 }, { ringBatchesMax: 100 });
  await settle();
  rig.publish(5);
  const live = (await rig.come(4, 0)).batches.map(({ bytes }) => bytes);
  const cold = new Rig({ epoch: 4, sequence: 5 });
  cold.log(4, 5);
  await settle();
  expect((await cold.come(4, 0)).batches.map(({ bytes }) => bytes)).toEqual(live);
});
