/** What clients may send behind the handshake, right and wrong, over bare sockets. */
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { connect } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { TRANSPORT_FACTORIES } from "#test/support/transports.ts";
import { RawSocket } from "./gateway-raw-socket.ts";
import { Recorder, TransportStand } from "./transport-stand.ts";

const MASK = Buffer.from([1, 2, 3, 4]);

/** A frame with its first byte as given; short payloads only. */
function frame(first: number, payload: string | Buffer = "", masked = true): Buffer {
  const bytes = Buffer.from(payload);
  const head = Buffer.from([first, (masked ? 0x80 : 0) | bytes.length]);
  if (!masked) return Buffer.concat([head, bytes]);
  return Buffer.concat([head, MASK, bytes.map((byte, at) => byte ^ (MASK[at & 3] ?? 0))]);
}

const closeFrame = (code: number, reason = ""): Buffer => {
  const payload = Buffer.alloc(2);
  payload.writeUInt16BE(code);
  return frame(0x88, Buffer.concat([payload, Buffer.from(reason)]));
};

/** The close code that the server sends before it ends; undefined if it ends without one. */
async function closeCode(raw: RawSocket): Promise<number | undefined> {
  let bytes = Buffer.alloc(0);
  raw.socket.on("data", (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk]);
  });
  raw.socket.on("end", () => raw.destroy());
  const closed = once(raw.socket, "close");
  raw.socket.resume();
  await closed;
  const at = bytes.indexOf(0x88);
  if (at < 0) return undefined;
  return bytes[at + 1] === 0 ? 1005 : bytes.readUInt16BE(at + 2);
}

const UNFINISHED: readonly (readonly [what: string, bytes: Buffer])[] = [
  ["an unmasked message", Buffer.concat([frame(0x82, "abcd", false), frame(0x82, "efgh")])],
  ["a short unmasked message", frame(0x82, "a", false)],
  ["an unmasked close", frame(0x88, "", false)],
  ["half a frame", frame(0x82, "abcdefgh").subarray(0, 7)],
  ["the first byte of a frame", Buffer.from([0x82])],
];

const IDLE_TIMEOUT_MS = { uws: 8_000, node: 400 };

