import type { GatewayConfig } from "../config.ts";

/** Limits that are of memory or of load on others: each worker gets its part of them. */
const SHARED_OUT = [
  "delayBytesMax",
  "resumeTotalBytesMax",
  "queriesInFlightMax",
  "replaysMax",
  "drainClosesPerSecondMax",
] as const satisfies readonly (keyof GatewayConfig)[];

/** The settings of one of so many workers. What is 0, and so turned off, stays so. */
export function workerConfig(config: GatewayConfig, workers: number): GatewayConfig {
  const parts = SHARED_OUT.map((key) => [key, Math.ceil(config[key] / workers)] as const);
  return Object.freeze({ ...config, ...Object.fromEntries(parts) });
}
