// What it costs the server to give a tick to a subscriber: one topic for all sessions, and many
// topics of which each session has some. The whole way counts: publisher, bus, hub, sessions,
// sockets; of many topics it is also said what it takes without the publisher, which is mostly a
// process of its own. Beside it uWebSockets.js alone that sends bytes made before, and a C program
// that makes one send() a socket and turn. The server has one core, the readers (C) another. Each
// candidate has its server and its readers for all rounds of a load; those that wait cost nothing.
import { setTimeout as wait } from "node:timers/promises";
import { HELLO, naming, subscribe, subscribing } from "../load/readers-messages.mjs";
import { compiled, startLimit, startStand } from "../load/stand.mjs";
import { alternateFigures, row } from "./measure.mjs";

/**
 * Of a look: what a load begins with, what is looked at, and what is under way when it ends. The
 * time of whole turns counts, so that several short looks say more than a long one.
 */
const LOOK = { steadyMs: 80, ms: 280, restMs: 40 };
/** Of a server that has just started, until what it runs is compiled. */
let warmMs = 1_500;
/** What shows that the benchmark works. */
const QUICK = { sessions: 100, ticksPerTurn: [16], turnsPerSecond: 40 };
const ONE_TOPIC = [
  { sessions: 1_000, ticksPerTurn: [16, 64], turnsPerSecond: 40 },
  { sessions: 5_000, ticksPerTurn: [16, 64], turnsPerSecond: 10 },
];
const MANY_TOPICS = [
  { messages: 1_000, turnsPerSecond: 40, target: "<= 0.53" },
  { messages: 1_000, turnsPerSecond: 12, target: "<= 0.71" },
  { messages: 256, turnsPerSecond: 40, target: "<= 0.95" },
  { messages: 64, turnsPerSecond: 60, target: "<= 1.05" },
  // Nobody can keep up with this: what is queued goes out before somebody else's turn.
  { messages: 1_000, turnsPerSecond: 160, target: "", leavesQueues: true },
];
const TOPICS = 1_000;
const SESSIONS = 1_000;
const TOPICS_PER_SESSION = 50;

/** Of many topics: what they bring gets the code of all of them compiled. */
const WARM_MANY = { turnsPerSecond: 30, messages: TOPICS, ticks: 1 };

/** A server with its readers, which has run for a while under the load. */
async function openStand(options, load, subscriptions) {
  const stand = await startStand(options);
  await stand.settle(subscriptions);
  stand.start(load);
  await wait(warmMs);
  stand.stop();
  await stand.settle(subscriptions);
  return stand;
}

/** Microseconds of the server's CPU for a tick that a subscriber got. */
async function look(stand, load, { name, subscribersPerTopic, subscriptions, isWhole }) {
  const { cpuUs, publisherUs, ticks, whole } = await stand.look(load, LOOK);
  if (load.leavesQueues) await stand.settle(subscriptions);
  const framesMin = isWhole ? whole.turns * subscriptions * 0.98 : 0;
  if (whole.frames < framesMin || whole.skippedTurns > 0 || whole.closed > 0) {
    const { frames, turns, skippedTurns, closed } = whole;
    process.stdout.write(
      `${name}: ${frames} frames in ${turns} turns, some joined, ` +
        `${skippedTurns} turns left out, ${closed} sockets closed\n`,
    );
  }
  const perTick = (us) => us / (ticks * subscribersPerTopic);
  return { us: perTick(cpuUs), withoutPublisherUs: perTick(cpuUs - publisherUs) };
}

/** Microseconds of each candidate, one figure a round. */
const samplesOf = (looks) =>
  Object.fromEntries(Object.entries(looks).map(([name, all]) => [name, all.map(({ us }) => us)]));

async function oneTopic({ sessions, ticksPerTurn, turnsPerSecond }, rounds) {
  const warm = { turnsPerSecond, messages: 1, ticks: ticksPerTurn[0] };
  const open = (options) => openStand({ ...options, sockets: sessions }, warm, sessions);
  const own = await open({
    name: "tickwire-server.mjs",
    options: { topics: 1 },
    messages: [[HELLO, subscribe([0])]],
  });
  const rows = [];
  for (const ticks of ticksPerTurn) {
    const load = { turnsPerSecond, messages: 1, ticks };
    rows.push(...(await oneTopicLoad({ sessions, load, own, open }, rounds)));
  }
  await own.end();
  return rows;
}

