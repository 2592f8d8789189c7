import { setImmediate } from "node:timers";
import { Admission } from "./admission.ts";
import { BodyWatch } from "./body-watch.ts";
import { IDLE_TICKS_MAX } from "./idle-ticks.ts";
import type { TransportOptions } from "./transport.ts";

/** Slow bodies are looked for, and addresses forgotten, this often. */
const SWEEP_MS = 1_000;

/** Milliseconds that no change of the system's clock moves. */
export const nowMs = (): number => performance.now();

/** Runs a callback when every callback of the library that is on the stack has returned. */
export function afterCallbacks(callback: () => void): void {
  setImmediate(callback);
}

/** What a transport counts of its clients, and the timers that look at it. */
export class Housekeeping {
  readonly admission: Admission;
  readonly bodies: BodyWatch;
  readonly #idleTimeoutMs: number;
  readonly #connections: ReadonlySet<{ tick(): void }>;
  readonly #timers: NodeJS.Timeout[] = [];

  constructor(
    options: Pick<TransportOptions, "connectionsMax" | "http" | "idleTimeoutMs">,
    connections: ReadonlySet<{ tick(): void }>,
  ) {
    const { connectionsMax, http, idleTimeoutMs } = options;
    this.admission = new Admission({ connectionsMax, ...http }, nowMs);
    this.bodies = new BodyWatch(http);
    this.#idleTimeoutMs = idleTimeoutMs;
    this.#connections = connections;
  }

  start(): void {
    this.#every(SWEEP_MS, () => {
      this.bodies.check(nowMs());
      this.admission.sweep();
    });
    if (this.#idleTimeoutMs === 0) return;
    this.#every(Math.max(10, Math.floor(this.#idleTimeoutMs / IDLE_TICKS_MAX)), () => {
      for (const connection of this.#connections) connection.tick();
    });
  }

  stop(): void {
    for (const timer of this.#timers.splice(0)) clearInterval(timer);
  }

  #every(periodMs: number, callback: () => void): void {
    this.#timers.push(setInterval(callback, periodMs).unref());
  }
}
