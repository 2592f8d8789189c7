import { once } from "node:events";
import { request } from "node:http";
import type { IncomingMessage } from "node:http";
import { Registry } from "prom-client";
import { afterEach, expect, test } from "vitest";
import type { ServiceState, StatePage } from "#core/state-page.ts";
import { startAdminServer, type AdminServer } from "./admin-server.ts";
import { createMetrics } from "./metrics.ts";

const servers: AdminServer[] = [];

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function start(
  options: {
    metrics?: Registry;
    notReadyReasons?: () => readonly string[];
    services?: readonly ServiceState[];
    secret?: string;
    onError?: (error: unknown) => void;
  } = {},
) {
  const server = await startAdminServer({
    host: "127.0.0.1",
    port: 0,
    hosts: ["gateway"],
    metrics: options.metrics ?? createMetrics({ version: "test" }),
    notReadyReasons: options.notReadyReasons ?? (() => []),
    services: () => options.services ?? [],
    describeProcess: () => ({ service: "test" }),
    secret: options.secret,
    mayAdminister: undefined,
    onError: options.onError ?? (() => {}),
  });
  servers.push(server);
  return { server, get: (path: string) => fetch(`http://127.0.0.1:${server.port}${path}`) };
}

test("health is about the process, readiness about its work", async () => {
  let reasons = ["starting", "bus-disconnected"];
  const { get } = await start({ notReadyReasons: () => reasons });
  expect((await get("/healthz")).status).toBe(200);
  const before = await get("/readyz");
  expect(before.status).toBe(503);
  expect(await before.json()).toEqual({ ready: false, reasons });
  reasons = [];
  const after = await get("/readyz");
  expect(after.status).toBe(200);
  expect(await after.json()).toEqual({ ready: true, reasons: [] });
});

test.each([
  ["gateway:9091", 200],
  ["localhost", 200],
  ["evil.example", 421],
])("who takes it for %s gets %i", async (host, status) => {
  const { server } = await start();
  const asked = request({ host: "127.0.0.1", port: server.port, path: "/metrics" });
  asked.setHeader("host", host);
  asked.end();
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  response.resume();
  expect(response.statusCode).toBe(status);
});

test("metrics come in Prometheus' text format", async () => {
  const { get } = await start();
  const response = await get("/metrics?x=1");
  expect(response.headers.get("content-type")).toContain("version=0.0.4");
  expect(await response.text()).toContain("tickwire_build_info");
});

test("a metric that fails is a 500, and the server answers on", async () => {
  const failing = { metrics: () => Promise.reject(new Error("no")) };
  const { get } = await start({ metrics: Object.assign(new Registry(), failing) });
  expect((await get("/metrics")).status).toBe(500);
  expect((await get("/healthz")).status).toBe(200);
});

test("other paths and methods are refused", async () => {
  const { server, get } = await start();
  expect((await get("/")).status).toBe(404);
  const post = await fetch(`http://127.0.0.1:${server.port}/healthz`, { method: "POST" });
  expect(post.status).toBe(405);
  expect(post.headers.get("allow")).toBe("GET, HEAD");
});

test("HEAD is answered as GET, without the body", async () => {
  const { server } = await start();
  const head = await fetch(`http://127.0.0.1:${server.port}/healthz`, { method: "HEAD" });
  expect(head.status).toBe(200);
  expect(await head.text()).toBe("");
});

test("a port in use rejects", async () => {
  const { server } = await start();
  const second = startAdminServer({
    host: "127.0.0.1",
    port: server.port,
    hosts: [],
    metrics: new Registry(),
    notReadyReasons: () => [],
    services: () => [],
    describeProcess: () => ({}),
    secret: undefined,
    mayAdminister: undefined,
    onError: () => {},
  });
  await expect(second).rejects.toMatchObject({ code: "EADDRINUSE" });
});

test("closing twice is closing once", async () => {
  const { server, get } = await start();
  await Promise.all([server.close(), server.close()]);
  await expect(get("/healthz")).rejects.toThrow("fetch failed");
});

