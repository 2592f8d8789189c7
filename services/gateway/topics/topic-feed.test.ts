import { setImmediate as nextTurn } from "node:timers/promises";
import { BatchReader, BatchWriter } from "@tickwire/proto/codec";
import { tickwire } from "@tickwire/proto/protobufjs";
import { Registry } from "prom-client";
import { describe, expect, test } from "vitest";
import type { Bus } from "#bus/bus.ts";
import { MemoryBus } from "#bus/memory-bus.ts";
import { eventSubject } from "#bus/subject.ts";
import type { Channel } from "#core/instrument.ts";
import { FakeIngestor } from "#test/conformance/gateway-fake-ingestor.ts";
import { idleLine } from "#test/support/idle-line.ts";
import { resumeParts } from "#test/support/resume-parts.ts";
import { ManualClock } from "#test/support/manual-clock.ts";
import { createGatewayMetrics } from "../metrics.ts";
import { QueryGate } from "../turns/query-gate.ts";
import { RawView } from "./raw-view.ts";
import type { SharedBatch } from "./shared-batch.ts";
import { TopicFeed } from "./topic-feed.ts";
import type { EpochChange, TopicFailure, TopicSubscriber } from "./topic-subscriber.ts";

const SYMBOL = "A-USD";
const NEW = { snapshot: true, resume: undefined };

class Rig {
  readonly clock = new ManualClock();
  readonly bus = new MemoryBus({ clock: this.clock });
  overloaded = false;
  readonly ingestor = new FakeIngestor(this.bus, this.clock, [SYMBOL]);
  readonly metrics = createGatewayMetrics(new Registry());
  resume = resumeParts();
  /** No event reaches a subscription that was made before. */
  deaf = false;
  /** What the feeds told besides. */
  readonly seen: string[] = [];

  /** Another run of the ingestor, which the feed follows from now on. */
  replace(feed: TopicFeed, isNewcomer = true): void {
    this.ingestor.restart();
    const { publisherId, epoch } = this.ingestor;
    feed.follow({ publisherId, epoch, isNewcomer });
  }

  feed(channel: Channel, symbol = SYMBOL): TopicFeed {
    return new TopicFeed(
      7,
      { venue: "fake", symbol, channel },
      { publisherId: this.ingestor.publisherId, epoch: this.ingestor.epoch },
      {
        bus: this.#deafBus(),
        clock: this.clock,
        metrics: this.metrics,
        random: () => 1,
        gate: new QueryGate(10),
        line: idleLine(),
        resume: this.resume,
        limits: { ringBytesMax: 10_000, ringBatchesMax: 4, queryTimeoutMs: 100 },
        watch: {
          onBadBatch: ({ channel: bad }) => this.seen.push(`bad ${bad}`),
          onLoss: ({ channel: lossy }) => this.seen.push(`loss ${lossy}`),
          onReplaced: ({ channel: replaced }) => this.seen.push(`replaced ${replaced}`),
          mayBeFollowed: () => false,
          onForeign: (_, epoch) => this.seen.push(`foreign ${epoch}`),
          onStall: (_, { sequence, announced }) => {
            this.seen.push(`stall ${sequence} ${announced}`);
          },
        },
      },
    );
  }

