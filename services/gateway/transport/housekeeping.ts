import { setImmediate } from "node:timers";
import { Admission } from "./admission.ts";
import { BodyWatch } from "./body-watch.ts";
import { IDLE_TICKS_MAX } from "./idle-ticks.ts";
import type { TransportOptions } from "./transport.ts";

/** Slow bodies are looked for, and addresses forgotten, this often. */
const SWEEP_MS = 1_000;

/**
 * Connections have their idle ticks in as many groups, one after the other: ten thousand that came
 * together are not pinged in one turn of the event loop.
 */
const TICK_GROUPS_MAX = 32;
const TICK_GROUP_MS_MIN = 10;

/** Milliseconds that no change of the system's clock moves. */
export const nowMs = (): number => performance.now();

/** Runs a callback when every callback of the library that is on the stack has returned. */
export function afterCallbacks(callback: () => void): void {
  setImmediate(callback);
}

/** Connections are numbered as they come. */
type TickedConnection = { readonly id: number; tick(): void };

/** What a transport counts of its clients, and the timers that look at it. */
export class Housekeeping {
  readonly admission: Admission;
  readonly bodies: BodyWatch;
  readonly #idleTimeoutMs: number;
  readonly #connections: ReadonlySet<TickedConnection>;
  readonly #timers: NodeJS.Timeout[] = [];

  constructor(
    options: Pick<TransportOptions, "connectionsMax" | "http" | "idleTimeoutMs" | "shared">,
    connections: ReadonlySet<TickedConnection>,
  ) {
    const { connectionsMax, http, idleTimeoutMs, shared } = options;
    this.admission = new Admission({ connectionsMax, ...http }, nowMs, shared);
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
    const tickMs = Math.max(TICK_GROUP_MS_MIN, Math.floor(this.#idleTimeoutMs / IDLE_TICKS_MAX));
    const groups = Math.min(TICK_GROUPS_MAX, Math.floor(tickMs / TICK_GROUP_MS_MIN));
    let turn = 0;
    this.#every(Math.floor(tickMs / groups), () => {
      turn = (turn + 1) % groups;
      for (const connection of this.#connections) {
        if (connection.id % groups === turn) connection.tick();
      }
    });
  }

  stop(): void {
    for (const timer of this.#timers.splice(0)) clearInterval(timer);
  }

  #every(periodMs: number, callback: () => void): void {
    this.#timers.push(setInterval(callback, periodMs).unref());
  }
}
