import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { MemoryBus } from "#bus/memory-bus.ts";
import { BusHost } from "#bus/threads/bus-host.ts";
import { PortCalls } from "#bus/threads/port-calls.ts";
import { ManualClock } from "#test/support/manual-clock.ts";
import { gatewayConfig } from "../config.ts";
import { beat } from "./heartbeat.ts";
import { Together } from "./together.ts";
import { WorkerPlace } from "./worker-place.ts";

/** A thread that a test drives: both ends of its channels are here. */
class FakeThread {
  readonly calls: PortCalls;
  readonly closes: unknown[] = [];
  cuts = 0;
  #onExit: (reason: string) => void = () => undefined;

  constructor(port: ConstructorParameters<typeof PortCalls>[0]) {
    const close = (graceMs: unknown): void => void this.closes.push(graceMs);
    const never = (): Promise<never> => new Promise(() => undefined);
    const answers = new Map<string, (argument: unknown) => unknown>([
      ["close", close],
      ["summary", never],
    ]);
    this.calls = new PortCalls(port, answers);
  }

  onExit(listener: (reason: string) => void): void {
    this.#onExit = listener;
  }

  busyRatio(): number {
    return 0.5;
  }

  cut(): void {
    this.cuts += 1;
  }

  exit(reason = "it ended"): void {
    this.#onExit(reason);
  }
}

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn += 1) await nextTurn();
};

describe("a place for a worker", () => {
  const clock = new ManualClock();
  const bus = new MemoryBus({ clock });
  const host = new BusHost({ bus, clock, onOverrun: () => undefined });
  let threads: FakeThread[] = [];
  let said: string[] = [];
  let listening: Set<unknown>;
  let beats: Int32Array;
  let place: WorkerPlace;

  beforeEach(() => {
    threads = [];
    said = [];
    listening = new Set();
    const silent = (): void => undefined;
    const config = gatewayConfig({ workers: 2 });
    place = new WorkerPlace({
      index: 0,
      config,
      bus,
      log: undefined,
      host,
      listener: {
        address: "127.0.0.1",
        port: 1,
        add: (descriptor) => void listening.add(descriptor),
        remove: (descriptor) => void listening.delete(descriptor),
      },
      clock,
      random: () => 1,
      logger: {
        debug: silent,
        info: silent,
        warn: silent,
        error: (_fields, message) => void said.push(message),
      },
      startThread: (start, ports) => {
        beats = start.heartbeat;
        const thread = new FakeThread(ports.calls);
        threads.push(thread);
        return thread;
      },
      together: new Together(config, () => 0.5),
      onServes: () => void said.push("serves"),
      onHang: (silentMs) => void said.push(`hangs: ${silentMs}`),
      onDeath: (reason) => void said.push(`died: ${reason}`),
      onEnded: () => void said.push("ended"),
    });
  });
  afterEach(() => {
    place.close(0);
    for (const { calls } of threads) calls.close();
  });

  const serve = async (thread: FakeThread | undefined): Promise<void> => {
    await thread?.calls.call("listener.add", "descriptor");
    await thread?.calls.call("serves", { sessions: 3, notReady: [], pages: [] });
  };

  test("has connections handed to its thread, and takes it back when the thread leaves", async () => {
    place.open();
    expect(place.state).toBe("starting");
    await serve(threads[0]);
    expect([place.state, place.status.sessions, [...listening]]).toEqual([
      "serving",
      3,
      ["descriptor"],
    ]);
    await threads[0]?.calls.call("leaving");
    expect(listening.size).toBe(0);
    threads[0]?.exit();
    expect([place.state, place.status.sessions]).toEqual(["resting", 0]);
    expect(said).toEqual(["serves", "died: it ended"]);
  });

  test("rests longer after each death in a row, up to ten seconds, and starts anew", async () => {
    place.open();
    for (const restMs of [100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000]) {
      const { length } = threads;
      await serve(threads.at(-1));
      threads.at(-1)?.exit();
      expect(listening.size).toBe(0);
      clock.advance(restMs - 1);
      expect(threads).toHaveLength(length);
      clock.advance(1);
      expect(threads).toHaveLength(length + 1);
    }
    // Who has served for a minute has started well.
    await serve(threads.at(-1));
    for (let second = 0; second < 60; second += 1) {
      clock.advance(1_000);
      beat(beats);
    }
    threads.at(-1)?.exit();
    clock.advance(100);
    expect(threads).toHaveLength(11);
  });

  test("ends a thread that does not turn, which gets nobody more, and starts another", async () => {
    place.open();
    await serve(threads[0]);
    clock.advance(9_000);
    beat(beats);
    clock.advance(9_999);
    const asked = place.call("summary");
    expect([place.state, listening.size]).toEqual(["serving", 1]);
    clock.advance(251);
    await expect(asked).rejects.toMatchObject({ code: "thread-gone" });
    expect([place.state, listening.size, threads[0]?.cuts]).toEqual(["hung", 0, 1]);
    await expect(place.call("summary")).rejects.toMatchObject({ code: "thread-gone" });
    expect(place.status).toEqual({ sessions: 0, notReady: ["worker-down"] });
    threads[0]?.exit("its thread ended with the code 1");
    expect(said).toEqual([
      "serves",
      "hangs: 10000",
      "died: its event loop did not turn for 10000 ms",
    ]);
    clock.advance(10_000);
    expect([threads.length, said.length]).toEqual([2, 3]);
  });

  test.each([
    [4_999, 2],
    [5_000, 3],
  ])("of a thread that has not ended %d ms later it says so", async (laterMs, messages) => {
    place.open();
    await serve(threads[0]);
    clock.advance(10_000);
    clock.advance(laterMs);
    expect(said).toHaveLength(messages);
    place.close(0);
    expect([place.state, threads[0]?.closes]).toEqual(["closing", []]);
    threads[0]?.exit();
    expect([place.state, clock.pending]).toEqual(["ended", 0]);
  });

  test("says why a thread could not start in its own words", async () => {
    place.open();
    await threads[0]?.calls.call("failed", "access.file: no such file");
    threads[0]?.exit("its thread ended with the code 1");
    expect(said).toEqual(["died: access.file: no such file"]);
  });

  test.each(["starting", "serving"])("closed while %s, it ends with its thread", async (when) => {
    place.open();
    if (when === "serving") await serve(threads[0]);
    place.close(250);
    if (when === "starting") await serve(threads[0]);
    await settle();
    expect(threads[0]?.closes).toEqual([250]);
    threads[0]?.exit();
    expect(place.state).toBe("ended");
    expect(said.at(-1)).toBe("ended");
    clock.advance(20_000);
    expect(threads).toHaveLength(1);
  });

  test("closed while it rests, it has ended", () => {
    place.open();
    threads[0]?.exit();
    place.close(250);
    expect(place.state).toBe("ended");
    clock.advance(20_000);
    expect(threads).toHaveLength(1);
  });

  test("asked while no thread runs, it says so", async () => {
    place.open();
    threads[0]?.exit();
    await expect(place.call("summary")).rejects.toMatchObject({ code: "thread-gone" });
  });
});
