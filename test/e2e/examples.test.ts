import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "@tickwire/client";
import { Webhook } from "standardwebhooks";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { killAll, startCli } from "./cli-process.ts";
import { startExample } from "./example-process.ts";

const POLL = { timeout: 40_000, interval: 50 };

const folder = mkdtempSync(join(tmpdir(), "tickwire-examples-"));
let url = "";
const servers = new Set<Server>();

// Spot and perpetual are two sources whose prices cross now and then.
beforeAll(async () => {
  const sources = "BTC-USD=simulated:BTC-USD,simulated:BTC-USD-PERP";
  const dev = startCli(["dev", "--port", "0", "--admin-port", "0", "--consolidate", sources]);
  const [, port] = await dev.waitFor("stdout", /on 127\.0\.0\.1:(\d+)/);
  url = `ws://127.0.0.1:${port}`;
});
afterEach(() => {
  for (const server of servers) server.close().closeAllConnections();
  servers.clear();
});
afterAll(async () => {
  await killAll();
  rmSync(folder, { recursive: true, force: true });
});

/** Serves on the loopback interface until the test ends. */
async function serve(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<string> {
  const server = createServer(answer);
  servers.add(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

const SECRET = `whsec_${Buffer.alloc(32, 3).toString("base64")}`;

type Received = { readonly id: string; readonly status: number; readonly type: string };

/** Takes webhooks as the specification's library does, and answers what `statusOf` says. */
async function receiveWebhooks(statusOf: (attempt: number, id: string) => number) {
  const received: Received[] = [];
  const attempts = new Map<string, number>();
  const address = await serve((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      const headers = request.headers as Record<string, string>;
      const event = new Webhook(SECRET).verify(Buffer.concat(parts), headers) as { type: string };
      const id = headers["webhook-id"] ?? "";
      const attempt = (attempts.get(id) ?? 0) + 1;
      attempts.set(id, attempt);
      const status = statusOf(attempt, id);
      received.push({ id, status, type: event.type });
      response.writeHead(status).end();
    });
  });
  return { received, address };
}

function startAlerts(address: string, args: readonly string[] = []) {
  const deadLetters = join(folder, "dead-letters.ndjson");
  const options = ["--url", url, "--webhook", address, "--dead-letters", deadLetters];
  const lenient = ["--gain-min", "0", "--quiet", "0", ...args];
  return startExample("arbitrage-alerts", [...options, ...lenient], { WEBHOOK_KEYS: SECRET });
}

const LOOPBACK = ["--allow-address", "127.0.0.0/8"];

test("a receiver that fails twice gets each alert of an arbitrage once", async () => {
  const { received, address } = await receiveWebhooks((attempt) => (attempt <= 2 ? 500 : 204));
  const alerts = startAlerts(address, LOOPBACK);
  const accepted = (): Received[] => received.filter(({ status }) => status === 204);
  await expect.poll(() => accepted().length, POLL).toBeGreaterThanOrEqual(2);
  await alerts.stop();
  const ids = accepted().map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const id of ids) {
    const statuses = received.filter((one) => one.id === id).map(({ status }) => status);
    expect(statuses).toEqual([500, 500, 204]);
  }
  expect(received[0]?.type).toBe("arbitrage.opened");
  expect(alerts.stdout()).toMatch(/opened buy [\d.]+ @ [\d.]+ at simulated\.BTC-USD/);
});

