import { setImmediate as nextTurn } from "node:timers/promises";
import { BatchReader } from "@tickwire/proto/codec";
import { ReplayRequestCodec } from "@tickwire/proto/service";
import type { ReplayRequest, ReplayResponse } from "@tickwire/proto/service";
import { Registry } from "prom-client";
import { describe, expect, test } from "vitest";
import { StreamLogError } from "#bus/stream-log.ts";
import { idleLine } from "#test/support/idle-line.ts";
import { ListedLog, tradeBatches } from "#test/support/listed-log.ts";
import { ManualClock } from "#test/support/manual-clock.ts";
import { ANYBODY } from "#test/support/principals.ts";
import type { Principal } from "../access/principal.ts";
import type { Catalog } from "../catalog/catalog.ts";
import { EventLog } from "../history/event-log.ts";
import { createGatewayMetrics } from "../metrics.ts";
import { replay, ReplayPlaces } from "./replay.ts";
import { RpcError } from "./rpc-error.ts";

const SILENT = { info() {}, warn() {}, error() {}, debug() {} };
const SECOND_US = 1_000_000;
const ONE = "fake:A-USD/trades";
const OTHER = "fake:B-USD/trades";
const subjectOf = (topic: string) => `md.v2.fake.trades.${topic.slice(5, 10)}`;

/** A log with a batch of a topic at a second of 1970. */
class Rig {
  readonly listed = new ListedLog();
  readonly clock = new ManualClock();
  readonly abort = new AbortController();
  readonly metrics = createGatewayMetrics(new Registry());
  readonly places: ReplayPlaces;
  readonly parts: Parameters<typeof replay>[0];
  /** Requests that may still be paid for. */
  credit = Infinity;
  principal: Principal = ANYBODY;

  constructor(options: { hasLog?: boolean; replaysMax?: number } = {}) {
    const { clock, metrics, listed } = this;
    const log = new EventLog({ log: listed, clock, logger: SILENT, metrics });
    const catalog = {
      find: () => undefined,
      standingOf: () => "listed",
      instrument: () => undefined,
    };
    this.parts = {
      log: options.hasLog === false ? undefined : log,
      clock,
      metrics,
      catalog: catalog as unknown as Catalog,
      replaysMax: options.replaysMax ?? 2,
    };
    this.places = new ReplayPlaces(this.parts);
  }

  put(topic: string, second: number, epoch: number, sequence: number, count = 1): void {
    const publishedTimeUs = second * SECOND_US;
    const [bytes] = tradeBatches({ epoch, sequence, counts: [count], publishedTimeUs });
    this.listed.put(subjectOf(topic), bytes!, publishedTimeUs);
  }

  start(request: Partial<ReplayRequest>): AsyncGenerator<ReplayResponse> {
    const whole = { ...ReplayRequestCodec.decode(new Uint8Array()), ...request };
    return replay(this.parts, this.places, whole, {
      line: idleLine(),
      signal: this.abort.signal,
      principal: this.principal,
      spend: (price) => {
        if (price > this.credit) throw new RpcError("resource_exhausted", "no");
        this.credit -= price;
      },
    });
  }

  async all(request: Partial<ReplayRequest>): Promise<string[]> {
    const told: string[] = [];
    const reader = new Map<number, BatchReader>();
    for await (const response of this.start(request)) told.push(...tellOf(response, reader));
    return told;
  }
}

/** What a response says, read as a client does: each topic by a chain of its own. */
function tellOf(response: ReplayResponse, readers: Map<number, BatchReader>): string[] {
  const told = response.topics.map(({ topicId, topic }) => `${topicId} is ${topic}`);
  for (const { topicId, epoch, sequence, missingFirst, missingLast } of response.breaks) {
    const missing = missingFirst === 0 ? "" : ` without ${missingFirst}-${missingLast}`;
    told.push(`${topicId} after ${epoch}/${sequence}${missing}`);
  }
  for (const bytes of response.batches) {
    const topicId = bytes[1] ?? 0;
    const reader = readers.get(topicId) ?? new BatchReader();
    readers.set(topicId, reader);
    const reading = reader.read(bytes, 0, bytes.length);
    told.push(
      reading.outcome === "read"
        ? `${topicId} ${reading.batch.firstSequence}`
        : `${topicId} ${reading.outcome}`,
    );
  }
  return told;
}

