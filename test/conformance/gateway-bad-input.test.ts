import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { tickwire } from "@tickwire/proto/protobufjs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createPrng } from "#test/support/prng.ts";
import { INFLATED_BYTES_MAX } from "#gateway/transport/transport-options.ts";
import { TRANSPORTS } from "#test/support/transports.ts";
import { Rig } from "./gateway-harness.ts";
import { RawSocket } from "./gateway-raw-socket.ts";
import type { RawClient } from "./gateway-raw-client.ts";

const { ClientFrame, ErrorDetail, TopicError } = tickwire.v1;
const RESOURCE_EXHAUSTED = tickwire.v1.Code.CODE_RESOURCE_EXHAUSTED;

const CONFIG = {
  frameBytesMax: 512 * 1024,
  subscriptionsMax: 5,
  topicsPerRequestMax: 20,
  requestsPerSecondMax: 50,
  helloTimeoutMs: 10_000,
};

const HELLO = { hello: { protocolVersion: 1 } };

function frame(...messages: tickwire.v1.IClientMessage[]): Uint8Array {
  return ClientFrame.encode({ messages }).finish();
}

function refusedOf({ messages }: Pick<RawClient, "messages">) {
  return messages.flatMap(({ requestRefused }) => (requestRefused ? [requestRefused] : []));
}

