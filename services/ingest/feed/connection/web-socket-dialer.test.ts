import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { afterEach, describe, expect, test } from "vitest";
import { WebSocketServer } from "ws";
import type { WebSocket } from "ws";
import { HttpStand } from "#test/support/http-stand.ts";
import { createWebSocketDialer, WEB_SOCKET_DIALER_DEFAULTS } from "./web-socket-dialer.ts";
import type { DialLimits, FeedSocket } from "./web-socket-dialer.ts";

const stand = new HttpStand();

afterEach(() => stand.stop());

describe("the dialer", () => {
  async function connect(options: Partial<typeof WEB_SOCKET_DIALER_DEFAULTS & DialLimits> = {}) {
    const { server, port } = await stand.serve((_request, response) =>
      response.writeHead(404).end(),
    );
    const webSockets = new WebSocketServer({ server, perMessageDeflate: true });
    stand.onStop(() => {
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
    const socket: FeedSocket = dialer.dial(
      `ws://127.0.0.1:${port}/x`,
      {
        onOpen: () => note("open"),
        onFrame: (frame) =>
          note(typeof frame === "string" ? `text ${frame}` : `bytes ${frame.length}`),
        onPing: () => note("ping"),
        onPong: () => note("pong"),
        onClose: (code, reason) => note(`close ${code} ${reason}`.trim()),
        onError: () => note("error"),
      },
      { frameBytesMax: 1000, ...options },
    );
    expect(log).toEqual([]);
    const logged = async (text: string): Promise<void> => {
      while (!log.includes(text)) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    };
    const [venue, request] = (await accepted) as [WebSocket, IncomingMessage];
    await logged("open");
    return { venue, request, socket, log, logged };
  }

  test("gives texts as bytes to who takes them so, and binary messages as ever", async () => {
    const { server, port } = await stand.serve((_request, response) => response.end());
    const webSockets = new WebSocketServer({ server });
    webSockets.on("connection", (venue) => {
      venue.send("text €");
      venue.send(Buffer.from([1, 2]));
    });
    stand.onStop(() => {
      for (const client of webSockets.clients) client.terminate();
      webSockets.close();
    });
    const log: string[] = [];
    await new Promise<void>((resolve) => {
      createWebSocketDialer().dial(
        `ws://127.0.0.1:${port}/x`,
        {
          onOpen: () => {},
          onText: (bytes) => log.push(`text ${Buffer.from(bytes).toString()}`),
          onFrame: (frame) => {
            log.push(`frame ${typeof frame} ${frame.length}`);
            resolve();
          },
          onClose: () => {},
        },
        { frameBytesMax: 1000 },
      );
    });
    expect(log).toEqual(["text text €", "frame object 2"]);
  });

  test("sends the venue's headers with the handshake", async () => {
    const { request } = await connect({ headers: { "x-size": "1" } });
    expect(request.headers["x-size"]).toBe("1");
  });

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
    const { port } = await stand.serve(() => {});
    await stand.stop();
    const code = await new Promise<number>((resolve) => {
      createWebSocketDialer().dial(
        `ws://127.0.0.1:${port}`,
        {
          onOpen: () => {},
          onFrame: () => {},
          onClose: resolve,
        },
        { frameBytesMax: 1000 },
      );
    });
    expect(code).toBe(1006);
  });
});
