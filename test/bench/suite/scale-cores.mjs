// Frames a second of a gateway that has all that it can do: one thread, and two workers, where each
// thread may have a core of the machine. The readers have none of their own: on two cores they take
// from what two workers could do, and how much they take is said beside it.
import { HELLO, subscribe } from "../load/readers-messages.mjs";
import { startStand } from "../load/stand.mjs";
import { alternateFigures, row } from "./measure.mjs";

const SESSIONS = 1_000;
/** More turns than any candidate keeps: each gives every session a frame. */
const LOAD = { messages: 1, ticks: 16, turnsPerSecond: 1_000 };
const LOOK = { steadyMs: 200, ms: 500, restMs: 100 };
const WARM_MS = 2_000;
const NAME = "threads on all cores, as many frames as they can send";

const MESSAGES = [HELLO, subscribe([0])];

/** A gateway that may use every core, and its readers; it has run for a while. */
async function openStand(workers) {
  const stand = await startStand({
    name: "tickwire-server.mjs",
    options: { topics: 1, config: { workers } },
    sockets: SESSIONS,
    messages: [MESSAGES],
    haveCores: false,
  });
  await stand.settle(SESSIONS);
  await stand.look(LOAD, { ...LOOK, ms: WARM_MS });
  await stand.settle(SESSIONS);
  return stand;
}

/** What it did for a while. */
async function look(stand) {
  await stand.busy();
  const { cpuUs, seconds, whole } = await stand.look(LOAD, LOOK);
  const busy = await stand.busy();
  await stand.settle(SESSIONS);
  return {
    frames: whole.frames / whole.seconds,
    cpuUsPerFrame: whole.cpuUs / whole.frames,
    serverCores: cpuUs / 1e6 / seconds,
    readerCores: whole.readerCores,
    busiest: 100 * Math.max(busy.process, ...busy.workers),
  };
}

/** Rows of frames a second, of what they took, and of who took the cores. */
export async function coreRows(rounds) {
  const one = await openStand(1);
  const two = await openStand(2);
  const candidates = {
    "1 thread": () => look(one),
    "1 thread again": () => look(one),
    "2 workers": () => look(two),
  };
  const looks = await alternateFigures(candidates, { rounds, isWarm: true });
  await Promise.all([one.end(), two.end()]);
  const valuesOf = (candidate, key) => looks[candidate].map((figures) => figures[key]);
  const rowsOf = (key, unit, target) =>
    Object.keys(candidates).map((candidate) => {
      const isReference = candidate === "1 thread";
      return row(NAME, candidate, unit, valuesOf(candidate, key), {
        ...(isReference ? {} : { reference: valuesOf("1 thread", key) }),
        ...(candidate === "2 workers" ? { target } : {}),
      });
    });
  const shareOf = (key, unit, who) =>
    ["1 thread", "2 workers"].map((candidate) =>
      row(NAME, `${candidate}, ${who}`, unit, valuesOf(candidate, key)),
    );
  return [
    ...rowsOf("frames", "frames/s", ">= 1.8"),
    ...rowsOf("cpuUsPerFrame", "CPU us/frame", "<= 1.1"),
    ...shareOf("serverCores", "cores", "server"),
    ...shareOf("readerCores", "cores", "readers"),
    ...shareOf("busiest", "% busy", "busiest thread"),
  ];
}
