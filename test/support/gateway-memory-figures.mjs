// Bytes of memory that a gateway takes to deliver, on its whole way: publisher, bus, hub, sessions,
// sockets. Runs on the build, starts the gateway in a process of its own with the flags that
// memory-figures.mjs explains, and prints one JSON object. What the publisher and the clock of the
// turns allocate is the same for one session and for many, so that the difference is a session's.
import { fork } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { tickwire } from "@tickwire/proto/protobufjs";
import { clientFrame } from "../bench/load/client-frame.mjs";

const FLAGS = ["--expose-gc", "--max-semi-space-size=256", "--no-opt"];
const SERVER = join(import.meta.dirname, "../bench/load/tickwire-server.mjs");
const TOPICS = 400;
const SESSIONS = 40;
const TURNS = 250;
const SETTLE_MS_MAX = 30_000;
const PASSES = 5;
const LOAD = { messages: 1, ticks: 1, among: 1 };

const server = fork(SERVER, [JSON.stringify({ topics: TOPICS })], { execArgv: FLAGS });
const [{ port }] = await once(server, "message");

async function mark(collect) {
  const said = once(server, "message");
  server.send({ kind: "mark", collect, subscriptions: true });
  const [counts] = await said;
  return counts;
}

/** Until the gateway is as asked. */
async function until(isWanted, what) {
  const untilMs = performance.now() + SETTLE_MS_MAX;
  for (;;) {
    const counts = await mark(false);
    if (isWanted(counts)) return;
    if (performance.now() > untilMs) throw new Error(`the gateway has no ${what} yet`);
    await wait(10);
  }
}

const frame = (message) =>
  clientFrame(tickwire.v1.ClientFrame.encode({ messages: [message] }).finish()).subarray(4);
const UPGRADE =
  "GET /v1/ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" +
  "Sec-WebSocket-Protocol: tickwire.v1\r\n\r\n";

/** A session with this many of the topics; it reads, and looks at nothing. */
async function open(topics) {
  const names = Array.from({ length: topics }, (_, index) => ({
    topic: `bench:SYM${String(index).padStart(5, "0")}-USDT/trades`,
  }));
  const socket = connect(port, "127.0.0.1");
  socket.write(UPGRADE);
  await once(socket, "data");
  socket.write(frame({ hello: { protocolVersion: 1, clientName: "figures" } }));
  socket.write(frame({ subscribe: { requestId: 1, topics: names } }));
  socket.resume();
}

/** Bytes that a turn allocates in which every session gets a batch. */
async function allocatedPerTurn() {
  const samples = [];
  for (let pass = 0; pass < PASSES; pass += 1) {
    const said = once(server, "message");
    server.send({ kind: "allocate", turns: TURNS, ...LOAD });
    const [{ bytesPerTurn }] = await said;
    samples.push(bytesPerTurn);
  }
  // What is allocated once was allocated in the first.
  return samples.slice(1).toSorted((a, b) => a - b)[(PASSES - 1) >> 1];
}

await open(1);
await until(({ subscriptions }) => subscriptions === 1, "subscription");
const alone = await allocatedPerTurn();
for (let session = 0; session < SESSIONS; session += 1) await open(1);
await until(({ subscriptions }) => subscriptions === SESSIONS + 1, "further subscriptions");
const together = await allocatedPerTurn();
const { usedBytes: before } = await mark(true);
await open(TOPICS);
await until(({ subscriptions }) => subscriptions === SESSIONS + 1 + TOPICS, "topics");
server.send({ kind: "allocate", turns: 1, messages: TOPICS, ticks: 1 });
await once(server, "message");
const { usedBytes: after } = await mark(true);
const figures = {
  allocatedToDeliverABatch: Math.round((together - alone) / SESSIONS),
  keptOfATopicAtAGateway: Math.round((after - before) / TOPICS),
};
process.stdout.write(`${JSON.stringify(figures)}\n`);
server.kill("SIGKILL");
process.exit();
