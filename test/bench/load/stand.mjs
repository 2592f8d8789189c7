// One server on one core and its readers on another: starts both, says what they did in a while.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as wait } from "node:timers/promises";
import { clientFrame } from "./client-frame.mjs";
import { noteReaders } from "../suite/notes.mjs";

/** A million subscriptions take some seconds. */
const SETTLE_MS_MAX = 60_000;

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

function startServer(name, options, flags = []) {
  const args = [...flags, file(name), JSON.stringify(options)];
  const [command, words] = onCore(0, process.execPath, args);
  return spawn(command, words, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
}

/** A server without readers: its port, and what it says of itself. */
export async function startAlone({ name, options }) {
  const server = startServer(name, options, ["--expose-gc"]);
  const [{ port }] = await once(server, "message");
  return {
    port,
    start: (load) => server.send({ kind: "start", ...load }),
    stop: () => server.send({ kind: "stop" }),
    /** Without garbage if that was collected before. */
    async mark(collect = true) {
      const said = once(server, "message");
      server.send({ kind: "mark", collect });
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
function startReaders(port, { sockets, messages, stamps = false }) {
  const path = join(folder, `frames-${port}`);
  const parts = messages.flatMap((some) => [...some.map(clientFrame), Buffer.alloc(4)]);
  writeFileSync(path, Buffer.concat(parts));
  const words = ["127.0.0.1", String(port), String(sockets), path, ...(stamps ? ["stamps"] : [])];
  const [command, args] = onCore(1, compiled("readers"), words);
  return spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
}

/**
 * Starts a server and its readers.
 *
 * @param {string} name of the server's file
 * @param {object} options for the server
 * @param {(Buffer | string)[][]} messages that the sockets send, in turns
 * @param {boolean} [stamps] whether the readers look for stamps, and say how long they took
 */
export async function startStand({ name, options, sockets, messages, stamps = false }) {
  const server = startServer(name, options);
  const [{ port }] = await once(server, "message");
  const readers = startReaders(port, { sockets, messages, stamps });
  const line = linesOf(readers.stdout);
  await line();
  /** Of the load that runs. */
  let before;

  async function mark() {
    readers.stdin.write("\n");
    const read = JSON.parse(await line());
    const now = { cpuMs: read.cpuUs / 1_000, atMs: performance.now() };
    if (before?.atMs !== undefined) {
      noteReaders(name, (now.cpuMs - before.cpuMs) / (now.atMs - before.atMs));
    }
    if (before !== undefined) before = now;
    const said = once(server, "message");
    server.send({ kind: "mark" });
    const [sent] = await said;
    return { read, sent, atMs: performance.now() };
  }

  return {
    mark,
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
        const { read, sent } = await mark();
        if (sent.subscriptions >= subscriptions && read.frames === before) return;
        if (performance.now() > untilMs) {
          throw new Error(`only ${sent.subscriptions} of ${subscriptions} subscriptions are there`);
        }
        before = read.frames;
        await wait(300);
      }
    },
    async end() {
      readers.kill("SIGKILL");
      server.kill("SIGKILL");
      await Promise.all([once(readers, "exit"), once(server, "exit")]);
    },
  };
}

/** What was between two marks; CPU seconds for a million delivered ticks, and what may disturb. */
export function between(before, after, { subscribersPerTopic }) {
  const ticks = (after.sent.ticks - before.sent.ticks) * subscribersPerTopic;
  const seconds = (after.atMs - before.atMs) / 1_000;
  const cpuUs = after.sent.cpuUs - before.sent.cpuUs;
  return {
    seconds,
    ticks,
    cpuUsPerTick: cpuUs / ticks,
    userUsPerTick: (after.sent.userUs - before.sent.userUs) / ticks,
    serverCores: cpuUs / 1e6 / seconds,
    readerCores: (after.read.cpuUs - before.read.cpuUs) / 1e6 / seconds,
    frames: after.read.frames - before.read.frames,
    bytes: after.read.bytes - before.read.bytes,
    turns: after.sent.turns - before.sent.turns,
    skippedTurns: after.sent.skippedTurns - before.sent.skippedTurns,
    closed: after.read.closed,
  };
}

/** Starts the limit in C: it sends `bytes` to each socket in each turn. */
export async function measureLimit({ sockets, bytes, turnsPerSecond, ticks, seconds }) {
  const [command, words] = onCore(0, compiled("limit"), [
    String(sockets),
    String(bytes),
    String(turnsPerSecond),
  ]);
  const server = spawn(command, words, { stdio: ["pipe", "pipe", "inherit"] });
  const said = linesOf(server.stdout);
  const port = (await said()).split(" ")[1];
  const path = join(folder, "frames-none");
  writeFileSync(path, Buffer.alloc(4));
  const [reader, args] = onCore(1, compiled("readers"), ["127.0.0.1", port, String(sockets), path]);
  const readers = spawn(reader, args, { stdio: ["pipe", "pipe", "inherit"] });
  await linesOf(readers.stdout)();
  const ask = async () => {
    server.stdin.write("\n");
    return JSON.parse(await said());
  };
  server.stdin.write("\n");
  await wait(500);
  const before = await ask();
  await wait(seconds * 1_000);
  const after = await ask();
  readers.kill("SIGKILL");
  server.kill("SIGKILL");
  await Promise.all([once(readers, "exit"), once(server, "exit")]);
  return (after.cpuUs - before.cpuUs) / ((after.frames - before.frames) * ticks);
}
