// The client behind real proxies that let some of its transports through and some not: whatever
// they do to it, it gets everything exactly once, and goes back up when they let it.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { connect, type Client } from "@tickwire/client";
import { Registry } from "prom-client";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { MemoryBus } from "#bus/memory-bus.ts";
import { gatewayConfig } from "#gateway/config.ts";
import { startGateway } from "#gateway/main.ts";
import type { RunningGateway } from "#gateway/main.ts";
import { ingestConfig } from "#ingest/config.ts";
import { startIngest } from "#ingest/main.ts";
import { SystemClock } from "#runtime/system-clock.ts";
import { endProgram, freePort, requireProgram, startProgram } from "#test/support/local-server.ts";
import { StreamLedger } from "#test/support/stream-ledger.ts";

const SILENT = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const WAIT_MS_MAX = 30_000;

const nginx = requireProgram("nginx");
const haproxy = requireProgram("haproxy");

const cleanups: (() => Promise<void> | void)[] = [];
let gateway: RunningGateway;
let otherGateway: RunningGateway;
let folder: string;
const endings: (() => Promise<void> | void)[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tickwire-proxies-"));
  endings.push(() => rmSync(folder, { recursive: true }));
  const bus = new MemoryBus({ clock: new SystemClock() });
  const common = { bus, clock: new SystemClock(), logger: SILENT };
  const simulated = { seed: 3, instruments: 2, perpetuals: 0, eventsPerSecond: 20 };
  const ingest = await startIngest({
    ...common,
    config: ingestConfig({ venues: [{ id: "simulated", simulated }] }),
    registry: new Registry(),
  });
  await ingest.whenStarted;
  const start = () =>
    startGateway({
      ...common,
      config: gatewayConfig({ port: 0, transport: "node", lameDuckMs: 0 }),
      registry: new Registry(),
    });
  gateway = await start();
  otherGateway = await start();
  endings.push(
    () => bus.close(),
    () => ingest.close(),
    () => gateway.close({ graceMs: 0 }),
    () => otherGateway.close({ graceMs: 0 }),
  );
});

afterAll(async () => {
  for (const end of endings.splice(0).toReversed()) await end();
});

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function until(isSo: () => boolean, what: () => string): Promise<void> {
  const deadlineMs = Date.now() + WAIT_MS_MAX;
  while (!isSo()) {
    if (Date.now() > deadlineMs) throw new Error(what());
    await pause(10);
  }
}

/** Whether something answers HTTP there, whatever it says. */
async function answers(port: number): Promise<boolean> {
  try {
    await (await fetch(`http://127.0.0.1:${port}/`)).arrayBuffer();
    return true;
  } catch {
    // Nothing listens yet.
    return false;
  }
}

const WITH_WEB_SOCKET = `
  proxy_set_header Upgrade $http_upgrade;
  proxy_set_header Connection $connection_of_upgrade;`;
const WITHOUT_WEB_SOCKET = `proxy_set_header Connection "";`;

/** nginx with a location for everything; the result changes what is in it. */
async function startNginx(
  location: string,
): Promise<{ port: number; change: (to: string) => void }> {
  if (nginx === undefined) throw new Error("there is no nginx");
  const port = await freePort();
  const file = join(folder, `nginx-${port}.conf`);
  const write = (inLocation: string): void => {
    writeFileSync(
      file,
      `daemon off; worker_processes 1; pid ${folder}/nginx-${port}.pid; error_log stderr;
       events { worker_connections 256; }
       http {
         access_log off;
         client_body_temp_path ${folder}/body-${port}; proxy_temp_path ${folder}/proxy-${port};
         fastcgi_temp_path ${folder}/f-${port}; uwsgi_temp_path ${folder}/u-${port};
         scgi_temp_path ${folder}/s-${port};
         map $http_upgrade $connection_of_upgrade { default upgrade; "" ""; }
         server {
           listen 127.0.0.1:${port};
           location / {
             proxy_pass http://127.0.0.1:${gateway.port}; proxy_http_version 1.1;
             ${inLocation}
           }
         }
       }`,
    );
  };
  write(location);
  const args = ["-c", file, "-p", folder, "-e", "stderr"];
  const child = await startProgram(nginx, args, () => answers(port));
  // The workers end when their master says so, and not when it is killed.
  cleanups.push(async () => {
    child.kill("SIGTERM");
    await Promise.race([new Promise((resolve) => child.once("exit", resolve)), pause(2_000)]);
    await endProgram(child);
  });
  return {
    port,
    change: (to) => {
      write(to);
      child.kill("SIGHUP");
    },
  };
}

