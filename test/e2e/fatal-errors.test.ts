import { spawn } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "..", "..");

/** Each breaks an invariant at its end, inside a callback that somebody else calls. */
const PROGRAMS = {
  "a handler of the bus": `
    import { openBus } from "#cli/process/open-bus.ts";
    const bus = await openBus({ ...service, config: { kind: "memory" }, name: "test" });
    bus.subscribe("a", () => broken());
    bus.publish("a", new Uint8Array());`,
  "a timer of the clock": `
    service.clock.after(1, () => broken());`,
  "a frame of a venue": `
    import { WebSocketServer } from "ws";
    import { createWebSocketDialer } from "#ingest/feed/connection/web-socket-dialer.ts";
    const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
    server.on("connection", (socket) => socket.send("frame"));
    await new Promise((resolve) => server.on("listening", resolve));
    createWebSocketDialer().dial("ws://127.0.0.1:" + server.address().port, {
      onOpen() {}, onClose() {}, onFrame: () => broken(),
    });`,
  "a REST answer of a venue": `
    import { createServer } from "node:http";
    import { createHttpRestClient } from "#ingest/feed/rest/http-rest-client.ts";
    const server = createServer((_, response) => response.end("{}")).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.on("listening", resolve));
    const client = createHttpRestClient({ ...service, timeoutMs: 5000, bodyBytesMax: 100 });
    const url = "http://127.0.0.1:" + server.address().port + "/";
    client.get({ url, weight: 1 }, () => broken(), () => {});`,
  "a failed REST request": `
    import { createHttpRestClient } from "#ingest/feed/rest/http-rest-client.ts";
    const client = createHttpRestClient({ ...service, timeoutMs: 5000, bodyBytesMax: 100 });
    client.get({ url: "http://127.0.0.1:1/", weight: 1 }, () => {}, () => broken());`,
  "a promise that nobody waits for": `
    void Promise.resolve().then(() => broken());`,
} as const;

/** Runs the program in a process of its own, on the built sources, as a service would be. */
async function run(program: string): Promise<{ readonly status: number | null; stderr: string }> {
  const code = `
    import { assert } from "#core/assert.ts";
    import { createServiceProcess } from "#cli/process/service-process.ts";
    const service = createServiceProcess("test", {
      log: { level: "info" }, shutdown: { deadlineMs: 1000 },
    });
    const broken = () => assert(false, "two is one");
    setTimeout(() => process.exit(77), 20_000);
    ${program}`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", code], {
    cwd: ROOT,
    stdio: ["ignore", "ignore", "pipe"],
  });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const status = await new Promise<number | null>((resolve) => child.on("close", resolve));
  return { status, stderr };
}

test.each(Object.entries(PROGRAMS))(
  "an invariant broken in %s ends the process with one clear line",
  async (_, program) => {
    const { status, stderr } = await run(program);
    const lines = stderr.trim().split("\n");
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({
      level: "error",
      service: "test",
      msg: "the process ends because of a bug in it",
      error: { name: "InvariantError", message: "broken invariant: two is one" },
    });
    expect(status).toBe(1);
  },
  30_000,
);
