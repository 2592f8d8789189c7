import type { SharedAccountsMemory } from "#core/shared-accounts.ts";
import type { StreamLog } from "#bus/stream-log.ts";
import type { ThreadLink } from "#bus/threads/thread-bus.ts";
import type { PortEnd } from "#bus/threads/thread-messages.ts";
import type { GatewayConfig } from "../config.ts";

/** What a worker is started with. All of it can be sent to another thread. */
export type WorkerStart = {
  /** From 0 on; no two that run have the same. */
  readonly index: number;
  readonly config: GatewayConfig;
  /** Where the thread listens that hands connections on. */
  readonly address: string;
  readonly port: number;
  readonly bus: Omit<ThreadLink, "port" | "takeObject">;
  /** What kind of log the other thread has. */
  readonly log: StreamLog["kind"] | undefined;
  /** Words that both threads see; see farewell.ts. */
  readonly farewell: Int32Array;
  /** The same; see heartbeat.ts. */
  readonly heartbeat: Int32Array;
  readonly together: TogetherMemory;
};

/** What all workers count together. */
export type TogetherMemory = Readonly<
  Record<"addresses" | "principals" | "polls", SharedAccountsMemory>
>;

/** The ports that a worker is started with. */
export type WorkerPorts = {
  readonly bus: PortEnd;
  readonly objects: PortEnd;
  readonly calls: PortEnd;
};

/** What a worker says of itself, now and then. */
export type WorkerStatus = {
  readonly sessions: number;
  readonly notReady: readonly string[];
};

/** What a worker has to tell when it serves. */
export type WorkerServes = WorkerStatus & {
  /** Lists of its state, with what each takes. */
  readonly pages: readonly WorkerPage[];
};

export type WorkerPage = {
  readonly name: string;
  readonly parameters: ReadonlyMap<string, readonly string[] | "any">;
  readonly needed: string | undefined;
};

/** A registry as prom-client tells it. */
export type MetricsJson = readonly {
  readonly name: string;
  readonly type: string;
}[];
