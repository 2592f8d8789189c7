// What a second thread costs: a gateway whose port one or two workers serve, and one that is a
// single thread as by default. All threads of the server have one core, so what counts is the CPU
// time of a tick that a subscriber got; on a machine with cores to spare the second worker has one
// of its own. The publisher is in the process of the server, and is counted.
import { setTimeout as wait } from "node:timers/promises";
import { tickwire } from "@tickwire/proto/protobufjs";
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

async function cpuUsPerTick(workers, load) {
  const { topics, each } = load;
  const stand = await startStand({
    name: "tickwire-server.mjs",
    options: { topics, config: { workers } },
    sockets: sessions,
    messages: Array.from({ length: sessions }, (_, session) => messagesOf(session, load)),
  });
  await stand.settle(sessions * each);
  stand.start(load);
  await wait(warmMs);
  const before = await stand.mark();
  await wait(secondsMeasured * 1_000);
  const after = await stand.mark();
  await stand.end();
  const subscribersPerTopic = (sessions * each) / topics;
  const result = between(before, after, { subscribersPerTopic });
  const { frames, readerCores, skippedTurns, closed, seconds, serverCores } = result;
  const perSecond = Math.round(frames / seconds);
  process.stdout.write(
    `${workers} workers: ${perSecond} frames/s, server ${serverCores.toFixed(2)} of a core, ` +
      `readers ${readerCores.toFixed(2)}, ${skippedTurns} turns left out, ${closed} closed\n`,
  );
  return result.cpuUsPerTick;
}

export const about = "CPU time of a tick with one and with two workers on one port";

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
  for (const load of quick ? LOADS.slice(0, 1) : LOADS) {
    const { topics, messages, ticks, turnsPerSecond } = load;
    const name = `${topics} topics, ${messages} x ${ticks} ticks, ${turnsPerSecond} turns/s`;
    const samples = await alternateFigures(
      {
        "1 thread": () => cpuUsPerTick(1, load),
        "1 thread again": () => cpuUsPerTick(1, load),
        "2 workers": () => cpuUsPerTick(2, load),
      },
      { rounds },
    );
    const reference = samples["1 thread"];
    rows.push(
      ...Object.entries(samples).map(([candidate, values]) =>
        row(name, candidate, "CPU us/tick", values, {
          ...(candidate === "1 thread" ? {} : { reference }),
          ...(candidate === "2 workers" ? { target: TARGET } : {}),
        }),
      ),
    );
  }
  return rows;
}
