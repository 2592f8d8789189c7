import { tickwire } from "@tickwire/proto/protobufjs";
import { describe, expect, test } from "vitest";
import { ManualClock } from "../../../../test/support/manual-clock.ts";
import { FakeGateway, isPresent, settle } from "../../test/fake-gateway.ts";
import { Client, type ConnectOptions } from "../client.ts";
import { createStreamsConnect } from "../streams-connect.ts";
import { replayLater } from "../replay/late-replay.ts";
import type { ReplayEvent } from "../replay/replay-options.ts";
import type { ClientSession } from "../session/client-session.ts";
import { Calls } from "./calls.ts";
import { ChannelSource } from "../topics/channel-source.ts";
import { LateCalls } from "./late-calls.ts";

const wire = tickwire.v1;
const TIME = wire.GetServerTimeResponse.encode({ serverTimeUs: 1_234 }).finish();

/** A connected client whose code of calls is in the test's hands, and comes when it says so. */
class Stand {
  readonly clock = new ManualClock();
  readonly gateway = new FakeGateway();
  loads = 0;
  client!: Client;
  #arrivals: { resolve: (code: typeof Calls) => void; reject: (error: Error) => void }[] = [];

  async connect(options: ConnectOptions = {}): Promise<this> {
    const load = () =>
      new Promise<typeof Calls>((resolve, reject) => {
        this.loads += 1;
        this.#arrivals.push({ resolve, reject });
      });
    const create = (session: ClientSession, given: ConnectOptions) =>
      new Client(session, given, {
        channels: new ChannelSource([]),
        createCalls: (limits) => new LateCalls(session, limits, load),
        replay: () => {
          throw new Error("no replay here");
        },
      });
    this.gateway.onMessage = (_socket, message) => isPresent(message.call);
    this.client = await createStreamsConnect(create)("ws://gateway.test", {
      webSocket: this.gateway.WebSocket,
      clock: this.clock,
      random: () => 0.5,
      ...options,
    });
    return this;
  }

