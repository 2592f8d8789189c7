import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { tickwire } from "@tickwire/proto/protobufjs";
import { afterEach, describe, expect, test } from "vitest";
import { TRANSPORTS } from "#test/support/transports.ts";
import { Rig } from "./gateway-harness.ts";
import { RawFrameReader } from "./gateway-raw-client.ts";
import type { RawBatch } from "./gateway-raw-client.ts";
import { RawSocket } from "./gateway-raw-socket.ts";

const { ClientFrame, NoticeKind, ServerFrame } = tickwire.v1;

/** Reads everything up to the close frame: what a slow client finds when it reads at last. */
function readUpToClose(socket: Socket) {
  const frames: tickwire.v1.ServerFrame[] = [];
  const batches: RawBatch[] = [];
  const reader = new RawFrameReader();
  let unread = Buffer.alloc(0);
  return new Promise<{
    frames: typeof frames;
    batches: RawBatch[];
    code: number;
    reason: string;
  }>((resolve, reject) => {
    socket.on("data", (chunk: Buffer) => {
      unread = Buffer.concat([unread, chunk]);
      for (let frame = takeFrame(unread); frame !== undefined; frame = takeFrame(unread)) {
        const { opcode, payload } = frame;
        unread = unread.subarray(frame.end);
        if (opcode === 2) {
          frames.push(ServerFrame.decode(payload));
          batches.push(...reader.read(payload));
        }
        if (opcode !== 8) continue;
        resolve({
          frames,
          batches,
          code: payload.readUInt16BE(0),
          reason: payload.toString("utf8", 2),
        });
      }
    });
    socket.on("close", () => reject(new Error("closed without a close frame")));
    socket.resume();
  });
}

/** The unmasked WebSocket frame at the start of `bytes`; undefined if it is not all there. */
function takeFrame(bytes: Buffer) {
  const short = bytes[1] ?? 0;
  const start = short < 126 ? 2 : short === 126 ? 4 : 10;
  if (bytes.length < start) return undefined;
  let length = short;
  if (short === 126) length = bytes.readUInt16BE(2);
  if (short === 127) length = Number(bytes.readBigUInt64BE(2));
  const end = start + length;
  if (bytes.length < end) return undefined;
  return { opcode: (bytes[0] ?? 0) & 15, payload: bytes.subarray(start, end), end };
}

