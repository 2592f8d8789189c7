import { Command } from "commander";
import { startGateway, type RunningGateway } from "#gateway/main.ts";
import { startGatewayWorkers } from "#gateway/workers/gateway-workers.ts";
import type { Bus } from "#bus/bus.ts";
import type { ConfigFlag } from "#config/load-config.ts";
import type { TickwireConfig } from "#config/config.ts";
import {
  addAdminOption,
  ADMIN_PORTS,
  adminFlags,
  runAdminServer,
} from "../process/admin-process.ts";
import type { AdminOptions } from "../process/admin-process.ts";
import {
  addConfigOptions,
  loadCommandConfig,
  type ConfigOptions,
} from "../process/config-options.ts";
import { UsageError } from "../process/errors.ts";
import { startGatewayThread } from "../process/gateway-threads.ts";
import { assertListenable } from "../process/listenable.ts";
import { openBus } from "../process/open-bus.ts";
import { dashboardFolder } from "../process/dashboard-folder.ts";
import { programVersion } from "../process/program-version.ts";
import { openStreamLog } from "../process/stream-log.ts";
import { createServiceProcess, type ServiceProcess } from "../process/service-process.ts";
import { gatewayUrl, reachableUrl } from "../process/listen-address.ts";
import { printLine } from "../output/terminal.ts";

/** The options of commands that serve clients. */
export type GatewayOptions = ConfigOptions &
  AdminOptions & {
    readonly host?: string;
    readonly port?: string;
    readonly transport?: string;
    readonly workers?: string;
    readonly allowAnonymous?: boolean;
    readonly json?: boolean;
  };

const DEFAULTS = { admin: { port: ADMIN_PORTS.gateway } };

/** `tickwire gateway`: serves clients from NATS. */
export function createGatewayCommand(): Command {
  const command = new Command("gateway").description(
    "Serves clients what the ingestors publish on NATS. Stateless: run as many as you like.",
  );
  return addAdminOption(addGatewayOptions(addConfigOptions(command)), "gateway")
    .option("--json", "say where it listens as one JSON object")
    .addHelpText(
      "after",
      `
Examples:
  tickwire gateway
  tickwire gateway --port 8081 --set bus.nats.servers=nats://10.0.0.1:4222,nats://10.0.0.2:4222`,
    )
    .action(async (options: GatewayOptions) => {
      const flags = gatewayFlags(options);
      const config = loadCommandConfig(options, { defaults: DEFAULTS, flags });
      if (config.bus.kind === "memory") {
        throw new UsageError(
          "a gateway alone hears nobody on a memory bus; use dev, or set bus.kind to nats",
        );
      }
      const service = createServiceProcess("gateway", config);
      let gateway: RunningGateway | undefined;
      const notReadyReasons = () => gateway?.notReadyReasons() ?? ["starting"];
      const mayAdminister = async (secret: string, address: string): Promise<boolean> =>
        (await gateway?.mayAdminister(secret, address)) === true;
      const services = () => (gateway === undefined ? [] : [gateway.state]);
      const metricsOfThreads = async () => (await gateway?.metricsOfThreads()) ?? "";
      const shown = { notReadyReasons, services, mayAdminister, metricsOfThreads };
      const admin = await runAdminServer({ config, service, ...shown });
      // NATS may be waited for, and nobody should wait to hear that the port is taken.
      await assertListenable(config.gateway);
      const bus = await openBus({ ...service, config: config.bus, name: "tickwire-gateway" });
      service.shutdown.add("bus", () => bus.drain());
      gateway = await runGateway({ config, service, bus });
      if (options.json !== true) return;
      const url = gatewayUrl(gateway, config.gateway);
      printLine(JSON.stringify({ url, adminUrl: reachableUrl(config.admin.host, admin.port) }));
    });
}

/** Adds `--host`, `--port`, `--transport`, `--workers` and `--allow-anonymous`. */
export function addGatewayOptions(command: Command): Command {
  return command
    .option("--host <address>", "address to listen on (default 127.0.0.1)")
    .option("--port <number>", "port to listen on; 0 picks a free one (default 8080)")
    .option("--transport <kind>", "auto, uws or node (default auto)")
    .option("--workers <number>", "threads that serve the port (default 1)")
    .option("--allow-anonymous", "serve anybody who can connect, also beyond loopback");
}

/** The settings that these options stand for. */
export function gatewayFlags(options: GatewayOptions): ConfigFlag[] {
  const flags = adminFlags(options);
  for (const name of ["host", "port", "transport", "workers"] as const) {
    const value = options[name];
    if (value !== undefined) flags.push({ flag: `--${name}`, key: `gateway.${name}`, value });
  }
  if (options.allowAnonymous === true) {
    flags.push({ flag: "--allow-anonymous", key: "gateway.allowAnonymous", value: "true" });
  }
  return flags;
}

/** Starts a gateway on a bus, to be closed by the shutdown. */
export async function runGateway(parts: {
  readonly config: TickwireConfig;
  readonly service: ServiceProcess;
  readonly bus: Bus;
}): Promise<RunningGateway> {
  const { config, service, bus } = parts;
  const common = {
    config: config.gateway,
    bus,
    log: await openStreamLog(parts),
    clock: service.clock,
    logger: service.logger,
    registry: service.metrics,
  };
  const gateway =
    config.gateway.workers > 1
      ? await startGatewayWorkers({ ...common, startThread: startGatewayThread(config.log.level) })
      : await startGateway({
          ...common,
          tracing: service.tracing,
          serverVersion: programVersion(),
          dashboardFolder: dashboardFolder(),
        });
  // It never rejects: what cannot be read is logged, and changes nothing.
  service.onHangup(() => void gateway.reload());
  service.shutdown.add("gateway", () => gateway.close({ graceMs: graceMsOf(config) }));
  return gateway;
}

/** The part of the deadline that the gateway may use; the rest is for what closes after it. */
function graceMsOf(config: TickwireConfig): number {
  return Math.floor(config.shutdown.deadlineMs * 0.8);
}