  async arrive(): Promise<void> {
    for (const { resolve } of this.#arrivals.splice(0)) resolve(Calls);
    await settle();
  }

  /** The way of the code is broken: three attempts fail. */
  async fail(): Promise<void> {
    for (let attempt = 1; attempt <= 3; attempt++) {
      for (const { reject } of this.#arrivals.splice(0)) reject(new TypeError("not fetched"));
      await settle();
      if (attempt < 3) this.clock.advanceTo(this.clock.nextUs ?? 0);
      await settle();
    }
  }

  answer(callId: number): void {
    this.gateway.socket.deliverMessage({ reply: { callId, response: TIME, status: { code: 0 } } });
  }
}

describe("calls whose code comes with the first of them", () => {
  test("have every method of the calls, in both forms", async () => {
    const { client } = await new Stand().connect();
    const calls = new Calls({} as never, {} as never);
    expect(Object.keys(client.rpc).sort()).toEqual(Object.keys(calls.rpc).sort());
    expect(Object.keys(client.rpcMessages).sort()).toEqual(Object.keys(calls.rpcMessages).sort());
  });

  test("load nothing before, and go out in order when the code is there", async () => {
    const stand = await new Stand().connect();
    expect(stand.loads).toBe(0);
    const first = stand.client.rpc.getServerTime({});
    const second = stand.client.rpcMessages.getServerTime({});
    await settle();
    expect(stand.loads).toBe(1);
    expect(stand.gateway.socket.sent("call")).toEqual([]);
    await stand.arrive();
    expect(stand.gateway.socket.sent("call").map(({ callId }) => callId)).toEqual([1, 2]);
    stand.answer(1);
    stand.answer(2);
    expect(await first).toEqual({ serverTimeUs: 1_234 });
    expect(await second).toEqual({ serverTimeUs: 1_234 });
    const third = stand.client.rpc.getServerTime({});
    await settle();
    stand.answer(3);
    expect(await third).toEqual({ serverTimeUs: 1_234 });
    expect(stand.loads).toBe(1);
  });

  test("have less time when the code took some of it", async () => {
    const stand = await new Stand().connect();
    const call = stand.client.rpc.getServerTime({}, { timeoutMs: 1_000 });
    await settle();
    stand.clock.advance(400);
    await stand.arrive();
    expect(stand.gateway.socket.sent("call")).toMatchObject([{ timeoutMs: 600 }]);
    stand.answer(1);
    await call;
  });

  test("end at their deadline, which the client's is by default, while the code is on its way", async () => {
    const stand = await new Stand().connect({ callTimeoutMs: 500 });
    const own = stand.client.rpc.getServerTime({}, { timeoutMs: 100 });
    const usual = stand.client.rpc.getServerTime({});
    stand.clock.advance(100);
    await expect(own).rejects.toMatchObject({
      code: "deadline-exceeded",
      method: "tickwire.v1.MarketData/GetServerTime",
      sent: false,
      retryable: true,
    });
    stand.clock.advance(400);
    await expect(usual).rejects.toMatchObject({ code: "deadline-exceeded" });
    await stand.arrive();
    expect(stand.gateway.socket.sent("call")).toEqual([]);
  });

  test("end by their signal while the code is on its way, or before", async () => {
    const stand = await new Stand().connect();
    const controller = new AbortController();
    const call = stand.client.rpc.getServerTime({}, { signal: controller.signal });
    controller.abort("enough");
    await expect(call).rejects.toMatchObject({ code: "cancelled", cause: "enough", sent: false });
    const late = stand.client.rpc.getServerTime({}, { signal: controller.signal });
    await expect(late).rejects.toMatchObject({ code: "cancelled" });
  });

  test("end with the client, and after it", async () => {
    const stand = await new Stand().connect();
    const call = stand.client.rpc.getServerTime({});
    stand.client.close();
    await expect(call).rejects.toMatchObject({ code: "cancelled" });
    await stand.arrive();
    await expect(stand.client.rpc.getServerTime({})).rejects.toMatchObject({ code: "cancelled" });
  });

  test("are unavailable, and worth another try, when the code cannot be loaded", async () => {
    const stand = await new Stand().connect();
    const call = stand.client.rpc.getServerTime({}, { timeoutMs: 60_000 });
    call.catch(() => undefined);
    await stand.fail();
    await expect(call).rejects.toMatchObject({
      name: "RpcError",
      code: "unavailable",
      retryable: true,
      sent: false,
    });
    expect(stand.loads).toBe(3);
    const next = stand.client.rpc.getServerTime({});
    await stand.arrive();
    stand.answer(1);
    expect(await next).toEqual({ serverTimeUs: 1_234 });
  });

  test("are refused for a time that is none, as other calls are", async () => {
    const stand = await new Stand().connect();
    const call = stand.client.rpc.getServerTime({}, { timeoutMs: -1 });
    await settle();
    await stand.arrive();
    await expect(call).rejects.toMatchObject({ code: "invalid-argument" });
  });

  test("stream too", async () => {
    const stand = await new Stand().connect();
    const responses = stand.client.rpc.replay({ topics: ["fake:BTC-USDT/trades"] });
    const first = responses[Symbol.asyncIterator]().next();
    await settle();
    await stand.arrive();
    const response = wire.ReplayResponse.encode({ topics: [{ topicId: 7 }] }).finish();
    stand.gateway.socket.deliverMessage({ reply: { callId: 1, response } });
    expect(await first).toMatchObject({ done: false, value: { topics: [{ topicId: 7 }] } });
  });
});

describe("replays whose code comes with the first of them", () => {
  const host = (clock: ManualClock) => ({
    clock,
    random: () => 0.5,
    backoff: { baseMs: 1, maxMs: 1 },
  });

  test("give what the code gives", async () => {
    const event = { type: "trade" } as ReplayEvent;
    const replay = replayLater(
      host(new ManualClock()),
      async () =>
        async function* one() {
          yield event;
        },
    );
    const events: ReplayEvent[] = [];
    for await (const each of replay({} as never, "a:B/trades", {})) events.push(each);
    expect(events).toEqual([event]);
  });

  test("throw a typed error to their loop when it cannot be loaded", async () => {
    const clock = new ManualClock();
    const replay = replayLater(host(clock), async () => {
      throw new TypeError("not fetched");
    });
    const next = replay({} as never, "a:B/trades", {}).next();
    next.catch(() => undefined);
    for (let wait = 0; wait < 2; wait++) {
      await settle();
      clock.advance(1);
    }
    await expect(next).rejects.toMatchObject({
      name: "RpcError",
      code: "unavailable",
      retryable: true,
      method: "tickwire.v1.MarketData/Replay",
    });
  });
});
