// Somebody who gets everything later tries every door to what is going on now: new and resumed
// subscriptions over each carrier, positions and cursors of others, and calls.
import { Buffer } from "node:buffer";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { formatApiKey, hashOfKey } from "#gateway/access/api-keys.ts";
import { poll, SseClient } from "#test/support/text-stream-client.ts";
import { TRANSPORTS } from "#test/support/transports.ts";
import { Rig } from "./gateway-harness.ts";

const DELAY_MS = 60_000;
const [TRADES, BOOK, QUOTES] = [
  "fake:BTC-USDT/trades",
  "fake:BTC-USDT/book",
  "fake:BTC-USDT/quotes",
];
const ALL = [TRADES, BOOK, QUOTES].join(",");
/** What nobody who comes later may see: the price of what happens now. */
const [OLD, NOW, NOW_TEXT] = [111_111, 987_654, "9876.54"];

const LATE_KEY = formatApiKey("aaaaaaaaaaaa", Buffer.alloc(32, 1));
const OTHER_LATE_KEY = formatApiKey("bbbbbbbbbbbb", Buffer.alloc(32, 2));
const PROMPT_KEY = formatApiKey("cccccccccccc", Buffer.alloc(32, 3));
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

describe.each(TRANSPORTS)("over %s", (transport) => {
  let folder: string;
  let rig: Rig;
  const clients: SseClient[] = [];

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "tickwire-delayed-"));
    const file = join(folder, "access.json");
    const roles = { late: { grants: [{ topics: ["*:*/*"], delayMs: DELAY_MS }] } };
    const keyOf = (key: string, role: string) => {
      return { id: key.slice(4, 16), hash: hashOfKey(key), roles: [role] };
    };
    const keys = [keyOf(LATE_KEY, "late"), keyOf(OTHER_LATE_KEY, "late"), keyOf(PROMPT_KEY, "all")];
    writeFileSync(file, JSON.stringify({ roles, keys }));
    rig = await Rig.start(transport, { config: { access: { file }, pollWaitMsMax: 1_000 } });
  });

  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    await rig.stop();
    rmSync(folder, { recursive: true });
  });

  const happen = async (price: number) => {
    const { ingestor } = rig;
    ingestor.publish([ingestor.trade("BTC-USDT", price)]);
    ingestor.publish([ingestor.book("BTC-USDT", price, 1)]);
    ingestor.publish([ingestor.quote("BTC-USDT", price)]);
    await rig.settle();
  };

  const sse = async (key: string, headers: Record<string, string> = {}, topics = ALL) => {
    const url = `${rig.url}/v1/sse?topics=${topics}`;
    const client = await SseClient.open(url, { ...headers, ...bearer(key) });
    clients.push(client);
    return client;
  };

  const heard = (client: SseClient) => JSON.stringify(client.events);

  /** Time passes in steps in which everything settles. */
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 1_000) {
      rig.clock.advance(Math.min(1_000, ms - passed));
      await rig.settle();
    }
  };

  const call = async (method: string, more: object = {}) => {
    const response = await fetch(`${rig.url}/tickwire.v1.MarketData/${method}`, {
      method: "POST",
      headers: { "content-type": "application/json", ...bearer(LATE_KEY) },
      body: JSON.stringify({ venue: "fake", symbol: "BTC-USDT", ...more }),
    });
    return { status: response.status, text: await response.text() };
  };

  test("a stream tells each event after the delay and not before, also to whoever comes back", async () => {
    await happen(OLD);
    const prompt = await sse(PROMPT_KEY);
    const late = await sse(LATE_KEY);
    await rig.settle();
    await happen(NOW);
    await prompt.until(() => heard(prompt).includes(NOW_TEXT));
    await pass(DELAY_MS - 1_000);
    expect(heard(late)).not.toContain(NOW_TEXT);
    // Positions of somebody who is further, and of somebody who makes them up.
    const stolen = prompt.reader.lastEventId;
    const [taken, begunAnew] = [
      await sse(OTHER_LATE_KEY, { "last-event-id": stolen }),
      await sse(OTHER_LATE_KEY),
    ];
    await rig.settle();
    for (const client of [late, taken, begunAnew]) expect(heard(client)).not.toContain(NOW_TEXT);
    await pass(1_000);
    await late.until(() => heard(late).includes(NOW_TEXT));
    await pass(DELAY_MS);
    for (const client of [taken, begunAnew]) {
      await client.until(() => client.named("continuity").length === 3);
    }
    expect(heard(begunAnew)).toContain(NOW_TEXT);
  });

  test("a cursor of somebody else's polling opens nothing, with his session or without", async () => {
    await happen(OLD);
    const first = await poll(rig.url, { topics: ALL, access_token: PROMPT_KEY });
    await happen(NOW);
    const { cursor } = first;
    const asLate = { topics: ALL, cursor, access_token: LATE_KEY, waitMs: "1" };
    const stolen = poll(rig.url, asLate);
    await rig.settle();
    await pass(2_000);
    const { status, text } = await stolen;
    expect(status).toBe(200);
    expect(text).not.toContain(NOW_TEXT);
    // Whose it is goes on with it as if nothing had been.
    const asPrompt = { topics: ALL, cursor, access_token: PROMPT_KEY };
    expect((await poll(rig.url, asPrompt)).text).toContain(NOW_TEXT);
  });

  test("calls about what is now are refused, and those about the past end where he is", async () => {
    await happen(OLD);
    await happen(NOW);
    const snapshot = await call("GetSnapshot");
    expect(snapshot.status).toBe(403);
    for (const { status, text } of [
      await call("GetStatus"),
      await call("GetTrades"),
      await call("GetTrades", { fromTimeUs: "1" }),
      await call("GetTrades", { fromTimeUs: String(rig.clock.nowUs() - 1_000_000) }),
    ]) {
      expect(status).toBe(200);
      expect(text).not.toContain(NOW_TEXT);
      expect(text).not.toContain("TRADES");
    }
  });
});
