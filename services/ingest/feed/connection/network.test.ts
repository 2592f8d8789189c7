import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { WebSocketServer } from "ws";
import type { WebSocket } from "ws";
import { SystemClock } from "#runtime/system-clock.ts";
import type { RestRequest } from "../feed-adapter.ts";
import { createFetchRestClient, parseRetryAfter } from "../rest/fetch-rest-client.ts";
import { createWebSocketDialer, WEB_SOCKET_DIALER_DEFAULTS } from "./web-socket-dialer.ts";
import type { FeedSocket, RestAnswer } from "./web-socket-dialer.ts";

const cleanups: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function serve(onRequest: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = createServer(onRequest).listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanups.push(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });
  return { server, port: (server.address() as AddressInfo).port };
}

describe("the dialer", () => {
  async function connect(options: Partial<typeof WEB_SOCKET_DIALER_DEFAULTS> = {}) {
    const { server, port } = await serve((_request, response) => response.writeHead(404).end());
    const webSockets = new WebSocketServer({ server, perMessageDeflate: true });
    cleanups.push(() => {
      for (const client of webSockets.clients) client.terminate();
      webSockets.close();
    });
    const accepted = once(webSockets, "connection");
    const log: string[] = [];
    let wake = (): void => {};
    const note = (text: string): void => {
      log.push(text);
      wake();
    };
    const dialer = createWebSocketDialer({ ...WEB_SOCKET_DIALER_DEFAULTS, ...options });
    const socket: FeedSocket = dialer.dial(`ws://127.0.0.1:${port}/x`, {
      onOpen: () => note("open"),
      onFrame: (frame) =>
        note(typeof frame === "string" ? `text ${frame}` : `bytes ${frame.length}`),
      onPing: () => note("ping"),
      onPong: () => note("pong"),
      onClose: (code, reason) => note(`close ${code} ${reason}`.trim()),
      onError: () => note("error"),
    });
    expect(log).toEqual([]);
    const logged = async (text: string): Promise<void> => {
      while (!log.includes(text)) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    };
    const [venue] = (await accepted) as [WebSocket];
    await logged("open");
    return { venue, socket, log, logged };
  }

  test("carries text and bytes apart, and what is sent", async () => {
    const { venue, socket, log, logged } = await connect();
    expect(venue.extensions).toContain("permessage-deflate");
    const received = once(venue, "message");
    socket.send("hällo");
    const [data] = (await received) as [Buffer];
    expect(data.toString()).toBe("hällo");
    venue.send("tèxt");
    venue.send(Buffer.from([1, 2, 3]));
    await logged("text tèxt");
    await logged("bytes 3");
    expect(log).toEqual(["open", "text tèxt", "bytes 3"]);
  });

  test("answers pings with their payload and reports pongs", async () => {
    const { venue, socket, log, logged } = await connect();
    const answered = once(venue, "pong");
    venue.ping("1700000000000");
    const [payload] = (await answered) as [Buffer];
    expect(payload.toString()).toBe("1700000000000");
    await logged("ping");
    socket.ping();
    await logged("pong");
    expect(log).toEqual(["open", "ping", "pong"]);
  });

  test("tells the venue's close code", async () => {
    const { venue, socket, log, logged } = await connect();
    venue.close(1012, "restart");
    await logged("close 1012 restart");
    expect(log.at(-1)).toBe("close 1012 restart");
    socket.send("nobody reads this");
    socket.ping();
    socket.close();
    socket.terminate();
  });

  test("takes a frame at the limit and ends the connection for a larger one", async () => {
    const { venue, log, logged } = await connect({ frameBytesMax: 100, compression: false });
    venue.send("x".repeat(100));
    await logged(`text ${"x".repeat(100)}`);
    venue.send("x".repeat(101));
    await logged("close 1006");
    expect(log).toContain("error");
  });

  test("reports an address where nobody listens", async () => {
    const { server, port } = await serve(() => {});
    server.close();
    await once(server, "close");
    const code = await new Promise<number>((resolve) => {
      createWebSocketDialer().dial(`ws://127.0.0.1:${port}`, {
        onOpen: () => {},
        onFrame: () => {},
        onClose: resolve,
      });
    });
    expect(code).toBe(1006);
    cleanups.length = 0;
  });
});

