import { tickwire } from "@tickwire/proto/protobufjs";
import { afterEach, describe, expect, test } from "vitest";
import { createPrng } from "#test/support/prng.ts";
import { TRANSPORTS } from "#test/support/transports.ts";
import { Rig } from "./gateway-harness.ts";
import type { RawBatch, RawClient } from "./gateway-raw-client.ts";

const { TopicError, Continuity, NoticeKind, SnapshotMode, Channel } = tickwire.v1;

/** Bids as a client of nothing but the batches would have them: price in hundredths to size. */
function replayBids(batches: readonly RawBatch[]): Map<string, number> {
  let bids = new Map<string, number>();
  for (const event of batches.flatMap(({ events }) => events)) {
    if (event["replaces"] === true) bids = new Map();
    for (const [price, size] of event["bids"] as readonly [string, string][]) {
      const hundredths = String(Math.round(Number(price) * 100));
      if (size === "0") bids.delete(hundredths);
      else bids.set(hundredths, Number(size));
    }
  }
  return bids;
}

/** Fails unless the batches start at `position` and follow each other without gap or repetition. */
function expectContinuous(batches: readonly RawBatch[], position: number, last: number): void {
  let at = position;
  for (const batch of batches) {
    expect(batch.first).toBe(batch.snapshot ? at : at + 1);
    at = batch.last;
  }
  expect(at).toBe(last);
}

