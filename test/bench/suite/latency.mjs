// How long an event takes from its publisher to a subscriber's reader, on one topic that many have:
// publisher, bus, hub, sessions, sockets. Beside it uWebSockets.js alone that sends bytes of the
// same length, made before, as soon as they are there; on NATS with the same hop over a server. The
// clock is read where the event is handed to the publisher, and where a reader (C) finds it.
import { setTimeout as wait } from "node:timers/promises";
import { firstTopics, HELLO, naming, subscribe, subscribing } from "../load/readers-messages.mjs";
import { startNats } from "../load/nats.mjs";
import { compiled, startStand } from "../load/stand.mjs";
import { alternateFigures, row } from "./measure.mjs";

/** Of one look at a candidate; the candidates of a load take turns. */
let seconds = 0.4;
let warmUpSeconds = 3;
/** Loads of so many sessions are put on the same servers, one after the other. */
const STANDS = [
  { sessions: 300, loads: [{ name: "30 k/s", turnsPerSecond: 100 }] },
  {
    sessions: 1_000,
    loads: [
      { name: "100 k/s", turnsPerSecond: 100 },
      { name: "250 k/s", turnsPerSecond: 250 },
    ],
  },
];
const RATIO_GOALS = { p50Us: "<= 1.3", p99Us: "<= 1.5" };
/** Of a frame with one stamped trade. */
const FRAME_BYTES = 48;

/** The measured topic, and others that only one session has: what they bring gets code compiled. */
const TOPICS = 50;
const WARM_UP = { turnsPerSecond: 100, messages: TOPICS, ticks: 1 };
/**
 * More than anybody can send, from topics of which each session has some: what is late must not
 * grow. The publisher is in the server's process and makes as many turns as that lets it.
 */
const OVERLOAD = {
  name: "1,000 topics, 4 M/s",
  sessions: 1_000,
  shape: { topics: 1_000, each: 50 },
  load: { turnsPerSecond: 80, messages: 1_000, ticks: 1 },
};

/** A server with its readers, which has run for a while: what is measured is compiled. */
async function openStand(sessions, { server, options, messages, subscriptions, warmUp = WARM_UP }) {
  const stand = await startStand({
    name: server,
    options: { topics: TOPICS, ...options, stamped: true },
    messages,
    sockets: sessions,
    stamps: true,
  });
  await stand.settle(subscriptions);
  stand.start(warmUp);
  await wait(warmUpSeconds * 1_000);
  stand.stop();
  await stand.settle(subscriptions);
  return stand;
}

/** What the readers found in a while under a load, behind its first moments. */
async function look(stand, load, { leavesOut = false } = {}) {
  stand.start(load);
  await wait(150);
  const before = await stand.mark();
  await wait(seconds * 1_000);
  const { read, sent, atMs } = await stand.mark();
  stand.stop();
  const skippedTurns = sent.skippedTurns - before.sent.skippedTurns;
  if (read.closed > 0 || (skippedTurns > 0 && !leavesOut)) {
    process.stdout.write(`${read.closed} sockets closed, ${skippedTurns} turns left out\n`);
  }
  // What a second load would find under way.
  await wait(50);
  return { ...read, perSecond: read.stamps / ((atMs - before.atMs) / 1_000) };
}

const ours = (sessions, options) => ({
  server: "tickwire-server.mjs",
  options,
  messages: Array.from({ length: sessions }, (_, session) => [
    HELLO,
    subscribe(firstTopics(session === 0 ? TOPICS : 1)),
  ]),
  subscriptions: sessions + TOPICS - 1,
});
const bare = (sessions, options) => ({
  server: "uws-server.mjs",
  options: { ...options, how: "send", bytesPerTick: FRAME_BYTES },
  messages: [[]],
  subscriptions: sessions,
});

/** Rows of one load, of which the servers are open. */
async function rowsOf(name, { turnsPerSecond, deliveries }, stands, rounds) {
  const load = { turnsPerSecond, messages: 1, ticks: 1, among: 1 };
  const library = () => look(stands.bare, load);
  const candidates = {
    tickwire: () => look(stands.ours, load),
    "uWebSockets.js": library,
    "uWebSockets.js again": library,
  };
  const results = await alternateFigures(candidates, { rounds, isWarm: true });
  const goals = turnsPerSecond > 100 ? { perSecond: `>= ${deliveries}` } : RATIO_GOALS;
  return rowsOfResults(name, results, goals);
}