  #deafBus(): Bus {
    const { bus } = this;
    const subscribe: Bus["subscribe"] = (pattern, handler, options) => {
      const madeDeaf = (): boolean => this.deaf;
      const wasDeaf = madeDeaf();
      const listen: typeof handler = (message) => {
        if (!madeDeaf() || wasDeaf) handler(message);
      };
      return bus.subscribe(pattern, listen, options);
    };
    const madeOverloaded = (): boolean => this.overloaded;
    const overload = { get: madeOverloaded };
    return Object.assign(Object.create(bus, { isOverloaded: overload }) as Bus, {
      subscribe,
      request: bus.request.bind(bus),
    });
  }

  /** A feed that is live, and a subscriber of it. */
  async live(channel: Channel): Promise<{ feed: TopicFeed; subscriber: Subscriber }> {
    const feed = this.feed(channel);
    await this.settle();
    const subscriber = new Subscriber();
    feed.attach(subscriber, NEW);
    return { feed, subscriber };
  }

  trades(count: number, options?: { readonly lost?: boolean }): void {
    const trades = Array.from({ length: count }, () => this.ingestor.trade(SYMBOL, 100));
    this.ingestor.publish(trades, options);
  }

  level(price: number, options?: { readonly lost?: boolean }): void {
    this.ingestor.publish([this.ingestor.book(SYMBOL, price, 1)], options);
  }

  /** Lets the bus deliver and promises run: a fixed number of turns, no time. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 8; turn += 1) await nextTurn();
  }

  async count(
    name:
      | "badBatches"
      | "busGaps"
      | "busMissing"
      | "epochChanges"
      | "foreignBatches"
      | "stalls"
      | "undelivered"
      | "ringTrims",
  ) {
    const { values } = await this.metrics[name].get();
    return values.reduce((sum, { value }) => sum + value, 0);
  }
}

/** A batch that only says where a topic of the channel stands. */
function busBytes(kind: "trades" | "quotes", publishedTimeUs: number): Uint8Array {
  return new BatchWriter({ kind, epoch: 1 }).writePosition({ publishedTimeUs }).bytes;
}

const SUBJECT = eventSubject({ venue: "fake", symbol: SYMBOL, channel: "trades" });

/** A batch of one trade behind the sequence, as anybody on the bus could make it. */
function tradeBytes({ epoch, sequence }: { epoch: number; sequence: number }): Uint8Array {
  const trade = {
    venueTimeUs: undefined,
    receivedTimeUs: 1,
    priceMantissa: 1,
    priceScale: 0,
    sizeMantissa: 1,
    sizeScale: 0,
    aggressorSide: "buyer",
    tradeId: "1",
    historical: false,
  } as const;
  const writer = new BatchWriter({ kind: "trades", epoch, sequence });
  return writer.write({ kind: "trades", rows: [trade] }, { publishedTimeUs: 1 })[0]!.bytes;
}

/** The first byte of `times` is the residue: 0 before the first event of an epoch. */
function damagedBytes(): Uint8Array {
  const writer = new BatchWriter({ kind: "trades", epoch: 1 });
  const { bytes, coreStart } = writer.writePosition({ publishedTimeUs: 1 });
  const damaged = bytes.slice();
  damaged[coreStart + 2] = 1;
  return damaged;
}

/** Right as far as its head goes: only who reads the trades finds out that one has no price. */
function damagedPayload(): Uint8Array {
  const { BusBatch } = tickwire.bus.v1;
  const whole = BusBatch.decode(tradeBytes({ epoch: 1, sequence: 0 }));
  if (whole.batch) whole.batch.prices = [];
  return BusBatch.encode(whole).finish();
}

class Subscriber implements TopicSubscriber {
  readonly batches: SharedBatch[] = [];
  readonly heard: string[] = [];

  deliver(batch: SharedBatch): void {
    this.batches.push(batch);
    this.heard.push(`${batch.firstSequence}-${batch.lastSequence}`);
  }

  gap(missingFirst: number, missingLast: number): void {
    this.heard.push(`gap ${missingFirst}-${missingLast}`);
  }

  epochChanged({ ended, start }: EpochChange): void {
    this.heard.push(`ended ${ended.sequence}, goes on after ${start.sequence}`);
  }
}

/** The batch in an element of less than 128 bytes: tag, length, and the batch. */
function readFramed(bytes: Uint8Array) {
  const reading = new BatchReader().read(bytes, 2);
  if (reading.outcome !== "read") throw new Error(reading.outcome);
  return reading.batch;
}

async function readiness(rig: Rig, feed: TopicFeed): Promise<TopicFailure | "ready"> {
  const answers: (TopicFailure | "ready")[] = [];
  feed.whenReady((failure) => answers.push(failure ?? "ready"));
  await rig.settle();
  expect(answers).toHaveLength(1);
  return answers[0]!;
}

