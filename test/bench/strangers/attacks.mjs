// What `strangers.bench.mjs` does to a gateway. Each attack runs in a process of its own until it
// is ended: `node attacks.mjs PORT NAME`.
import { once } from "node:events";
import { deflateRawSync } from "node:zlib";
import { tickwire } from "@tickwire/proto/protobufjs";
import WebSocket from "ws";

const v1 = tickwire.v1;
const frame = (...messages) => v1.ClientFrame.encode({ messages }).finish();
const HELLO = frame({ hello: { protocolVersion: 1, clientName: "stranger" } });
const CLIENTS = 10;
const url = `ws://127.0.0.1:${process.argv[2]}/v1/ws`;
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function open() {
  const socket = new WebSocket(url, "tickwire.v1", { perMessageDeflate: true });
  socket.on("error", () => {});
  await Promise.race([once(socket, "open"), once(socket, "close")]);
  socket.send(HELLO);
  return socket;
}

/** A client that sends what `next` makes, `perSecond` of them, and comes back when it is closed. */
async function flood(perSecond, next) {
  const perTick = Math.max(1, Math.round(perSecond / 50));
  const tickMs = (1000 / perSecond) * perTick;
  for (;;) {
    const socket = await open();
    while (socket.readyState === WebSocket.OPEN) {
      for (let index = 0; index < perTick; index += 1) socket.send(next());
      await wait(tickMs);
      socket.resume();
    }
    await wait(20);
  }
}

let id = 1;
const call = (method, codec, request, more = {}) => ({
  call: {
    callId: id++,
    method: `tickwire.v1.MarketData/${method}`,
    request: codec === undefined ? undefined : v1[codec].encode(request).finish(),
    ...more,
  },
});
const delimited = (number, bytes) => {
  const head = [number * 8 + 2];
  for (let rest = bytes.length; ; rest = Math.floor(rest / 128)) {
    head.push(rest < 128 ? rest : (rest % 128) + 128);
    if (rest < 128) break;
  }
  return Buffer.concat([Buffer.from(head), bytes]);
};
const repeated = (count, ...bytes) => Buffer.alloc(count * bytes.length, Buffer.from(bytes));
const strings = (count, make) => Array.from({ length: count }, (_, index) => make(index));
const fixed = (bytes) => () => bytes;

/** Which frames, how many a second, by how many clients. */
const ATTACKS = {
  "empty messages": [30, fixed(repeated(524_000, 0x0a, 0))],
  "unknown fields": [30, fixed(delimited(1, repeated(520_000, 0x78, 0)))],
  "unknown messages": [30, fixed(repeated(260_000, 0x0a, 2, 0x78, 0))],
  groups: [30, fixed(repeated(260_000, 0x7b, 0x78, 0, 0x7c))],
  "empty topics": [30, fixed(delimited(1, delimited(2, repeated(520_000, 0x12, 0))))],
  "positions again and again": [
    30,
    fixed(delimited(1, delimited(2, delimited(2, repeated(260_000, 0x2a, 2, 8, 1))))),
  ],
  "long topic": [
    30,
    () => frame({ subscribe: { requestId: id++, topics: [{ topic: "x".repeat(1e6) }] } }),
  ],
  metadata: [
    30,
    () =>
      frame(
        call(
          "GetServerTime",
          undefined,
          {},
          { metadata: Object.fromEntries(strings(60_000, (n) => [`k${n}`, "v"])) },
        ),
      ),
  ],
  "malformed topics": [
    2,
    fixed(
      frame({ subscribe: { requestId: 1, topics: strings(6_000, (n) => ({ topic: `x${n}` })) } }),
    ),
  ],
  "unknown topics": [
    2,
    fixed(
      frame({
        subscribe: {
          requestId: 1,
          topics: strings(6_000, (n) => ({ topic: `one:X${n}/trades` })),
        },
      }),
    ),
  ],
  "all and back": [
    18,
    fixed(
      frame(
        { subscribe: { requestId: 1, topics: [{ topic: "*:*/*" }] } },
        { unsubscribe: { requestId: 2, topics: ["*:*/*"] } },
      ),
    ),
  ],
  "many patterns": [
    2,
    fixed(
      frame({
        subscribe: { requestId: 1, topics: strings(1_000, (n) => ({ topic: `*:SYM${n}-USDT/*` })) },
      }),
    ),
  ],
  "patterns that match nothing": [
    18,
    fixed(
      frame({ subscribe: { requestId: 1, topics: strings(20, () => ({ topic: "*:*/funding" })) } }),
    ),
  ],
  unsubscribes: [
    18,
    fixed(
      frame({ unsubscribe: { requestId: 1, topics: strings(1_000, (n) => `one:X${n}/trades`) } }),
    ),
  ],
  "pings of WebSocket": [30, fixed(repeated(5_000, 0x89, 0x80, 0, 0, 0, 0))],
  pings: [450, fixed(frame({ ping: { nonce: 1 } }))],
  ListInstruments: [
    450,
    () => frame(call("ListInstruments", "ListInstrumentsRequest", { base: "NONE" })),
  ],
  "ListInstruments, whole pages": [
    450,
    () => frame(call("ListInstruments", "ListInstrumentsRequest", {})),
  ],
  "GetStatus of a lost venue": [
    450,
    () => frame(call("GetStatus", "GetStatusRequest", { venue: "lost" })),
  ],
  "calls and cancels": [
    220,
    () => {
      const { call: value } = call("GetTrades", "GetTradesRequest", {
        venue: "one",
        symbol: "SYM1-USDT",
      });
      return frame({ call: value }, { cancel: { callId: value.callId } });
    },
  ],
};

const name = process.argv[3];
if (name === undefined) {
  process.stdout.write(JSON.stringify(Object.keys(ATTACKS)));
} else {
  const [perSecond, next] = ATTACKS[name];
  const big = next().length > 100_000 && name !== "metadata";
  // Deflated once, so that the attacker is not what is slow.
  if (name === "pings of WebSocket") {
    await Promise.all(strings(CLIENTS, () => floodRaw(perSecond, next())));
  } else if (big) {
    const deflated = deflateRawSync(next(), { finishFlush: 2 }).subarray(0, -4);
    await Promise.all(strings(CLIENTS, () => floodRaw(perSecond, deflatedFrame(deflated))));
  } else {
    await Promise.all(strings(CLIENTS, () => flood(perSecond, next)));
  }
}

/** As `flood`, with bytes that go to the socket as they are. */
async function floodRaw(perSecond, bytes) {
  for (;;) {
    const socket = await open();
    while (socket.readyState === WebSocket.OPEN) {
      socket._socket.write(bytes);
      await wait(1000 / perSecond);
    }
    await wait(20);
  }
}

function deflatedFrame(payload) {
  const head = payload.length < 126 ? Buffer.alloc(6) : Buffer.alloc(8);
  head[0] = 0xc2;
  head[1] = 0x80 + (payload.length < 126 ? payload.length : 126);
  if (payload.length >= 126) head.writeUInt16BE(payload.length, 2);
  // The mask is 0, so the payload goes as it is.
  return Buffer.concat([head, payload]);
}
