// What it costs the server to give a tick to a subscriber: one topic for all sessions, and many
// topics of which each session has some. The whole way counts: publisher, bus, hub, sessions,
// sockets. Beside it uWebSockets.js alone that sends bytes made before, and a C program that makes
// one send() a socket and turn. The server has one core, the readers (C) another.
import { setTimeout as wait } from "node:timers/promises";
import { tickwire } from "@tickwire/proto/protobufjs";
import { between, compiled, measureLimit, startStand } from "../load/stand.mjs";
import { alternateFigures, row } from "./measure.mjs";

let seconds = 3;
let warmMs = 1_000;
/** What shows that the benchmark works. */
const QUICK = { sessions: 100, ticks: 16, turnsPerSecond: 40 };
const ONE_TOPIC = [
  { sessions: 1_000, ticks: 16, turnsPerSecond: 40 },
  { sessions: 1_000, ticks: 64, turnsPerSecond: 40 },
  { sessions: 5_000, ticks: 16, turnsPerSecond: 10 },
  { sessions: 5_000, ticks: 64, turnsPerSecond: 10 },
];
const MANY_TOPICS = [
  { messages: 1_000, turnsPerSecond: 40, target: "<= 0.53" },
  { messages: 1_000, turnsPerSecond: 12, target: "<= 0.71" },
  { messages: 256, turnsPerSecond: 40, target: "<= 0.95" },
  { messages: 64, turnsPerSecond: 60, target: "<= 1.05" },
  { messages: 1_000, turnsPerSecond: 160, target: "" },
];
const TOPICS = 1_000;
const SESSIONS = 1_000;
const TOPICS_PER_SESSION = 50;

const frame = (message) =>
  Buffer.from(tickwire.v1.ClientFrame.encode({ messages: [message] }).finish());
const HELLO = frame({ hello: { protocolVersion: 1, clientName: "load" } });
const topicName = (index) => `bench:SYM${String(index).padStart(5, "0")}-USDT/trades`;

/** Topics of the session with that number: each topic gets as many subscribers as the others. */
function topicsOf(session) {
  return Array.from(
    { length: TOPICS_PER_SESSION },
    (_, index) => (session * 7 + index * 20) % TOPICS,
  );
}

const subscribe = (topics) =>
  frame({
    subscribe: { requestId: 1, topics: topics.map((topic) => ({ topic: topicName(topic) })) },
  });

async function measure(stand, load, { subscribersPerTopic, subscriptions }) {
  await stand.settle(subscriptions);
  stand.start(load);
  await wait(warmMs);
  const before = await stand.mark();
  await wait(seconds * 1_000);
  const after = await stand.mark();
  await stand.end();
  return between(before, after, { subscribersPerTopic });
}

/** Said at once, because such a figure says nothing of the server. */
function warn(name, { skippedTurns, closed, frames, turns }, sessions) {
  if (sessions !== undefined && frames < turns * sessions * 0.98) {
    process.stdout.write(`${name}: ${frames} frames for ${turns * sessions} turns, some joined\n`);
  }
  if (skippedTurns > 0 || closed > 0) {
    process.stdout.write(`${name}: ${skippedTurns} turns left out, ${closed} sockets closed\n`);
  }
}

async function oneTopic({ sessions, ticks, turnsPerSecond }, rounds) {
  const load = { turnsPerSecond, messages: 1, ticks };
  const name = `1 topic, ${sessions} sessions, ${ticks} ticks a turn`;
  let bytesPerFrame = 12 * ticks;
  const run = async (candidate, options) => {
    const result = await measure(await startStand({ ...options, sockets: sessions }), load, {
      subscribersPerTopic: sessions,
      subscriptions: sessions,
    });
    warn(`${name}, ${candidate}`, result, sessions);
    if (candidate === "tickwire") bytesPerFrame = Math.round(result.bytes / result.frames);
    return result.cpuUsPerTick;
  };
  const bare = (candidate) => () =>
    run(candidate, {
      name: "uws-server.mjs",
      options: { how: "send", topics: 1, bytesPerTick: bytesPerFrame / ticks },
      messages: [[]],
    });
  const candidates = {
    tickwire: () =>
      run("tickwire", {
        name: "tickwire-server.mjs",
        options: { topics: 1 },
        messages: [[HELLO, subscribe([0])]],
      }),
    "uWebSockets.js": bare("uWebSockets.js"),
    "uWebSockets.js again": bare("uWebSockets.js again"),
  };
  if (compiled("limit") !== undefined) {
    candidates["send() in C"] = () =>
      measureLimit({
        sockets: sessions,
        bytes: bytesPerFrame,
        turnsPerSecond,
        ticks,
        seconds,
      });
  }
  const samples = await alternateFigures(candidates, { rounds });
  const reference = samples["uWebSockets.js"];
  return Object.entries(samples).map(([candidate, values]) =>
    row(name, candidate, "CPU us/tick", values, {
      ...(candidate === "uWebSockets.js" ? {} : { reference }),
      ...(candidate === "tickwire" ? { target: "<= 1.05" } : {}),
    }),
  );
}

async function manyTopics({ messages, turnsPerSecond, target }, rounds) {
  const load = { turnsPerSecond, messages, ticks: 1 };
  const subscribersPerTopic = (SESSIONS * TOPICS_PER_SESSION) / TOPICS;
  const name = `${TOPICS} topics, ${messages} messages a turn, ${turnsPerSecond} turns/s`;
  let bytesPerTick = 30;
  const run = async (candidate, options) => {
    const stand = await startStand({ ...options, sockets: SESSIONS });
    const result = await measure(stand, load, {
      subscribersPerTopic,
      subscriptions: SESSIONS * TOPICS_PER_SESSION,
    });
    warn(`${name}, ${candidate}`, result);
    if (candidate === "tickwire") bytesPerTick = result.bytes / result.ticks;
    return result.cpuUsPerTick;
  };
  const sessions = Array.from({ length: SESSIONS }, (_, session) => topicsOf(session));
  const bare = (candidate) => () =>
    run(candidate, {
      name: "uws-server.mjs",
      options: { how: "publish", topics: TOPICS, bytesPerTick },
      messages: sessions.map((topics) => [Buffer.from(topics.join(","))]),
    });
  const samples = await alternateFigures(
    {
      tickwire: () =>
        run("tickwire", {
          name: "tickwire-server.mjs",
          options: { topics: TOPICS },
          messages: sessions.map((topics) => [HELLO, subscribe(topics)]),
        }),
      "uWebSockets.js publish()": bare("uWebSockets.js"),
      "publish() again": bare("uWebSockets.js again"),
    },
    { rounds },
  );
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
    seconds = 0.5;
    warmMs = 200;
    return await oneTopic(QUICK, rounds);
  }
  const rows = [];
  for (const what of ONE_TOPIC) {
    if ("1 topic".includes(only)) rows.push(...(await oneTopic(what, rounds)));
  }
  for (const what of MANY_TOPICS) {
    if (`${TOPICS} topics, ${what.messages}`.includes(only))
      rows.push(...(await manyTopics(what, rounds)));
  }
  return rows;
}
