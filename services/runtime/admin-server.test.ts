import { once } from "node:events";
import { request } from "node:http";
import type { IncomingMessage } from "node:http";
import { Registry } from "prom-client";
import { afterEach, expect, test } from "vitest";
import { startAdminServer, type AdminServer } from "./admin-server.ts";
import { createMetrics } from "./metrics.ts";

const servers: AdminServer[] = [];

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function start(
  options: { metrics?: Registry; notReadyReasons?: () => readonly string[] } = {},
) {
  const server = await startAdminServer({
    host: "127.0.0.1",
    port: 0,
    hosts: ["gateway"],
    metrics: options.metrics ?? createMetrics({ version: "test" }),
    notReadyReasons: options.notReadyReasons ?? (() => []),
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
  const metrics = { metrics: () => Promise.reject(new Error("no")), contentType: "" };
  const { get } = await start({ metrics: metrics as unknown as Registry });
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
  });
  await expect(second).rejects.toMatchObject({ code: "EADDRINUSE" });
});

test("closing twice is closing once", async () => {
  const { server, get } = await start();
  await Promise.all([server.close(), server.close()]);
  await expect(get("/healthz")).rejects.toThrow("fetch failed");
});