describe.each(TRANSPORTS)("bad input over %s", (transport) => {
  let rig: Rig;
  let bystander: RawClient;
  let topicId: number;
  let published = 0;
  const raws: RawSocket[] = [];

  beforeEach(async () => {
    rig = await Rig.start(transport, { config: CONFIG });
    bystander = await rig.client();
    const [result] = await bystander.subscribe("fake:BTC-USDT/trades");
    topicId = result?.topicId ?? 0;
    published = 0;
  });

  afterEach(async () => {
    // Whatever the other did, the bystander has missed nothing and gets what comes next.
    for (let price = 1; price <= 3; price += 1) publish();
    await bystander.until(() => bystander.batches.at(-1)?.last === published);
    const sequences = bystander.batchesOf(topicId).map((batch) => batch.first);
    const expected = Array.from({ length: published }, (_, index) => index + 1);
    assert.deepEqual(sequences, expected);
    for (const raw of raws.splice(0)) raw.destroy();
    await rig.stop();
  });

  function publish(): void {
    published += 1;
    rig.ingestor.publish([rig.ingestor.trade("BTC-USDT", published)]);
  }

  test.each<[string, number, (client: RawClient) => void]>([
    ["a text frame", 4501, (client) => client.sendBytes("hello?")],
    ["a truncated frame", 4500, (client) => client.sendBytes(frame(HELLO).subarray(0, -1))],
    ["bytes that are no frame", 4500, (client) => client.sendBytes(Buffer.alloc(50, 0xff))],
    ["a message before hello", 4500, (client) => client.sendBytes(frame({ ping: { nonce: 1 } }))],
    ["a second hello", 4500, (client) => client.sendBytes(frame(HELLO, HELLO))],
    [
      "another protocol version",
      4503,
      (client) => client.sendBytes(frame({ hello: { protocolVersion: 2 } })),
    ],
    [
      "a call id that does not rise",
      4500,
      (client) => client.sendBytes(frame(HELLO, { call: { callId: 2 } }, { call: { callId: 2 } })),
    ],
    ["a call id of 0", 4500, (client) => client.sendBytes(frame(HELLO, { call: { callId: 0 } }))],
  ])("%s closes with %i", async (_, code, send) => {
    const client = await rig.client({ hello: false });
    publish();
    send(client);
    const closed = await client.closing();
    expect(closed.code).toBe(code);
    expect(closed.reason).not.toBe("");
  });

  test("a frame at frameBytesMax is served, one above closes with 4502", async () => {
    const client = await rig.client();
    const padded = (size: number): Uint8Array => {
      const head = frame({ ping: { nonce: 77 } });
      // An unknown length-delimited field, which a reader skips.
      const filler = Buffer.alloc(size - head.length, 0);
      const payload = filler.length - 4;
      filler[0] = (15 << 3) | 2;
      filler[1] = (payload & 0x7f) | 0x80;
      filler[2] = ((payload >> 7) & 0x7f) | 0x80;
      filler[3] = payload >> 14;
      return Buffer.concat([head, filler]);
    };
    client.sendBytes(padded(CONFIG.frameBytesMax));
    await client.until(() => client.messages.some((message) => message.pong));
    client.sendBytes(padded(CONFIG.frameBytesMax + 1));
    expect((await client.closing()).code).toBe(4502);
  });

  test.each([
    ["empty messages", [0x0a, 0]],
    ["messages of unknown kinds", [0x0a, 2, 0x78, 0]],
    ["unknown fields", [0x78, 0]],
    ["groups", [0x7b, 0x78, 0, 0x7c]],
  ])("a deflated frame of very many %s closes with 4502", async (_, bytes) => {
    const client = await rig.client({ deflate: true });
    // Over `ws` less may inflate (transport-inflate.test.ts), and that is far too much as well.
    const bytesMax = transport === "node" ? INFLATED_BYTES_MAX : CONFIG.frameBytesMax;
    const count = Math.floor(Math.min(bytesMax, CONFIG.frameBytesMax) / bytes.length);
    client.sendBytes(Buffer.alloc(count * bytes.length, Buffer.from(bytes)));
    expect((await client.closing()).code).toBe(4502);
  });

  test("pings up to a burst are answered, and far more close with 1008", async () => {
    const client = await rig.client();
    const { socket } = client;
    let pongs = 0;
    socket.on("pong", () => {
      pongs += 1;
      if (pongs < 1_000) socket.ping();
    });
    socket.ping();
    expect((await client.closing()).code).toBe(1008);
    // Some come back while the others are sent.
    expect(pongs).toBeGreaterThanOrEqual(200);
  });

  test("a flood of pings is cut", async () => {
    const client = await rig.client();
    for (let index = 0; index < 2_000; index += 1) client.socket.ping();
    expect([1006, 1008]).toContain((await client.closing()).code);
  });

  test("a message far above the limit is cut", async () => {
    const client = await rig.client();
    client.sendBytes(Buffer.alloc(3 * CONFIG.frameBytesMax));
    expect([1006, 1009]).toContain((await client.closing()).code);
  });

  test("no hello closes with 4005 after the time for it, and not before", async () => {
    const client = await rig.client({ hello: false });
    const polite = await rig.client();
    rig.clock.advance(9_999);
    await rig.settle();
    expect(client.closed).toBeUndefined();
    rig.clock.advance(1);
    expect((await client.closing()).code).toBe(4005);
    await polite.roundTrip();
  });

  test("requests up to the rate are served, and more are told when to come again", async () => {
    const client = await rig.client();
    const pings = (count: number) =>
      frame(...Array.from({ length: count }, () => ({ ping: { nonce: 5 } })));
    const pongs = () => client.messages.filter((message) => message.pong).length;
    const refused = () => refusedOf(client);
    rig.clock.advance(1_000);
    client.sendBytes(pings(50));
    await client.until(() => pongs() === 50);
    rig.clock.advance(100);
    client.sendBytes(pings(5));
    await client.until(() => pongs() === 55);
    client.sendBytes(
      frame({ ping: {} }, { subscribe: { requestId: 7, topics: [{ topic: "x" }] } }),
    );
    await client.until(() => refused().length === 2);
    expect(refused()).toMatchObject([
      { kind: 4, requestId: 0, code: RESOURCE_EXHAUSTED, retryAfterMs: 20 },
      { kind: 1, requestId: 7, code: RESOURCE_EXHAUSTED, retryAfterMs: 20 },
    ]);
    rig.clock.advance(20);
    await client.roundTrip();
  });

  test("who goes on and on with requests is closed with 4004", async () => {
    const client = await rig.client();
    const pings = frame(...Array.from({ length: 60 }, () => ({ ping: { nonce: 5 } })));
    rig.clock.advance(1_000);
    // 50 are served, and 500 refused.
    for (let times = 0; times < 10; times += 1) client.sendBytes(pings);
    expect((await client.closing()).code).toBe(4004);
    expect(client.messages.filter((message) => message.requestRefused).length).toBeLessThan(501);
  });

  test("calls above the rate are told when to come again, and the session goes on", async () => {
    const client = await rig.client();
    const method = "tickwire.v1.MarketData/GetServerTime";
    rig.clock.advance(1_000);
    for (let callId = 1; callId <= 500; callId += 1) client.send({ call: { callId, method } });
    const replies = () => client.messages.flatMap(({ reply }) => (reply ? [reply] : []));
    await client.until(() => replies().length === 500);
    const refused = replies().filter(({ status }) => status?.code === RESOURCE_EXHAUSTED);
    expect(refused).toHaveLength(500 - 45);
    const [detail] = refused[0]?.status?.details ?? [];
    const { reason, retryAfterMs } = ErrorDetail.decode(detail?.value ?? new Uint8Array());
    expect([reason, retryAfterMs]).toEqual(["RATE_LIMITED", 20]);
    await client.roundTrip();
    rig.clock.advance(100);
    client.send({ call: { callId: 501, method } });
    await client.until(() => replies().some(({ callId }) => callId === 501));
    expect(replies().at(-1)?.status?.code).toBe(0);
  });

  test("a client that goes on and on all the same is closed with 4004", async () => {
    const client = await rig.client();
    const method = "tickwire.v1.MarketData/GetServerTime";
    for (let callId = 1; callId <= 600; callId += 1) client.send({ call: { callId, method } });
    expect((await client.closing()).code).toBe(4004);
  });

  test("requests may name topicsPerSecondMax topics, and one more is told when to come again", async () => {
    const client = await rig.client();
    const nothing = Array.from({ length: 10_000 }, () => "");
    await client.unsubscribe(...nothing);
    await client.unsubscribe(...nothing);
    client.send({ unsubscribe: { requestId: 9, topics: [""] } });
    await client.roundTrip();
    expect(refusedOf(client)).toMatchObject([{ kind: 2, requestId: 9, code: RESOURCE_EXHAUSTED }]);
  });

  test.each([
    ["as many as allowed", 19_860, 0],
    ["one more", 19_861, 1],
  ])("patterns count as what they match: %s", async (_, before, refused) => {
    const client = await rig.client();
    await client.unsubscribe(...Array.from({ length: before }, () => ""));
    // Each is one, and the 5 topics that fit, and one to say that there are more: 7.
    client.send({ subscribe: { topics: Array.from({ length: 20 }, () => ({ topic: "*:*/*" })) } });
    await client.roundTrip();
    expect(refusedOf(client)).toHaveLength(refused);
  });

  test.each([
    ["as many as allowed", 19_997, 0],
    ["one more", 19_998, 1],
  ])("a topic that cannot be one counts as three: %s", async (_, before, refused) => {
    const client = await rig.client();
    await client.unsubscribe(...Array.from({ length: 10_000 }, () => ""));
    await client.unsubscribe(...Array.from({ length: before - 10_000 }, () => ""));
    client.send({ subscribe: { topics: [{ topic: "nonsense" }] } });
    await client.roundTrip();
    expect(refusedOf(client)).toHaveLength(refused);
  });

  test("unknown and malformed topics are refused one by one", async () => {
    const client = await rig.client();
    const results = await client.subscribe(
      "",
      "a",
      "fake:BTC-USDT",
      "x:y/trades",
      "::/",
      "fake:*/*x",
    );
    expect(results.every((result) => result.error !== 0)).toBe(true);
    expect(results).toHaveLength(6);
    const [good] = await client.subscribe("fake:ETH-USDT/trades");
    expect(good?.error).toBe(TopicError.TOPIC_ERROR_UNSPECIFIED);
  });

  test("6,000 topics in one request get a result each, LIMIT_EXCEEDED beyond the limit", async () => {
    const client = await rig.client();
    const topics = Array.from({ length: 6_000 }, (_, index) => `fake:COIN${index}-USDT/trades`);
    const results = await client.subscribe(...topics);
    expect(results).toHaveLength(6_000);
    expect(results.map((result) => result.requestIndex)).toEqual(topics.map((_, index) => index));
    const count = (error: tickwire.v1.TopicError) =>
      results.filter((result) => result.error === error).length;
    expect(count(TopicError.TOPIC_ERROR_UNKNOWN_SYMBOL)).toBe(20);
    expect(count(TopicError.TOPIC_ERROR_LIMIT_EXCEEDED)).toBe(5_980);
  });

  test("a text that is too long to be a topic is not given back whole", async () => {
    const client = await rig.client();
    const long = "x".repeat(100_000);
    const [result] = await client.subscribe(long);
    expect(result).toMatchObject({
      error: TopicError.TOPIC_ERROR_MALFORMED,
      topic: "x".repeat(256),
    });
    const [left] = await client.unsubscribe(long);
    expect(left?.topic).toHaveLength(256);
  });

  test("a session has subscriptionsMax topics and not one more, until it gives one back", async () => {
    const client = await rig.client();
    const symbols = ["fake:BTC-USDT", "fake:ETH-USDT"];
    const topics = symbols.flatMap((symbol) =>
      ["trades", "quotes", "book"].map((channel) => `${symbol}/${channel}`),
    );
    const results = await client.subscribe(...topics);
    expect(results.map((result) => result.error)).toEqual([
      ...Array.from({ length: 5 }, () => TopicError.TOPIC_ERROR_UNSPECIFIED),
      TopicError.TOPIC_ERROR_LIMIT_EXCEEDED,
    ]);
    await client.unsubscribe(topics[0] ?? "");
    const [again] = await client.subscribe(topics[5] ?? "");
    expect(again?.error).toBe(TopicError.TOPIC_ERROR_UNSPECIFIED);
  });

  test("a pattern takes as many topics as the session may have, and says once that there are more", async () => {
    const client = await rig.client();
    const results = await client.subscribe("*:*/*", "fake:ETH-USDT/status");
    expect(results.map((result) => [result.requestIndex, result.error])).toEqual([
      ...Array.from({ length: 5 }, () => [0, TopicError.TOPIC_ERROR_UNSPECIFIED]),
      [0, TopicError.TOPIC_ERROR_LIMIT_EXCEEDED],
      [1, TopicError.TOPIC_ERROR_LIMIT_EXCEEDED],
    ]);
  });

  test.each([
    ["mqtt", "mqtt"],
    ["no subprotocol", undefined],
    ["another version", "tickwire.v2"],
  ])("an upgrade with %s is answered 400, naming what is spoken", async (_, subprotocol) => {
    const headers = {
      Connection: "Upgrade",
      Upgrade: "websocket",
      "Sec-WebSocket-Version": "13",
      "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
      ...(subprotocol === undefined ? {} : { "Sec-WebSocket-Protocol": subprotocol }),
    };
    const { request } = await import("node:http");
    const [status, body] = await new Promise<[number | undefined, string]>((resolve) => {
      const port = rig.gateway.port;
      request({ host: "127.0.0.1", port, path: "/v1/ws", headers }, (response) => {
        let text = "";
        response.on("data", (chunk: Buffer) => (text += chunk.toString()));
        response.on("end", () => resolve([response.statusCode, text]));
      }).end();
    });
    expect(status).toBe(400);
    expect(JSON.parse(body)).toMatchObject({ code: "invalid_argument" });
    expect(body).toContain("tickwire.v1");
  });

  test("a half-open socket that never reads costs nobody else anything", async () => {
    const raw = await RawSocket.open({
      port: rig.gateway.port,
      path: "/v1/ws",
      subprotocol: "tickwire.v1",
    });
    raws.push(raw);
    raw.sendFrame(2, frame(HELLO, { subscribe: { topics: [{ topic: "fake:BTC-USDT/trades" }] } }));
    for (let round = 0; round < 200; round += 1) {
      publish();
      if (round % 20 === 0) await rig.settle();
    }
    await bystander.until(() => bystander.batches.at(-1)?.last === published);
    expect(rig.gateway.sessions).toBe(2);
  });

  test("random bytes never do more than close their own session", async () => {
    const random = createPrng(7);
    const codes = new Set<number>();
    for (let round = 0; round < 60; round += 1) {
      const client = await rig.client({ hello: random.chance(0.5) });
      const good = frame(
        { subscribe: { requestId: 1, topics: [{ topic: "fake:*/*" }] } },
        {
          call: {
            callId: 1,
            method: "tickwire.v1.MarketData/GetTrades",
            request: Buffer.alloc(9, 3),
          },
        },
        { credit: { callId: 1, credits: 4_000_000_000 } },
        { cancel: { callId: 1 } },
      );
      const bytes = Buffer.from(good);
      for (let flips = random.below(4); flips >= 0; flips -= 1) {
        bytes[random.below(bytes.length)] = random.below(256);
      }
      client.sendBytes(bytes);
      await rig.settle();
      if (client.closed !== undefined) codes.add(client.closed.code);
      client.close();
    }
    expect([...codes].filter((code) => code < 4000)).toEqual([]);
    expect(codes).toContain(4500);
  });
});
