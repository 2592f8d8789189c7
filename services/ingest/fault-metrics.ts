import type { Registry } from "prom-client";
import { readCounter } from "./metrics.ts";
import type { SimulatedFaults } from "./simulated/simulated-faults.ts";

/** Registers the count of the faults that the simulated venue was asked for. */
export function registerFaultMetrics(
  registry: Registry,
  faults: () => readonly SimulatedFaults[],
): void {
  const labelNames = ["fault", "channel"];
  const name = "tickwire_ingest_simulated_faults_total";
  const help =
    "Faults of the simulated venue that were asked for; without a channel where all are.";
  readCounter({ registry, name, help, labelNames }, (add) => {
    for (const each of faults()) {
      for (const { fault, channel, count } of each.counts()) add({ fault, channel }, count);
    }
  });
}
