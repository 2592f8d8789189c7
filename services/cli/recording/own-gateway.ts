import { createMetrics } from "#runtime/metrics.ts";
import { startGateway } from "#gateway/main.ts";
import { gatewayConfig } from "#gateway/config.ts";
import type { Bus } from "#bus/bus.ts";
import { programVersion } from "../process/program-version.ts";
import type { ServiceProcess } from "../process/service-process.ts";

/** Its only client has left by then. */
const CLOSE_MS_MAX = 1_000;

/**
 * A gateway inside of this process, on a free port of loopback, for a command that reads the bus
 * itself. What a gateway does for its clients (starts, proofs of continuity, what was missed) is so
 * done in one place. Returns its address.
 */
export async function runOwnGateway(bus: Bus, service: ServiceProcess): Promise<string> {
  const gateway = await startGateway({
    config: gatewayConfig({ port: 0, dashboard: false, drainWindowMs: 0, lameDuckMs: 0 }),
    bus,
    clock: service.clock,
    logger: service.logger,
    registry: createMetrics({ version: programVersion() }),
  });
  service.shutdown.add("own gateway", () => gateway.close({ graceMs: CLOSE_MS_MAX }));
  return `ws://127.0.0.1:${gateway.port}`;
}