describe("the REST client", () => {
  async function get(
    onRequest: (request: IncomingMessage, response: ServerResponse) => void,
    limits: { readonly timeoutMs?: number; readonly bodyBytesMax?: number } = {},
    asked: Pick<RestRequest, "method" | "body"> = {},
  ): Promise<RestAnswer | string> {
    const { port } = await serve(onRequest);
    const clock = new SystemClock();
    const client = createFetchRestClient({
      clock,
      timeoutMs: 5_000,
      bodyBytesMax: 1_000,
      ...limits,
    });
    const url = `http://127.0.0.1:${port}/depth`;
    return await new Promise((resolve) =>
      client.get({ url, weight: 1, ...asked }, resolve, resolve),
    );
  }

  test("hands on any status with its body and the wish for a pause", async () => {
    const answer = await get((_request, response) => {
      response.writeHead(429, { "retry-after": "7" }).end('{"code":-1003}');
    });
    expect(answer).toMatchObject({ status: 429, body: '{"code":-1003}', retryAfterMs: 7_000 });
  });

  test.each([
    { method: "POST", body: '{"a":1}', seen: 'POST application/json {"a":1}' },
    { method: "POST", body: undefined, seen: "POST undefined " },
    { method: undefined, body: undefined, seen: "GET undefined " },
  ] as const)("asks with $method and $body", async ({ method, body, seen }) => {
    const asked = {
      ...(method === undefined ? {} : { method }),
      ...(body === undefined ? {} : { body }),
    };
    const answer = await get(
      (request, response) => {
        let text = "";
        request.on("data", (chunk: Buffer) => (text += chunk.toString()));
        request.on("end", () =>
          response.end(`${request.method} ${request.headers["content-type"]} ${text}`),
        );
      },
      {},
      asked,
    );
    expect(answer).toMatchObject({ status: 200, body: seen });
  });

  test("measures a wished date by the venue's clock, however far ours is ahead", async () => {
    const answer = await get((_request, response) => {
      const headers = {
        date: "Tue, 14 Nov 2000 22:13:20 GMT",
        "retry-after": "Tue, 14 Nov 2000 22:13:30 GMT",
      };
      response.writeHead(418, headers).end();
    });
    expect(answer).toMatchObject({ status: 418, retryAfterMs: 10_000 });
  });

  test("takes a body at the limit, and no byte more", async () => {
    const bodyOf = (bytes: number) => (_: IncomingMessage, response: ServerResponse) => {
      response.end("x".repeat(bytes));
    };
    expect(await get(bodyOf(1_000))).toMatchObject({ status: 200 });
    expect(await get(bodyOf(1_001))).toContain("exceeds bodyBytesMax 1000");
  });

  test("gives up an answer that does not come, and does not follow redirects", async () => {
    expect(await get(() => {}, { timeoutMs: 50 })).toContain("timeout");
    const redirected = await get((_request, response) => {
      response.writeHead(302, { location: "/elsewhere" }).end();
    });
    expect(typeof redirected).toBe("string");
  });

  test("ends what is under way when it is closed", async () => {
    const { port } = await serve(() => client.close?.());
    const client = createFetchRestClient({
      clock: new SystemClock(),
      timeoutMs: 5e3,
      bodyBytesMax: 1e3,
    });
    const url = `http://127.0.0.1:${port}/`;
    const reason = await new Promise((resolve) => client.get({ url, weight: 1 }, resolve, resolve));
    expect(reason).toBe("closed");
  });
});

test.each([
  [null, undefined],
  ["", undefined],
  ["soon", undefined],
  ["0", 0],
  ["120", 120_000],
  ["1.5", 1_500],
  ["Tue, 14 Nov 2023 22:13:30 GMT", 10_000],
  ["Tue, 14 Nov 2023 22:13:00 GMT", 0],
])("Retry-After %s is %s ms", (header, expected) => {
  expect(parseRetryAfter(header, 1_700_000_000_000_000)).toBe(expected);
});