describe("a batch", () => {
  test("is framed once and the same object for every subscriber", async () => {
    const rig = new Rig();
    const { feed, subscriber } = await rig.live("trades");
    const other = new Subscriber();
    feed.attach(other, NEW);
    rig.trades(3);
    await rig.settle();
    expect(subscriber.batches).toHaveLength(1);
    expect(other.batches[0]).toBe(subscriber.batches[0]);
    const [batch] = subscriber.batches;
    const labels = { venue: "fake", channel: "trades" };
    const sequences = { firstSequence: 1, lastSequence: 3 };
    expect(batch).toMatchObject({ topicId: 7, events: 3, ...sequences, isState: false, labels });
    expect(readFramed(batch!.bytes)).toMatchObject({ topicId: 7, count: 3, firstSequence: 1 });
    expect(feed.position).toEqual({ epoch: rig.ingestor.epoch, sequence: 3 });
  });

  test("does not reach who was detached", async () => {
    const rig = new Rig();
    const { feed, subscriber } = await rig.live("trades");
    rig.trades(1);
    await rig.settle();
    feed.detach(subscriber);
    feed.detach(subscriber);
    rig.trades(1);
    await rig.settle();
    expect(subscriber.heard).toEqual(["1-1"]);
  });

  test.each([
    ["bytes that are none", Uint8Array.of(0xff, 0xff, 0xff)],
    ["another channel", busBytes("quotes", 1)],
    ["a residue that is not that of its sequence", damagedBytes()],
    ["a payload that cannot be read", damagedPayload()],
  ])("of %s is counted and does nothing", async (_, bytes) => {
    const rig = new Rig();
    const { subscriber } = await rig.live("trades");
    rig.bus.publish(eventSubject({ venue: "fake", symbol: SYMBOL, channel: "trades" }), bytes);
    rig.trades(1);
    await rig.settle();
    expect(await rig.count("badBatches")).toBe(1);
    expect(rig.seen).toContain("bad trades");
    expect(subscriber.heard).toEqual(["1-1"]);
  });

  test("that is missing is told and counted", async () => {
    const rig = new Rig();
    const { subscriber } = await rig.live("trades");
    rig.trades(2, { lost: true });
    rig.trades(1);
    await rig.settle();
    expect(subscriber.heard).toEqual(["gap 1-2", "3-3"]);
    expect(await rig.count("busGaps")).toBe(1);
    expect(await rig.count("busMissing")).toBe(2);
    expect(rig.seen).toEqual(["loss trades"]);
  });

  test.each([
    ["below", (epoch: number) => epoch - 1],
    ["above", (epoch: number) => epoch + 1],
    ["as far above as there are any", () => Number.MAX_SAFE_INTEGER],
  ])("of an epoch %s the one that is followed is left aside and counted", async (_, of) => {
    const rig = new Rig();
    const { subscriber } = await rig.live("trades");
    const epoch = of(rig.ingestor.epoch);
    rig.bus.publish(SUBJECT, tradeBytes({ epoch, sequence: 0 }));
    rig.trades(1);
    await rig.settle();
    expect(subscriber.heard).toEqual(["1-1"]);
    expect(rig.seen).toEqual([`foreign ${epoch}`]);
    expect(await rig.count("foreignBatches")).toBe(1);
  });

  test("of the right epoch that nobody published does not move the topic", async () => {
    const rig = new Rig();
    const { subscriber } = await rig.live("trades");
    const { epoch } = rig.ingestor;
    rig.bus.publish(SUBJECT, tradeBytes({ epoch, sequence: 2 ** 52 }));
    await rig.settle();
    rig.trades(1);
    await rig.settle();
    expect(subscriber.heard).toEqual(["1-1"]);
    expect(await rig.count("badBatches")).toBe(1);
  });

  test("of a publisher that started anew is counted", async () => {
    const rig = new Rig();
    const { feed, subscriber } = await rig.live("trades");
    rig.replace(feed);
    rig.trades(1);
    await rig.settle();
    expect(subscriber.heard).toEqual(["ended 0, goes on after 0", "1-1"]);
    expect(await rig.count("epochChanges")).toBe(1);
  });
});

