import { EventEmitter } from "node:events";
import { expect, test } from "vitest";
import { Shutdown, type ExitCode } from "./shutdown.ts";

function createFixture(deadlineMs = 1000) {
  const signals = new EventEmitter();
  const exits: ExitCode[] = [];
  const errors: string[] = [];
  const timers: { delayMs: number; fire: () => void; cancelled: boolean }[] = [];
  const ignore = () => undefined;
  const shutdown = new Shutdown({
    deadlineMs,
    signals,
    exit: (code) => exits.push(code),
    logger: {
      debug: ignore,
      info: ignore,
      warn: ignore,
      error: (_, message) => errors.push(message),
    },
    clock: {
      nowUs: () => 0,
      monotonicUs: () => 0,
      after(delayMs, fire) {
        const timer = { delayMs, fire, cancelled: false };
        timers.push(timer);
        return () => {
          timer.cancelled = true;
        };
      },
    },
  });
  return { shutdown, signals, exits, errors, timers };
}

test.each(["SIGINT", "SIGTERM"])(
  "%s closes what was added, last first, then exits 0",
  async (signal) => {
    const { shutdown, signals, exits, timers } = createFixture();
    const order: string[] = [];
    shutdown.add("bus", () => void order.push("bus"));
    shutdown.add("server", async () => void order.push("server"));
    expect(shutdown.started).toBe(false);
    signals.emit(signal);
    expect(shutdown.started).toBe(true);
    await shutdown.run();
    expect(order).toEqual(["server", "bus"]);
    expect(exits).toEqual([0]);
    expect(timers.every((timer) => timer.cancelled)).toBe(true);
    expect(signals.listenerCount(signal)).toBe(0);
  },
);

test("a second signal does not wait", () => {
  const { shutdown, signals, exits } = createFixture();
  shutdown.add("never", () => new Promise(() => undefined));
  signals.emit("SIGINT");
  expect(exits).toEqual([]);
  signals.emit("SIGINT");
  expect(exits).toEqual([130]);
});

test("the deadline ends a shutdown that hangs, with a failure", () => {
  const { shutdown, signals, exits, timers } = createFixture(750);
  shutdown.add("never", () => new Promise(() => undefined));
  signals.emit("SIGTERM");
  expect(timers[0]?.delayMs).toBe(750);
  timers[0]?.fire();
  expect(exits).toEqual([1]);
});

test("a step that fails does not keep the others from closing", async () => {
  const { shutdown, exits, errors } = createFixture();
  const order: string[] = [];
  shutdown.add("first", () => void order.push("first"));
  shutdown.add("bad", () => Promise.reject(new Error("no")));
  await shutdown.run();
  expect(order).toEqual(["first"]);
  expect(errors).toEqual(["a step of the shutdown failed"]);
  expect(exits).toEqual([1]);
});

test("exits with the code it was asked for, once", async () => {
  const { shutdown, exits } = createFixture();
  await Promise.all([shutdown.run(1), shutdown.run(0)]);
  expect(exits).toEqual([1]);
});

test("what is added while shutting down is closed too", async () => {
  const { shutdown } = createFixture();
  const running = shutdown.run();
  let closed = false;
  shutdown.add("late", () => void (closed = true));
  await running;
  expect(closed).toBe(true);
});
