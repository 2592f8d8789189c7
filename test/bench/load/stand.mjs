// One server on one core and its readers on another: starts both, says what they did in a while.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as wait } from "node:timers/promises";
import { clientFrame } from "./client-frame.mjs";
import { PROGRAM_OPTIONS } from "./program-options.mjs";
import { noteReaders } from "../suite/notes.mjs";

/** A million subscriptions take some seconds. */
const SETTLE_MS_MAX = 60_000;
const SETTLE_POLL_MS = 200;

const file = (name) => join(import.meta.dirname, name);
const folder = mkdtempSync(join(tmpdir(), "tickwire-bench-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

const works = (command, args) => {
  try {
    execFileSync(command, args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
};
const isPinned = availableParallelism() > 1 && works("taskset", ["-c", "1", "true"]);

/** The command as it runs on this core alone, where the machine has a way to say so. */
function onCore(core, command, args) {
  return isPinned ? ["taskset", ["-c", String(core), command, ...args]] : [command, args];
}

const programs = new Map();

/** The compiled program; undefined where there is no C compiler. */
export function compiled(name) {
  if (!programs.has(name)) {
    const program = join(folder, name);
    const args = ["-O2", "-o", program, file(`${name}.c`)];
    programs.set(name, works("cc", args) ? program : undefined);
  }
  return programs.get(name);
}

/** Lines of a process, one at a time. */
function linesOf(stream) {
  const lines = createInterface(stream)[Symbol.asyncIterator]();
  return async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error("the process ended before it said what was asked");
    return value;
  };
}

/** The one server that is a gateway. */
const GATEWAY = "tickwire-server.mjs";

function startServer(name, options, { flags = [], hasCore = true } = {}) {
  const own = name === GATEWAY ? PROGRAM_OPTIONS : [];
  const args = [...own, ...flags, file(name), JSON.stringify(options)];
  const [command, words] = hasCore ? onCore(0, process.execPath, args) : [process.execPath, args];
  return spawn(command, words, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
}

/** A server without readers: its port, and what it says of itself. */
export async function startAlone({ name, options }) {
  const server = startServer(name, options, { flags: ["--expose-gc"] });
  const [{ port }] = await once(server, "message");
  return {
    port,
    start: (load) => server.send({ kind: "start", ...load }),
    stop: () => server.send({ kind: "stop" }),
    /** Without garbage if that was collected before. */
    async mark(collect = true) {
      const said = once(server, "message");
      server.send({ kind: "mark", collect, subscriptions: true });
      const [sent] = await said;
      return sent;
    },
    /** Opens so many sockets, which send these messages; says how to end them. */
    async open({ sockets, messages }) {
      const readers = startReaders(port, { sockets, messages });
      await linesOf(readers.stdout)();
      return async () => {
        readers.kill("SIGKILL");
        await once(readers, "exit");
      };
    },
    async end() {
      server.kill("SIGKILL");
      await once(server, "exit");
    },
  };
}

/** Readers of a server on the other core, which open their sockets now. */
function startReaders(port, { sockets, messages, stamps = false, hasCore = true }) {
  const path = join(folder, `frames-${port}`);
  const parts = messages.flatMap((some) => [...some.map(clientFrame), Buffer.alloc(4)]);
  writeFileSync(path, Buffer.concat(parts));
  const words = ["127.0.0.1", String(port), String(sockets), path, ...(stamps ? ["stamps"] : [])];
  const readers = compiled("readers");
  const [command, args] = hasCore ? onCore(1, readers, words) : [readers, words];
  return spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
}

/**
 * Starts a server and its readers.
 *
 * @param {string} name of the server's file
 * @param {object} options for the server
 * @param {(Buffer | string)[][]} messages that the sockets send, in turns
 * @param {boolean} [stamps] whether the readers look for stamps, and say how long they took
 * @param {boolean} [haveCores] whether each has a core, or the system gives them any
 */
export async function startStand(what) {
  const { name, options, sockets, messages, stamps = false, haveCores: hasCore = true } = what;
  const server = startServer(name, options, { hasCore });
  const [{ port }] = await once(server, "message");
  const readers = startReaders(port, { sockets, messages, stamps, hasCore });
  const line = linesOf(readers.stdout);
  await line();
  /** Of the load that runs. */
  let before;

  async function readSoFar() {
    readers.stdin.write("\n");
    return JSON.parse(await line());
  }

  async function mark(wanted = {}) {
    const read = await readSoFar();
    const now = { cpuMs: read.cpuUs / 1_000, atMs: performance.now() };
    if (before?.atMs !== undefined) {
      noteReaders(name, (now.cpuMs - before.cpuMs) / (now.atMs - before.atMs));
    }
    if (before !== undefined) before = now;
    const said = once(server, "message");
    server.send({ kind: "mark", ...wanted });
    const [sent] = await said;
    return { read, sent, atMs: performance.now() };
  }

  return {
    mark: () => mark(),
    /** For what part of the time since it was last asked the server's threads were busy. */
    busy: async () => (await mark({ busy: true })).sent.busy,
    /**
     * The load for a while, and what the server did in whole turns of it: `steadyMs` are left out
     * at its beginning, `ms` are looked at. Frames, bytes and what may disturb are of all of it, up
     * to `restMs` behind its end.
     */
    async look(load, { steadyMs, ms, restMs }) {
      const readBefore = await readSoFar();
      const said = once(server, "message");
      server.send({ kind: "look", steadyMs, ms, ...load });
      const [{ started, before: first, after }] = await said;
      await wait(restMs);
      const read = await readSoFar();
      const wholeMs = after.atMs - started.atMs;
      const readerCores = (read.cpuUs - readBefore.cpuUs) / 1_000 / wholeMs;
      if (hasCore) noteReaders(name, readerCores);
      return {
        seconds: (after.atMs - first.atMs) / 1_000,
        cpuUs: after.cpuUs - first.cpuUs,
        publisherUs: after.publishUs - first.publishUs,
        messages: after.messages - first.messages,
        ticks: after.ticks - first.ticks,
        turns: after.turns - first.turns,
        whole: {
          seconds: wholeMs / 1_000,
          cpuUs: after.cpuUs - started.cpuUs,
          readerCores,
          turns: after.turns - started.turns,
          messages: after.messages - started.messages,
          ticks: after.ticks - started.ticks,
          frames: read.frames - readBefore.frames,
          bytes: read.bytes - readBefore.bytes,
          skippedTurns: after.skippedTurns - started.skippedTurns,
          closed: read.closed,
        },
        read,
      };
    },
    start: (load) => {
      before = {};
      server.send({ kind: "start", ...load });
    },
    stop: () => {
      before = undefined;
      server.send({ kind: "stop" });
    },
    /** Until so many subscriptions are open, and no reader gets anything. */
    async settle(subscriptions) {
      const untilMs = performance.now() + SETTLE_MS_MAX;
      for (let before = -1; ;) {
        const { read, sent } = await mark({ subscriptions: true });
        if (sent.subscriptions >= subscriptions && read.frames === before) return;
        if (performance.now() > untilMs) {
          throw new Error(`only ${sent.subscriptions} of ${subscriptions} subscriptions are there`);
        }
        before = read.frames;
        await wait(SETTLE_POLL_MS);
      }
    },
    async end() {
      readers.kill("SIGKILL");
      server.kill("SIGKILL");
      await Promise.all([once(readers, "exit"), once(server, "exit")]);
    },
  };
}

/**
 * Starts the limit in C, and says how to look at what it takes to send `bytes` to each socket in
 * each turn, in microseconds for each of the ticks that they hold.
 */
export async function startLimit({ sockets, bytes, turnsPerSecond, ticks }) {
  const [command, words] = onCore(0, compiled("limit"), [
    String(sockets),
    String(bytes),
    String(turnsPerSecond),
  ]);
  const server = spawn(command, words, { stdio: ["pipe", "pipe", "inherit"] });
  const said = linesOf(server.stdout);
  const port = Number((await said()).split(" ")[1]);
  const readers = startReaders(port, { sockets, messages: [[]] });
  await linesOf(readers.stdout)();
  const ask = async (what) => {
    server.stdin.write(`${what}\n`);
    return JSON.parse(await said());
  };
  return {
    async look({ steadyMs, ms, restMs }) {
      await ask("start");
      await wait(steadyMs);
      const before = await ask("count");
      await wait(ms);
      const after = await ask("stop");
      await wait(restMs);
      return (after.cpuUs - before.cpuUs) / ((after.frames - before.frames) * ticks);
    },
    async end() {
      readers.kill("SIGKILL");
      server.kill("SIGKILL");
      await Promise.all([once(readers, "exit"), once(server, "exit")]);
    },
  };
}
