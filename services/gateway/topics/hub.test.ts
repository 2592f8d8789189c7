import { setImmediate as nextTurn } from "node:timers/promises";
import { BatchWriter } from "@tickwire/proto/codec";
import { Registry } from "prom-client";
import { describe, expect, test } from "vitest";
import type { Bus, BusEvent } from "#bus/bus.ts";
import { MemoryBus } from "#bus/memory-bus.ts";
import type { Channel } from "#core/instrument.ts";
import { encodeQueryReply, encodeSnapshotReply } from "#wire/bus-codec.ts";
import { encodeState } from "#wire/event-codec.ts";
import { resumeParts } from "#test/support/resume-parts.ts";
import { ManualClock } from "#test/support/manual-clock.ts";
import { createGatewayMetrics } from "../metrics.ts";
import { Turns } from "../turns/turns.ts";
import { Hub } from "./hub.ts";

const LINGER_MS = 1_000;
const LIMITS = {
  ringBytesMax: 1_000,
  ringBatchesMax: 10,
  queryTimeoutMs: 100,
  queriesInFlightMax: 100,
  topicsMax: 100,
  topicLingerMs: LINGER_MS,
};

const none = (): void => {};
const PUBLISHER = { publisherId: "p-1", epoch: 1 };
const SCHEDULER = { endOfTurn: (run: () => void) => void setImmediate(run) };
const LOGS = {
  scheduler: SCHEDULER,
  logger: { debug: none, info: none, warn: none, error: none },
  catalog: { publisherOf: () => PUBLISHER, mayFollow: () => false, instrument: () => undefined },
};