describe("a book", () => {
  test("starts with its state and what came since, whenever it was subscribed", async () => {
    const rig = new Rig();
    rig.level(10);
    const feed = rig.feed("book");
    rig.level(11);
    await rig.settle();
    rig.level(12);
    await rig.settle();
    const { batches, position } = feed.attach(new Subscriber(), NEW);
    const [state, ...news] = batches;
    expect(readFramed(state!.bytes).snapshot).toBe(true);
    expect(position.sequence).toBe(state?.lastSequence);
    expect(news.at(-1)?.lastSequence).toBe(3);
    expect(news.map((batch) => batch.firstSequence)).toEqual(
      news.map((_, index) => position.sequence + 1 + index),
    );
  });

  test("that has a hole is told so and made anew", async () => {
    const rig = new Rig();
    rig.level(10);
    const { subscriber } = await rig.live("book");
    rig.level(11, { lost: true });
    rig.level(12);
    await rig.settle();
    expect(subscriber.heard).toEqual(["gap 2-2", "3-3"]);
    expect(readFramed(subscriber.batches[0]!.bytes).snapshot).toBe(true);
  });
});

describe("whoever waits", () => {
  test("hears at once if the topic is live", async () => {
    const rig = new Rig();
    const { feed } = await rig.live("quotes");
    const answers: unknown[] = [];
    feed.whenReady((failure) => answers.push(failure));
    expect(answers).toEqual([undefined]);
  });

  test("hears that the topic is unknown, in the ingestor's words", async () => {
    const rig = new Rig();
    const failure = await readiness(rig, rig.feed("book", "NO-USD"));
    expect(failure).toEqual({ kind: "unknown", message: "no NO-USD" });
  });

  test("hears that nobody answers, and nothing of the bus", async () => {
    const rig = new Rig();
    rig.ingestor.close();
    const failure = await readiness(rig, rig.feed("book"));
    const message = "the ingestor of fake does not answer";
    expect(failure).toEqual({ kind: "unavailable", message });
  });

  test("after a failure asks again, and hears of the success", async () => {
    const rig = new Rig();
    rig.ingestor.held = [];
    const feed = rig.feed("book");
    const first: unknown[] = [];
    feed.whenReady((failure) => first.push(failure?.kind));
    await rig.settle();
    rig.clock.advance(100);
    await rig.settle();
    expect(first).toEqual(["unavailable"]);
    rig.ingestor.held = undefined;
    expect(await readiness(rig, feed)).toBe("ready");
  });

  test("hears when the topic is closed, and so does who comes later", async () => {
    const rig = new Rig();
    rig.ingestor.held = [];
    const feed = rig.feed("book");
    const answers: (string | undefined)[] = [];
    feed.whenReady((failure) => answers.push(failure?.message));
    feed.close();
    feed.close();
    feed.whenReady((failure) => answers.push(failure?.message));
    const message = "the gateway no longer follows fake:A-USD/book";
    expect(answers).toEqual([message, message]);
    for (const answer of rig.ingestor.held) answer();
    await rig.settle();
    expect(answers).toHaveLength(2);
  });
});

describe("an ingestor that is away while somebody is subscribed", () => {
  test("is asked again after 250 ms, then after 500, and the state comes", async () => {
    const rig = new Rig();
    rig.level(10);
    const { feed, subscriber } = await rig.live("book");
    rig.ingestor.close();
    feed.resync(false);
    await rig.settle();
    expect(rig.clock.pending).toBe(1);
    rig.clock.advance(250);
    await rig.settle();
    const back = new FakeIngestor(rig.bus, rig.clock, [SYMBOL]);
    for (const price of [10, 20]) back.publish([back.book(SYMBOL, price, 1)], { lost: true });
    rig.clock.advance(499);
    await rig.settle();
    expect(subscriber.heard).toEqual([]);
    rig.clock.advance(1);
    await rig.settle();
    expect(subscriber.heard).toEqual(["gap 2-2", "2-2"]);
    expect(feed.position).toEqual({ epoch: back.epoch, sequence: 2 });
  });
});

