// Measures what services/cli/capacity/costs.ts counts with, and how far the model is from points
// that it was not made of. Runs on the build: npm run build && node test/bench/capacity.bench.mjs
//
// A server with publisher, bus and gateway has one core, readers in C another. `message` is the
// whole way of a message to the gateway, its publisher included, so that it is an upper bound; what
// the publisher does is said apart, measured where hardly anybody wants its messages.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { connect } from "@nats-io/transport-node";
import { tickwire } from "@tickwire/proto/protobufjs";
import { compiled, startStand } from "./load/stand.mjs";
import { COSTS } from "#cli/capacity/costs.ts";

const SECONDS = 1;
const TOPICS = 1_000;

const frame = (message) =>
  Buffer.from(tickwire.v1.ClientFrame.encode({ messages: [message] }).finish());
const HELLO = frame({ hello: { protocolVersion: 1, clientName: "load" } });
const topicName = (index) => `bench:SYM${String(index).padStart(5, "0")}-USDT/trades`;
const subscribe = (topics) =>
  frame({
    subscribe: { requestId: 1, topics: topics.map((topic) => ({ topic: topicName(topic) })) },
  });

/** Each topic gets as many subscribers as the others. */
const topicsOf = (session, count, topics) =>
  Array.from({ length: count }, (_, index) => (session * 7 + index * 21) % topics);

async function start({ sessions, topicsPerSession, topics, workers = 1 }) {
  const messages = Array.from({ length: sessions }, (_, session) => [
    HELLO,
    subscribe(topicsOf(session, topicsPerSession, topics)),
  ]);
  const options = { topics, config: { workers } };
  const stand = await startStand({
    name: "tickwire-server.mjs",
    options,
    sockets: sessions,
    messages,
  });
  await stand.settle(sessions * topicsPerSession);
  return stand;
}