/** A service with a list that answers what it was asked. */
function service(answer?: StatePage["answer"]): ServiceState {
  const list: StatePage = {
    parameters: new Map<string, readonly string[] | "any">([
      ["sort", ["id", "lag"]],
      ["venue", "any"],
    ]),
    answer:
      answer ??
      (({ limit, after, parameters }) =>
        Promise.resolve({ rows: [{ limit, after, parameters: [...parameters] }], next: "n" })),
  };
  const needy: StatePage = { ...list, needed: "venue" };
  const pages = new Map([
    ["things", list],
    ["needy", needy],
  ]);
  return { name: "shop", summary: () => Promise.resolve({ open: true }), pages };
}

test("the state is the totals of every service, and its lists page by page", async () => {
  const { get } = await start({ services: [service()] });
  const totals = await get("/admin/state");
  expect(totals.headers.get("cache-control")).toBe("no-store");
  expect(await totals.json()).toEqual({
    process: { service: "test" },
    lists: ["things", "needy"],
    shop: { open: true },
  });
  const page = await get("/admin/state/things?limit=500&after=x%20y&sort=lag&venue=kraken");
  const parameters = [
    ["sort", "lag"],
    ["venue", "kraken"],
  ];
  const rows = [{ limit: 500, after: "x y", parameters }];
  expect(await page.json()).toEqual({ list: "things", rows, next: "n" });
});

test.each([
  ["nothing", 404],
  ["constructor", 404],
  ["things?limit=0", 400],
  ["things?limit=501", 400],
  ["things?limit=1e2", 400],
  ["things?sort=size", 400],
  ["things?color=red", 400],
  ["things?__proto__=x", 400],
  [`things?venue=${"x".repeat(301)}`, 400],
  [`things?venue=${"x".repeat(300)}`, 200],
  ["needy", 400],
  ["needy?venue=kraken", 200],
])("/admin/state/%s gets %i", async (path, status) => {
  const { get } = await start({ services: [service()] });
  const response = await get(`/admin/state/${path}`);
  expect(response.status).toBe(status);
  const body = (await response.json()) as object;
  expect(Object.keys(body)).toEqual(status === 200 ? ["list", "rows", "next"] : ["error"]);
});

test("with a secret the state is shown to whoever has it, and refusals are counted", async () => {
  const metrics = new Registry();
  const secret = "a secret of enough length".replaceAll(" ", "-");
  const { server, get } = await start({ services: [service()], secret, metrics });
  const refused = await get("/admin/state");
  expect([refused.status, refused.headers.get("www-authenticate")]).toEqual([401, "Bearer"]);
  expect(await refused.text()).not.toContain(secret);
  const headers = { authorization: `Bearer ${secret}` };
  const url = `http://127.0.0.1:${server.port}/admin/state`;
  expect((await fetch(url, { headers })).status).toBe(200);
  expect((await get("/metrics")).status).toBe(200);
  const text = await metrics.metrics();
  expect(text).toContain('tickwire_admin_requests_refused_total{reason="secret"} 1');
});

test("eight answers are put together at once, and a ninth is told to come back", async () => {
  const waiting: (() => void)[] = [];
  const slow = service(async () => {
    await new Promise<void>((resolve) => waiting.push(resolve));
    return { rows: [], next: "" };
  });
  const { get } = await start({ services: [slow] });
  const answers = Array.from({ length: 8 }, () => get("/admin/state/things"));
  while (waiting.length < 8) await new Promise((resolve) => setImmediate(resolve));
  const ninth = await get("/admin/state/things");
  expect([ninth.status, ninth.headers.get("retry-after")]).toEqual([503, "1"]);
  for (const release of waiting.splice(0)) release();
  const statuses = (await Promise.all(answers)).map(({ status }) => status);
  expect(statuses).toEqual(Array.from({ length: 8 }, () => 200));
  const after = get("/admin/state/things");
  while (waiting.length === 0) await new Promise((resolve) => setImmediate(resolve));
  waiting[0]?.();
  expect((await after).status).toBe(200);
});

test("a bug that shows is told to the log alone", async () => {
  const errors: unknown[] = [];
  const broken = service(() => Promise.reject(new Error("secret detail")));
  const { get } = await start({ services: [broken], onError: (error) => errors.push(error) });
  const response = await get("/admin/state/things");
  expect(response.status).toBe(500);
  expect(await response.text()).not.toContain("secret detail");
  expect(errors).toEqual([new Error("secret detail")]);
});
