// What a tick to each of many subscribers of one topic costs other servers: the libraries ws and
// Socket.IO, which send bytes that are ready, and Centrifugo, which is given them over HTTP.
// Tickwire goes its whole way from publisher to socket. Each server has one core, the readers (C)
// another; both are there for all rounds.
import { HELLO, subscribe } from "../load/readers-messages.mjs";
import { compiled, startStand } from "../load/stand.mjs";
import { alternateFigures, row } from "./measure.mjs";
import { goProgram, isInstalled } from "./references/installed.mjs";

const LOAD = { turnsPerSecond: 40, messages: 1, ticks: 16 };
const SESSIONS = 1_000;
const WARM_MS = 1_000;
/** Of a look: CPU time of what is no Node is counted in hundredths of a second. */
const LOOK = { steadyMs: 150, ms: 600, restMs: 100 };
/** What shows that the benchmark works. */
const QUICK = { sessions: 50, warmMs: 100 };
const BYTES_PER_TICK = 12;

/** Servers with what each of their readers sends; undefined for one that cannot be had. */
function servers({ quick }) {
  const own = {
    name: "tickwire-server.mjs",
    options: { topics: 1 },
    messages: [HELLO, subscribe([0])],
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

/** The server with its readers, which has run for a while under the load. */
async function open({ name, options, messages }, { sessions, warmMs }) {
  const stand = await startStand({ name, options, sockets: sessions, messages: [messages] });
  await stand.settle(sessions);
  await stand.look(LOAD, { ...LOOK, ms: warmMs });
  return stand;
}

/** Microseconds of the server's CPU for a tick that a subscriber got. */
async function look(candidate, stand, sessions) {
  const { cpuUs, ticks, whole } = await stand.look(LOAD, LOOK);
  const { skippedTurns, closed, frames, turns } = whole;
  if (skippedTurns > 0 || closed > 0 || frames < turns * sessions * 0.9) {
    process.stdout.write(
      `${candidate}: ${frames} frames of ${turns} turns to ${sessions} sockets, ` +
        `${skippedTurns} turns left out, ${closed} sockets closed\n`,
    );
  }
  return cpuUs / (ticks * sessions);
}

export const about = "CPU time for a tick that a subscriber got, beside other servers";

export async function run({ rounds, quick, only = "" }) {
  if (compiled("readers") === undefined) {
    process.stdout.write("left out: there is no C compiler for the readers\n");
    return [];
  }
  const size = quick ? QUICK : { sessions: SESSIONS, warmMs: WARM_MS };
  const there = Object.entries(servers({ quick })).filter(
    ([name, server]) => server !== undefined && (name === "tickwire" || name.includes(only)),
  );
  // They start at once: nothing is measured yet.
  const stands = await Promise.all(there.map(([, server]) => open(server, size)));
  const candidates = Object.fromEntries(
    there.map(([name], index) => [name, () => look(name, stands[index], size.sessions)]),
  );
  candidates["tickwire again"] = candidates.tickwire;
  const samples = await alternateFigures(candidates, { rounds, isWarm: true });
  await Promise.all(stands.map((stand) => stand.end()));
  const reference = samples.tickwire;
  const measured = `1 topic, ${size.sessions} sessions, ${LOAD.ticks} ticks a turn`;
  return Object.entries(samples).map(([name, values]) =>
    row(measured, name, "CPU us/tick", values, {
      ...(name === "tickwire" ? {} : { reference }),
      ...(name === "Centrifugo" ? { target: ">= 3" } : {}),
    }),
  );
}
