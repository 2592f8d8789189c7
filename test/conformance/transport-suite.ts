import { Buffer } from "node:buffer";
import { once } from "node:events";
import { setImmediate as nextTurn } from "node:timers/promises";
import { deflateRawSync } from "node:zlib";
import { afterEach, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { SendResult } from "#gateway/transport/transport.ts";
import { findFreePort } from "#test/support/free-port.ts";
import { RawSocket } from "./gateway-raw-socket.ts";
import { OPTIONS, Recorder, TransportStand } from "./transport-stand.ts";
import type { CreateTransport } from "./transport-stand.ts";

/**
 * What both transports promise. `create` makes the one under test; `idleTimeoutMs` is its shortest.
 */
export function transportSuite(
  name: string,
  create: CreateTransport,
  traits: { readonly idleTimeoutMs: number; readonly oversizedCodes: readonly number[] },
): void {
  describe(`${name} transport`, () => {
    const stand = new TransportStand(create);
    const { join, joinRaw, raws, start } = stand;
    afterEach(() => stand.stop());

    test("hands what a client was accepted as on to its connection", async () => {
      const started = await start();
      const first = await join(started);
      const second = await join(started);
      const upgrade = { remoteAddress: "127.0.0.1", subprotocol: "tickwire.v1" };
      expect(first.seen.context).toEqual({ principal: { name: "principal 1" }, ...upgrade });
      expect(second.seen.context).toEqual({ principal: { name: "principal 2" }, ...upgrade });
      expect(second.seen.connection.remoteAddress).toBe("127.0.0.1");
      expect(second.ws.protocol).toBe("tickwire.v1");
    });

    test("an upgrade shows every value of a repeated header", async () => {
      const started = await start();
      await joinRaw(started, undefined, [
        "Authorization: one",
        "X-Key: a",
        "authorization: two",
        "x-key: b",
        "Cookie: c=1",
        "Cookie: d=2",
        "Sec-WebSocket-Protocol: other",
      ]);
      const [request] = started.recorder.upgrades;
      expect(request?.headers.get("authorization")).toBe("one, two");
      expect(request?.headers.get("x-key")).toBe("a, b");
      expect(request?.headers.get("cookie")).toBe("c=1; d=2");
      expect(request?.subprotocols.toSorted()).toEqual(["other", "tickwire.v1"]);
    });

    test.each([
      [["127.0.0.0/8"], "203.0.113.9"],
      [["10.0.0.0/8"], "127.0.0.1"],
      [[], "127.0.0.1"],
    ])("behind the trusted proxies %j a client comes from %s", async (trustedProxies, address) => {
      const started = await start({ trustedProxies });
      const headers = ["X-Forwarded-For: 198.51.100.7", "X-Forwarded-For: 203.0.113.9"];
      const { seen } = await joinRaw(started, undefined, headers);
      expect(started.recorder.upgrades[0]?.remoteAddress).toBe(address);
      expect(seen.connection.remoteAddress).toBe(address);
    });

    test("a connection that closes while its handler is made tells the handler so", async () => {
      const recorder = new Recorder();
      recorder.onAccept = (connection) => connection.close(4005, "not you");
      const started = await start({}, recorder);
      const { ws, seen } = await join(started);
      expect(seen.closes).toEqual([{ code: 4005, reason: "not you" }]);
      if (ws.readyState !== WebSocket.CLOSED) await once(ws, "close");
      expect(seen.closes).toHaveLength(1);
    });

    test("carries binary and text messages of every length class, and says which they are", async () => {
      const started = await start();
      const { ws, seen } = await join(started);
      const sizes = [0, 1, 125, 126, 65_535, 64 * 1024];
      for (const size of sizes) ws.send(Buffer.alloc(size, size & 0xff));
      ws.send("grüße");
      await seen.until(() => seen.messages.length === sizes.length + 1);
      expect(seen.messages.slice(0, -1).map((message) => message.bytes.length)).toEqual(sizes);
      expect(seen.messages.slice(0, -1).every((message) => message.isBinary)).toBe(true);
      expect(seen.messages.at(-1)).toEqual({ bytes: Buffer.from("grüße"), isBinary: false });
    });

    test("delivers what was sent, in order, although the sender reuses its memory", async () => {
      const started = await start();
      const { ws, messages, seen } = await join(started);
      const scratch = new Uint8Array(4);
      for (let index = 0; index < 500; index += 1) {
        new DataView(scratch.buffer).setUint32(0, index);
        expect(seen.connection.send(scratch, false)).not.toBe(SendResult.Dropped);
      }
      scratch.fill(0xff);
      while (messages.length < 500) await once(ws, "message");
      expect(messages.map((message) => message.readUInt32BE(0))).toEqual(
        Array.from({ length: 500 }, (_, index) => index),
      );
    });

    test("tells a client the close code and reason, cut between characters at 123 bytes", async () => {
      const started = await start();
      const { ws, seen } = await join(started);
      const closed = once(ws, "close");
      seen.connection.close(4001, "ü".repeat(100));
      const [code, reason] = (await closed) as [number, Buffer];
      expect(code).toBe(4001);
      expect(reason.toString()).toBe("ü".repeat(61));
      await seen.until(() => seen.closes.length === 1);
      seen.connection.close(4002, "again");
      seen.connection.terminate();
      await nextTurn();
      expect(seen.closes).toHaveLength(1);
    });

    test("sends what was accepted before it closes", async () => {
      const started = await start();
      const { ws, messages, seen } = await join(started);
      const closed = once(ws, "close");
      for (let index = 0; index < 20; index += 1) seen.connection.send(Buffer.alloc(10_000), false);
      seen.connection.close(4000, "bye");
      expect((await closed)[0]).toBe(4000);
      expect(messages).toHaveLength(20);
    });

    test("reports the code and reason that a client closes with, once", async () => {
      const started = await start();
      const { ws, seen } = await join(started);
      ws.close(4321, "done here");
      await seen.until(() => seen.closes.length > 0);
      await once(ws, "close");
      expect(seen.closes).toEqual([{ code: 4321, reason: "done here" }]);
    });

    test("reports a connection that broke without a close frame", async () => {
      const started = await start();
      const { raw, seen } = await joinRaw(started);
      raw.socket.resetAndDestroy();
      await seen.until(() => seen.closes.length > 0);
      expect(seen.closes[0]?.code).toBe(1006);
    });

    test("is safe to use after the connection closed", async () => {
      const started = await start();
      const { ws, seen } = await join(started);
      const closed = once(ws, "close");
      seen.connection.terminate();
      expect((await closed)[0]).toBe(1006);
      expect(seen.closes).toHaveLength(1);
      expect(seen.connection.send(Buffer.alloc(1), false)).toBe(SendResult.Dropped);
      expect(seen.connection.bufferedBytes()).toBe(0);
      seen.connection.close(4000, "late");
      seen.connection.terminate();
      expect(seen.closes).toHaveLength(1);
    });

    test("closing from within the message handler is safe", async () => {
      const started = await start();
      const { ws, seen } = await join(started);
      seen.onMessage = () => {
        seen.connection.close(4500, "no");
        seen.connection.send(Buffer.alloc(1), false);
        seen.connection.terminate();
      };
      const closed = once(ws, "close");
      ws.send("x");
      ws.send("y");
      await closed;
      expect(seen.closes).toHaveLength(1);
      expect(seen.messages).toHaveLength(1);
    });

    test("takes a message at messageBytesMax and cuts the connection above it", async () => {
      const started = await start();
      const { ws, seen } = await join(started);
      const bystander = await join(started);
      ws.send(Buffer.alloc(OPTIONS.messageBytesMax));
      await seen.until(() => seen.messages.length === 1);
      const closed = once(ws, "close");
      ws.on("error", () => {});
      ws.send(Buffer.alloc(OPTIONS.messageBytesMax + 1));
      expect(traits.oversizedCodes).toContain((await closed)[0]);
      await seen.until(() => seen.closes.length === 1);
      expect(seen.messages).toHaveLength(1);
      bystander.ws.send("still here");
      await bystander.seen.until(() => bystander.seen.messages.length === 1);
    });

    test("bounds what a compressed message may inflate to", async () => {
      const started = await start();
      const { raw, seen } = await joinRaw(started, "permessage-deflate");
      const bomb = deflateRawSync(Buffer.alloc(50 * 1024 * 1024), { finishFlush: 2 }).subarray(
        0,
        -4,
      );
      expect(bomb.length).toBeLessThan(OPTIONS.messageBytesMax);
      raw.sendFrame(0x42, bomb);
      await raw.gone();
      await seen.until(() => seen.closes.length === 1);
      expect(seen.messages).toHaveLength(0);
    });

    test("buffers up to the limit for a client that does not read, then drops whole messages", async () => {
      const started = await start();
      const { raw, seen } = await joinRaw(started);
      const frame = Buffer.alloc(16 * 1024);
      const results = new Set<string>();
      let accepted = 0;
      for (;;) {
        const result = seen.connection.send(frame, false);
        results.add(result);
        if (result === SendResult.Dropped) break;
        accepted += 1;
        expect(seen.connection.bufferedBytes()).toBeLessThanOrEqual(OPTIONS.bufferedBytesMax);
        await nextTurn();
      }
      expect(results).toContain(SendResult.Sent);
      expect(results).toContain(SendResult.Buffered);
      expect(seen.connection.bufferedBytes()).toBeGreaterThan(
        OPTIONS.bufferedBytesMax - 2 * 16 * 1024,
      );
      let received = 0;
      raw.socket.on("data", (chunk: Buffer) => {
        received += chunk.length;
      });
      raw.socket.resume();
      await seen.until(() => seen.connection.bufferedBytes() === 0);
      expect(seen.drains).toBeGreaterThan(0);
      expect(seen.connection.send(frame, false)).not.toBe(SendResult.Dropped);
      const expected = (accepted + 1) * (frame.length + 4);
      while (received < expected) await once(raw.socket, "data");
      expect(received).toBe(expected);
    });

    test("refuses a frame larger than the buffer limit instead of overshooting", async () => {
      const started = await start({ bufferedBytesMax: 10_000 });
      const { seen } = await join(started);
      expect(seen.connection.send(Buffer.alloc(10_001), false)).toBe(SendResult.Dropped);
      expect(seen.connection.send(Buffer.alloc(10_000), false)).not.toBe(SendResult.Dropped);
    });

    test("a close code still finds its way behind a full buffer", async () => {
      const started = await start();
      const { raw, seen } = await joinRaw(started);
      const frame = Buffer.alloc(16 * 1024);
      while (seen.connection.send(frame, false) !== SendResult.Dropped) await nextTurn();
      seen.connection.close(4001, "slow");
      expect(seen.closes).toHaveLength(1);
      let tail = Buffer.alloc(0);
      raw.socket.on("data", (chunk: Buffer) => {
        tail = Buffer.concat([tail, chunk]).subarray(-8);
        if (
          tail.includes(Buffer.concat([Buffer.from([0x88, 6, 0x0f, 0xa1]), Buffer.from("slow")]))
        ) {
          raw.destroy();
        }
      });
      const gone = once(raw.socket, "close");
      raw.socket.resume();
      await gone;
      expect(tail.toString("latin1")).toContain("slow");
    });

    test("hears of the pong to a ping when the client has read what was sent before it", async () => {
      const started = await start();
      const { raw, seen } = await joinRaw(started);
      const frame = Buffer.alloc(16 * 1024);
      for (let sent = 0; sent < 20; sent += 1) seen.connection.send(frame, false);
      expect(seen.connection.ping(7)).toBe(true);
      // A pong that answers nothing, and one to a ping that was not sent.
      raw.sendFrame(0x8a, Buffer.from("hello"));
      raw.sendFrame(0x8a, Buffer.from([0, 0, 0, 9]));
      await seen.until(() => seen.pongs.length === 1);
      const ping = Buffer.from([0x89, 4, 0, 0, 0, 7]);
      let received = 0;
      let tail = Buffer.alloc(0);
      raw.socket.on("data", (chunk: Buffer) => {
        received += chunk.length;
        tail = Buffer.concat([tail, chunk]).subarray(-ping.length);
        if (tail.equals(ping)) raw.sendFrame(0x8a, Buffer.from([0, 0, 0, 7]));
      });
      raw.socket.resume();
      await seen.until(() => seen.pongs.length === 2);
      expect(seen.pongs).toEqual([9, 7]);
      expect(received).toBe(20 * (frame.length + 4) + ping.length);
      seen.connection.terminate();
      expect(seen.connection.ping(8)).toBe(false);
    });

    test("what is sent together comes in order, also behind the end of the connection", async () => {
      const started = await start();
      const { ws, messages, seen } = await join(started);
      const { connection } = seen;
      const pinged = once(ws, "ping");
      connection.together(() => {
        expect(connection.send(Uint8Array.of(1), false)).not.toBe(SendResult.Dropped);
        expect(connection.ping(7)).toBe(true);
        expect(connection.send(Buffer.alloc(100_000, 2), false)).not.toBe(SendResult.Dropped);
        connection.together(() => connection.send(Uint8Array.of(3), false));
      });
      while (messages.length < 3) await once(ws, "message");
      expect(messages.map((message) => message.length)).toEqual([1, 100_000, 1]);
      expect(await pinged).toEqual([Buffer.from([0, 0, 0, 7])]);
      let ran = 0;
      connection.together(() => {
        connection.terminate();
        ran += 1;
      });
      connection.together(() => void (ran += 1));
      expect(ran).toBe(2);
      expect(connection.send(Uint8Array.of(4), false)).toBe(SendResult.Dropped);
    });

    test("what throws while it sends together is thrown to who asked for it", async () => {
      const started = await start();
      const { ws, messages, seen } = await join(started);
      const fail = (): void => {
        seen.connection.send(Uint8Array.of(1), false);
        throw new Error("no more");
      };
      expect(() => seen.connection.together(fail)).toThrow("no more");
      seen.connection.send(Uint8Array.of(2), false);
      while (messages.length < 2) await once(ws, "message");
      expect(messages.map(([first]) => first)).toEqual([1, 2]);
    });

    test("what does not fit into the kernel is buffered when it was sent together", async () => {
      const started = await start();
      const { seen } = await joinRaw(started);
      const { connection } = seen;
      const piece = Buffer.alloc(8 * 1_024);
      let sent = 0;
      while (connection.bufferedBytes() === 0 && sent < 10_000) {
        connection.together(() => connection.send(piece, false));
        sent += 1;
      }
      expect(connection.bufferedBytes()).toBeGreaterThan(0);
      expect(connection.send(piece, false)).toBe(SendResult.Buffered);
    });

    test("cuts a connection that is half open, and keeps one that only answers pings", async () => {
      const started = await start({ idleTimeoutMs: traits.idleTimeoutMs });
      const bystander = await join(started);
      const { raw, seen } = await joinRaw(started);
      raw.resume();
      await seen.until(() => seen.closes.length === 1);
      expect(seen.closes[0]?.code).toBe(1006);
      expect(bystander.seen.closes).toHaveLength(0);
      expect(bystander.ws.readyState).toBe(WebSocket.OPEN);
    });

    test("refuses an upgrade with the answer that the handler gives", async () => {
      const { transport, recorder } = await start();
      const raw = await RawSocket.open({
        port: transport.port,
        path: "/v1/ws",
        subprotocol: "mqtt",
      });
      raws.push(raw);
      expect(raw.status).toBe(400);
      expect(raw.headers.get("content-type")).toBe("application/json");
      expect(recorder.seen).toHaveLength(0);
    });

    test.each([
      ["another version", { version: "7" }],
      ["another protocol", { upgrade: "h2c" }],
    ])("answers 400 to an upgrade to %s", async (_, wrong) => {
      const { transport, recorder } = await start();
      const target = { port: transport.port, path: "/v1/ws", subprotocol: "tickwire.v1" };
      const raw = await RawSocket.open({ ...target, ...wrong });
      raws.push(raw);
      expect(raw.status).toBe(400);
      expect(raw.headers.get("sec-websocket-version")).toBe("13");
      expect(recorder.seen).toHaveLength(0);
    });

    test("serves connectionsMax connections, answers 503 above, and serves again when one left", async () => {
      const started = await start({ connectionsMax: 2 });
      const first = await join(started);
      await join(started);
      const refused = await RawSocket.open({
        port: started.transport.port,
        path: "/v1/ws",
        subprotocol: "tickwire.v1",
      });
      raws.push(refused);
      expect(refused.status).toBe(503);
      expect(started.recorder.refused).toEqual(["connectionsMax"]);
      first.ws.close();
      await once(first.ws, "close");
      await first.seen.until(() => first.seen.closes.length === 1);
      await join(started);
      expect(started.recorder.seen).toHaveLength(3);
    });

    describe("permessage-deflate", () => {
      test.each([
        ["as Chrome offers it", "permessage-deflate; client_max_window_bits"],
        ["as Safari offers it", "permessage-deflate"],
      ])("is negotiated without demands on the client %s", async (_, offer) => {
        const started = await start();
        const { raw, seen } = await joinRaw(started, offer);
        expect(raw.headers.get("sec-websocket-extensions")).toBe(
          "permessage-deflate; server_no_context_takeover",
        );
        expect(seen.connection.compressionNegotiated).toBe(true);
      });

      test.each([
        ["nothing is offered", true, undefined],
        ["another extension is offered", true, "bbf-usp-protocol"],
        ["the offer limits our window", true, "permessage-deflate; server_max_window_bits=9"],
        ["it is switched off", false, "permessage-deflate"],
      ])("is not negotiated if %s", async (_, compression, offer) => {
        const started = await start({ compression });
        const { raw, seen } = await joinRaw(started, offer);
        expect(raw.status).toBe(101);
        expect(raw.headers.has("sec-websocket-extensions")).toBe(false);
        expect(seen.connection.compressionNegotiated).toBe(false);
      });

      test("compresses what it is told to and only that", async () => {
        const started = await start();
        const { raw, seen } = await joinRaw(started, "permessage-deflate");
        seen.connection.send(Buffer.alloc(100), false);
        seen.connection.send(Buffer.alloc(10_000), true);
        let bytes = Buffer.alloc(0);
        raw.socket.on("data", (chunk: Buffer) => {
          bytes = Buffer.concat([bytes, chunk]);
        });
        raw.socket.resume();
        while (bytes.length < 104) await once(raw.socket, "data");
        expect([bytes[0], bytes[1]]).toEqual([0x82, 100]);
        expect(bytes[102]).toBe(0xc2);
        expect(bytes[103]).toBeLessThan(126);
      });

      test("a client that keeps its context between messages is understood", async () => {
        const started = await start();
        const { ws, messages, seen } = await join(started, { threshold: 0 });
        seen.onMessage = (bytes) => {
          seen.connection.send(bytes, true);
        };
        const texts = Array.from({ length: 50 }, (_, index) =>
          Buffer.from(`tick ${index} `.repeat(99)),
        );
        for (const text of texts) ws.send(text);
        while (messages.length < 50) await once(ws, "message");
        expect(messages).toEqual(texts);
      });

      test("asking to compress without negotiation sends the frame plain", async () => {
        const started = await start();
        const { ws, messages, seen } = await join(started, false);
        seen.connection.send(Buffer.alloc(10_000, 7), true);
        while (messages.length < 1) await once(ws, "message");
        expect(messages[0]).toEqual(Buffer.alloc(10_000, 7));
      });
    });

    test("a second listener on the port is refused", async () => {
      const { transport } = await start();
      await expect(create({ ...OPTIONS, port: transport.port }, new Recorder())).rejects.toThrow(
        /taken|EADDRINUSE/,
      );
    });

    test.each([
      { port: -1 },
      { port: 65_536 },
      { messageBytesMax: 0 },
      { connectionsMax: 0 },
      { idleTimeoutMs: -1 },
      { path: "ws" },
      { trustedProxies: ["10.0.0.0/33"] },
      { tls: { certFile: "/nowhere/cert.pem", keyFile: "/nowhere/key.pem" } },
    ])("refuses to start with %o", async (wrong) => {
      await expect(create({ ...OPTIONS, ...wrong }, new Recorder())).rejects.toThrow(
        Object.keys(wrong)[0] ?? "",
      );
    });

    test("listens 50 times on its port, each after it has closed every connection", async () => {
      const port = await findFreePort();
      for (let round = 0; round < 50; round += 1) {
        const started = await start({ port });
        expect(started.transport.port).toBe(port);
        const clients = [await join(started), await join(started)];
        started.transport.stopListening();
        // Who closes first has the port in TIME_WAIT.
        const gone = clients.map(({ ws }) => once(ws, "close"));
        for (const { seen } of clients) seen.connection.close(4000, "the gateway is shutting down");
        await Promise.all(gone);
        await started.transport.close();
      }
    });

    test("stopListening refuses new connections and keeps the open ones", async () => {
      const started = await start();
      const { ws, messages, seen } = await join(started);
      started.transport.stopListening();
      started.transport.stopListening();
      await expect(fetch(started.url)).rejects.toThrow("fetch failed");
      seen.connection.send(Buffer.from("on"), false);
      while (messages.length < 1) await once(ws, "message");
      expect(messages[0]?.toString()).toBe("on");
    });

    test("close cuts what is open, tells each handler once, and may be repeated", async () => {
      const started = await start();
      const { ws, seen } = await join(started);
      const closed = once(ws, "close");
      await started.transport.close();
      await started.transport.close();
      expect((await closed)[0]).toBe(1006);
      expect(seen.closes).toHaveLength(1);
    });
  });
}
