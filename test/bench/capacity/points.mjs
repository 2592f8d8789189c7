// The loads by which the model of capacity is made and checked, and the servers that carry them.
import { subscribing } from "../load/readers-messages.mjs";
import { startNats } from "../load/nats.mjs";
import { startStand } from "../load/stand.mjs";

/**
 * A server that carries a load is never at rest: what comes after a pause costs more at first. And
 * a look has to be long against the pauses between two collections of garbage, which count.
 */
const LOOK = { steadyMs: 500, ms: 1_200, restMs: 100 };
const WARM_MS = 3_000;
/** A server that took more of its core could do no more, and its figures are of another load. */
const BUSY_CORES = 0.95;
const TOPICS = 1_000;

/** Sessions, topics of each, topics in all, and what the gateway is. */
const SERVERS = {
  nobody: { sessions: 1, each: 1, topics: TOPICS },
  one: { sessions: 1_000, each: 1, topics: 1 },
  crowd: { sessions: 5_000, each: 1, topics: 1 },
  few: { sessions: 1_000, each: 10, topics: TOPICS },
  some: { sessions: 500, each: 40, topics: TOPICS },
  many: { sessions: 1_000, each: 50, topics: TOPICS },
  pair: { sessions: 2, each: TOPICS, topics: TOPICS },
  "pair, 2 workers": { sessions: 2, each: TOPICS, topics: TOPICS, workers: 2 },
  "many, 2 workers": { sessions: 1_000, each: 50, topics: TOPICS, workers: 2 },
  "many, NATS": { sessions: 1_000, each: 50, topics: TOPICS, overNats: true },
};

/** Messages a turn and turns a second: of each, what its publisher takes is measured as well. */
const PACES = {
  one: { messages: 1, turnsPerSecond: 40 },
  slow: { messages: 1, turnsPerSecond: 10 },
  full: { messages: 1_000, turnsPerSecond: 12 },
  part: { messages: 256, turnsPerSecond: 40 },
  little: { messages: 64, turnsPerSecond: 60 },
  half: { messages: 500, turnsPerSecond: 20 },
  calm: { messages: 256, turnsPerSecond: 12 },
};

const point = (kind, server, pace) => {
  const { messages, turnsPerSecond } = PACES[pace];
  const { sessions, each, workers, overNats } = SERVERS[server];
  const over = (overNats ? ", over NATS" : "") + (workers === 2 ? ", 2 workers" : "");
  const name = `${sessions} sessions x ${each}${over}, ${messages} messages x ${turnsPerSecond}`;
  return { kind, name, server, pace, workers, overNats };
};

/** A pace comes after what its publisher takes. */
export const POINTS = [
  ...Object.keys(PACES).map((pace) => point("publisher", "nobody", pace)),
  point("frame", "one", "one"),
  point("frame", "crowd", "slow"),
  ...["full", "part", "little"].map((pace) => point("fitted", "many", pace)),
  ...["full", "part", "little"].map((pace) => point("fitted", "few", pace)),
  point("fitted", "pair", "full"),
  point("two workers", "pair, 2 workers", "full"),
  point("over NATS", "many, NATS", "part"),
  point("checked", "some", "half"),
  point("checked", "some", "part"),
  point("checked", "many", "calm"),
  point("checked", "many, 2 workers", "calm"),
  point("checked", "many, NATS", "calm"),
];

async function openServer(shape, options) {
  const { sessions, each, topics, workers = 1 } = shape;
  const stand = await startStand({
    name: "tickwire-server.mjs",
    options: { topics, config: { workers }, ...options },
    sockets: sessions,
    messages: subscribing(sessions, shape),
  });
  await stand.settle(sessions * each);
  return stand;
}

/** One that publishes for itself; what it does for a while under a load. */
async function openAlone(shape) {
  const stand = await openServer(shape, {});
  return { look: (load, how) => stand.look(load, how), end: () => stand.end() };
}

/** A gateway of its own whose publisher is in another process, over NATS. */
async function openOverNats(shape) {
  const nats = await startNats();
  if (nats === undefined) return undefined;
  const publisher = await openServer(
    { ...SERVERS.nobody, topics: shape.topics },
    { nats: nats.url },
  );
  const gateway = await openServer(shape, { nats: nats.url, follows: true });
  return {
    async look(load, how) {
      const before = await gateway.mark();
      const { whole } = await publisher.look(load, how);
      const after = await gateway.mark();
      return {
        seconds: whole.seconds,
        cpuUs: after.sent.cpuUs - before.sent.cpuUs,
        messages: whole.messages,
        turns: whole.turns,
        whole: { ...whole, frames: after.read.frames - before.read.frames },
      };
    },
    async end() {
      await Promise.all([gateway.end(), publisher.end()]);
      nats.stop();
    },
  };
}

/** All servers, which have run for a while under loads of theirs. */
export async function openServers() {
  const servers = new Map();
  for (const [name, shape] of Object.entries(SERVERS)) {
    const server = await (shape.overNats ? openOverNats(shape) : openAlone(shape));
    if (server === undefined) continue;
    const { pace } = POINTS.findLast((wanted) => wanted.server === name);
    await server.look({ ...PACES[pace], ticks: 1 }, { ...LOOK, ms: WARM_MS });
    servers.set(name, server);
  }
  return servers;
}

/** What publishing takes, by pace, as it was measured last. */
const publisherUs = new Map();

/** What a gateway did in a second, and the CPU time that it took, without its publisher's. */
export async function pointOf({ kind, server: name, pace }, servers) {
  const server = servers.get(name);
  if (server === undefined) return {};
  const { sessions, each, topics, overNats } = SERVERS[name];
  const { seconds, cpuUs, messages, turns, whole } = await server.look(
    { ...PACES[pace], ticks: 1 },
    LOOK,
  );
  const messageUs = cpuUs / messages;
  if (kind === "publisher") publisherUs.set(pace, messageUs);
  const published = overNats ? 0 : publisherUs.get(pace) * messages;
  // Of the pace that was meant: a machine that does something else as well may keep another.
  const { turnsPerSecond } = PACES[pace];
  const rate = (count) => (count / turns) * turnsPerSecond;
  return {
    gatewayUs: rate(cpuUs - published),
    messageUs,
    frames: (whole.frames / whole.turns) * turnsPerSecond,
    messages: rate(messages),
    deliveries: rate((messages * sessions * each) / topics),
    isBusy: cpuUs / seconds / 1e6 > BUSY_CORES ? 1 : 0,
  };
}