/** HAProxy, which gives up a server that sends nothing for `serverTimeout`. */
async function startHaproxy(
  rules: string,
  serverTimeout: string,
  servers: readonly RunningGateway[] = [gateway],
): Promise<number> {
  if (haproxy === undefined) throw new Error("there is no haproxy");
  const port = await freePort();
  const file = join(folder, `haproxy-${port}.cfg`);
  writeFileSync(
    file,
    `defaults
  mode http
  timeout connect 1s
  timeout client 60s
  timeout server ${serverTimeout}
frontend in
  bind 127.0.0.1:${port}
${rules}
  default_backend gateway
backend gateway
${servers.map(({ port: of }, index) => `  server s${index} 127.0.0.1:${of}`).join("\n")}
`,
  );
  const child = await startProgram(haproxy, ["-db", "-f", file], () => answers(port));
  cleanups.push(() => endProgram(child));
  return port;
}

type Stand = { readonly client: Client; readonly ledger: StreamLedger };

async function subscribed(port: number, topics: readonly string[]): Promise<Stand> {
  const client = await connect(`http://127.0.0.1:${port}`, {
    retryTransportMs: 300,
    reconnect: { baseMs: 20, maxMs: 200 },
    connectTimeoutMs: 15_000,
  });
  cleanups.push(() => client.close());
  const ledger = new StreamLedger();
  client.subscribe(topics, (event) => ledger.take(event));
  return { client, ledger };
}

const flows = async ({ ledger, client }: Stand, more: number): Promise<void> => {
  const enough = ledger.totals().delivered + more;
  await until(
    () => ledger.totals().delivered >= enough,
    () => `${client.transport} ${client.state} ${JSON.stringify(ledger.totals())}`,
  );
};

const expectExact = ({ ledger }: Stand): void => {
  expect(ledger.faults).toEqual([]);
  expect(ledger.totals().missing).toBe(0);
};

describe.skipIf(nginx === undefined)("behind nginx", () => {
  test("that does not let a WebSocket through: SSE, and back up when it does", async () => {
    const { port, change } = await startNginx(WITHOUT_WEB_SOCKET);
    const stand = await subscribed(port, ["simulated:*/*"]);
    expect(stand.client.transport).toBe("sse");
    await flows(stand, 60);
    const { serverTimeUs } = await stand.client.rpc.getServerTime({});
    expect(serverTimeUs).toBeGreaterThan(0);
    change(WITH_WEB_SOCKET);
    await until(
      () => stand.client.transport === "websocket" && stand.client.state === "connected",
      () => `still on ${stand.client.transport}`,
    );
    await flows(stand, 60);
    expectExact(stand);
  });
});

describe.skipIf(haproxy === undefined)("behind HAProxy", () => {
  test("that holds streamed answers back: long polling", async () => {
    const port = await startHaproxy(
      `
  http-request deny if { hdr(upgrade) -i websocket }
  http-response wait-for-body time 20s at-least 1000000`,
      "30s",
    );
    const stand = await subscribed(port, ["simulated:*/*"]);
    expect(stand.client.transport).toBe("poll");
    await flows(stand, 100);
    expectExact(stand);
  });

  test.each([
    ["sse", ""],
    ["poll", "http-request deny if { path /v1/sse }"],
  ])("that leads each request to another gateway: %s", async (transport, rule) => {
    const port = await startHaproxy(
      `
  http-request deny if { hdr(upgrade) -i websocket }
  ${rule}`,
      "30s",
      [gateway, otherGateway],
    );
    const stand = await subscribed(port, ["simulated:*/*"]);
    expect(stand.client.transport).toBe(transport);
    for (let call = 0; call < 6; call += 1) {
      expect((await stand.client.rpc.getServerTime({})).serverTimeUs).toBeGreaterThan(0);
    }
    await flows(stand, 60);
    expect(stand.client.state).toBe("connected");
    expectExact(stand);
  });

  test("that allows only short answers: long polls that are cut are asked again", async () => {
    const port = await startHaproxy(
      `
  http-request deny if { hdr(upgrade) -i websocket }
  http-request deny if { path /v1/sse }`,
      "1s",
    );
    // A quiet topic, so that polls wait longer than the proxy allows.
    const stand = await subscribed(port, ["simulated:BTC-USD/ticker"]);
    expect(stand.client.transport).toBe("poll");
    await pause(2_500);
    expect(stand.client.state).toBe("connected");
    const { serverTimeUs } = await stand.client.rpc.getServerTime({});
    expect(serverTimeUs).toBeGreaterThan(0);
    stand.client.subscribe(["simulated:*/trades"], (event) => stand.ledger.take(event));
    await flows(stand, 30);
    expectExact(stand);
  });
});