describe("what the bus lost, and the ingestor keeps", () => {
  /** A hole of one trade, of which the ingestor was asked and has not answered yet. */
  async function asked() {
    const rig = new Rig();
    rig.ingestor.keepsHistory = true;
    const { subscriber } = await rig.live("trades");
    const answers: (() => void)[] = [];
    rig.trades(1);
    await rig.settle();
    rig.trades(1, { lost: true });
    rig.trades(1);
    rig.ingestor.held = answers;
    await rig.settle();
    return { rig, subscriber, answers };
  }

  /** The ingestor says where it stands, and nothing of what it has published. */
  async function unanswered({ rig, answers }: Awaited<ReturnType<typeof asked>>): Promise<void> {
    answers.shift()?.();
    await rig.settle();
    rig.clock.advance(100);
    await rig.settle();
    expect(rig.ingestor.queries.at(-1)).toContain("history");
  }

  test("is delivered in its place", async () => {
    const { rig, subscriber, answers } = await asked();
    answers.shift()?.();
    await rig.settle();
    answers.shift()?.();
    await rig.settle();
    expect(subscriber.heard).toEqual(["1-1", "2-2", "3-3"]);
  });

  test("is told as missing at once while more comes than there is time for", async () => {
    const rig = new Rig();
    rig.ingestor.keepsHistory = true;
    const { subscriber } = await rig.live("trades");
    rig.overloaded = true;
    rig.trades(1);
    rig.trades(1, { lost: true });
    rig.trades(1);
    await rig.settle();
    expect(subscriber.heard).toEqual(["1-1", "gap 2-2", "3-3"]);
    expect(rig.ingestor.queries.filter((query) => query.includes("history"))).toEqual([]);
    expect(await rig.count("busMissing")).toBe(1);
    rig.overloaded = false;
    rig.trades(1, { lost: true });
    rig.trades(1);
    await rig.settle();
    expect(subscriber.heard.slice(3)).toEqual(["4-4", "5-5"]);
  });

  test("is not asked for while more comes than there is time for, if it was missed before", async () => {
    const { rig, subscriber, answers } = await asked();
    rig.overloaded = true;
    answers.shift()?.();
    await rig.settle();
    expect(subscriber.heard).toEqual(["1-1", "gap 2-2", "3-3"]);
  });

  test("is asked for again if the question was lost too", async () => {
    const lost = await asked();
    await unanswered(lost);
    expect(lost.subscriber.heard).toEqual(["1-1"]);
    lost.rig.ingestor.held = undefined;
    lost.rig.clock.advance(250);
    await lost.rig.settle();
    expect(lost.subscriber.heard).toEqual(["1-1", "2-2", "3-3"]);
  });

  test("is asked for three times in all, and told as missing then", async () => {
    const lost = await asked();
    await unanswered(lost);
    lost.rig.clock.advance(250);
    await lost.rig.settle();
    lost.answers.shift();
    await unanswered(lost);
    expect(lost.subscriber.heard).toEqual(["1-1"]);
    lost.rig.clock.advance(500);
    await lost.rig.settle();
    lost.answers.shift();
    await unanswered(lost);
    expect(lost.subscriber.heard).toEqual(["1-1", "gap 2-2", "3-3"]);
  });
});

describe("comparing with the ingestor", () => {
  test("delivers nothing if nothing was lost", async () => {
    const rig = new Rig();
    rig.level(10);
    const { feed, subscriber } = await rig.live("book");
    feed.resync(false);
    await rig.settle();
    expect(subscriber.heard).toEqual([]);
  });

  test("delivers the state all the same if it was replaced by what the gateway said", async () => {
    const rig = new Rig();
    rig.level(10);
    const { feed, subscriber } = await rig.live("book");
    feed.resync(true);
    await rig.settle();
    expect(subscriber.heard).toEqual(["1-1"]);
  });
});