async function oneTopicLoad({ sessions, load, own, open }, rounds) {
  const { ticks, turnsPerSecond } = load;
  // With one topic, each turn is a frame for each session.
  const subscribed = { subscribersPerTopic: sessions, subscriptions: sessions, isWhole: true };
  const name = `1 topic, ${sessions} sessions, ${ticks} ticks a turn`;
  const { whole } = await own.look(load, LOOK);
  const bytes = Math.round(whole.bytes / whole.frames);
  const bare = await open({
    name: "uws-server.mjs",
    options: { how: "send", topics: 1, bytesPerTick: bytes / ticks },
    messages: [[]],
  });
  const of = (candidate, stand) => () =>
    look(stand, load, { name: `${name}, ${candidate}`, ...subscribed });
  const candidates = {
    tickwire: of("tickwire", own),
    "uWebSockets.js": of("uWebSockets.js", bare),
    "uWebSockets.js again": of("uWebSockets.js again", bare),
  };
  const limit =
    compiled("limit") === undefined
      ? undefined
      : await startLimit({ sockets: sessions, bytes, turnsPerSecond, ticks });
  if (limit !== undefined) {
    candidates["send() in C"] = async () => ({ us: await limit.look(LOOK) });
  }
  const looks = await alternateFigures(candidates, { rounds, isWarm: true });
  const samples = samplesOf(looks);
  await Promise.all([bare.end(), limit?.end()]);
  const reference = samples["uWebSockets.js"];
  return Object.entries(samples).map(([candidate, values]) =>
    row(name, candidate, "CPU us/tick", values, {
      ...(candidate === "uWebSockets.js" ? {} : { reference }),
      ...(candidate === "tickwire" ? { target: "<= 1.05" } : {}),
    }),
  );
}

/** The stands of all loads of many topics. */
async function openManyTopics() {
  const subscriptions = SESSIONS * TOPICS_PER_SESSION;
  const subscribed = { subscriptions, subscribersPerTopic: subscriptions / TOPICS };
  const shape = { topics: TOPICS, each: TOPICS_PER_SESSION };
  const open = (options) => openStand({ ...options, sockets: SESSIONS }, WARM_MANY, subscriptions);
  const own = await open({
    name: "tickwire-server.mjs",
    options: { topics: TOPICS },
    messages: subscribing(SESSIONS, shape),
  });
  // A load that it keeps: what is under way at the end of a look is not counted as delivered.
  const { whole } = await own.look({ ...MANY_TOPICS[1], ticks: 1 }, LOOK);
  const bytesPerTick = whole.bytes / (whole.ticks * subscribed.subscribersPerTopic);
  const openBare = (name, how) =>
    open({
      name,
      options: { how, topics: TOPICS, bytesPerTick },
      messages: naming(SESSIONS, shape),
    });
  // They start at once: nothing is measured yet.
  const [bare, alone] = await Promise.all([
    openBare("uws-server.mjs", "publish"),
    openBare("assembled-server.mjs"),
  ]);
  return { own, bare, alone, subscribed };
}

async function manyTopics({ target, ...shape }, stands, rounds) {
  const { own, bare, alone, subscribed } = stands;
  const load = { ...shape, ticks: 1 };
  const name = `${TOPICS} topics, ${load.messages} messages a turn, ${load.turnsPerSecond} turns/s`;
  const of = (candidate, stand) => () =>
    look(stand, load, { name: `${name}, ${candidate}`, ...subscribed });
  const candidates = {
    tickwire: of("tickwire", own),
    "uWebSockets.js publish()": of("publish()", bare),
    "publish() again": of("publish() again", bare),
    "frames alone": of("frames alone", alone),
  };
  const looks = await alternateFigures(candidates, { rounds, isWarm: true });
  const withoutPublisher = looks.tickwire.map(({ withoutPublisherUs }) => withoutPublisherUs);
  const samples = { "tickwire, without its publisher": withoutPublisher, ...samplesOf(looks) };
  const reference = samples["uWebSockets.js publish()"];
  return Object.entries(samples).map(([candidate, values]) =>
    row(name, candidate, "CPU us/tick", values, {
      ...(candidate === "uWebSockets.js publish()" ? {} : { reference }),
      ...(candidate === "tickwire" ? { target } : {}),
    }),
  );
}

export const about = "CPU time of the server for a tick that a subscriber got";

export async function run({ rounds, quick, only = "" }) {
  if (compiled("readers") === undefined) {
    process.stdout.write("left out: there is no C compiler for the readers\n");
    return [];
  }
  if (quick) {
    warmMs = 300;
    return await oneTopic(QUICK, rounds);
  }
  const rows = [];
  for (const what of ONE_TOPIC) {
    if ("1 topic".includes(only)) rows.push(...(await oneTopic(what, rounds)));
  }
  const many = MANY_TOPICS.filter(({ messages }) => `${TOPICS} topics, ${messages}`.includes(only));
  if (many.length === 0) return rows;
  const stands = await openManyTopics();
  for (const what of many) rows.push(...(await manyTopics(what, stands, rounds)));
  const { own, bare, alone } = stands;
  await Promise.all([own, bare, alone].map((stand) => stand.end()));
  return rows;
}