/** A hub on a bus that only writes down what is asked of it. Nobody answers its queries. */
function create(limits: { topicsMax?: number } = {}) {
  const clock = new ManualClock();
  const followed: string[] = [];
  const listeners = new Set<(event: BusEvent) => void>();
  const bus = {
    subscribe: (pattern: string) => {
      followed.push(pattern);
      return { pattern, unsubscribe: () => void followed.splice(followed.indexOf(pattern), 1) };
    },
    request: () => new Promise<Uint8Array>(() => {}),
    onEvent: (listener: (event: BusEvent) => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  } as unknown as Bus;
  const metrics = createGatewayMetrics(new Registry());
  const hub = new Hub({
    bus,
    clock,
    ...LOGS,
    turns: new Turns({ clock, scheduler: SCHEDULER }),
    metrics,
    random: () => 0.5,
    limits: { ...LIMITS, ...limits },
    resume: resumeParts(),
  });
  return { clock, followed, listeners, metrics, hub };
}

function name(symbol: string, channel: Channel = "trades", venue = "fake") {
  return { venue, symbol, channel };
}

describe("a topic that several sessions hold", () => {
  test("is one view on one bus subscription", () => {
    const { hub, followed } = create();
    const view = hub.hold(name("A-USD"));
    expect(hub.hold(name("A-USD"))).toBe(view);
    expect(view?.options).toEqual({ depth: 0, intervalMs: 0 });
    expect(followed).toEqual(["md.v2.fake.trades.A-USD"]);
    expect(hub.topics).toBe(1);
  });

  test("has a number of its own, never 0 and never used again", () => {
    const { hub, clock } = create();
    const first = hub.hold(name("A-USD"))!;
    const second = hub.hold(name("B-USD"))!;
    hub.release(first);
    clock.advance(LINGER_MS);
    expect([first.id, second.id, hub.hold(name("A-USD"))!.id]).toEqual([1, 2, 3]);
  });
});

describe("a topic that nobody holds any more", () => {
  test("is followed for topicLingerMs, then left", () => {
    const { hub, clock, followed } = create();
    const view = hub.hold(name("A-USD"))!;
    hub.hold(name("A-USD"));
    hub.release(view);
    clock.advance(LINGER_MS * 2);
    expect(followed).toHaveLength(1);
    hub.release(view);
    clock.advance(LINGER_MS - 1);
    expect(followed).toHaveLength(1);
    clock.advance(1);
    expect([followed, hub.topics]).toEqual([[], 0]);
  });

  test("is kept if it is held again in time", () => {
    const { hub, clock } = create();
    const view = hub.hold(name("A-USD"))!;
    hub.release(view);
    clock.advance(LINGER_MS - 1);
    expect(hub.hold(name("A-USD"))).toBe(view);
    expect(clock.pending).toBe(0);
    clock.advance(LINGER_MS * 2);
    expect(hub.topics).toBe(1);
  });
});

describe("at topicsMax", () => {
  test("a topic more is refused, one that is followed is not", () => {
    const { hub } = create({ topicsMax: 2 });
    const first = hub.hold(name("A-USD"));
    expect(hub.hold(name("B-USD"))).toBeDefined();
    expect(hub.hold(name("C-USD"))).toBeUndefined();
    expect(hub.hold(name("A-USD"))).toBe(first);
  });

  test("room is made by what has been unused for longest", () => {
    const { hub, clock, followed } = create({ topicsMax: 2 });
    const first = hub.hold(name("A-USD"))!;
    const second = hub.hold(name("B-USD"))!;
    hub.release(second);
    clock.advance(1);
    hub.release(first);
    expect(hub.hold(name("C-USD"))).toBeDefined();
    expect(followed).toEqual(["md.v2.fake.trades.A-USD", "md.v2.fake.trades.C-USD"]);
    expect(clock.pending).toBe(1);
    expect(hub.hold(name("D-USD"))).toBeDefined();
    expect(hub.hold(name("E-USD"))).toBeUndefined();
  });
});

describe("when the bus lost something", () => {
  /** Topics A and B, live, and what is asked of the publisher from then on. */
  async function live() {
    const clock = new ManualClock();
    const bus = new MemoryBus({ clock });
    const listeners = new Set<(event: BusEvent) => void>();
    const asked: string[] = [];
    bus.subscribe("rq.v2.>", (message) => {
      asked.push(message.subject);
      const state = encodeState({ channel: "trades", epoch: 1, sequence: 3 }, [], 1);
      message.respond(encodeQueryReply(encodeSnapshotReply(state)));
    });
    const watched = new Proxy(bus, {
      get: (target, property) => {
        if (property === "onEvent") return (listener: never) => listeners.add(listener);
        const value: unknown = Reflect.get(target, property, target);
        return typeof value === "function" ? (value.bind(target) as unknown) : value;
      },
    });
    const metrics = createGatewayMetrics(new Registry());
    const hub = new Hub({
      bus: watched as Bus,
      clock,
      ...LOGS,
      turns: new Turns({ clock, scheduler: SCHEDULER }),
      metrics,
      random: () => 0.5,
      limits: LIMITS,
      resume: resumeParts(),
    });
    for (const symbol of ["A-USD", "B-USD"]) hub.hold(name(symbol));
    for (let turn = 0; turn < 5; turn += 1) await nextTurn();
    asked.length = 0;
    return {
      asked,
      hub,
      tell: async (event: BusEvent) => {
        for (const listener of listeners) listener(event);
        for (let turn = 0; turn < 5; turn += 1) await nextTurn();
      },
    };
  }

  const subject = (symbol: string) => `rq.v2.fake.p-1.snapshot.trades.${symbol}`;

  test("by being away, every topic of a venue is compared with its publisher", async () => {
    const { asked, hub, tell } = await live();
    hub.venueBack("other");
    hub.venueBack("fake");
    await tell({ kind: "reconnected" });
    expect(asked).toEqual([subject("A-USD"), subject("B-USD")]);
  });

  test.each([
    { kind: "disconnected", reason: "test" },
    { kind: "connected" },
    { kind: "slow-consumer", pattern: "md.v2.fake.trades.C-USD", dropped: 4 },
  ] as const)("that is no topic of ours ($kind), nothing is asked", async (event) => {
    const { asked, tell } = await live();
    await tell(event);
    expect(asked).toEqual([]);
  });

  test("of one topic, that one is compared", async () => {
    const { asked, tell } = await live();
    await tell({ kind: "slow-consumer", pattern: "md.v2.fake.trades.B-USD", dropped: 4 });
    expect(asked).toEqual([subject("B-USD")]);
  });
});

test("many topics take another publisher over several turns, and lose nothing meanwhile", async () => {
  const clock = new ManualClock();
  const bus = new MemoryBus({ clock });
  bus.subscribe("rq.v2.>", (message) => {
    const position = {
      channel: "trades",
      epoch: message.subject.includes(".p-2.") ? 2 : 1,
    } as const;
    const state = encodeState({ ...position, sequence: 0 }, [], 1);
    message.respond(encodeQueryReply(encodeSnapshotReply(state)));
  });
  const metrics = createGatewayMetrics(new Registry());
  let publisher = PUBLISHER;
  // Each look at this clock is a long time.
  let nowUs = 0;
  const busy = {
    nowUs: () => (nowUs += 100),
    monotonicUs: () => (nowUs += 100),
    after: () => none,
  };
  const hub = new Hub({
    bus,
    clock,
    logger: LOGS.logger,
    scheduler: SCHEDULER,
    catalog: { ...LOGS.catalog, publisherOf: () => publisher },
    turns: new Turns({ clock: busy, scheduler: SCHEDULER }),
    metrics,
    random: () => 0.5,
    limits: LIMITS,
    resume: resumeParts(),
  });
  for (let index = 0; index < 60; index += 1) hub.hold(name(`S${index}-USD`));
  for (let turn = 0; turn < 5; turn += 1) await nextTurn();
  publisher = { publisherId: "p-2", epoch: 2 };
  hub.follow("fake", { ...publisher, isNewcomer: true });
  const inEpoch = (epoch: number): number =>
    hub.feedsOf("fake").filter((feed) => feed.position.epoch === epoch).length;
  expect(inEpoch(2)).toBeLessThan(60);
  // The last topic has not heard of it when its first batch comes.
  const writer = new BatchWriter({ kind: "trades", epoch: 2 });
  const row = { venueTimeUs: undefined, receivedTimeUs: 1, tradeId: "", historical: false };
  const numbers = { priceMantissa: 1, priceScale: 0, sizeMantissa: 1, sizeScale: 0 };
  const rows = [{ ...row, ...numbers, aggressorSide: "buyer" as const }];
  const [batch] = writer.write({ kind: "trades", rows }, { publishedTimeUs: 1 });
  bus.publish("md.v2.fake.trades.S59-USD", batch!.bytes);
  for (let turn = 0; turn < 200; turn += 1) await nextTurn();
  expect(inEpoch(2)).toBe(60);
  expect(hub.feedsOf("fake").at(-1)?.position).toEqual({ epoch: 2, sequence: 1 });
  expect((await metrics.foreignBatches.get()).values).toEqual([]);
  hub.close();
  await bus.close();
});

test("the feeds of a venue are its own", () => {
  const { hub } = create();
  hub.hold(name("A-USD"));
  hub.hold(name("B-USD", "book"));
  hub.hold(name("A-USD", "trades", "other"));
  expect(hub.feedsOf("fake").map((feed) => feed.topic)).toEqual([
    "fake:A-USD/trades",
    "fake:B-USD/book",
  ]);
});

test("no topic is followed on a bus that is closed", async () => {
  const clock = new ManualClock();
  const bus = new MemoryBus({ clock });
  const metrics = createGatewayMetrics(new Registry());
  const hub = new Hub({
    bus,
    clock,
    ...LOGS,
    turns: new Turns({ clock, scheduler: SCHEDULER }),
    metrics,
    random: () => 0.5,
    limits: LIMITS,
    resume: resumeParts(),
  });
  await bus.close();
  expect(hub.hold(name("A-USD"))).toBeUndefined();
  expect(hub.topics).toBe(0);
});

test("a view that is given back more often than it was held is a bug", () => {
  const { hub } = create();
  const view = hub.hold(name("A-USD"))!;
  hub.release(view);
  expect(() => hub.release(view)).toThrow("released more often than held");
});

test("closing leaves bus and topics, and what is given back afterwards does nothing", async () => {
  const { hub, clock, followed, listeners, metrics } = create();
  expect(listeners.size).toBe(1);
  const used = hub.hold(name("A-USD"))!;
  hub.release(hub.hold(name("B-USD"))!);
  hub.close();
  hub.close();
  expect([followed, listeners.size]).toEqual([[], 0]);
  expect(clock.pending).toBe(0);
  hub.release(used);
  expect(clock.pending).toBe(0);
  expect((await metrics.topics.get()).values[0]?.value).toBe(0);
});
