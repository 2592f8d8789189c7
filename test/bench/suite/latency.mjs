// How long an event takes from its publisher to a subscriber's reader, on one topic that many have:
// publisher, bus, hub, sessions, sockets. Beside it uWebSockets.js alone that sends bytes of the
// same length, made before, as soon as they are there; on NATS with the same hop over a server. The
// clock is read where the event is handed to the publisher, and where a reader (C) finds it.
import { setTimeout as wait } from "node:timers/promises";
import { tickwire } from "@tickwire/proto/protobufjs";
import { startNats } from "../load/nats.mjs";
import { compiled, startStand } from "../load/stand.mjs";
import { alternateFigures, row } from "./measure.mjs";

let seconds = 3;
let warmUpSeconds = 3;
/** A round of all loads takes two and a half minutes. */
const ROUNDS_MAX = 2;
const LOADS = [
  { name: "30 k/s", sessions: 300, turnsPerSecond: 100 },
  { name: "100 k/s", sessions: 1_000, turnsPerSecond: 100 },
  { name: "250 k/s", sessions: 1_000, turnsPerSecond: 250 },
];
/** Of a frame with one stamped trade. */
const FRAME_BYTES = 48;

const frame = (message) =>
  Buffer.from(tickwire.v1.ClientFrame.encode({ messages: [message] }).finish());
const HELLO = frame({ hello: { protocolVersion: 1, clientName: "latency" } });
const SUBSCRIBE = frame({
  subscribe: { requestId: 1, topics: [{ topic: "bench:SYM00000-USDT/trades" }] },
});

/** What the readers found in a while. */
async function measure({ sessions, turnsPerSecond }, { server, options, messages }) {
  const stand = await startStand({
    name: server,
    options: { ...options, topics: 1, stamped: true },
    messages,
    sockets: sessions,
    stamps: true,
  });
  await stand.settle(sessions);
  // So that what is measured is compiled: a program that has run for a minute.
  stand.start({ turnsPerSecond: 100, messages: 40, ticks: 1 });
  await wait(warmUpSeconds * 1_000);
  stand.stop();
  await stand.settle(sessions);
  stand.start({ turnsPerSecond, messages: 1, ticks: 1 });
  await wait(500);
  await stand.mark();
  await wait(seconds * 1_000);
  const { read, sent } = await stand.mark();
  await stand.end();
  if (read.closed > 0 || sent.skippedTurns > 0) {
    process.stdout.write(`${read.closed} sockets closed, ${sent.skippedTurns} turns left out\n`);
  }
  return { ...read, perSecond: read.stamps / seconds };
}

const ours = (options) => ({
  server: "tickwire-server.mjs",
  options,
  messages: [[HELLO, SUBSCRIBE]],
});
const bare = (options) => ({
  server: "uws-server.mjs",
  options: { ...options, how: "send", bytesPerTick: FRAME_BYTES },
  messages: [[]],
});

/** Rows of one load over one bus. */
async function rowsOf(load, bus, options, rounds) {
  const name = `${load.name}, ${bus}`;
  const results = await alternateFigures(
    {
      tickwire: () => measure(load, ours(options)),
      "uWebSockets.js": () => measure(load, bare(options)),
      "uWebSockets.js again": () => measure(load, bare(options)),
    },
    { rounds },
  );
  const reference = results["uWebSockets.js"];
  return Object.entries(results).flatMap(([candidate, samples]) =>
    [
      ["p50Us", "p50 us", "<= 1.3"],
      ["p99Us", "p99 us", "<= 1.5"],
      ["perSecond", "deliveries/s", ""],
    ].map(([key, unit, target]) =>
      row(
        name,
        candidate,
        unit,
        samples.map((sample) => sample[key]),
        {
          ...(candidate === "uWebSockets.js"
            ? {}
            : { reference: reference.map((sample) => sample[key]) }),
          ...(candidate === "tickwire" && !load.name.startsWith("250") ? { target } : {}),
        },
      ),
    ),
  );
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
    return await rowsOf({ ...LOADS[0], sessions: 50 }, "memory", {}, rounds);
  }
  const nats = await startNats();
  if (nats === undefined) process.stdout.write("left out: NATS, there is no nats-server\n");
  const buses = { memory: {}, ...(nats === undefined ? {} : { NATS: { nats: nats.url } }) };
  const rows = [];
  try {
    for (const load of LOADS) {
      for (const [bus, options] of Object.entries(buses)) {
        if (!`${load.name}, ${bus}`.includes(only)) continue;
        rows.push(...(await rowsOf(load, bus, options, Math.min(rounds, ROUNDS_MAX))));
      }
    }
  } finally {
    nats?.stop();
  }
  return rows;
}