describe.each(TRANSPORTS)("delivery over %s", (transport) => {
  let rig: Rig;
  afterEach(() => rig.stop());

  const start = async (options?: Parameters<typeof Rig.start>[1]) => {
    rig = await Rig.start(transport, options);
    return rig;
  };

  const receive = (client: RawClient, topicId: number, last: number) =>
    client.until(() => (client.batchesOf(topicId).at(-1)?.last ?? 0) >= last);

  test("each topic of a request gets its own result, good or bad", async () => {
    await start();
    rig.ingestor.publish([rig.ingestor.trade("BTC-USDT", 100)]);
    const client = await rig.client();
    const results = await client.subscribe(
      "fake:BTC-USDT/trades",
      "fake:NO-SUCH/trades",
      "nonsense",
      "fake:BTC-USDT/candles",
      "fake:BTC-USDT/trades",
      "fake:ETH-USDT/book",
    );
    expect(results.map((result) => result.requestIndex)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(results.map((result) => result.error)).toEqual([
      TopicError.TOPIC_ERROR_UNSPECIFIED,
      TopicError.TOPIC_ERROR_UNKNOWN_SYMBOL,
      TopicError.TOPIC_ERROR_MALFORMED,
      TopicError.TOPIC_ERROR_UNKNOWN_CHANNEL,
      TopicError.TOPIC_ERROR_ALREADY_SUBSCRIBED,
      TopicError.TOPIC_ERROR_UNSPECIFIED,
    ]);
    const [trades, , , , , book] = results;
    expect(trades).toMatchObject({
      topic: "fake:BTC-USDT/trades",
      venue: "fake",
      symbol: "BTC-USDT",
      venueSymbol: "BTCUSDT",
      channel: Channel.CHANNEL_TRADES,
      continuity: Continuity.CONTINUITY_NEW,
    });
    expect(Number(trades?.position?.sequence)).toBe(1);
    expect(Number(trades?.position?.epoch)).toBe(rig.ingestor.epoch);
    expect(trades?.topicId).not.toBe(0);
    expect(book?.topicId).not.toBe(trades?.topicId);
  });

  test("a cold book starts with the ingestor's snapshot, then the deltas", async () => {
    await start();
    for (let price = 1; price <= 5; price += 1) {
      rig.ingestor.publish([rig.ingestor.book("BTC-USDT", price, price)]);
    }
    const client = await rig.client();
    const [result] = await client.subscribe("fake:BTC-USDT/book");
    const topicId = result?.topicId ?? 0;
    rig.ingestor.publish([
      rig.ingestor.book("BTC-USDT", 3, 0),
      rig.ingestor.book("BTC-USDT", 9, 9),
    ]);
    await receive(client, topicId, 7);
    const batches = client.batchesOf(topicId);
    expect(batches[0]?.snapshot).toBe(true);
    expectContinuous(batches, 5, 7);
    expect(replayBids(batches)).toEqual(rig.ingestor.bids("BTC-USDT"));
  });

  test("a warm book starts from the gateway's memory, without asking again", async () => {
    await start();
    rig.ingestor.publish([rig.ingestor.book("BTC-USDT", 1, 1)]);
    const first = await rig.client();
    const [one] = await first.subscribe("fake:BTC-USDT/book");
    for (let price = 2; price <= 20; price += 1) {
      rig.ingestor.publish([rig.ingestor.book("BTC-USDT", price, price)]);
    }
    await receive(first, one?.topicId ?? 0, 20);
    const asked = rig.ingestor.queries.length;
    const second = await rig.client();
    const [two] = await second.subscribe("fake:BTC-USDT/book");
    await receive(second, two?.topicId ?? 0, 20);
    expect(rig.ingestor.queries).toHaveLength(asked);
    expect(Number(two?.position?.sequence)).toBe(1);
    const batches = second.batchesOf(two?.topicId ?? 0);
    expectContinuous(batches, 1, 20);
    expect(replayBids(batches)).toEqual(rig.ingestor.bids("BTC-USDT"));
  });

  test("a topic without events starts at 0 with no snapshot, and its first event arrives", async () => {
    await start();
    const client = await rig.client();
    const [result] = await client.subscribe("fake:BTC-USDT/book");
    expect(result?.error).toBe(TopicError.TOPIC_ERROR_UNSPECIFIED);
    expect(Number(result?.position?.sequence)).toBe(0);
    rig.ingestor.publish([rig.ingestor.book("BTC-USDT", 1, 1)]);
    await receive(client, result?.topicId ?? 0, 1);
    expectContinuous(client.batchesOf(result?.topicId ?? 0), 0, 1);
  });

  test("quotes start with the latest, trades with the next", async () => {
    await start();
    const warm = await rig.client();
    await warm.subscribe("fake:BTC-USDT/quotes", "fake:BTC-USDT/trades");
    rig.ingestor.publish([1, 2, 3, 4, 5].map((bid) => rig.ingestor.quote("BTC-USDT", bid)));
    for (let price = 1; price <= 5; price += 1) {
      rig.ingestor.publish([rig.ingestor.trade("BTC-USDT", price)]);
    }
    await rig.settle();
    const client = await rig.client();
    const [quotes, trades] = await client.subscribe("fake:BTC-USDT/quotes", "fake:BTC-USDT/trades");
    rig.ingestor.publish([rig.ingestor.trade("BTC-USDT", 6)]);
    await receive(client, trades?.topicId ?? 0, 6);
    const received = (topicId = 0) => client.batchesOf(topicId).map((batch) => batch.first);
    expect(received(quotes?.topicId)).toEqual([5]);
    expect(received(trades?.topicId)).toEqual([6]);
    expect(Number(quotes?.position?.sequence)).toBe(5);
    const state = client.batchesOf(quotes?.topicId ?? 0)[0];
    expect([state?.snapshot, state?.count]).toEqual([true, 1]);
    expect(state?.events[0]?.["bidPrice"]).toBe("0.05");
    expect(Number(trades?.position?.sequence)).toBe(5);
  });

  test("news only, where the channel allows it", async () => {
    await start();
    rig.ingestor.publish([rig.ingestor.quote("BTC-USDT", 1)]);
    rig.ingestor.publish([rig.ingestor.book("BTC-USDT", 1, 1)]);
    const client = await rig.client();
    const snapshot = SnapshotMode.SNAPSHOT_MODE_NONE;
    const [quotes, book] = await client.subscribe(
      { topic: "fake:BTC-USDT/quotes", snapshot },
      { topic: "fake:BTC-USDT/book", snapshot },
    );
    await client.roundTrip();
    expect(client.batchesOf(quotes?.topicId ?? 0)).toHaveLength(0);
    expect(client.batchesOf(book?.topicId ?? 0)).toHaveLength(1);
  });

  test("one subscription on the bus for a hundred sessions, given back after the last", async () => {
    await start({ config: { topicLingerMs: 1_000 } });
    rig.ingestor.publish([rig.ingestor.book("BTC-USDT", 1, 1)]);
    const clients = await Promise.all(Array.from({ length: 100 }, () => rig.client()));
    const results = await Promise.all(
      clients.map((client) => client.subscribe("fake:BTC-USDT/book")),
    );
    const topicId = results[0]?.[0]?.topicId ?? 0;
    const subject = "md.v2.fake.book.BTC-USDT";
    expect(rig.upstream.filter((pattern) => pattern === subject)).toHaveLength(1);
    expect(rig.ingestor.queries.filter((query) => query.includes("snapshot"))).toHaveLength(1);
    rig.ingestor.publish([rig.ingestor.book("BTC-USDT", 2, 2)]);
    await Promise.all(clients.map((client) => receive(client, topicId, 2)));
    for (const client of clients) expectContinuous(client.batchesOf(topicId), 1, 2);
    for (const client of clients) client.close();
    while (rig.gateway.sessions > 0) await rig.settle();
    rig.clock.advance(999);
    expect(rig.upstream).toContain(subject);
    rig.clock.advance(1);
    expect(rig.upstream).not.toContain(subject);
  });

  test("a subscriber who comes within the linger time finds the topic warm", async () => {
    await start({ config: { topicLingerMs: 1_000 } });
    rig.ingestor.publish([rig.ingestor.book("BTC-USDT", 1, 1)]);
    const client = await rig.client();
    await client.subscribe("fake:BTC-USDT/book");
    await client.unsubscribe("fake:BTC-USDT/book");
    rig.clock.advance(999);
    const [again] = await client.subscribe("fake:BTC-USDT/book");
    rig.clock.advance(5_000);
    expect(again?.error).toBe(TopicError.TOPIC_ERROR_UNSPECIFIED);
    expect(rig.upstream).toContain("md.v2.fake.book.BTC-USDT");
    expect(rig.ingestor.queries.filter((query) => query.includes("snapshot"))).toHaveLength(1);
  });

  test("after an unsubscribe nothing more of the topic arrives", async () => {
    await start();
    const client = await rig.client();
    const bystander = await rig.client();
    const [result] = await client.subscribe("fake:BTC-USDT/trades");
    await bystander.subscribe("fake:BTC-USDT/trades");
    const [gone, never] = await client.unsubscribe("fake:BTC-USDT/trades", "fake:ETH-USDT/trades");
    expect(gone).toMatchObject({ topicId: result?.topicId, error: 0 });
    expect(never?.error).toBe(TopicError.TOPIC_ERROR_NOT_SUBSCRIBED);
    rig.ingestor.publish([rig.ingestor.trade("BTC-USDT", 1)]);
    await receive(bystander, result?.topicId ?? 0, 1);
    await client.roundTrip();
    expect(client.batches).toHaveLength(0);
  });

  test("a pattern means every topic it matches, also those that appear later, until it is gone", async () => {
    await start();
    const client = await rig.client();
    const results = await client.subscribe("*:*/trades", "fake:*/nothing", "other:*/trades");
    expect(results.map(({ topic, error, requestIndex }) => [topic, error, requestIndex])).toEqual([
      ["fake:BTC-USDT/trades", 0, 0],
      ["fake:ETH-USDT/trades", 0, 0],
      ["fake:*/nothing", TopicError.TOPIC_ERROR_UNKNOWN_CHANNEL, 1],
      ["other:*/trades", TopicError.TOPIC_ERROR_UNKNOWN_VENUE, 2],
    ]);
    rig.ingestor.list(["BTC-USDT", "SOL-USDT"]);
    await client.until(
      () => client.messages.filter((message) => message.subscribeResult).length === 2,
    );
    const grown = client.messages.findLast((message) => message.subscribeResult)?.subscribeResult;
    expect(grown?.topics?.map((topic) => topic.topic)).toEqual(["fake:SOL-USDT/trades"]);
    expect(client.notices(NoticeKind.NOTICE_KIND_TOPIC_ENDED)).toHaveLength(1);
    rig.ingestor.publish([rig.ingestor.trade("SOL-USDT", 1)]);
    await receive(client, grown?.topics?.[0]?.topicId ?? 0, 1);
    const [removed] = await client.unsubscribe("*:*/trades");
    expect(removed?.error).toBe(TopicError.TOPIC_ERROR_UNSPECIFIED);
    rig.ingestor.list(["BTC-USDT", "SOL-USDT", "XRP-USDT"]);
    rig.ingestor.publish([rig.ingestor.trade("SOL-USDT", 2)]);
    await rig.settle();
    await client.roundTrip();
    expect(client.messages.filter((message) => message.subscribeResult)).toHaveLength(2);
    expect(client.batches).toHaveLength(1);
  });

  test("a client that comes back gets exactly what it missed", async () => {
    await start();
    const keeper = await rig.client();
    const [kept] = await keeper.subscribe("fake:BTC-USDT/trades");
    const topicId = kept?.topicId ?? 0;
    for (let price = 1; price <= 10; price += 1) {
      rig.ingestor.publish([rig.ingestor.trade("BTC-USDT", price)]);
    }
    await receive(keeper, topicId, 10);
    const back = await rig.client();
    const resume = { epoch: rig.ingestor.epoch, sequence: 4 };
    const [result] = await back.subscribe({ topic: "fake:BTC-USDT/trades", resume });
    expect(result?.continuity).toBe(Continuity.CONTINUITY_RESUMED);
    rig.ingestor.publish([rig.ingestor.trade("BTC-USDT", 11)]);
    await receive(back, topicId, 11);
    expectContinuous(back.batchesOf(topicId), 4, 11);
  });

  test.each([
    ["another epoch", (epoch: number) => ({ epoch: epoch - 1, sequence: 4 })],
    ["a position ahead of ours", (epoch: number) => ({ epoch, sequence: 11 })],
    ["a position inside a batch", (epoch: number) => ({ epoch, sequence: 2 })],
  ])("%s cannot be resumed, and the result says so", async (_, positionOf) => {
    await start();
    const keeper = await rig.client();
    const [kept] = await keeper.subscribe("fake:BTC-USDT/book");
    const level = (price: number) => rig.ingestor.book("BTC-USDT", price, price);
    rig.ingestor.publish([level(1), level(2), level(3)]);
    rig.ingestor.publish([level(4)]);
    await receive(keeper, kept?.topicId ?? 0, 4);
    const back = await rig.client();
    const resume = positionOf(rig.ingestor.epoch);
    const [result] = await back.subscribe({ topic: "fake:BTC-USDT/book", resume });
    expect(result?.continuity).toBe(Continuity.CONTINUITY_REPLACED);
    await receive(back, kept?.topicId ?? 0, 4);
    const batches = back.batchesOf(kept?.topicId ?? 0);
    expectContinuous(batches, Number(result?.position?.sequence), 4);
    expect(replayBids(batches)).toEqual(rig.ingestor.bids("BTC-USDT"));
  });

  test("trades that fell out of the ring are reported as missing, never skipped silently", async () => {
    await start({ config: { ringBatchesMax: 3 } });
    const keeper = await rig.client();
    const [kept] = await keeper.subscribe("fake:BTC-USDT/trades");
    for (let price = 1; price <= 10; price += 1) {
      rig.ingestor.publish([rig.ingestor.trade("BTC-USDT", price)]);
    }
    await receive(keeper, kept?.topicId ?? 0, 10);
    const at = (sequence: number) => ({
      topic: "fake:BTC-USDT/trades",
      resume: { epoch: rig.ingestor.epoch, sequence },
    });
    const inside = await rig.client();
    const [resumed] = await inside.subscribe(at(7));
    expect(resumed?.continuity).toBe(Continuity.CONTINUITY_RESUMED);
    const outside = await rig.client();
    const [replaced] = await outside.subscribe(at(6));
    await outside.roundTrip();
    expect(replaced?.continuity).toBe(Continuity.CONTINUITY_REPLACED);
    expect(Number(replaced?.position?.sequence)).toBe(10);
    const [gap] = outside.notices(NoticeKind.NOTICE_KIND_GAP);
    expect([Number(gap?.missingFirst), Number(gap?.missingLast)]).toEqual([7, 10]);
  });

  test("a loss on the bus gives every session of the topic a new snapshot, and nobody else", async () => {
    await start();
    const clients = await Promise.all([rig.client(), rig.client()]);
    const bystander = await rig.client();
    const [other] = await bystander.subscribe("fake:ETH-USDT/book");
    const [[result]] = await Promise.all([
      clients[0]!.subscribe("fake:BTC-USDT/book"),
      clients[1]!.subscribe("fake:BTC-USDT/book"),
    ]);
    const topicId = result?.topicId ?? 0;
    const level = (price: number) => rig.ingestor.book("BTC-USDT", price, price);
    rig.ingestor.publish([level(1)]);
    rig.ingestor.publish([level(2), level(3)], { lost: true });
    rig.ingestor.publish([level(4)]);
    rig.ingestor.publish([rig.ingestor.book("ETH-USDT", 1, 1)]);
    await rig.settle();
    rig.ingestor.publish([level(5)]);
    for (const client of clients) {
      await receive(client, topicId, 5);
      const batches = client.batchesOf(topicId);
      expect(batches.filter((batch) => batch.snapshot)).toHaveLength(1);
      expect(replayBids(batches)).toEqual(rig.ingestor.bids("BTC-USDT"));
      const [gap] = client.notices(NoticeKind.NOTICE_KIND_GAP);
      expect(gap?.topicId).toBe(topicId);
      expect([Number(gap?.missingFirst), Number(gap?.missingLast)]).toEqual([2, 3]);
      const snapshotAt = batches.findIndex((batch) => batch.snapshot);
      expectContinuous(batches.slice(snapshotAt), batches[snapshotAt]?.first ?? 0, 5);
    }
    await receive(bystander, other?.topicId ?? 0, 1);
    expect(bystander.notices(NoticeKind.NOTICE_KIND_GAP)).toHaveLength(0);
    expectContinuous(bystander.batchesOf(other?.topicId ?? 0), 0, 1);
    expect(await rig.metric("tickwire_gateway_bus_gaps_total")).toBe(1);
  });

  test("a publisher that starts anew gives every session a new snapshot of the new epoch", async () => {
    await start();
    const client = await rig.client();
    const level = (price: number) => rig.ingestor.book("BTC-USDT", price, price);
    rig.ingestor.publish([level(1), level(2)]);
    const [result] = await client.subscribe("fake:BTC-USDT/book");
    const topicId = result?.topicId ?? 0;
    rig.ingestor.restart();
    rig.ingestor.publish([level(7)]);
    await client.until(() => client.batchesOf(topicId).at(-1)?.epoch === rig.ingestor.epoch);
    rig.ingestor.publish([level(8)]);
    await receive(client, topicId, 2);
    await rig.settle();
    await client.roundTrip();
    expect(replayBids(client.batchesOf(topicId))).toEqual(rig.ingestor.bids("BTC-USDT"));
    const fresh = client.batchesOf(topicId).filter((batch) => batch.epoch === rig.ingestor.epoch);
    expect(fresh[0]?.snapshot).toBe(true);
    expectContinuous(fresh, 1, 2);
  });

  test.each([
    ["the bus was away", { kind: "reconnected" } as const],
    [
      "the bus dropped messages of the topic",
      { kind: "slow-consumer", pattern: "md.v2.fake.book.BTC-USDT", dropped: 1 } as const,
    ],
  ])(
    "a loss on a quiet topic is found when %s; what lost nothing is left alone",
    async (_, event) => {
      await start();
      const client = await rig.client();
      const [btc, eth] = await client.subscribe("fake:BTC-USDT/book", "fake:ETH-USDT/book");
      rig.ingestor.publish([rig.ingestor.book("BTC-USDT", 1, 1)]);
      rig.ingestor.publish([rig.ingestor.book("ETH-USDT", 1, 1)]);
      await receive(client, eth?.topicId ?? 0, 1);
      rig.ingestor.publish([rig.ingestor.book("BTC-USDT", 2, 2)], { lost: true });
      rig.busEvent(event);
      await receive(client, btc?.topicId ?? 0, 2);
      rig.ingestor.publish([rig.ingestor.book("BTC-USDT", 3, 3)]);
      rig.ingestor.publish([rig.ingestor.book("ETH-USDT", 2, 2)]);
      await receive(client, btc?.topicId ?? 0, 3);
      await receive(client, eth?.topicId ?? 0, 2);
      const batches = client.batchesOf(btc?.topicId ?? 0);
      expect(batches.map((batch) => [batch.snapshot, batch.first])).toEqual([
        [false, 1],
        [true, 2],
        [false, 3],
      ]);
      expect(replayBids(batches)).toEqual(rig.ingestor.bids("BTC-USDT"));
      expect(client.batchesOf(eth?.topicId ?? 0).map((batch) => batch.first)).toEqual([1, 2]);
    },
  );

  test("trades that were lost while the bus was away are reported", async () => {
    await start();
    const client = await rig.client();
    const [result] = await client.subscribe("fake:BTC-USDT/trades");
    rig.ingestor.publish([rig.ingestor.trade("BTC-USDT", 1)]);
    await receive(client, result?.topicId ?? 0, 1);
    rig.ingestor.publish(
      [2, 3].map((price) => rig.ingestor.trade("BTC-USDT", price)),
      {
        lost: true,
      },
    );
    rig.busEvent({ kind: "reconnected" });
    await client.until(() => client.notices(NoticeKind.NOTICE_KIND_GAP).length > 0);
    const [gap] = client.notices(NoticeKind.NOTICE_KIND_GAP);
    expect([Number(gap?.missingFirst), Number(gap?.missingLast)]).toEqual([2, 3]);
    rig.ingestor.publish([rig.ingestor.trade("BTC-USDT", 4)]);
    await receive(client, result?.topicId ?? 0, 4);
    expect(client.batchesOf(result?.topicId ?? 0).map((batch) => batch.first)).toEqual([1, 4]);
  });

  test("topicsMax topics are followed and not one more, unless one is merely lingering", async () => {
    await start({ config: { topicsMax: 2 } });
    const client = await rig.client();
    const results = await client.subscribe(
      "fake:BTC-USDT/trades",
      "fake:BTC-USDT/quotes",
      "fake:BTC-USDT/book",
    );
    expect(results.map((result) => result.error)).toEqual([
      0,
      0,
      TopicError.TOPIC_ERROR_UNAVAILABLE,
    ]);
    await client.unsubscribe("fake:BTC-USDT/trades");
    const [again] = await client.subscribe("fake:BTC-USDT/book");
    expect(again?.error).toBe(TopicError.TOPIC_ERROR_UNSPECIFIED);
    expect(await rig.metric("tickwire_gateway_topics")).toBe(2);
  });

  test("an ingestor that is there but does not answer makes the topic unavailable, not the gateway", async () => {
    await start({ config: { queryTimeoutMs: 500 } });
    const bystander = await rig.client();
    const [warm] = await bystander.subscribe("fake:ETH-USDT/trades");
    rig.ingestor.held = [];
    const client = await rig.client();
    const pending = client.subscribe("fake:BTC-USDT/book");
    while (rig.ingestor.held.length === 0) await rig.settle();
    rig.clock.advance(500);
    const [result] = await pending;
    expect(result?.error).toBe(TopicError.TOPIC_ERROR_UNAVAILABLE);
    rig.ingestor.held = undefined;
    const [again] = await client.subscribe("fake:BTC-USDT/book");
    expect(again?.error).toBe(TopicError.TOPIC_ERROR_UNSPECIFIED);
    rig.ingestor.publish([rig.ingestor.trade("ETH-USDT", 1)]);
    await receive(bystander, warm?.topicId ?? 0, 1);
  });

  test("an ingestor that falls silent is reported as down to those who follow the status", async () => {
    await start();
    rig.ingestor.announceIntervalMs = 1_000;
    rig.ingestor.announce();
    await rig.settle();
    rig.ingestor.publish([rig.ingestor.status("BTC-USDT", "trades", "live")]);
    const client = await rig.client();
    const [result] = await client.subscribe("fake:BTC-USDT/status");
    const topicId = result?.topicId ?? 0;
    const states = () =>
      client
        .batchesOf(topicId)
        .at(-1)
        ?.events.map((event) => event["state"]);
    await client.until(() => client.batchesOf(topicId).length === 1);
    rig.clock.advance(2_000);
    await client.roundTrip();
    expect(client.batchesOf(topicId)).toHaveLength(1);
    rig.clock.advance(1_000);
    await client.until(() => client.batchesOf(topicId).length === 2);
    expect(states()).toEqual(["down", "down", "down"]);
    rig.ingestor.announce();
    await client.until(() => client.batchesOf(topicId).length === 3);
    expect(states()).toEqual(["live"]);
    expectContinuous(client.batchesOf(topicId), 1, 1);
  });

  test("a start while events flow has neither gap nor repetition, however they interleave", async () => {
    await start({ config: { ringBatchesMax: 64, topicLingerMs: 0 } });
    for (let seed = 1; seed <= 25; seed += 1) {
      const random = createPrng(seed);
      const symbol = random.pick(["BTC-USDT", "ETH-USDT"]);
      const level = () => rig.ingestor.book(symbol, 1 + random.below(20), random.below(4));
      const publish = () =>
        rig.ingestor.publish(Array.from({ length: 1 + random.below(3) }, level));
      rig.ingestor.held = random.chance(0.5) ? [] : undefined;
      publish();
      const client = await rig.client();
      const subscribed = client.subscribe(`fake:${symbol}/book`);
      const rounds = 10 + random.below(60);
      for (let round = 0; round < rounds; round += 1) {
        publish();
        if (random.chance(0.1)) rig.ingestor.held?.splice(0).forEach((answer) => answer());
        if (random.chance(0.4)) await rig.settle();
      }
      const held = rig.ingestor.held;
      rig.ingestor.held = undefined;
      await rig.settle();
      held?.splice(0).forEach((answer) => answer());
      const [result] = await subscribed;
      const topicId = result?.topicId ?? 0;
      publish();
      await receive(client, topicId, rig.ingestor.position("book", symbol));
      const batches = client.batchesOf(topicId);
      expect(batches[0]?.snapshot).toBe(true);
      const position = Number(result?.position?.sequence);
      expectContinuous(batches, position, rig.ingestor.position("book", symbol));
      expect(replayBids(batches)).toEqual(rig.ingestor.bids(symbol));
      client.close();
    }
  });

  test("what arrives in one turn leaves as one frame", async () => {
    await start();
    const client = await rig.client();
    const topics = ["fake:BTC-USDT/trades", "fake:ETH-USDT/trades"];
    await client.subscribe(...topics);
    await client.roundTrip();
    const frames = client.frames.length;
    for (let price = 1; price <= 50; price += 1) {
      rig.ingestor.publish([rig.ingestor.trade("BTC-USDT", price)]);
      rig.ingestor.publish([rig.ingestor.trade("ETH-USDT", price)]);
    }
    await client.until(() => client.batches.length === 100);
    expect(client.frames.length - frames).toBe(1);
  });
});
