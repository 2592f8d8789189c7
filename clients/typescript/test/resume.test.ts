import { describe, expect, test } from "vitest";
import {
  encodeBatches,
  encodeFrame,
  isPresent,
  settle,
  tradesBatch,
  type FakeGateway,
} from "./fake-gateway.ts";
import { connectFake, reconnect, take } from "./fake-session.ts";
import type { NoticeEvent } from "../src/events/stream-events.ts";

const BTC = "binance:BTC-USDT/trades";
const ETH = "binance:ETH-USDT/trades";

function trades(gateway: FakeGateway, first: number, prices: readonly number[], epoch = 7) {
  const topicId = gateway.ids.get(BTC) ?? 0;
  return tradesBatch({ topicId, epoch, firstSequence: first }, prices);
}

/** These first, then a seeded sequence of its own. */
function jitterOf(...first: readonly number[]): () => number {
  let index = 0;
  let state = 1;
  return () => {
    const given = first[index++];
    if (given !== undefined) return given;
    state = (state * 16_807) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

async function subscribed(topics: readonly string[] = [BTC], asked = "binance:BTC-USDT") {
  const session = await connectFake();
  for (const topic of topics) session.gateway.topics.set(topic, { epoch: 7, sequence: 100 });
  const notices: NoticeEvent[] = [];
  const stream = session.client.trades(asked, { onNotice: (notice) => notices.push(notice) });
  await settle();
  return { ...session, notices, stream };
}

describe("after a reconnect", () => {
  test("a topic resumes after the last event, and what comes twice is left out", async () => {
    const session = await subscribed();
    const { client, gateway, notices, stream } = session;
    gateway.socket.deliverBatch(trades(gateway, 101, [1, 2, 3]));
    gateway.topics.set(BTC, { epoch: 7, sequence: 105 });
    await reconnect(session);
    const [request] = gateway.socket.sent("subscribe");
    const [topic] = request?.topics ?? [];
    expect([Number(topic?.resume?.epoch), Number(topic?.resume?.sequence)]).toEqual([7, 103]);
    // 102 and 103 once more, and the two that were missed.
    gateway.socket.deliverBatch(trades(gateway, 102, [2, 3, 4, 5]));
    gateway.socket.deliverBatch(trades(gateway, 104, [4, 5]), trades(gateway, 106, [6]));
    const events = await take(stream, 6);
    expect(events.map(({ sequence }) => sequence)).toEqual([101, 102, 103, 104, 105, 106]);
    expect(events.map(({ price }) => price * 100)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(client.counters.duplicateEvents).toBe(4);
    expect(notices).toMatchObject([
      { type: "continuity", continuity: "new", epoch: 7, sequence: 100 },
      { type: "continuity", continuity: "resumed", epoch: 7, sequence: 103 },
    ]);
  });

  test("a topic that cannot be resumed says what is missing", async () => {
    const session = await subscribed();
    const { gateway, notices, stream } = session;
    gateway.socket.deliverBatch(trades(gateway, 101, [1]));
    gateway.onMessage = (socket, { subscribe }) => {
      if (!isPresent(subscribe)) return false;
      const result = gateway.topicResult(BTC, 0, undefined);
      const position = { epoch: 7, sequence: 900 };
      const topics = [{ ...result, continuity: 3, position }];
      socket.deliverMessage({ subscribeResult: { requestId: subscribe.requestId ?? 0, topics } });
      return true;
    };
    await reconnect(session);
    // The gateway says so as well, which is no second gap.
    const topicId = gateway.ids.get(BTC) ?? 0;
    const notice = { kind: 3, topicId, missingFirst: 102, missingLast: 900 };
    gateway.socket.deliverMessage({ notice });
    gateway.socket.deliverBatch(trades(gateway, 901, [9]));
    expect(notices.slice(1)).toMatchObject([
      {
        type: "gap",
        topic: BTC,
        epoch: 7,
        missingFirst: 102,
        missingLast: 900,
        reason: "not-resumable",
      },
      { type: "continuity", continuity: "replaced", epoch: 7, sequence: 900 },
    ]);
    expect((await take(stream, 2)).map(({ sequence }) => sequence)).toEqual([101, 901]);
  });

  test("a publisher that started anew replaces the topic, with a gap of unknown extent", async () => {
    const session = await subscribed();
    const { gateway, notices } = session;
    gateway.socket.deliverBatch(trades(gateway, 101, [1]));
    gateway.topics.set(BTC, { epoch: 8, sequence: 5 });
    await reconnect(session);
    expect(notices.slice(1)).toMatchObject([
      { type: "gap", epoch: 7, missingFirst: 102, missingLast: undefined, reason: "epoch-changed" },
      { type: "continuity", continuity: "replaced", epoch: 8, sequence: 5 },
    ]);
  });

  test("the topics of a pattern resume each by name, and new ones join", async () => {
    const session = await subscribed([BTC], "binance:*");
    const { gateway, stream, notices } = session;
    gateway.socket.deliverBatch(trades(gateway, 101, [1]));
    gateway.topics.set(ETH, { epoch: 7, sequence: 0 });
    await reconnect(session);
    const [request] = gateway.socket.sent("subscribe");
    expect(request?.topics?.map(({ topic, resume }) => [topic, isPresent(resume)])).toEqual([
      [BTC, true],
      ["binance:*/trades", false],
    ]);
    const eth = { topicId: gateway.ids.get(ETH) ?? 0, epoch: 7, firstSequence: 1 };
    gateway.socket.deliverBatch(trades(gateway, 102, [2]), tradesBatch(eth, [3]));
    expect((await take(stream, 3)).map(({ symbol }) => symbol)).toEqual([
      "BTC-USDT",
      "BTC-USDT",
      "ETH-USDT",
    ]);
    expect(notices.filter(({ type }) => type === "gap")).toEqual([]);
    stream.close();
    const [unsubscribe] = gateway.socket.sent("unsubscribe");
    expect(unsubscribe?.topics).toEqual(["binance:*/trades", BTC]);
  });

  test("a gateway that does not know the topic yet is asked again", async () => {
    const session = await subscribed();
    const { gateway, clock, stream, notices } = session;
    gateway.topics.clear();
    await reconnect(session);
    expect(notices.at(-1)).toMatchObject({ continuity: "unavailable", topic: BTC });
    gateway.topics.set(BTC, { epoch: 7, sequence: 100 });
    clock.advance(1_000);
    await settle();
    gateway.socket.deliverBatch(trades(gateway, 101, [1]));
    expect(await take(stream, 1)).toHaveLength(1);
  });

  test("a pattern that is asked for again does not start anew what another subscription has", async () => {
    const session = await connectFake({ random: jitterOf(0.5, 0.9, 0) });
    const { client, gateway, clock } = session;
    gateway.topics.set(BTC, { epoch: 7, sequence: 100 });
    const notices: NoticeEvent[] = [];
    const onNotice = (notice: NoticeEvent) => notices.push(notice);
    client.trades("binance:BTC-USDT", { onNotice });
    await settle();
    client.trades("binance:*");
    await settle();
    gateway.socket.deliverBatch(trades(gateway, 101, [1]));
    gateway.topics.clear();
    await reconnect(session);
    // The publisher is back, and the pattern's turn comes long before the topic's.
    gateway.topics.set(BTC, { epoch: 8, sequence: 5 });
    const before = gateway.socket.sent("subscribe").length;
    clock.advance(60);
    await settle();
    const [again] = gateway.socket.sent("subscribe").slice(before);
    expect(again?.topics?.map(({ topic, resume }) => [topic, Number(resume?.sequence)])).toEqual([
      [BTC, 101],
      ["binance:*/trades", Number.NaN],
    ]);
    expect(notices.slice(-2)).toMatchObject([
      { type: "gap", epoch: 7, missingFirst: 102, missingLast: undefined, reason: "epoch-changed" },
      { type: "continuity", continuity: "replaced", epoch: 8, sequence: 5 },
    ]);
    clock.advance(5_000);
    await settle();
    expect(gateway.socket.sent("subscribe")).toHaveLength(before + 1);
  });

  test("topics of a dead venue are asked for by name, in few requests, and nothing else", async () => {
    const dead = Array.from({ length: 152 }, (_, index) => `dead:S${index}-USDT/trades`);
    const session = await connectFake({ random: jitterOf() });
    const { client, gateway, clock } = session;
    for (const topic of [BTC, ...dead]) gateway.topics.set(topic, { epoch: 7, sequence: 100 });
    gateway.unavailable = (topic) => topic.startsWith("dead:");
    const unavailable = new Set<string>();
    const events: number[] = [];
    client.onTrades("*:*", ({ sequence }) => events.push(sequence), {
      onNotice: (notice) => {
        if (notice.type === "continuity" && notice.continuity === "unavailable")
          unavailable.add(notice.topic);
      },
    });
    await settle();
    for (let step = 0; step < 600; step++) {
      clock.advance(100);
      await settle();
    }
    gateway.socket.deliverBatch(trades(gateway, 101, [1]));
    expect(events).toEqual([101]);
    expect([...unavailable].sort()).toEqual(dead.toSorted());
    const requests = gateway.socket.sent("subscribe").slice(1);
    const named = requests.flatMap(({ topics }) => topics?.map(({ topic }) => topic) ?? []);
    expect(named.filter((topic) => !topic?.startsWith("dead:"))).toEqual([]);
    expect(named.filter((topic) => topic?.includes("*"))).toEqual([]);
    // One minute: waits of about 0.3, 0.5, 1, 2, 4, 8, 10, 10... seconds each.
    expect(named.length / dead.length).toBeLessThan(15);
    expect(requests.length).toBeLessThan(120);
    gateway.unavailable = () => false;
    for (let step = 0; step < 250; step++) {
      clock.advance(100);
      await settle();
    }
    expect(gateway.ids.size).toBe(153);
    expect(clock.pending).toBe(1);
    client.close();
    expect(clock.pending).toBe(0);
  });

  test("a consumer that joined while there was no connection is subscribed", async () => {
    const session = await subscribed();
    const { client, gateway } = session;
    gateway.topics.set(ETH, { epoch: 7, sequence: 0 });
    gateway.socket.closeByServer(1006);
    const stream = client.trades("binance:ETH-USDT");
    await settle();
    session.clock.advanceTo(session.clock.nextUs!);
    await settle();
    const eth = { topicId: gateway.ids.get(ETH) ?? 0, epoch: 7, firstSequence: 1 };
    gateway.socket.deliverBatch(tradesBatch(eth, [3]));
    expect(stream.buffered).toBe(1);
  });
});

describe("on a running connection", () => {
  test("a missing event makes the client ask again, and nothing is lost if it can resume", async () => {
    const { client, gateway, notices, stream } = await subscribed();
    gateway.socket.deliverBatch(trades(gateway, 101, [1]));
    gateway.socket.deliverBatch({ ...trades(gateway, 103, [3]), chained: true });
    await settle();
    expect(client.counters.gaps).toBe(1);
    expect(gateway.socket.sent("unsubscribe")[0]?.topics).toEqual([BTC]);
    const again = gateway.socket.sent("subscribe")[1]?.topics?.[0];
    expect(Number(again?.resume?.sequence)).toBe(101);
    gateway.socket.deliverBatch(trades(gateway, 102, [2, 3]));
    expect((await take(stream, 3)).map(({ sequence }) => sequence)).toEqual([101, 102, 103]);
    expect(
      notices.map((notice) => (notice.type === "continuity" ? notice.continuity : "")),
    ).toEqual(["new", "resyncing", "resumed"]);
  });

  test("a topic that loses its place again and again waits longer and longer", async () => {
    const { gateway, clock } = await subscribed();
    gateway.socket.deliverBatch({ ...trades(gateway, 103, [3]), chained: true });
    await settle();
    expect(gateway.socket.sent("subscribe")).toHaveLength(2);
    gateway.socket.deliverBatch({ ...trades(gateway, 103, [3]), chained: true });
    await settle();
    expect(gateway.socket.sent("subscribe")).toHaveLength(2);
    clock.advance(500);
    expect(gateway.socket.sent("subscribe")).toHaveLength(3);
  });

  test("merged events are no gap", async () => {
    const { client, gateway, stream } = await subscribed();
    gateway.socket.deliverBatch({ ...trades(gateway, 110, [1]), skipped: 9 });
    expect((await take(stream, 1))[0]?.sequence).toBe(110);
    expect(client.counters.gaps).toBe(0);
  });

  test.each(["before", "after"])(
    "a gap that the gateway reports %s is told, not asked for",
    async (order) => {
      const { client, gateway, notices, stream } = await subscribed();
      const topicId = gateway.ids.get(BTC) ?? 0;
      const notice = { kind: 3, topicId, missingFirst: 102, missingLast: 109 };
      if (order === "before") gateway.socket.deliverMessage({ notice });
      // One frame: the notice is handled before the batch that was written before it.
      gateway.socket.deliver(
        Buffer.concat([
          encodeBatches(trades(gateway, 101, [1]), trades(gateway, 110, [2])),
          encodeFrame({ messages: order === "after" ? [{ notice }] : [] }),
        ]),
      );
      expect((await take(stream, 2)).map(({ sequence }) => sequence)).toEqual([101, 110]);
      expect(notices[1]).toMatchObject({
        type: "gap",
        missingFirst: 102,
        missingLast: 109,
        reason: "server-dropped",
      });
      expect(client.counters.gaps).toBe(0);
      expect(gateway.socket.sent("subscribe")).toHaveLength(1);
    },
  );

  test("a publisher that starts anew goes on from its first event", async () => {
    const { gateway, notices, stream } = await subscribed();
    gateway.socket.deliverBatch(trades(gateway, 101, [1]), trades(gateway, 1, [2], 8));
    expect((await take(stream, 2)).map(({ epoch }) => epoch)).toEqual([7, 8]);
    expect(notices.slice(1)).toMatchObject([
      { type: "gap", epoch: 7, missingFirst: 102, missingLast: undefined },
      { type: "continuity", continuity: "replaced", epoch: 8 },
    ]);
  });

  test("lag is told", async () => {
    const { gateway, notices } = await subscribed();
    const lag = { message: "2 s behind", lagMs: 2_000, owedBytes: 1_234 };
    gateway.socket.deliverMessage({ notice: { kind: 2, ...lag } });
    expect(notices.at(-1)).toEqual({ type: "lag", ...lag });
  });
});
