// What the servers of the fan-out benchmarks do when they are told over IPC:
//
//   { kind: "start", turnsPerSecond, messages, ticks, among }
//                                  so many messages a turn, each for another topic in turn, with so
//                                  many ticks; `among` so many topics, of all if it is left out
//   { kind: "allocate", turns, messages, ticks, among }
//                                  so many such turns, one after the other; answered with the bytes
//                                  that one of them allocates, if the process collects nothing
//                                  meanwhile
//   { kind: "look", steadyMs, ms, ...load }
//                                  the load until it has run so long, and for so long behind that,
//                                  each to the beginning of a turn; answered with the counts at the
//                                  start, at the beginning of what is looked at, and at the end.
//                                  What a turn has caused is over when the next begins, so that
//                                  whole turns are counted, however few they are
//   { kind: "mark", collect, subscriptions, busy }
//                                  answered with the counts so far; `collect` is what garbage there
//                                  is before, `subscriptions` says how many there are, which takes
//                                  some servers longer than a turn, `busy` for what part of the
//                                  time since it was last asked each thread's event loop was busy
//
// A turn that comes late is made up for at once, so that the rate is what was asked for unless the
// server cannot keep it; how many could not be made within a second is counted.

import { setImmediate as nextTurn } from "node:timers/promises";

const LATE_MS_MAX = 1_000;

const cpuUsageOfThis = () => process.cpuUsage();
const totalUs = ({ user, system }) => user + system;

/** The CPU time of this process that one kind of its work takes. */
export class CpuWatch {
  us = 0;

  run(work) {
    const beforeUs = totalUs(process.cpuUsage());
    work();
    this.us += totalUs(process.cpuUsage()) - beforeUs;
  }
}

/**
 * `subscriptions` says how many there are, where somebody counts them; it may be a promise.
 * `cpuUsage` is that of the process that serves, where it is another one. `publishing` is what
 * publishing takes of it, to which the calls of `publish` are added.
 */
export function serveTurns(server) {
  const { port, topics, publish, endTurn, subscriptions, busy } = server;
  const { cpuUsage = cpuUsageOfThis, publishing = new CpuWatch() } = server;
  const counts = { turns: 0, messages: 0, ticks: 0, skippedTurns: 0 };
  let topic = 0;
  let timer;

  function publishAll({ messages, ticks, among = topics }) {
    for (let message = 0; message < messages; message += 1) {
      topic = topic + 1 < among ? topic + 1 : 0;
      publish(topic, ticks);
    }
  }

  function turn(load) {
    const { messages, ticks } = load;
    publishing.run(() => publishAll(load));
    endTurn?.();
    counts.turns += 1;
    counts.messages += messages;
    counts.ticks += messages * ticks;
  }

  /** `beforeTurn` may stop it. */
  function start(load, beforeTurn) {
    const intervalMs = 1_000 / load.turnsPerSecond;
    let dueMs = performance.now();
    const beat = () => {
      const nowMs = performance.now();
      if (nowMs - dueMs > LATE_MS_MAX) {
        const skipped = Math.floor((nowMs - dueMs) / intervalMs);
        counts.skippedTurns += skipped;
        dueMs += skipped * intervalMs;
      }
      if (nowMs >= dueMs) {
        if (beforeTurn?.() === false) return;
        turn(load);
        dueMs += intervalMs;
      }
      timer = setTimeout(beat, Math.max(0, dueMs - performance.now()));
    };
    beat();
  }

  function counted() {
    const cpuUs = totalUs(cpuUsage());
    return { ...counts, publishUs: publishing.us, cpuUs, atMs: performance.now() };
  }

  function look({ steadyMs, ms, ...load }) {
    const started = counted();
    let before;
    start(load, () => {
      const nowMs = performance.now();
      if (before === undefined) {
        if (nowMs - started.atMs >= steadyMs) before = counted();
      } else if (nowMs - before.atMs >= ms) {
        process.send({ started, before, after: counted() });
        return false;
      }
      return true;
    });
  }

  async function mark({ collect = false, subscriptions: areCounted, busy: isTold }) {
    const open = areCounted ? await subscriptions?.() : undefined;
    const threads = isTold ? await busy?.() : undefined;
    // What a finalizer frees goes with the second time.
    for (let time = 0; collect && time < 2; time += 1) {
      globalThis.gc();
      await new Promise((resolve) => void setTimeout(resolve, 100));
    }
    const { rss, heapUsed, external } = process.memoryUsage();
    const memory = { rss, usedBytes: heapUsed + external };
    process.send({ ...counted(), ...memory, subscriptions: open, busy: threads });
  }

  async function allocate({ turns, ...load }) {
    globalThis.gc();
    const before = process.memoryUsage();
    for (let made = 0; made < turns; made += 1) {
      turn(load);
      // What the turn has caused happens at its end and in the next one.
      await nextTurn();
      await nextTurn();
    }
    const after = process.memoryUsage();
    const bytes = after.heapUsed + after.external - before.heapUsed - before.external;
    process.send({ bytesPerTurn: bytes / turns });
  }

  process.on("message", (message) => {
    if (message.kind === "allocate") void allocate(message);
    if (message.kind === "start") start(message);
    if (message.kind === "look") look(message);
    if (message.kind === "stop") clearTimeout(timer);
    if (message.kind === "mark") void mark(message);
  });
  process.on("disconnect", () => process.exit());
  process.send({ port });
}
