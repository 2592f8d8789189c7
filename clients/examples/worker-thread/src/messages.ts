import type { FlowSummary } from "./trade-flow.ts";

/** What the worker is given when it is started. */
export type WorkerSettings = {
  readonly url: string;
  readonly topics: string;
  readonly intervalMs: number;
};

/** What the worker says. It says nothing more until the main thread has answered `go-on`. */
export type FromWorker = {
  readonly summaries: readonly FlowSummary[];
  /** Whether the gateway is connected. */
  readonly connected: boolean;
  /** Events that the gateway said will not come, in all. */
  readonly missingEvents: number;
};

/** What the main thread says. */
export type ToWorker = "go-on" | "stop";