test("what the gateway announces reaches everybody and leaves the position where it is", async () => {
  const rig = new Rig();
  rig.trades(5);
  const { feed, subscriber } = await rig.live("trades");
  const row = { venueTimeUs: undefined, receivedTimeUs: 1, channel: "book", sinceTimeUs: 1 };
  const rows = Array.from({ length: 3 }, () => ({ ...row, state: "down" as const, reason: "" }));
  const chain = { kind: "statuses", epoch: feed.position.epoch, sequence: 5 } as const;
  feed.announce(BatchWriter.snapshot(chain, { kind: "statuses", rows }, { publishedTimeUs: 1 }));
  const [batch] = subscriber.batches;
  expect(batch).toMatchObject({ events: 3, firstSequence: 5, lastSequence: 5 });
  expect(feed.position.sequence).toBe(5);
});

test("batches above ringBatchesMax are dropped from the history and counted", async () => {
  const rig = new Rig();
  const { feed } = await rig.live("trades");
  for (let index = 0; index < 6; index += 1) rig.trades(1);
  await rig.settle();
  expect(await rig.count("ringTrims")).toBe(2);
  const { epoch } = feed.position;
  const resume = (sequence: number) =>
    feed.attach(new Subscriber(), { snapshot: true, resume: { epoch, sequence } });
  expect(resume(2)).toMatchObject({ continuity: "resumed", missing: undefined });
  expect(resume(1)).toMatchObject({ continuity: "replaced", missing: { first: 2, last: 6 } });
  // What a resume brings is delivered; what it cannot bring any more is not, and is counted then.
  expect(await rig.count("undelivered")).toBe(5);
  const outcomes = (await rig.metrics.resumes.get()).values;
  expect(outcomes.map(({ labels, value }) => [labels.outcome, labels.layer, value])).toEqual([
    ["resumed", "ring", 1],
    ["replaced", "snapshot", 1],
  ]);
});

test("a view shows its feed, and its subscribers are the feed's", async () => {
  const rig = new Rig();
  const feed = rig.feed("trades");
  const view = new RawView(
    feed,
    () => expect.unreachable(),
    () => expect.unreachable(),
  );
  const ready: unknown[] = [];
  view.whenReady((failure) => ready.push(failure));
  rig.trades(2);
  await rig.settle();
  expect(ready).toEqual([undefined]);
  expect([view.id, view.topic, view.name]).toEqual([7, "fake:A-USD/trades", feed.name]);
  expect(view.position).toEqual(feed.position);
  const subscriber = new Subscriber();
  expect(view.attach(subscriber, NEW).continuity).toBe("new");
  rig.trades(1);
  await rig.settle();
  view.detach(subscriber);
  rig.trades(1);
  await rig.settle();
  expect(subscriber.heard).toEqual(["3-3"]);
});

