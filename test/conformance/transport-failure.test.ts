import { Buffer } from "node:buffer";
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { get } from "node:http";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { TRANSPORTS } from "#test/support/transports.ts";
import { RawSocket } from "./gateway-raw-socket.ts";

/** Runs what is built; see there. */
const PROGRAM = join(import.meta.dirname, "transport-failing-process.mjs");

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

async function startFailing(transport: string, callback: string) {
  const child = spawn(process.execPath, [PROGRAM, transport, callback]);
  children.push(child);
  let log = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    log += text;
  });
  const ended = once(child, "close").then(([code, signal]: unknown[]) => ({ code, signal, log }));
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  return { port: Number(line.toString()), ended };
}

async function openWebSocket(port: number): Promise<WebSocket> {
  const ws = new WebSocket(`ws://127.0.0.1:${port}/v1/ws`, "tickwire.v1");
  ws.on("error", () => {});
  await new Promise((resolve) => {
    ws.on("open", resolve);
    ws.on("close", resolve);
  });
  return ws;
}

/** Asks; undefined if there was no answer. */
function ask(port: number, path: string): Promise<IncomingMessage | undefined> {
  return new Promise((resolve) => {
    const request = get({ host: "127.0.0.1", port, path }, (response) => {
      response.on("error", () => {});
      resolve(response);
    });
    request.on("error", () => resolve(undefined));
  });
}

/** What a client does to have a callback called. */
const PROVOKED: Readonly<Record<string, (port: number) => Promise<unknown>>> = {
  onUpgrade: openWebSocket,
  // With the client that is there already it is one more than connectionsMax.
  onRefused: async (port) => {
    await openWebSocket(port);
    await openWebSocket(port);
  },
  onConnection: openWebSocket,
  onMessage: async (port) => {
    const ws = await openWebSocket(port);
    ws.send("a");
    ws.send("b");
  },
  onDrain: async (port) => {
    const raw = await RawSocket.open({ port, path: "/v1/ws", subprotocol: "tickwire.v1" });
    // It reads nothing until the other end is full of bytes for it.
    raw.sendFrame(2, Buffer.alloc(0));
    await ask(port, "/");
    raw.resume();
  },
  onClose: async (port) => (await openWebSocket(port)).close(),
  onHttp: (port) => ask(port, "/"),
  "onHttp rejecting": (port) => ask(port, "/"),
  "stream open": (port) => ask(port, "/stream"),
  "stream onDrain": async (port) => {
    const response = await ask(port, "/stream");
    response?.resume();
  },
  "stream onClose": async (port) => {
    const response = await ask(port, "/stream");
    response?.destroy();
  },
};

describe.each(TRANSPORTS)("a handler that throws ends the process: %s", (transport) => {
  test.each(Object.keys(PROVOKED))("in %s", async (callback) => {
    const { port, ended } = await startFailing(transport, callback);
    // A client that would have the callback called by itself cannot be there before.
    const needsNobody = ["onUpgrade", "onConnection", "onClose"].includes(callback);
    const bystander = needsNobody ? undefined : await openWebSocket(port);
    const cut = bystander === undefined ? [1006] : once(bystander, "close");
    await PROVOKED[callback]?.(port);
    const { code, signal, log } = await ended;
    expect({ code, signal }).toEqual({ code: 1, signal: null });
    const lines = log.trim().split("\n");
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({
      level: "error",
      msg: "the process ends because of a bug in it",
      error: { name: "HandlerError", cause: { message: `thrown in ${callback}` } },
    });
    expect((await cut)[0]).toBe(1006);
  });

  test("and in none of them if nothing is thrown", async () => {
    const { port, ended } = await startFailing(transport, "nothing");
    for (const provoke of Object.values(PROVOKED)) await provoke(port);
    // It answers; what was provoked may still hold as many connections as it allows.
    expect([200, 503]).toContain((await ask(port, "/"))?.statusCode);
    children[0]?.kill("SIGTERM");
    expect(await ended).toEqual({ code: null, signal: "SIGTERM", log: "" });
  });
});