describe.each(TRANSPORTS)("lifecycle over %s", (transport) => {
  let rig: Rig;
  const raws: RawSocket[] = [];
  afterEach(async () => {
    for (const raw of raws.splice(0)) raw.destroy();
    await rig.stop();
  });

  const start = async (options?: Parameters<typeof Rig.start>[1]) => {
    rig = await Rig.start(transport, options);
    return rig;
  };

  const raw = async (extensions?: string): Promise<RawSocket> => {
    const socket = await RawSocket.open({
      port: rig.gateway.port,
      path: "/v1/ws",
      subprotocol: "tickwire.v1",
      ...(extensions === undefined ? {} : { extensions }),
    });
    raws.push(socket);
    return socket;
  };

  test("serves a front page, and 404 for anything else, metrics included", async () => {
    await start();
    const client = await rig.client();
    await client.subscribe("fake:BTC-USDT/trades");
    for (const path of ["/healthz", "/readyz", "/metrics"]) {
      expect((await fetch(`${rig.url}${path}`)).status).toBe(404);
    }
    const metrics = await rig.registry.metrics();
    expect(metrics).toContain("tickwire_gateway_connections 1");
    expect(metrics).toContain("tickwire_gateway_subscriptions 1");
    expect(metrics).not.toContain("BTC");
    const page = await fetch(`${rig.url}/`);
    expect(page.headers.get("content-type")).toContain("text/plain");
    expect(await page.text()).toContain("curl");
    const nothing = await fetch(`${rig.url}/nothing`);
    expect(nothing.status).toBe(404);
    expect(await nothing.json()).toMatchObject({ code: "not_found" });
    const posted = await fetch(rig.url, { method: "POST" });
    expect(posted.status).toBe(405);
    const noUpgrade = await fetch(`${rig.url}/v1/ws`);
    expect(noUpgrade.status).toBe(426);
    expect(noUpgrade.headers.get("upgrade")).toBe("websocket");
    const head = await fetch(rig.url, { method: "HEAD" });
    expect(head.status).toBe(200);
  });

  test.each([
    [2, 1],
    [3, 0],
    [4, 0],
  ])("of 3 instruments and a limit of %i, %i are left out and counted", async (limit, left) => {
    await start({ symbols: ["A-B", "C-D", "E-F"], config: { instrumentsMax: limit } });
    expect(await rig.metric("tickwire_gateway_instruments_left_out")).toBe(left);
    const client = await rig.client();
    const results = await client.subscribe("fake:A-B/trades", "fake:C-D/trades", "fake:E-F/trades");
    expect(results.filter(({ error }) => error !== 0)).toHaveLength(left);
  });

  test("is not ready without a catalog and ready with the first", async () => {
    await start({ symbols: [] });
    expect(rig.gateway.notReadyReasons()).toEqual(["no-catalog"]);
    rig.ingestor.list(["BTC-USDT"]);
    await rig.settle();
    expect(rig.gateway.notReadyReasons()).toEqual([]);
  });

  test("is not ready while the bus is away, and serves on what it has", async () => {
    await start();
    const client = await rig.client();
    rig.busEvent({ kind: "disconnected", reason: "test" });
    expect(rig.gateway.notReadyReasons()).toEqual(["bus-disconnected"]);
    await client.roundTrip();
    rig.busEvent({ kind: "reconnected" });
    expect(rig.gateway.notReadyReasons()).toEqual([]);
  });

  test("says which transport it serves on", async () => {
    await start();
    expect(rig.gateway.transportKind).toBe(transport);
  });

  test("refuses connections above connectionsMax with 503", async () => {
    await start({ config: { connectionsMax: 2 } });
    const first = await rig.client();
    await rig.client();
    expect((await raw()).status).toBe(503);
    first.close();
    while (rig.gateway.sessions > 1) await rig.settle();
    await rig.client();
  });

  test("goes away: not ready, told, closed with 4000 at the rate, released", async () => {
    await start({ config: { drainWindowMs: 1_000, drainClosesPerSecondMax: 15 } });
    const clients = [
      await rig.client(),
      await rig.client(),
      await rig.client(),
      await rig.client(),
    ];
    for (const client of clients) await client.subscribe("fake:BTC-USDT/trades");
    expect(rig.upstream).not.toEqual([]);
    const closing = rig.gateway.close({ graceMs: 5_000 });
    expect(rig.gateway.close({ graceMs: 1 })).toBe(closing);
    for (const client of clients) {
      if (client !== clients[0]) rig.clock.advance(100);
      const told = () => client.notices(NoticeKind.NOTICE_KIND_GOING_AWAY);
      if (client.closed === undefined) await client.until(() => told().length > 0);
      expect(told()[0]?.reconnectWindowMs).toBe(1_000);
    }
    await expect(fetch(rig.url)).rejects.toThrow("fetch failed");
    let open = rig.gateway.sessions;
    for (const afterMs of [700, 100, 100, 100]) {
      rig.clock.advance(afterMs);
      expect(rig.gateway.sessions).toBe(open - 1);
      open = rig.gateway.sessions;
    }
    await closing;
    for (const client of clients) expect((await client.closing()).code).toBe(4000);
    expect(rig.upstream).toEqual([]);
    expect(rig.clock.pending).toBe(0);
  });

  test("is not ready while it drains", async () => {
    await start({ config: { drainWindowMs: 1_000 } });
    await rig.client();
    expect(rig.gateway.notReadyReasons()).toEqual([]);
    const closing = rig.gateway.close({ graceMs: 5_000 });
    expect(rig.gateway.notReadyReasons()).toEqual(["draining"]);
    rig.clock.advance(5_000);
    await closing;
  });

  test("a client that does not read is told, its books wait for it, and it is closed with 4001 in time", async () => {
    await start({
      config: { outboundBytesMax: 200_000, writeAheadBytesMax: 50_000, requestsPerSecondMax: 1000 },
    });
    const bystander = await rig.client();
    await bystander.subscribe("fake:BTC-USDT/book");
    const slow = await raw();
    const topics = [{ topic: "fake:BTC-USDT/book" }];
    slow.sendFrame(
      2,
      ClientFrame.encode({
        messages: [{ hello: { protocolVersion: 1 } }, { subscribe: { requestId: 1, topics } }],
      }).finish(),
    );
    await rig.settle();
    const prices = Array.from({ length: 5_000 }, (_, index) => (index + 1) * 7_919);
    const wide = () => {
      const book = rig.ingestor.book("BTC-USDT", 0, 0);
      const sizes = prices.map((value) => 2 ** 40 + value);
      rig.ingestor.publish([{ ...book, bids: { prices, sizes } }]);
    };
    // The kernel takes some megabytes before anything is left to us.
    const lagNotices = () => rig.metric("tickwire_gateway_lag_notices_total");
    for (let round = 0; round < 2_000 && (await lagNotices()) === 0; round += 1) {
      wide();
      await rig.settle();
    }
    // Many times the limit: the books that it does not read are not kept for it.
    for (let round = 0; round < 50; round += 1) {
      wide();
      await rig.settle();
    }
    expect(rig.gateway.sessions).toBe(2);
    for (let second = 0; second < 40 && rig.gateway.sessions === 2; second += 1) {
      rig.clock.advance(1_000);
      await rig.settle();
    }
    expect(rig.gateway.sessions).toBe(1);
    expect(await rig.metric("tickwire_gateway_slow_consumers_total")).toBe(1);
    const { frames, batches, code, reason } = await readUpToClose(slow.socket);
    expect([code, reason]).toEqual([4001, expect.stringContaining("lagMsMax 30000")]);
    const messages = frames.flatMap((frame) => frame.messages as tickwire.v1.ServerMessage[]);
    const notices = messages.flatMap(({ notice }) => notice ?? []);
    expect(notices.map((notice) => notice.kind)).toEqual([NoticeKind.NOTICE_KIND_LAG]);
    const last = rig.ingestor.position("book", "BTC-USDT");
    expect(batches.at(-1)?.last).toBeLessThan(last);
    await bystander.until(() => bystander.batches.at(-1)?.last === last);
  });

  test("compresses large frames for those who negotiated and accepted it, and small ones never", async () => {
    await start({ config: { compressBytesMin: 1_000 } });
    for (let price = 1; price <= 2_000; price += 1) {
      rig.ingestor.publish([rig.ingestor.book("BTC-USDT", price, 1)]);
    }
    const bytesOfStart = async (extensions: string | undefined, acceptCompression: boolean) => {
      const socket = await raw(extensions);
      const messages = [
        { hello: { protocolVersion: 1, acceptCompression } },
        { subscribe: { requestId: 1, topics: [{ topic: "fake:BTC-USDT/book" }] } },
        { ping: { nonce: 1 } },
      ];
      const firstBytes: number[] = [];
      const seen = new Promise<void>((resolve) => {
        socket.socket.on("data", (chunk: Buffer) => {
          let at = 0;
          while (at < chunk.length) {
            firstBytes.push(chunk[at] ?? 0);
            const short = (chunk[at + 1] ?? 0) & 0x7f;
            const length = short === 126 ? chunk.readUInt16BE(at + 2) : short;
            at += (short === 126 ? 4 : 2) + length;
            if (length > 1_000 || chunk[at - length - (short === 126 ? 4 : 2)] === 0xc2) resolve();
          }
        });
      });
      socket.socket.resume();
      socket.sendFrame(2, ClientFrame.encode({ messages }).finish());
      await seen;
      return firstBytes;
    };
    expect(await bytesOfStart("permessage-deflate", true)).toContain(0xc2);
    expect(await bytesOfStart("permessage-deflate", false)).not.toContain(0xc2);
    expect(await bytesOfStart(undefined, true)).not.toContain(0xc2);
    const client = await rig.client({ deflate: true });
    const [result] = await client.subscribe("fake:BTC-USDT/book");
    await client.until(() => client.batchesOf(result?.topicId ?? 0).length > 0);
    expect(client.batches[0]?.events[0]?.["bids"]).toHaveLength(2_000);
  });

  test("a frame is what any protobuf decoder reads, and two of them joined are one", async () => {
    await start();
    const client = await rig.client();
    const frames: Buffer[] = [];
    client.socket.on("message", (data: Buffer) => frames.push(data));
    await client.subscribe("fake:BTC-USDT/trades");
    rig.ingestor.publish([rig.ingestor.trade("BTC-USDT", 1)]);
    await client.until(() => client.batches.length === 1);
    const joined = ServerFrame.decode(Buffer.concat(frames));
    expect(joined.messages).toHaveLength(1);
    expect(joined.batches).toHaveLength(1);
  });
});
