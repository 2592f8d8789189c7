import { BatchWriter } from "@tickwire/proto/codec";
import { tickwire } from "@tickwire/proto/protobufjs";
import { afterEach, describe, expect, test } from "vitest";
import { announceSubject, eventSubject } from "#bus/subject.ts";
import { encodeAnnouncement } from "#wire/bus-codec.ts";
import { FakeIngestor } from "./gateway-fake-ingestor.ts";
import { Rig } from "./gateway-harness.ts";
import type { RawClient } from "./gateway-raw-client.ts";

const { NoticeKind } = tickwire.v1;
const SUBJECT = eventSubject({ venue: "fake", symbol: "BTC-USDT", channel: "trades" });
const INTERVAL_MS = 1_000;

let rig: Rig;

afterEach(() => rig.stop());

/** A client of one topic, and what it has got of it. */
class Reader {
  readonly client: RawClient;
  readonly topicId: number;

  constructor(client: RawClient, topicId: number) {
    this.client = client;
    this.topicId = topicId;
  }

  static async of(topic: string): Promise<Reader> {
    const client = await rig.client();
    const [result] = await client.subscribe(topic);
    if (result?.error !== 0) throw new Error(`${topic}: ${result?.errorMessage}`);
    return new Reader(client, result.topicId);
  }

  /** Everything that is on its way has come. */
  async ranges(): Promise<string[]> {
    await rig.settle();
    await this.client.roundTrip();
    return this.client
      .batchesOf(this.topicId)
      .map(({ epoch, first, last }) => `${epoch}: ${first}-${last}`);
  }

  notices(kind: keyof typeof NoticeKind): string[] {
    return this.client.notices(NoticeKind[kind]).map(({ missingFirst, missingLast, position }) => {
      const isOn = position !== null && position !== undefined;
      const on = isOn ? `, on at ${Number(position.sequence)}` : "";
      return `${Number(missingFirst)}-${Number(missingLast)}${on}`;
    });
  }
}

async function start(): Promise<void> {
  rig = await Rig.start("node");
  rig.ingestor.announceIntervalMs = INTERVAL_MS;
  rig.ingestor.announce();
  await rig.settle();
}

function trade(ingestor = rig.ingestor): void {
  ingestor.publish([ingestor.trade("BTC-USDT", 100)]);
}

/** A batch of one trade of any epoch and place, as anybody on the bus could make it. */
function forged(epoch: number, sequence: number): Uint8Array {
  const row = {
    venueTimeUs: undefined,
    receivedTimeUs: 1,
    priceMantissa: 1,
    priceScale: 0,
    sizeMantissa: 1,
    sizeScale: 0,
    aggressorSide: "buyer",
    tradeId: "",
    historical: false,
  } as const;
  const writer = new BatchWriter({ kind: "trades", epoch, sequence });
  return writer.write({ kind: "trades", rows: [row] }, { publishedTimeUs: 1 })[0]!.bytes;
}

