// What a tick to each of many subscribers of one topic costs other servers: the libraries ws and
// Socket.IO, which send bytes that are ready, and Centrifugo, which is given them over HTTP.
// Tickwire goes its whole way from publisher to socket. Each server has one core, the readers (C)
// another.
import { setTimeout as wait } from "node:timers/promises";
import { tickwire } from "@tickwire/proto/protobufjs";
import { between, compiled, startStand } from "../load/stand.mjs";
import { alternateFigures, row } from "./measure.mjs";
import { goProgram, isInstalled } from "./references/installed.mjs";

const LOAD = { turnsPerSecond: 40, messages: 1, ticks: 16 };
const SESSIONS = 1_000;
const SECONDS = 1;
const WARM_MS = 1_000;
/** What shows that the benchmark works. */
const QUICK = { sessions: 50, seconds: 0.3, warmMs: 100 };
const BYTES_PER_TICK = 12;

const frame = (message) =>
  Buffer.from(tickwire.v1.ClientFrame.encode({ messages: [message] }).finish());

/** Servers with what each of their readers sends; undefined for one that cannot be had. */
function servers({ quick }) {
  const own = {
    name: "tickwire-server.mjs",
    options: { topics: 1 },
    messages: [
      frame({ hello: { protocolVersion: 1, clientName: "load" } }),
      frame({ subscribe: { requestId: 1, topics: [{ topic: "bench:SYM00000-USDT/trades" }] } }),
    ],
  };
  const other = (name, messages, options = {}) => ({
    name: `../suite/references/${name}-server.mjs`,
    options: { bytesPerTick: BYTES_PER_TICK, ...options },
    messages,
  });
  const program = goProgram("centrifugo", { quick });
  const commands = ['{"id":1,"connect":{}}', '{"id":2,"subscribe":{"channel":"ticks"}}'];
  return {
    tickwire: own,
    ws: other("ws", []),
    "Socket.IO": isInstalled("socket.io", { quick }) ? other("socket-io", ["40"]) : undefined,
    Centrifugo: program === undefined ? undefined : other("centrifugo", commands, { program }),
  };
}

/** Microseconds of the server's CPU for a tick that a subscriber got. */
async function measure(candidate, { name, options, messages }, { sessions, seconds, warmMs }) {
  const stand = await startStand({ name, options, sockets: sessions, messages: [messages] });
  await stand.settle(sessions);
  stand.start(LOAD);
  await wait(warmMs);
  const before = await stand.mark();
  await wait(seconds * 1_000);
  const after = await stand.mark();
  await stand.end();
  const result = between(before, after, { subscribersPerTopic: sessions });
  const { skippedTurns, closed, frames, turns } = result;
  if (skippedTurns > 0 || closed > 0 || frames < turns * sessions * 0.9) {
    process.stdout.write(
      `${candidate}: ${frames} frames of ${turns} turns to ${sessions} sockets, ` +
        `${skippedTurns} turns left out, ${closed} sockets closed\n`,
    );
  }
  return result.cpuUsPerTick;
}

export const about = "CPU time for a tick that a subscriber got, beside other servers";

export async function run({ rounds, quick, only = "" }) {
  if (compiled("readers") === undefined) {
    process.stdout.write("left out: there is no C compiler for the readers\n");
    return [];
  }
  const size = quick ? QUICK : { sessions: SESSIONS, seconds: SECONDS, warmMs: WARM_MS };
  const there = Object.entries(servers({ quick })).filter(([, server]) => server !== undefined);
  const candidates = Object.fromEntries(
    there
      .filter(([name]) => name === "tickwire" || name.includes(only))
      .map(([name, server]) => [name, () => measure(name, server, size)]),
  );
  // Each figure is of processes of its own, of which the first is as good as the last.
  const samples = await alternateFigures(candidates, { rounds, isWarm: true });
  const reference = samples.tickwire;
  const measured = `1 topic, ${size.sessions} sessions, ${LOAD.ticks} ticks a turn`;
  return Object.entries(samples).map(([name, values]) =>
    row(measured, name, "CPU us/tick", values, {
      ...(name === "tickwire" ? {} : { reference }),
      ...(name === "Centrifugo" ? { target: ">= 3" } : {}),
    }),
  );
}
