import { describe, expect, test } from "vitest";
import { FakeGateway, settle } from "./fake-gateway.ts";
import { connectFake } from "./fake-session.ts";
import { createStreamsConnect } from "../src/streams-connect.ts";
import type { ConnectOptions } from "../src/client.ts";
import { createClient } from "../src/eager-client.ts";
import { TopicRefusedError } from "../src/errors.ts";
import { fullTopics } from "../src/topics/topic.ts";

describe("a bad option", () => {
  test.each([
    [{ depth: -1 }, "depth -1 is not an integer of 0 to 4294967295"],
    [{ depth: 1.5 }, "depth 1.5"],
    [{ depth: 2 ** 32 }, "depth 4294967296"],
    [{ conflationIntervalMs: Number.NaN }, "conflationIntervalMs NaN"],
    [{ bufferEventsMax: 0 }, "bufferEventsMax 0"],
    [{ overflow: "newest" as "latest" }, "overflow newest is none of error, drop-oldest, latest"],
  ])("of a stream is refused at once and harms nothing: %o", async (options, message) => {
    const { client, gateway } = await connectFake();
    gateway.topics.set("binance:BTC-USDT/book", { epoch: 1, sequence: 0 });
    expect(() => client.book("binance:BTC-USDT", options)).toThrow(message);
    await settle();
    expect(client.state).toBe("connected");
    expect(gateway.socket.sent("subscribe")).toEqual([]);
  });

  test("at its largest allowed value goes over the wire", async () => {
    const { client, gateway } = await connectFake();
    client.book("binance:BTC-USDT", { depth: 2 ** 32 - 1, conflationIntervalMs: 0 });
    await settle();
    expect(gateway.socket.sent("subscribe")[0]?.topics?.[0]?.depth).toBe(2 ** 32 - 1);
  });

  test.each<[ConnectOptions, string]>([
    [{ connectTimeoutMs: 0 }, "connectTimeoutMs 0"],
    [{ callTimeoutMs: Number.NaN }, "callTimeoutMs NaN"],
    [{ pingIntervalMs: -1 }, "pingIntervalMs -1"],
    [{ reconnect: { maxMs: Number.POSITIVE_INFINITY } }, "reconnect.maxMs Infinity"],
    [{ bufferEventsMax: 0 }, "bufferEventsMax 0"],
    [{ webSocketPath: "v1/ws" }, "webSocketPath v1/ws"],
    [{ webSocketPath: "/" }, "webSocketPath /"],
  ])("of connect() is refused before anything is dialled: %o", async (options, message) => {
    const gateway = new FakeGateway();
    const connecting = createStreamsConnect(createClient)("ws://a", {
      webSocket: gateway.WebSocket,
      ...options,
    });
    await expect(connecting).rejects.toThrow(message);
    expect(gateway.sockets).toHaveLength(0);
  });

  test.each([
    [{ timeoutMs: Number.NaN }, "timeoutMs NaN"],
    [{ timeoutMs: 0 }, "timeoutMs 0"],
    [{ metadata: { trace: 5 as unknown as string } }, "metadata.trace"],
  ])("of a call rejects it and harms nothing: %o", async (options, message) => {
    const { client, gateway } = await connectFake();
    await expect(client.rpc.getServerTime({}, options)).rejects.toMatchObject({
      code: "invalid-argument",
      message: expect.stringContaining(message) as string,
      sent: false,
    });
    expect(client.state).toBe("connected");
    expect(gateway.socket.sent("call")).toEqual([]);
  });
});

describe("a bad topic", () => {
  test.each<[unknown, string]>([
    ["BTC-USDT", "BTC-USDT: names no venue; a topic has the form VENUE:SYMBOL"],
    ["Binance:BTC-USDT", "venues are written in small letters"],
    ["binance:BTC-USDT/trade", "trade is no channel; those are trades, quotes"],
    ["binance:BTC-USDT/quotes", "is not a topic of the channel trades"],
    ["binance:BTC USDT", "is not of the form VENUE:SYMBOL"],
    [undefined, "is not text of the form VENUE:SYMBOL"],
    [[], "no topic was given"],
  ])("%j says what is wrong with it", (topics, message) => {
    const refused = () => fullTopics(topics as string, "trades", ["trades", "quotes"]);
    expect(refused).toThrow(TopicRefusedError);
    expect(refused).toThrow(message);
  });

  test("a hundred refusals make a short message and a full list", () => {
    const refusals = Array.from({ length: 100 }, (_, index) => {
      return {
        topic: `a:${index}`,
        code: "topic-unknown-symbol",
        message: "no",
        alternatives: [],
      } as const;
    });
    const error = new TopicRefusedError(refusals);
    expect(error.refusals).toHaveLength(100);
    expect(error.message).toMatch(/a:4: no; and 95 more in refusals$/);
  });
});
