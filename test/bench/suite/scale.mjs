// What a second thread costs: a gateway whose port one or two workers serve, and one that is a
// single thread as by default; what a second gateway costs, where each reads the topics from NATS;
// and what a second ingestor of a venue costs. All threads of the servers have one core, so what
// counts is the CPU time of a tick that a subscriber got; frames a second, where each thread may
// have a core, are measured apart (scale-cores.mjs). The publisher is in the process of the (first)
// server, and is counted; nats-server is not. Each candidate has its servers and readers for all
// rounds of a load.
import { subscribing } from "../load/readers-messages.mjs";
import { startNats } from "../load/nats.mjs";
import { compiled, startStand } from "../load/stand.mjs";
import { alternateFigures, row } from "./measure.mjs";
import { coreRows } from "./scale-cores.mjs";
import { ingestorRows } from "./scale-ingestors.mjs";

/** Of a look: what a load begins with, what is looked at, and what is under way when it ends. */
const LOOK = { steadyMs: 100, ms: 350, restMs: 50 };
/** Each thread compiles its code for itself, while it serves: at first it gets more to serve. */
let warmMs = 2_500;
const WARM_FACTOR = 3;
let sessions = 1_000;
const LOADS = [
  { topics: 1, each: 1, messages: 1, ticks: 16, turnsPerSecond: 40 },
  { topics: 1_000, each: 50, messages: 256, ticks: 1, turnsPerSecond: 12, hasGateways: true },
];
const TARGET = "<= 1.10";

/**
 * Servers that are given these options, one for each, of which the first publishes, with `sessions`
 * readers that they share.
 */
async function openStands(servers, load) {
  const { topics, each } = load;
  const own = sessions / servers.length;
  const stands = [];
  for (const options of servers) {
    const stand = await startStand({
      name: "tickwire-server.mjs",
      options: { topics, ...options },
      sockets: own,
      messages: subscribing(own, load),
    });
    await stand.settle(own * each);
    stands.push(stand);
  }
  return stands;
}

/** CPU time of a tick that one of the sessions got, of all servers together. */
async function cpuUsPerTick(name, [first, ...others], load) {
  const markOthers = () => Promise.all(others.map((stand) => stand.mark()));
  const before = await markOthers();
  const { cpuUs, ticks, whole } = await first.look(load, LOOK);
  const after = await markOthers();
  const gained = (key, of) =>
    after.reduce((total, mark, index) => total + mark[of][key] - before[index][of][key], 0);
  const closed = after.reduce((total, { read }) => total + read.closed, whole.closed);
  if (whole.skippedTurns > 0 || closed > 0) {
    process.stdout.write(`${name}: ${whole.skippedTurns} turns left out, ${closed} closed\n`);
  }
  const perTopic = (sessions * load.each) / load.topics;
  return {
    // What others take is of the whole load: they make no turns of their own.
    us: cpuUs / (ticks * perTopic) + gained("cpuUs", "sent") / (whole.ticks * perTopic),
    frames: (whole.frames + gained("frames", "read")) / whole.seconds,
  };
}

/** Candidates by name, each with the options of its servers; one may be there twice. */
async function samplesOf(candidates, load, rounds) {
  const all = [...new Set(Object.values(candidates))];
  // They all start at once: nothing is measured yet.
  const stands = await Promise.all(all.map((servers) => openStands(servers, load)));
  // One after the other: they have one core.
  const warm = { ...load, turnsPerSecond: WARM_FACTOR * load.turnsPerSecond };
  for (const [first] of stands) await first.look(warm, { ...LOOK, ms: warmMs });
  for (const stand of stands.flat()) await stand.settle(0);
  const opened = new Map(all.map((servers, index) => [servers, stands[index]]));
  const looks = Object.entries(candidates).map(([name, servers]) => [
    name,
    () => cpuUsPerTick(name, opened.get(servers), load),
  ]);
  const looked = await alternateFigures(Object.fromEntries(looks), { rounds, isWarm: true });
  await Promise.all(stands.flat().map((stand) => stand.end()));
  const said = Object.entries(looked).map(
    ([name, values]) => `${name} ${Math.round(values.at(-1).frames)}`,
  );
  process.stdout.write(`frames/s in the last round: ${said.join(", ")}\n`);
  return Object.fromEntries(
    Object.entries(looked).map(([name, values]) => [name, values.map(({ us }) => us)]),
  );
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
  const one = [{ config: { workers: 1 } }];
  const two = [{ config: { workers: 2 } }];
  const candidates = { "1 thread": one, "1 thread again": one, "2 workers": two };
  return rowsOf(name, await samplesOf(candidates, load, rounds), TARGET);
}

/** Each candidate has a NATS of its own: they publish the same topics. */
async function gatewaysOf(name, load, [first, second], rounds) {
  const one = [{ nats: first.url }];
  const two = [{ nats: second.url }, { nats: second.url, follows: true }];
  const candidates = { "1 gateway": one, "1 gateway again": one, "2 gateways": two };
  return rowsOf(`NATS, ${name}`, await samplesOf(candidates, load, rounds));
}

export const about =
  "CPU time of a tick with one and two workers, gateways on NATS, and ingestors of a venue";

export async function run({ rounds, quick, only = "" }) {
  if (compiled("readers") === undefined) {
    process.stdout.write("left out: there is no C compiler for the readers\n");
    return [];
  }
  if (quick) {
    // What shows that the benchmark works.
    warmMs = 200;
    sessions = 50;
    return await workersOf("quick", LOADS[0], rounds);
  }
  const rows = [];
  const wanted = (part) => part.includes(only);
  for (const load of LOADS) {
    const { topics, messages, ticks, turnsPerSecond } = load;
    const name = `${topics} topics, ${messages} x ${ticks} ticks, ${turnsPerSecond} turns/s`;
    if (wanted("workers")) rows.push(...(await workersOf(name, load, rounds)));
    // A second gateway reads all topics again: it is measured where there are many.
    if (!wanted("gateways") || load.hasGateways !== true) continue;
    const servers = [await startNats(), await startNats()];
    if (servers[0] === undefined) process.stdout.write("left out: there is no nats-server\n");
    else {
      rows.push(...(await gatewaysOf(name, load, servers, rounds)));
      for (const server of servers) server.stop();
    }
  }
  if (wanted("cores")) rows.push(...(await coreRows(rounds)));
  if (wanted("ingestors")) rows.push(...(await ingestorRows(rounds)));
  return rows;
}