describe.each(TRANSPORT_FACTORIES)("%s transport, frames", (name, create) => {
  const idleTimeoutMs = IDLE_TIMEOUT_MS[name];
  const stand = new TransportStand(create);
  afterEach(() => stand.stop());

  test.each([1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 4000, 4999])(
    "close code %i is echoed, and told to the handler",
    async (code) => {
      const { raw, seen } = await stand.joinRaw(await stand.start());
      raw.socket.write(closeFrame(code, "bye"));
      expect(await closeCode(raw)).toBe(code);
      await seen.until(() => seen.closes.length === 1);
      expect(seen.closes).toEqual([{ code, reason: "bye" }]);
    },
  );

  test.each([1012, 1013, 1014, 3000, 3999])("close code %i ends the connection", async (code) => {
    const { raw, seen } = await stand.joinRaw(await stand.start());
    raw.socket.write(closeFrame(code, "bye"));
    // uWebSockets.js knows only those of RFC 6455 and the private ones; it takes others for none.
    expect(await closeCode(raw)).toBe(name === "uws" ? 1005 : code);
    await seen.until(() => seen.closes.length === 1);
    expect(seen.closes[0]?.code).toBe(name === "uws" ? 1006 : code);
  });

  test("a message inside a message is no message of its own", async () => {
    const { raw, seen } = await stand.joinRaw(await stand.start());
    raw.socket.write(Buffer.concat([frame(0x02, "a"), frame(0x82, "b")]));
    // uWebSockets.js takes the second for the end of the first.
    const ended = await Promise.race([
      closeCode(raw),
      seen.until(() => seen.messages.length === 1).then(() => "joined"),
    ]);
    expect(ended).toBe(name === "node" ? 1002 : "joined");
    expect(seen.messages.map(({ bytes }) => bytes.toString())).toEqual(
      name === "node" ? [] : ["ab"],
    );
  });

  test("a close without a code is answered", async () => {
    const { raw, seen } = await stand.joinRaw(await stand.start());
    raw.socket.write(frame(0x88));
    expect([1000, 1005]).toContain(await closeCode(raw));
    await seen.until(() => seen.closes.length === 1);
    expect(seen.closes[0]?.code).toBe(1005);
  });

  test.each([
    ["close code 0", closeFrame(0)],
    ["close code 999", closeFrame(999)],
    ["close code 1004", closeFrame(1004)],
    ["close code 1005", closeFrame(1005)],
    ["close code 1006", closeFrame(1006)],
    ["close code 1015", closeFrame(1015)],
    ["close code 2999", closeFrame(2999)],
    ["close code 5000", closeFrame(5000)],
    ["a close of one byte", frame(0x88, "a")],
    ["a close reason that is no UTF-8", frame(0x88, Buffer.from([3, 232, 0xff]))],
    ["reserved opcode 3", frame(0x83, "a")],
    ["reserved opcode 11", frame(0x8b, "a")],
    ["RSV1 without an extension", frame(0xc2, "abcd")],
    ["RSV2", frame(0xa2, "abcd")],
    ["RSV3", frame(0x92, "abcd")],
    ["a continuation of nothing", frame(0x80, "a")],
    ["a fragmented ping", frame(0x09, "a")],
    ["text that is no UTF-8", frame(0x81, Buffer.from([0xff]))],
    ["text that is cut inside a character", frame(0x81, Buffer.from([0xe2, 0x82]))],
  ])("%s ends the connection", async (_, bytes) => {
    const { raw, seen } = await stand.joinRaw(await stand.start());
    raw.socket.write(bytes);
    const code = await closeCode(raw);
    // RFC 6455, 7.1.7 lets a server close without a close frame; uWebSockets.js mostly does.
    expect(name === "node" ? [1002, 1007] : [undefined, 1000, 1002, 1005, 1007]).toContain(code);
    await seen.until(() => seen.closes.length === 1);
    expect(seen.messages).toHaveLength(0);
  });

  test("behind what makes no frame a connection lives no longer than its idle timeout", async () => {
    const started = await stand.start({ idleTimeoutMs });
    const livedMs: Record<string, number> = {};
    // All wait at once, because the timer of a transport cannot be moved by hand.
    const waits: Promise<void>[] = [];
    for (const [what, bytes] of UNFINISHED) {
      const { raw, seen } = await stand.joinRaw(started);
      raw.socket.write(bytes);
      raw.resume();
      // What a client sends after it counts for nothing if it makes no frame.
      const drip = setInterval(() => raw.socket.write(Buffer.from([0])), idleTimeoutMs / 10);
      const begun = performance.now();
      const ended = async (): Promise<void> => {
        await seen.until(() => seen.closes.length === 1);
        clearInterval(drip);
        livedMs[what] = performance.now() - begun;
      };
      waits.push(ended());
    }
    await Promise.all(waits);
    const tooLong = Object.entries(livedMs).filter(([, ms]) => ms >= idleTimeoutMs * 2 + 1_000);
    expect(tooLong).toEqual([]);
  });

  test.each([
    "permessage-deflate; client_max_window_bits=7",
    "permessage-deflate; client_max_window_bits=16",
    "permessage-deflate; client_max_window_bits=x",
    "permessage-deflate; server_max_window_bits=7",
    "permessage-deflate; server_max_window_bits",
    "permessage-deflate; client_no_context_takeover=1",
    "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
    "permessage-deflate; unknown",
    "permessage-deflate; ; ",
    "x-webkit-deflate-frame",
    "permessage-deflate=1",
    ",",
    ";",
    '"permessage-deflate',
  ])("the offer %s is declined, and the connection accepted", async (offer) => {
    const { raw, seen } = await stand.joinRaw(await stand.start(), offer);
    expect(raw.status).toBe(101);
    expect(raw.headers.has("sec-websocket-extensions")).toBe(false);
    expect(seen.connection.compressionNegotiated).toBe(false);
  });

  test("the first offer that can be taken is, in another header too", async () => {
    const header = "Sec-WebSocket-Extensions: permessage-deflate";
    const bad = "permessage-deflate; server_max_window_bits=7";
    const { raw } = await stand.joinRaw(await stand.start(), bad, [header]);
    expect(raw.headers.get("sec-websocket-extensions")).toBe(
      "permessage-deflate; server_no_context_takeover",
    );
  });

  test("a message in the same packet as the handshake", async () => {
    const { recorder, transport } = await stand.start();
    const next = recorder.next();
    const socket = connect({ host: "127.0.0.1", port: transport.port });
    socket.on("error", () => socket.destroy());
    socket.resume();
    const head = [
      "GET /v1/ws HTTP/1.1",
      "Host: 127.0.0.1",
      "Upgrade: websocket",
      "Connection: Upgrade",
      "Sec-WebSocket-Version: 13",
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
      "Sec-WebSocket-Protocol: tickwire.v1",
    ].join("\r\n");
    const first = Buffer.concat([Buffer.from(`${head}\r\n\r\n`), frame(0x82, "early")]);
    socket.write(first);
    const seen = await next;
    socket.write(frame(0x82, "late"));
    await seen.until(() => seen.messages.some(({ bytes }) => bytes.toString() === "late"));
    const messages = seen.messages.map(({ bytes }) => bytes.toString());
    // uWebSockets.js loses it: RFC 6455, 4.1 has clients wait for the answer before they send.
    expect(messages).toEqual(name === "uws" ? ["late"] : ["early", "late"]);
    socket.destroy();
  });
});

