import { describe, expect, test } from "vitest";
import {
  encodeBatches,
  quotesBatch,
  settle,
  tradesBatch,
  type FakeSocket,
} from "../../test/fake-gateway.ts";
import { take } from "../../test/fake-session.ts";
import { LateStand } from "../../test/late-stand.ts";
import type { NoticeEvent } from "../events/stream-events.ts";
import { createEnvironment } from "../host/environment.ts";
import { connectLite } from "./lite-client.ts";
import type { LiteClient } from "./lite-face.ts";
import { connectOpening } from "./lite-opening-connect.ts";
import type { LiteConnectOptions } from "./lite-options.ts";
import * as takeOver from "./lite-take-over.ts";

const BTC = "binance:BTC-USDT";
const TRADES = `${BTC}/trades`;
const QUOTES = `${BTC}/quotes`;
const ETH = "binance:ETH-USDT/trades";
const EPOCH = 7;

/** A small client whose code comes when the test says so. */
class Stand extends LateStand<typeof takeOver> {
  client!: LiteClient;

  constructor() {
    super(takeOver);
    for (const topic of [TRADES, QUOTES, ETH]) {
      this.gateway.topics.set(topic, { epoch: EPOCH, sequence: 100 });
    }
  }

  connect(options: LiteConnectOptions = {}, url = "ws://gateway.test"): Promise<LiteClient> {
    const { clock, gateway } = this;
    const given = { webSocket: gateway.WebSocket, clock, random: () => 0.5, ...options };
    return connectOpening(url, given, createEnvironment(given), () => this.load());
  }

  async open(options: LiteConnectOptions = {}): Promise<this> {
    this.client = await this.connect(options);
    this.client.onState((state, error) => this.states.push(`${state} ${error?.code ?? ""}`));
    return this;
  }

  /** The same client with all of its code. */
  async openWhole(): Promise<this> {
    const { clock, gateway } = this;
    const given = { webSocket: gateway.WebSocket, clock, random: () => 0.5 };
    this.client = await connectLite("ws://gateway.test", given, createEnvironment(given));
    return this;
  }

  trades(topic: string, firstSequence: number, prices: number[]) {
    const topicId = this.gateway.ids.get(topic) ?? 0;
    return tradesBatch({ topicId, epoch: EPOCH, firstSequence }, prices);
  }

  quote(firstSequence: number, snapshot = false) {
    const topicId = this.gateway.ids.get(QUOTES) ?? 0;
    return quotesBatch({ topicId, epoch: EPOCH, firstSequence, snapshot }, 99, 101);
  }

  get socket(): FakeSocket {
    return this.gateway.socket;
  }
}

/** What happens in a scenario, in order; the code may come before any of it. */
type Step = (stand: Stand) => void;

const begin: Step = (stand) => stand.socket.deliverBatch(stand.trades(TRADES, 101, [1, 2]));
const goOn: Step = (stand) => stand.socket.deliverBatch(stand.quote(101));

