import { collectDefaultMetrics, Counter, Gauge, Registry } from "prom-client";

type MetricsOptions = {
  /** Of the program, for `tickwire_build_info`. */
  readonly version: string;
};

/**
 * A registry of its own with the process's metrics (CPU, memory, event loop, garbage collection).
 */
export function createMetrics(options: MetricsOptions): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  new Gauge({
    name: "tickwire_build_info",
    help: "Always 1; the labels say which build runs.",
    labelNames: ["version", "node"],
    registers: [registry],
  }).set({ version: options.version, node: process.versions.node }, 1);
  return registry;
}

/** Counts requests for the state of the process that were refused. */
export function registerStateRefusals(registry: Registry): Counter<"reason"> {
  return new Counter({
    name: "tickwire_admin_requests_refused_total",
    help: "Requests for the state of the process that were refused: secret, remote or busy.",
    labelNames: ["reason"],
    registers: [registry],
  });
}
