// Batches go on from one another: whoever joins, comes back or lost something can read what it
// gets. The client is protobufjs and a reader of its own, which throws at a batch that it cannot
// read.
import assert from "node:assert/strict";
import { formatDecimal } from "@tickwire/proto/model";
import { tickwire } from "@tickwire/proto/protobufjs";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { connectNatsBus } from "#bus/nats-bus.ts";
import { requireNatsServer, startNatsServer } from "#test/support/nats-server.ts";
import type { NatsServer } from "#test/support/nats-server.ts";
import { createPrng } from "#test/support/prng.ts";
import type { Prng } from "#test/support/prng.ts";
import { TRANSPORTS } from "#test/support/transports.ts";
import { Rig } from "./gateway-harness.ts";
import type { RawBatch, RawClient } from "./gateway-raw-client.ts";

const { NoticeKind, TopicError } = tickwire.v1;
const TRADES = "fake:BTC-USDT/trades";
const BOOK = "fake:BTC-USDT/book";

const receive = (client: RawClient, topicId: number, last: number) =>
  client.until(() => (client.batchesOf(topicId).at(-1)?.last ?? 0) >= last);

const formsOf = (batches: readonly RawBatch[]) =>
  batches.map(({ snapshot, hasBase, first }) => {
    return `${snapshot ? "state" : hasBase ? "based" : "chained"} ${first}`;
  });

describe.each(TRANSPORTS)("chains over %s", (transport) => {
  let rig: Rig;
  afterEach(() => rig.stop());

  const level = (price: number) => rig.ingestor.publish([rig.ingestor.book("BTC-USDT", price, 1)]);
  const trade = (price: number, scale?: number) =>
    rig.ingestor.publish([rig.ingestor.trade("BTC-USDT", price, scale)]);

  test("a base comes once to each subscriber, whenever it joins", async () => {
    rig = await Rig.start(transport);
    level(1);
    const first = await rig.client();
    const [{ topicId } = { topicId: 0 }] = await first.subscribe(BOOK);
    for (const price of [2, 3]) level(price);
    await receive(first, topicId, 3);
    const second = await rig.client();
    await second.subscribe(BOOK);
    for (const price of [4, 5]) level(price);
    for (const client of [first, second]) await receive(client, topicId, 5);
    const expected = ["state 1", "based 2", "chained 3", "chained 4", "chained 5"];
    expect(formsOf(first.batchesOf(topicId))).toEqual(expected);
    expect(formsOf(second.batchesOf(topicId))).toEqual(expected);
  });

  test("subscribing again and resuming begin with a base; others notice nothing", async () => {
    rig = await Rig.start(transport);
    const [stayer, leaver] = [await rig.client(), await rig.client()];
    const [{ topicId } = { topicId: 0 }] = await stayer.subscribe(TRADES);
    await leaver.subscribe(TRADES);
    trade(1);
    trade(2);
    await receive(leaver, topicId, 2);
    await leaver.unsubscribe(TRADES);
    trade(3);
    await leaver.subscribe(TRADES);
    trade(4);
    await receive(leaver, topicId, 4);
    const resumer = await rig.client();
    const resume = { epoch: rig.ingestor.epoch, sequence: 1 };
    await resumer.subscribe({ topic: TRADES, resume });
    trade(5);
    for (const client of [stayer, leaver, resumer]) await receive(client, topicId, 5);
    const rest = ["chained 3", "chained 4", "chained 5"];
    expect(formsOf(stayer.batchesOf(topicId))).toEqual(["based 1", "chained 2", ...rest]);
    expect(formsOf(resumer.batchesOf(topicId))).toEqual(["based 2", ...rest]);
    const left = formsOf(leaver.batchesOf(topicId));
    expect(left.slice(0, 2)).toEqual(["based 1", "chained 2"]);
    expect(left.at(-1)).toBe("chained 5");
    expect(left.filter((form) => form.startsWith("based"))).toHaveLength(2);
  });

  test("a finer scale, and what the bus lost, bring the base to everybody", async () => {
    rig = await Rig.start(transport);
    const clients = [await rig.client(), await rig.client()];
    const results = await Promise.all(clients.map((client) => client.subscribe(TRADES)));
    const topicId = results[0]?.[0]?.topicId ?? 0;
    trade(100);
    trade(101);
    trade(1_025, 3);
    trade(102);
    rig.ingestor.publish([rig.ingestor.trade("BTC-USDT", 103)], { lost: true });
    trade(104);
    trade(105);
    for (const client of clients) {
      await receive(client, topicId, 7);
      const batches = client.batchesOf(topicId);
      expect(formsOf(batches)).toEqual([
        "based 1",
        "chained 2",
        "based 3",
        "chained 4",
        "based 6",
        "chained 7",
      ]);
      const prices = batches.flatMap(({ events }) => events.map((event) => event["price"]));
      expect(prices).toEqual(["1", "1.01", "1.025", "1.02", "1.04", "1.05"]);
    }
  });

  test("what cannot be read is counted, and is lost to everybody alike", async () => {
    rig = await Rig.start(transport);
    const client = await rig.client();
    const [{ topicId } = { topicId: 0 }] = await client.subscribe(TRADES);
    trade(1);
    await receive(client, topicId, 1);
    rig.ingestor.publish([rig.ingestor.trade("BTC-USDT", 2)], { damaged: true });
    trade(3);
    await receive(client, topicId, 3);
    expect(formsOf(client.batchesOf(topicId))).toEqual(["based 1", "based 3"]);
    const [gap] = client.notices(NoticeKind.NOTICE_KIND_GAP);
    expect([Number(gap?.missingFirst), Number(gap?.missingLast)]).toEqual([2, 2]);
    expect(await rig.metric("tickwire_gateway_bad_batches_total")).toBe(1);
  });

  test("drops, losses and resumes in any order: each event comes exact or is told missing", async () => {
    rig = await Rig.start(transport, { config: { ringBatchesMax: 40, topicLingerMs: 0 } });
    for (let seed = 1; seed <= 12; seed += 1) {
      expect(await wrongTrades(rig, createPrng(seed))).toEqual([]);
    }
  });
});