/** What happened in a second, and the CPU time that it took. */
async function point(load) {
  const { sessions, topicsPerSession, topics, messages, turnsPerSecond } = load;
  const stand = await start(load);
  stand.start({ turnsPerSecond, messages, ticks: 1 });
  await wait(1_000);
  const before = await stand.mark();
  await wait(SECONDS * 1_000);
  const after = await stand.mark();
  await stand.end();
  const seconds = (after.atMs - before.atMs) / 1_000;
  const rate = (count) => count / seconds;
  const sent = rate(after.sent.messages - before.sent.messages);
  return {
    cpuUs: rate(after.sent.cpuUs - before.sent.cpuUs),
    frames: rate(after.read.frames - before.read.frames),
    messages: sent,
    deliveries: (sent * sessions * topicsPerSession) / topics,
  };
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const print = (line) => process.stdout.write(`${line}\n`);

const ROUNDS = 3;
const ONE = { sessions: 1_000, topicsPerSession: 1, topics: 1, messages: 1, turnsPerSecond: 40 };
const MANY = { sessions: 1_000, topicsPerSession: 50, topics: TOPICS };

async function several(what) {
  const points = [];
  for (let round = 0; round < ROUNDS; round += 1) points.push(await point(what));
  const result = Object.fromEntries(
    Object.keys(points[0]).map((key) => [key, median(points.map((each) => each[key]))]),
  );
  const { workers = 1 } = what;
  const shown = Object.entries(result).map(([key, value]) => `${key} ${Math.round(value)}`);
  const shape = `${what.sessions} sessions x ${what.topicsPerSession}, ${workers} threads`;
  print(`  ${shape}: ${shown.join(", ")} a second`);
  return result;
}

async function measure() {
  const one = await several(ONE);
  const frameUs = one.cpuUs / one.frames;
  const many = await several({ ...MANY, messages: 1_000, turnsPerSecond: 12 });
  // Of a thousand topics, all or one are wanted.
  const few = { ...ONE, topics: TOPICS, messages: 1_000, turnsPerSecond: 12 };
  const unwanted = await several({ ...few, sessions: 1 });
  const dense = await several({ ...few, sessions: 1, topicsPerSession: TOPICS });
  const publishUs = (unwanted.cpuUs - unwanted.frames * frameUs) / unwanted.messages;
  const messageUs = (dense.cpuUs - dense.frames * frameUs) / dense.messages;
  const rest = many.cpuUs - many.frames * frameUs - many.messages * messageUs;
  const deliveryUs = Math.max(0, rest / many.deliveries);
  // Two sessions of all topics, on one thread and on two workers, each of which has one of them.
  const pair = { ...few, sessions: 2, topicsPerSession: TOPICS };
  const onOne = await several(pair);
  const onTwo = await several({ ...pair, workers: 2 });
  const more = (onTwo.cpuUs - onOne.cpuUs) / onTwo.messages;
  const handOnUs = Math.max(0, more / 2);
  print(`handOnUs ${handOnUs.toFixed(2)}, COSTS has ${COSTS.handOnUs}`);
  print(`publishUs ${publishUs.toFixed(2)}, of the publisher of these points`);
  print(`frameUs ${frameUs.toFixed(2)}, COSTS has ${COSTS.frameUs}`);
  print(`messageUs ${messageUs.toFixed(2)}, COSTS has ${COSTS.messageUs}`);
  print(`deliveryUs ${deliveryUs.toFixed(3)}, COSTS has ${COSTS.deliveryUs}`);
}

const NATS_PORT = 24_987;
const NATS_MESSAGES = 200_000;

/** What a message costs nats-server, in or out, and its clients, to publish or to receive. */
async function nats() {
  const server = spawn("nats-server", ["-a", "127.0.0.1", "-p", String(NATS_PORT)], {
    stdio: "ignore",
  });
  const gone = once(server, "exit");
  await wait(1_000);
  const serverMs = () => {
    const fields = readFileSync(`/proc/${server.pid}/stat`, "utf8").split(") ")[1].split(" ");
    return (Number(fields[11]) + Number(fields[12])) * 10;
  };
  const clientUs = () => {
    const { user, system } = process.cpuUsage();
    return user + system;
  };
  const costs = [];
  for (const readers of [0, 3]) {
    const address = { servers: `127.0.0.1:${NATS_PORT}` };
    const connections = await Promise.all(
      Array.from({ length: readers + 1 }, () => connect(address)),
    );
    const [publisher, ...others] = connections;
    for (const other of others) other.subscribe(">", { callback: () => undefined });
    for (const other of others) await other.flush();
    const before = { server: serverMs(), client: clientUs() };
    for (let index = 1; index <= NATS_MESSAGES; index += 1) {
      publisher.publish(`md.v2.bench.trades.SYM${index % 100}`, new Uint8Array(80));
      if (index % 500 === 0) await publisher.flush();
    }
    for (const connection of connections) await connection.flush();
    costs.push({
      server: ((serverMs() - before.server) * 1_000) / (NATS_MESSAGES * (1 + readers)),
      client: (clientUs() - before.client) / NATS_MESSAGES,
    });
    for (const connection of connections) await connection.close();
  }
  server.kill();
  await gone;
  const [alone, read] = costs;
  print(`natsServerUs ${read.server.toFixed(2)}, COSTS has ${COSTS.natsServerUs}`);
  print(`natsPublishUs ${alone.client.toFixed(2)}, COSTS has ${COSTS.natsPublishUs}`);
  const readUs = (read.client - alone.client) / 3;
  print(`natsReadUs ${readUs.toFixed(2)}, COSTS has ${COSTS.natsReadUs}`);
}

async function check() {
  for (const load of [
    { ...MANY, messages: 256, turnsPerSecond: 40 },
    { ...MANY, messages: 64, turnsPerSecond: 60 },
    { ...MANY, topicsPerSession: 10, messages: 256, turnsPerSecond: 40 },
    { ...MANY, messages: 256, turnsPerSecond: 40, workers: 2 },
  ]) {
    const { cpuUs, frames, messages, deliveries } = await several(load);
    const { workers = 1 } = load;
    const { frameUs, messageUs, deliveryUs, handOnUs } = COSTS;
    const ofMessage = messageUs + (workers === 1 ? 0 : workers * handOnUs);
    const model = frames * frameUs + messages * ofMessage + deliveries * deliveryUs;
    const shape = `${load.sessions} sessions x ${load.topicsPerSession}`;
    const name = `${shape}, ${load.messages} messages a turn, ${workers} threads`;
    const cores = (us) => (us / 1e6).toFixed(3);
    print(
      `${name}: ${cores(cpuUs)} cores measured, ${cores(model)} by the model, ${(model / cpuUs).toFixed(2)} of it`,
    );
  }
}

if (compiled("readers") === undefined) print("left out: there is no C compiler for the readers");
else {
  await nats();
  await check();
  await measure();
}
