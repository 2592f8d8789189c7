import { Buffer } from "node:buffer";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { formatApiKey, hashOfKey } from "#gateway/access/api-keys.ts";
import { poll, sequencesOf, SseClient } from "#test/support/text-stream-client.ts";
import type { PolledAnswer } from "#test/support/text-stream-client.ts";
import { TRANSPORTS } from "#test/support/transports.ts";
import { Rig } from "./gateway-harness.ts";

const TRADES = "fake:BTC-USDT/trades";
const QUOTES = "fake:BTC-USDT/quotes";
const BOOK = "fake:BTC-USDT/book";

const range = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

/** Events of a poll in the form that those of a stream have. */
const told = ({ events }: PolledAnswer) =>
  events.map(({ event, data }) => ({ name: event, data, lastEventId: "" }));

describe.each(TRANSPORTS)("text streams over %s", (transport) => {
  let rig: Rig;
  const clients: SseClient[] = [];
  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    await rig.stop();
  });

  const start = async (options?: Parameters<typeof Rig.start>[1]) => {
    rig = await Rig.start(transport, options);
  };
  const publishTrades = (count: number, symbol = "BTC-USDT") => {
    for (let index = 0; index < count; index += 1) {
      rig.ingestor.publish([rig.ingestor.trade(symbol, 100 + index)]);
    }
  };
  const sse = async (
    topics: string,
    more: Readonly<Record<string, string>> = {},
    headers: Readonly<Record<string, string>> = {},
  ) => {
    const query = new URLSearchParams({ topics, ...more });
    const client = await SseClient.open(`${rig.url}/v1/sse?${query.toString()}`, headers);
    clients.push(client);
    return client;
  };
  const begun = async (client: SseClient, topics = 1) => {
    await client.until(() => client.named("continuity").length === topics);
  };
  const receives = (client: SseClient, topic: string, last: number) =>
    client.until(() => sequencesOf(client.events, topic).at(-1) === last);

  test("an event stream begins with a welcome, tells the start, then each event", async () => {
    await start();
    publishTrades(2);
    await rig.settle();
    const client = await sse(TRADES);
    expect(client.response.headers).toMatchObject({
      "content-type": "text/event-stream",
      "cache-control": "no-store, no-transform",
      "x-accel-buffering": "no",
    });
    await begun(client);
    expect(client.reader.retryMs).toBe(2_000);
    expect(client.events[0]?.name).toBe("welcome");
    expect(client.named("continuity")).toMatchObject([
      { topic: TRADES, continuity: "new", epoch: rig.ingestor.epoch, venueSymbol: "BTCUSDT" },
    ]);
    const from = client.named("continuity")[0]?.["sequence"] as number;
    publishTrades(3);
    await receives(client, TRADES, rig.ingestor.position("trades", "BTC-USDT"));
    const trades = client.named("trades");
    expect(trades[0]).toMatchObject({ topic: TRADES, previousSequence: from });
    expect(trades.flatMap(({ events }) => events)).toMatchObject([
      { type: "trade", price: "1", aggressorSide: expect.any(String) as string },
      { price: "1.01" },
      { price: "1.02" },
    ]);
  });

  test("a book begins with its state, a quote with the latest one", async () => {
    await start();
    rig.ingestor.publish([rig.ingestor.book("BTC-USDT", 100, 1)]);
    rig.ingestor.publish([rig.ingestor.quote("BTC-USDT", 99)]);
    await rig.settle();
    const client = await sse(`${BOOK},${QUOTES}`);
    await client.until(() => client.named("snapshot").length === 2);
    const snapshots = client.named("snapshot");
    const ofTopic = (topic: string) => snapshots.find((data) => data["topic"] === topic);
    expect([ofTopic(BOOK), ofTopic(QUOTES)]).toMatchObject([
      { topic: BOOK, channel: "book", more: false, events: [{ type: "book", snapshot: true }] },
      { topic: QUOTES, channel: "quotes", events: [{ type: "quote", bidPrice: "0.99" }] },
    ]);
  });

  test("what is refused is told, and the others go on", async () => {
    await start();
    const client = await sse(`fake:NO/trades,${TRADES},nonsense`);
    await begun(client);
    await client.until(() => client.named("refused").length === 2);
    expect(client.named("refused")).toMatchObject([
      { topic: "fake:NO/trades", code: "topic-unknown-symbol", retries: false },
      { topic: "nonsense", code: "topic-malformed" },
    ]);
    publishTrades(1);
    await receives(client, TRADES, rig.ingestor.position("trades", "BTC-USDT"));
  });

  test("a stream that was cut after any event goes on with the next one", async () => {
    await start({ symbols: ["BTC-USDT", "ETH-USDT"] });
    const topics = `${TRADES},fake:*/book,${QUOTES}`;
    const first = await sse(topics);
    await begun(first, 4);
    for (let round = 0; round < 5; round += 1) {
      publishTrades(3);
      rig.ingestor.publish([rig.ingestor.book("BTC-USDT", 100 + round, 1)]);
      rig.ingestor.publish([rig.ingestor.book("ETH-USDT", 50 + round, 1)]);
      rig.ingestor.publish([rig.ingestor.quote("BTC-USDT", 99 + round)]);
      await rig.settle();
    }
    const last = {
      [TRADES]: rig.ingestor.position("trades", "BTC-USDT"),
      [BOOK]: rig.ingestor.position("book", "BTC-USDT"),
      "fake:ETH-USDT/book": rig.ingestor.position("book", "ETH-USDT"),
      [QUOTES]: rig.ingestor.position("quotes", "BTC-USDT"),
    };
    for (const [topic, sequence] of Object.entries(last)) await receives(first, topic, sequence);
    const ids = new Set(first.events.map(({ lastEventId }) => lastEventId));
    expect(ids.size).toBeGreaterThan(10);
    for (const id of ids) {
      const until = first.events.findLastIndex(({ lastEventId }) => lastEventId === id);
      const before = first.events.slice(0, until + 1);
      const next = await sse(topics, {}, { "last-event-id": id });
      for (const [topic, sequence] of Object.entries(last)) {
        const all = () => sequencesOf([...before, ...next.events], topic);
        const isStarted = () => next.named("continuity").some((data) => data["topic"] === topic);
        await next.until(isStarted);
        const start = next.named("continuity").find((data) => data["topic"] === topic);
        // A topic that had not begun before the cut begins now, behind everything.
        if (start?.["continuity"] === "new") continue;
        expect(start?.["continuity"]).toBe("resumed");
        await next.until(() => all().at(-1) === sequence);
        expect(all(), `${topic} after ${id}`).toEqual(range(all()[0] as number, sequence));
      }
      expect(next.named("gap")).toEqual([]);
      next.close();
    }
  });

  test("a position of an epoch that is over is told as lost, and the topic begins anew", async () => {
    await start();
    const client = await sse(TRADES);
    await begun(client);
    publishTrades(2);
    await receives(client, TRADES, rig.ingestor.position("trades", "BTC-USDT"));
    const ended = rig.ingestor.position("trades", "BTC-USDT");
    const id = client.reader.lastEventId;
    client.close();
    rig.ingestor.restart();
    await rig.settle();
    const next = await sse(TRADES, {}, { "last-event-id": id });
    const { epoch } = rig.ingestor;
    const replaced = () =>
      next.named("continuity").find(({ continuity }) => continuity === "replaced");
    // The topic may still be that of before for a while.
    while (replaced() === undefined) {
      await rig.settle();
      rig.clock.advance(100);
    }
    expect(replaced()).toMatchObject({ topic: TRADES, epoch });
    expect(next.named("gap").every((gap) => gap["missingFirst"] === ended + 1)).toBe(true);
  });

  test.each(["nonsense", "1:zzz::", "9".repeat(2_500)])(
    "a browser whose Last-Event-ID is no good begins anew and hears why: %.10s",
    async (id) => {
      await start();
      const client = await sse(TRADES, {}, { "last-event-id": id });
      await begun(client);
      expect(client.events[0]).toMatchObject({ name: "cursor-refused" });
      expect(client.named("continuity")).toMatchObject([{ continuity: "new" }]);
    },
  );

  test.each([
    ["no JSON", "{", "application/json", "is not JSON"],
    ["no UTF-8", new Uint8Array([0x7b, 0xff, 0x7d]), "application/json", "not valid UTF-8"],
    ["another type", "{}", "text/plain", "content-type must be application/json"],
    ["a list", "[]", "application/json", "must be a JSON object"],
    ["a field more", `{"topics":["${TRADES}"],"x":1}`, "application/json", "no parameter"],
    ["a topic's field more", '{"topics":[{"topic":"a","x":1}]}', "application/json", "no field"],
    [
      "half a position",
      '{"topics":[{"topic":"a","resume":{"epoch":1}}]}',
      "application/json",
      "epoch",
    ],
    [
      "a name that is foreign",
      '{"topics":["a"],"__proto__":1}',
      "application/json",
      "no parameter",
    ],
    ["more topics than may be", undefined, "application/json", "more than subscriptionsMax 3"],
    ["a body of brackets", "[".repeat(100_000), "application/json", "more than subscriptionsMax 3"],
  ])("a body with %s is refused with what is wrong", async (_, given, type, message) => {
    await start({ config: { subscriptionsMax: 3 } });
    const topics = ["a:a/book", "a:b/book", "a:c/book", "a:d/book"];
    const body = given ?? JSON.stringify({ topics });
    const headers = { "content-type": type };
    const answer = await fetch(`${rig.url}/v1/sse`, { method: "POST", headers, body });
    const { message: text } = (await answer.json()) as { message: string };
    expect([answer.status, text]).toEqual([400, expect.stringContaining(message)]);
  });

  test("frames over HTTP are refused where they are wrong, and nobody else minds", async () => {
    await start();
    const name = "0123456789abcdefghijkl";
    const ask = async (path: string, body = new Uint8Array(), type = "application/proto") => {
      const headers = { accept: "application/proto", "content-type": type };
      const answer = await fetch(`${rig.url}/v1/${path}`, { method: "POST", headers, body });
      return answer.status;
    };
    const frame = Uint8Array.of(1);
    expect(await ask("poll?session=short&answer=0")).toBe(400);
    expect(await ask(`poll?session=${name}&answer=-1`)).toBe(400);
    expect(await ask(`poll?session=${name}&answer=0`, frame, "text/plain")).toBe(400);
    expect(await ask(`poll?session=${name}&answer=7`)).toBe(404);
    expect(await ask(`session?session=${name}&number=2`, frame)).toBe(404);
    // A frame that is none ends its session, as on a WebSocket, and the end is told.
    expect(await ask(`poll?session=${name}&answer=0`, Uint8Array.of(0xff, 0xff))).toBe(200);
    expect(await ask(`sse?session=${name}`, frame)).toBe(409);
    await rig.settle();
    expect(rig.gateway.sessions).toBe(0);
    expect(await ask(`session?session=${name}&number=2`, frame)).toBe(404);
  });

  test("who proves nothing gets 401 before a stream begins, and a key is taken in the address", async () => {
    const folder = mkdtempSync(join(tmpdir(), "tickwire-streams-"));
    const file = join(folder, "access.json");
    const secret = formatApiKey("abcdef012345", Buffer.alloc(32, 7));
    const key = { id: "abcdef012345", hash: hashOfKey(secret), roles: ["all"] };
    writeFileSync(file, JSON.stringify({ keys: [key] }));
    await start({ config: { access: { file } } });
    for (const path of ["sse", "poll"]) {
      const answer = await fetch(`${rig.url}/v1/${path}?topics=${TRADES}`);
      expect([answer.status, await answer.json()]).toMatchObject([
        401,
        { code: "unauthenticated" },
      ]);
      const wrong = await fetch(`${rig.url}/v1/${path}?topics=${TRADES}&access_token=nonsense`);
      expect(wrong.status).toBe(401);
      await wrong.arrayBuffer();
    }
    const client = await sse(TRADES, { access_token: secret });
    await begun(client);
    const first = await poll(rig.url, { topics: TRADES, access_token: secret });
    expect(first.status).toBe(200);
    rmSync(folder, { recursive: true });
  });

  test("who is silent hears a sign of life, and who hears news does not need it", async () => {
    await start({ config: { streamHeartbeatMs: 1_000 } });
    const client = await sse(TRADES);
    await begun(client);
    rig.clock.advance(1_000);
    rig.clock.advance(999);
    expect(client.reader.comments).toBe(0);
    rig.clock.advance(1);
    await client.until(() => client.reader.comments === 1);
  });

  test("a drain is announced, and the end is told with its code", async () => {
    await start({ config: { drainWindowMs: 0 } });
    const client = await sse(TRADES);
    await begun(client);
    const closing = rig.gateway.close({ graceMs: 20_000 });
    while (!client.isOver) {
      await rig.settle();
      rig.clock.advance(100);
    }
    expect(client.named("going-away")).toHaveLength(1);
    expect(client.named("close")).toMatchObject([
      { code: 4000, reason: "going-away", reconnect: true },
    ]);
    await rig.settle();
    rig.clock.advance(20_000);
    await closing;
  });

  test("a topic whose venue is not there yet is asked for again by the gateway", async () => {
    await start({ symbols: [] });
    const client = await sse(TRADES);
    await client.until(() => client.named("refused").length === 1);
    expect(client.named("refused")).toMatchObject([{ code: "topic-not-ready", retries: true }]);
    rig.ingestor.list(["BTC-USDT"]);
    await rig.settle();
    rig.clock.advance(2_000);
    await begun(client);
    expect(client.named("continuity")).toMatchObject([{ topic: TRADES, continuity: "new" }]);
  });

  test.each([
    ["", "topics must name at least one topic"],
    ["topics=", "topics must name at least one topic"],
    [`topics=${TRADES},${TRADES}`, "named twice"],
    [`topics=${TRADES}&depth=-1`, "depth must be a whole number"],
    [`topics=${TRADES}&depth=1&depth=2`, "given twice"],
    [`topics=${TRADES}&interval=5`, "there is no parameter"],
    [`topics=${TRADES}&snapshot=maybe`, "snapshot must be true or false"],
    [`topics=${TRADES}&cursor=x`, "the cursor cannot be used"],
    [`topics=${TRADES}&cursor=1:zzz::`, "it belongs to other topics"],
    [`topics=${TRADES}&cursor=${"1".repeat(2_049)}`, "more than 2048"],
    [`topics=${"a,".repeat(10)}`, "named twice"],
  ])("the query %.60s is refused with what is wrong", async (query, message) => {
    await start();
    for (const path of ["sse", "poll"]) {
      const answer = await fetch(`${rig.url}/v1/${path}?${query}`);
      const { code, message: text } = (await answer.json()) as { code: string; message: string };
      expect([answer.status, code]).toEqual([400, "invalid_argument"]);
      expect(text).toContain(message);
    }
  });

  test("what is streamed or polled is compressed where the client takes it", async () => {
    await start();
    // What fetch says by itself.
    const answer = await fetch(`${rig.url}/v1/sse?topics=${TRADES}`);
    expect(answer.headers.get("content-encoding")).toBe("gzip");
    const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    while (!text.includes("continuity")) text += (await reader.read()).value;
    publishTrades(3);
    while (!text.includes('"sequence":3')) text += (await reader.read()).value;
    await reader.cancel();
    const first = await poll(rig.url, { topics: TRADES });
    publishTrades(200);
    await rig.settle();
    const query = new URLSearchParams({ topics: TRADES, cursor: first.cursor });
    const polled = await fetch(`${rig.url}/v1/poll?${query.toString()}`);
    expect(polled.headers.get("content-encoding")).toBe("gzip");
    const { events } = (await polled.json()) as PolledAnswer;
    expect(events.length).toBeGreaterThan(0);
  });

  test("HEAD, OPTIONS and other methods are answered as HTTP asks", async () => {
    await start();
    for (const path of ["sse", "poll"]) {
      const url = `${rig.url}/v1/${path}?topics=${TRADES}`;
      expect((await fetch(url, { method: "HEAD" })).status).toBe(200);
      const options = await fetch(url, { method: "OPTIONS" });
      expect([options.status, options.headers.get("allow")]).toEqual([
        204,
        "GET, HEAD, POST, OPTIONS",
      ]);
      expect((await fetch(url, { method: "DELETE" })).status).toBe(405);
      const foreign = await fetch(url, { headers: { origin: "https://evil.example" } });
      expect(foreign.status).toBe(403);
    }
    expect(rig.gateway.sessions).toBe(0);
  });

  test("a POST says of each topic how it is wanted", async () => {
    await start();
    rig.ingestor.publish([rig.ingestor.book("BTC-USDT", 100, 1)]);
    await rig.settle();
    const client = await SseClient.open(
      `${rig.url}/v1/sse`,
      {},
      {
        topics: [{ topic: BOOK, depth: 5, conflationIntervalMs: 100 }, TRADES],
        clientName: "test",
      },
    );
    clients.push(client);
    await begun(client, 2);
    expect(client.named("continuity")).toMatchObject([
      { topic: BOOK, depth: 5, conflationIntervalMs: 100 },
      { topic: TRADES, depth: 0, conflationIntervalMs: 0 },
    ]);
    const opened = rig.logs.find(({ message }) => message === "session opened");
    expect(opened?.fields).toMatchObject({ clientName: "test" });
  });

  test("long polling brings each event once, and a lost answer again", async () => {
    await start();
    publishTrades(1);
    await rig.settle();
    const first = await poll(rig.url, { topics: TRADES });
    expect(first.events.map(({ event }) => event)).toEqual(["welcome", "continuity"]);
    publishTrades(2);
    await rig.settle();
    const second = await poll(rig.url, { topics: TRADES, cursor: first.cursor });
    const again = await poll(rig.url, { topics: TRADES, cursor: first.cursor });
    expect(again.text).toBe(second.text);
    publishTrades(2);
    await rig.settle();
    const third = await poll(rig.url, { topics: TRADES, cursor: second.cursor });
    const begin = first.events[1]?.data["sequence"] as number;
    const sequences = sequencesOf([...told(second), ...told(third)], TRADES);
    expect(sequences).toEqual(range(begin + 1, begin + 4));
    expect(rig.gateway.sessions).toBe(1);
    expect(await rig.metric("tickwire_gateway_poll_sessions")).toBe(1);
  });

  test("a poll waits for news, and is answered with nothing when its time is over", async () => {
    await start();
    const first = await poll(rig.url, { topics: TRADES });
    const waiting = poll(rig.url, { topics: TRADES, cursor: first.cursor, waitMs: "700" });
    const before = await rig.metric("tickwire_gateway_poll_answers_total");
    const polls = async () => {
      await rig.settle();
      rig.clock.advance(100);
    };
    while ((await rig.metric("tickwire_gateway_poll_answers_total")) === before) await polls();
    const empty = await waiting;
    expect(empty.events).toEqual([]);
    expect(empty.cursor).toBe(first.cursor);
    const next = poll(rig.url, { topics: TRADES, cursor: empty.cursor });
    publishTrades(1);
    expect(sequencesOf(told(await next), TRADES)).toHaveLength(1);
  });

  test("nobody polls a session for so long that it ends, and the cursor goes on elsewhere", async () => {
    await start({ config: { pollLingerMs: 5_000 } });
    const first = await poll(rig.url, { topics: TRADES });
    rig.clock.advance(4_999);
    expect(rig.gateway.sessions).toBe(1);
    rig.clock.advance(1);
    expect(rig.gateway.sessions).toBe(0);
    expect(await rig.metric("tickwire_gateway_poll_sessions")).toBe(0);
    publishTrades(3);
    await rig.settle();
    const next = await poll(rig.url, { topics: TRADES, cursor: first.cursor });
    expect(next.events.map(({ event }) => event)).toContain("continuity");
    const more = sequencesOf(told(next), TRADES);
    const rest =
      more.length === 3 ? [] : told(await poll(rig.url, { topics: TRADES, cursor: next.cursor }));
    const begin = first.events[1]?.data["sequence"] as number;
    expect([...more, ...sequencesOf(rest, TRADES)]).toEqual(range(begin + 1, begin + 3));
  });

  test("who wants something else goes on from the cursor in a new session", async () => {
    await start();
    const first = await poll(rig.url, { topics: TRADES });
    publishTrades(1);
    await rig.settle();
    const query = { topics: TRADES, cursor: first.cursor, conflationIntervalMs: "100" };
    const next = await poll(rig.url, query);
    expect(next.events[1]?.data).toMatchObject({
      conflationIntervalMs: 100,
      continuity: "resumed",
    });
    await rig.settle();
    expect(rig.gateway.sessions).toBe(1);
  });

  test.each([
    ["below", 2, 200],
    ["at", 3, 429],
  ])("sessions of an address %s their limit", async (_, open, status) => {
    await start({ config: { pollSessionsPerAddressMax: 3 } });
    for (let index = 0; index < open; index += 1) await poll(rig.url, { topics: TRADES });
    expect((await poll(rig.url, { topics: TRADES })).status).toBe(status);
  });

  test("a client that takes nothing is told what it missed, and costs nobody else anything", async () => {
    await start({
      config: { outboundBytesMax: 60_000, writeAheadBytesMax: 30_000, pollAnswerBytesMax: 10_000 },
    });
    const fast = await sse(TRADES);
    await begun(fast);
    const first = await poll(rig.url, { topics: TRADES });
    const begin = first.events[1]?.data["sequence"] as number;
    for (let round = 0; round < 150; round += 1) {
      publishTrades(100);
      await rig.settle();
    }
    const last = rig.ingestor.position("trades", "BTC-USDT");
    await receives(fast, TRADES, last);
    const events = [...told(first)];
    let { cursor } = first;
    let at = begin;
    for (let turn = 0; at < last && turn < 400; turn += 1) {
      await rig.settle();
      const answer = await poll(rig.url, { topics: TRADES, cursor });
      expect(answer.status).toBe(200);
      cursor = answer.cursor;
      events.push(...told(answer));
      for (const { name, data } of told(answer)) {
        if (name === "gap" && data["missingFirst"] === at + 1) at = data["missingLast"] as number;
        if (name === "trades" && data["previousSequence"] === at) at = data["sequence"] as number;
      }
      rig.clock.advance(10);
    }
    expect(at).toBe(last);
    expect(events.some(({ name }) => name === "gap")).toBe(true);
    expect(events.some(({ name }) => name === "lag")).toBe(true);
  });

  test("a stream that stays blocked for lagMsMax is closed, and goes on from its cursor", async () => {
    await start({
      config: {
        writeAheadBytesMax: 30_000,
        outboundBytesMax: 60_000,
        lagNoticeMs: 1_000,
        lagMsMax: 3_000,
      },
    });
    const blocked = await sse(TRADES);
    await begun(blocked);
    blocked.response.pause();
    for (let round = 0; round < 120; round += 1) {
      publishTrades(500);
      await rig.settle();
    }
    for (let second = 0; second < 8; second += 1) {
      rig.clock.advance(1_000);
      await rig.settle();
    }
    expect(rig.gateway.sessions).toBe(0);
    blocked.response.resume();
    await blocked.over();
    const { lastEventId } = blocked.events.at(-1) as { lastEventId: string };
    const next = await sse(TRADES, {}, { "last-event-id": lastEventId });
    await begun(next);
    expect(next.named("continuity")[0]?.["continuity"]).toMatch(/resumed|replaced/);
  });
});
