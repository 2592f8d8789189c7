import { describe, expect, test } from "vitest";
import type { NoticeEvent } from "../src/events/stream-events.ts";
import { settle, tradesBatch, type FakeSocket } from "./fake-gateway.ts";
import { connectFake, type FakeSession } from "./fake-session.ts";

const BTC = "binance:BTC-USDT/trades";
const ETH = "binance:ETH-USDT/trades";

/** A client of two topics whose gateway goes away. */
class Mover {
  readonly session: FakeSession;
  readonly sequences: string[] = [];
  readonly notices: NoticeEvent[] = [];

  private constructor(session: FakeSession) {
    this.session = session;
    for (const topic of [BTC, ETH]) {
      session.gateway.topics.set(topic, { epoch: 7, sequence: 0 });
    }
  }

  static async connected(): Promise<Mover> {
    return new Mover(await connectFake({ pingIntervalMs: 0 }));
  }

  follow(topics: string) {
    return this.session.client.onTrades(
      topics,
      ({ symbol, sequence }) => this.sequences.push(`${symbol} ${sequence}`),
      { onNotice: (notice) => this.notices.push(notice) },
    );
  }

  get old(): FakeSocket {
    return this.session.gateway.sockets[0]!;
  }

  get next(): FakeSocket {
    return this.session.gateway.socket;
  }

  /** The gateway says that it goes away, and the client makes another connection. */
  async move(): Promise<void> {
    const { clock } = this.session;
    this.old.deliverMessage({ notice: { kind: 1, reconnectWindowMs: 5_000 } });
    clock.advance(50);
    await settle();
    if (this.session.gateway.sockets.length !== 2) throw new Error("the client did not move");
  }

  deliver(socket: FakeSocket, topic: string, firstSequence: number, count = 1): void {
    const topicId = socket.ids.get(topic) ?? 0;
    const prices = Array.from({ length: count }, () => 100);
    socket.deliverBatch(tradesBatch({ topicId, epoch: 7, firstSequence }, prices));
  }
}

