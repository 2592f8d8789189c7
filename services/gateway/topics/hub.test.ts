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
  viewsMax: 100,
  delayBytesMax: 1_000_000,
  topicLingerMs: LINGER_MS,
};

const none = (): void => {};
const PUBLISHER = { publisherId: "p-1", epoch: 1 };
const SCHEDULER = { endOfTurn: (run: () => void) => void setImmediate(run) };
const whole = (venue: string) => ({ venue, shardIndex: 0, shardCount: 0 });
const LOGS = {
  scheduler: SCHEDULER,
  logger: { debug: none, info: none, warn: none, error: none },
  catalog: {
    publisherOf: () => PUBLISHER,
    partitionOf: () => undefined,
    mayFollow: () => false,
    instrument: () => undefined,
  },
};

/** A hub on a bus that only writes down what is asked of it. Nobody answers its queries. */
function create(limits: { topicsMax?: number; viewsMax?: number } = {}) {
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
    hub.venueBack(whole("other"));
    hub.venueBack(whole("fake"));
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
  hub.follow(whole("fake"), { ...publisher, isNewcomer: true });
  const inEpoch = (epoch: number): number =>
    hub.feedsOf(whole("fake")).filter((feed) => feed.position.epoch === epoch).length;
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
  expect(hub.feedsOf(whole("fake")).at(-1)?.position).toEqual({ epoch: 2, sequence: 1 });
  expect((await metrics.foreignBatches.get()).values).toEqual([]);
  hub.close();
  await bus.close();
});

test("the feeds of a venue are its own", () => {
  const { hub } = create();
  hub.hold(name("A-USD"));
  hub.hold(name("B-USD", "book"));
  hub.hold(name("A-USD", "trades", "other"));
  expect(hub.feedsOf(whole("fake")).map((feed) => feed.topic)).toEqual([
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

describe("the last eighth of topicsMax", () => {
  const ask = (hub: Hub, symbol: number, topics: number) =>
    hub.hold(name(`S${symbol}-USD`), undefined, { topics });

  /** Takes so many topics for one who has none, which is never refused while one is left. */
  function take(hub: Hub, topics: number): void {
    for (let index = 0; index < topics; index += 1) ask(hub, index, 0);
  }

  test.each([
    { free: 3, topics: 1_000 },
    { free: 2, topics: 1 },
    { free: 1, topics: 0 },
  ])("with $free left is had by one of $topics topics", ({ free, topics }) => {
    const { hub } = create({ topicsMax: 16 });
    take(hub, 16 - free);
    expect(ask(hub, 100, topics)).toBeDefined();
  });

  test.each([
    { free: 2, topics: 2 },
    { free: 2, topics: 3 },
    { free: 1, topics: 1 },
  ])("with $free left is not had by one of $topics topics", ({ free, topics }) => {
    const { hub } = create({ topicsMax: 16 });
    take(hub, 16 - free);
    expect(ask(hub, 100, topics)).toBeUndefined();
    expect(hub.noRoomFor(name("S100-USD"), topics)).toBe("topicsShare");
  });

  test("counts topics that nobody uses as left, and asks nothing of who joins a topic", () => {
    const { hub } = create({ topicsMax: 16 });
    take(hub, 14);
    expect(ask(hub, 100, 2)).toBeUndefined();
    expect(ask(hub, 13, 1_000)).toBeDefined();
    const unused = hub.hold(name("S0-USD"))!;
    hub.release(unused);
    hub.release(unused);
    expect(ask(hub, 100, 2)).toBeDefined();
  });

  test("leaves room for a newcomer, however many take all they get", () => {
    const { hub } = create({ topicsMax: 400 });
    const has = Array.from({ length: 20 }, () => 0);
    let symbol = 0;
    for (let round = 0; round < 400; round += 1) {
      for (const [greedy, topics] of has.entries()) {
        symbol += 1;
        if (ask(hub, symbol, topics) !== undefined) has[greedy] = topics + 1;
      }
    }
    expect(Math.min(...has)).toBeGreaterThanOrEqual(18);
    expect(ask(hub, symbol + 1, 10)).toBeDefined();
  });
});

describe("viewsMax", () => {
  const view = (depth: number, intervalMs: number) => ({ depth, intervalMs });
  const book = name("A-USD", "book");

  test("is for all topics together; a view that is there is had by everybody", async () => {
    const { hub, metrics } = create({ viewsMax: 2 });
    const one = hub.hold(book, view(5, 100));
    const two = hub.hold(name("B-USD"), view(0, 1_000));
    expect([one?.options, two?.options]).toEqual([view(5, 100), view(0, 1_000)]);
    expect(hub.hold(book, view(5, 100))).toBe(one);
    expect(hub.hold(name("C-USD"), view(0, 1_000))).toBeUndefined();
    expect(hub.noRoomFor(name("C-USD"), 0)).toBe("viewsMax");
    expect((await metrics.views.get()).values[0]?.value).toBe(2);
  });

  test("above it a subscriber shares the nearest view that does for it", async () => {
    const { hub, metrics } = create({ viewsMax: 4 });
    const all = [view(20, 250), view(100, 250), view(10, 1_000), view(5, 100)];
    for (const options of all) hub.hold(book, options);
    const shared = (options: ReturnType<typeof view>) => hub.hold(book, options)?.options;
    expect(shared(view(10, 250))).toEqual(view(20, 250));
    expect(shared(view(50, 250))).toEqual(view(100, 250));
    expect(shared(view(10, 500))).toEqual(view(10, 1_000));
    expect(shared(view(1, 50))).toEqual(view(5, 100));
    expect(shared(view(50, 0))).toEqual(view(100, 250));
    expect(shared(view(500, 100))).toBeUndefined();
    expect(shared(view(0, 250))).toBeUndefined();
    expect(shared(view(5, 2_000))).toBeUndefined();
    const { values } = await metrics.viewsAtLimit.get();
    expect(values.map(({ labels, value }) => [labels.outcome, value])).toEqual([
      ["shared", 5],
      ["refused", 3],
    ]);
  });

  test("has room again with the last subscriber of a view, and for who changes its own", () => {
    const { hub } = create({ viewsMax: 1 });
    const first = hub.hold(book, view(5, 100))!;
    const second = hub.hold(book, view(5, 100))!;
    const asker = { topics: 1, leaving: first };
    expect(hub.hold(book, view(0, 1_000), asker)).toBeUndefined();
    hub.release(second);
    const changed = hub.hold(book, view(0, 1_000), asker)!;
    hub.release(first);
    expect(changed.options).toEqual(view(0, 1_000));
    hub.release(changed);
    expect(hub.hold(book, view(10, 50))?.options).toEqual(view(10, 50));
  });

  test("a topic of which no view was to be had is left as one that nobody uses", () => {
    const { hub, clock, followed } = create({ viewsMax: 1 });
    hub.hold(book, view(5, 100));
    expect(hub.hold(name("C-USD"), view(0, 1_000))).toBeUndefined();
    expect(followed).toHaveLength(2);
    clock.advance(LINGER_MS);
    expect([followed, hub.topics]).toEqual([["md.v2.fake.book.A-USD"], 1]);
  });
});