describe("a message that the venue's publisher did not send", () => {
  test.each([
    ["the highest epoch that there is", () => forged(Number.MAX_SAFE_INTEGER, 0)],
    ["the lowest epoch", () => forged(1, 0)],
    ["the right epoch and a place far ahead", () => forged(rig.ingestor.epoch, 2 ** 52)],
    ["the right epoch and the next place but one", () => forged(rig.ingestor.epoch, 2)],
    ["the right epoch and a place that is over", () => forged(rig.ingestor.epoch, 0)],
  ])("silences nothing, with %s", async (_, bytes) => {
    await start();
    const reader = await Reader.of("fake:BTC-USDT/trades");
    trade();
    await rig.settle();
    rig.bus.publish(SUBJECT, bytes());
    await rig.settle();
    for (let count = 0; count < 3; count += 1) trade();
    const { epoch } = rig.ingestor;
    expect(await reader.ranges()).toEqual([1, 2, 3, 4].map((at) => `${epoch}: ${at}-${at}`));
    expect(reader.notices("NOTICE_KIND_GAP")).toEqual([]);
    expect(reader.notices("NOTICE_KIND_EPOCH")).toEqual([]);
  });

  test("is counted by venue and channel and logged once in a while", async () => {
    await start();
    await Reader.of("fake:BTC-USDT/trades");
    for (let count = 0; count < 50; count += 1) rig.bus.publish(SUBJECT, forged(7, 0));
    await rig.settle();
    const name = "tickwire_gateway_foreign_batches_total";
    const metric = await rig.registry.getSingleMetric(name)?.get();
    expect(metric?.values).toMatchObject([
      { value: 50, labels: { venue: "fake", channel: "trades" } },
    ]);
    const lines = () => rig.logs.filter(({ message }) => message.includes("left aside"));
    expect(lines()).toHaveLength(1);
    expect(lines()[0]?.fields).toEqual({ venue: "fake", channel: "trades", epoch: 7 });
    rig.clock.advance(10_000);
    rig.bus.publish(SUBJECT, forged(7, 0));
    await rig.settle();
    expect(lines()).toHaveLength(2);
  });

  test.each([
    ["names another publisher", { ingestorId: "evil", epoch: 2 ** 53 - 1 }],
    ["names another epoch of the same publisher", { epoch: 2 ** 53 - 1 }],
    ["says that the publisher leaves", { leaving: true }],
    ["names a progress that never was", { progress: 2 ** 52 }],
  ])("and %s takes nothing from anybody", async (_, lie) => {
    await start();
    const reader = await Reader.of("fake:BTC-USDT/trades");
    trade();
    const { progress, ...rest } = { progress: 0, ...lie };
    const topic = { symbol: "BTC-USDT", channel: "CHANNEL_TRADES" as const, sequence: progress };
    const announcement = {
      ingestorId: rig.ingestor.publisherId,
      venue: "fake",
      catalogVersion: 1,
      epoch: rig.ingestor.epoch,
      announceIntervalMs: 600_000,
      ...rest,
      progress: progress === 0 ? [] : [topic],
    };
    rig.bus.publish(announceSubject("fake"), encodeAnnouncement(announcement));
    await rig.settle();
    trade();
    rig.ingestor.announce();
    trade();
    const { epoch } = rig.ingestor;
    expect(await reader.ranges()).toEqual([1, 2, 3].map((at) => `${epoch}: ${at}-${at}`));
    expect(reader.notices("NOTICE_KIND_GAP")).toEqual([]);
    rig.ingestor.restart();
    await reader.ranges();
    expect(reader.notices("NOTICE_KIND_EPOCH")).toEqual(["0-0, on at 0"]);
  });
});

describe("of two ingestors of a venue", () => {
  function second(): FakeIngestor {
    const other = new FakeIngestor(rig.bus, rig.clock, ["BTC-USDT", "ETH-USDT"]);
    other.announceIntervalMs = INTERVAL_MS;
    other.restart({ publisherId: "two", epoch: 3 });
    return other;
  }

  test("the second is followed within three intervals of the first falling silent", async () => {
    await start();
    const reader = await Reader.of("fake:BTC-USDT/trades");
    const other = second();
    const { epoch } = rig.ingestor;
    for (let interval = 0; interval < 5; interval += 1) {
      trade();
      trade(other);
      rig.ingestor.announce();
      other.announce();
      await rig.settle();
      rig.clock.advance(INTERVAL_MS);
      await rig.settle();
    }
    expect(await reader.ranges()).toEqual([1, 2, 3, 4, 5].map((at) => `${epoch}: ${at}-${at}`));
    // Frozen: it is still on the bus, and answers nothing.
    rig.ingestor.held = [];
    for (let interval = 0; interval < 3; interval += 1) {
      other.announce();
      await rig.settle();
      rig.clock.advance(INTERVAL_MS);
      await rig.settle();
    }
    trade(other);
    expect((await reader.ranges()).slice(5)).toEqual(["3: 6-6"]);
    expect(reader.notices("NOTICE_KIND_EPOCH")).toEqual(["0-0, on at 5"]);
    other.close();
  });

  test("the second is followed at once when the first says that it leaves", async () => {
    await start();
    const reader = await Reader.of("fake:BTC-USDT/trades");
    const other = second();
    await rig.settle();
    trade();
    rig.ingestor.announce({ leaving: true, progress: true });
    rig.ingestor.close();
    await rig.settle();
    trade(other);
    expect((await reader.ranges()).at(-1)).toBe("3: 1-1");
    other.close();
  });
});