/** One topic's subscriber through connections that come and go. */
class Follower {
  readonly received = new Map<number, string>();
  readonly missing = new Set<number>();
  /** The first event that it is owed. */
  readonly from: number;
  client: RawClient;
  #read = 0;
  #told = 0;

  constructor(client: RawClient, position: number) {
    this.client = client;
    this.from = position + 1;
  }

  get position(): number {
    return Math.max(this.from - 1, ...this.received.keys(), ...this.missing);
  }

  /** Takes what has come on this connection since. */
  take(): void {
    for (const { events } of this.client.batches.slice(this.#read)) {
      for (const { sequence, ...event } of events) {
        assert(!this.received.has(sequence), `${sequence} comes twice`);
        this.received.set(sequence, event["price"] as string);
      }
    }
    this.#read = this.client.batches.length;
    const gaps = this.client.notices(NoticeKind.NOTICE_KIND_GAP);
    for (const { missingFirst, missingLast } of gaps.slice(this.#told)) {
      for (let at = Number(missingFirst); at <= Number(missingLast); at += 1) this.missing.add(at);
    }
    this.#told = gaps.length;
  }

  async comeBack(client: RawClient, epoch: number): Promise<void> {
    if (client !== this.client) [this.#read, this.#told] = [0, 0];
    this.client = client;
    const resume = { epoch, sequence: this.position };
    const [result] = await client.subscribe({ topic: TRADES, resume });
    assert.equal(result?.error, TopicError.TOPIC_ERROR_UNSPECIFIED);
  }
}

/** What followers got wrong or not at all, of trades that flow while they come and go. */
async function wrongTrades(rig: Rig, random: Prng): Promise<unknown[]> {
  const { ingestor } = rig;
  const followers: Follower[] = [];
  const prices = new Map<number, string>();
  const publish = (lost: boolean): void => {
    const trades = Array.from({ length: 1 + random.below(3) }, () => {
      const scale = random.pick([2, 2, 2, 2, 3, 4, 8]);
      return ingestor.trade("BTC-USDT", 1 + random.below(1_000_000), scale);
    });
    const first = ingestor.position("trades", "BTC-USDT") + 1;
    for (const [index, { priceMantissa, priceScale }] of trades.entries()) {
      prices.set(first + index, formatDecimal(priceMantissa, priceScale));
    }
    ingestor.publish(trades, { lost });
  };
  const join = async (): Promise<void> => {
    const client = await rig.client();
    const [result] = await client.subscribe(TRADES);
    followers.push(new Follower(client, Number(result?.position?.sequence)));
  };
  await join();
  for (let round = 0; round < 60; round += 1) {
    publish(random.chance(0.1));
    if (random.chance(0.4)) await rig.settle();
    if (random.chance(0.08)) await join();
    const follower = random.pick(followers);
    const step = random.below(10);
    if (step === 0) {
      await follower.client.roundTrip();
      follower.take();
      follower.client.close();
      for (let away = random.below(30); away > 0; away -= 1) publish(random.chance(0.1));
      await follower.comeBack(await rig.client(), ingestor.epoch);
    } else if (step === 1) {
      await follower.client.unsubscribe(TRADES);
      follower.take();
      await follower.comeBack(follower.client, ingestor.epoch);
    }
  }
  publish(false);
  const last = ingestor.position("trades", "BTC-USDT");
  const wrong: unknown[] = [];
  for (const follower of followers) {
    await follower.client.until(() => follower.client.batches.at(-1)?.last === last);
    follower.take();
    for (let sequence = follower.from; sequence <= last; sequence += 1) {
      const price = follower.received.get(sequence);
      if (price === undefined ? follower.missing.has(sequence) : price === prices.get(sequence)) {
        continue;
      }
      wrong.push([sequence, price, prices.get(sequence)]);
    }
    follower.client.close();
  }
  return wrong;
}

describe.skipIf(requireNatsServer() === undefined)("chains over a real nats-server", () => {
  let server: NatsServer;
  beforeAll(async () => {
    server = await startNatsServer();
  });
  afterAll(() => server.stop());

  test("go through a gateway to whoever joins, with and without a base", async () => {
    const ingestor = await connectNatsBus({ servers: server.url });
    const gateway = await connectNatsBus({ servers: server.url });
    const rig = await Rig.start("node", { buses: { gateway, ingestor } });
    const client = await rig.client();
    const subscribed = async () => {
      for (;;) {
        // Until the catalog has come. The two connections race: the first announcement can be out
        // before the server knows that the gateway listens.
        const [result] = await client.subscribe(BOOK);
        if (result?.error === TopicError.TOPIC_ERROR_UNSPECIFIED) return result.topicId;
        rig.ingestor.announce();
        await ingestor.flush();
        await gateway.flush();
        await rig.settle();
        // The rate of requests is by this clock.
        rig.clock.advance(100);
      }
    };
    const topicId = await subscribed();
    for (let price = 1; price <= 3; price += 1) {
      rig.ingestor.publish([rig.ingestor.book("BTC-USDT", price, 1)]);
    }
    await receive(client, topicId, 3);
    const late = await rig.client();
    const [joined] = await late.subscribe(BOOK);
    rig.ingestor.publish([rig.ingestor.book("BTC-USDT", 4, 1)]);
    for (const each of [client, late]) await receive(each, joined?.topicId ?? 0, 4);
    expect(formsOf(client.batchesOf(topicId))).toEqual([
      "based 1",
      "chained 2",
      "chained 3",
      "chained 4",
    ]);
    expect(formsOf(late.batchesOf(topicId)).at(-1)).toMatch(/^(based|chained) 4$/);
    await rig.stop();
    await ingestor.close();
  });
});