const SCENARIOS: Readonly<Record<string, readonly Step[]>> = {
  "everything follows": [
    begin,
    (stand) => stand.socket.deliverBatch(stand.quote(100, true), stand.trades(TRADES, 103, [3])),
    (stand) => stand.socket.deliverBatch(stand.quote(101), stand.quote(102)),
    (stand) => stand.socket.deliverBatch(stand.trades(TRADES, 104, [4])),
  ],
  "events are missing": [
    begin,
    (stand) => stand.socket.deliverBatch(stand.trades(TRADES, 105, [2, 3])),
    goOn,
  ],
  "events come twice": [
    begin,
    (stand) => stand.socket.deliverBatch(stand.trades(TRADES, 102, [2, 3])),
    goOn,
  ],
  "the publisher starts anew": [
    begin,
    (stand) => stand.socket.deliverBatch({ ...stand.trades(TRADES, 1, [5]), epoch: EPOCH + 1 }),
    goOn,
  ],
  "the gateway dropped events, and the client lags": [
    begin,
    (stand) => {
      const topicId = stand.gateway.ids.get(TRADES)!;
      const notice = { kind: 3, topicId, missingFirst: 103, missingLast: 104 };
      stand.socket.deliverMessage({ notice });
    },
    (stand) => stand.socket.deliverMessage({ notice: { kind: 2, message: "late", lagMs: 9 } }),
    (stand) => stand.socket.deliverBatch(stand.trades(TRADES, 105, [4])),
  ],
  "a batch is damaged": [
    begin,
    (stand) => {
      const bytes = encodeBatches(stand.trades(TRADES, 103, [2]));
      bytes[bytes.length - 1] = 0xff;
      stand.socket.deliver(bytes);
    },
    goOn,
  ],
  "a batch of another channel comes": [
    begin,
    (stand) => {
      const topicId = stand.gateway.ids.get(TRADES)!;
      stand.socket.deliverBatch(quotesBatch({ topicId, epoch: EPOCH, firstSequence: 103 }, 1, 2));
    },
    goOn,
  ],
  "others want a topic that is there, one that is new, and one that is not there": [
    begin,
    ({ client }) => void client.trades(BTC),
    ({ client }) => void client.trades("binance:ETH-USDT"),
    ({ client }) =>
      client
        .trades("x:NOTHING")
        .next()
        .catch(() => undefined),
    (stand) => stand.socket.deliverBatch(stand.trades(TRADES, 103, [2])),
  ],
  "a view at an interval is wanted": [
    begin,
    ({ client }) => void client.trades("binance:ETH-USDT", { conflationIntervalMs: 100 }),
    goOn,
  ],
  "the gateway ends a topic": [
    begin,
    (stand) => {
      const topicId = stand.gateway.ids.get(TRADES)!;
      stand.socket.deliverMessage({ notice: { kind: 4, topicId, message: "delisted" } });
    },
    goOn,
  ],
  "the gateway closes for good": [begin, (stand) => stand.socket.closeByServer(4505)],
};

/** Plays a scenario and writes down what each topic was told, and what went to the gateway. */
async function play(
  stand: Stand,
  steps: readonly Step[],
  before: (index: number) => Promise<void>,
) {
  const notices: NoticeEvent[] = [];
  const onNotice = (notice: NoticeEvent) => void notices.push(notice);
  const events: object[] = [];
  const ends: string[] = [];
  const follow = async (stream: AsyncIterable<object>) => {
    try {
      for await (const event of stream) events.push(event);
    } catch (error) {
      ends.push(String(error));
    }
  };
  const reading = [
    follow(stand.client.trades(BTC, { onNotice })),
    follow(stand.client.quotes(BTC, { onNotice })),
  ];
  for (const [index, step] of [...steps, () => undefined].entries()) {
    await before(index);
    step(stand);
    await settle();
  }
  await before(steps.length + 1);
  const sent = stand.gateway.sockets.flatMap((socket) => socket.sent("subscribe"));
  const given = stand.gateway.sockets.flatMap((socket) => socket.sent("unsubscribe"));
  const subscribed = sent.flatMap(({ topics }) => (topics ?? []).map((each) => each.topic));
  const unsubscribed = given.flatMap(({ topics }) => topics ?? []);
  const sockets = stand.gateway.sockets.length;
  stand.client.close();
  await Promise.all(reading);
  const of = (topic: string | undefined) =>
    [notices, events].map((list) =>
      JSON.stringify(list.filter((each) => (each as { topic?: string }).topic === topic)),
    );
  const told = [undefined, TRADES, QUOTES].map((topic) => of(topic));
  return { told, ends, subscribed, unsubscribed, sockets, count: events.length + notices.length };
}

describe.each(Object.entries(SCENARIOS))("a small client where %s", (_, steps) => {
  const moments = Array.from({ length: steps.length + 2 }, (_unused, index) => index);

  test.each(moments)("says the same if its code comes before step %i", async (moment) => {
    const whole = await new Stand().openWhole();
    const expected = await play(whole, steps, settle);
    const stand = await new Stand().open();
    const seen = await play(stand, steps, async (index) => {
      await settle();
      if (index === moment) await stand.arrive();
    });
    expect(seen).toEqual(expected);
    expect(seen.count).toBeGreaterThan(3);
  });
});

/** Lets time pass until the next dial, and all that follows happen. */
async function redial({ clock, gateway }: Stand): Promise<void> {
  const { length } = gateway.sockets;
  for (let waits = 0; waits < 5 && gateway.sockets.length === length; waits += 1) {
    clock.advanceTo(clock.nextUs ?? 0);
    await settle();
  }
}