describe("an ingestor that is killed and started again", () => {
  test("is followed from its first event on, whatever was lost before it", async () => {
    await start();
    const reader = await Reader.of("fake:BTC-USDT/trades");
    const before = rig.ingestor.epoch;
    trade();
    rig.ingestor.publish([rig.ingestor.trade("BTC-USDT", 1)], { lost: true });
    rig.ingestor.held = [];
    rig.ingestor.announce({ progress: true });
    await rig.settle();
    rig.ingestor.held = undefined;
    rig.ingestor.restart();
    trade();
    trade();
    expect(await reader.ranges()).toEqual([
      `${before}: 1-1`,
      `${rig.ingestor.epoch}: 1-1`,
      `${rig.ingestor.epoch}: 2-2`,
    ]);
    expect(reader.notices("NOTICE_KIND_EPOCH")).toEqual(["2-2, on at 0"]);
  });

  test("is told to those who follow a status, and then what it says itself", async () => {
    await start();
    rig.ingestor.publish([rig.ingestor.status("BTC-USDT", "trades", "live")]);
    const reader = await Reader.of("fake:BTC-USDT/status");
    rig.ingestor.restart();
    rig.ingestor.publish([rig.ingestor.status("BTC-USDT", "trades", "syncing")]);
    await reader.ranges();
    const said = reader.client.batchesOf(reader.topicId).map(({ events }) => {
      const rows = events as readonly { state?: string; reason?: string; channel?: string }[];
      return rows.map(({ channel, state, reason }) => `${channel} ${state} ${reason}`);
    });
    expect(said.flat().filter((text) => text.startsWith("trades"))).toEqual([
      "trades live test",
      "trades gap ingestor-replaced",
      "trades syncing test",
    ]);
  });
});

test("events that the bus lost are a status too, until the ingestor's own is known again", async () => {
  await start();
  rig.ingestor.publish([rig.ingestor.status("BTC-USDT", "trades", "live")]);
  const status = await Reader.of("fake:BTC-USDT/status");
  const reader = await Reader.of("fake:BTC-USDT/trades");
  trade();
  rig.ingestor.publish([rig.ingestor.trade("BTC-USDT", 1)], { lost: true });
  trade();
  await reader.ranges();
  expect(reader.notices("NOTICE_KIND_GAP")).toEqual(["2-2"]);
  await status.ranges();
  const states = status.client.batchesOf(status.topicId).flatMap(({ events }) => {
    const rows = events as readonly { state?: string; reason?: string }[];
    return rows.map(({ state, reason }) => `${state} ${reason}`);
  });
  expect(states).toEqual(["live test", "gap bus-gap", "live test"]);
});

test("while the gateway is cut off from the bus it says so, and blames no ingestor", async () => {
  await start();
  rig.ingestor.publish([rig.ingestor.status("BTC-USDT", "trades", "live")]);
  const status = await Reader.of("fake:BTC-USDT/status");
  rig.busEvent({ kind: "disconnected", reason: "test" });
  rig.clock.advance(20 * INTERVAL_MS);
  rig.busEvent({ kind: "reconnected" });
  await status.ranges();
  const reasons = status.client.batchesOf(status.topicId).flatMap(({ events }) => {
    return (events as readonly { reason?: string }[]).map(({ reason }) => reason);
  });
  expect(reasons).toEqual(["test", "bus-down", "bus-down", "bus-down", "test"]);
  expect(await rig.metric("tickwire_gateway_ingestors_lost_total")).toBe(0);
});