test("alerts that nobody took are delivered later, under the ids that they had", async () => {
  rmSync(join(folder, "dead-letters.ndjson"), { force: true });
  const gone = await receiveWebhooks(() => 410);
  const alerts = startAlerts(gone.address, LOOPBACK);
  const path = join(folder, "dead-letters.ndjson");
  await expect.poll(() => existsSync(path), POLL).toBe(true);
  await alerts.stop();
  const lines = readFileSync(path, "utf8").split("\n").filter(Boolean);
  const buried = lines.map((line) => (JSON.parse(line) as { id: string }).id);

  const { received, address } = await receiveWebhooks(() => 200);
  const again = startAlerts(address, [...LOOPBACK, "--redeliver"]);
  expect(await again.ended).toBe(0);
  expect(again.stdout()).toBe(`${buried.length} of ${buried.length} dead letters are delivered\n`);
  expect(received.map(({ id }) => id).toSorted()).toEqual(buried.toSorted());
  expect(existsSync(path)).toBe(false);
});

test("no alert goes to an address that is not public unless it is allowed", async () => {
  const refused = startAlerts("http://127.0.0.1:1/");
  expect(await refused.ended).toBe(1);
  expect(refused.stderr()).toContain("127.0.0.1 is not public");

  // A name is judged by what it leads to.
  const { received, address } = await receiveWebhooks(() => 200);
  const named = startAlerts(address.replace("127.0.0.1", "localhost"));
  await expect.poll(() => named.stderr(), POLL).toMatch(/localhost: \S+ is not public/);
  await named.stop();
  expect(received).toEqual([]);
});

test("a worker thread loses nothing while the main thread is busy", async () => {
  const busy = ["--interval", "200", "--busy", "700"];
  const example = startExample("worker-thread", ["--url", url, ...busy]);
  const summaries = (): number => example.stdout().match(/trades of/g)?.length ?? 0;
  await expect.poll(summaries, POLL).toBeGreaterThanOrEqual(3);
  expect(await example.stop()).toBe(0);
  expect(example.stdout()).toMatch(/^[1-9]\d* trades of \d+ instruments; the main thread waited/m);
  expect(example.stdout()).not.toContain("missing");
  expect(example.stderr()).toBe("");
});

test("the recorder's file has trades, prices as they were sent, and its beginning and end", async () => {
  const file = join(folder, "trades.duckdb");
  const recorder = startExample("recorder", ["--url", url, "--file", file]);
  await expect.poll(() => recorder.stderr(), POLL).toContain("recording");
  const client = await connect(url);
  const texts: string[] = [];
  for await (const { tradeId, priceText, historical } of client.trades("simulated:BTC-USD")) {
    if (!historical) texts.push(`${tradeId} ${Number(priceText)}`);
    if (texts.length === 5) break;
  }
  client.close();
  expect(await recorder.stop()).toBe(0);
  expect(recorder.stderr()).toMatch(/[1-9]\d* trades are in \S+trades\.duckdb\n$/);

  const where = "symbol = 'BTC-USD' AND venue = 'simulated'";
  const select = `SELECT trade_id || ' ' || price AS text FROM trades WHERE ${where}`;
  const query = startExample("recorder", ["--file", file, "--query", select]);
  expect(await query.ended).toBe(0);
  const kept = [...query.stdout().matchAll(/"text":"(\S+) (\S+)"/g)];
  expect(kept.map(([, id, price]) => `${id} ${Number(price)}`)).toEqual(
    expect.arrayContaining(texts),
  );
  const marks = ["--file", file, "--query", "SELECT reason FROM gaps ORDER BY time"];
  const gaps = startExample("recorder", marks);
  await gaps.ended;
  expect(gaps.stdout()).toBe('{"reason":"started"}\n{"reason":"ended"}\n');
});

test("the terminal watcher prints tables, the busiest instrument first", async () => {
  const watcher = startExample("terminal-watcher", ["--url", url, "--interval", "250"]);
  const table = /simulated:\S+ +[\d.]+ +[\d.]+ +-?[\d.]+ +[\d.]+ +[▲▼] +[1-9][\d.]*\n/;
  await expect.poll(() => watcher.stdout(), POLL).toMatch(table);
  expect(await watcher.stop()).toBe(0);
  expect(watcher.stdout()).toContain("INSTRUMENT");
  expect(watcher.stderr()).toBe("");
});