describe("a client that moves", () => {
  test("brings every topic of a pattern from where it is, and leaves when all have come", async () => {
    const mover = await Mover.connected();
    mover.follow("binance:*");
    await settle();
    mover.deliver(mover.old, BTC, 1, 2);
    mover.deliver(mover.old, ETH, 1);
    mover.session.gateway.onMessage = (_, { subscribe }) => (subscribe ?? undefined) !== undefined;
    await mover.move();
    const asked = mover.next.sent("subscribe").flatMap(({ topics }) => topics ?? []);
    expect(asked.map(({ topic, resume }) => [topic, Number(resume?.sequence ?? 0)])).toEqual([
      [BTC, 2],
      [ETH, 1],
      ["binance:*/trades", 0],
    ]);
    // The other gateway takes its time.
    mover.deliver(mover.old, BTC, 3);
    mover.session.gateway.onMessage = () => false;
    for (const subscribe of mover.next.sent("subscribe")) {
      mover.session.gateway.answerSubscribe(mover.next, subscribe);
    }
    expect(mover.old.closedWith).toBeUndefined();
    mover.deliver(mover.next, BTC, 3, 2);
    mover.deliver(mover.next, ETH, 2);
    expect(mover.old.closedWith?.code).toBe(1000);
    const { sequences } = mover;
    expect(
      sequences.filter((text) => text.startsWith("BTC")).map((text) => text.split(" ")[1]),
    ).toEqual(["1", "2", "3", "4"]);
    expect(
      sequences.filter((text) => text.startsWith("ETH")).map((text) => text.split(" ")[1]),
    ).toEqual(["1", "2"]);
    expect(mover.session.client.counters).toMatchObject({ gaps: 0, unknownTopicBatches: 0 });
  });

  test("asks the new gateway alone for what is new, and gives up there what is left", async () => {
    const mover = await Mover.connected();
    const btc = mover.follow("binance:BTC-USDT");
    await settle();
    mover.deliver(mover.old, BTC, 1);
    mover.session.gateway.onMessage = (_, { subscribe }) => (subscribe ?? undefined) !== undefined;
    await mover.move();
    btc.close();
    // Nothing is left that only the old connection brings.
    mover.deliver(mover.old, BTC, 2);
    expect(mover.old.closedWith?.code).toBe(1000);
    mover.follow("binance:ETH-USDT");
    await settle();
    expect(mover.old.sent("subscribe")).toHaveLength(1);
    expect(mover.old.sent("unsubscribe")).toHaveLength(0);
    expect(mover.next.sent("unsubscribe").map(({ topics }) => topics)).toEqual([[BTC]]);
    expect(mover.sequences).toEqual(["BTC-USDT 1"]);
  });

  test("ends a topic that the old gateway ends while it still brings it", async () => {
    const mover = await Mover.connected();
    mover.follow("binance:*");
    await settle();
    mover.deliver(mover.old, BTC, 1);
    mover.session.gateway.onMessage = (_, { subscribe }) => (subscribe ?? undefined) !== undefined;
    await mover.move();
    const topicId = mover.old.ids.get(BTC)!;
    mover.old.deliverMessage({ notice: { kind: 4, topicId, message: "delisted" } });
    expect(mover.notices.at(-1)).toMatchObject({ continuity: "ended", reason: "delisted" });
  });

  test("gets the answers to calls that are under way from the old gateway", async () => {
    const mover = await Mover.connected();
    const { client } = mover.session;
    const first = client.rpc.getServerTime({});
    await settle();
    await mover.move();
    expect(mover.old.closedWith).toBeUndefined();
    const second = client.rpc.getServerTime({});
    await settle();
    const idOf = (socket: FakeSocket) => socket.sent("call").map(({ callId }) => callId);
    expect([idOf(mover.old), idOf(mover.next)]).toEqual([[1], [1]]);
    mover.old.deliverMessage({ reply: { callId: 1, response: new Uint8Array(0), status: {} } });
    expect(mover.old.closedWith?.code).toBe(1000);
    await expect(first).resolves.toBeDefined();
    mover.next.deliverMessage({ reply: { callId: 1, response: new Uint8Array(0), status: {} } });
    await expect(second).resolves.toBeDefined();
  });

  test("cancels a call where it is under way", async () => {
    const mover = await Mover.connected();
    const controller = new AbortController();
    const call = mover.session.client.rpc.getServerTime({}, { signal: controller.signal });
    await settle();
    await mover.move();
    controller.abort();
    await expect(call).rejects.toMatchObject({ code: "cancelled" });
    expect(mover.old.sent("cancel")).toHaveLength(1);
    expect(mover.next.sent("cancel")).toHaveLength(0);
  });

  test("loses a call that the old gateway did not answer before it was gone", async () => {
    const mover = await Mover.connected();
    const call = mover.session.client.rpc.getServerTime({});
    await settle();
    await mover.move();
    mover.old.closeByServer(4000);
    await expect(call).rejects.toMatchObject({ code: "unavailable", sent: true, retryable: true });
    expect(mover.session.client.state).toBe("connected");
  });
});

describe("whenConnected", () => {
  test("resolves at once, after a reconnect, and not before", async () => {
    const { client, gateway, clock } = await connectFake();
    await client.whenConnected();
    gateway.socket.closeByServer(1006);
    let isConnected = false;
    void client.whenConnected().then(() => {
      isConnected = true;
    });
    await settle();
    expect(isConnected).toBe(false);
    clock.advanceTo(clock.nextUs ?? 0);
    await settle();
    expect(isConnected).toBe(true);
  });

  test("rejects with the reason of its signal, and with what ended the client", async () => {
    const { client, gateway } = await connectFake();
    gateway.socket.closeByServer(1006);
    const controller = new AbortController();
    const waiting = client.whenConnected({ signal: controller.signal });
    controller.abort("enough");
    await expect(waiting).rejects.toBe("enough");
    await expect(client.whenConnected({ signal: AbortSignal.abort("no") })).rejects.toBe("no");
    const later = client.whenConnected();
    client.close();
    await expect(later).rejects.toMatchObject({ code: "client-closed" });
    await expect(client.whenConnected()).rejects.toMatchObject({ code: "client-closed" });
  });
});