function rowsOfResults(name, results, goals) {
  const reference = results["uWebSockets.js"];
  return Object.entries(results).flatMap(([candidate, samples]) =>
    [
      ["p50Us", "p50 us"],
      ["p99Us", "p99 us"],
      ["perSecond", "deliveries/s"],
    ].map(([key, unit]) =>
      row(
        name,
        candidate,
        unit,
        samples.map((sample) => sample[key]),
        {
          ...(candidate === "uWebSockets.js"
            ? {}
            : { reference: reference.map((sample) => sample[key]) }),
          ...(candidate === "tickwire" ? { target: goals[key] } : {}),
        },
      ),
    ),
  );
}

/** Rows of all loads with so many sessions over one bus. */
async function rowsOfStand({ sessions, loads }, { bus, options, rounds, only }) {
  const named = loads.map((load) => ({ ...load, title: `${load.name}, ${bus}` }));
  const wanted = named.filter(({ title }) => title.includes(only));
  if (wanted.length === 0) return [];
  // Both start at once: nothing is measured yet.
  const [own, library] = await Promise.all([
    openStand(sessions, ours(sessions, options)),
    openStand(sessions, bare(sessions, options)),
  ]);
  const stands = { ours: own, bare: library };
  const rows = [];
  for (const load of wanted) {
    const deliveries = load.turnsPerSecond * sessions;
    rows.push(...(await rowsOf(load.title, { ...load, deliveries }, stands, rounds)));
  }
  await Promise.all(Object.values(stands).map((stand) => stand.end()));
  return rows;
}

/** Rows of the load that nobody can keep up with. */
async function overloadRows(rounds) {
  const { name, sessions, shape, load } = OVERLOAD;
  const subscriptions = sessions * shape.each;
  const open = (server, options, messages) =>
    openStand(sessions, {
      server,
      options: { topics: shape.topics, ...options },
      messages,
      subscriptions,
      warmUp: { ...load, turnsPerSecond: 12 },
    });
  const [own, library] = await Promise.all([
    open("tickwire-server.mjs", {}, subscribing(sessions, shape)),
    open("uws-server.mjs", { how: "publish", bytesPerTick: FRAME_BYTES }, naming(sessions, shape)),
  ]);
  const of = (stand) => async () => {
    const found = await look(stand, load, { leavesOut: true });
    await stand.settle(subscriptions);
    return found;
  };
  const candidates = {
    tickwire: of(own),
    "uWebSockets.js": of(library),
    "uWebSockets.js again": of(library),
  };
  const results = await alternateFigures(candidates, { rounds, isWarm: true });
  await Promise.all([own.end(), library.end()]);
  return rowsOfResults(name, results, {});
}

export const about = "time from a publisher to the bytes that a subscriber reads";

export async function run({ rounds, quick, only = "" }) {
  if (compiled("readers") === undefined) {
    process.stdout.write("left out: there is no C compiler for the readers\n");
    return [];
  }
  if (quick) {
    // What shows that the benchmark works.
    seconds = 0.5;
    warmUpSeconds = 0.3;
    const few = { ...STANDS[0], sessions: 50 };
    return await rowsOfStand(few, { bus: "memory", options: {}, rounds, only });
  }
  const nats = await startNats();
  if (nats === undefined) process.stdout.write("left out: NATS, there is no nats-server\n");
  const buses = { memory: {}, ...(nats === undefined ? {} : { NATS: { nats: nats.url } }) };
  const rows = [];
  try {
    for (const what of STANDS) {
      for (const [bus, options] of Object.entries(buses)) {
        rows.push(...(await rowsOfStand(what, { bus, options, rounds, only })));
      }
    }
  } finally {
    nats?.stop();
  }
  if (OVERLOAD.name.includes(only)) rows.push(...(await overloadRows(rounds)));
  return rows;
}