describe("a publisher that says how far it has come", () => {
  /** What the ingestor announces of the topic, as the gateway hands it on. */
  const announced = (rig: Rig) => ({
    epoch: rig.ingestor.epoch,
    sequence: rig.ingestor.position("trades", SYMBOL),
  });

  test("and has sent nothing of it that came is asked, and what is missing told", async () => {
    const rig = new Rig();
    const { feed, subscriber } = await rig.live("trades");
    rig.trades(2);
    await rig.settle();
    rig.trades(3, { lost: true });
    feed.progressed(announced(rig));
    await rig.settle();
    expect(subscriber.heard).toEqual(["1-2", "gap 3-5"]);
    expect(rig.seen).toEqual(["stall 2 5", "loss trades"]);
    expect(await rig.count("stalls")).toBe(1);
  });

  test("is not asked while the topic has come as far, or it is not the one that is followed", async () => {
    const rig = new Rig();
    const { feed } = await rig.live("trades");
    rig.trades(2);
    await rig.settle();
    rig.ingestor.queries.length = 0;
    feed.progressed(announced(rig));
    feed.progressed({ epoch: rig.ingestor.epoch + 1, sequence: 900 });
    await rig.settle();
    expect([rig.ingestor.queries, rig.seen]).toEqual([[], []]);
  });

  test("again and again is subscribed anew: it is the subscription that brings nothing", async () => {
    const rig = new Rig();
    const { feed, subscriber } = await rig.live("trades");
    rig.deaf = true;
    for (let round = 0; round < 2; round += 1) {
      rig.trades(1);
      await rig.settle();
      feed.progressed(announced(rig));
      await rig.settle();
    }
    expect(subscriber.heard).toEqual(["gap 1-1", "gap 2-2"]);
    rig.deaf = false;
    rig.trades(1);
    await rig.settle();
    expect(subscriber.heard.slice(2)).toEqual(["3-3"]);
  });

  test("and ends there tells what is missing of its epoch, to whoever is there and who returns", async () => {
    const rig = new Rig();
    const { feed, subscriber } = await rig.live("trades");
    rig.trades(2);
    await rig.settle();
    const { epoch } = rig.ingestor;
    // The last three were lost on the bus, and the publisher is gone before anybody can ask.
    rig.ingestor.held = [];
    rig.trades(3, { lost: true });
    feed.progressed(announced(rig));
    rig.ingestor.held = undefined;
    rig.replace(feed);
    await rig.settle();
    expect(subscriber.heard).toEqual(["1-2", "ended 5, goes on after 0"]);
    const back = (sequence: number) => ({ snapshot: true, resume: { epoch, sequence } });
    expect(feed.attach(new Subscriber(), back(1))).toMatchObject({
      continuity: "replaced",
      ended: { epoch, sequence: 5 },
      position: { epoch: rig.ingestor.epoch, sequence: 0 },
    });
    expect(await rig.count("undelivered")).toBe(4);
    expect(await rig.count("busMissing")).toBe(3);
  });
});

describe("a publisher that takes over", () => {
  test("and was there before is followed from where it stands", async () => {
    const rig = new Rig();
    rig.level(10);
    const { feed, subscriber } = await rig.live("book");
    rig.ingestor.restart();
    for (const price of [20, 21]) rig.level(price);
    const { publisherId, epoch } = rig.ingestor;
    await rig.settle();
    feed.follow({ publisherId, epoch, isNewcomer: false });
    await rig.settle();
    rig.level(22);
    await rig.settle();
    expect(subscriber.heard).toEqual(["ended 1, goes on after 2", "2-2", "3-3"]);
    expect(readFramed(subscriber.batches[0]!.bytes).snapshot).toBe(true);
  });

  test("with the identity that it had goes on, and nothing is asked", async () => {
    const rig = new Rig();
    const { feed, subscriber } = await rig.live("trades");
    rig.ingestor.queries.length = 0;
    const { publisherId, epoch } = rig.ingestor;
    feed.follow({ publisherId, epoch, isNewcomer: false });
    rig.trades(1);
    await rig.settle();
    expect([subscriber.heard, rig.ingestor.queries]).toEqual([["1-1"], []]);
  });
});

describe("the way of a batch", () => {
  test("from its publisher is counted by venue and channel, below 0 where clocks differ", async () => {
    const rig = new Rig();
    await rig.live("trades");
    const { publishToReceive } = rig.metrics.latencies.of({ venue: "fake", channel: "trades" });
    rig.trades(1);
    await rig.settle();
    expect(publishToReceive.sumUs).toBe(0);
    // Published before the clock was set back, received after.
    rig.trades(1);
    rig.clock.set(-20);
    await rig.settle();
    expect(publishToReceive.sumUs).toBe(-20_000);
    expect(publishToReceive.counts.reduce((sum, count) => sum + count, 0)).toBe(2);
    expect([...publishToReceive.counts].slice(0, 2)).toEqual([0, 0]);
    expect(publishToReceive.counts[2]).toBe(1);
  });

  test("begins at the gateway with its arrival", async () => {
    const rig = new Rig();
    const { subscriber } = await rig.live("trades");
    rig.trades(1);
    await rig.settle();
    expect(subscriber.batches.at(-1)?.receivedAtUs).toBe(rig.clock.monotonicUs());
  });
});
