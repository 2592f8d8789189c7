import { expect, test } from "vitest";
import { ConnectionError } from "../errors.ts";
import type { Environment } from "../host/environment.ts";
import type { ClientConnection, ConnectionHandlers, Welcome } from "../session/connection.ts";
import { FrameCodec } from "../session/frame.ts";
import { ManualClock } from "../../../../test/support/manual-clock.ts";
import { TRANSPORT_KINDS } from "./transport-kind.ts";
import { TransportLadder } from "./transport-ladder.ts";
import { TransportTrial } from "./transport-trial.ts";

const URL_ONE = "ws://gateway.test/md/v1/ws?access_token=x";

const broken = () => new ConnectionError("connect-failed", "refused", { retryable: true });

/** Connections that a test lets succeed or fail, one after the other. */
class Stand {
  readonly clock = new ManualClock();
  /** Addresses that were dialled, with what becomes of each. */
  readonly dials: { readonly url: string; readonly handlers: ConnectionHandlers }[] = [];
  readonly ends: string[] = [];
  readonly ladder: TransportLadder;

  constructor(breaks = 0) {
    const environment = {
      clock: this.clock,
      openWebSocket: () => undefined as never,
    } as unknown as Environment;
    this.ladder = new TransportLadder(
      {
        environment,
        connection: {} as never,
        kinds: TRANSPORT_KINDS,
        webSocketPath: "/v1/ws",
        fetch: undefined,
      },
      {
        breaksMax: 2,
        dial: (_, { url }, { handlers }): ClientConnection => {
          this.dials.push({ url, handlers });
          return {
            transport: "websocket",
            isFallback: false,
            open: () => undefined,
            send: () => undefined,
            probe: () => undefined,
            close: (error) => handlers.onEnd(error),
          };
        },
        failure: () => broken(),
        createTrial: (around, owner) => new TransportTrial(around, owner),
      },
      breaks,
    );
  }

  connection(failed?: ConnectionError): ClientConnection {
    const connection = this.ladder.createConnection(
      {
        url: URL_ONE,
        frames: new FrameCodec([]),
        handlers: {
          onWelcome: () => undefined,
          onMessage: () => undefined,
          onBatch: () => undefined,
          onPing: () => undefined,
          onEnd: ({ message }) => this.ends.push(message),
        },
      },
      failed,
    );
    connection.open();
    return connection;
  }

  /** What carries frames over HTTP is loaded by then. */
  async loads(dials: number): Promise<void> {
    while (this.dials.length < dials) await new Promise((resolve) => void setImmediate(resolve));
  }

  async fails(error: ConnectionError = broken()): Promise<void> {
    this.dials.at(-1)!.handlers.onEnd(error);
    await Promise.resolve();
  }

  succeeds(): void {
    this.dials.at(-1)!.handlers.onWelcome({} as Welcome);
  }

  get paths(): string[] {
    return this.dials.map(({ url }) => new URL(url).pathname);
  }
}

/** A stand whose connection has fallen to Server-Sent Events. */
async function fallen(): Promise<Stand & { connection: Stand["connection"] }> {
  const stand = new Stand();
  stand.connection(broken());
  await stand.loads(1);
  stand.succeeds();
  return stand;
}

test("each transport is tried in turn, at its own path below the prefix, until one works", async () => {
  const stand = new Stand();
  const connection = stand.connection();
  await stand.fails();
  await stand.loads(2);
  await stand.fails();
  await stand.loads(3);
  expect(stand.paths).toEqual(["/md/v1/ws", "/md/v1/sse", "/md/v1/poll"]);
  expect(stand.dials[1]!.url).toBe("http://gateway.test/md/v1/sse?access_token=x");
  stand.succeeds();
  expect([connection.transport, connection.isFallback]).toEqual(["poll", true]);
  expect(stand.ends).toEqual([]);
});

test("when none works, the failure of the first is told, once", async () => {
  const stand = new Stand();
  stand.connection(new ConnectionError("connect-failed", "the first", { retryable: true }));
  await stand.loads(1);
  await stand.fails();
  await stand.loads(2);
  await stand.fails();
  expect(stand.paths).toEqual(["/md/v1/sse", "/md/v1/poll"]);
  expect(stand.ends).toEqual(["the first"]);
});

test("what the gateway itself refuses is not tried by another way", async () => {
  const stand = new Stand();
  stand.connection();
  await stand.fails(new ConnectionError("unauthenticated", "no", { closeCode: 4504 }));
  expect([stand.dials.length, stand.ends]).toEqual([1, ["no"]]);
});

test("what worked is where the next connection begins", async () => {
  const stand = await fallen();
  stand.clock.advance(60_000);
  await stand.fails();
  stand.connection();
  await stand.loads(2);
  expect(stand.paths).toEqual(["/md/v1/sse", "/md/v1/sse"]);
});

test("beside a connection that works, only what is better is tried", async () => {
  const stand = await fallen();
  stand.connection();
  expect(stand.paths.at(-1)).toBe("/md/v1/ws");
  await stand.fails(new ConnectionError("connect-failed", "still not", { retryable: true }));
  expect(stand.ends).toEqual(["still not"]);
  const better = stand.connection();
  stand.succeeds();
  expect([better.transport, better.isFallback]).toEqual(["websocket", false]);
});

// How a connection ends, twice in a row, and where the next one begins: only one that breaks soon
// and has carried nothing says something about its transport.
test.each([
  ["just below its time, with nothing carried", 9_999, false, undefined, "/md/v1/poll"],
  ["at its time, with nothing carried", 10_000, false, undefined, "/md/v1/sse"],
  ["at once, with something carried", 0, true, undefined, "/md/v1/sse"],
  ["at once, by the gateway", 0, false, 4001, "/md/v1/sse"],
] as const)("a transport that breaks %s", async (_, heldMs, carries, closeCode, next) => {
  const stand = await fallen();
  for (let dials = 1; dials <= 2; dials += 1) {
    if (carries) stand.dials.at(-1)!.handlers.onMessage({ kind: "pong" } as never);
    stand.clock.advance(heldMs);
    const retryable = { retryable: true, ...(closeCode === undefined ? {} : { closeCode }) };
    await stand.fails(new ConnectionError("connection-lost", "broke", retryable));
    stand.connection();
    await stand.loads(dials + 1);
    stand.succeeds();
  }
  expect(stand.paths.at(-1)).toBe(next);
});

test("a network that breaks what it has carried does not count with one that carries nothing", async () => {
  const stand = await fallen();
  for (const [dials, carries] of [false, true, false].entries()) {
    if (carries) stand.dials.at(-1)!.handlers.onMessage({ kind: "pong" } as never);
    await stand.fails();
    stand.connection();
    await stand.loads(dials + 2);
    stand.succeeds();
  }
  expect(stand.paths.at(-1)).toBe("/md/v1/sse");
});

test("what WebSockets broke before it was loaded counts", async () => {
  const stand = new Stand(2);
  stand.connection();
  await stand.loads(1);
  expect(stand.paths).toEqual(["/md/v1/sse"]);
});

test("a connection that is closed while it falls dials no more, and ends once", async () => {
  const stand = new Stand();
  const connection = stand.connection();
  await stand.fails();
  connection.close(new ConnectionError("client-closed", "enough"));
  connection.close(new ConnectionError("client-closed", "enough"));
  for (let turn = 0; turn < 20; turn += 1) {
    await new Promise((resolve) => void setImmediate(resolve));
  }
  expect([stand.dials.length, stand.ends]).toEqual([1, ["enough"]]);
});
