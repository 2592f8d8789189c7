// What a second thread costs: a gateway whose port one or two workers serve, and one that is a
// single thread as by default; and what a second gateway costs, where each reads the topics from
// NATS. All threads of the servers have one core, so what counts is the CPU time of a tick that a
// subscriber got; on a machine with cores to spare the second has one of its own. The publisher is
// in the process of the (first) server, and is counted; nats-server is not.
import { setTimeout as wait } from "node:timers/promises";
import { tickwire } from "@tickwire/proto/protobufjs";
import { startNats } from "../load/nats.mjs";
import { between, compiled, startStand } from "../load/stand.mjs";
import { alternateFigures, row } from "./measure.mjs";

let secondsMeasured = 4;
/** Each thread compiles its code for itself, while it serves. */
let warmMs = 4_000;
let sessions = 1_000;
const LOADS = [
  { topics: 1, each: 1, messages: 1, ticks: 16, turnsPerSecond: 40 },
  { topics: 1_000, each: 50, messages: 256, ticks: 1, turnsPerSecond: 12 },
];
const TARGET = "<= 1.10";

const frame = (message) =>
  Buffer.from(tickwire.v1.ClientFrame.encode({ messages: [message] }).finish());
const HELLO = frame({ hello: { protocolVersion: 1, clientName: "load" } });
const topicName = (index) => `bench:SYM${String(index).padStart(5, "0")}-USDT/trades`;

function messagesOf(session, { topics, each }) {
  const names = Array.from({ length: each }, (_, index) => ({
    topic: topicName((session * 7 + index * 20) % topics),
  }));
  return [HELLO, frame({ subscribe: { requestId: 1, topics: names } })];
}

/**
 * CPU time of a tick that one of `sessions` got, of servers that are given these options, one for
 * each. The first of them publishes.
 */
async function cpuUsPerTick(name, servers, load) {
  const { topics, each } = load;
  const own = sessions / servers.length;
  const stands = [];
  for (const options of servers) {
    const stand = await startStand({
      name: "tickwire-server.mjs",
      options: { topics, ...options },
      sockets: own,
      messages: Array.from({ length: own }, (_, session) => messagesOf(session, load)),
    });
    await stand.settle(own * each);
    stands.push(stand);
  }
  const markAll = () => Promise.all(stands.map((stand) => stand.mark()));
  stands[0].start(load);
  await wait(warmMs);
  const before = await markAll();
  await wait(secondsMeasured * 1_000);
  const after = await markAll();
  await Promise.all(stands.map((stand) => stand.end()));
  const subscribersPerTopic = (sessions * each) / topics;
  const results = before.map((mark, index) => between(mark, after[index], { subscribersPerTopic }));
  const sum = (key) => results.reduce((total, result) => total + result[key], 0);
  const [{ seconds, ticks }] = results;
  process.stdout.write(
    `${name}: ${Math.round(sum("frames") / seconds)} frames/s, ` +
      `servers ${sum("serverCores").toFixed(2)} of a core, ` +
      `readers ${sum("readerCores").toFixed(2)}, ` +
      `${sum("skippedTurns")} turns left out, ${sum("closed")} closed\n`,
  );
  return (1e6 * sum("serverCores") * seconds) / ticks;
}

function rowsOf(name, samples, target) {
  const [reference, last] = [Object.keys(samples)[0], Object.keys(samples).at(-1)];
  return Object.entries(samples).map(([candidate, values]) =>
    row(name, candidate, "CPU us/tick", values, {
      ...(candidate === reference ? {} : { reference: samples[reference] }),
      ...(candidate === last ? { target } : {}),
    }),
  );
}

async function workersOf(name, load, rounds) {
  const measure = (workers) => () =>
    cpuUsPerTick(`${workers} workers`, [{ config: { workers } }], load);
  const samples = await alternateFigures(
    { "1 thread": measure(1), "1 thread again": measure(1), "2 workers": measure(2) },
    { rounds },
  );
  return rowsOf(name, samples, TARGET);
}

async function gatewaysOf(name, load, nats, rounds) {
  const one = () => cpuUsPerTick("1 gateway", [{ nats }], load);
  const two = () => cpuUsPerTick("2 gateways", [{ nats }, { nats, follows: true }], load);
  const samples = await alternateFigures(
    { "1 gateway": one, "1 gateway again": one, "2 gateways": two },
    { rounds },
  );
  return rowsOf(`NATS, ${name}`, samples);
}

export const about = "CPU time of a tick with one and two workers, and with two gateways on NATS";

export async function run({ rounds, quick }) {
  if (compiled("readers") === undefined) {
    process.stdout.write("left out: there is no C compiler for the readers\n");
    return [];
  }
  if (quick) {
    // What shows that the benchmark works.
    secondsMeasured = 0.5;
    warmMs = 200;
    sessions = 50;
  }
  const rows = [];
  const nats = quick ? undefined : await startNats();
  if (nats === undefined && !quick) {
    process.stdout.write("left out: two gateways on NATS, there is no nats-server\n");
  }
  try {
    for (const load of quick ? LOADS.slice(0, 1) : LOADS) {
      const { topics, messages, ticks, turnsPerSecond } = load;
      const name = `${topics} topics, ${messages} x ${ticks} ticks, ${turnsPerSecond} turns/s`;
      rows.push(...(await workersOf(name, load, rounds)));
      if (nats !== undefined) rows.push(...(await gatewaysOf(name, load, nats.url, rounds)));
    }
  } finally {
    nats?.stop();
  }
  return rows;
}