describe.each(TRANSPORT_FACTORIES)("%s transport, limits", (_, create) => {
  const stand = new TransportStand(create);
  afterEach(() => stand.stop());
  const limits = (changes: object) => ({ http: { ...stand.options.http, ...changes } });

  /** So many bare connections that say nothing. */
  async function halfOpen(port: number, count: number) {
    const sockets = Array.from({ length: count }, () => connect({ host: "127.0.0.1", port }));
    let open = count;
    for (const socket of sockets) {
      socket.on("error", () => socket.destroy());
      socket.on("close", () => (open -= 1));
      socket.resume();
    }
    await Promise.all(sockets.map((socket) => once(socket, "connect")));
    return { sockets, open: () => open };
  }

  test("half-open connections are told at connectionsMax and cut far above it", async () => {
    const recorder = new Recorder();
    const started = await stand.start({ connectionsMax: 10 }, recorder);
    const { sockets, open } = await halfOpen(started.transport.port, 10);
    const url = `http://127.0.0.1:${started.transport.port}`;
    const above = await fetch(url);
    expect(above.status).toBe(503);
    expect(await above.text()).toContain("connectionsMax");
    const more = await halfOpen(started.transport.port, 60);
    await expect.poll(() => open() + more.open()).toBe(42);
    for (const socket of [...sockets, ...more.sockets]) socket.destroy();
    await expect.poll(async () => (await fetch(url).catch(() => undefined))?.status).toBe(200);
    expect(new Set(recorder.refused)).toEqual(new Set(["connectionsMax"]));
  });

  test("connections of one address are served up to their limit and refused above", async () => {
    const started = await stand.start(limits({ connectionsPerAddressMax: 2 }));
    const joined = await stand.join(started);
    await stand.join(started);
    const refused = await fetch(started.url);
    expect([refused.status, started.recorder.refused]).toEqual([429, ["connectionsPerAddressMax"]]);
    await refused.text();
    joined.ws.terminate();
    await expect.poll(async () => (await fetch(started.url)).status).toBe(200);
  });

  test("bodies are held up to the budget of all and refused above, until one is gone", async () => {
    const started = await stand.start(
      limits({ bodyBytesMax: 9_000, bodyBytesPerAddressMax: 9_000 }),
    );
    const held = connect({ host: "127.0.0.1", port: started.transport.port });
    held.write("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5001\r\n\r\n");
    held.write(Buffer.alloc(5_000));
    const post = (size: number) =>
      fetch(started.url, { method: "POST", body: Buffer.alloc(size) }).then(({ status }) => status);
    await expect.poll(() => post(4_001)).toBe(429);
    expect(await post(4_000)).toBe(200);
    held.destroy();
    await expect.poll(() => post(4_001)).toBe(200);
    expect(started.recorder.refused).toContain("bodyBytesPerAddressMax");
  });

  test("a body that does not come is refused at its deadline, and one that comes is not", async () => {
    const started = await stand.start(limits({ bodyTimeoutMs: 1_000 }));
    const slow = connect({ host: "127.0.0.1", port: started.transport.port });
    slow.write("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc");
    const [answer] = (await once(slow, "data")) as [Buffer];
    expect(answer.toString()).toContain("408 Request Timeout");
    expect(started.recorder.refused).toEqual(["bodyTimeoutMs"]);
    const quick = await fetch(started.url, { method: "POST", body: "abc" });
    expect(await quick.text()).toBe("POST 3");
    slow.destroy();
  });

  test("requests of one address pass up to the burst of its rate, and then 429", async () => {
    const started = await stand.start(limits({ requestsPerSecondPerAddressMax: 3 }));
    const statuses: number[] = [];
    for (let at = 0; at < 8; at += 1) statuses.push((await fetch(started.url)).status);
    expect(statuses.slice(0, 6)).toEqual(Array(6).fill(200));
    expect(statuses.slice(6)).toContain(429);
    expect(started.recorder.refused).toContain("requestsPerSecondPerAddressMax");
  });

  test("a connection serves many requests, and is counted once", async () => {
    const started = await stand.start({ connectionsMax: 2 });
    for (let at = 0; at < 50; at += 1) {
      const path = at % 2 === 0 ? "/" : "/v1/ws";
      const init = at % 3 === 0 ? { method: "POST", body: "abc" } : {};
      expect(await (await fetch(started.url + path, init)).text()).toMatch(/^(GET 0|POST 3)$/);
    }
  });

  test("behind a proxy a client's sockets count for the client that the proxy names", async () => {
    const trusted = { trustedProxies: ["127.0.0.1"], ...limits({ connectionsPerAddressMax: 1 }) };
    const started = await stand.start(trusted);
    const from = (address: string) => ({ headers: { "X-Forwarded-For": address } });
    const first = await stand.join(started, false, from("192.0.2.1"));
    await stand.join(started, false, from("192.0.2.2"));
    const again = async () => {
      const raw = await RawSocket.open({
        port: started.transport.port,
        path: "/v1/ws",
        subprotocol: "tickwire.v1",
        headers: ["X-Forwarded-For: 192.0.2.1"],
      });
      stand.raws.push(raw);
      return raw.status;
    };
    expect(await again()).toBe(429);
    first.ws.terminate();
    await first.seen.until(() => first.seen.closes.length === 1);
    await expect.poll(again).toBe(101);
  });
});

describe("headers that come by drops", () => {
  const stands = TRANSPORT_FACTORIES.map(([, create]) => new TransportStand(create));
  afterEach(async () => {
    for (const stand of stands) await stand.stop();
  });

  test("are cut after some 10 s, by every transport", async () => {
    const livedMs = await Promise.all(
      stands.map(async (stand) => {
        const { transport } = await stand.start();
        const slow = connect({ host: "127.0.0.1", port: transport.port });
        slow.on("error", () => slow.destroy());
        slow.resume();
        slow.write("GET / HTTP/1.1\r\n");
        const drip = setInterval(() => slow.write("X-A: b\r\n"), 500);
        const begun = performance.now();
        await once(slow, "close");
        clearInterval(drip);
        return performance.now() - begun;
      }),
    );
    expect(Math.max(...livedMs)).toBeLessThan(16_000);
  });
});