describe("a replay", () => {
  test("gives the batches of a topic, and says where each part begins", async () => {
    const rig = new Rig();
    for (const [second, epoch, sequence] of [
      [1, 7, 0],
      [2, 7, 1],
      [3, 7, 4],
      [4, 9, 0],
      [5, 7, 5],
      [6, 9, 2],
    ] as const) {
      rig.put(ONE, second, epoch, sequence);
    }
    expect(await rig.all({ topic: ONE })).toEqual([
      `1 is ${ONE}`,
      "1 after 7/0",
      "1 1",
      "1 2",
      "1 after 7/4 without 3-4",
      "1 5",
      "1 after 9/0",
      "1 1",
      // What the old publisher wrote after the new one is left out.
      "1 after 9/2 without 2-2",
      "1 3",
    ]);
  });

  test("goes on without a break in an epoch that has the sequences of the one before", async () => {
    const rig = new Rig();
    rig.put(ONE, 1, 7, 0, 3);
    rig.put(ONE, 2, 9, 3);
    expect((await rig.all({ topic: ONE })).slice(1)).toEqual([
      "1 after 7/0",
      "1 1",
      "1 after 9/3",
      "1 4",
    ]);
  });

  test("merges topics in the order in which they were published", async () => {
    const rig = new Rig();
    for (const second of [1, 4, 5]) rig.put(ONE, second, 7, second === 1 ? 0 : second - 3);
    for (const second of [2, 3, 6]) rig.put(OTHER, second, 7, second === 6 ? 2 : second - 2);
    const told = await rig.all({ topics: [ONE, OTHER] });
    expect(told.slice(2).filter((text) => !text.includes("after"))).toEqual([
      "1 1",
      "2 1",
      "2 2",
      "1 2",
      "1 3",
      "2 3",
    ]);
  });

  test.each([
    [0, 0, ["1 1", "1 2", "1 3", "1 4"]],
    [2, 4, ["1 2", "1 3"]],
    [3, 0, ["1 3", "1 4"]],
    [5, 0, []],
  ])("from %i until before %i s has what was published then", async (from, to, batches) => {
    const rig = new Rig();
    for (let second = 1; second <= 4; second += 1) rig.put(ONE, second, 7, second - 1);
    const range = { fromTimeUs: from * SECOND_US, toTimeUs: to * SECOND_US };
    const told = await rig.all({ topic: ONE, ...range });
    expect(told.slice(1).filter((text) => !text.includes("after"))).toEqual(batches);
  });

  test("begins behind a position, and says if that is not kept", async () => {
    const rig = new Rig();
    for (let second = 1; second <= 4; second += 1) rig.put(ONE, second, 7, second - 1);
    const told = await rig.all({ topic: ONE, afterEpoch: 7, afterSequence: 2 });
    expect(told.slice(1)).toEqual(["1 3", "1 4"]);
    await expect(rig.all({ topic: ONE, afterEpoch: 8 })).rejects.toMatchObject({
      code: "not_found",
    });
  });

  test("at a pace waits for as long as was between", async () => {
    const rig = new Rig();
    for (const second of [1, 2, 4]) rig.put(ONE, second, 7, [1, 2, 4].indexOf(second));
    const told: string[] = [];
    const readers = new Map<number, BatchReader>();
    const playing = (async () => {
      for await (const response of rig.start({ topic: ONE, speedPercent: 200 })) {
        told.push(...tellOf(response, readers));
      }
    })();
    const batches = () => told.filter((text) => /^1 \d$/.test(text)).length;
    const counts: number[] = [];
    for (const ms of [0, 499, 1, 999, 1]) {
      rig.clock.advance(ms);
      for (let turn = 0; turn < 20; turn += 1) await nextTurn();
      counts.push(batches());
    }
    await playing;
    expect(counts).toEqual([1, 1, 2, 2, 3]);
  });

  test("that its client cannot pay for waits until it can, and ends with its call", async () => {
    const rig = new Rig();
    rig.put(ONE, 1, 7, 0);
    rig.credit = 0;
    const stream = rig.start({ topic: ONE });
    await stream.next();
    const second = stream.next();
    for (let turn = 0; turn < 20; turn += 1) await nextTurn();
    rig.credit = 10;
    rig.clock.advance(100);
    expect((await second).value?.batches.length).toBe(1);
    await stream.return(undefined);
    rig.credit = 0;
    const other = rig.start({ topic: ONE });
    await other.next();
    const never = other.next();
    for (let turn = 0; turn < 20; turn += 1) await nextTurn();
    rig.abort.abort(new RpcError("canceled", "gone"));
    await expect(never).rejects.toMatchObject({ code: "canceled" });
  });

  test("has a place of its own, of which there are so many", async () => {
    const rig = new Rig({ replaysMax: 2 });
    const streams = [rig.start({ topic: ONE }), rig.start({ topic: ONE })];
    for (const stream of streams) await stream.next();
    expect((await rig.metrics.replays.get()).values[0]?.value).toBe(2);
    await expect(rig.all({ topic: ONE })).rejects.toMatchObject({ code: "resource_exhausted" });
    await streams[0]?.return(undefined);
    expect((await rig.all({ topic: ONE })).length).toBe(1);
    await streams[1]?.return(undefined);
    expect((await rig.metrics.replays.get()).values[0]?.value).toBe(0);
  });

  test("of a log that does not answer is unavailable, and unimplemented without one", async () => {
    const rig = new Rig();
    rig.listed.failure = new StreamLogError("log-unavailable", "no");
    await expect(rig.all({ topic: ONE })).rejects.toMatchObject({ code: "unavailable" });
    const without = new Rig({ hasLog: false });
    await expect(without.all({ topic: ONE })).rejects.toMatchObject({ code: "unimplemented" });
  });

  test.each([
    [{}, "topic is empty"],
    [{ topic: "nonsense" }, "is no topic"],
    [{ topic: "fake:*/trades" }, "is no topic"],
    [{ topic: ONE, topics: [ONE] }, "replayed once"],
    [{ topics: Array.from({ length: 17 }, (_, index) => `fake:A${index}/trades`) }, "exceeds 16"],
    [{ topic: ONE, fromTimeUs: 5, toTimeUs: 5 }, "is not before"],
    [{ topic: ONE, fromTimeUs: -1 }, "before 1970"],
    [{ topics: [ONE, OTHER], afterEpoch: 1 }, "of one topic"],
    [{ topic: ONE, afterEpoch: 1, fromTimeUs: 1 }, "a position or at a time"],
    [{ topic: ONE, speedPercent: 1_000_001 }, "exceeds"],
  ])("asked for with %j is refused", async (request, reason) => {
    await expect(new Rig().all(request)).rejects.toThrow(reason);
  });

  test("is refused to who may have a view of the topic only, and cut for who gets it late", async () => {
    const rig = new Rig();
    for (let second = 1; second <= 4; second += 1) rig.put(ONE, second, 7, second - 1);
    const terms = { depthMax: 0, intervalMsMin: 0, delayMs: 0 };
    const principalOf = (changed: Partial<typeof terms>) =>
      ({ may: () => ({ ...terms, ...changed }) }) as unknown as Principal;
    for (const changed of [{ depthMax: 5 }, { intervalMsMin: 100 }]) {
      rig.principal = principalOf(changed);
      await expect(rig.all({ topic: ONE })).rejects.toMatchObject({ code: "permission_denied" });
    }
    rig.principal = { may: () => undefined } as unknown as Principal;
    await expect(rig.all({ topic: ONE })).rejects.toMatchObject({ code: "permission_denied" });
    rig.principal = principalOf({ delayMs: rig.clock.nowUs() / 1_000 - 3_000 });
    expect((await rig.all({ topic: ONE })).slice(2)).toEqual(["1 1", "1 2"]);
  });
});