test.each([0, 1, 2, 3])(
  "resumes after a break if its code comes before step %i",
  async (moment) => {
    const stand = await new Stand().open();
    const notices: NoticeEvent[] = [];
    const stream = stand.client.trades(BTC, { onNotice: (notice) => void notices.push(notice) });
    await settle();
    const end: Step = ({ socket }) => socket.closeByServer(1006);
    for (const [index, step] of [begin, end, end, end].entries()) {
      if (index === moment) await stand.arrive();
      if (index < 2) step(stand);
      await settle();
    }
    await redial(stand);
    stand.socket.deliverBatch(stand.trades(TRADES, 103, [3]));
    expect((await take(stream, 3)).map(({ sequence }) => sequence)).toEqual([101, 102, 103]);
    expect(stand.states).toEqual(["reconnecting connection-lost", "connected "]);
    expect(notices).toMatchObject([{ continuity: "new" }, { outcome: "preserved" }]);
    expect(stand.gateway.sockets).toHaveLength(2);
  },
);

describe("a small client that opens", () => {
  test("hands on events before the rest of its code is asked for", async () => {
    const stand = await new Stand().open();
    const stream = stand.client.trades(BTC);
    await settle();
    stand.socket.deliverBatch(stand.trades(TRADES, 101, [1_050]));
    const [trade] = await take(stream, 1);
    expect([trade?.priceText, stand.loads]).toEqual(["10.5", 0]);
    stand.clock.advance(1);
    expect(stand.loads).toBe(1);
    await stand.arrive();
    stand.socket.deliverBatch(stand.trades(TRADES, 102, [1_051]));
    expect((await take(stream, 1))[0]?.priceText).toBe("10.51");
    expect(stand.gateway.sockets).toHaveLength(1);
    expect(stand.socket.sent("subscribe")).toHaveLength(1);
    expect(stand.socket.sent("hello")).toHaveLength(1);
    expect(stand.states).toEqual([]);
    expect(stand.client.sessionId).toBeDefined();
  });

  test("asks for the rest of its code after a while, also where nothing happens", async () => {
    const stand = await new Stand().open();
    stand.clock.advance(1_999);
    expect(stand.loads).toBe(0);
    stand.clock.advance(1);
    expect(stand.loads).toBe(1);
  });

  test("asks in one request for what is wanted in one turn, of 20 topics at most", async () => {
    const stand = await new Stand().open();
    const names = Array.from({ length: 19 }, (_, index) => `a:COIN${index}`);
    for (const name of names) {
      stand.gateway.topics.set(`${name}/trades`, { epoch: EPOCH, sequence: 1 });
    }
    stand.client.trades(names);
    stand.client.quotes(BTC);
    await settle();
    expect(stand.loads).toBe(0);
    expect(stand.socket.sent("subscribe").map(({ topics }) => topics?.length)).toEqual([20]);
    stand.client.trades(BTC);
    await settle();
    expect(stand.loads).toBe(1);
    expect(stand.gateway.ids.has(TRADES)).toBe(false);
    await stand.arrive();
    expect(stand.gateway.ids.has(TRADES)).toBe(true);
  });

  test("gives up what nobody wants any more once it can", async () => {
    const stand = await new Stand().open();
    const left = stand.client.trades(BTC);
    const kept = stand.client.quotes(BTC);
    await settle();
    left.close();
    stand.client.trades("binance:ETH-USDT").close();
    await stand.arrive();
    expect(stand.socket.sent("unsubscribe").map(({ topics }) => topics)).toEqual([[TRADES]]);
    stand.socket.deliverBatch(stand.quote(101));
    expect(kept.buffered).toBe(1);
  });

  test("refuses another interval for a topic that it has, at once", async () => {
    const { client } = await new Stand().open();
    client.trades(BTC);
    const other = () => client.trades(BTC, { conflationIntervalMs: 100 });
    expect(other).toThrow("another interval needs another client");
  });

  test("goes on where its code cannot be had, and tells who needs it", async () => {
    const stand = await new Stand().open();
    const stream = stand.client.trades(BTC);
    await settle();
    const needy = stand.client.quotes(BTC, { conflationIntervalMs: 100 });
    await stand.fail();
    await expect(needy.next()).rejects.toMatchObject({ code: "connect-failed", retryable: true });
    expect([stand.states, stand.loads]).toEqual([[], 3]);
    stand.socket.deliverBatch(stand.trades(TRADES, 101, [1]));
    expect((await take(stream, 1))[0]?.sequence).toBe(101);
    stand.clock.advance(20_000);
    expect(stand.loads).toBe(4);
    await stand.arrive();
    stand.socket.deliverBatch(stand.trades(TRADES, 102, [1]));
    expect((await take(stream, 1))[0]?.sequence).toBe(102);
  });

  test("says that it waits for its code, and resumes when that has come", async () => {
    const stand = await new Stand().open();
    const stream = stand.client.trades(BTC);
    await settle();
    begin(stand);
    stand.socket.deliverBatch(stand.trades(TRADES, 105, [3]));
    await stand.fail();
    expect(stand.states).toEqual(["reconnecting connect-failed"]);
    expect(stand.client.sessionId).toBeUndefined();
    stand.clock.advance(20_000);
    await stand.arrive();
    await redial(stand);
    const [request] = stand.socket.sent("subscribe")[0]?.topics ?? [];
    expect([stand.gateway.sockets.length, Number(request?.resume?.sequence)]).toEqual([2, 105]);
    expect(stand.client.state).toBe("connected");
    expect((await take(stream, 3)).map(({ sequence }) => sequence)).toEqual([101, 102, 105]);
  });

  test.each([
    ["just below", -1, 1],
    ["at", 0, 1],
    ["above", 1, 2],
  ])("keeps what comes before its code %s its bound", async (_, more, sockets) => {
    const stand = await new Stand().open();
    // A field that this client does not know: it may come, and means nothing.
    const frame = new Uint8Array(4 * 1024 * 1024 + more);
    const length = frame.length - 6;
    const pieces = [0, 7, 14, 21].map((shift) => ((length >> shift) & 0x7f) | 0x80);
    frame.set([0x7a, ...pieces, length >> 28]);
    stand.socket.deliver(frame);
    await stand.arrive();
    await redial(stand);
    expect(stand.gateway.sockets).toHaveLength(sockets);
  });

  test("ends everything cleanly with close(), also before its code has come", async () => {
    const stand = await new Stand().open();
    const stream = stand.client.trades(BTC);
    await settle();
    stand.client.close();
    stand.client.close();
    expect((await stream.next()).done).toBe(true);
    expect(stand.states).toEqual(["closed client-closed"]);
    expect(stand.socket.closedWith?.code).toBe(1000);
    expect(() => stand.client.trades(BTC)).toThrow("the client was closed");
    await stand.arrive();
    expect([stand.loads, stand.gateway.sockets.length]).toEqual([0, 1]);
  });

  test("has its code dial where it got nowhere, which says why", async () => {
    const stand = new Stand();
    stand.gateway.welcomes = false;
    const outcome = stand.connect().catch((error: unknown) => error);
    await settle();
    stand.socket.closeByServer(4504);
    await settle();
    await stand.arrive();
    stand.socket.closeByServer(4504);
    expect(await outcome).toMatchObject({ code: "unauthenticated" });
    expect(stand.gateway.sockets).toHaveLength(2);
  });

  test("says what it knows itself: silence, a signal, a bad address, no code", async () => {
    const silent = new Stand();
    silent.gateway.welcomes = false;
    const silence = silent.connect().catch((error: unknown) => error);
    silent.clock.advance(10_000);
    expect(await silence).toMatchObject({ code: "connect-timeout", retryable: true });
    const abort = new AbortController();
    const given = new Stand().connect({ signal: abort.signal });
    abort.abort();
    await expect(given).rejects.toMatchObject({ code: "client-closed" });
    const bad = new Stand().connect({}, "ftp://gateway.test");
    await expect(bad).rejects.toMatchObject({ code: "connect-failed" });
    const lost = new Stand();
    const outcome = lost.connect({ pingIntervalMs: 1_000 }).catch((error: unknown) => error);
    await lost.fail();
    expect(await outcome).toMatchObject({ code: "connect-failed", retryable: true });
  });

  test("has all of its code before it dials where options ask for more", async () => {
    const stand = new Stand();
    const connecting = stand.connect({ pingIntervalMs: 1_000, token: () => "late" });
    await settle();
    expect([stand.loads, stand.gateway.sockets.length]).toEqual([1, 0]);
    await stand.arrive();
    const client = await connecting;
    expect(client.state).toBe("connected");
    expect(stand.socket.sent("hello")[0]?.accessToken).toBe("late");
  });
});
